//! What is worth remembering about who did what.

use super::{Session, User, UserChange};
use crate::types::{
    ClientAddr, RequestCx, RequestId, SessionId, Timestamp, TokenId, UserId, Username,
};

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The person the event is about, or somebody claiming to be.
    Person,
    /// Whoever can reach the administration socket.
    CommandLine,
    /// An administrator who is signed in.
    Administrator(UserId),
    /// The gateway itself.
    Gateway,
}

impl Actor {
    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::CommandLine => "command_line",
            Self::Administrator(_) => "administrator",
            Self::Gateway => "gateway",
        }
    }

    /// The administrator, where it is one.
    pub const fn administrator(self) -> Option<UserId> {
        match self {
            Self::Administrator(id) => Some(id),
            Self::Person | Self::CommandLine | Self::Gateway => None,
        }
    }
}

/// Who does something, from where and when: all that is told of an event besides the event.
#[derive(Clone, Copy, Debug)]
pub struct Occasion {
    /// Who does it.
    pub by: Actor,
    /// From where, if from anywhere.
    pub from: Option<ClientAddr>,
    /// In which request, if in one.
    pub request: Option<RequestId>,
    /// When.
    pub at: Timestamp,
}

impl Occasion {
    /// What nobody asked for over the network.
    pub const fn here(by: Actor, at: Timestamp) -> Self {
        Self { by, from: None, request: None, at }
    }
}

impl From<&RequestCx> for Occasion {
    /// What a person does.
    fn from(cx: &RequestCx) -> Self {
        let RequestCx { id, now: at, client } = *cx;
        Self { by: Actor::Person, from: Some(client), request: Some(id), at }
    }
}

/// An event, and its occasion.
#[derive(Clone, Debug)]
pub struct Happening {
    /// What happened.
    pub event: AuditEvent,
    /// On which occasion.
    pub on: Occasion,
}

/// Why a sign-in did not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInFailure {
    /// Nobody by that name, or not that password, or not let in: told apart by nobody outside.
    Credentials,
    /// A code that belongs to no step in reach.
    Code,
    /// A code that had been used.
    CodeReused,
    /// Too many failures before.
    Locked,
    /// Too many tries from one address.
    AddressRate,
    /// Too many tries at one account.
    AccountRate,
}

#[allow(missing_docs, reason = "the fields are named after what they hold")]
/// Something that happened, for the log and the audit trail. There is no catch-all: a new kind
/// of event has to be written everywhere it matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditEvent {
    /// A session began.
    SignedIn { user: UserId, session: SessionId },
    /// A sign-in failed; for a user only where the name is one.
    SignInFailed { user: Option<UserId>, why: SignInFailure },
    /// Somebody signed out.
    SignedOut { user: UserId, session: SessionId },
    /// A second factor was enrolled.
    Enrolled { user: UserId },
    /// The second factor was shown once more, for what asks for a fresh one.
    FactorShown { user: UserId, session: SessionId },
    /// A person took their second factor away.
    SecondFactorRemoved { user: UserId },
    /// A person made new recovery codes.
    RecoveryCodesRenewed { user: UserId },
    /// A person added themselves.
    Registered { user: UserId, name: Username },
    /// An account was locked, after too many failures.
    LockedOut { user: Option<UserId> },
    /// A program signed in as a person.
    ProgramSignedIn { user: UserId, session: SessionId },
    /// A program's refresh token came a second time, so its session ended.
    RefreshReused { user: UserId, session: SessionId },
    /// A recovery code was used; so many are left.
    RecoveryCodeUsed { user: UserId, left: usize },
    /// A password was chosen by the person.
    PasswordChanged { user: UserId },
    /// A one-time link was used.
    LinkUsed { user: UserId },
    /// A record was made.
    UserAdded { user: UserId, name: Username },
    /// A record was changed by somebody else than its person, in this way.
    UserChanged { user: UserId, how: &'static str },
    /// A record was removed.
    UserRemoved { user: UserId, name: Username },
    /// An access token was made.
    TokenAdded { user: UserId, token: TokenId },
    /// An access token was revoked.
    TokenRevoked { user: UserId, token: TokenId },
    /// Sessions were ended, so many.
    SessionsRevoked { user: Option<UserId>, count: usize },
    /// Entries of the trail were forgotten, so many, since they were too old or there were too many.
    TrailPruned { count: usize, too_many: bool },
    /// A backup of everything was handed out.
    BackupMade,
    /// The store was made anew from the backup of this moment.
    Restored { made_at: Timestamp },
    /// Everything was sealed under a new master key.
    KeysRotated,
    /// The configuration was read anew, at a signal or since a file changed; its short name, where it
    /// was not refused.
    Reloaded { at_signal: bool, digest: Option<String> },
}

