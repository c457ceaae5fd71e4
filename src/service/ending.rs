//! Ending sessions, come what may.
//!
//! Sessions end in the store first and then in memory. The second must happen however the first
//! went: the store may have done it and failed to say so, be about to do it, or the one who asked
//! may have left meanwhile. So memory forgets in any case; and where the outcome is not known,
//! everything in memory is doubted until the store has answered for all that was asked of it.

use super::Service;
use super::live::Which;
use crate::store::StoreError;
use std::sync::atomic::Ordering;

/// Forgets when dropped.
struct Ending<'s> {
    service: &'s Service,
    which: Which,
    /// Whether the sessions end, or only have to be read afresh.
    ends: bool,
    is_known: bool,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if self.ends {
            self.service.live.end_where(self.which);
        } else {
            self.service.live.forget_where(self.which);
        }
        if !self.is_known {
            self.service.in_doubt.store(true, Ordering::SeqCst);
        }
    }
}

impl Service {
    /// Does what ends sessions in the store, and ends them in memory.
    pub(super) async fn ending<T>(
        &self,
        which: Which,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.settling(which, true, work).await
    }

    /// Does what changes a person's record in the store, and reads their sessions afresh, which
    /// end with some changes.
    pub(super) async fn settling<T>(
        &self,
        which: Which,
        ends: bool,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let mut ending = Ending { service: self, which, ends, is_known: false };
        let outcome = work.await;
        ending.is_known = outcome.is_ok();
        outcome
    }

    /// Where it is not known which sessions ended, waits until the store has done all that was
    /// asked of it, and forgets everything that was read before. Called every second.
    pub async fn settle(&self) -> Result<(), StoreError> {
        if !self.in_doubt.swap(false, Ordering::SeqCst) {
            return Ok(());
        }
        let settled = self.store.flush().await;
        self.in_doubt.fetch_or(settled.is_err(), Ordering::SeqCst);
        self.live.end_where(Which::All);
        settled
    }
}
