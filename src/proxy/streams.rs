//! Streams end with the session they were opened under.
//!
//! What goes on for long (a WebSocket, server-sent events, an upload or a download that is large
//! or without a length) is entered here with its session and its connection. A background task
//! looks twice a second whether each session is still good and ends the connections of those that
//! are not.

use super::guard::ConnControl;
use crate::service::{LiveSession, Named, Service};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A stream that is open, seen from outside.
pub struct OpenStream {
    live: Arc<LiveSession>,
    connection: Arc<ConnControl>,
}

impl OpenStream {
    /// The session it was opened under, for another process to find.
    pub fn named(&self) -> Named {
        self.live.named()
    }

    /// Ends it.
    pub fn end(&self) {
        self.connection.kill();
    }
}

type Open = HashMap<u64, (Arc<LiveSession>, Arc<ConnControl>)>;

/// All open streams of people.
#[derive(Default)]
pub(super) struct Streams {
    next: AtomicU64,
    open: Mutex<Open>,
}

/// An entry; leaving it behind takes it out.
pub(super) struct Entry {
    streams: Arc<Streams>,
    number: u64,
}

impl Streams {
    /// Enters a stream.
    pub(super) fn enter(
        self: &Arc<Self>,
        live: &Arc<LiveSession>,
        connection: &Arc<ConnControl>,
    ) -> Entry {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.lock().insert(number, (Arc::clone(live), Arc::clone(connection)));
        Entry { streams: Arc::clone(self), number }
    }

    /// Ends every stream whose session is no longer good.
    pub(super) async fn end_orphans(&self, service: &Service) {
        let open: Vec<_> = self.lock().values().cloned().collect();
        let now = service.clock().now();
        // Those that are known to have ended first, and none of them waits for the store.
        let (open, ended): (Vec<_>, Vec<_>) = open.into_iter().partition(|(l, _)| l.goes_on(now));
        end(&ended, &open);
        let (mut alive, mut ended) = (Vec::new(), Vec::new());
        for stream in open {
            let is_good = service.is_still_good(&stream.0).await;
            if is_good { &mut alive } else { &mut ended }.push(stream);
        }
        end(&ended, &alive);
    }

    /// All of them, as they are now.
    pub(super) fn open(&self) -> Vec<OpenStream> {
        let stream = |(live, connection): &(Arc<_>, Arc<_>)| OpenStream {
            live: Arc::clone(live),
            connection: Arc::clone(connection),
        };
        self.lock().values().map(stream).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the connections of these, but for those that some of the others are on: of what has ended
/// no byte passes any more, and where a proxy puts several people on one connection, the others must
/// not lose theirs.
fn end(
    ended: &[(Arc<LiveSession>, Arc<ConnControl>)],
    others: &[(Arc<LiveSession>, Arc<ConnControl>)],
) {
    for (_, connection) in ended {
        if !others.iter().any(|(_, other)| Arc::ptr_eq(other, connection)) {
            connection.kill();
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.streams.lock().remove(&self.number);
    }
}