impl AuditEvent {
    /// Every name there is.
    pub const NAMES: [&str; 25] = [
        "signed_in",
        "sign_in_failed",
        "signed_out",
        "enrolled",
        "second_factor_shown",
        "second_factor_removed",
        "recovery_codes_renewed",
        "registered",
        "locked_out",
        "program_signed_in",
        "refresh_reused",
        "recovery_code_used",
        "password_changed",
        "link_used",
        "user_added",
        "user_changed",
        "user_removed",
        "token_added",
        "token_revoked",
        "sessions_revoked",
        "trail_pruned",
        "backup_made",
        "restored",
        "keys_rotated",
        "reloaded",
    ];

    /// That somebody was added: whoever does that in person adds themselves.
    pub fn added(user: &User, by: Actor) -> Self {
        let (user, name) = (user.id, user.username.clone());
        match by {
            Actor::Person => Self::Registered { user, name },
            Actor::CommandLine | Actor::Administrator(_) | Actor::Gateway => {
                Self::UserAdded { user, name }
            }
        }
    }

    /// That a session began.
    pub fn began(session: &Session) -> Self {
        let (user, id) = (session.user(), session.id());
        match session.program() {
            Some(_) => Self::ProgramSignedIn { user, session: id },
            None => Self::SignedIn { user, session: id },
        }
    }

    /// That a record was changed; of the same password, hashed anew, nothing is told.
    pub const fn changed(user: UserId, change: &UserChange) -> Option<Self> {
        let how = match change {
            UserChange::Password(_) => return Some(Self::PasswordChanged { user }),
            UserChange::SecondFactorOff => return Some(Self::SecondFactorRemoved { user }),
            UserChange::Totp(_) => return Some(Self::Enrolled { user }),
            UserChange::Rehashed(_) => return None,
            UserChange::Email(_) | UserChange::DisplayName(_) | UserChange::Groups(_) => "set",
            UserChange::Disabled(true) => "disabled",
            UserChange::Disabled(false) => "enabled",
            UserChange::NoPassword => "password reset",
            UserChange::NoSecondFactor => "second factor reset",
        };
        Some(Self::UserChanged { user, how })
    }

