//! A person's record.

use crate::crypto::{PasswordHash, TotpSecret};
use crate::types::{DisplayName, Email, GroupName, Timestamp, UserId, Username};

/// The group whose members administer the gateway.
const ADMINISTRATORS: &str = "admins";

/// A confirmed authenticator.
#[derive(Clone, Debug)]
pub struct TotpFactor {
    /// What it shares with us.
    pub secret: TotpSecret,
    /// When its first code was confirmed.
    pub confirmed_at: Timestamp,
}

/// What is known of a person. The secrets in it are sealed wherever it is stored.
#[derive(Clone, Debug)]
pub struct User {
    /// The record's own name; stays when the username changes.
    pub id: UserId,
    /// What they sign in with.
    pub username: Username,
    /// Also good for signing in.
    pub email: Option<Email>,
    /// How they write their name.
    pub display_name: Option<DisplayName>,
    /// In the order given, without repetition.
    pub groups: Vec<GroupName>,
    /// Absent until the invitation is used.
    pub password: Option<PasswordHash>,
    /// The second factor, if they have one.
    pub totp: Option<TotpFactor>,
    /// May not sign in, and is signed out.
    pub disabled: bool,
    /// Must choose a new password at the next sign-in.
    pub must_change_password: bool,
    /// The second factor was taken away by an administrator; a new one is enrolled only through
    /// the link handed out with that, so that a stolen password is not enough to enrol.
    pub enrol_by_link: bool,
    /// Counts everything that makes earlier proofs worthless. A sign-in under way that began
    /// under another number ends.
    pub credentials: u64,
    /// When the record was made.
    pub created_at: Timestamp,
}

/// A change to a record. Each is applied to the record as it is at that moment.
#[derive(Clone, Debug)]
pub enum UserChange {
    /// A new e-mail address, or none.
    Email(Option<Email>),
    /// A new display name, or none.
    DisplayName(Option<DisplayName>),
    /// The whole list of groups.
    Groups(Vec<GroupName>),
    /// Whether they are kept out.
    Disabled(bool),
    /// A new password, which the person chose.
    Password(PasswordHash),
    /// The password is void until a link is used.
    NoPassword,
    /// The second factor is void until a link is used.
    NoSecondFactor,
    /// A new second factor.
    Totp(TotpFactor),
    /// The same password, hashed with today's parameters.
    Rehashed(PasswordHash),
}

impl User {
    /// The group that makes an administrator.
    pub fn administrators() -> Option<GroupName> {
        GroupName::parse(ADMINISTRATORS).ok()
    }

    /// Applies a change; says whether the person's sessions must end with it.
    pub fn apply(&mut self, change: UserChange) -> bool {
        let (ends_sessions, voids_proofs) = match change {
            UserChange::Email(email) => {
                self.email = email;
                (false, false)
            }
            UserChange::DisplayName(name) => {
                self.display_name = name;
                (false, false)
            }
            UserChange::Groups(groups) => {
                self.groups = without_repetition(groups);
                (false, false)
            }
            UserChange::Disabled(disabled) => {
                self.disabled = disabled;
                (disabled, disabled)
            }
            UserChange::Password(hash) => {
                self.password = Some(hash);
                self.must_change_password = false;
                (true, true)
            }
            UserChange::NoPassword => {
                self.password = None;
                (true, true)
            }
            UserChange::NoSecondFactor => {
                self.totp = None;
                self.enrol_by_link = true;
                (true, true)
            }
            UserChange::Totp(factor) => {
                self.totp = Some(factor);
                self.enrol_by_link = false;
                (false, true)
            }
            UserChange::Rehashed(hash) => {
                self.password = Some(hash);
                (false, false)
            }
        };
        self.credentials += u64::from(voids_proofs);
        ends_sessions
    }
}

fn without_repetition(groups: Vec<GroupName>) -> Vec<GroupName> {
    let mut kept = Vec::with_capacity(groups.len());
    for group in groups {
        if !kept.contains(&group) {
            kept.push(group);
        }
    }
    kept
}
