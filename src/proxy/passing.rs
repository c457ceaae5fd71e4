//! What is done to everything that passes, in either direction.

use super::apps::App;
use super::door::Door;
use super::gateway::Ctx;
use super::guard::ConnControl;
use super::upstream::why;
use crate::observe::{Level, Outcome};
use bytes::Bytes;
use pingora::proxy::Session;
use pingora::{Error, ErrorType, Result};

impl Door {
    /// Lets bytes pass, in either direction, for as long as the session they belong to is good.
    /// What passes is use of it.
    pub(super) fn pass(&self, ctx: &mut Ctx) -> Result<()> {
        if let Some(wait) = &ctx.wait {
            wait.touch(self.gateway().clock_ms());
        }
        let Some(live) = &ctx.person else { return Ok(()) };
        let Some(arrival) = &ctx.arrival else { return Ok(()) };
        let now = arrival.force.service().clock().now();
        if live.goes_on(now) {
            live.seen(now);
            return Ok(());
        }
        ctx.note(Outcome::Failed, "session_ended");
        Err(Error::new(ErrorType::HTTPStatus(401)))
    }

    /// Sees to it that what goes on for long ends with the session it belongs to.
    pub(super) fn enter_stream(&self, session: &Session, ctx: &mut Ctx) {
        if let (None, Some(live), Some(connection)) =
            (&ctx.stream, &ctx.person, ConnControl::of(session))
        {
            ctx.stream = Some(self.gateway().streams.enter(live, connection));
        }
    }

    /// Counts what the app is sent; what is more than it takes is not sent any more.
    pub(super) fn measure(session: &Session, body: &Bytes, ctx: &mut Ctx) -> Result<()> {
        let Some(most) = ctx.app().and_then(App::body_max) else { return Ok(()) };
        // What a WebSocket carries is no body.
        if session.was_upgraded() {
            return Ok(());
        }
        ctx.sent = ctx.sent.saturating_add(u64::try_from(body.len()).unwrap_or(u64::MAX));
        if ctx.sent <= most {
            return Ok(());
        }
        ctx.note(Outcome::Failed, "body_too_large");
        Err(Error::new(ErrorType::HTTPStatus(413)))
    }

    /// Notes that the chosen upstream was reached, or why not, and says so where that is news.
    pub(super) fn note_reached(&self, ctx: &Ctx, reached: std::result::Result<(), &Error>) {
        let chosen = ctx.app().zip(ctx.tried.last());
        let Some(upstream) = chosen.and_then(|(app, choice)| app.upstream(*choice)) else { return };
        let (gateway, url) = (self.gateway(), upstream.url());
        match reached {
            Ok(()) if upstream.reached() => {
                gateway.say(Level::Info, &format!("the upstream {url} is reached again"));
            }
            Err(error) if upstream.rest(gateway.clock_ms()) => {
                let why = why(error);
                gateway.say(Level::Warn, &format!("the upstream {url} cannot be reached: {why}"));
            }
            _ => {}
        }
    }
}
