//! Browsers that people have signed in with before.
//!
//! Whoever fails at somebody's account from a browser of their own must not lock its owner out of
//! theirs. So a browser that has been signed in with gets a token by which it is known, and its
//! failures are counted by themselves.

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
    people: Vec<UserId>,
    expires_at: Timestamp,
}

impl KnownBrowser {
    /// How long a browser is remembered.
    pub const LIFE: Duration = LIFE;

    /// What is known once this person has signed in.
    pub fn after(known: Option<Self>, user: UserId, now: Timestamp) -> Self {
        let before = known.map_or_else(Vec::new, |known| known.people);
        let others = before.into_iter().filter(|other| *other != user);
        let people = std::iter::once(user).chain(others).take(MOST).collect();
        Self { people, expires_at: now.plus(LIFE) }
    }

    /// Whether this person has signed in with it.
    pub fn knows(&self, user: UserId) -> bool {
        self.people.contains(&user)
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
        let known = (0..20).fold(None, |known, n| Some(KnownBrowser::after(known, id(n), now)));
        let known = KnownBrowser::after(known, id(4), now);
        assert!(known.knows(id(4)) && known.knows(id(19)) && !known.knows(id(3)));
        assert_eq!(known.people.len(), MOST);
    }
}
