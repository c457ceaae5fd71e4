//! What one round of writing has staged so far.
//!
//! Jobs run one after another on one thread and see what the jobs before them in the round left,
//! although nothing of it is written yet: reading, deciding and writing is one step without any
//! lock. A job that fails is undone, and the round goes on as if it had not been there. At the
//! end the round is one batch: after a crash all of it is there, or nothing.

use super::inventory::Inventory;
use super::kv::{Batch, Engine, Rows, Sealing, Visit};
use super::snapshot::Snapshot;
use super::{Result, StoreError, layout, records, trail};
use crate::crypto::Keyring;
use crate::domain::{AuditEvent, Happening, Occasion};
use crate::types::Timestamp;
use serde::Serialize;
use std::ops::Bound;

/// What was staged for a key: nothing yet, a removal, or a value.
type Before = Option<Option<Vec<u8>>>;

/// A round of jobs, staged over an engine.
pub(super) struct Txn<'r> {
    engine: &'r dyn Engine,
    keys: &'r Keyring,
    staged: Batch,
    /// What was staged for a key before the job under way changed it.
    undo: Vec<(Vec<u8>, Before)>,
    /// What the job under way did, as the trail has it.
    told: Vec<Happening>,
    must_sync: bool,
    must_be_ready: bool,
}

impl<'r> Txn<'r> {
    pub(super) fn new(engine: &'r dyn Engine, keys: &'r Keyring) -> Self {
        Self {
            engine,
            keys,
            staged: Batch::new(),
            undo: Vec::new(),
            told: Vec::new(),
            must_sync: false,
            must_be_ready: false,
        }
    }

    /// Stages a row.
    pub(super) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.stage(key, Some(value));
    }

    /// Stages the removal of a row.
    pub(super) fn remove(&mut self, key: Vec<u8>) {
        self.stage(key, None);
    }

    /// Stages an entry of the audit trail: what the job under way does is told with it, or both go.
    pub(super) fn tell(&mut self, event: AuditEvent, on: Occasion) -> Result<()> {
        let happening = Happening { event, on };
        trail::append(self, &happening)?;
        self.told.push(happening);
        Ok(())
    }

    /// What the job that was done has told.
    pub(super) fn take_told(&mut self) -> Vec<Happening> {
        std::mem::take(&mut self.told)
    }

    fn stage(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        let before = self.staged.insert(key.clone(), value);
        self.undo.push((key, before));
    }

    /// Stages a row that is to be looked at again at `ends` at the latest. Where a row that ends
    /// later replaces one, it stays in its old place in the expiry index: sweeping looks, and
    /// moves it. So a session in use does not write two index rows for each touch.
    pub(super) fn put_until(
        &mut self,
        key: Vec<u8>,
        ends: Timestamp,
        body: &impl Serialize,
    ) -> Result<()> {
        let due = match self.due(&key)? {
            Some(due) if due <= ends => due,
            other => {
                if let Some(due) = other {
                    self.remove(layout::expiry(due, &key));
                }
                self.put(layout::expiry(ends, &key), Vec::new());
                ends
            }
        };
        let value = records::pack_until(due, body)?;
        self.put(key, value);
        Ok(())
    }

    /// Stages the removal of a row that was put with [`Txn::put_until`].
    pub(super) fn remove_until(&mut self, key: Vec<u8>) -> Result<()> {
        if let Some(due) = self.due(&key)? {
            self.remove(layout::expiry(due, &key));
            self.remove(key);
        }
        Ok(())
    }

    fn due(&self, key: &[u8]) -> Result<Option<Timestamp>> {
        self.get(key)?.map(|row| records::due(&row)).transpose()
    }

    /// Has the round brought to the disk, even if nothing is staged.
    pub(super) fn demand_sync(&mut self) {
        self.must_sync = true;
    }

    /// Has the round find out whether the engine can write.
    pub(super) fn demand_ready(&mut self) {
        self.must_be_ready = true;
    }

    /// The job under way is done: what it staged stays, durably or not.
    pub(super) fn keep(&mut self, durably: bool) {
        self.must_sync |= durably && !self.undo.is_empty();
        self.undo.clear();
    }

    /// The job under way failed: what it staged goes.
    pub(super) fn discard(&mut self) {
        self.told.clear();
        for (key, before) in self.undo.drain(..).rev() {
            match before {
                Some(value) => self.staged.insert(key, value),
                None => self.staged.remove(&key),
            };
        }
    }

    /// Writes the round, and brings it to the disk where a job needs that.
    pub(super) fn settle(mut self, snapshot: &Snapshot) -> Result<()> {
        if self.must_be_ready || !self.staged.is_empty() {
            self.engine.ready()?;
        }
        if !self.staged.is_empty() {
            Inventory::keep(&mut self.staged, self.engine, self.keys)?;
            snapshot.note(&self.staged, self.engine)?;
            self.engine.apply(self.staged)?;
        }
        if self.must_sync { self.engine.sync() } else { Ok(()) }
    }
}

impl Rows for Txn<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        match self.staged.get(key) {
            Some(staged) => Ok(staged.clone()),
            None => self.engine.get(key),
        }
    }

    /// Merges what is staged into what the engine has: both come in order of their keys.
    fn scan(&self, prefix: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let range = self.staged.range::<[u8], _>(from);
        let mut staged = range.take_while(|(key, _)| key.starts_with(prefix)).peekable();
        let mut goes_on = true;
        self.engine.scan(prefix, &mut |key, value| {
            while let Some((ahead, row)) = staged.next_if(|(ahead, _)| ahead.as_slice() < key) {
                goes_on = row.as_ref().map_or(Ok(true), |row| visit(ahead, row))?;
                if !goes_on {
                    return Ok(false);
                }
            }
            goes_on = match staged.next_if(|(ahead, _)| ahead.as_slice() == key) {
                Some((_, Some(row))) => visit(key, row)?,
                Some((_, None)) => true,
                None => visit(key, value)?,
            };
            Ok(goes_on)
        })?;
        for (key, row) in staged {
            if !goes_on {
                break;
            }
            if let Some(row) = row {
                goes_on = visit(key, row)?;
            }
        }
        Ok(())
    }
}

impl Sealing for Txn<'_> {
    fn keys(&self) -> &Keyring {
        self.keys
    }
}

/// For what a key or a row should say and does not.
pub(super) fn unreadable(what: &str) -> StoreError {
    StoreError::Corrupt(format!("{what} cannot be read"))
}
