//! What tries cost, before anything of them is judged.
//!
//! ```text
//!   a try ──► its address ──► a place in the hashing queue ──► its account ──► the lockout ──► judged
//!              429                        503                      429            423
//! ```
//!
//! Addresses and accounts have a rate, kept in memory in a table of fixed size: when a place is
//! wanted there, the window with the fewest tries in it goes first, so that made-up names push out
//! each other and not the counter of whoever is being guessed at. Failures are kept in the store:
//! they outlive the process, and a charge is on the disk before the try is judged.
//!
//! A browser that somebody has signed in with before is counted by itself, so that strangers
//! cannot lock its owner out. Names that are nobody's are counted as if they were somebody's.

use super::sign_in::Visitor;
use super::{Denied, Service};
use crate::crypto::{TokenKind, digest};
use crate::domain::{Charge, Occasion, Rate, SignInFailure, User, Window};
use crate::types::{Login, RequestCx, Timestamp, UserId};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};

/// Buckets of the table that sign-ins are counted in; a power of two.
pub(super) const BUCKETS: usize = 1 << 12;
/// Windows a bucket.
const WAYS: usize = 8;

/// How often addresses and accounts may try.
#[derive(Clone, Copy, Debug)]
pub struct RateRules {
    /// Sign-ins from one address; an IPv6 network of 56 bits is one.
    pub per_address: Rate,
    /// Sign-ins to one account, from browsers it does not know.
    pub per_account: Rate,
}

impl Default for RateRules {
    fn default() -> Self {
        use std::time::Duration;
        Self {
            per_address: Rate { times: 10, per: Duration::from_secs(60) },
            per_account: Rate { times: 10, per: Duration::from_secs(900) },
        }
    }
}

/// A few windows, each under a name.
type Bucket = Mutex<[(u64, Window); WAYS]>;

/// Windows by what they are for, as many as fit.
pub(super) struct Windows {
    hasher: RandomState,
    buckets: Box<[Bucket]>,
}

impl Windows {
    pub(super) fn new(buckets: usize) -> Self {
        let buckets = (0..buckets).map(|_| Mutex::default()).collect();
        Self { hasher: RandomState::new(), buckets }
    }

    fn place(&self, whose: impl std::hash::Hash) -> (u64, Option<&Bucket>) {
        let name = self.hasher.hash_one(whose);
        (
            name,
            self.buckets.get(usize::try_from(name).unwrap_or_default() % self.buckets.len().max(1)),
        )
    }

    fn forget(&self, whose: impl std::hash::Hash) {
        let (name, bucket) = self.place(whose);
        let Some(bucket) = bucket else { return };
        let mut held = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        for slot in held.iter_mut().filter(|(known, _)| *known == name) {
            slot.1 = Window::default();
        }
    }

    pub(super) fn admit(
        &self,
        rate: &Rate,
        whose: impl std::hash::Hash,
        now: Timestamp,
    ) -> Result<(), Timestamp> {
        let (name, bucket) = self.place(whose);
        // There is a bucket at each place; were there none, nothing would pass.
        let bucket = bucket.ok_or_else(|| now.plus(rate.per))?;
        let mut held = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let choice = |(known, window): &&mut (u64, Window)| (*known != name, window.weight(now));
        let slot = held.iter_mut().min_by_key(choice).ok_or_else(|| now.plus(rate.per))?;
        if slot.0 != name {
            *slot = (name, Window::default());
        }
        rate.admit(&mut slot.1, now)
    }
}

/// What a try is counted under.
#[derive(Clone, Copy)]
pub(super) struct Counter {
    key: [u8; 32],
    /// Whether the browser is one that the account knows.
    is_own: bool,
}

/// A try that has been charged.
#[must_use]
pub(super) struct Tried {
    counter: Counter,
    user: Option<UserId>,
}

impl Counter {
    pub(super) const fn key(self) -> [u8; 32] {
        self.key
    }

    /// Whether it is that of a browser the account knows.
    pub(super) const fn is_own(self) -> bool {
        self.is_own
    }
}

impl Service {
    /// Lets a try from this address through, if it is not one too many.
    pub(super) async fn admit_address(&self, cx: &RequestCx) -> Result<(), Denied> {
        let rate = &self.settings.rates.per_address;
        match self.windows.admit(rate, ("address", cx.client.site()), cx.now) {
            Ok(()) => Ok(()),
            Err(until) => {
                let denied = Denied::RateLimited(until);
                Err(self
                    .turned_away(cx.client.site(), None, SignInFailure::AddressRate, cx, denied)
                    .await)
            }
        }
    }

