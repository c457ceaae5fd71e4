//! An engine that is opened once everything around it has been put together.
//!
//! Whoever takes over from another process waits for the files to be free; all that can be done
//! before is done by then. Until it is open nothing can be read or written.

use super::kv::{Batch, Engine, Row, Rows, Visit};
use super::sled::SledEngine;
use super::writer::unavailable;
use super::{Result, StoreError};
use std::sync::OnceLock;

/// The engine, once it is open.
#[derive(Default)]
pub(super) struct Later(OnceLock<SledEngine>);

impl Later {
    /// From now on it is this one.
    pub(super) fn is(&self, engine: SledEngine) {
        // Whoever may open it can do so once.
        let _ = self.0.set(engine);
    }

    fn engine(&self) -> Result<&SledEngine> {
        self.0.get().ok_or_else(closed)
    }
}

fn closed() -> StoreError {
    unavailable("it is not open yet")
}

impl Rows for Later {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.engine()?.get(key)
    }

    fn scan(&self, prefix: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        self.engine()?.scan(prefix, visit)
    }
}

impl Engine for Later {
    fn mend(&self) {
        if let Some(engine) = self.0.get() {
            engine.mend();
        }
    }

    fn ready(&self) -> Result<()> {
        self.engine()?.ready()
    }

    fn apply(&self, batch: Batch) -> Result<()> {
        self.engine()?.apply(batch)
    }

    fn sync(&self) -> Result<()> {
        self.engine()?.sync()
    }

    fn rows_after(&self, key: &[u8], most: usize) -> Result<Vec<Row>> {
        self.engine()?.rows_after(key, most)
    }

    fn release(&self) {
        if let Some(engine) = self.0.get() {
            engine.release();
        }
    }

    fn rouse(&self) {
        if let Some(engine) = self.0.get() {
            engine.rouse();
        }
    }
}
