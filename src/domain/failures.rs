//! What failures cost.
//!
//! A try is charged before it is judged, so that parallel tries cannot slip past the limit: right
//! ones get their charge back. Passwords and codes share one counter; only a finished sign-in, or
//! an administrator, clears it.

use crate::types::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Failures older than this are forgotten.
const MEMORY: Duration = Duration::from_secs(24 * 3600);

/// When a run of failures locks, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct FailureRules {
    /// This many in a row.
    pub lockout_after: u32,
    /// For this long.
    pub lockout_for: Duration,
}

impl Default for FailureRules {
    fn default() -> Self {
        Self { lockout_after: 10, lockout_for: Duration::from_secs(1800) }
    }
}

/// A run of failures: at an account, from a browser it knows, or at a name that is nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    count: u32,
    last_at: Timestamp,
    locked_until: Option<Timestamp>,
}

/// Whether a try is let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charge {
    /// It is, and counts as a failure until it is given back; perhaps as the one that locks.
    Admitted {
        /// Whether it is the one that locks.
        locks: bool,
    },
    /// It is not, until then.
    Locked(Timestamp),
}

impl Failures {
    /// Charges a try against what is known so far. What comes back is to be stored; nothing new
    /// is stored while locked, so that trying does not prolong the lock.
    pub fn charge(
        known: Option<Self>,
        rules: &FailureRules,
        now: Timestamp,
    ) -> (Option<Self>, Charge) {
        let current = known.filter(|failures| !failures.is_forgotten(now));
        if let Some((failures, until)) =
            current.and_then(|f| f.locked_until.map(|until| (f, until)))
        {
            // Where the clock was ahead meanwhile, the lock lasts no longer than any other.
            let latest = now.plus(rules.lockout_for);
            let shortened = Self { locked_until: Some(latest), ..failures };
            return ((until > latest).then_some(shortened), Charge::Locked(until.min(latest)));
        }
        let count = current.map_or(0, |failures| failures.count) + 1;
        let locked_until = (count >= rules.lockout_after).then(|| now.plus(rules.lockout_for));
        let locks = locked_until.is_some();
        (Some(Self { count, last_at: now, locked_until }), Charge::Admitted { locks })
    }

    /// Gives one charge back, for a step that was right.
    #[must_use]
    pub fn refund(self) -> Option<Self> {
        let count = self.count.saturating_sub(1);
        (count > 0).then_some(Self { count, locked_until: None, ..self })
    }

    /// Whether it no longer counts: its lock has run out, or it is a day old.
    pub fn is_forgotten(&self, now: Timestamp) -> bool {
        match self.locked_until {
            Some(until) => now >= until,
            None => now.since(self.last_at) >= MEMORY,
        }
    }

    /// When the store may drop it.
    pub fn forgotten_at(&self) -> Timestamp {
        self.locked_until.unwrap_or_else(|| self.last_at.plus(MEMORY))
    }

    /// Until when it locks, if it does.
    pub fn locked_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.locked_until.filter(|until| now < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: FailureRules =
        FailureRules { lockout_after: 3, lockout_for: Duration::from_secs(60) };

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn fail(times: u32, now: Timestamp) -> Option<Failures> {
        (0..times).fold(None, |known, _| Failures::charge(known, &RULES, now).0)
    }

    #[test]
    fn the_last_admitted_try_is_the_one_that_locks() {
        let admitted = |locks| Charge::Admitted { locks };
        assert_eq!(Failures::charge(fail(1, at(0)), &RULES, at(0)).1, admitted(false));
        assert_eq!(Failures::charge(fail(2, at(0)), &RULES, at(0)).1, admitted(true));
        assert_eq!(Failures::charge(fail(3, at(0)), &RULES, at(1)).1, Charge::Locked(at(60)));
    }

    #[test]
    fn a_lock_runs_out_and_trying_does_not_prolong_it() {
        let locked = fail(3, at(0));
        assert_eq!(Failures::charge(locked, &RULES, at(59)), (None, Charge::Locked(at(60))));
        let (fresh, charge) = Failures::charge(locked, &RULES, at(60));
        assert_eq!(charge, Charge::Admitted { locks: false });
        assert_eq!(fresh.unwrap().count, 1);
    }

    #[test]
    fn a_lock_from_a_clock_that_was_ahead_lasts_no_longer_than_a_lock() {
        let ahead = fail(3, at(1_000_000));
        let (shortened, charge) = Failures::charge(ahead, &RULES, at(500));
        assert_eq!(charge, Charge::Locked(at(560)));
        assert_eq!(Failures::charge(shortened, &RULES, at(559)).1, Charge::Locked(at(560)));
        let freed = Failures::charge(shortened, &RULES, at(560)).1;
        assert_eq!(freed, Charge::Admitted { locks: false });
    }

    #[test]
    fn a_right_step_gives_back_its_own_charge_and_no_more() {
        let three = fail(3, at(0)).unwrap();
        let two = three.refund().unwrap();
        assert_eq!((two.count, two.locked_until(at(0))), (2, None));
        assert_eq!(fail(1, at(0)).unwrap().refund(), None);
    }

    #[test]
    fn yesterdays_failures_are_forgotten() {
        let two = fail(2, at(0));
        let (later, _) = Failures::charge(two, &RULES, at(24 * 3600));
        assert_eq!(later.unwrap().count, 1);
    }
}
