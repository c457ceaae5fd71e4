//! The engine for tests and trials: a sorted map. It forgets everything when the process ends,
//! and must never be what a configuration falls back to.

use super::Result;
use super::kv::{Batch, Engine, Row, Rows, Visit};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock};

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

/// Rows in memory.
#[derive(Default)]
pub(super) struct Memory(RwLock<Map>);

impl Rows for Memory {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.0.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned())
    }

    fn scan(&self, prefix: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        let rows = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let from = (Bound::Included(prefix), Bound::Unbounded);
        for (key, value) in
            rows.range::<[u8], _>(from).take_while(|(key, _)| key.starts_with(prefix))
        {
            if !visit(key, value)? {
                break;
            }
        }
        Ok(())
    }
}

impl Engine for Memory {
    /// Nobody else can have what is in memory.
    fn release(&self) {}

    fn mend(&self) {}

    fn ready(&self) -> Result<()> {
        Ok(())
    }

    fn apply(&self, batch: Batch) -> Result<()> {
        let mut rows = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in batch {
            match value {
                Some(value) => rows.insert(key, value),
                None => rows.remove(&key),
            };
        }
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn rows_after(&self, key: &[u8], most: usize) -> Result<Vec<Row>> {
        let rows = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let after = (Bound::Excluded(key), Bound::Unbounded);
        let rows = rows.range::<[u8], _>(after).take(most);
        Ok(rows.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn rouse(&self) {}
}