    /// The event's stable name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SignedIn { .. } => "signed_in",
            Self::SignInFailed { .. } => "sign_in_failed",
            Self::SignedOut { .. } => "signed_out",
            Self::Enrolled { .. } => "enrolled",
            Self::FactorShown { .. } => "second_factor_shown",
            Self::SecondFactorRemoved { .. } => "second_factor_removed",
            Self::RecoveryCodesRenewed { .. } => "recovery_codes_renewed",
            Self::Registered { .. } => "registered",
            Self::LockedOut { .. } => "locked_out",
            Self::ProgramSignedIn { .. } => "program_signed_in",
            Self::RefreshReused { .. } => "refresh_reused",
            Self::RecoveryCodeUsed { .. } => "recovery_code_used",
            Self::PasswordChanged { .. } => "password_changed",
            Self::LinkUsed { .. } => "link_used",
            Self::UserAdded { .. } => "user_added",
            Self::UserChanged { .. } => "user_changed",
            Self::UserRemoved { .. } => "user_removed",
            Self::TokenAdded { .. } => "token_added",
            Self::TokenRevoked { .. } => "token_revoked",
            Self::SessionsRevoked { .. } => "sessions_revoked",
            Self::TrailPruned { .. } => "trail_pruned",
            Self::BackupMade => "backup_made",
            Self::Restored { .. } => "restored",
            Self::KeysRotated => "keys_rotated",
            Self::Reloaded { .. } => "reloaded",
        }
    }

    /// Whom it is about, where that is one person.
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::SignedIn { user, .. }
            | Self::SignedOut { user, .. }
            | Self::Enrolled { user }
            | Self::FactorShown { user, .. }
            | Self::SecondFactorRemoved { user }
            | Self::RecoveryCodesRenewed { user }
            | Self::Registered { user, .. }
            | Self::ProgramSignedIn { user, .. }
            | Self::RefreshReused { user, .. }
            | Self::TokenAdded { user, .. }
            | Self::TokenRevoked { user, .. }
            | Self::RecoveryCodeUsed { user, .. }
            | Self::PasswordChanged { user }
            | Self::LinkUsed { user }
            | Self::UserAdded { user, .. }
            | Self::UserChanged { user, .. }
            | Self::UserRemoved { user, .. } => Some(*user),
            Self::SignInFailed { user, .. }
            | Self::LockedOut { user }
            | Self::SessionsRevoked { user, .. } => *user,
            Self::TrailPruned { .. }
            | Self::BackupMade
            | Self::Restored { .. }
            | Self::KeysRotated
            | Self::Reloaded { .. } => None,
        }
    }

    /// What the person is called, where the event itself knows: the record may be gone.
    pub const fn username(&self) -> Option<&Username> {
        if let Self::Registered { name, .. }
        | Self::UserAdded { name, .. }
        | Self::UserRemoved { name, .. } = self
        {
            Some(name)
        } else {
            None
        }
    }

    /// What else there is to say, in a few words.
    pub fn detail(&self) -> String {
        match self {
            Self::SignInFailed { why, .. } => match why {
                SignInFailure::Credentials => "credentials",
                SignInFailure::Code => "code",
                SignInFailure::CodeReused => "code_reused",
                SignInFailure::Locked => "locked",
                SignInFailure::AddressRate => "address_rate",
                SignInFailure::AccountRate => "account_rate",
            }
            .to_owned(),
            Self::SignedIn { session, .. }
            | Self::SignedOut { session, .. }
            | Self::FactorShown { session, .. }
            | Self::ProgramSignedIn { session, .. }
            | Self::RefreshReused { session, .. } => session.to_string(),
            Self::TokenAdded { token, .. } | Self::TokenRevoked { token, .. } => token.to_string(),
            Self::RecoveryCodeUsed { left, .. } => format!("{left} left"),
            Self::UserAdded { name, .. }
            | Self::Registered { name, .. }
            | Self::UserRemoved { name, .. } => name.to_string(),
            Self::UserChanged { how, .. } => (*how).to_owned(),
            Self::SessionsRevoked { count, .. } => count.to_string(),
            Self::TrailPruned { count, too_many } => {
                format!("{count} too {}", if *too_many { "many" } else { "old" })
            }
            Self::Reloaded { at_signal, digest } => {
                let cause = if *at_signal { "signal" } else { "file" };
                format!("{cause}, {}", digest.as_deref().unwrap_or("refused"))
            }
            Self::Restored { made_at } => format!("as of {}", made_at.rfc3339()),
            Self::Enrolled { .. }
            | Self::SecondFactorRemoved { .. }
            | Self::RecoveryCodesRenewed { .. }
            | Self::LockedOut { .. }
            | Self::PasswordChanged { .. }
            | Self::LinkUsed { .. }
            | Self::BackupMade
            | Self::KeysRotated => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_listed() {
        let (user, session) = (UserId::from_bytes([1; 16]), SessionId::from_bytes([2; 16]));
        let (name, token) = (Username::parse("ann").unwrap(), TokenId::from_bytes([3; 16]));
        let named = || name.clone();
        let all = [
            AuditEvent::SignedIn { user, session },
            AuditEvent::SignInFailed { user: None, why: SignInFailure::Code },
            AuditEvent::SignedOut { user, session },
            AuditEvent::Enrolled { user },
            AuditEvent::FactorShown { user, session },
            AuditEvent::SecondFactorRemoved { user },
            AuditEvent::RecoveryCodesRenewed { user },
            AuditEvent::Registered { user, name: named() },
            AuditEvent::LockedOut { user: None },
            AuditEvent::ProgramSignedIn { user, session },
            AuditEvent::RefreshReused { user, session },
            AuditEvent::RecoveryCodeUsed { user, left: 9 },
            AuditEvent::PasswordChanged { user },
            AuditEvent::LinkUsed { user },
            AuditEvent::UserAdded { user, name: named() },
            AuditEvent::UserChanged { user, how: "set" },
            AuditEvent::UserRemoved { user, name: named() },
            AuditEvent::TokenAdded { user, token },
            AuditEvent::TokenRevoked { user, token },
            AuditEvent::SessionsRevoked { user: None, count: 1 },
            AuditEvent::TrailPruned { count: 1, too_many: true },
            AuditEvent::BackupMade,
            AuditEvent::Restored { made_at: Timestamp::from_secs(1) },
            AuditEvent::KeysRotated,
            AuditEvent::Reloaded { at_signal: true, digest: None },
        ];
        assert_eq!(all.map(|event| event.name()), AuditEvent::NAMES);
    }
}
