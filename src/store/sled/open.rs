//! Opening: whose folder is it, is it free, is all of it there. In this order, so that a folder
//! that is refused is left as it was.

use super::marker::{Marker, sync_folder};
use super::{OpenError, Opened, SledEngine, failed};
use crate::crypto::Keyring;
use crate::store::inventory::Inventory;
use crate::store::kv::{Batch, Engine as _, Rows as _};
use crate::store::layout;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

/// Held for as long as the store is open. sled has a lock too, but opening must tidy up before.
const LOCK: &str = "vestibule.lock";

/// How often the lock is tried, and how long is waited each time.
const LOCK_PATIENCE: (u32, Duration) = (10, Duration::from_millis(20));

/// Memory for pages that were read or written lately.
const CACHE: u64 = 64 << 20;

/// After a tree is closed its helper threads may hold its file for a moment.
const PATIENCE: (u32, Duration) = (100, Duration::from_millis(20));

/// Makes sure that the folder is ours and nobody else uses it.
pub(super) fn claim(path: &Path, keys: &Keyring) -> Result<File, OpenError> {
    let failed = |error| OpenError::io(path, error);
    if Marker::read(path, keys)?.is_none() {
        if has_engine_files(path).map_err(failed)? {
            return Err(OpenError::NotAStore(path.to_path_buf()));
        }
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
    }
    let lock = lock(path)?;
    // Once more, now that nobody else can be making a store here.
    if Marker::read(path, keys)?.is_none() {
        if has_engine_files(path).map_err(failed)? {
            return Err(OpenError::NotAStore(path.to_path_buf()));
        }
        Marker::new(keys, false).write(path)?;
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_folder(parent).map_err(failed)?;
        }
    }
    Ok(lock)
}

/// Keeps other processes out of a folder that is there.
pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
    let mut options = OpenOptions::new();
    let lock = options.write(true).create(true).truncate(false).mode(0o600);
    let lock = lock.open(path.join(LOCK)).map_err(|error| OpenError::io(path, error))?;
    take(&lock, path)?;
    Ok(lock)
}

/// Waits until the helper threads of a tree that was closed have let go of its file: until then
/// its folder must keep its name.
pub(super) fn await_closed(path: &Path) -> Result<(), OpenError> {
    let file = File::open(path.join("db")).map_err(|error| OpenError::io(path, error))?;
    let (tries, pause) = PATIENCE;
    for _ in 0..tries {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(pause),
            Err(TryLockError::Error(error)) => return Err(OpenError::io(path, error)),
        }
    }
    Err(OpenError::InUse(path.to_path_buf()))
}

/// Takes the lock. A process that is just ending, or a child that was just forked, may still hold
/// it for a moment.
fn take(lock: &File, path: &Path) -> Result<(), OpenError> {
    let (tries, pause) = LOCK_PATIENCE;
    for _ in 0..tries {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(pause),
            Err(TryLockError::Error(error)) => return Err(OpenError::io(path, error)),
        }
    }
    Err(OpenError::InUse(path.to_path_buf()))
}

/// Whether sled has been here.
fn has_engine_files(path: &Path) -> io::Result<bool> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        entries => entries?,
    };
    for entry in entries {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if matches!(&*name, "db" | "conf" | "blobs") || name.starts_with("snap.") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Opens the tree.
pub(super) fn tree(path: &Path) -> Result<Opened, OpenError> {
    let failed = |error| OpenError::io(path, error);
    remove_unfinished_snapshots(path).map_err(failed)?;
    let db = start(path)?;
    // For `fdatasync` and for allocating ahead; nothing is ever written through it.
    let file = OpenOptions::new().write(true).open(path.join("db")).map_err(failed)?;
    // sled made files and did not see to it that their names last.
    file.sync_all().and_then(|()| sync_folder(path)).map_err(failed)?;
    Ok(Opened { db, file })
}

/// A snapshot is only a shortcut to what the log says; one that was not finished is worth nothing,
/// and sled takes it for damage.
fn remove_unfinished_snapshots(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Starts sled.
fn start(path: &Path) -> Result<::sled::Db, OpenError> {
    let (tries, pause) = PATIENCE;
    for _ in 0..tries {
        let config = ::sled::Config::new().path(path).cache_capacity(CACHE);
        let config = config.use_compression(false).flush_every_ms(None);
        let opened = failed::caught(|| config.open())
            .ok_or_else(|| OpenError::damaged(path, "the engine failed on its files"))?;
        match opened {
            Ok(db) => return Ok(db),
            // Ours is the only process here, so it is a tree of our own that is still closing.
            Err(::sled::Error::Io(error)) if error.to_string().contains("acquire lock") => {
                std::thread::sleep(pause);
            }
            Err(::sled::Error::Io(error)) if is_about_the_disk(&error) => {
                return Err(OpenError::io(path, error));
            }
            Err(error) => return Err(OpenError::damaged(path, in_words(&error))),
        }
    }
    Err(OpenError::InUse(path.to_path_buf()))
}

/// What sled says is meant for whoever calls it; who reads this runs a gateway.
fn in_words(error: &::sled::Error) -> String {
    match error {
        ::sled::Error::Corruption { .. } => {
            String::from("the engine finds in its files what it never wrote")
        }
        ::sled::Error::Unsupported(_) => {
            String::from("the engine's own settings are not what it wrote")
        }
        other => other.to_string(),
    }
}

/// Errors that say nothing of what the files hold.
fn is_about_the_disk(error: &io::Error) -> bool {
    use io::ErrorKind as E;
    matches!(
        error.kind(),
        E::StorageFull | E::QuotaExceeded | E::PermissionDenied | E::ReadOnlyFilesystem
    )
}

/// Sees that all that must be there is there.
pub(super) fn verify(engine: &SledEngine, was_complete: bool) -> Result<(), OpenError> {
    let path = &engine.path;
    let damaged = |error| OpenError::damaged(path, error);
    engine.progress.resume(path, engine.get(layout::PROGRESS).map_err(damaged)?)?;
    let counted = Inventory::count(engine, &engine.keys).map_err(damaged)?;
    match Inventory::read(engine).map_err(damaged)? {
        Some(kept) if kept == counted => Ok(()),
        None if !was_complete && counted == Inventory::default() => begin(engine).map_err(damaged),
        _ => Err(OpenError::damaged(path, "rows that must be there are missing or changed")),
    }
}

/// The first row of a new store.
fn begin(engine: &SledEngine) -> crate::store::Result<()> {
    let first = Inventory::default().pack()?;
    engine.apply(Batch::from([(layout::INVENTORY.to_vec(), Some(first))]))?;
    engine.sync()
}
