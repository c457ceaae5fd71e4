//! The handle by which hooks and operators reach a connection that is being served.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Poll, Waker};
use std::time::Duration;

use super::connections::{Connections, Further};
use crate::proxy::hygiene::ProtectedNames;
use crate::types::ClientAddr;
use tokio::sync::watch;
use tokio::time::Instant;

/// Locks, also after a panic elsewhere: what lies inside is never half written.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One connection, seen from outside its task.
#[derive(Default)]
pub(crate) struct ConnControl {
    /// Names only the gateway may use, as they are judged on this connection.
    protected: Arc<ProtectedNames>,
    /// Behind TLS, the name the client asked for, if it asked for any.
    server_name: OnceLock<Option<Box<str>>>,
    killed: AtomicBool,
    closing: AtomicBool,
    /// Since when others need its place.
    gives_way: OnceLock<Instant>,
    /// Whether the engine is to tell the client that it leaves.
    leaves: watch::Sender<bool>,
    /// Whether a request has come whole that is not answered yet; over HTTP/2, whether any ever has.
    asked: AtomicBool,
    body_timeout_ms: AtomicU64,
    /// Requests under way, where there can be several.
    busy: AtomicUsize,
    /// Those of them that only wait for their app.
    passed: AtomicUsize,
    /// Whether requests come over HTTP/2.
    shared: AtomicBool,
    /// Whether nothing that comes is taken any more.
    left: AtomicBool,
    /// Where it has its place.
    house: Weak<Connections>,
    /// Whom that counts for; nobody where the peer speaks for many.
    client: Option<ClientAddr>,
    reader: Mutex<Option<Waker>>,
    writer: Mutex<Option<Waker>>,
    task: Mutex<Option<Waker>>,
}

impl ConnControl {
    /// One for a connection of this client's on which these names are the gateway's.
    pub(super) fn new(
        house: &Arc<Connections>,
        client: Option<ClientAddr>,
        protected: Arc<ProtectedNames>,
    ) -> Arc<Self> {
        Arc::new(Self { house: Arc::downgrade(house), client, protected, ..Self::default() })
    }

    /// Whom its place counts for; nobody where the peer speaks for many.
    pub(super) const fn client(&self) -> Option<ClientAddr> {
        self.client
    }

    /// The control of the connection a session runs on, HTTP/1 or HTTP/2.
    pub(crate) fn of(session: &pingora::proxy::Session) -> Option<&Arc<Self>> {
        let digest = session.digest()?.proxy_digest.as_ref()?;
        digest.user_data.as_ref()?.downcast_ref::<Arc<Self>>()
    }

    /// Names only the gateway may use, as they were when the connection began: what it says in
    /// HTTP/1 was judged by them.
    pub(crate) const fn protected(&self) -> &Arc<ProtectedNames> {
        &self.protected
    }

    /// Behind TLS, the name the client asked for, if it asked for any.
    pub(crate) fn server_name(&self) -> Option<Option<&str>> {
        self.server_name.get().map(Option::as_deref)
    }

    pub(super) fn set_server_name(&self, name: Option<Box<str>>) {
        // Hands are shaken once.
        let _ = self.server_name.set(name);
    }

    /// Ends the connection at once, also when both sides are idle.
    ///
    /// On HTTP/2 that ends every stream of the connection: they share one person's browser.
    pub(crate) fn kill(&self) {
        self.killed.store(true, Ordering::SeqCst);
        self.wake();
        if let Some(waker) = lock(&self.task).take() {
            waker.wake();
        }
    }

