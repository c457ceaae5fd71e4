//! The evidence a session is made of.
//!
//! ```text
//! crypto::PasswordVerified ──► PendingSignIn ──climb──► FullyAuthenticated ──► Session
//! crypto::CodeMatched ──store──► Spent ───────┘
//! ```
//!
//! None of these can be made by hand outside its own place, each names the person it speaks of,
//! and each is consumed where it is used.

use crate::types::{Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// Which second factor somebody showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactor {
    /// A code from an authenticator.
    Totp,
    /// A recovery code.
    Recovery,
    /// None: a program's access token, which counts as both factors.
    Token,
}

/// Proof that a one-time code of this person was used up, durably, by this very request.
///
/// ```compile_fail
/// let id = vestibule::types::UserId::from_bytes([0; 16]);
/// let forged = vestibule::domain::Spent::durably(id, vestibule::domain::SecondFactor::Totp);
/// ```
#[must_use]
#[derive(Debug)]
pub struct Spent {
    user: UserId,
    factor: SecondFactor,
}

impl Spent {
    /// For the store alone, after the write is on the disk. `tests/architecture.rs` sees to it.
    pub(crate) const fn durably(user: UserId, factor: SecondFactor) -> Self {
        Self { user, factor }
    }

    /// Whose code it was.
    pub const fn user(&self) -> UserId {
        self.user
    }

    /// Which kind of code.
    pub const fn factor(&self) -> SecondFactor {
        self.factor
    }
}

/// Proof that a person has shown every factor their account and the rules ask for. The ladder
/// alone makes it; a session cannot be made without it.
///
/// ```compile_fail
/// let forged = vestibule::domain::FullyAuthenticated::granted(todo!(), todo!(), None);
/// ```
#[must_use]
#[derive(Debug)]
pub struct FullyAuthenticated {
    user: UserId,
    password_at: Timestamp,
    second_factor: Option<(SecondFactor, Timestamp)>,
}

impl FullyAuthenticated {
    pub(super) const fn granted(
        user: UserId,
        password_at: Timestamp,
        second_factor: Option<(SecondFactor, Timestamp)>,
    ) -> Self {
        Self { user, password_at, second_factor }
    }

    /// Who it is.
    pub const fn user(&self) -> UserId {
        self.user
    }

    /// When the password was given.
    pub const fn password_at(&self) -> Timestamp {
        self.password_at
    }

    /// Which second factor was shown, and when.
    pub const fn second_factor(&self) -> Option<(SecondFactor, Timestamp)> {
        self.second_factor
    }
}
