//! Randomness from the operating system.

use std::fmt;

/// The operating system gave no randomness. Nothing that needs it may go on.
#[derive(Clone, Copy, Debug)]
pub struct NoEntropy;

impl fmt::Display for NoEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the operating system gave no randomness")
    }
}

impl std::error::Error for NoEntropy {}

/// Unpredictable bytes.
pub fn random<const N: usize>() -> Result<[u8; N], NoEntropy> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| NoEntropy)?;
    Ok(bytes)
}
