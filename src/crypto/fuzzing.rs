//! What hashes of other programs cost, for the targets in tests/fuzz. Nothing else may come in here.

use super::PasswordHash;

/// What checking a password against a hash of another program takes: bytes and, about, nanoseconds.
pub fn price(hash: &PasswordHash) -> Option<(u64, u64)> {
    hash.price()
}
