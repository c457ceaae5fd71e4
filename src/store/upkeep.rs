//! What keeps the store in order.
//!
//! Sweeping walks the expiry index from its beginning and no further than now, so it never meets
//! what lives on. It is housekeeping alone: every verb looks at the time itself, and nothing that
//! has expired is good because nobody has swept yet.

use super::kv::Rows as _;
use super::tables::Tables as _;
use super::txn::{Txn, unreadable};
use super::verbs::KvStore;
use super::{Result, Upkeep, layout};
use crate::types::{Timestamp, TokenDigest};
use async_trait::async_trait;

/// Rows that one job looks at.
const AT_ONCE: usize = 500;

/// What one job of sweeping came to.
#[derive(Default)]
struct Swept {
    removed: usize,
    moved: usize,
}

fn sweep(txn: &mut Txn<'_>, now: Timestamp) -> Result<Swept> {
    let mut due = Vec::new();
    txn.scan(&[layout::EXPIRY], &mut |key, _| {
        let (at, row) = layout::read_expiry(key).ok_or_else(|| unreadable("an expiry row"))?;
        if at <= now {
            due.push((at, row.to_vec()));
        }
        Ok(at <= now && due.len() < AT_ONCE)
    })?;
    let mut swept = Swept::default();
    for (at, key) in due {
        match ends_at(txn, &key)? {
            Some(ends) if now < ends => {
                txn.move_due(key, at, ends)?;
                swept.moved += 1;
            }
            Some(_) => {
                remove(txn, &key)?;
                swept.removed += 1;
            }
            None => {
                txn.remove(layout::expiry(at, &key));
                swept.moved += 1;
            }
        }
    }
    Ok(swept)
}

/// What kind of row a key in the expiry index names, and by what.
fn named(key: &[u8]) -> Result<(u8, [u8; 32])> {
    let kind = key.first().copied();
    kind.zip(key.last_chunk::<32>().copied()).ok_or_else(|| unreadable("an expiry row"))
}

/// When a row really ends, which may be later than the index says.
fn ends_at(txn: &Txn<'_>, key: &[u8]) -> Result<Option<Timestamp>> {
    let (kind, name) = named(key)?;
    let digest = TokenDigest::from_bytes(name);
    Ok(match kind {
        layout::SESSION => txn.session(&digest)?.map(|session| session.ends_at()),
        layout::PENDING => txn.pending(&digest)?.map(|pending| pending.expires_at()),
        layout::LINK => txn.link(&digest)?.map(|link| link.expires_at),
        layout::TOKEN => txn.token(&digest)?.map(|token| token.expires_at),
        layout::BROWSER => txn.browser(&digest)?.map(|browser| browser.expires_at()),
        layout::FAILURES => txn.failures(&name)?.map(|failures| failures.forgotten_at()),
        _ => return Err(unreadable("an expiry row")),
    })
}

fn remove(txn: &mut Txn<'_>, key: &[u8]) -> Result<()> {
    let (kind, name) = named(key)?;
    let digest = TokenDigest::from_bytes(name);
    match kind {
        layout::SESSION => match txn.session(&digest)? {
            Some(session) => txn.end_session(&digest, &session),
            None => Ok(()),
        },
        layout::PENDING => txn.remove_pending(&digest),
        layout::LINK => txn.remove_link(&digest),
        layout::TOKEN => txn.remove_token(&digest),
        layout::BROWSER => txn.remove_until(key.to_vec()),
        _ => txn.remove_failures(&name),
    }
}

#[async_trait]
impl Upkeep for KvStore {
    async fn sweep(&self, now: Timestamp) -> Result<usize> {
        loop {
            let swept = self.writer.submit(move |txn| sweep(txn, now)).await?;
            // Rows that only moved are not in the way again: each now lies beyond `now`.
            if swept.removed > 0 || swept.moved == 0 {
                return Ok(swept.removed);
            }
        }
    }

    async fn count_sessions(&self) -> Result<usize> {
        self.read(|rows| {
            let mut count = 0;
            rows.scan(&[layout::SESSION], &mut |_, _| {
                count += 1;
                Ok(true)
            })?;
            Ok(count)
        })
        .await
    }

    async fn check(&self) -> Result<()> {
        self.writer
            .submit(|txn| {
                txn.get(layout::INVENTORY)?;
                txn.demand_ready();
                txn.demand_sync();
                Ok(())
            })
            .await
    }

    async fn flush(&self) -> Result<()> {
        self.writer
            .submit(|txn| {
                txn.demand_sync();
                Ok(())
            })
            .await
    }
}
