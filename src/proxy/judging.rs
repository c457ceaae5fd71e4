//! What the guard does not judge, since it knows neither HTTP/2 nor what came into force since a
//! connection began.

use super::gateway::Ctx;
use super::guard::ConnControl;
use super::hygiene::{FieldScan, HeadLimits, Refusal, check_http2};
use super::in_force::InForce;
use pingora::proxy::Session;
use std::sync::Arc;

/// Judges what the guard has not: all of a request in HTTP/2, and one in HTTP/1 by names that only
/// the gateway may use since its connection began.
pub(super) fn judge(session: &Session, force: &InForce) -> Result<(), Refusal> {
    let (head, protected) = (session.req_header(), force.headers().protected());
    if session.is_http2() {
        return check_http2(head, head.raw_path(), protected, &HeadLimits::default());
    }
    if ConnControl::of(session).is_some_and(|known| Arc::ptr_eq(known.protected(), protected)) {
        return Ok(());
    }
    let (mut scan, limits) = (FieldScan::default(), HeadLimits::default());
    let mut fields = head.headers.iter();
    fields.try_for_each(|(name, value)| {
        scan.field(protected, &limits, name.as_str().as_bytes(), value.as_bytes()).map(drop)
    })
}

/// Whether its connection was made for a host with another certificate.
pub(super) fn is_misdirected(session: &Session, ctx: &Ctx) -> bool {
    let name = ConnControl::of(session).and_then(|connection| connection.server_name());
    let arrival = ctx.arrival.as_ref();
    name.zip(arrival).is_some_and(|(name, a)| a.force.is_misdirected(name, &a.host))
}
