//! One-time links.

use crate::types::{Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// What a link lets its holder do, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkPurpose {
    /// Become the first administrator.
    Setup,
    /// Choose the first password.
    Invitation,
    /// Choose a new password; the second factor stays.
    NewPassword,
    /// Enrol a new second factor; the password is asked for.
    NewSecondFactor,
}

/// A link as the store keeps it, under the digest of its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What it is good for.
    pub purpose: LinkPurpose,
    /// Whom it is for; nobody yet, for the first administrator.
    pub user: Option<UserId>,
    /// When it stops working.
    pub expires_at: Timestamp,
}
