//! The engine's hooks, each a few lines.
//!
//! ```text
//! early_request_filter      hygiene for HTTP/2; deadlines
//! request_filter            our own pages, a challenge or a refusal are answered here
//! upstream_peer             an upstream, for the permit
//! connected_to_upstream     it is reached; how long it may take
//! upstream_request_filter   what the app is told
//! request_body_filter       no more than the app takes
//! response_filter           our cookies out; streams entered
//! fail_to_proxy             the app could not be reached, or broke off
//! logging                   one line
//! ```
//!
//! The engine tells nothing to a log of its own: its messages may quote a request.

use super::answering::refuse;
use super::bridge::{self, declared_length};
use super::ending::{self, Unheard};
use super::gateway::{Ctx, Gateway};
use super::guard::ConnControl;
use super::headers::HeaderRules;
use super::hygiene::is_websocket_upgrade;
use super::in_force::Turn;
use super::judging::{is_misdirected, judge};
use super::tracing;
use super::uploads;
use super::waits::{Line, Phase, Wait};
use crate::observe::Outcome;
use async_trait::async_trait;
use bytes::Bytes;
use http::header::{SET_COOKIE, TRANSFER_ENCODING};
use http::{HeaderMap, Method, StatusCode, Version};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::modules::http::HttpModules;
use pingora::protocols::Digest;
use pingora::protocols::l4::socket::SocketAddr as PeerAddr;
use pingora::proxy::{FailToProxy, ProxyHttp, Session};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorSource, ErrorType, Result};
use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::Duration;

/// How long a client may take to read what is written to it before it is given up.
const WRITE_PATIENCE: Duration = Duration::from_secs(60);

/// The same where many need its place, and for answers of our own, which are short.
pub(super) const LITTLE_PATIENCE: Duration = Duration::from_secs(10);

/// A message of more bytes than this, or of who knows how many, may go on for long.
const LONG: u64 = 1 << 20;

/// The data path as the engine sees it.
pub(super) struct Door(Arc<Gateway>);

impl Door {
    pub(super) const fn new(gateway: Arc<Gateway>) -> Self {
        Self(gateway)
    }

    /// What is behind it.
    pub(super) const fn gateway(&self) -> &Arc<Gateway> {
        &self.0
    }
}

/// The other end of the socket; none on a socket file.
fn peer_of(session: &Session) -> Option<SocketAddr> {
    match session.client_addr()? {
        PeerAddr::Inet(addr) => Some(*addr),
        PeerAddr::Unix(_) => None,
    }
}

/// Whether an answer with these headers, if it has a body, may go on for long.
fn is_long(headers: &HeaderMap) -> bool {
    declared_length(headers).is_none_or(|length| length > LONG)
}

/// Whether a request in HTTP/1 has a body that may go on for long: without a length or chunks it has
/// none.
fn is_long_upload(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING)
        || declared_length(headers).is_some_and(|length| length > LONG)
}

