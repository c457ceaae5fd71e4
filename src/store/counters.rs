//! The verbs for failure counters. A charge is on the disk before the try is judged, so that
//! neither parallel tries nor a crash give free ones. A lock is told of when it begins, whichever
//! verb finds that it does.

use super::tables::Tables as _;
use super::verbs::KvStore;
use super::{Counters, Result};
use crate::domain::{AuditEvent, Charge, FailureRules, Failures, Occasion, SignInFailure};
use crate::types::UserId;
use async_trait::async_trait;

#[async_trait]
impl Counters for KvStore {
    async fn charge(
        &self,
        key: [u8; 32],
        user: Option<UserId>,
        rules: &FailureRules,
        on: Occasion,
    ) -> Result<Charge> {
        let rules = *rules;
        self.writer
            .submit(move |txn| {
                let (counted, charge) = Failures::charge(txn.failures(&key)?, &rules, on.at);
                if let Some(counted) = counted {
                    txn.put_failures(&key, &counted)?;
                }
                if matches!(charge, Charge::Locked { begins: true, .. }) {
                    txn.tell(AuditEvent::LockedOut { user }, on)?;
                }
                Ok(charge)
            })
            .await
    }

    async fn fail(
        &self,
        key: [u8; 32],
        user: Option<UserId>,
        why: SignInFailure,
        rules: &FailureRules,
        on: Occasion,
    ) -> Result<()> {
        let rules = *rules;
        self.writer
            .submit(move |txn| {
                txn.tell(AuditEvent::SignInFailed { user, why }, on)?;
                let Some(counted) = txn.failures(&key)? else { return Ok(()) };
                let Some((locked, _)) = counted.lock(&rules, on.at) else { return Ok(()) };
                txn.put_failures(&key, &locked)?;
                txn.tell(AuditEvent::LockedOut { user }, on)
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
