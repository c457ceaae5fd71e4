//! What the verbs ask of an engine: ordered rows, and batches that are applied as a whole.
//!
//! Everything is synchronous, since everything may touch a disk; `writer` and `verbs` keep it off
//! the async threads. An engine knows nothing of people or sessions and never looks into a value.

use super::Result;
use crate::crypto::Keyring;
use std::collections::BTreeMap;

/// Rows to write and, where there is no value, to remove.
pub(super) type Batch = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Looks at one row; says whether to go on.
pub(super) type Visit<'v> = dyn FnMut(&[u8], &[u8]) -> Result<bool> + 'v;

/// A row: its key and its value.
pub(super) type Row = (Vec<u8>, Vec<u8>);

/// Somewhere rows can be read.
pub(super) trait Rows {
    /// One row.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>>;
    /// The rows whose keys begin so, in order of their keys, for as long as the visitor likes.
    fn scan(&self, prefix: &[u8], visit: &mut Visit<'_>) -> Result<()>;
}

/// Somewhere rows are kept.
pub(super) trait Engine: Rows + Send + Sync {
    /// The occasion for an engine that broke to mend itself, before each round of jobs. Where
    /// it cannot, that shows when they read or write.
    fn mend(&self);
    /// Whether it can write now.
    fn ready(&self) -> Result<()>;
    /// Writes a batch as a whole: after a crash all of it is there, or nothing.
    fn apply(&self, batch: Batch) -> Result<()>;
    /// Brings all that was applied to the disk. Nothing may be acknowledged before.
    fn sync(&self) -> Result<()>;
    /// The first rows whose keys come after this one, so many at the most.
    fn rows_after(&self, key: &[u8], most: usize) -> Result<Vec<Row>>;
    /// Lets go of the files and of the lock on them, for another process. For good.
    fn release(&self);
    /// Asked from another thread when `apply` or `sync` has not come back for long: whatever can
    /// wake it is to be tried.
    fn rouse(&self);
}

/// Rows together with the keys that open what is sealed in them.
pub(super) trait Sealing: Rows {
    /// The keys.
    fn keys(&self) -> &Keyring;
}

/// An engine's rows as readers see them, beside the writer.
pub(super) struct View<'e> {
    pub(super) engine: &'e dyn Engine,
    pub(super) keys: &'e Keyring,
}

impl Rows for View<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.engine.get(key)
    }

    fn scan(&self, prefix: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        self.engine.scan(prefix, visit)
    }
}

impl Sealing for View<'_> {
    fn keys(&self) -> &Keyring {
        self.keys
    }
}
