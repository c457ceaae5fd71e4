//! Why a use case did not go on.

use crate::crypto::NoEntropy;
use crate::domain::{Next, PasswordWeakness};
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
    /// A wrong code that would have been right so many seconds earlier or later, the second in a
    /// row: the clock of the authenticator is off.
    ClockOff(u64),
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
    /// The new password is in a list of passwords that have been stolen.
    Breached,
    /// Whether the new password has been stolen could not be found out; the sentence is for the
    /// operator alone.
    BreachUnknown(String),
    /// Too many tries from this address, or for this name; until then.
    RateLimited(Timestamp),
    /// Nobody may register here.
    RegistrationDisabled,
    /// A second factor can be enrolled by the link alone that an administrator hands out.
    LinkNeeded,
    /// A second factor is enrolled already.
    AlreadyEnabled,
    /// A rule will ask this person for a second factor, so it cannot be taken away.
    MfaEnforced,
    /// The session that a refresh token belongs to has ended.
    SessionRevoked,
    /// A program cannot take this step for its person, who has to sign in in a browser first.
    NeedsBrowser(Next),
    /// There is no such session among the person's own.
    NoSuchSession,
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
