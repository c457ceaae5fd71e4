//! A request that is over, for those who watch: one line, and its trace.

use super::apps::App;
use super::bridge::{BodyFault, split_target};
use super::gateway::{Ctx, Gateway};
use super::settings::UpstreamUrl;
use super::uploads;
use crate::observe::traces::Passage;
use crate::observe::{Access, Outcome};
use http::{StatusCode, Version};
use pingora::http::RequestHeader;
use pingora::proxy::Session;
use std::mem;
use std::sync::Arc;

/// Writes the line, counts, and tells the trace.
pub(super) fn note(gateway: &Gateway, session: &Session, ctx: &mut Ctx) {
    let status = session.response_written().map_or(0, |response| response.status.as_u16());
    ctx.unheard = None;
    tell(gateway, session.req_header(), status, ctx);
}

/// By what the line of a request is written that is let go of.
pub(super) struct Unheard {
    gateway: Arc<Gateway>,
    head: RequestHeader,
    /// What the app answered, if it did.
    status: u16,
    /// Whether that went out whole.
    is_answered: bool,
}

impl Unheard {
    /// Of a request that has just come.
    pub(super) fn new(gateway: &Arc<Gateway>, head: &RequestHeader) -> Box<Self> {
        let gateway = Arc::clone(gateway);
        Box::new(Self { gateway, head: head.clone(), status: 0, is_answered: false })
    }
}

impl Ctx {
    /// Notes that the app begins to answer.
    pub(super) fn answering(&mut self, status: StatusCode) {
        uploads::answering();
        if let Some(unheard) = &mut self.unheard {
            unheard.status = status.as_u16();
        }
    }

    /// Notes that the app has answered.
    pub(super) fn answered(&mut self) {
        uploads::answered();
        if let Some(unheard) = &mut self.unheard {
            unheard.is_answered = true;
        }
    }
}

/// However a request ends, there is a line of it.
impl Drop for Ctx {
    fn drop(&mut self) {
        let Some(unheard) = self.unheard.take() else { return };
        if !unheard.is_answered {
            self.note(Outcome::Failed, BodyFault::TooSlow.reason());
        }
        tell(&unheard.gateway, &unheard.head, unheard.status, self);
    }
}

fn tell(gateway: &Gateway, head: &RequestHeader, status: u16, ctx: &mut Ctx) {
    let trace = mem::take(&mut ctx.trace);
    let (path, _) = split_target(head.raw_path());
    let arrival = ctx.arrival.as_ref();
    let asked = (&head.method, arrival.map_or("-", |arrival| arrival.host.as_str()), path);
    // A check is logged as what it was about.
    let about = ctx.about.as_ref();
    let about = about.map(|(method, host, path)| (method, host.as_str(), path.as_str()));
    let (method, host, path) = about.unwrap_or(asked);
    let current;
    let force = match arrival {
        Some(arrival) => &arrival.force,
        None => {
            current = gateway.in_force();
            &current
        }
    };
    let service = force.service();
    let access = Access {
        route: ctx.app().map(App::meter),
        at: arrival.map_or_else(|| service.clock().now(), |arrival| arrival.cx.now),
        id: arrival.map(|arrival| arrival.cx.id),
        client: arrival.and_then(|arrival| arrival.client.to_str().ok()),
        method: method.as_str(),
        host,
        path,
        user: ctx.person.as_ref().map(|live| live.username()),
        outcome: ctx.outcome,
        status,
        micros: u64::try_from(ctx.began.elapsed().as_micros()).unwrap_or(u64::MAX),
        reason: ctx.reason,
    };
    service.log().access(&access);
    trace.end(&gateway.tracer, &access, || passage(ctx, head.version));
}

/// How it came in and went on.
fn passage(ctx: &Ctx, version: Version) -> Passage {
    let upstream = ctx.app().zip(ctx.tried.last()).and_then(|(app, tried)| app.upstream(*tried));
    let app = upstream.map(|upstream| match upstream.url() {
        UpstreamUrl::Tcp { host, port, .. } => (host.to_string(), Some(*port)),
        UpstreamUrl::Unix(path) => (path.display().to_string(), None),
    });
    let version = match version {
        Version::HTTP_2 => "2",
        Version::HTTP_10 => "1.0",
        _ => "1.1",
    };
    let https = ctx.arrival.as_ref().is_some_and(|arrival| arrival.way.https);
    Passage { version, https, app, resent: ctx.tried.len().saturating_sub(1) }
}
