//! Why a use case did not go on.

use crate::crypto::NoEntropy;
use crate::domain::PasswordWeakness;
use crate::store::StoreError;
use crate::types::{NameError, Timestamp};

/// Why a use case did not go on. Which words and which status that becomes is decided in one
/// place, in `http`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// Unknown name, wrong password, disabled account: alike.
    Credentials,
    /// A code that belongs to no step in reach, or is no recovery code.
    Code,
    /// A right code that has been used.
    CodeUsed,
    /// Too many failures; until then.
    Locked(Timestamp),
    /// No sign-in is under way under that token, or it took too long.
    Expired,
    /// The step is not the one that is next.
    WrongStep,
    /// The link has been used, replaced or has expired.
    LinkGone,
    /// The new password will not do.
    Weak(PasswordWeakness),
    /// The new password is beyond all measure or empty.
    PasswordUnusable,
    /// The name will not do.
    Name(NameError),
    /// The name is somebody's.
    NameTaken,
    /// Too many hashes are waiting already.
    Busy,
    /// The store or the operating system failed; the sentence is for the operator alone.
    Unavailable(String),
}

impl From<StoreError> for Denied {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<NoEntropy> for Denied {
    fn from(error: NoEntropy) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<NameError> for Denied {
    fn from(error: NameError) -> Self {
        Self::Name(error)
    }
}
