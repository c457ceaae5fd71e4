//! What administrators do, as one request and one reply each.
//!
//! The commands send these over the administration socket to a running gateway, or hand them to a
//! [`Service`] of their own where none runs. Either way this is the one place that does the work.

mod audit;
mod desk;
mod explain;
mod import;
mod tokens;

#[cfg(feature = "fuzzing")]
pub(super) use import::record;

use super::Denied;
use crate::domain::{Broken, Line, Start, Tip};
use crate::types::{
    ClientAddr, DisplayName, Email, GroupName, HostPattern, Network, SessionId, TokenId, Username,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Somebody to add.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// What they sign in with.
    pub username: Username,
    /// Also good for signing in.
    pub email: Option<Email>,
    /// How they write their name.
    pub display_name: Option<DisplayName>,
    /// Their groups.
    pub groups: Vec<GroupName>,
    /// A password; without one, an invitation is handed out.
    pub password: Option<String>,
    /// Enrol a second factor at once.
    pub totp: bool,
    /// Choose another password at the first sign-in.
    pub must_change_password: bool,
}

/// Somebody from another program's list, as it is written there.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Newcomer {
    /// What they sign in with.
    pub name: String,
    /// Also good for signing in.
    pub email: Option<String>,
    /// How they write their name.
    pub display_name: Option<String>,
    /// Their groups.
    pub groups: Vec<String>,
    /// Whether they are kept out.
    pub disabled: bool,
    /// The hash of their password.
    pub password_hash: Option<String>,
}

/// What an administrator asks for.
#[allow(missing_docs, reason = "the fields are named after what they hold")]
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum AdminRequest {
    /// Adds somebody.
    UserAdd(NewUser),
    /// Adds people from another program's list, or only says what that would do.
    UserImport { people: Vec<Newcomer>, dry_run: bool, with_admins: bool },
    /// Everyone.
    UserList,
    /// One person.
    UserShow { name: String },
    /// Replaces what is named. An empty e-mail address or display name takes it away.
    UserSet {
        name: String,
        email: Option<String>,
        display_name: Option<String>,
        groups: Option<Vec<GroupName>>,
    },
    /// Keeps somebody out, and ends their sessions.
    UserDisable { name: String },
    /// Lets them in again.
    UserEnable { name: String },
    /// Removes somebody with everything that is theirs.
    UserRemove { name: String },
    /// Ends a lockout.
    UserUnlock { name: String },
    /// Takes the second factor away and hands out a link for a new one.
    UserResetMfa { name: String },
    /// Voids the password and hands out a link for a new one. The second factor stays.
    UserResetPassword { name: String },
    /// Sessions of one person or of everyone.
    SessionList { user: Option<String> },
    /// Ends one session.
    SessionRevoke { id: SessionId },
    /// Ends a person's sessions, or everyone's.
    SessionRevokeAll { user: Option<String> },
    /// Makes an access token.
    TokenAdd(NewToken),
    /// Access tokens of one person or of everyone.
    TokenList { user: Option<String> },
    /// Ends an access token.
    TokenRevoke { id: TokenId },
    /// Entries of the audit trail.
    AuditRead(AuditQuestion),
    /// Checks the whole audit trail.
    AuditVerify,
    /// What the last day was like, by the audit trail.
    AuditDay,
    /// Asks which rule decides.
    PolicyExplain(PolicyQuestion),
}

/// A request about which somebody wonders.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyQuestion {
    /// Who sends it; nobody who is signed in, where that is not said.
    pub user: Option<String>,
    /// From where.
    pub from: ClientAddr,
    /// Its method.
    pub method: String,
    /// What it asks for.
    pub url: String,
}

/// Which entries of the audit trail somebody wants to read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditQuestion {
    /// About this person, or done by them.
    pub user: Option<String>,
    /// Of this kind.
    pub event: Option<String>,
    /// From addresses that begin so.
    pub from: Option<String>,
    /// Not older than this: a moment, or how long ago it was.
    pub since: Option<String>,
    /// Older than this.
    pub until: Option<String>,
    /// Where to begin.
    pub start: Start,
    /// How many at the most.
    pub most: usize,
}

