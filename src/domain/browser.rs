//! Browsers that people have signed in with before.
//!
//! Whoever fails at somebody's account from a browser of their own must not lock its owner out of
//! theirs. So a browser that has been signed in with gets a token by which it is known, and its
//! failures are counted by themselves: until the person's credentials change, for a browser that
//! somebody got into with the old ones is nobody's to trust.

use crate::types::{Timestamp, UserId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// As many people as share a browser; whoever used it longest ago makes room.
const MOST: usize = 16;

/// How long a browser is remembered after a sign-in: as long as browsers keep a cookie at most.
const LIFE: Duration = Duration::from_secs(400 * 24 * 3600);

/// Who has signed in with a browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownBrowser {
    /// Each with the state of their credentials at the time.
    people: Vec<(UserId, u64)>,
    expires_at: Timestamp,
}

impl KnownBrowser {
    /// How long a browser is remembered.
    pub const LIFE: Duration = LIFE;

    /// What is known once this person has signed in.
    pub fn after(known: Option<Self>, user: UserId, credentials: u64, now: Timestamp) -> Self {
        let before = known.map_or_else(Vec::new, |known| known.people);
        let others = before.into_iter().filter(|(other, _)| *other != user);
        let people = std::iter::once((user, credentials)).chain(others).take(MOST).collect();
        Self { people, expires_at: now.plus(LIFE) }
    }

    /// Whether this person has signed in with it, since their credentials last changed.
    pub fn knows(&self, user: UserId, credentials: u64) -> bool {
        self.people.contains(&(user, credentials))
    }

    /// When it is forgotten.
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_knows_those_who_used_it_last() {
        let id = |n| UserId::from_bytes([n; 16]);
        let now = Timestamp::from_secs(0);
        let known = (0..20).fold(None, |known, n| Some(KnownBrowser::after(known, id(n), 0, now)));
        let known = KnownBrowser::after(known, id(4), 1, now);
        assert!(known.knows(id(4), 1) && known.knows(id(19), 0) && !known.knows(id(3), 0));
        assert!(!known.knows(id(4), 2), "the password has changed");
        assert_eq!(known.people.len(), MOST);
    }
}
