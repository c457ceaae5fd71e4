//! What must be there, so that a loss is noticed.
//!
//! An engine that lost rows to a damaged disk says nothing of it and opens with fewer: without
//! somebody's TOTP step a used code works again, without the last administrator the set-up page
//! opens. So the rows of [`layout::INVENTORIED`] are counted, and the sum (exclusive or) of their
//! keyed images is kept beside them, in the same batch as each change. A loss, a stale row or a
//! swap between rows shows at the next opening. This is against accidents: whoever can write the
//! files and watch the inventory change can also forge it.

use super::kv::{Batch, Rows};
use super::{Result, StoreError, layout, records};
use crate::crypto::Keyring;
use serde::{Deserialize, Serialize};

/// How many rows there are, and the sum of their images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Inventory {
    rows: u64,
    sum: [u8; 32],
}

impl Inventory {
    /// As it is kept.
    pub(super) fn read(rows: &(impl Rows + ?Sized)) -> Result<Option<Self>> {
        let row = rows.get(layout::INVENTORY)?;
        row.map(|row| records::unpack("the inventory", &row)).transpose()
    }

    /// As it should be kept, counted row by row.
    pub(super) fn count(rows: &(impl Rows + ?Sized), keys: &Keyring) -> Result<Self> {
        let mut counted = Self::default();
        for table in layout::INVENTORIED {
            rows.scan(&[table], &mut |key, value| {
                counted.add(keys, key, value);
                Ok(true)
            })?;
        }
        Ok(counted)
    }

    /// Counts a row that must be there.
    pub(super) fn add(&mut self, keys: &Keyring, key: &[u8], value: &[u8]) {
        self.rows = self.rows.saturating_add(1);
        self.toggle(keys, key, value);
    }

    /// Adds to a batch what the batch changes in the inventory.
    pub(super) fn keep(
        batch: &mut Batch,
        before: &(impl Rows + ?Sized),
        keys: &Keyring,
    ) -> Result<()> {
        let mut inventory = Self::read(before)?.unwrap_or_default();
        let known = inventory;
        for (key, value) in batch.iter() {
            if !layout::is_inventoried(key) {
                continue;
            }
            if let Some(old) = before.get(key)? {
                inventory.toggle(keys, key, &old);
                inventory.rows = inventory.rows.checked_sub(1).ok_or_else(miscounted)?;
            }
            if let Some(new) = value {
                inventory.toggle(keys, key, new);
                inventory.rows = inventory.rows.saturating_add(1);
            }
        }
        if inventory != known {
            batch.insert(layout::INVENTORY.to_vec(), Some(inventory.pack()?));
        }
        Ok(())
    }

    pub(super) fn pack(&self) -> Result<Vec<u8>> {
        records::pack(self)
    }

    /// Takes a row in, or out again.
    fn toggle(&mut self, keys: &Keyring, key: &[u8], value: &[u8]) {
        // The key's length goes first, so that a byte cannot move between key and value.
        let row = [&key.len().to_be_bytes(), key, value].concat();
        for (sum, mark) in self.sum.iter_mut().zip(keys.row_mark(&row)) {
            *sum ^= mark;
        }
    }
}

fn miscounted() -> StoreError {
    StoreError::Corrupt(String::from("there are more rows than its inventory counts"))
}
