//! The state machine over the bytes a client sends, without any input or output.

use std::sync::Arc;

use super::chunked::Chunked;
use super::head::{Head, HeadScan};
use crate::proxy::hygiene::{BodyFraming, HeadLimits, ProtectedNames, Refusal};

/// Bytes an HTTP/2 client must send to count as speaking: preface and one frame header.
pub(super) const HTTP2_OPENING: usize = 24 + 9;

/// What the next byte from the client is.
#[derive(Debug)]
pub(super) enum Phase {
    /// Nothing the engine may see: its answer is not complete, or not begun.
    Held {
        /// The answer may turn the connection into a WebSocket.
        websocket: bool,
    },
    /// Part of a head.
    Head(HeadScan),
    /// Part of a body with so many bytes left.
    Length(u64),
    /// Part of a chunked body.
    Chunked(Chunked),
    /// A WebSocket's.
    Opaque,
    /// HTTP/2's, with so many bytes of the opening outstanding.
    Http2(usize),
}

/// One connection's framing.
#[derive(Debug)]
pub(super) struct Framing {
    phase: Phase,
    protected: Arc<ProtectedNames>,
    limits: HeadLimits,
}

impl Framing {
    pub(super) fn new(protected: Arc<ProtectedNames>, limits: HeadLimits, http2: bool) -> Self {
        let phase =
            if http2 { Phase::Http2(HTTP2_OPENING) } else { Phase::Held { websocket: false } };
        Self { phase, protected, limits }
    }

    pub(super) const fn phase(&self) -> &Phase {
        &self.phase
    }

    /// A session begins: the next request may be read. False if the last one is not at its end.
    #[must_use]
    pub(super) fn begin(&mut self) -> bool {
        if matches!(self.phase, Phase::Held { .. }) {
            self.phase = Phase::Head(HeadScan::default());
            return true;
        }
        false
    }

    /// The engine was told that this connection opens with the HTTP/2 preface.
    pub(super) fn speak_http2(&mut self) {
        self.phase = Phase::Http2(HTTP2_OPENING);
    }

    /// A `101` was written. False if no handshake asked for one.
    #[must_use]
    pub(super) fn switch(&mut self) -> bool {
        if matches!(self.phase, Phase::Held { websocket: true }) {
            self.phase = Phase::Opaque;
            return true;
        }
        false
    }

    /// Looks for a complete head at the start of `unread`.
    pub(super) fn head(&mut self, unread: &[u8]) -> Result<Option<Head>, Refusal> {
        let Phase::Head(scan) = &mut self.phase else {
            return Ok(None);
        };
        let Some(head) = scan.advance(unread, &self.protected, &self.limits)? else {
            return Ok(None);
        };
        self.phase = match head.body {
            BodyFraming::None => Phase::Held { websocket: head.websocket },
            BodyFraming::Length(length) => Phase::Length(length),
            BodyFraming::Chunked => Phase::Chunked(Chunked::new()),
        };
        Ok(Some(head))
    }

    /// How many of the bytes belong to the current message; they may be released.
    pub(super) fn body(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        let (taken, done) = match &mut self.phase {
            Phase::Length(left) => {
                let here = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= here as u64;
                (here, *left == 0)
            }
            Phase::Chunked(chunked) => (chunked.take(bytes)?, chunked.is_done()),
            Phase::Http2(opening) => {
                *opening = opening.saturating_sub(bytes.len());
                (bytes.len(), false)
            }
            Phase::Opaque => (bytes.len(), false),
            Phase::Held { .. } | Phase::Head(_) => (0, false),
        };
        if done {
            self.phase = Phase::Held { websocket: false };
        }
        Ok(taken)
    }

    /// Whether the client still owes part of a body.
    pub(super) const fn owes_body(&self) -> bool {
        matches!(self.phase, Phase::Length(_) | Phase::Chunked(_))
    }
}
