//! The verbs for failure counters. A charge is on the disk before the try is judged, so that
//! neither parallel tries nor a crash give free ones.

use super::tables::Tables as _;
use super::verbs::KvStore;
use super::{Counters, Result};
use crate::domain::{AuditEvent, Charge, FailureRules, Failures, Occasion};
use crate::types::{Timestamp, UserId};
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

    async fn unlock(&self, user: UserId, counters: [u8; 16], on: Occasion) -> Result<bool> {
        self.writer
            .submit(move |txn| {
                let was_any = txn.forget_failures(&counters)?;
                txn.tell(AuditEvent::UserChanged { user, how: "unlocked" }, on)?;
                Ok(was_any)
            })
            .await
    }
}
