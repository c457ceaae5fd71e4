//! Whether an authenticator's clock is off.
//!
//! Told to whoever gave the right password and then, twice in a row, codes of another time that
//! are as far away from now, but not the same code. One alone tells nothing: it may have been
//! guessed, and one of a time to come could then be used when that has come. A guesser who is to
//! learn anything has to guess two codes of six digits that belong together. The code stays wrong
//! and stays charged.

use crate::types::{Timestamp, UserId};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How far away a code may be.
pub(super) const REACH: Duration = Duration::from_secs(600);
/// How soon the second must follow.
const SOON: Duration = Duration::from_secs(600);
/// As many people are remembered at one time; who comes later takes the place of another.
const PLACES: usize = 256;

/// A code of another time.
#[derive(Clone, Copy)]
struct Seen {
    user: UserId,
    step: u64,
    drift: i64,
    at: Timestamp,
}

/// The last codes of another time.
pub(super) struct Drifts(Mutex<[Option<Seen>; PLACES]>);

impl Default for Drifts {
    fn default() -> Self {
        Self(Mutex::new([None; PLACES]))
    }
}

impl Drifts {
    /// Notes a code of another time, so many steps away; whether it agrees with the one before.
    pub fn agrees(&self, user: UserId, step: u64, drift: i64, at: Timestamp) -> bool {
        let place = usize::from(user.as_bytes().first().copied().unwrap_or_default());
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(slot) = held.get_mut(place) else { return false };
        let before = slot.replace(Seen { user, step, drift, at });
        before.is_some_and(|before| {
            before.user == user
                && before.step != step
                && before.drift.abs_diff(drift) <= 1
                && at.since(before.at) <= SOON
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_different_codes_that_are_as_far_away_agree_and_no_others_do() {
        let (ann, bob) = (UserId::from_bytes([1; 16]), UserId::from_bytes([2; 16]));
        let at = Timestamp::from_secs;
        let drifts = Drifts::default();
        assert!(!drifts.agrees(ann, 110, 10, at(3000)));
        assert!(!drifts.agrees(ann, 110, 10, at(3001)), "the same code twice");
        assert!(!drifts.agrees(bob, 111, 10, at(3030)), "somebody else's");
        assert!(drifts.agrees(ann, 111, 10, at(3030)));
        assert!(!drifts.agrees(ann, 94, -7, at(3031)), "as far the other way");
        assert!(drifts.agrees(ann, 95, -6, at(3031)), "a step is nothing");
        assert!(!drifts.agrees(ann, 150, -6, at(5000)), "long ago");
    }
}
