//! User files of another program's, and the people who move in from them.

use vestibule::cli::fuzzing::people;
use vestibule::service::Newcomer;
use vestibule::service::fuzzing::moved_in;

/// An input is a user file.
pub fn user_files(bytes: &[u8]) {
    let Ok(file) = std::str::from_utf8(bytes) else { return };
    match people(file) {
        Ok(people) => people.into_iter().for_each(one),
        Err(why) => is_sentence(&why),
    }
}

fn one(newcomer: Newcomer) {
    let Newcomer { name, groups, disabled, password_hash, .. } = newcomer.clone();
    match moved_in(newcomer) {
        Ok(user) => {
            let hash = password_hash.expect("somebody without a password");
            let kept = user.password.expect("somebody without a hash");
            assert!(hash.ends_with(kept.to_phc().reveal().trim_start_matches("foreign ")));
            assert!(!user.username.as_str().is_empty());
            assert_eq!(user.disabled, disabled);
            assert!(user.groups.len() <= groups.len() && user.totp.is_none());
        }
        Err(why) => {
            is_sentence(&why);
            let hash = password_hash.filter(|hash| hash.starts_with('$') && hash.len() > 8);
            let told = |hash: &String| why.contains(hash.as_str());
            let is_elsewhere =
                |hash: &String| name.contains(hash) || groups.concat().contains(hash);
            assert!(!hash.is_some_and(|hash| told(&hash) && !is_elsewhere(&hash)), "{why}");
        }
    }
}

fn is_sentence(why: &str) {
    assert!(!why.is_empty() && why.len() < 4096 && !why.contains('\n'), "{why}");
}
