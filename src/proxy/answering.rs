//! What is answered without any app: our own pages, a challenge, a refusal.

use super::bridge::{self, split_target};
use super::door::{Door, LITTLE_PATIENCE};
use super::gateway::{Arrival, Ctx};
use super::guard::ConnControl;
use super::in_force::{InForce, Turn};
use crate::http::{
    Language, Location, Response, challenge, credential, is_page_navigation, maintenance, refusal,
};
use crate::observe::Outcome;
use crate::observe::traces::watched;
use bytes::Bytes;
use http::header::{RETRY_AFTER, STRICT_TRANSPORT_SECURITY};
use http::{HeaderValue, StatusCode};
use pingora::Result;
use pingora::proxy::Session;

impl Door {
    /// Answers what no app is to answer.
    pub(super) async fn answer(
        &self,
        session: &mut Session,
        arrival: &Arrival,
        turn: Turn,
        ctx: &mut Ctx,
    ) -> Result<bool> {
        let force = &arrival.force;
        session.set_write_timeout(Some(LITTLE_PATIENCE));
        let response = match turn {
            Turn::Forward => return Ok(false),
            Turn::Portal => {
                self.name_visitor(session, ctx, arrival).await;
                watched(ctx.trace.steps(), self.ask_portal(session, arrival, ctx)).await
            }
            Turn::Encrypt(location) => moved(force, &location),
            Turn::Prove(text) => shown(force, text),
            Turn::Check => {
                // Whether a body follows is of no interest, and a proxy may say that one does
                // which it keeps.
                let request = bridge::without_body(session, arrival);
                force.check(request, ctx).await?
            }
            Turn::Challenge(first) => {
                let head = session.req_header();
                let target = std::str::from_utf8(head.raw_path()).unwrap_or("/");
                challenge(force.site(), first, &head.method, &head.headers, target)
            }
            Turn::Maintenance => {
                let head = session.req_header();
                let is_page = is_page_navigation(&head.method, &head.headers);
                maintenance(force.site(), Language::of(&head.headers), is_page)
            }
            Turn::Refuse(status) => refuse(force, session, status),
        };
        bridge::write(session, response).await?;
        Ok(true)
    }

    /// Tells a request over HTTP/2 that there is no place for it beside the others on its connection.
    /// Without a body, which it could leave lying.
    pub(super) async fn turn_away(
        &self,
        session: &mut Session,
        arrival: &Arrival,
        ctx: &mut Ctx,
    ) -> Result<bool> {
        ctx.note(Outcome::Failed, "crowded");
        let (status, kind) = (StatusCode::SERVICE_UNAVAILABLE, "text/plain; charset=utf-8");
        let mut response = Response::new(arrival.force.site(), status, kind, Bytes::new());
        response.headers.insert(RETRY_AFTER, HeaderValue::from_static("2"));
        bridge::write(session, response).await?;
        Ok(true)
    }

    async fn ask_portal(
        &self,
        session: &mut Session,
        arrival: &Arrival,
        ctx: &mut Ctx,
    ) -> Response {
        let is_crowded = self.gateway().connections().is_crowded();
        let patience = if is_crowded { bridge::CROWDED } else { bridge::USUAL };
        if let Some(connection) = ConnControl::of(session) {
            connection.set_body_timeout(patience.still);
        }
        let force = &arrival.force;
        match bridge::read(session, arrival, force.site().body_max, patience).await {
            Ok(request) => force.answer(request).await,
            Err(fault) => {
                ctx.note(Outcome::Malformed, fault.reason());
                refuse(force, session, fault.status())
            }
        }
    }

    /// Notes who visits our own pages, for the log; the pages ask for themselves.
    async fn name_visitor(&self, session: &Session, ctx: &mut Ctx, arrival: &Arrival) {
        let force = &arrival.force;
        let shown = credential(force.headers().cookies(), &session.req_header().headers);
        let person = force.service().person(shown.as_ref(), &arrival.host, &arrival.cx).await;
        ctx.person = person.unwrap_or_default();
    }
}

/// Sends on to the same by https, for good. Who is not there yet is not told to stay there.
fn moved(force: &InForce, location: &Location) -> Response {
    let status = StatusCode::PERMANENT_REDIRECT;
    let mut response = Response::redirect(force.site(), status, location);
    response.headers.remove(STRICT_TRANSPORT_SECURITY);
    response
}

/// Shows an authority what it asks for.
fn shown(force: &InForce, text: String) -> Response {
    Response::new(force.site(), StatusCode::OK, "application/octet-stream", text.into())
}

pub(super) fn refuse(force: &InForce, session: &Session, status: StatusCode) -> Response {
    let head = session.req_header();
    let is_call = force.is_call(split_target(head.raw_path()).0);
    let is_page = !is_call && is_page_navigation(&head.method, &head.headers);
    refusal(force.site(), Language::of(&head.headers), is_page, status)
}
