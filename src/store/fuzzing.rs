//! Rows read and written again, and backups of them, for the targets in tests/fuzz. Nothing else may
//! come in here.

use super::backup::{Backup, Writing};
use super::inventory::Inventory;
use super::kv::Row;
use super::layout;
use super::records::{
    AwaitedRecord, HandoverRecord, PendingRecord, Seal, UserRecord, pack, pack_until, unpack,
    unpack_until, with_due,
};
use super::{Result, records};
use crate::crypto::{Keyring, RecoverySet};
use crate::domain::{AccessToken, Entry, Failures, KnownBrowser, Link, Session, Tip};
use crate::types::{Timestamp, UserId};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Reads a row as one of the kinds there are and writes what was read; none where it is no such
/// row, or there is no such kind.
pub fn rewritten(kind: u8, row: &[u8]) -> Option<Vec<u8>> {
    match kind {
        b's' => dated::<Session>(row),
        b'l' => dated::<Link>(row),
        b'a' => dated::<AccessToken>(row),
        b'f' => dated::<Failures>(row),
        b'k' => dated::<KnownBrowser>(row),
        b'r' => plain::<RecoverySet>(row),
        b't' => plain::<u64>(row),
        b'd' => plain::<Entry>(row),
        b'T' => plain::<Tip>(row),
        b'I' => plain::<Inventory>(row),
        b'u' => sealed(|seal| {
            let user = unpack::<UserRecord>("a record", row)?.open(NOBODY, seal)?;
            pack(&UserRecord::of(&user, seal)?)
        }),
        b'p' => sealed(|seal| {
            let pending = unpack_until::<PendingRecord>("a record", row)?.open(seal)?;
            pack_until(records::due(row)?, &PendingRecord::of(&pending, seal)?)
        }),
        b'w' => sealed(|seal| {
            let awaited = unpack::<AwaitedRecord>("a record", row)?.open(seal)?;
            pack(&AwaitedRecord::of(&awaited, seal)?)
        }),
        b'h' => sealed(|seal| {
            let codes = unpack::<HandoverRecord>("a record", row)?.open(seal)?;
            pack(&HandoverRecord::of(&codes, seal)?)
        }),
        _ => None,
    }
}

const NOBODY: UserId = UserId::from_bytes([0; 16]);

fn plain<T: Serialize + DeserializeOwned>(row: &[u8]) -> Option<Vec<u8>> {
    pack(&unpack::<T>("a record", row).ok()?).ok()
}

fn dated<T: Serialize + DeserializeOwned>(row: &[u8]) -> Option<Vec<u8>> {
    let record = unpack_until::<T>("a record", row).ok()?;
    let due = records::due(row).ok()?;
    with_due(&pack_until(due, &record).ok()?, due).ok()
}

/// With a key that everybody knows.
fn sealed(rewrite: impl FnOnce(Seal<'_>) -> Result<Vec<u8>>) -> Option<Vec<u8>> {
    rewrite(Seal { keys: &keys()?, row: b"row" }).ok()
}

fn keys() -> Option<Keyring> {
    Keyring::from_master(b"a key for everybody, of 32 bytes").ok()
}

/// A backup of these rows, and of what counts them.
pub fn backup(rows: &[Row]) -> Option<Vec<u8>> {
    let (keys, mut out, mut inventory) = (keys()?, Vec::new(), Inventory::default());
    let mut writing = Writing::begin(&mut out, &keys, Timestamp::from_secs(1)).ok()?;
    for (key, value) in rows {
        if layout::is_inventoried(key) {
            inventory.add(&keys, key, value);
        }
        writing.row(key, value).ok()?;
    }
    writing.row(layout::INVENTORY, &inventory.pack().ok()?).ok()?;
    writing.finish().ok()?;
    Some(out)
}

/// A backup that opens to these pieces, whether or not they are rows.
pub fn backup_of(pieces: &[&[u8]]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut writing = Writing::begin(&mut out, &keys()?, Timestamp::from_secs(1)).ok()?;
    let (last, others) = pieces.split_last()?;
    for piece in others {
        writing.piece(piece, false).ok()?;
    }
    writing.piece(last, true).ok()?;
    Some(out)
}

/// The rows of a backup, where all of it opens.
pub fn restored(backup: &[u8]) -> Option<Vec<Row>> {
    let mut rows = Vec::new();
    let mut keep = |key: &[u8], value: &[u8]| {
        rows.push((key.to_vec(), value.to_vec()));
        Ok(())
    };
    Backup::begin(backup).ok()?.each(&keys()?, &mut keep).ok()?;
    Some(rows)
}
