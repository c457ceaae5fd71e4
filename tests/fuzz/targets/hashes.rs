//! Hashes of passwords that other programs made.

use vestibule::crypto::fuzzing::price;
use vestibule::crypto::{Password, PasswordHash};
use vestibule::types::UserId;

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
    // What takes a moment is tried, so that one that takes longer than it should is noticed.
    if time < 300_000 {
        let password = Password::new("correct horse").expect("a password");
        assert!(hash.verify(UserId::from_bytes([1; 16]), &password).is_none());
    }
}
