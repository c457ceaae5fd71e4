//! A store that is built beside the one in force, and takes its place when it is whole.
//!
//! So neither restoring nor changing the master key ever has half a store in the place where one
//! is looked for; and what an engine kept of rows that were replaced goes with its files.

use super::inventory::Inventory;
use super::kv::{Batch, Engine as _};
use super::sled::{self, Floors, SledEngine};
use super::snapshot::Snapshot;
use super::txn::Txn;
use super::{OpenError, ReplaceError, Result, layout};
use crate::crypto::Keyring;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Rows that are written in one go.
const AT_ONCE: usize = 1000;

/// Beside the store's own name, for as long as it is being built.
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(what);
    PathBuf::from(name)
}

const DRAFT: &str = ".draft";

/// Removes what was being built when somebody pulled the plug, or what was replaced then. Whoever
/// calls this holds the store's lock.
pub(super) fn clear(path: &Path) -> io::Result<()> {
    sled::remove(&beside(path, DRAFT))
}

/// A store that is being built.
pub(super) struct Draft {
    place: PathBuf,
    at: PathBuf,
    engine: SledEngine,
    keys: Keyring,
    staged: Batch,
}

/// A store that is whole and closed, and waits to take its place.
pub(super) struct Whole {
    place: PathBuf,
    at: PathBuf,
    _lock: File,
}

impl Draft {
    /// Begins with nothing in it.
    pub(super) fn begin(place: &Path, keys: &Keyring) -> std::result::Result<Self, OpenError> {
        let at = beside(place, DRAFT);
        sled::remove(&at).map_err(|error| OpenError::io(&at, error))?;
        let engine = SledEngine::open(&at, keys, Floors::default())?;
        let place = place.to_path_buf();
        Ok(Self { place, at, engine, keys: keys.clone(), staged: Batch::new() })
    }

    /// Adds a row as it stands.
    pub(super) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<()> {
        self.staged.insert(key, Some(value));
        if self.staged.len() < AT_ONCE {
            return Ok(());
        }
        self.write()
    }

    fn write(&mut self) -> Result<()> {
        self.engine.ready()?;
        self.engine.apply(std::mem::take(&mut self.staged))
    }

    /// Counts the rows that must be there, does what is left to do, and closes it.
    pub(super) fn finish(
        mut self,
        last: impl FnOnce(&mut Txn<'_>) -> Result<()>,
    ) -> std::result::Result<Whole, ReplaceError> {
        self.write()?;
        let counted = Inventory::count(&self.engine, &self.keys)?.pack()?;
        self.engine.apply(Batch::from([(layout::INVENTORY.to_vec(), Some(counted))]))?;
        let mut txn = Txn::new(&self.engine, &self.keys);
        last(&mut txn)?;
        txn.keep(true);
        txn.settle(&Snapshot::default())?;
        self.engine.sync()?;
        let Self { place, at, engine, .. } = self;
        Ok(Whole { place, at, _lock: engine.close()? })
    }
}

impl Whole {
    /// Takes its place. What was there is removed.
    pub(super) fn replace(self) -> std::result::Result<(), OpenError> {
        sled::exchange(&self.at, &self.place)?;
        sled::remove(&self.at).map_err(|error| OpenError::io(&self.at, error))
    }

    /// Takes its place. What was there is kept under this name beside it.
    pub(super) fn replace_keeping(self, what: &str) -> std::result::Result<PathBuf, OpenError> {
        // Under the name that the other one will have: it must not be taken for a draft.
        let kept = beside(&self.place, what);
        std::fs::rename(&self.at, &kept).map_err(|error| OpenError::io(&kept, error))?;
        sled::exchange(&kept, &self.place)?;
        Ok(kept)
    }
}
