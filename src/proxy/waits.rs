//! How long an app may let its clients wait.
//!
//! The engine knows one time for every read, and a long poll needs another than a stream. So a
//! connection to an app that has limits keeps a second handle to its socket, the hooks say what is
//! waited for, and a background task shuts down the sockets that are overdue. The engine sees the
//! end of the connection, and the hooks know why. Apps without limits have none of this.
//!
//! On HTTP/2, many requests share a connection: there the engine's own time holds, see `upstream`.

use super::route::Patience;
use pingora::http::ResponseHeader;
use pingora::protocols::GetProxyDigest as _;
use pingora::protocols::l4::stream::Stream;
use pingora::protocols::raw_connect::ProxyDigest;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// The rest of the request.
    Sending = 0,
    /// The head of the answer.
    Waiting = 1,
    /// The rest of the answer, or of what goes on in both directions.
    Streaming = 2,
}

/// A connection to an app that has limits.
pub(super) struct Line {
    patience: Patience,
    /// The same socket the engine has.
    socket: std::net::TcpStream,
    phase: AtomicU8,
    /// Since when, in the proxy's own milliseconds.
    since: AtomicU64,
    is_cut: AtomicBool,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}

impl Line {
    /// Takes a second handle to a new socket, of whatever family: shutting down is the same for all.
    pub(super) fn of(socket: impl AsFd, patience: Patience) -> io::Result<Arc<Self>> {
        let socket: OwnedFd = socket.as_fd().try_clone_to_owned()?;
        Ok(Arc::new(Self {
            patience,
            socket: socket.into(),
            phase: AtomicU8::new(Phase::Sending as u8),
            since: AtomicU64::new(u64::MAX),
            is_cut: AtomicBool::new(false),
        }))
    }

    /// Fastens it to the engine's connection, where [`Line::on`] finds it.
    pub(super) fn fasten(self: Arc<Self>, stream: &mut Stream) -> pingora::Result<()> {
        let response = Box::new(ResponseHeader::build(200, None)?);
        stream.set_proxy_digest(ProxyDigest::new(response, Some(Box::new(self))));
        Ok(())
    }

    /// The one fastened to a connection.
    pub(super) fn on(digest: &ProxyDigest) -> Option<&Arc<Self>> {
        digest.user_data.as_ref()?.downcast_ref()
    }

    fn is_overdue(&self, now_ms: u64) -> bool {
        let is_waiting = self.phase.load(Ordering::Relaxed) == Phase::Waiting as u8;
        let Patience { first_byte, idle, .. } = self.patience;
        let Some(limit) = (if is_waiting { first_byte } else { idle }) else { return false };
        let waited = now_ms.saturating_sub(self.since.load(Ordering::Relaxed));
        Duration::from_millis(waited) >= limit
    }

    fn cut(&self) {
        self.is_cut.store(true, Ordering::Relaxed);
        // It may have ended by itself meanwhile.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

/// All requests that wait for an app with limits.
#[derive(Default)]
pub(super) struct Waits {
    next: AtomicU64,
    open: Mutex<HashMap<u64, Arc<Line>>>,
}

/// A request's entry; leaving it behind takes it out.
pub(super) struct Wait {
    waits: Arc<Waits>,
    number: u64,
    line: Arc<Line>,
}

impl Waits {
    /// Enters a request whose head is about to be sent.
    pub(super) fn enter(self: &Arc<Self>, line: &Arc<Line>, now_ms: u64) -> Wait {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let wait = Wait { waits: Arc::clone(self), number, line: Arc::clone(line) };
        wait.begin(Phase::Sending, now_ms);
        self.lock().insert(number, Arc::clone(line));
        wait
    }

    /// Cuts the connections that are overdue.
    pub(super) fn cut_overdue(&self, now_ms: u64) {
        // Under the lock, so that no connection is cut that serves somebody else by now.
        let open = self.lock();
        open.values().filter(|line| line.is_overdue(now_ms)).for_each(|line| line.cut());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<Line>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wait {
    /// Says what is waited for from now on.
    pub(super) fn begin(&self, phase: Phase, now_ms: u64) {
        self.touch(now_ms);
        self.line.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Says that the request is sent, unless it has been answered before that.
    pub(super) fn sent(&self, now_ms: u64) {
        if self.line.phase.load(Ordering::Relaxed) == Phase::Sending as u8 {
            self.begin(Phase::Waiting, now_ms);
        }
    }

    /// Says that something passed.
    pub(super) fn touch(&self, now_ms: u64) {
        self.line.since.store(now_ms, Ordering::Relaxed);
    }

    /// Whether the connection was cut for being overdue.
    pub(super) fn is_cut(&self) -> bool {
        self.line.is_cut.load(Ordering::Relaxed)
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.waits.lock().remove(&self.number);
    }
}