/// What happened in an hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourView {
    /// Its day and hour, as moments begin: `2026-11-26T07`.
    pub hour: String,
    /// How many signed in.
    pub sign_ins: usize,
    /// How many tries were refused.
    pub refused: usize,
}

/// An access token to make.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is called.
    pub name: DisplayName,
    /// In whose name it speaks.
    pub user: String,
    /// Seconds after which it ends; without, it ends when it is revoked.
    pub expires_in: Option<u64>,
    /// The groups it has, of those the person is in; without any, all.
    #[serde(default)]
    pub groups: Vec<GroupName>,
    /// Where its user may be; without any, anywhere.
    #[serde(default)]
    pub networks: Vec<Network>,
    /// Which hosts it is for; without any, all.
    #[serde(default)]
    pub hosts: Vec<HostPattern>,
    /// Whether it counts as one factor only.
    #[serde(default)]
    pub one_factor: bool,
}

/// A person, as administrators see one.
#[allow(clippy::struct_excessive_bools, reason = "a record to be read, not a state machine")]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserView {
    /// The record's own name.
    pub id: String,
    /// What they sign in with.
    pub username: Username,
    /// Also good for signing in.
    pub email: Option<Email>,
    /// How they write their name.
    pub display_name: Option<DisplayName>,
    /// Their groups.
    pub groups: Vec<GroupName>,
    /// Whether they are kept out.
    pub disabled: bool,
    /// Whether they have a password.
    pub has_password: bool,
    /// Whether it is known by another program's hash, until they sign in.
    #[serde(default)]
    pub password_imported: bool,
    /// Whether they must choose another one.
    pub must_change_password: bool,
    /// Whether they have a second factor.
    pub totp: bool,
    /// How many recovery codes are left.
    pub recovery_codes_remaining: usize,
    /// Until when they are locked out.
    pub locked_until: Option<String>,
    /// When the record was made.
    pub created_at: String,
}

/// What became of somebody who was to be imported.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Arrival {
    /// The name, as the list has it.
    pub name: String,
    /// What became of them.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Of somebody who was added and whom the list has among the administrators: whether they are
    /// one here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub administrator: Option<bool>,
}

/// What became, or would become, of somebody who was to be imported.
#[allow(missing_docs, reason = "the fields are named after what they hold")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// They are there now.
    Added,
    /// Somebody of that name was there before, and stays as they are.
    Exists,
    /// They are left out.
    Skipped { reason: String },
}

/// A session, as administrators see one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionView {
    /// Its name.
    pub id: SessionId,
    /// Whose it is.
    pub username: String,
    /// When it began.
    pub created_at: String,
    /// When it was last used, give or take some seconds.
    pub last_seen_at: String,
    /// When it ends at the latest.
    pub expires_at: String,
    /// Where it began.
    pub ip: String,
    /// What the browser called itself.
    pub user_agent: String,
}

/// An access token, as administrators see one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TokenView {
    /// Its name in lists and logs.
    pub id: TokenId,
    /// What it is called.
    pub name: DisplayName,
    /// Whose it is.
    pub username: String,
    /// When it was made.
    pub created_at: String,
    /// When it ends, if it does by itself.
    pub expires_at: Option<String>,
    /// The groups it has, if fewer than the person's.
    pub groups: Vec<GroupName>,
    /// Where its user may be, if not anywhere.
    pub networks: Vec<Network>,
    /// Which hosts it is for, if not all.
    pub hosts: Vec<HostPattern>,
    /// Whether it counts as one factor only.
    pub one_factor: bool,
}

