//! The reading side: what is handed to the engine, and what waiting for it may cost.

use std::io;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::super::answer::Farewell;
use super::super::deadline::Wait;
use super::super::framing::Phase;
use super::super::head::{Head, rewrite};
use super::GuardedStream;
use crate::proxy::hygiene::Refusal;

/// How long an HTTP/2 client on whose connection nothing is under way may be silent in a drain.
const GOODBYE: Duration = Duration::from_secs(3);

/// How long somebody who has just come may take to say something, where nobody is to stay: what
/// they were about to say may be on its way.
const NEWCOMER: Duration = Duration::from_millis(250);

impl GuardedStream {
    /// Reads more into the buffer; how many bytes came, 0 at the end.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut room = ReadBuf::new(self.buffer.spare());
        ready!(Pin::new(&mut self.inner).poll_read(cx, &mut room))?;
        let n = room.filled().len();
        self.buffer.commit(n);
        Poll::Ready(Ok(n))
    }

    /// To be called before waiting for the client: sends off what was written, so that an answer
    /// which comes in pieces is not held back, and leaves word where `kill` finds it. True when it
    /// has already been called.
    fn park(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.inner.buffer().is_empty() {
            // Whether it failed is told to whoever writes next.
            let _ = Pin::new(&mut self.inner).poll_flush(cx);
        }
        self.control().register_reader(cx.waker());
        self.control().is_killed()
    }

    /// Waits for the client within the limits of a head; ready when the connection has ended.
    fn poll_wait_head(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let killed = self.park(cx);
        self.control().note_asked(false);
        // An empty line is what some clients send after a body, not the start of a request.
        if matches!(self.buffer.unread(), b"" | b"\r" | b"\r\n") {
            let closing = self.control().is_closing() || self.control().gives_way();
            let (wait, limit) = if self.fresh && closing {
                (Wait::Last, NEWCOMER)
            } else if self.fresh {
                (Wait::First, self.settings.head_timeout)
            } else {
                (Wait::Idle, self.settings.idle_timeout)
            };
            let expired = self.deadline.poll(cx, wait, limit).is_ready();
            if killed || expired || closing && !self.fresh {
                self.leave(self.last_word(), None);
                return Poll::Ready(());
            }
        } else if killed {
            self.leave(Farewell::silent(), Some(io::ErrorKind::ConnectionReset));
            return Poll::Ready(());
        } else if self.control().gives_way() {
            ready!(self.deadline.poll(cx, Wait::Last, NEWCOMER));
            self.leave(self.last_word(), None);
            return Poll::Ready(());
        } else if self.deadline.poll(cx, Wait::Head, self.settings.head_timeout).is_ready() {
            self.refuse(Refusal::HeadTimeout);
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Collects a head, then hands it out.
    pub(super) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            match self.framing.head(self.buffer.unread()) {
                Ok(Some(head)) => {
                    self.accept(&head);
                    self.hand_out(out);
                    return Poll::Ready(Ok(()));
                }
                Ok(None) => {}
                Err(refusal) => {
                    self.refuse(refusal);
                    return self.poll_leave(cx);
                }
            }
            match self.poll_fill(cx) {
                Poll::Ready(Ok(0)) => return self.close_quietly(),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    ready!(self.poll_wait_head(cx));
                    return self.poll_leave(cx);
                }
            }
        }
    }

    fn accept(&mut self, head: &Head) {
        self.fresh = false;
        self.deadline.clear();
        self.control().note_asked(true);
        self.control().reset_body_timeout();
        if head.rewrite {
            let bytes = self.buffer.unread().get(head.skip..head.end).unwrap_or_default();
            self.rewritten = (rewrite(bytes, head.websocket), 0);
            self.buffer.consume(head.end);
        } else {
            self.buffer.consume(head.skip);
            self.release = head.end - head.skip;
        }
    }

    /// Hands out what is left of a validated head; false if nothing is.
    pub(super) fn hand_out(&mut self, out: &mut ReadBuf<'_>) -> bool {
        if self.release > 0 {
            let n = self.release.min(out.remaining());
            out.put_slice(self.buffer.unread().get(..n).unwrap_or_default());
            self.buffer.consume(n);
            self.release -= n;
            return true;
        }
        let (head, at) = &mut self.rewritten;
        let Some(rest) = head.get(*at..).filter(|rest| !rest.is_empty()) else {
            return false;
        };
        let n = rest.len().min(out.remaining());
        out.put_slice(rest.get(..n).unwrap_or_default());
        *at += n;
        if *at == head.len() {
            self.rewritten = (Vec::new(), 0);
        }
        true
    }

    /// Hands out bytes of a body, of a WebSocket or of HTTP/2.
    pub(super) fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.buffer.is_empty() {
            let unread = self.buffer.unread();
            let offered = unread.get(..out.remaining()).unwrap_or(unread);
            return match self.framing.body(offered) {
                Ok(n) => {
                    out.put_slice(offered.get(..n).unwrap_or_default());
                    self.buffer.consume(n);
                    Poll::Ready(Ok(()))
                }
                Err(refusal) => {
                    self.refuse(refusal);
                    self.poll_leave(cx)
                }
            };
        }
        let before = out.filled().len();
        if Pin::new(&mut self.inner).poll_read(cx, out)?.is_pending() {
            return self.poll_wait_body(cx);
        }
        // Over HTTP/2, whoever says something may still ask for nothing.
        if !matches!(self.framing.phase(), Phase::Http2(_)) {
            self.deadline.clear();
        }
        let fresh = out.filled().get(before..).unwrap_or_default();
        match self.framing.body(fresh) {
            Ok(n) => {
                // The engine's own buffer was filled; what lies beyond the message comes back here.
                self.buffer.push(fresh.get(n..).unwrap_or_default());
                out.set_filled(before + n);
                Poll::Ready(Ok(()))
            }
            Err(refusal) => {
                out.set_filled(before);
                self.refuse(refusal);
                self.poll_leave(cx)
            }
        }
    }

    fn poll_wait_body(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.park(cx) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        match self.framing.phase() {
            Phase::Length(_) | Phase::Chunked(_) => {
                let limit = self.control().body_timeout().unwrap_or(self.settings.body_timeout);
                ready!(self.deadline.poll(cx, Wait::Body, limit));
                self.refuse(Refusal::BodyTimeout);
                self.poll_leave(cx)
            }
            Phase::Http2(_) => {
                let Some((wait, limit)) = self.http2_wait() else {
                    self.deadline.clear();
                    return Poll::Pending;
                };
                ready!(self.deadline.poll(cx, wait, limit));
                self.close_quietly()
            }
            _ => Poll::Pending,
        }
    }

    /// What an HTTP/2 client is waited for, and how long; nothing while requests are under way, and
    /// between them the engine waits.
    fn http2_wait(&self) -> Option<(Wait, Duration)> {
        let control = self.control();
        if control.is_busy() {
            None
        } else if self.owed {
            Some((Wait::Taken, self.until_taken()))
        } else if control.gives_way() {
            Some((Wait::Last, NEWCOMER))
        } else if control.is_closing() && matches!(self.framing.phase(), Phase::Http2(0)) {
            // The engine has said goodbye, and would wait for as long as the client likes to hear it
            // back.
            Some((Wait::Goodbye, GOODBYE))
        } else {
            (!control.has_asked()).then_some((Wait::First, self.settings.head_timeout))
        }
    }

    /// Between a request and its answer: nothing is released, but a client that leaves is noticed.
    pub(super) fn poll_held(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.park(cx) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        // Bytes of a next request wait here; who begins the next session polls again by itself. More
        // is read than is needed, since only reading tells that the client has left.
        while self.buffer.unread().len() < self.settings.limits.head {
            if ready!(self.poll_fill(cx))? == 0 {
                return Poll::Ready(Ok(()));
            }
        }
        Poll::Pending
    }

    /// Takes note of a session the engine has begun. False if it began in the middle of a message.
    pub(super) fn notice_session(&mut self) -> bool {
        let begun = self.begun.load(Ordering::Relaxed);
        if begun == self.seen || matches!(self.framing.phase(), Phase::Opaque | Phase::Http2(_)) {
            return true;
        }
        self.watch.reset();
        let one_more = begun == self.seen.wrapping_add(1);
        self.seen = begun;
        self.release == 0 && self.rewritten.0.is_empty() && one_more && self.framing.begin()
    }

    /// Whether the first bytes are the HTTP/2 preface; ready as soon as that is certain.
    pub(in crate::proxy::guard) fn poll_peek(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<bool>> {
        const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        loop {
            let unread = self.buffer.unread();
            let known = unread.len().min(PREFACE.len());
            if unread.get(..known) != PREFACE.get(..known) || known == PREFACE.len() {
                let n = unread.len().min(buf.len());
                buf.fill(0);
                if let (Some(to), Some(from)) = (buf.get_mut(..n), unread.get(..n)) {
                    to.copy_from_slice(from);
                }
                if unread.starts_with(PREFACE) {
                    self.framing.speak_http2();
                    self.control().note_shared();
                    self.deadline.clear();
                }
                return Poll::Ready(Ok(true));
            }
            match self.poll_fill(cx) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    ready!(self.poll_wait_head(cx));
                    ready!(self.poll_leave(cx))?;
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
        }
    }
}
