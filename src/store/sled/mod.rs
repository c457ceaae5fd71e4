//! The engine on disk: sled 0.34.7, one tree, and what it takes to rely on it.
//!
//! Four of its habits shape this module. `flush` leaves the data in the disk's own cache, so
//! `fdatasync` follows it before anything is acknowledged. After a full disk it never writes
//! again, so room is seen to beforehand (`room`), and where that was not enough the tree is
//! reopened when there is room. Damage is not reported: calls may panic or simply find less, so
//! every call is caught, what must be there is counted at opening (`inventory`), and how far the
//! log must go is kept beside it (`progress`). A snapshot that was not finished keeps it from
//! opening, so such files are removed first (`open`).
//!
//! ```text
//!            a write fails for want of room          room again: reopen
//!   Well ───────────────────────────────────► Full ────────────────────► Well
//!     │ a write fails otherwise
//!     └────────────────────────────────────► Broken, until somebody restarts the process
//! ```
//!
//! Broken is final on purpose: after a failed `fdatasync` the kernel forgets which pages never
//! reached the disk, and nothing written after them can be promised. Reading goes on as far as it
//! can, and says so where it cannot.

mod error;
mod failed;
mod marker;
mod open;
mod progress;
mod replace;
mod room;

pub use error::OpenError;
pub(super) use marker::FORMAT;
pub(super) use replace::{exchange, remove};
pub(super) use room::Floors;

use super::kv::{Batch, Engine, Row, Rows, Visit};
use super::writer::unavailable;
use super::{Result, StoreError, layout};
use crate::crypto::Keyring;
use failed::{Failed, on_reading};
use marker::Marker;
use progress::Progress;
use std::fs::File;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

/// An open tree, and the file below it for `fdatasync`.
struct Opened {
    db: ::sled::Db,
    file: File,
}

enum Health {
    Well,
    Full { next_try: Instant },
    Broken(String),
}

/// Rows on disk.
pub(super) struct SledEngine {
    path: PathBuf,
    keys: Keyring,
    floors: Floors,
    /// Empty only after a reopening that failed, and once it was released. Every call holds it for reading, so that
    /// reopening, which must have the tree to itself, waits for them.
    slot: RwLock<Option<Opened>>,
    health: Mutex<Health>,
    progress: Progress,
    /// Keeps other processes out, also while the tree is closed for reopening.
    lock: Mutex<Option<File>>,
}

impl SledEngine {
    /// The name of the master key that sealed the store in this folder, if there is one.
    pub(super) fn key_of(path: &Path) -> std::result::Result<Option<String>, OpenError> {
        Marker::key_of(path)
    }

    /// Opens the store in this folder, or makes it.
    pub(super) fn open(
        path: &Path,
        keys: &Keyring,
        floors: Floors,
    ) -> std::result::Result<Self, OpenError> {
        let lock = open::claim(path, keys)?;
        let marker = Marker::read(path, keys)?;
        let was_complete = marker.as_ref().is_some_and(|marker| marker.complete);
        let is_outdated = marker.is_some_and(|marker| marker.is_outdated());
        if was_complete && !path.join("db").exists() {
            // sled would make a new one, and bury what could still be found.
            return Err(OpenError::damaged(path, "its file db is gone"));
        }
        let progress = Progress::open(path, was_complete)?;
        let opened = open::tree(path)?;
        let engine = Self {
            path: path.to_path_buf(),
            keys: keys.clone(),
            floors,
            slot: RwLock::new(Some(opened)),
            health: Mutex::new(Health::Well),
            progress,
            lock: Mutex::new(Some(lock)),
        };
        open::verify(&engine, was_complete)?;
        if !was_complete || is_outdated {
            Marker::new(keys, true).write(path)?;
        }
        Ok(engine)
    }

    /// Closes it, and leaves what keeps other processes out.
    pub(super) fn close(self) -> std::result::Result<File, OpenError> {
        self.shut().ok_or_else(|| OpenError::damaged(&self.path, "it cannot close"))?;
        open::await_closed(&self.path)?;
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
        lock.ok_or_else(|| OpenError::damaged(&self.path, "it was closed before"))
    }

    /// Keeps other processes out of a store that need not open.
    pub(super) fn lock(path: &Path) -> std::result::Result<File, OpenError> {
        open::lock(path)
    }

    /// Whether a store was ever made in this folder.
    pub(super) fn is_made(path: &Path) -> bool {
        path.join(marker::NAME).exists()
    }

    /// Whether these are the keys of the store in this folder, if there is one.
    pub(super) fn fits(path: &Path, keys: &Keyring) -> std::result::Result<(), OpenError> {
        Marker::read(path, keys).map(drop)
    }

    /// Calls sled. Damaged files make it panic in unexpected places; that must not spread.
    fn call<T>(&self, call: impl FnOnce(&Opened) -> Result<T>) -> Result<T> {
        let slot = self.slot.read().unwrap_or_else(PoisonError::into_inner);
        let opened = slot.as_ref().ok_or_else(|| unavailable("it is closed"))?;
        failed::caught(|| call(opened)).unwrap_or_else(|| Err(failed::damaged()))
    }

