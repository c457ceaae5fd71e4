//! Floor 3: what must outlive the process.
//!
//! The traits have atomic verbs, not get and put: whatever must happen once or together is one
//! call, and when it returns the outcome is on the disk. [`SignIns::commit`] is the one verb of
//! the whole sign-in ladder: it consumes a one-time thing, applies what follows from it and
//! leaves what comes next, or does nothing at all.
//!
//! A verb that does what the audit trail tells of is told the [`Occasion`], and its entry is part
//! of what it does: there is no act without its entry and no entry without its act, whenever the
//! end comes. A verb that changed nothing tells nothing.
//!
//! The verbs are written once, over the small engine of `kv`, which exists in memory and on sled.
//! One contract suite runs on both. Nothing here decides who may do what.

mod backup;
mod counters;
mod draft;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod inventory;
mod kv;
mod later;
mod layout;
mod memory;
mod records;
mod rekey;
mod sessions;
mod sign_ins;
mod sled;
mod snapshot;
mod tables;
#[cfg(test)]
mod tests;
mod tokens;
mod trail;
mod txn;
mod upkeep;
mod users;
mod verbs;
mod whole;
mod writer;

pub use self::sled::OpenError;
pub use backup::{Backup, BackupError, BackupHead, BackupSummary};
pub use verbs::{KvStore, Unopened};
pub use whole::{ReplaceError, Restored, Restoring};
pub use writer::{Ear, Watch, Work};

use crate::crypto::{
    CodeMatched, NoEntropy, RecoveryCode, RecoveryDigest, RecoverySet, StatementRoot, TotpSecret,
};
use crate::domain::{
    AccessToken, AuditEvent, Broken, Charge, FailureRules, Failures, Filter, KnownBrowser, Line,
    Link, Occasion, PendingSignIn, Program, Session, SignInFailure, Spent, Start, Tip, TotpFactor,
    User, UserChange,
};
use crate::types::{Login, SessionId, Timestamp, TokenDigest, TokenId, UserId};
use async_trait::async_trait;
use std::fmt;
use std::io::Write;

/// Why the store could not do it. Whoever gets this denies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// It cannot write, or not read, for now: a full disk, for instance.
    Unavailable(String),
    /// What it read makes no sense.
    Corrupt(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) => write!(f, "the store is not available: {why}"),
            Self::Corrupt(what) => write!(f, "the store holds something unreadable: {what}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<NoEntropy> for StoreError {
    fn from(error: NoEntropy) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// What a verb answers.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Whether a record could be made or renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Added {
    /// It could.
    Done,
    /// Somebody has that username or e-mail address.
    NameTaken,
}

/// A changed record, and how many sessions ended with the change.
#[derive(Clone, Debug)]
pub struct Changed {
    /// The record as it is now.
    pub user: User,
    /// How many sessions ended.
    pub sessions_ended: usize,
}

/// How it stands with somebody, besides what their record says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// How many recovery codes are left.
    pub codes_left: usize,
    /// What is counted of failures.
    pub failures: Option<Failures>,
}

/// The people.
#[async_trait]
pub trait Users: Send + Sync {
    /// One record.
    async fn user(&self, id: UserId) -> Result<Option<User>>;
    /// Whoever has this username or, if nobody has, this e-mail address.
    async fn find_user(&self, login: &Login) -> Result<Option<User>>;
    /// Everyone, by username.
    async fn users(&self) -> Result<Vec<User>>;
    /// Whether there is nobody yet.
    async fn is_empty(&self) -> Result<bool>;
    /// Adds a record, with a confirmed second factor's recovery codes where it has them.
    async fn add_user(
        &self,
        user: User,
        recovery: Option<RecoverySet>,
        on: Occasion,
    ) -> Result<Added>;
    /// Applies changes to the record as it is; ends the person's sessions where a change says
    /// so. `None` where there is no such person, `Err(Added::NameTaken)` inside where an e-mail
    /// address is somebody else's.
    async fn change_user(
        &self,
        id: UserId,
        changes: Vec<UserChange>,
        on: Occasion,
    ) -> Result<Option<std::result::Result<Changed, Added>>>;
    /// Removes a person with everything that is theirs, and the counters whose keys begin so; the
    /// record as it was.
    async fn remove_user(
        &self,
        id: UserId,
        counters: [u8; 16],
        on: Occasion,
    ) -> Result<Option<User>>;
    /// What is left of a person's recovery codes.
    async fn recovery_set(&self, id: UserId) -> Result<Option<RecoverySet>>;
    /// How many recovery codes each of these has left, and what is counted under this key: of many
    /// at one go.
    async fn standings(&self, of: Vec<(UserId, [u8; 32])>) -> Result<Vec<Standing>>;
    /// The last TOTP step that was used.
    async fn last_totp_step(&self, id: UserId) -> Result<Option<u64>>;
}

