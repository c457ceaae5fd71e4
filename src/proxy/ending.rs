//! A request that is over, for those who watch: one line, and its trace.

use super::apps::App;
use super::bridge::split_target;
use super::gateway::{Ctx, Gateway};
use super::settings::UpstreamUrl;
use crate::observe::Access;
use crate::observe::traces::Passage;
use http::Version;
use pingora::proxy::Session;
use std::mem;

/// Writes the line, counts, and tells the trace.
pub(super) fn note(gateway: &Gateway, session: &Session, ctx: &mut Ctx) {
    let trace = mem::take(&mut ctx.trace);
    let head = session.req_header();
    let (path, _) = split_target(head.raw_path());
    let status = session.response_written().map_or(0, |response| response.status.as_u16());
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