    /// What a try at an account, or at a name that is nobody's, is counted under.
    pub(super) async fn counter(
        &self,
        user: Option<&User>,
        login: &Login,
        visitor: Visitor<'_>,
    ) -> Result<Counter, Denied> {
        let Some(user) = user else {
            // Read for names that are nobody's as well, which would be told by the time otherwise.
            if let Some(token) = visitor.browser {
                self.store.browser(digest(TokenKind::Browser, token), visitor.cx.now).await?;
            }
            return Ok(Counter { key: self.keys.stranger_key(login), is_own: false });
        };
        self.counter_of(user, visitor).await
    }

    pub(super) async fn counter_of(
        &self,
        user: &User,
        visitor: Visitor<'_>,
    ) -> Result<Counter, Denied> {
        let browser = visitor.browser.map(|token| digest(TokenKind::Browser, token));
        if let Some(browser) = browser {
            let known = self.store.browser(browser, visitor.cx.now).await?;
            if known.is_some_and(|known| known.knows(user.id, user.credentials)) {
                let key = self.keys.counter_key(user.id, Some(&browser));
                return Ok(Counter { key, is_own: true });
            }
        }
        Ok(Counter { key: self.keys.counter_key(user.id, None), is_own: false })
    }

    /// Lets a sign-in to an account through, if it is not one too many. Of two reasons to refuse,
    /// the one that lasts is told.
    pub(super) async fn admit_account(
        &self,
        counter: Counter,
        user: Option<&User>,
        cx: &RequestCx,
    ) -> Result<(), Denied> {
        let rate = &self.settings.rates.per_account;
        if counter.is_own {
            return Ok(());
        }
        let Err(until) = self.windows.admit(rate, ("account", counter.key), cx.now) else {
            return Ok(());
        };
        let id = user.map(|user| user.id);
        let failures = self.store.failures(counter.key).await?;
        let rules = &self.settings.failures;
        if let Some(locked) = failures.and_then(|failures| failures.locked_until(rules, cx.now)) {
            let denied = Denied::Locked(locked);
            return Err(self
                .turned_away(counter.key(), id, SignInFailure::Locked, cx, denied)
                .await);
        }
        let denied = Denied::RateLimited(until);
        Err(self.turned_away(counter.key(), id, SignInFailure::AccountRate, cx, denied).await)
    }

    /// Forgets all failures of a person and all tries at their account; whether there were any
    /// failures.
    pub(super) async fn unlock(&self, user: UserId, on: Occasion) -> Result<bool, Denied> {
        self.windows.forget(("account", self.keys.counter_key(user, None)));
        Ok(self.store.unlock(user, self.keys.counters_of(user), on).await?)
    }

    /// Charges a try before it is judged. [`Service::judged`] settles it.
    pub(super) async fn charge(
        &self,
        counter: Counter,
        user: Option<&User>,
        cx: &RequestCx,
    ) -> Result<Tried, Denied> {
        let user = user.map(|user| user.id);
        let rules = &self.settings.failures;
        match self.store.charge(counter.key, user, rules, cx.into()).await? {
            Charge::Admitted => Ok(Tried { counter, user }),
            Charge::Locked { until, .. } => {
                let denied = Denied::Locked(until);
                Err(self.turned_away(counter.key(), user, SignInFailure::Locked, cx, denied).await)
            }
        }
    }

    /// Settles a try: a wrong one stays charged. A right one gets its charge back, and so does one
    /// that was never judged, for nobody is locked out by our own faults.
    pub(super) async fn judged<T>(
        &self,
        tried: Tried,
        outcome: Result<T, Denied>,
        cx: &RequestCx,
    ) -> Result<T, Denied> {
        let refund = self.store.refund(tried.counter.key);
        let why = match &outcome {
            Err(Denied::Credentials) => SignInFailure::Credentials,
            Err(Denied::Code | Denied::ClockOff(_)) => SignInFailure::Code,
            Err(Denied::CodeUsed) => SignInFailure::CodeReused,
            Ok(_) => {
                refund.await?;
                return outcome;
            }
            // What the store cannot take back now, it forgets in time.
            Err(_) => {
                drop(refund.await);
                return outcome;
            }
        };
        let Tried { counter, user } = tried;
        self.store.fail(counter.key, user, why, &self.settings.failures, cx.into()).await?;
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_million_made_up_names_do_not_push_out_the_one_that_is_guessed_at() {
        let windows = Windows::new(BUCKETS);
        let rate = Rate { times: 10, per: Duration::from_secs(900) };
        let now = Timestamp::from_secs(1_800_000_000);
        for _ in 0..10 {
            assert_eq!(windows.admit(&rate, "ann", now), Ok(()));
        }
        for made_up in 0..1_000_000_u32 {
            let _ = windows.admit(&rate, made_up, now);
        }
        assert!(windows.admit(&rate, "ann", now).is_err());
        assert_eq!(windows.admit(&rate, "ann", now.plus(rate.per)), Ok(()));
    }
}