/// The one-time thing a step of a sign-in uses up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OneTime {
    /// A sign-in under way.
    Pending(TokenDigest),
    /// A link.
    Link(TokenDigest),
    /// The secret that a session waits to confirm.
    Enrolment(TokenDigest),
}

/// What a step of a sign-in does to the person's record.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Makes the record; refused unless it is the first of all.
    FirstUser(User),
    /// Replaces all recovery codes of somebody who has a second factor.
    Recovery(RecoverySet),
    /// Changes the record.
    Change(UserChange),
    /// Enrols a second factor: its first step is used, its recovery codes replace all others.
    Enrol {
        /// The factor.
        factor: TotpFactor,
        /// The step of the confirming code.
        step: u64,
        /// The new codes.
        recovery: RecoverySet,
    },
}

impl Effect {
    /// Whether the person's sessions end with it.
    pub const fn ends_sessions(&self) -> bool {
        match self {
            Self::FirstUser(_) | Self::Recovery(_) => false,
            Self::Enrol { .. } => true,
            Self::Change(change) => change.ends_sessions(),
        }
    }
}

/// What a step of a sign-in leaves behind.
#[derive(Clone, Debug)]
pub enum Onward {
    /// The next step, under a new token.
    Pending(TokenDigest, PendingSignIn),
    /// A session, and perhaps recovery codes that its page shows once.
    Session(TokenDigest, Session, Vec<RecoveryCode>),
    /// Nothing new: this session, in which the step was taken, goes on even where the step ends
    /// the person's others.
    Same(SessionId),
}

/// What a browser is known by.
#[derive(Clone, Copy, Debug)]
pub struct Recognised {
    /// What it was known by until now, perhaps; to nobody any more, afterwards.
    pub before: Option<TokenDigest>,
    /// What it is known by from now on, to everybody it was known to.
    pub after: TokenDigest,
}