/// Whether no body follows, as far as the head tells.
fn is_bodiless(method: &Method, response: &ResponseHeader) -> bool {
    matches!(response.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        || *method == Method::HEAD
        || declared_length(&response.headers) == Some(0)
}

/// Whether another head is to follow.
fn is_interim(response: &ResponseHeader) -> bool {
    response.status.is_informational()
}

/// Whether the client's connection is encrypted.
fn is_tls(session: &Session) -> bool {
    session.digest().is_some_and(|digest| digest.ssl_digest.is_some())
}

#[async_trait]
impl ProxyHttp for Door {
    /// In a box, since the engine carries it by value through futures that it moves for every
    /// request.
    type CTX = Box<Ctx>;

    fn new_ctx(&self) -> Box<Ctx> {
        Box::new(Ctx::new())
    }

    /// None: by default there is one for compression, which costs every request even switched off.
    fn init_downstream_modules(&self, _modules: &mut HttpModules) {}

    async fn early_request_filter(&self, session: &mut Session, ctx: &mut Box<Ctx>) -> Result<()> {
        // The guard keeps the deadlines for reading; the engine's own would only race them.
        session.set_read_timeout(None);
        let is_crowded = self.0.connections().is_crowded();
        let patience = if is_crowded { LITTLE_PATIENCE } else { WRITE_PATIENCE };
        session.set_write_timeout(Some(patience));
        let head = session.req_header();
        let force = self.0.in_force();
        let judged = judge(session, &force);
        let id = self.0.request_id();
        ctx.arrival = force.arrival(id, head, peer_of(session), is_tls(session));
        ctx.trace = tracing::begin(&self.0, ctx, &head.headers);
        if session.is_http2() {
            if uploads::is_watched() {
                ctx.unheard = Some(Unheard::new(&self.0, session.req_header()));
            }
            ctx.busy = ConnControl::of(session).and_then(ConnControl::busy);
        }
        if let Err(refusal) = judged {
            ctx.note(Outcome::Malformed, refusal.reason());
            return Err(Error::new(ErrorType::HTTPStatus(refusal.status())));
        }
        if is_misdirected(session, ctx) {
            ctx.note(Outcome::Malformed, "misdirected");
            return Err(Error::new(ErrorType::HTTPStatus(421)));
        }
        HeaderRules::forget_case(session.req_header_mut());
        if ctx.arrival.is_none() {
            ctx.note(Outcome::Malformed, "bad_host");
            return Err(Error::new(ErrorType::HTTPStatus(400)));
        }
        Ok(())
    }

    async fn request_filter(&self, session: &mut Session, ctx: &mut Box<Ctx>) -> Result<bool> {
        // Lent to those who also write to the context, for as long as they do.
        let Some(arrival) = ctx.arrival.take() else {
            return Err(Error::new(ErrorType::HTTPStatus(400)));
        };
        if session.is_http2() && ctx.busy.is_none() {
            return self.turn_away(session, &arrival, ctx).await;
        }
        let answered = match arrival.force.decide(session.req_header(), &arrival, ctx).await {
            Turn::Forward => {
                ctx.passed = ConnControl::of(session).map(ConnControl::passed);
                uploads::begin();
                // On HTTP/2 also the short ones: others may share the connection, and a connection
                // is ended only where nobody else's request is on it.
                if session.is_http2() || is_long_upload(&session.req_header().headers) {
                    self.enter_stream(session, ctx);
                }
                Ok(false)
            }
            // Boxed, so that what goes to an app does not carry the room for all our pages.
            turn => Box::pin(self.answer(session, &arrival, turn, ctx)).await,
        };
        ctx.arrival = Some(arrival);
        answered
    }

    async fn upstream_peer(
        &self,
        session: &mut Session,
        ctx: &mut Box<Ctx>,
    ) -> Result<Box<HttpPeer>> {
        // No permit, no app: there is no other way to an upstream.
        let (Some(app), Some(permit)) = (ctx.app(), &ctx.permit) else {
            return Err(Error::new(ErrorType::HTTPStatus(403)));
        };
        let is_upgrade = is_websocket_upgrade(session.req_header());
        let picked = app.pick(permit, &ctx.tried, is_upgrade, self.0.clock_ms());
        let Some((choice, peer)) = picked else {
            let reason = if app.is_down() { "upstreams_down" } else { "no_upstream" };
            ctx.note(Outcome::Failed, reason);
            return Err(Error::new(ErrorType::HTTPStatus(502)));
        };
        ctx.tried.push(choice);
        ctx.trace.asks();
        ctx.wait = None;
        Ok(peer)
    }

    async fn connected_to_upstream(
        &self,
        _session: &mut Session,
        is_reused: bool,
        _peer: &HttpPeer,
        _fd: RawFd,
        digest: Option<&Digest>,
        ctx: &mut Box<Ctx>,
    ) -> Result<()> {
        if !is_reused {
            self.note_reached(ctx, Ok(()));
        }
        let fastened = digest.and_then(|digest| digest.proxy_digest.as_deref());
        if let Some(line) = fastened.and_then(Line::on) {
            ctx.wait = Some(self.0.waits.enter(line, self.0.clock_ms()));
        }
        Ok(())
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        request: &mut RequestHeader,
        ctx: &mut Box<Ctx>,
    ) -> Result<()> {
        // Sent from its beginning, also where it was sent in vain before.
        ctx.sent = 0;
        if request.version == Version::HTTP_2 {
            // The connection is not this request's alone.
            ctx.wait = None;
        } else if let Some(wait) = ctx.wait.as_ref().filter(|_| session.is_body_empty()) {
            wait.begin(Phase::Waiting, self.0.clock_ms());
        }
        let Some(arrival) = &ctx.arrival else {
            return Err(Error::new(ErrorType::HTTPStatus(400)));
        };
        let Some(app) = ctx.app() else { return Err(Error::new(ErrorType::HTTPStatus(403))) };
        let telling = app.telling(ctx.tried.last());
        let person = arrival.force.introduce(ctx.person.as_deref(), arrival)?;
        arrival.force.headers().rewrite(request, &person, arrival, &telling)?;
        tracing::tell(&ctx.trace, request)
    }

    async fn request_body_filter(
        &self,
        session: &mut Session,
        body: &mut Option<Bytes>,
        end: bool,
        ctx: &mut Box<Ctx>,
    ) -> Result<()> {
        if let Some(body) = body {
            self.pass(ctx)?;
            Self::measure(session, body, ctx)?;
        }
        if end {
            uploads::over();
        } else if body.as_ref().is_some_and(|body| !body.is_empty()) {
            uploads::moved();
        }
        // The engine writes an end that comes with nothing as an end twice, and the app would read
        // the second one as the beginning of the next request on this connection.
        if end && body.as_ref().is_some_and(Bytes::is_empty) {
            *body = None;
        }
        if let Some(wait) = ctx.wait.as_ref().filter(|_| end) {
            wait.sent(self.0.clock_ms());
        }
        Ok(())
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        response: &mut ResponseHeader,
        ctx: &mut Box<Ctx>,
    ) -> Result<()> {
        let switches = response.status == StatusCode::SWITCHING_PROTOCOLS;
        if switches && !is_websocket_upgrade(session.req_header()) {
            ctx.note(Outcome::Failed, "unasked_upgrade");
            return Err(Error::new(ErrorType::HTTPStatus(502)));
        }
        self.pass(ctx)?;
        if switches || !is_interim(response) {
            ctx.answering(response.status);
            if is_bodiless(&session.req_header().method, response) {
                ctx.answered();
            }
            if let Some(wait) = &ctx.wait {
                wait.begin(Phase::Streaming, self.0.clock_ms());
            }
        }
        HeaderRules::strip_response(response)?;
        if switches || !is_interim(response) && is_long(&response.headers) {
            self.enter_stream(session, ctx);
        }
        Ok(())
    }

    fn response_body_filter(
        &self,
        _session: &mut Session,
        body: &mut Option<Bytes>,
        end: bool,
        ctx: &mut Box<Ctx>,
    ) -> Result<Option<Duration>> {
        // An answer without a length ends with its connection, but not with one that was cut.
        if end && ctx.wait.as_ref().is_some_and(Wait::is_cut) {
            ctx.note(Outcome::Failed, "app_timeout");
            return Err(Error::new(ErrorType::ReadTimedout));
        }
        if end {
            ctx.answered();
        } else {
            uploads::moved();
        }
        if body.is_some() { self.pass(ctx).map(|()| None) } else { Ok(None) }
    }

    async fn response_trailer_filter(
        &self,
        _session: &mut Session,
        trailers: &mut HeaderMap,
        ctx: &mut Box<Ctx>,
    ) -> Result<Option<Bytes>> {
        ctx.answered();
        // A cookie has no place behind a body, least of all one of ours.
        trailers.remove(SET_COOKIE);
        Ok(None)
    }

    fn fail_to_connect(
        &self,
        _session: &mut Session,
        _peer: &HttpPeer,
        ctx: &mut Box<Ctx>,
        mut error: Box<Error>,
    ) -> Box<Error> {
        // Nothing was sent yet, so another upstream may be tried for any request.
        self.note_reached(ctx, Err(&error));
        if let Some(app) = ctx.app() {
            error.set_retry(app.has_another(&ctx.tried));
        }
        error
    }

    fn error_while_proxy(
        &self,
        _peer: &HttpPeer,
        session: &mut Session,
        mut error: Box<Error>,
        ctx: &mut Box<Ctx>,
        client_reused: bool,
    ) -> Box<Error> {
        let is_whole = !session.as_ref().retry_buffer_truncated();
        let is_late = *error.etype() == ErrorType::ReadTimedout;
        let is_late = is_late || ctx.wait.as_ref().is_some_and(Wait::is_cut);
        if is_whole && !is_late && session.req_header().method.is_idempotent() {
            error.retry.decide_reuse(client_reused);
        } else {
            error.set_retry(false);
        }
        if error.retry() {
            // The app had given up a connection that was kept; the app itself is as good as before.
            ctx.tried.pop();
        }
        error
    }

    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        error: &Error,
        ctx: &mut Box<Ctx>,
    ) -> FailToProxy {
        if matches!(
            (error.etype(), error.esource()),
            (ErrorType::WriteTimedout, ErrorSource::Downstream)
        ) && let Some(connection) = ConnControl::of(session)
        {
            // Whoever does not take what they ask for asks elsewhere for more.
            connection.give_way();
        }
        let status = match (error.etype(), error.esource()) {
            (ErrorType::HTTPStatus(status), _) => *status,
            (_, ErrorSource::Downstream) => 0,
            _ if ctx.wait.as_ref().is_some_and(Wait::is_cut) => 504,
            (
                ErrorType::ConnectTimedout | ErrorType::ReadTimedout | ErrorType::WriteTimedout,
                ErrorSource::Upstream,
            ) => 504,
            (_, ErrorSource::Upstream) => 502,
            _ => 500,
        };
        if ctx.reason.is_none() {
            let from_app = *error.esource() == ErrorSource::Upstream;
            let reason = if status == 0 {
                "client_left"
            } else if status == 504 {
                "app_timeout"
            } else if from_app {
                "app_unreachable"
            } else {
                "internal"
            };
            ctx.note(Outcome::Failed, reason);
        }
        session.set_keepalive(None);
        if let (Ok(status), None) = (StatusCode::from_u16(status), session.response_written()) {
            let known = ctx.arrival.as_ref().map(|arrival| Arc::clone(&arrival.force));
            let force = known.unwrap_or_else(|| self.0.in_force());
            let response = refuse(&force, session, status);
            // A client that is gone cannot be told.
            let _ = bridge::write(session, response).await;
        }
        FailToProxy { error_code: status, can_reuse_downstream: false }
    }

    fn suppress_error_log(&self, _session: &Session, _ctx: &Box<Ctx>, _error: &Error) -> bool {
        true
    }

    async fn logging(&self, session: &mut Session, _error: Option<&Error>, ctx: &mut Box<Ctx>) {
        ending::note(&self.0, session, ctx);
    }
}
