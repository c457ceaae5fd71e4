//! Files that commands read, for the targets in tests/fuzz. Nothing else may come in here.

use crate::domain::Tip;
use crate::service::Newcomer;

/// The people in a user file of Authelia's, or what is wrong with it.
pub fn people(file: &str) -> Result<Vec<Newcomer>, String> {
    super::authelia::parse(file)
}

/// Where an exported trail begins and ends, or what is wrong with it.
pub fn exported_trail(file: &[u8]) -> Result<Tip, String> {
    super::audit::check(file)
}
