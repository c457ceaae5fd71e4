//! The engine on disk: sled 0.34.7, one tree, and what it takes to rely on it.
//!
//! Four of its habits shape this module. `flush` leaves the data in the disk's own cache, so
//! `fdatasync` follows it before anything is acknowledged. After a full disk it reads on but never
//! writes again, so writing stops early, while it still can, and where it is too late the tree is
//! reopened when there is room. Damage is not reported: calls may panic or simply find less, so
//! every call is caught, what must be there is counted at opening (`inventory`), and how far the
//! log must go is kept beside it (`progress`). A snapshot that was not finished keeps it from opening, so such files are removed first (`open`).
//!
//! ```text
//!            a write fails for want of room          room again: reopen
//!   Well ───────────────────────────────────► Full ────────────────────► Well
//!     │ a write fails otherwise
//!     └────────────────────────────────────► Broken, until somebody restarts the process
//! ```
//!
//! Broken is final on purpose: after a failed `fdatasync` the kernel forgets which pages never
//! reached the disk, and nothing written after them can be promised. Reading goes on throughout.

mod error;
mod marker;
mod open;
mod progress;

pub use error::OpenError;

use super::kv::{Batch, Engine, Rows, Visit};
use super::writer::unavailable;
use super::{Result, StoreError, layout};
use crate::crypto::Keyring;
use marker::Marker;
use progress::Progress;
use std::fs::File;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// How much room there must be, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Floors {
    /// To write at all. A round writes far less, but others fill the disk too.
    pub(super) write: u64,
    /// To reopen after the disk was full: opening writes a snapshot.
    pub(super) reopen: u64,
    /// How long to wait between two tries to reopen.
    pub(super) between_tries: Duration,
}

impl Default for Floors {
    fn default() -> Self {
        Self { write: 4 << 20, reopen: 16 << 20, between_tries: Duration::from_secs(2) }
    }
}

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
    /// Empty only after a reopening that failed. Every call holds it for reading, so that
    /// reopening, which must have the tree to itself, waits for them.
    slot: RwLock<Option<Opened>>,
    health: Mutex<Health>,
    progress: Progress,
    /// Keeps other processes out, also while the tree is closed for reopening.
    _lock: File,
}

