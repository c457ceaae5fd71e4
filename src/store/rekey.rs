//! Rows that one master key sealed, as another one seals them.
//!
//! Sealed values are opened and sealed anew. A failure counter lies under a keyed image: those of
//! people move to the new one, since everybody's id is known, and so is every browser. Those of
//! names that are nobody's are let go, since no name is kept of them.

use super::kv::{Row, Rows};
use super::records::{
    self, AwaitedRecord, HandoverRecord, PendingRecord, Seal, StatementsRecord, UserRecord,
};
use super::txn::unreadable;
use super::{Result, layout};
use crate::crypto::Keyring;
use crate::types::{TokenDigest, UserId};
use std::collections::BTreeMap;

type Halves = BTreeMap<[u8; 16], [u8; 16]>;

/// From one master key to another.
pub(super) struct Rekey<'k> {
    old: &'k Keyring,
    new: &'k Keyring,
    /// Where the counters of each person lie, and where they will.
    people: Halves,
    /// The same for each browser.
    browsers: Halves,
}

impl<'k> Rekey<'k> {
    pub(super) fn new(old: &'k Keyring, new: &'k Keyring) -> Self {
        let none = BTreeMap::from([([0; 16], [0; 16])]);
        Self { old, new, people: BTreeMap::new(), browsers: none }
    }

    /// Learns from all rows whose counters there may be, before the first is moved.
    pub(super) fn learn_all(&mut self, rows: &(impl Rows + ?Sized)) -> Result<()> {
        for table in [layout::USER, layout::BROWSER] {
            rows.scan(&[table], &mut |key, _| {
                self.learn(key);
                Ok(true)
            })?;
        }
        Ok(())
    }

    /// Learns from a row whose counters there may be.
    pub(super) fn learn(&mut self, key: &[u8]) {
        match key {
            [layout::USER, id @ ..] => {
                let Ok(id) = id.try_into().map(UserId::from_bytes) else { return };
                self.people.insert(self.old.counters_of(id), self.new.counters_of(id));
            }
            [layout::BROWSER, digest @ ..] => {
                let Ok(digest) = digest.try_into().map(TokenDigest::from_bytes) else { return };
                let half = |keys: &Keyring| keys.browser_counter(&digest);
                self.browsers.insert(half(self.old), half(self.new));
            }
            _ => {}
        }
    }

    /// The row under the new key; nothing where it is let go, or is the store's own.
    pub(super) fn row(&self, key: &[u8], value: &[u8]) -> Result<Option<Row>> {
        let value = match key.first() {
            Some(&layout::FAILURES) => {
                return Ok(self.counter(key).map(|key| (key, value.to_vec())));
            }
            Some(&layout::EXPIRY) => return self.expiry(key, value),
            Some(&layout::USER) => self.user(key, value)?,
            Some(&layout::PENDING) => self.pending(key, value)?,
            Some(&layout::ENROLMENT) => self.awaited(key, value)?,
            Some(&layout::HANDOVER) => self.handover(key, value)?,
            _ if key == layout::STATEMENTS => self.statements(key, value)?,
            _ if layout::is_the_stores_own(key) => return Ok(None),
            _ => value.to_vec(),
        };
        Ok(Some((key.to_vec(), value)))
    }

    fn seals<'r>(&self, row: &'r [u8]) -> (Seal<'r>, Seal<'r>)
    where
        'k: 'r,
    {
        (Seal { keys: self.old, row }, Seal { keys: self.new, row })
    }

    /// Where a counter lies.
    fn counter(&self, key: &[u8]) -> Option<Vec<u8>> {
        let image: &[u8; 32] = key.get(1..)?.try_into().ok()?;
        let (person, browser) = (image.first_chunk::<16>()?, image.last_chunk::<16>()?);
        let halves = [self.people.get(person)?.as_slice(), self.browsers.get(browser)?];
        Some(layout::failures(&halves.concat().try_into().ok()?))
    }

    fn expiry(&self, key: &[u8], value: &[u8]) -> Result<Option<Row>> {
        let (at, row) = layout::read_expiry(key).ok_or_else(|| unreadable("an expiry row"))?;
        let row = match row.first() {
            Some(&layout::FAILURES) => self.counter(row),
            _ => Some(row.to_vec()),
        };
        Ok(row.map(|row| (layout::expiry(at, &row), value.to_vec())))
    }

    fn user(&self, key: &[u8], value: &[u8]) -> Result<Vec<u8>> {
        let (old, new) = self.seals(key);
        let id = key.get(1..).and_then(|id| id.try_into().ok()).map(UserId::from_bytes);
        let id = id.ok_or_else(|| unreadable("a person's key"))?;
        let record: UserRecord = records::unpack("a person's record", value)?;
        records::pack(&UserRecord::of(&record.open(id, old)?, new)?)
    }

    fn pending(&self, key: &[u8], value: &[u8]) -> Result<Vec<u8>> {
        let (old, new) = self.seals(key);
        let record: PendingRecord = records::unpack_until("a sign-in under way", value)?;
        let record = PendingRecord::of(&record.open(old)?, new)?;
        records::pack_until(records::due(value)?, &record)
    }

    fn awaited(&self, key: &[u8], value: &[u8]) -> Result<Vec<u8>> {
        let (old, new) = self.seals(key);
        let record: AwaitedRecord = records::unpack("a secret to be confirmed", value)?;
        records::pack(&AwaitedRecord::of(&record.open(old)?, new)?)
    }

    fn handover(&self, key: &[u8], value: &[u8]) -> Result<Vec<u8>> {
        let (old, new) = self.seals(key);
        let record: HandoverRecord = records::unpack("a list of recovery codes", value)?;
        records::pack(&HandoverRecord::of(&record.open(old)?, new)?)
    }

    fn statements(&self, key: &[u8], value: &[u8]) -> Result<Vec<u8>> {
        let (old, new) = self.seals(key);
        let record: StatementsRecord = records::unpack("earlier signing keys", value)?;
        records::pack(&StatementsRecord::of(&record.open(old)?, new)?)
    }
}