    /// Drives a connection to its end; none where [`Self::kill`] was called before.
    ///
    /// Asked at every step of every request, so that it costs no more than a look: the task is
    /// noted once, and again only where another one goes on with it.
    pub(super) async fn drive<T>(&self, mut serving: impl Future<Output = T> + Unpin) -> Option<T> {
        let mut noted: Option<Waker> = None;
        poll_fn(|cx| {
            if !noted.as_ref().is_some_and(|noted| noted.will_wake(cx.waker())) {
                register(&self.task, cx.waker());
                noted = Some(cx.waker().clone());
            }
            match Pin::new(&mut serving).poll(cx) {
                Poll::Ready(done) => Poll::Ready(Some(done)),
                Poll::Pending if self.is_killed() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    /// Ends the connection at the next border between requests.
    pub(crate) fn close_when_idle(&self) {
        self.closing.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Ends the connection for the sake of others: at once where nothing has come that is to be
    /// answered, else at the next border between requests.
    pub(crate) fn give_way(&self) {
        self.gives_way.get_or_init(Instant::now);
        self.leave(true);
        self.wake_reader();
    }

    /// Has the client told that the connection ends, or not any more: with the next answer, and over
    /// HTTP/2 at once. Who is not told sends what comes next into a closed door.
    pub(super) fn leave(&self, leaves: bool) {
        self.leaves.send_modify(|told| *told = leaves || self.gives_way());
    }

    /// Whether the client is to be told.
    pub(super) fn leaving(&self) -> watch::Receiver<bool> {
        self.leaves.subscribe()
    }

    /// Ready when it is to give way.
    pub(super) async fn giving_way(&self) {
        poll_fn(|cx| {
            self.register_reader(cx.waker());
            if self.gives_way() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    pub(super) fn gives_way(&self) -> bool {
        self.gives_way_since().is_some()
    }

    pub(super) fn gives_way_since(&self) -> Option<Instant> {
        self.gives_way.get().copied()
    }

    /// Whether nothing has come that is to be answered: no more than the beginning of a request.
    pub(super) fn is_at_rest(&self) -> bool {
        if self.shared.load(Ordering::SeqCst) { !self.is_busy() } else { !self.has_asked() }
    }

    /// Notes that a request has come whole, or over HTTP/1 that the next one is awaited.
    pub(super) fn note_asked(&self, asked: bool) {
        self.asked.store(asked, Ordering::Relaxed);
    }

    pub(super) fn has_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// How long the body of the current request may stand still. The next request starts afresh.
    pub(crate) fn set_body_timeout(&self, limit: Duration) {
        let ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX).max(1);
        self.body_timeout_ms.store(ms, Ordering::Relaxed);
    }

    pub(super) fn reset_body_timeout(&self) {
        self.body_timeout_ms.store(0, Ordering::Relaxed);
    }

    pub(super) fn body_timeout(&self) -> Option<Duration> {
        match self.body_timeout_ms.load(Ordering::Relaxed) {
            0 => None,
            ms => Some(Duration::from_millis(ms)),
        }
    }

    /// A request over HTTP/2 begins; it ends where what comes back is dropped. None where there is
    /// no place for it beside the others on its connection.
    pub(crate) fn busy(self: &Arc<Self>) -> Option<Busy> {
        if !self.has_asked() {
            self.note_asked(true);
        }
        let is_alone = self.busy.fetch_add(1, Ordering::SeqCst) == 0;
        let mut busy = Busy { control: Arc::clone(self), place: None };
        if !is_alone {
            busy.place = Some(self.house.upgrade()?.admit_further(self.client)?);
        }
        Some(busy)
    }

    /// A request needs nothing more but its app; it ends where what comes back is dropped.
    pub(crate) fn passed(self: &Arc<Self>) -> Passed {
        self.passed.fetch_add(1, Ordering::SeqCst);
        Passed(Arc::clone(self))
    }

    /// Whether something on it still has to be answered or decided, as far as anybody can tell.
    pub(super) fn is_undecided(&self) -> bool {
        let passed = self.passed.load(Ordering::SeqCst);
        let is_at_rest = if self.shared.load(Ordering::SeqCst) {
            self.busy.load(Ordering::SeqCst) <= passed
        } else {
            passed > 0
        };
        !is_at_rest && !self.left.load(Ordering::SeqCst) && !self.is_killed()
    }

    /// Notes that requests come over HTTP/2.
    pub(super) fn note_shared(&self) {
        self.shared.store(true, Ordering::SeqCst);
    }

    /// Notes that nothing that comes is taken any more.
    pub(super) fn note_left(&self) {
        self.left.store(true, Ordering::SeqCst);
    }

    /// Whether requests are under way, where there can be several.
    pub(super) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::SeqCst) > 0
    }

    pub(crate) fn is_killed(&self) -> bool {
        self.killed.load(Ordering::SeqCst)
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    /// To be called before the flags are looked at a last time, so that no wake is lost.
    pub(super) fn register_reader(&self, waker: &Waker) {
        register(&self.reader, waker);
    }

    pub(super) fn register_writer(&self, waker: &Waker) {
        register(&self.writer, waker);
    }

    pub(super) fn wake_reader(&self) {
        if let Some(waker) = lock(&self.reader).take() {
            waker.wake();
        }
    }

    fn wake(&self) {
        self.wake_reader();
        if let Some(waker) = lock(&self.writer).take() {
            waker.wake();
        }
    }
}

/// A request that is under way on its connection.
pub(crate) struct Busy {
    control: Arc<ConnControl>,
    /// That of its own, if there were others.
    place: Option<Further>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.control.busy.fetch_sub(1, Ordering::SeqCst);
        if self.control.is_closing() || self.control.gives_way() {
            self.control.wake_reader();
        }
    }
}

/// A request that only waits for its app.
pub(crate) struct Passed(Arc<ConnControl>);

impl Drop for Passed {
    fn drop(&mut self) {
        self.0.passed.fetch_sub(1, Ordering::SeqCst);
    }
}

fn register(slot: &Mutex<Option<Waker>>, waker: &Waker) {
    match &mut *lock(slot) {
        Some(known) => known.clone_from(waker),
        empty => *empty = Some(waker.clone()),
    }
}

impl fmt::Debug for ConnControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnControl")
            .field("killed", &self.is_killed())
            .field("closing", &self.is_closing())
            .finish_non_exhaustive()
    }
}