/// A freshly enrolled second factor, to be shown once.
#[derive(Clone, Serialize, Deserialize)]
pub struct NewTotp {
    /// The secret in base32.
    pub secret: String,
    /// The address an authenticator reads.
    pub uri: String,
}

/// What comes back.
#[allow(missing_docs, reason = "the fields are named after what they hold")]
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum AdminReply {
    /// It is done; a sentence says what.
    Done { message: String },
    /// Somebody was added.
    Added {
        username: Username,
        invite_url: Option<String>,
        totp: Option<NewTotp>,
        recovery_codes: Option<Vec<String>>,
    },
    /// What became of people who were to be imported.
    Imported { people: Vec<Arrival>, dry_run: bool },
    /// A one-time link was made.
    Link { username: Username, url: String },
    /// One person.
    User { user: UserView },
    /// People.
    Users { users: Vec<UserView> },
    /// Sessions.
    Sessions { sessions: Vec<SessionView> },
    /// An access token was made. It is told this once.
    TokenAdded { id: TokenId, username: Username, token: String },
    /// Access tokens.
    Tokens { tokens: Vec<TokenView> },
    /// Entries of the audit trail, and where to go on.
    Audit { lines: Vec<Line>, next: Option<Start> },
    /// The last day, hour by hour, the oldest first.
    Day { hours: Vec<HourView> },
    /// The audit trail is whole.
    Verified { tip: Tip },
    /// The audit trail is broken.
    Broken { broken: Broken },
    /// What becomes of a request, on which route, by which rule, and why not by those before it;
    /// and which host and path rules see in it.
    Explained {
        decision: String,
        route: Option<String>,
        rule: Option<usize>,
        reasons: Vec<String>,
        host: String,
        path: String,
    },
    /// It is not done; a sentence says why.
    Failed { error: AdminError },
}

impl AdminReply {
    /// The same, with the route for the host and the path that it is about, if it is about any:
    /// those who know routes say which.
    #[must_use]
    pub fn on_route(mut self, find: impl Fn(&str, &str) -> Option<String>) -> Self {
        if let Self::Explained { route, host, path, .. } = &mut self {
            *route = find(host, path);
        }
        self
    }
}

/// Why it is not done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AdminError {
    /// Which kind of no it is.
    pub kind: AdminErrorKind,
    /// The sentence that says so.
    pub message: String,
}

/// The kinds of no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminErrorKind {
    /// There is no such person, session or token.
    NotFound,
    /// The name is somebody's.
    AlreadyExists,
    /// The password will not do.
    WeakPassword,
    /// The password has been stolen before.
    BreachedPassword,
    /// What was asked for makes no sense.
    Invalid,
    /// Too many hashes are waiting.
    Busy,
    /// Something failed.
    Unavailable,
}

impl AdminError {
    pub(super) fn new(kind: AdminErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl fmt::Display for AdminError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl<E: Into<Denied>> From<E> for AdminError {
    fn from(error: E) -> Self {
        use AdminErrorKind as Kind;
        let (kind, message) = match error.into() {
            Denied::NameTaken => {
                (Kind::AlreadyExists, "somebody has that username or e-mail address already".into())
            }
            Denied::Weak(weakness) => {
                (Kind::WeakPassword, format!("the password is not taken: {weakness}"))
            }
            Denied::PasswordUnusable => {
                (Kind::WeakPassword, "the password is empty or longer than 1024 bytes".into())
            }
            Denied::Breached => (
                Kind::BreachedPassword,
                "the password is in a list of stolen passwords: choose another one".into(),
            ),
            Denied::Name(why) => (Kind::Invalid, why.to_string()),
            Denied::Busy => {
                (Kind::Busy, "too many password hashes are waiting; try again in a moment".into())
            }
            Denied::Unavailable(why) | Denied::BreachUnknown(why) => (Kind::Unavailable, why),
            // No administrative act signs anybody in.
            _ => (Kind::Invalid, "it was refused".into()),
        };
        Self::new(kind, message)
    }
}