    /// As [`SledEngine::call`], for a write: what goes wrong is remembered.
    fn write(&self, call: impl FnOnce(&Opened) -> std::result::Result<(), Failed>) -> Result<()> {
        let outcome = self.call(|opened| Ok(call(opened)));
        let failed = match outcome {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(failed)) => failed,
            Err(error) => Failed::for_good(error.to_string()),
        };
        Err(self.note(failed))
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it must be reopened before it can write, and it is time to try.
    fn may_retry(&self) -> bool {
        match &mut *self.health() {
            Health::Full { next_try } if *next_try <= Instant::now() => {
                *next_try = Instant::now() + self.floors.between_tries;
                true
            }
            _ => false,
        }
    }

    fn note(&self, failed: Failed) -> StoreError {
        let mut health = self.health();
        if matches!(*health, Health::Broken(_)) {
            return unavailable(&failed.why);
        }
        if !failed.for_want_of_room {
            *health = Health::Broken(failed.why.clone());
        } else if matches!(*health, Health::Well) {
            *health = Health::Full { next_try: Instant::now() };
        }
        unavailable(&failed.why)
    }

    /// Closes the tree, which flushes, and panics where it cannot: then nothing is returned.
    fn shut(&self) -> Option<()> {
        let closed = self.slot.write().unwrap_or_else(PoisonError::into_inner).take();
        failed::caught(|| drop(closed))
    }

    /// Closes the tree and opens it again, which is what makes it write again.
    fn reopen(&self) -> Result<()> {
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        let closed = slot.take();
        // Closing flushes, and panics where it cannot.
        let _ = failed::caught(|| drop(closed));
        *slot = Some(open::tree(&self.path).map_err(|error| unavailable(&error.to_string()))?);
        drop(slot);
        open::verify(self, true).map_err(|error| {
            // Not all of it came back: nobody may build on what did.
            *self.slot.write().unwrap_or_else(PoisonError::into_inner) = None;
            StoreError::Corrupt(error.to_string())
        })
    }
}

impl Drop for SledEngine {
    fn drop(&mut self) {
        let _ = self.shut();
    }
}

impl Rows for SledEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.call(|opened| Ok(opened.db.get(key).map_err(on_reading)?.map(|row| row.to_vec())))
    }

    fn scan(&self, prefix: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        self.call(|opened| {
            for row in opened.db.scan_prefix(prefix) {
                let (key, value) = row.map_err(on_reading)?;
                if !visit(&key, &value)? {
                    break;
                }
            }
            Ok(())
        })
    }
}

impl Engine for SledEngine {
    fn mend(&self) {
        // sled writes behind the caller's back too; this is where it keeps what went wrong there.
        let unseen = self.call(|opened| Ok(opened.db.context.global_error()));
        if let Ok(Err(error)) = unseen {
            self.note(error.into());
        }
        if self.may_retry() && room::is_left(&self.path, self.floors.reopen).is_ok() {
            match self.reopen() {
                Ok(()) => *self.health() = Health::Well,
                Err(StoreError::Corrupt(why)) => *self.health() = Health::Broken(why),
                // The next try may do better.
                Err(StoreError::Unavailable(_)) => {}
            }
        }
    }

    fn ready(&self) -> Result<()> {
        match &*self.health() {
            Health::Well => {}
            Health::Full { .. } => return Err(unavailable("the disk was full a moment ago")),
            Health::Broken(why) => return Err(unavailable(why)),
        }
        room::is_left(&self.path, self.floors.write)?;
        // Failing here breaks nothing, so it is not held against the engine.
        let ahead = |opened: &Opened| room::allocate_ahead(&opened.file, self.floors.ahead);
        self.call(|opened| ahead(opened).map_err(|failed| unavailable(&failed.why)))
    }

    fn apply(&self, batch: Batch) -> Result<()> {
        let mut changes = ::sled::Batch::default();
        for (key, value) in batch {
            match value {
                Some(value) => changes.insert(key, value),
                None => changes.remove(key),
            }
        }
        changes.insert(layout::PROGRESS, &self.progress.next());
        self.write(|opened| Ok(opened.db.apply_batch(changes)?))
    }

    fn sync(&self) -> Result<()> {
        let applied = self.progress.applied();
        self.write(|opened| {
            opened.db.flush()?;
            Ok(opened.file.sync_data()?)
        })?;
        self.progress.reached(applied);
        Ok(())
    }

    fn rows_after(&self, key: &[u8], most: usize) -> Result<Vec<Row>> {
        let after = (Bound::Excluded(key), Bound::Unbounded);
        self.call(|opened| {
            let rows = opened.db.range::<&[u8], _>(after).take(most);
            rows.map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())))
                .collect::<std::result::Result<_, _>>()
                .map_err(on_reading)
        })
    }

    fn release(&self) {
        *self.health() = Health::Broken(String::from("it was handed over to another process"));
        let _ = self.shut();
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// A flush that waits for a write which failed elsewhere is not woken by that failure, but by
    /// the next flush that runs into it.
    fn rouse(&self) {
        let _ = self.call(|opened| opened.db.flush().map_err(on_reading));
    }
}
