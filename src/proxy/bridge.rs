//! From the engine's session to a plain request of our own pages, and back.

use super::gateway::Arrival;
use crate::http::{Request, Response};
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, EXPECT};
use http::{HeaderMap, StatusCode};
use pingora::http::ResponseHeader;
use pingora::proxy::Session;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long the body of a request for our own pages may take.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// While it stands still.
    pub(super) still: Duration,
    /// In all: a byte now and then must not hold a connection for days.
    in_all: Duration,
}

/// As a rule.
pub(super) const USUAL: Patience =
    Patience { still: Duration::from_secs(10), in_all: Duration::from_secs(30) };

/// Where many need the place of whoever is slow.
pub(super) const CROWDED: Patience =
    Patience { still: Duration::from_secs(2), in_all: Duration::from_secs(5) };

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFault {
    /// It is longer than our pages take.
    TooLarge,
    /// It stood still for too long, or took too long in all.
    TooSlow,
    /// The connection ended, or its framing broke.
    Broken,
}

impl BodyFault {
    /// The status it is answered with.
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }

    /// Its stable name.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::TooLarge => "body_too_large",
            Self::TooSlow => "body_timeout",
            Self::Broken => "body_broken",
        }
    }
}

/// Reads the whole request.
pub(super) async fn read(
    session: &mut Session,
    arrival: &Arrival,
    body_max: usize,
    patience: Patience,
) -> Result<Request, BodyFault> {
    let body = read_body(session, body_max, patience).await?;
    Ok(Request { body, ..without_body(session, arrival) })
}

/// The request by its head alone, whatever follows it. Its target and host have been judged before.
pub(super) fn without_body(session: &Session, arrival: &Arrival) -> Request {
    let head = session.req_header();
    let (path, query) = split_target(head.raw_path());
    Request {
        method: head.method.clone(),
        authority: arrival.authority.to_str().unwrap_or_default().to_owned(),
        host: arrival.host.clone(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: head.headers.clone(),
        body: Bytes::new(),
        peer_is_trusted: arrival.way.is_trusted,
        cx: arrival.cx,
    }
}

/// Path and query of a target. Hygiene let printable ASCII through and nothing else.
pub(super) fn split_target(target: &[u8]) -> (&str, &str) {
    let target = std::str::from_utf8(target).unwrap_or("/");
    let end = memchr::memchr(b'?', target.as_bytes());
    end.and_then(|end| Some((target.get(..end)?, target.get(end + 1..)?))).unwrap_or((target, ""))
}

async fn read_body(
    session: &mut Session,
    most: usize,
    patience: Patience,
) -> Result<Bytes, BodyFault> {
    if session.as_downstream_mut().is_body_empty() {
        return Ok(Bytes::new());
    }
    let declared = declared_length(&session.req_header().headers);
    if declared.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > most)) {
        return Err(BodyFault::TooLarge);
    }
    if session.req_header().headers.contains_key(EXPECT) {
        session.write_continue_response().await.map_err(|_| BodyFault::Broken)?;
    }
    let mut body = BytesMut::new();
    let latest = Instant::now() + patience.in_all;
    loop {
        let until = latest.min(Instant::now() + patience.still);
        let chunk = timeout_at(until, session.read_request_body()).await;
        match chunk.map_err(|_| BodyFault::TooSlow)?.map_err(|_| BodyFault::Broken)? {
            None => return Ok(body.freeze()),
            Some(chunk) if body.len() + chunk.len() > most => return Err(BodyFault::TooLarge),
            Some(chunk) => body.extend_from_slice(&chunk),
        }
    }
}

/// How long a message says that its body is.
pub(super) fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Writes a whole answer. A connection whose request body was not read to its end is not used again.
pub(super) async fn write(session: &mut Session, response: Response) -> pingora::Result<()> {
    let is_head = session.req_header().method == http::Method::HEAD;
    let mut head = ResponseHeader::build(response.status, Some(response.headers.len() + 1))?;
    for (name, value) in &response.headers {
        head.append_header(name, value)?;
    }
    head.insert_header(CONTENT_LENGTH, response.body.len())?;
    if !session.as_downstream_mut().is_body_done() {
        session.set_keepalive(None);
    }
    let is_bodiless = is_head || response.body.is_empty();
    session.write_response_header(Box::new(head), is_bodiless).await?;
    if !is_bodiless {
        session.write_response_body(Some(response.body), true).await?;
    }
    Ok(())
}
