//! How hard a new password is to guess, for whoever is choosing one.
//!
//! It is said and never held against anybody: which passwords are taken is for the configuration
//! to say. Nothing of it is kept or written down.

use super::{Denied, Service};
use crate::crypto::Strength;
use crate::domain::Rate;
use crate::types::{RequestCx, Secret};
use std::time::Duration;

/// Passwords that are weighed at one time: sign-ins wait for the same threads.
pub(super) const WEIGHING: usize = 2;

/// How often one address may ask: somebody who types pauses less often than that.
const RATE: Rate = Rate { times: 120, per: Duration::from_secs(60) };

/// Addresses are counted in a small table of their own, so that who asks a lot pushes nobody out of
/// the one for sign-ins.
pub(super) const BUCKETS: usize = 1 << 6;

impl Service {
    /// Weighs a password for somebody of whom these words are known. Whoever asks too often, or
    /// while too many do, does without.
    pub async fn strength(
        &self,
        password: &str,
        known: Vec<String>,
        cx: &RequestCx,
    ) -> Result<Strength, Denied> {
        let _place = self.weighing.try_acquire().map_err(|_| Denied::Busy)?;
        let admitted = self.weighed.admit(&RATE, cx.client.site(), cx.now);
        admitted.map_err(Denied::RateLimited)?;
        let password = Secret::new(password.to_owned());
        self.hashing.run(move || Strength::of(password.reveal(), &known)).await
    }
}
