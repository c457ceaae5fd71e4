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
    /// The person took their second factor away.
    SecondFactorOff,
    /// A new second factor.
    Totp(TotpFactor),
    /// The same password, hashed with today's parameters.
    Rehashed(PasswordHash),
}

impl User {
    /// Somebody new, about whom nothing but the name is known.
    pub const fn new(id: UserId, username: Username, now: Timestamp) -> Self {
        Self {
            id,
            username,
            email: None,
            display_name: None,
            groups: Vec::new(),
            password: None,
            totp: None,
            disabled: false,
            must_change_password: false,
            enrol_by_link: false,
            credentials: 0,
            created_at: now,
        }
    }

    /// The group that makes an administrator.
    pub fn administrators() -> Option<GroupName> {
        GroupName::parse(ADMINISTRATORS).ok()
    }

    /// Whether they are one of the administrators.
    pub fn is_administrator(&self) -> bool {
        self.groups.iter().any(|group| group.as_str() == ADMINISTRATORS)
    }

    /// Takes them out of the administrators.
    pub fn leave_administrators(&mut self) {
        self.groups.retain(|group| group.as_str() != ADMINISTRATORS);
    }

    /// Applies a change; says whether the person's sessions must end with it.
    pub fn apply(&mut self, change: UserChange) -> bool {
        let ends_sessions = change.ends_sessions();
        self.credentials += u64::from(change.voids_proofs());
        match change {
            UserChange::Email(email) => self.email = email,
            UserChange::DisplayName(name) => self.display_name = name,
            UserChange::Groups(groups) => self.groups = without_repetition(groups),
            UserChange::Disabled(disabled) => self.disabled = disabled,
            UserChange::Password(hash) => {
                self.password = Some(hash);
                self.must_change_password = false;
            }
            UserChange::NoPassword => self.password = None,
            UserChange::NoSecondFactor => {
                self.totp = None;
                self.enrol_by_link = true;
            }
            UserChange::SecondFactorOff => self.totp = None,
            UserChange::Totp(factor) => {
                self.totp = Some(factor);
                self.enrol_by_link = false;
            }
            UserChange::Rehashed(hash) => self.password = Some(hash),
        }
        ends_sessions
    }
}

impl UserChange {
    /// Whether the person's sessions must end with it.
    pub const fn ends_sessions(&self) -> bool {
        match self {
            Self::Disabled(disabled) => *disabled,
            // With a new second factor as well: the others may be somebody's who knows the password
            // alone.
            Self::Password(_) | Self::NoPassword | Self::NoSecondFactor | Self::Totp(_) => true,
            Self::Email(_)
            | Self::DisplayName(_)
            | Self::Groups(_)
            | Self::SecondFactorOff
            | Self::Rehashed(_) => false,
        }
    }

    /// Whether what was proven before is proven no more: sign-ins under way end.
    const fn voids_proofs(&self) -> bool {
        self.ends_sessions() || matches!(self, Self::SecondFactorOff)
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