/// One step of a sign-in, to be taken as a whole or not at all.
#[derive(Clone, Debug)]
pub struct Step {
    /// Whose step it is.
    pub user: UserId,
    /// The state of the person's credentials it was judged under ([`User::credentials`]).
    /// If it is another by now, or the person is disabled or gone, the step is void. Not looked
    /// at for [`Effect::FirstUser`].
    pub credentials: u64,
    /// What it uses up: void if that is gone, expired or another person's.
    pub consumes: Option<OneTime>,
    /// What it changes, in order.
    pub effects: Vec<Effect>,
    /// What it leaves. A pending sign-in is stored under the credentials as they are after the
    /// effects, so that the person's own change does not void their own sign-in.
    pub onward: Onward,
    /// The failure counter it clears, where it completes a sign-in.
    pub clears: Option<[u8; 32]>,
    /// The browser that is known from now on, where it completes a sign-in.
    pub browser: Option<Recognised>,
    /// Who takes it, and when.
    pub on: Occasion,
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Stepped {
    /// Taken, durably.
    Done,
    /// Not taken: what it stood on is no longer there.
    Void,
    /// Not taken: the name is somebody's, or it is not the first record.
    Refused,
}

/// A secret whose first code is awaited.
#[derive(Clone, Debug)]
pub struct Awaited {
    /// The secret.
    pub secret: TotpSecret,
    /// The state of the person's credentials it was begun under.
    pub credentials: u64,
    /// How long it is awaited.
    pub until: Timestamp,
}

/// Sign-ins under way, links and codes: everything that works once.
#[async_trait]
pub trait SignIns: Send + Sync {
    /// A sign-in under way, if it has not expired.
    async fn pending(&self, digest: TokenDigest, now: Timestamp) -> Result<Option<PendingSignIn>>;
    /// Rewrites a sign-in under way in place (a new secret to enrol); false where it is gone.
    async fn update_pending(&self, digest: TokenDigest, pending: PendingSignIn) -> Result<bool>;
    /// Takes a step of a sign-in.
    async fn commit(&self, step: Step) -> Result<Stepped>;
    /// Uses up a TOTP step, and with it every earlier one; `None` where it or a later one was used.
    async fn spend_totp_step(&self, matched: CodeMatched) -> Result<Option<Spent>>;
    /// Uses up a recovery code; `None` where it is not among the person's codes any more. Also
    /// says how many are left.
    async fn spend_recovery_code(
        &self,
        user: UserId,
        digest: RecoveryDigest,
        on: Occasion,
    ) -> Result<Option<(Spent, usize)>>;
    /// Takes the recovery codes a session's page shows, which are gone with that.
    async fn take_recovery_codes(
        &self,
        session: TokenDigest,
        now: Timestamp,
    ) -> Result<Vec<RecoveryCode>>;
    /// Keeps a link. Earlier links of the same kind for the same person stop working; those that
    /// choose a password, be it the first or a new one, are one kind.
    async fn add_link(&self, digest: TokenDigest, link: Link) -> Result<()>;
    /// Who has signed in with a browser, if anybody has.
    async fn browser(&self, digest: TokenDigest, now: Timestamp) -> Result<Option<KnownBrowser>>;
    /// Keeps a secret that a session is to confirm until then, in place of an earlier one.
    async fn await_enrolment(&self, session: TokenDigest, awaited: Awaited) -> Result<()>;
    /// The secret that a session waits to confirm, if there is one in time.
    async fn awaited_enrolment(
        &self,
        session: TokenDigest,
        now: Timestamp,
    ) -> Result<Option<Awaited>>;
    /// A link, if it has not been used and has not expired.
    async fn link(&self, digest: TokenDigest, now: Timestamp) -> Result<Option<Link>>;
}

/// A session together with the digest it is found under.
pub type StoredSession = (TokenDigest, Session);

/// What became of a refresh token.
#[derive(Clone, Debug)]
#[must_use]
pub enum Rotated {
    /// It is used up, and the session goes on under new tokens.
    Done,
    /// It had been used before, so this session has ended.
    Reused(SessionId),
    /// There is no such session any more.
    Gone,
}

/// Sessions.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// One session and its person, if both are there and the person is not disabled. Whether it
    /// is still live is for the caller to judge.
    async fn session(&self, digest: TokenDigest) -> Result<Option<(Session, User)>>;
    /// A person's sessions, or everyone's; expired ones too.
    async fn sessions(&self, user: Option<UserId>) -> Result<Vec<StoredSession>>;
    /// Ends one session, whose person leaves; the session as it was.
    async fn sign_out(&self, id: SessionId, on: Occasion) -> Result<Option<StoredSession>>;
    /// Ends one session; the session as it was.
    async fn revoke(&self, id: SessionId, on: Occasion) -> Result<Option<StoredSession>>;
    /// Ends a person's sessions, or everyone's; how many.
    async fn revoke_all(&self, user: Option<UserId>, on: Occasion) -> Result<usize>;
    /// The session of a family of tokens, if it goes on.
    async fn family(&self, family: TokenDigest) -> Result<Option<SessionId>>;
    /// One session by its name, with its person as [`Sessions::session`] has it.
    async fn session_named(&self, id: SessionId) -> Result<Option<(Session, User)>>;
    /// Lets a session go on under another digest, with a second factor that was shown again; none
    /// where it has ended, or is somebody else's.
    async fn renew(
        &self,
        session: TokenDigest,
        next: TokenDigest,
        spent: Spent,
        on: Occasion,
    ) -> Result<Option<Session>>;
    /// Uses up a program's refresh token: its session goes on under this digest and with these
    /// tokens.
    async fn rotate(
        &self,
        shown: TokenDigest,
        access: TokenDigest,
        next: Program,
        on: Occasion,
    ) -> Result<Rotated>;
    /// Notes when sessions were last used. Need not be durable at once.
    async fn touch(&self, seen: Vec<(TokenDigest, Timestamp)>) -> Result<()>;
}

