//! What the data path puts down of a request for its trace, and what it tells the app of it.

use super::gateway::{Ctx, Gateway};
use crate::observe::traces::Trace;
use http::{HeaderMap, HeaderName, HeaderValue};
use pingora::http::RequestHeader;
use pingora::{ErrorType, OrErr as _};

static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Begins to put a request down.
pub(super) fn begin(gateway: &Gateway, ctx: &Ctx, fields: &HeaderMap) -> Trace {
    let Some(arrival) = &ctx.arrival else { return Trace::default() };
    let told = || (arrival.way.is_trusted, named(fields));
    gateway.tracer.begin(arrival.cx.id, ctx.began, told)
}

/// The trace that its sender names; none where there are two.
fn named(fields: &HeaderMap) -> Option<&[u8]> {
    let mut all = fields.get_all(&TRACEPARENT).iter();
    let first = all.next()?;
    all.next().is_none().then(|| first.as_bytes())
}

/// Tells the app what it is part of. Where nothing is put down, what the client said stays.
pub(super) fn tell(trace: &Trace, head: &mut RequestHeader) -> pingora::Result<()> {
    let Some(told) = trace.told() else { return Ok(()) };
    let value = HeaderValue::try_from(told).or_err(ErrorType::InvalidHTTPHeader, "a trace")?;
    head.insert_header(&TRACEPARENT, value)?;
    if !trace.is_continued() {
        // It belongs to the trace that the client named, which is not this one.
        head.remove_header(&TRACESTATE);
    }
    Ok(())
}
