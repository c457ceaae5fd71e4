//! All rows as they were at one moment, read while writing goes on.
//!
//! The writer says what a row was before it changes one, and the reader, who goes through the rows
//! in their order, takes that in place of what it finds. What it has passed need not be noted any
//! more, so memory holds no more than what changed ahead of it, and nobody waits for anybody but
//! for the moment it takes to note or to look up.

use super::Result;
use super::kv::{Batch, Engine, Row};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Where the reader is, and what was changed since it began.
#[derive(Default)]
struct Reading {
    /// The last key it has passed.
    passed: Vec<u8>,
    /// Rows ahead of it as they were, or that there was none.
    before: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

/// What the writer and the one reader share.
#[derive(Default)]
pub(super) struct Snapshot(Mutex<Option<Reading>>);

impl Snapshot {
    fn held(&self) -> MutexGuard<'_, Option<Reading>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes this moment. Only the writer may call it, which is never in the midst of a round's
    /// writing then. False where another one is being read.
    pub(super) fn begin(&self) -> bool {
        let mut held = self.held();
        let is_free = held.is_none();
        held.get_or_insert_default();
        is_free
    }

    /// Ends the reading, to its end or not.
    pub(super) fn end(&self) {
        *self.held() = None;
    }

    /// Notes what rows are before a batch changes them.
    pub(super) fn note(&self, batch: &Batch, engine: &dyn Engine) -> Result<()> {
        let mut held = self.held();
        let Some(Reading { passed, before }) = held.as_mut() else { return Ok(()) };
        for key in batch.keys().filter(|key| *key > passed) {
            if !before.contains_key(key) {
                before.insert(key.clone(), engine.get(key)?);
            }
        }
        Ok(())
    }

    /// The next rows as they were; nothing after the last.
    pub(super) fn next(&self, engine: &dyn Engine, most: usize) -> Result<Option<Vec<Row>>> {
        let passed = match self.held().as_ref() {
            Some(reading) => reading.passed.clone(),
            None => return Ok(None),
        };
        // Read first and corrected afterwards: whatever changes meanwhile was noted before.
        let found = engine.rows_after(&passed, most)?;
        let end = if found.len() < most { None } else { found.last().map(|(key, _)| key.clone()) };
        let mut rows: BTreeMap<_, _> = found.into_iter().collect();
        let mut held = self.held();
        let Some(reading) = held.as_mut() else { return Ok(None) };
        let behind = match &end {
            Some(end) => {
                let mut ahead = reading.before.split_off(end);
                let at_end = ahead.remove_entry(end);
                let mut behind = std::mem::replace(&mut reading.before, ahead);
                behind.extend(at_end);
                behind
            }
            None => std::mem::take(&mut reading.before),
        };
        for (key, was) in behind {
            match was {
                Some(value) => rows.insert(key, value),
                None => rows.remove(&key),
            };
        }
        match end {
            Some(end) => reading.passed = end,
            None => *held = None,
        }
        Ok(Some(rows.into_iter().collect()))
    }
}

/// Ends a reading however it ends.
pub(super) struct Ending<'s>(pub(super) &'s Snapshot);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}
