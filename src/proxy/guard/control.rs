//! The handle by which hooks and operators reach a connection that is being served.

use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::proxy::hygiene::ProtectedNames;

/// Locks, also after a panic elsewhere: what lies inside is never half written.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
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
    body_timeout_ms: AtomicU64,
    reader: Mutex<Option<Waker>>,
    writer: Mutex<Option<Waker>>,
    task: Mutex<Option<Waker>>,
}

impl ConnControl {
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

/// All connections that are open now.
#[derive(Debug)]
pub(crate) struct Connections {
    max: usize,
    next: AtomicU64,
    closing: AtomicBool,
    open: Mutex<HashMap<u64, Arc<ConnControl>>>,
}

impl Connections {
    /// Room for so many; one more is closed at once.
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self {
            max,
            next: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            open: Mutex::new(HashMap::new()),
        })
    }

    /// How many are open.
    pub(crate) fn len(&self) -> usize {
        lock(&self.open).len()
    }

    /// Whether none is open.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drain: idle connections end now, busy ones after their answer, new ones likewise.
    pub(crate) fn close_idle(&self) {
        self.closing.store(true, Ordering::SeqCst);
        self.each(ConnControl::close_when_idle);
    }

    /// Ends every connection at once.
    pub(crate) fn close_all(&self) {
        self.each(ConnControl::kill);
    }

    fn each(&self, act: impl Fn(&ConnControl)) {
        // Copied out, so that no task is woken under the lock it needs in order to leave.
        let all: Vec<_> = lock(&self.open).values().cloned().collect();
        for control in &all {
            act(control);
        }
    }

    /// A place for one more, unless the house is full.
    pub(super) fn admit(self: &Arc<Self>, protected: Arc<ProtectedNames>) -> Option<Slot> {
        let control = Arc::new(ConnControl { protected, ..ConnControl::default() });
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        {
            let mut open = lock(&self.open);
            if open.len() >= self.max {
                return None;
            }
            open.insert(id, control.clone());
        }
        // Looked at after the insertion: whoever closes later finds this connection in the map.
        if self.closing.load(Ordering::SeqCst) {
            control.close_when_idle();
        }
        Some(Slot { house: self.clone(), id, control })
    }
}

/// A place in the register, given back when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    house: Arc<Connections>,
    id: u64,
    pub(super) control: Arc<ConnControl>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        lock(&self.house.open).remove(&self.id);
    }
}
