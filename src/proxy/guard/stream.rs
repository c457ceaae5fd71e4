//! The wrapped connection: what the engine reads instead of the socket.

mod reading;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pingora::protocols::raw_connect::ProxyDigest;
use pingora::protocols::{ALPN, Stream};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufWriter, ReadBuf};

use super::answer::Farewell;
use super::buffer::Buffer;
use super::connections::Slot;
use super::control::ConnControl;
use super::deadline::{Deadline, Wait};
use super::framing::{Framing, Phase};
use super::front::{GuardSettings, Refused, peer_of};
use super::response::ResponseWatch;
use crate::proxy::hygiene::Refusal;

/// What is written at once where the engine does not ask for less: a segment of the network.
const WRITE_BUFFER: usize = 1460;

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
    /// The socket. The engine writes head and body one after the other and asks for a flush where
    /// it matters, so that a short answer is one system call and one segment.
    pub(super) inner: BufWriter<Stream>,
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
    /// Over HTTP/2, whether the client has not taken yet what there is for it.
    owed: bool,
}

impl GuardedStream {
    pub(super) fn new(
        inner: Stream,
        settings: Arc<GuardSettings>,
        slot: Slot,
        digest: Arc<ProxyDigest>,
    ) -> Self {
        let http2 = matches!(inner.selected_alpn_proto(), Some(ALPN::H2));
        if http2 {
            slot.control.note_shared();
        }
        Self {
            framing: Framing::new(slot.control.protected().clone(), settings.limits, http2),
            inner: BufWriter::with_capacity(WRITE_BUFFER, inner),
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
            owed: false,
        }
    }

    /// The handle on this connection, for whoever drives it.
    pub(super) fn control_handle(&self) -> Arc<ConnControl> {
        self.slot.control.clone()
    }

    fn control(&self) -> &ConnControl {
        &self.slot.control
    }

    /// Ends the connection because of what the client sent, or failed to send.
    fn refuse(&mut self, refusal: Refusal) {
        let answered = self.watch.may_answer();
        let peer = peer_of(self.inner.get_ref());
        (self.settings.on_refusal)(Refused { refusal, peer });
        let farewell = if answered { Farewell::refusing(refusal) } else { Farewell::silent() };
        let cut = self.framing.owes_body().then_some(io::ErrorKind::ConnectionReset);
        self.leave(farewell, cut);
    }

    fn leave(&mut self, farewell: Farewell, error: Option<io::ErrorKind>) {
        self.control().note_left();
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
        self.leave(self.last_word(), None);
        Poll::Ready(Ok(()))
    }

    /// None; but behind TLS, an end that is not announced could be somebody else's doing.
    fn last_word(&self) -> Farewell {
        let is_tls = self.inner.get_ref().get_ssl_digest().is_some();
        if is_tls && !self.control().is_killed() { Farewell::closing() } else { Farewell::silent() }
    }

    /// Closes in a way that lets the client read what was written last.
    pub(super) async fn close(&mut self) {
        if self.control().is_killed() {
            // Ended by order: what the client has not taken yet, it does not get.
            return;
        }
        let wait = Duration::from_secs(2);
        if matches!(self.fate, Fate::Live) {
            // Bounded, since a client that reads nothing must not hold its place for ever.
            let _ = tokio::time::timeout(wait, self.inner.shutdown()).await;
            if !self.framing.owes_body() {
                return;
            }
            // Answered before the body was read: the rest must not turn into a reset.
            self.leave(Farewell::listening(), None);
        }
        let _ = std::future::poll_fn(|cx| self.poll_leave(cx)).await;
    }

    /// The client takes nothing just now; `kill` finds the writer here. Over HTTP/2 an answer may be
    /// on its way long after its request has ended: then the guard alone has a limit for it.
    fn poll_wait_write<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        self.control().register_writer(cx.waker());
        if !self.control().is_killed() {
            self.owed = matches!(self.framing.phase(), Phase::Http2(_));
            if !self.owed || self.control().is_busy() {
                return Poll::Pending;
            }
            let limit = self.until_taken();
            ready!(self.deadline.poll(cx, Wait::Taken, limit));
        }
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    /// How long the client may take nothing of what it is owed: where others need its place, taking
    /// a little now and then does not keep it for ever.
    pub(super) fn until_taken(&self) -> Duration {
        let GuardSettings { head_timeout, parting, .. } = *self.settings;
        let since = self.control().gives_way_since();
        since
            .map_or(head_timeout, |since| head_timeout.min(parting.saturating_sub(since.elapsed())))
    }

    /// The client has taken something. What it is waited for is looked at anew.
    fn note_taken(&mut self) {
        if std::mem::take(&mut self.owed) {
            self.deadline.clear();
            self.control().wake_reader();
        }
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
            return this.poll_wait_write(cx);
        };
        this.note_taken();
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
        let this = self.get_mut();
        let http2 = matches!(this.framing.phase(), Phase::Http2(_));
        if (http2 || this.watch.is_final()) && !this.is_mute() {
            let written = Pin::new(&mut this.inner).poll_write_vectored(cx, bufs);
            if written.is_pending() {
                return this.poll_wait_write(cx);
            }
            this.note_taken();
            return written;
        }
        let first = bufs.iter().find(|b| !b.is_empty()).map_or(&[][..], |b| b);
        Pin::new(this).poll_write(cx, first)
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
            return this.poll_wait_write(cx);
        }
        this.note_taken();
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}
