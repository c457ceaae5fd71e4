//! Room on the disk, seen to before it is needed.
//!
//! A tree that runs into a full disk is not to be trusted with anything: even reading may fail,
//! where a search comes upon a page that was being split. So it never gets there: before each
//! round some room must be left over for everybody, and what a round may need is allocated beyond
//! the end of sled's file, where nobody else can take it. A file system that cannot allocate
//! ahead leaves us with the first of the two.

use super::Failed;
use crate::store::writer::unavailable;
use crate::store::{Result, StoreError};
use rustix::fs::{FallocateFlags, fallocate, statvfs};
use rustix::io::Errno;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

/// How much room there must be, in bytes.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Floors {
    /// Left over for everybody, to write at all.
    pub(in crate::store) write: u64,
    /// Allocated ahead for a round of writing: far more than the largest needs.
    pub(in crate::store) ahead: u64,
    /// Left over, to reopen after the disk was full: opening writes a snapshot.
    pub(in crate::store) reopen: u64,
    /// How long to wait between two tries to reopen.
    pub(in crate::store) between_tries: Duration,
}

impl Default for Floors {
    fn default() -> Self {
        Self {
            write: 4 << 20,
            ahead: 8 << 20,
            reopen: 16 << 20,
            between_tries: Duration::from_secs(2),
        }
    }
}

/// Whether so much is free for us where the store lies.
pub(super) fn is_left(path: &Path, floor: u64) -> Result<()> {
    let stat = statvfs(path)
        .map_err(|error| unavailable(&format!("free space cannot be asked for: {error}")))?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    if free >= floor {
        return Ok(());
    }
    let (free, floor) = (free >> 20, floor >> 20);
    Err(StoreError::Unavailable(format!(
        "the disk is full: {free} MiB are free and {floor} MiB are needed"
    )))
}

/// Allocates beyond a file's end, and leaves its length as it is. Costs next to nothing where
/// that was done before.
pub(super) fn allocate_ahead(file: &File, bytes: u64) -> std::result::Result<(), Failed> {
    if bytes == 0 {
        return Ok(());
    }
    let end = file.metadata()?.len();
    match fallocate(file, FallocateFlags::KEEP_SIZE, end, bytes) {
        Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(()),
        Err(error) => Err(std::io::Error::from(error).into()),
    }
}
