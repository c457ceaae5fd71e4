//! Hashes of passwords that other programs made.

use std::time::{Duration, Instant};
use vestibule::crypto::fuzzing::price;
use vestibule::crypto::{Password, PasswordHash};
use vestibule::types::UserId;

/// How many times its price a hash may take, on a machine that is slow or busy,
const DEARER: u32 = 4;

/// and what is not looked at.
const MOMENT: Duration = Duration::from_millis(1);

/// An input is a hash as it stands in a user file.
pub fn hashes(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(hash) = PasswordHash::foreign(text) else { return };
    let kept = hash.to_phc();
    let again = PasswordHash::from_phc(kept.reveal()).expect("what is kept cannot be read");
    assert!(again == hash && again.is_foreign() && again.costs_like(&hash));
    assert!(hash.decoy() != hash && hash.decoy().costs_like(&hash), "a stranger takes longer");
    assert_eq!(again.to_phc().reveal(), kept.reveal(), "it changes each time");

    let (memory, time) = price(&hash).expect("it is one of others");
    assert!(memory <= 256 << 20, "it takes {memory} bytes");
    assert!(time > 0 && time <= 1_250_000_000, "it takes {time} ns");
    // What takes little is tried, so that a price that is wrong is noticed. More than once, since the
    // machine may have been busy with something else.
    if time < 3_000_000 {
        let most = Duration::from_nanos(time) * DEARER + MOMENT;
        let is_fair = (0..9).any(|_| tried(&hash) < most);
        assert!(is_fair, "it is priced at {time} ns, and takes more than {most:?}");
    }
}

/// How long it takes to find out that a password is not the one.
fn tried(hash: &PasswordHash) -> Duration {
    let (password, since) = (Password::new("correct horse").expect("a password"), Instant::now());
    assert!(hash.verify(UserId::from_bytes([1; 16]), &password).is_none());
    since.elapsed()
}
