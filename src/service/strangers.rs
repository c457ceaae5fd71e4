//! What is hashed for names that nobody has.
//!
//! A name that is nobody's has to take as long as one that is somebody's. While there are people
//! whose hash another program made, or we at another cost, some names take as long as that: each unknown name is treated
//! as one of those people would be, or as somebody with a hash of ours, in the proportion in which
//! they are there, and always the same way. As they sign in and get hashes of ours, unknown names
//! follow.
//!
//! What remains: somebody's hash that costs what nobody else's does, and whoever tries one name
//! for weeks and sees it become faster while the proportion hardly changes.

use crate::crypto::{HashParams, PasswordHash};
use crate::domain::User;
use arc_swap::ArcSwapOption;

/// The hashes that no password matches.
#[derive(Default)]
pub(super) struct Strangers {
    /// Absent until somebody has looked.
    others: ArcSwapOption<Others>,
}

#[derive(Default)]
struct Others {
    /// How many people have a password.
    people: u64,
    /// Each cost that other programs' hashes have, and how many people have one of that.
    decoys: Vec<(PasswordHash, u64)>,
}

impl Strangers {
    /// What to hash against for a name, told by a keyed image of it.
    pub(super) fn hash_for(&self, image: &[u8], ours: HashParams) -> PasswordHash {
        let ours = || PasswordHash::unmatched(ours);
        let others = self.others.load();
        let Some(others) = others.as_deref() else { return ours() };
        let image = image.first_chunk().copied().unwrap_or_default();
        // Where the name stands among the people, were they in a row.
        let place = (u128::from(u64::from_be_bytes(image)) * u128::from(others.people)) >> 64;
        let mut end = 0;
        let decoy = others.decoys.iter().find(|(_, count)| {
            end += u128::from(*count);
            place < end
        });
        decoy.map_or_else(ours, |(decoy, _)| decoy.clone())
    }

    /// Whether to look again: some people have hashes that other programs made, or nobody knows.
    pub(super) fn are_to_follow(&self) -> bool {
        self.others.load().as_ref().is_none_or(|others| !others.decoys.is_empty())
    }

    /// Looks at the people anew.
    pub(super) fn look_at(&self, people: &[User], ours: HashParams) {
        let mut others = Others::default();
        for hash in people.iter().filter_map(|user| user.password.as_ref()) {
            others.people += 1;
            if hash.is_current(ours) {
                continue;
            }
            let decoy = hash.decoy();
            match others.decoys.iter_mut().find(|(known, _)| known.costs_like(&decoy)) {
                Some((_, count)) => *count += 1,
                None => others.decoys.push((decoy, 1)),
            }
        }
        self.others.store(Some(others.into()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Timestamp, UserId, Username};

    const OURS: HashParams = HashParams { memory_kib: 64, iterations: 1 };
    const FIVE: &str = "$2y$05$74kKvQ.UiOI1LZIAI74oGu0wP17/C6n0ELnMlSYZIUj1IEbAsU.N.";
    const SIX: &str = "$2y$06$74kKvQ.UiOI1LZIAI74oGu0wP17/C6n0ELnMlSYZIUj1IEbAsU.N.";

    fn people(hashes: &[Option<PasswordHash>]) -> Vec<User> {
        let user = |hash: &Option<PasswordHash>| {
            let name = Username::parse("ann").unwrap();
            let user = User::new(UserId::from_bytes([0; 16]), name, Timestamp::from_secs(0));
            User { password: hash.clone(), ..user }
        };
        hashes.iter().map(user).collect()
    }

    fn image(part: f64) -> [u8; 8] {
        ((part * u64::MAX as f64) as u64).to_be_bytes()
    }

    #[test]
    fn unknown_names_are_treated_as_people_are_and_in_their_proportion() {
        let strangers = Strangers::default();
        let ours = || Some(PasswordHash::unmatched(OURS));
        let foreign = |text| Some(PasswordHash::foreign(text).unwrap());
        assert!(strangers.are_to_follow());
        assert!(strangers.hash_for(&image(0.1), OURS).is_current(OURS));

        strangers.look_at(&people(&[foreign(FIVE), foreign(SIX), ours(), ours(), None]), OURS);
        assert!(strangers.are_to_follow());
        for (part, like) in [(0.0, FIVE), (0.24, FIVE), (0.26, SIX), (0.49, SIX)] {
            let hash = strangers.hash_for(&image(part), OURS);
            assert!(hash.costs_like(&foreign(like).unwrap()), "{part}");
        }
        for part in [0.51, 1.0] {
            assert!(strangers.hash_for(&image(part), OURS).is_current(OURS), "{part}");
        }

        // One has signed in: a quarter of the names become as fast as ours, and none slower.
        strangers.look_at(&people(&[foreign(FIVE), ours(), ours(), ours(), None]), OURS);
        assert!(strangers.hash_for(&image(0.24), OURS).costs_like(&foreign(FIVE).unwrap()));
        assert!(strangers.hash_for(&image(0.26), OURS).is_current(OURS));
        strangers.look_at(&people(&[ours()]), OURS);
        assert!(!strangers.are_to_follow());
    }

    #[test]
    fn after_a_change_of_cost_unknown_names_take_as_long_as_people_do_by_their_old_hashes() {
        const NEW: HashParams = HashParams { memory_kib: 128, iterations: 2 };
        let (strangers, hash) =
            (Strangers::default(), |params| Some(PasswordHash::unmatched(params)));
        strangers.look_at(&people(&[hash(OURS), hash(OURS), hash(NEW), hash(NEW)]), NEW);
        assert!(strangers.hash_for(&image(0.4), NEW).is_current(OURS));
        assert!(strangers.hash_for(&image(0.6), NEW).is_current(NEW));
        assert!(strangers.are_to_follow());
    }
}