/// Access tokens that administrators made.
#[async_trait]
pub trait AccessTokens: Send + Sync {
    /// Keeps a token; false where its person is gone.
    async fn add_token(
        &self,
        digest: TokenDigest,
        token: AccessToken,
        on: Occasion,
    ) -> Result<bool>;
    /// A token and its person, if both are there and the person is not disabled.
    async fn token(&self, digest: TokenDigest) -> Result<Option<(AccessToken, User)>>;
    /// A person's tokens, or everyone's; expired ones too.
    async fn tokens(&self, user: Option<UserId>) -> Result<Vec<AccessToken>>;
    /// Ends a token; the token as it was.
    async fn revoke_token(&self, id: TokenId, on: Occasion) -> Result<Option<AccessToken>>;
}

/// Failure counters, under keyed images of accounts and of names that are nobody's.
#[async_trait]
pub trait Counters: Send + Sync {
    /// Charges a try at a person's account, or at a name that is nobody's, before it is judged.
    async fn charge(
        &self,
        key: [u8; 32],
        user: Option<UserId>,
        rules: &FailureRules,
        on: Occasion,
    ) -> Result<Charge>;
    /// Says that a try that was charged was wrong, and locks where it was one too many.
    async fn fail(
        &self,
        key: [u8; 32],
        user: Option<UserId>,
        why: SignInFailure,
        rules: &FailureRules,
        on: Occasion,
    ) -> Result<()>;
    /// Gives a charge back after a right step.
    async fn refund(&self, key: [u8; 32]) -> Result<()>;
    /// What is counted.
    async fn failures(&self, key: [u8; 32]) -> Result<Option<Failures>>;
    /// Unlocks a person: forgets every counter whose key begins so; whether there was any.
    async fn unlock(&self, user: UserId, counters: [u8; 16], on: Occasion) -> Result<bool>;
}

/// Some entries of the audit trail, in the order in which they were asked for.
#[derive(Clone, Debug)]
pub struct Excerpt {
    /// The entries.
    pub lines: Vec<Line>,
    /// Where to go on; nothing where the end was reached.
    pub next: Option<Start>,
}

/// The audit trail. Entries are added at its end and removed at its beginning, and in no other
/// way; how they hang together is told in the domain.
#[async_trait]
pub trait Trail: Send + Sync {
    /// Adds entries of what has left nothing else behind. When this returns, they are on the disk.
    async fn append(&self, events: Vec<AuditEvent>, on: Occasion) -> Result<()>;
    /// So many entries that are wanted, after a look at a bounded number of them.
    async fn excerpt(&self, start: Start, wanted: Filter, most: usize) -> Result<Excerpt>;
    /// Where it begins and ends.
    async fn tip(&self) -> Result<Tip>;
    /// Checks the whole chain against its tip.
    async fn verify_trail(&self) -> Result<std::result::Result<Tip, Broken>>;
    /// Forgets the oldest entries, some at a time: where there are more than so many until there are
    /// as many, and up to the first that is not older; how many.
    async fn prune_trail(&self, older_than: Timestamp, most: u64, on: Occasion) -> Result<usize>;
}

/// What keeps it in order.
#[async_trait]
pub trait Upkeep: Send + Sync {
    /// Removes what has expired, some rows at a time; how many. Zero: nothing is left to do.
    async fn sweep(&self, now: Timestamp) -> Result<usize>;
    /// How many sessions there are, those that have expired and were not swept yet among them.
    async fn count_sessions(&self) -> Result<usize>;
    /// Whether it can write and read at this moment.
    async fn check(&self) -> Result<()>;
    /// Brings everything to the disk, for a clean end.
    async fn flush(&self) -> Result<()>;
}

/// What signed statements under an earlier master key.
#[derive(Clone, Debug)]
pub struct EarlierStatements {
    /// What its keys follow from.
    pub root: StatementRoot,
    /// How long they go on signing.
    pub signs_until: Timestamp,
    /// How long they are published.
    pub shown_until: Timestamp,
}

/// What concerns all of it.
#[async_trait]
pub trait WholeStore: Send + Sync {
    /// Writes a backup of all there is at one moment, while work goes on; how many rows it has.
    async fn write_backup(&self, made_at: Timestamp, out: Box<dyn Write + Send>) -> Result<u64>;
    /// What signed statements under earlier master keys, the earliest first.
    fn earlier_statements(&self) -> Result<Vec<EarlierStatements>>;
}

/// All of it.
pub trait Store:
    Users + SignIns + Sessions + AccessTokens + Counters + Trail + Upkeep + WholeStore
{
}

impl<T> Store for T where
    T: Users + SignIns + Sessions + AccessTokens + Counters + Trail + Upkeep + WholeStore
{
}
