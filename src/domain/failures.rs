//! What failures cost.
//!
//! A try is charged before it is judged, so that parallel tries cannot slip past the limit: right
//! ones get their charge back, and the wrong one that makes them too many locks. Passwords and codes
//! share one counter; only a finished sign-in, or an administrator, clears it.

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
    /// It is, and counts as a failure until it is given back.
    Admitted,
    /// It is not.
    Locked {
        /// Until then.
        until: Timestamp,
        /// Whether it finds as many tries counted as there may be, and so begins the lock.
        begins: bool,
    },
}

impl Failures {
    /// Charges a try against what is known so far. What comes back is to be stored; nothing new
    /// is stored while locked, so that trying does not prolong the lock.
    pub fn charge(
        known: Option<Self>,
        rules: &FailureRules,
        now: Timestamp,
    ) -> (Option<Self>, Charge) {
        let none = Self { count: 0, last_at: now, locked_until: None };
        let current = known.filter(|failures| !failures.is_forgotten(now)).unwrap_or(none);
        if let Some(until) = current.locked_until(rules, now) {
            let bounded = Self { locked_until: Some(until), ..current };
            return (
                (bounded != current).then_some(bounded),
                Charge::Locked { until, begins: false },
            );
        }
        // The last of them is being judged, or was when the process ended: it counts as wrong from
        // the moment it was charged, so that nobody who comes hours later is locked out for it.
        let unjudged = current.lock(rules, current.last_at.min(now));
        if let Some((locked, until)) = unjudged.filter(|(_, until)| now < *until) {
            return (Some(locked), Charge::Locked { until, begins: true });
        }
        let current = if unjudged.is_some() { none } else { current };
        let charged = Self { count: current.count.saturating_add(1), last_at: now, ..current };
        (Some(charged), Charge::Admitted)
    }

    /// The lock that begins once a try turned out to be wrong, and until when: none where there
    /// may be more tries, or it has begun.
    pub fn lock(self, rules: &FailureRules, now: Timestamp) -> Option<(Self, Timestamp)> {
        let until = now.plus(rules.lockout_for);
        let begins = self.count >= rules.lockout_after && self.locked_until.is_none();
        begins.then_some((Self { locked_until: Some(until), ..self }, until))
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

    /// Until when it locks, if it does. Where the clock was ahead when it began to, that is no
    /// later than if it began now.
    pub fn locked_until(&self, rules: &FailureRules, now: Timestamp) -> Option<Timestamp> {
        let until = self.locked_until.filter(|until| now < *until)?;
        Some(until.min(now.plus(rules.lockout_for)))
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

    const ADMITTED: Charge = Charge::Admitted;

    fn locked(until: u64, begins: bool) -> Charge {
        Charge::Locked { until: at(until), begins }
    }

    /// Tries that were wrong, each charged and judged.
    fn fail(times: u32, now: Timestamp) -> Option<Failures> {
        (0..times).fold(None, |known, _| {
            let charged = Failures::charge(known, &RULES, now).0.unwrap();
            Some(charged.lock(&RULES, now).map_or(charged, |(locked, _)| locked))
        })
    }

    #[test]
    fn the_last_admitted_try_locks_when_it_is_wrong_and_not_when_it_is_right() {
        let (charged, charge) = Failures::charge(fail(2, at(0)), &RULES, at(0));
        assert_eq!(charge, ADMITTED);
        assert_eq!(charged.unwrap().refund().unwrap().lock(&RULES, at(0)), None);
        assert_eq!(charged.unwrap().lock(&RULES, at(0)).unwrap().1, at(60));
        let wrong = fail(3, at(0));
        assert_eq!(wrong.unwrap().lock(&RULES, at(1)), None, "it has begun");
        assert_eq!(Failures::charge(wrong, &RULES, at(1)).1, locked(60, false));
    }

    #[test]
    fn while_the_last_one_is_judged_no_other_is_let_through() {
        let charged = Failures::charge(fail(2, at(0)), &RULES, at(0)).0;
        let (locks, charge) = Failures::charge(charged, &RULES, at(1));
        assert_eq!(charge, locked(60, true));
        // If nobody ever judges it, that is a lock like any other, whether or not somebody comes.
        assert_eq!(Failures::charge(locks, &RULES, at(59)), (None, locked(60, false)));
        for left in [locks, charged] {
            let (fresh, charge) = Failures::charge(left, &RULES, at(60));
            assert_eq!((charge, fresh.unwrap().count), (ADMITTED, 1));
        }
    }

    #[test]
    fn a_lock_runs_out_and_trying_does_not_prolong_it() {
        let three = fail(3, at(0));
        assert_eq!(Failures::charge(three, &RULES, at(59)), (None, locked(60, false)));
        let (fresh, charge) = Failures::charge(three, &RULES, at(60));
        assert_eq!((charge, fresh.unwrap().count), (ADMITTED, 1));
    }

    #[test]
    fn a_lock_from_a_clock_that_was_ahead_lasts_no_longer_than_a_lock() {
        let ahead = fail(3, at(1_000_000));
        assert_eq!(ahead.unwrap().locked_until(&RULES, at(500)), Some(at(560)));
        let (shortened, charge) = Failures::charge(ahead, &RULES, at(500));
        assert_eq!(charge, locked(560, false));
        assert_eq!(Failures::charge(shortened, &RULES, at(559)).1, locked(560, false));
        assert_eq!(Failures::charge(shortened, &RULES, at(560)).1, ADMITTED);
    }

    #[test]
    fn a_right_step_gives_back_its_own_charge_and_no_more() {
        let three = fail(3, at(0)).unwrap();
        let two = three.refund().unwrap();
        assert_eq!((two.count, two.locked_until(&RULES, at(0))), (2, None));
        assert_eq!(fail(1, at(0)).unwrap().refund(), None);
    }

    #[test]
    fn yesterdays_failures_are_forgotten() {
        let two = fail(2, at(0));
        let (later, _) = Failures::charge(two, &RULES, at(24 * 3600));
        assert_eq!(later.unwrap().count, 1);
    }

    #[test]
    fn a_counter_may_go_a_day_after_the_last_try_or_once_its_lock_ends() {
        assert_eq!(fail(2, at(5)).unwrap().forgotten_at(), at(5 + 24 * 3600));
        assert_eq!(fail(3, at(5)).unwrap().forgotten_at(), at(65));
    }
}
