//! The wrapped connection: what the engine reads instead of the socket.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pingora::protocols::raw_connect::ProxyDigest;
use pingora::protocols::{ALPN, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::answer::Farewell;
use super::buffer::Buffer;
use super::control::{ConnControl, Slot};
use super::deadline::{Deadline, Wait};
use super::framing::{Framing, Phase};
use super::front::{GuardSettings, Refused};
use super::head::{Head, rewrite};
use super::response::ResponseWatch;
use crate::proxy::hygiene::Refusal;

/// How a connection ends.
#[derive(Debug)]
enum Fate {
    /// It lives.
    Live,
    /// The last words are being said; then reads end, with an error if a message was cut.
    Leaving(Farewell, Option<io::ErrorKind>),
}

/// One accepted connection behind the guard.
#[derive(Debug)]
pub(super) struct GuardedStream {
    pub(super) inner: Stream,
    framing: Framing,
    buffer: Buffer,
    /// Bytes at the front of the buffer that are a validated head.
    release: usize,
    /// A head that had lines taken out, and how much of it the engine has.
    rewritten: (Vec<u8>, usize),
    deadline: Deadline,
    watch: ResponseWatch,
    fate: Fate,
    settings: Arc<GuardSettings>,
    slot: Slot,
    pub(super) digest: Arc<ProxyDigest>,
    /// Sessions the engine has begun; counted where it asks for the digest.
    pub(super) begun: AtomicU32,
    /// Sessions the guard has answered with a head.
    seen: u32,
    fresh: bool,
}

impl GuardedStream {
    pub(super) fn new(
        inner: Stream,
        settings: Arc<GuardSettings>,
        slot: Slot,
        digest: Arc<ProxyDigest>,
    ) -> Self {
        let http2 = matches!(inner.selected_alpn_proto(), Some(ALPN::H2));
        Self {
            framing: Framing::new(settings.protected.clone(), settings.limits, http2),
            inner,
            buffer: Buffer::default(),
            release: 0,
            rewritten: (Vec::new(), 0),
            deadline: Deadline::new(),
            watch: ResponseWatch::new(),
            fate: Fate::Live,
            settings,
            slot,
            digest,
            begun: AtomicU32::new(0),
            seen: 0,
            fresh: true,
        }
    }

    fn control(&self) -> &ConnControl {
        &self.slot.control
    }

    /// Ends the connection because of what the client sent, or failed to send.
    fn refuse(&mut self, refusal: Refusal) {
        let answered = self.watch.may_answer();
        let socket = self.inner.get_socket_digest();
        let address = |of: Option<&pingora::protocols::l4::socket::SocketAddr>| {
            of.and_then(|a| a.as_inet().copied())
        };
        (self.settings.on_refusal)(Refused {
            refusal,
            peer: socket.as_ref().and_then(|s| address(s.peer_addr())),
            local: socket.as_ref().and_then(|s| address(s.local_addr())),
            tls: self.inner.get_ssl_digest().is_some(),
            answered,
        });
        let farewell = if answered {
            Farewell::refusing(refusal)
        } else {
            Farewell::silent()
        };
        let cut = self
            .framing
            .owes_body()
            .then_some(io::ErrorKind::ConnectionReset);
        self.leave(farewell, cut);
    }

    fn leave(&mut self, farewell: Farewell, error: Option<io::ErrorKind>) {
        self.buffer.clear();
        self.release = 0;
        self.deadline.clear();
        self.fate = Fate::Leaving(farewell, error);
    }

    /// Says the last words; afterwards every read ends the same way.
    fn poll_leave(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Fate::Leaving(farewell, error) = &mut self.fate {
            ready!(farewell.poll(&mut self.inner, &mut self.deadline, cx));
            if let Some(kind) = *error {
                return Poll::Ready(Err(kind.into()));
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Closes without a word: idle connections and those that never spoke.
    fn close_quietly(&mut self) -> Poll<io::Result<()>> {
        self.leave(Farewell::silent(), None);
        Poll::Ready(Ok(()))
    }

    /// Reads more into the buffer; how many bytes came, 0 at the end.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut room = ReadBuf::new(self.buffer.spare());
        ready!(Pin::new(&mut self.inner).poll_read(cx, &mut room))?;
        let n = room.filled().len();
        self.buffer.commit(n);
        Poll::Ready(Ok(n))
    }

    /// Leaves word where `kill` finds it; true when it has already been called.
    fn park(&self, cx: &Context<'_>) -> bool {
        self.control().register_reader(cx.waker());
        self.control().is_killed()
    }

    /// Waits for the client within the limits of a head; ready when the connection has ended.
    fn poll_wait_head(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let killed = self.park(cx);
        if self.buffer.is_empty() {
            let (wait, limit) = if self.fresh {
                (Wait::First, self.settings.head_timeout)
            } else {
                (Wait::Idle, self.settings.idle_timeout)
            };
            let expired = self.deadline.poll(cx, wait, limit).is_ready();
            if killed || expired || self.control().is_closing() {
                self.leave(Farewell::silent(), None);
                return Poll::Ready(());
            }
        } else if killed {
            self.leave(Farewell::silent(), Some(io::ErrorKind::ConnectionReset));
            return Poll::Ready(());
        } else if self
            .deadline
            .poll(cx, Wait::Head, self.settings.head_timeout)
            .is_ready()
        {
            self.refuse(Refusal::HeadTimeout);
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Collects a head, then hands it out.
    fn poll_head(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
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
        self.control().reset_body_timeout();
        if head.rewrite {
            let bytes = self
                .buffer
                .unread()
                .get(head.skip..head.end)
                .unwrap_or_default();
            self.rewritten = (rewrite(bytes, head.websocket), 0);
            self.buffer.consume(head.end);
        } else {
            self.buffer.consume(head.skip);
            self.release = head.end - head.skip;
        }
    }

    /// Hands out what is left of a validated head; false if nothing is.
    fn hand_out(&mut self, out: &mut ReadBuf<'_>) -> bool {
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
    fn poll_body(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
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
        self.deadline.clear();
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
                let limit = self
                    .control()
                    .body_timeout()
                    .unwrap_or(self.settings.body_timeout);
                ready!(self.deadline.poll(cx, Wait::Body, limit));
                self.refuse(Refusal::BodyTimeout);
                self.poll_leave(cx)
            }
            Phase::Http2(1..) => {
                ready!(
                    self.deadline
                        .poll(cx, Wait::First, self.settings.head_timeout)
                );
                self.close_quietly()
            }
            _ => Poll::Pending,
        }
    }

    /// Between a request and its answer: nothing is released, but a client that leaves is noticed.
    fn poll_held(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.park(cx) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if self.buffer.is_empty() && ready!(self.poll_fill(cx))? == 0 {
            return Poll::Ready(Ok(()));
        }
        // Bytes of a next request wait here; who begins the next session polls again by itself.
        Poll::Pending
    }

    /// Takes note of a session the engine has begun. False if it began in the middle of a message.
    fn notice_session(&mut self) -> bool {
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
    pub(super) fn poll_peek(
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

    /// Closes in a way that lets the client read what was written last.
    pub(super) async fn close(&mut self) {
        let wait = Duration::from_secs(2);
        if matches!(self.fate, Fate::Live) {
            // Bounded, since a client that reads nothing must not hold its place for ever.
            let _ = tokio::time::timeout(wait, self.inner.shutdown()).await;
            if !self.framing.owes_body() || self.control().is_killed() {
                return;
            }
            // Answered before the body was read: the rest must not turn into a reset.
            self.leave(Farewell::listening(), None);
        }
        let _ = std::future::poll_fn(|cx| self.poll_leave(cx)).await;
    }

    /// Whether nothing may be written any more.
    fn is_mute(&self) -> bool {
        !matches!(self.fate, Fate::Live) || self.control().is_killed()
    }
}

impl AsyncRead for GuardedStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if matches!(this.fate, Fate::Leaving(..)) {
            return this.poll_leave(cx);
        }
        if this.control().is_killed() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if out.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        if !this.notice_session() {
            this.leave(Farewell::silent(), Some(io::ErrorKind::InvalidData));
            return this.poll_leave(cx);
        }
        if this.hand_out(out) {
            return Poll::Ready(Ok(()));
        }
        match this.framing.phase() {
            Phase::Head(_) => this.poll_head(cx, out),
            Phase::Held { .. } => this.poll_held(cx),
            _ => this.poll_body(cx, out),
        }
    }
}

impl AsyncWrite for GuardedStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.is_mute() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let Poll::Ready(written) = Pin::new(&mut this.inner).poll_write(cx, buf)? else {
            this.control().register_writer(cx.waker());
            if this.control().is_killed() {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            return Poll::Pending;
        };
        if !this.watch.is_final()
            && !matches!(this.framing.phase(), Phase::Http2(_))
            && this.watch.written(buf.get(..written).unwrap_or_default())
        {
            if !this.framing.switch() {
                // A 101 nobody asked for: the app would go on in a protocol nobody checks.
                this.leave(Farewell::silent(), Some(io::ErrorKind::ConnectionReset));
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            this.control().wake_reader();
        }
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let http2 = matches!(self.framing.phase(), Phase::Http2(_));
        if (http2 || self.watch.is_final()) && !self.is_mute() {
            let this = self.get_mut();
            this.control().register_writer(cx.waker());
            return Pin::new(&mut this.inner).poll_write_vectored(cx, bufs);
        }
        let first = bufs.iter().find(|b| !b.is_empty()).map_or(&[][..], |b| b);
        self.poll_write(cx, first)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.is_mute() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let flushed = Pin::new(&mut this.inner).poll_flush(cx);
        if flushed.is_pending() {
            this.control().register_writer(cx.waker());
            if this.control().is_killed() {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
        }
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}