impl SledEngine {
    /// Opens the store in this folder, or makes it.
    pub(super) fn open(
        path: &Path,
        keys: &Keyring,
        floors: Floors,
    ) -> std::result::Result<Self, OpenError> {
        let lock = open::claim(path, keys)?;
        let was_complete = Marker::read(path, keys)?.is_some_and(|marker| marker.complete);
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
            _lock: lock,
        };
        open::verify(&engine, was_complete)?;
        if !was_complete {
            Marker::new(keys, true).write(path)?;
        }
        Ok(engine)
    }

    /// Whether a store was ever made in this folder.
    pub(super) fn is_made(path: &Path) -> bool {
        path.join(marker::NAME).exists()
    }

    /// Calls sled. Damaged files make it panic in unexpected places; that must not spread.
    fn call<T>(&self, call: impl FnOnce(&Opened) -> Result<T>) -> Result<T> {
        let slot = self.slot.read().unwrap_or_else(PoisonError::into_inner);
        let opened = slot.as_ref().ok_or_else(|| unavailable("it waits to be reopened"))?;
        catch_unwind(AssertUnwindSafe(|| call(opened))).unwrap_or_else(|_| {
            Err(StoreError::Corrupt(String::from("the files of the store are damaged")))
        })
    }

    /// As [`SledEngine::call`], for a write: what goes wrong is remembered.
    fn write(&self, call: impl FnOnce(&Opened) -> std::result::Result<(), Failed>) -> Result<()> {
        let outcome = self.call(|opened| Ok(call(opened)));
        let failed = match outcome {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(failed)) => failed,
            Err(error) => Failed { for_want_of_room: false, why: error.to_string() },
        };
        Err(self.note(failed))
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it must be reopened before it can write, and may try that now.
    fn may_retry(&self) -> Result<bool> {
        match &mut *self.health() {
            Health::Well => Ok(false),
            Health::Broken(why) => Err(unavailable(why)),
            Health::Full { next_try } => {
                let now = Instant::now();
                if now < *next_try {
                    return Err(unavailable("the disk was full a moment ago"));
                }
                *next_try = now + self.floors.between_tries;
                Ok(true)
            }
        }
    }

    fn note(&self, failed: Failed) -> StoreError {
        let mut health = self.health();
        if matches!(*health, Health::Broken(_)) {
            return unavailable(&failed.why);
        }
        *health = if failed.for_want_of_room {
            Health::Full { next_try: Instant::now() }
        } else {
            Health::Broken(failed.why.clone())
        };
        unavailable(&failed.why)
    }

    fn free(&self) -> Result<u64> {
        let stat = rustix::fs::statvfs(&self.path)
            .map_err(|error| unavailable(&format!("free space cannot be asked for: {error}")))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn has_room(&self, floor: u64) -> Result<()> {
        let free = self.free()?;
        if free < floor {
            let (free, floor) = (free >> 20, floor >> 20);
            return Err(StoreError::Unavailable(format!(
                "the disk is full: {free} MiB are free and {floor} MiB are needed"
            )));
        }
        Ok(())
    }

    /// Closes the tree and opens it again, which is what makes it write again.
    fn reopen(&self) -> Result<()> {
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        let closed = slot.take();
        // Closing flushes, and panics where it cannot.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(closed)));
        *slot = Some(open::tree(&self.path).map_err(|error| unavailable(&error.to_string()))?);
        drop(slot);
        open::verify(self, true).map_err(|error| {
            // Not all of it came back: nobody may build on what did.
            *self.slot.write().unwrap_or_else(PoisonError::into_inner) = None;
            StoreError::Corrupt(error.to_string())
        })
    }
}

/// A write that failed.
struct Failed {
    for_want_of_room: bool,
    why: String,
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        let for_want_of_room =
            matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
        let why = if for_want_of_room {
            String::from("the disk is full")
        } else {
            format!("the disk failed, and vestibule must be restarted: {error}")
        };
        Self { for_want_of_room, why }
    }
}

impl From<::sled::Error> for Failed {
    fn from(error: ::sled::Error) -> Self {
        match error {
            ::sled::Error::Io(error) => error.into(),
            other => Self {
                for_want_of_room: false,
                why: format!("the engine failed, and vestibule must be restarted: {other}"),
            },
        }
    }
}

fn read_error(error: ::sled::Error) -> StoreError {
    match error {
        ::sled::Error::Corruption { .. } => {
            StoreError::Corrupt(String::from("the files of the store are damaged"))
        }
        other => StoreError::Unavailable(other.to_string()),
    }
}

impl Rows for SledEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.call(|opened| Ok(opened.db.get(key).map_err(read_error)?.map(|row| row.to_vec())))
    }

    fn scan(&self, prefix: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        self.call(|opened| {
            for row in opened.db.scan_prefix(prefix) {
                let (key, value) = row.map_err(read_error)?;
                if !visit(&key, &value)? {
                    break;
                }
            }
            Ok(())
        })
    }
}

impl Engine for SledEngine {
    fn ready(&self) -> Result<()> {
        // sled writes behind the caller's back too; this is where it keeps what went wrong there.
        if let Err(failed) = self.call(|opened| Ok(opened.db.context.global_error()))? {
            self.note(failed.into());
        }
        if self.may_retry()? {
            self.has_room(self.floors.reopen)?;
            self.reopen()?;
            *self.health() = Health::Well;
        }
        self.has_room(self.floors.write)
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

    /// A flush that waits for a write which failed elsewhere is not woken by that failure, but by
    /// the next flush that runs into it.
    fn rouse(&self) {
        let _ = self.call(|opened| opened.db.flush().map_err(read_error));
    }
}
