//! The handle by which hooks and operators reach a connection that is being served.

use crate::types::ClientAddr;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
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
    /// Requests under way, where there can be several.
    busy: AtomicUsize,
    /// Those of them that only wait for their app.
    passed: AtomicUsize,
    /// Whether requests come over HTTP/2.
    shared: AtomicBool,
    /// Whether nothing that comes is taken any more.
    left: AtomicBool,
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

    /// A request over HTTP/2 begins; it ends where what comes back is dropped.
    pub(crate) fn busy(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::SeqCst);
        Busy(Arc::clone(self))
    }

    /// A request needs nothing more but its app; it ends where what comes back is dropped.
    pub(crate) fn passed(self: &Arc<Self>) -> Passed {
        self.passed.fetch_add(1, Ordering::SeqCst);
        Passed(Arc::clone(self))
    }

    /// Whether something on it still has to be answered or decided, as far as anybody can tell.
    fn is_undecided(&self) -> bool {
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

    /// Whether it is to end, and nothing is under way.
    pub(super) fn may_end(&self) -> bool {
        self.is_closing() && self.busy.load(Ordering::SeqCst) == 0
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
pub(crate) struct Busy(Arc<ConnControl>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::SeqCst);
        if self.0.is_closing() {
            self.0.wake_reader();
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

/// All connections that are open now.
#[derive(Debug)]
pub(crate) struct Connections {
    max: usize,
    next: AtomicU64,
    closing: AtomicBool,
    open: Mutex<Open>,
}

/// The connections, and how many of them each client has.
#[derive(Debug, Default)]
struct Open {
    all: HashMap<u64, Arc<ConnControl>>,
    of: HashMap<ClientAddr, usize>,
}

/// One client may have this part of all the room, however many others come.
const SHARE: usize = 8;

/// What one client may have in any case: a browser has no more to one host.
const LEAST: usize = 16;

impl Connections {
    /// Room for so many; one more is closed at once.
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self {
            max,
            next: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            open: Mutex::default(),
        })
    }

    /// How many are open.
    pub(crate) fn len(&self) -> usize {
        lock(&self.open).all.len()
    }

    /// Whether none is open.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether something still has to be answered or decided.
    pub(crate) fn is_anybody_undecided(&self) -> bool {
        lock(&self.open).all.values().any(|control| control.is_undecided())
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
        let all: Vec<_> = lock(&self.open).all.values().cloned().collect();
        for control in &all {
            act(control);
        }
    }

    /// A place for one more, unless the house is full or this client has its share. Nobody is
    /// counted where the peer speaks for many.
    pub(super) fn admit(
        self: &Arc<Self>,
        client: Option<ClientAddr>,
        protected: Arc<ProtectedNames>,
    ) -> Option<Slot> {
        let control = Arc::new(ConnControl { protected, ..ConnControl::default() });
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let client = client.map(ClientAddr::block);
        {
            let mut open = lock(&self.open);
            if open.all.len() >= self.max {
                return None;
            }
            if let Some(client) = client {
                let theirs = open.of.entry(client).or_default();
                if *theirs >= LEAST.max(self.max / SHARE) {
                    return None;
                }
                *theirs += 1;
            }
            open.all.insert(id, control.clone());
        }
        // Looked at after the insertion: whoever closes later finds this connection in the map.
        if self.closing.load(Ordering::SeqCst) {
            control.close_when_idle();
        }
        Some(Slot { house: self.clone(), id, client, control })
    }
}

/// A place in the register, given back when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    house: Arc<Connections>,
    id: u64,
    client: Option<ClientAddr>,
    pub(super) control: Arc<ConnControl>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = lock(&self.house.open);
        open.all.remove(&self.id);
        let Some(client) = self.client else { return };
        if let Entry::Occupied(mut theirs) = open.of.entry(client) {
            *theirs.get_mut() -= 1;
            if *theirs.get() == 0 {
                theirs.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(text: &str) -> Option<ClientAddr> {
        Some(ClientAddr::from(text.parse::<std::net::IpAddr>().unwrap()))
    }

    #[test]
    fn one_client_has_its_share_of_the_room_and_no_more() {
        let house = Connections::new(SHARE * 20);
        let full = |who: &str| {
            let held: Vec<_> =
                std::iter::from_fn(|| house.admit(client(who), Arc::default())).take(100).collect();
            assert_eq!(held.len(), 20, "{who}");
            held
        };
        let held = [full("192.0.2.1"), full("2001:db8:0:1::1"), full("2001:db8:0:2::1")];
        assert!(
            house.admit(client("::ffff:192.0.2.1"), Arc::default()).is_none(),
            "another spelling"
        );
        assert!(
            house.admit(client("2001:db8:0:1:ffff::2"), Arc::default()).is_none(),
            "the same network"
        );
        // Whoever speaks for many is held to the room alone.
        let many: Vec<_> = std::iter::from_fn(|| house.admit(None, Arc::default())).collect();
        assert_eq!(many.len(), SHARE * 20 - 60);
        drop(many);
        drop(held);
        assert!(house.is_empty() && lock(&house.open).of.is_empty(), "somebody is remembered");
        drop(full("192.0.2.1"));
    }

    #[test]
    fn a_small_room_still_has_one_browser_in_it() {
        let house = Connections::new(LEAST + 1);
        let held: Vec<_> =
            std::iter::from_fn(|| house.admit(client("192.0.2.1"), Arc::default())).collect();
        assert_eq!(held.len(), LEAST);
    }
}
