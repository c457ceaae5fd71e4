//! Rows read and written again, for the targets in tests/fuzz. Nothing else may come in here.

use super::inventory::Inventory;
use super::records::{
    AwaitedRecord, HandoverRecord, PendingRecord, Seal, UserRecord, pack, pack_until, unpack,
    unpack_until, with_due,
};
use super::{Result, records};
use crate::crypto::{Keyring, RecoverySet};
use crate::domain::{AccessToken, Failures, KnownBrowser, Link, Session};
use crate::types::UserId;
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
    let keys = Keyring::from_master(b"a key for everybody, of 32 bytes").ok()?;
    rewrite(Seal { keys: &keys, row: b"row" }).ok()
}
