//! The verbs for failure counters. A charge is on the disk before the try is judged, so that
//! neither parallel tries nor a crash give free ones.

use super::kv::Rows as _;
use super::tables::Tables as _;
use super::verbs::KvStore;
use super::{Counters, Result, layout};
use crate::domain::{Charge, FailureRules, Failures};
use crate::types::Timestamp;
use async_trait::async_trait;

#[async_trait]
impl Counters for KvStore {
    async fn charge(&self, key: [u8; 32], rules: &FailureRules, now: Timestamp) -> Result<Charge> {
        let rules = *rules;
        self.writer
            .submit(move |txn| {
                let (counted, charge) = Failures::charge(txn.failures(&key)?, &rules, now);
                if let Some(counted) = counted {
                    txn.put_failures(&key, &counted)?;
                }
                Ok(charge)
            })
            .await
    }

    async fn refund(&self, key: [u8; 32]) -> Result<()> {
        self.writer
            .submit(move |txn| match txn.failures(&key)? {
                None => Ok(()),
                Some(counted) => match counted.refund() {
                    Some(less) => txn.put_failures(&key, &less),
                    None => txn.remove_failures(&key),
                },
            })
            .await
    }

    async fn failures(&self, key: [u8; 32]) -> Result<Option<Failures>> {
        self.read(move |view| view.failures(&key)).await
    }

    async fn clear(&self, beginning: [u8; 16]) -> Result<bool> {
        self.writer
            .submit(move |txn| {
                let mut keys = Vec::new();
                txn.scan(&layout::failures_of(&beginning), &mut |key, _| {
                    keys.push(key.to_vec());
                    Ok(true)
                })?;
                let was_any = !keys.is_empty();
                keys.into_iter().try_for_each(|key| txn.remove_until(key))?;
                Ok(was_any)
            })
            .await
    }
}
