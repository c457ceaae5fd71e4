//! How far the log goes, kept outside the log.
//!
//! When sled meets damage it takes the log to end there: what it opens is whole, agrees with its
//! own inventory, and is from last week. So each batch is numbered, in a row of its own, and the
//! last number that reached the disk is also written to a small file. A tree that opens with a
//! lower number than the file's has lost its end.
//!
//! The file is written after the tree is safe, so it never runs ahead. It is not waited for: where
//! a power cut sets it back, it only notices less.

use super::OpenError;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// The file's name.
const NAME: &str = "vestibule.progress";

/// The numbers of batches.
pub(super) struct Progress {
    file: File,
    applied: AtomicU64,
}

impl Progress {
    /// Opens the file, or makes it where the store is only being made.
    pub(super) fn open(path: &Path, was_complete: bool) -> Result<Self, OpenError> {
        let name = path.join(NAME);
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(!was_complete).mode(0o600);
        let file = options.open(&name).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => OpenError::damaged(path, format!("its file {NAME} is gone")),
            _ => OpenError::io(&name, error),
        })?;
        if !was_complete {
            let made = file.write_all_at(&0_u64.to_be_bytes(), 0).and_then(|()| file.sync_all());
            made.map_err(|error| OpenError::io(&name, error))?;
        }
        Ok(Self { file, applied: AtomicU64::new(0) })
    }

    /// Takes up the count from the tree, if the tree goes as far as it must.
    pub(super) fn resume(&self, path: &Path, row: Option<Vec<u8>>) -> Result<(), OpenError> {
        let short = |_| OpenError::damaged(path, format!("its file {NAME} cannot be read"));
        let mut reached = [0; 8];
        self.file.read_exact_at(&mut reached, 0).map_err(short)?;
        let number = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_be_bytes);
        let held = row.as_deref().map_or(0, number);
        if held < u64::from_be_bytes(reached) {
            return Err(OpenError::damaged(path, "the last changes written to it are missing"));
        }
        self.applied.store(held, Ordering::SeqCst);
        Ok(())
    }

    /// The row for the next batch.
    pub(super) fn next(&self) -> [u8; 8] {
        self.applied.fetch_add(1, Ordering::SeqCst).saturating_add(1).to_be_bytes()
    }

    /// The number of the last batch that was begun.
    pub(super) fn applied(&self) -> u64 {
        self.applied.load(Ordering::SeqCst)
    }

    /// Notes that all up to this number is on the disk.
    pub(super) fn reached(&self, number: u64) {
        // Failing to note it loses nothing but the chance to notice a later loss.
        let _ = self.file.write_all_at(&number.to_be_bytes(), 0);
    }
}
