//! The sessions that are in use, in memory.
//!
//! A fixed table of slots, found by the session's digest. Reading takes no lock and touches no
//! disk; writing replaces a slot. The table is bounded by its size: a session that finds its
//! bucket full takes the place of the one that was idle longest, which will be read from the
//! store again.
//!
//! Whoever ends sessions first ends them in the store, then calls [`LiveSessions::end_where`].
//! That counts up the epoch before it looks at the slots, and whoever loads a session compares
//! the epoch after inserting: so a session that was read before it ended is never kept.

use super::assertion::Statements;
use crate::domain::{AccessToken, Known, Session, TokenLimits, User};
use crate::types::{ClientAddr, GroupName, Host, SessionId, Timestamp, TokenDigest, UserId};
use arc_swap::ArcSwapOption;
use http::HeaderValue;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Buckets; a power of two.
const BUCKETS: usize = 1 << 15;
/// Slots a bucket.
const WAYS: usize = 4;

/// What the app is told about a person, ready to be written.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The username.
    pub user: HeaderValue,
    /// The groups, joined by commas.
    pub groups: HeaderValue,
    /// The display name; the username where there is none.
    pub name: HeaderValue,
    /// The e-mail address; empty where there is none.
    pub email: HeaderValue,
}

impl Identity {
    fn of(user: &User) -> Self {
        let groups: Vec<&str> = user.groups.iter().map(GroupName::as_str).collect();
        let name = user.display_name.as_ref().map_or(user.username.as_str(), |name| name.as_str());
        Self {
            user: value(user.username.as_str()),
            groups: value(&groups.join(",")),
            name: value(name),
            email: value(user.email.as_ref().map_or("", |email| email.as_str())),
        }
    }
}

/// Names were checked when they were read; what could not be a header would be told as nothing.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_bytes(text.as_bytes()).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// A session in use.
#[derive(Debug)]
pub struct LiveSession {
    digest: TokenDigest,
    session: Session,
    username: String,
    identity: Identity,
    groups: Vec<GroupName>,
    /// All that the person is in, which may be more than count for an access token.
    all_groups: Vec<GroupName>,
    has_factor: bool,
    administers: bool,
    /// Where it may be used, for an access token's.
    limits: Option<TokenLimits>,
    statements: Statements,
    last_seen: AtomicU64,
    stored_seen: AtomicU64,
    ended: AtomicBool,
}

impl LiveSession {
    /// Puts together what a request with an access token needs to know.
    pub(super) fn of_token(digest: TokenDigest, token: AccessToken, mut user: User) -> Self {
        let all_groups = user.groups.clone();
        user.groups = token.limits.narrow(&all_groups);
        let session = token.session();
        Self { limits: Some(token.limits), all_groups, ..Self::new(digest, session, &user) }
    }

    /// Puts together what a request needs to know.
    pub(super) fn new(digest: TokenDigest, session: Session, user: &User) -> Self {
        let seen = session.last_seen_at().as_secs();
        Self {
            digest,
            identity: Identity::of(user),
            groups: user.groups.clone(),
            all_groups: user.groups.clone(),
            has_factor: user.totp.is_some(),
            administers: user.is_administrator(),
            limits: None,
            statements: Statements::default(),
            username: user.username.to_string(),
            session,
            last_seen: AtomicU64::new(seen),
            stored_seen: AtomicU64::new(seen),
            ended: AtomicBool::new(false),
        }
    }

    /// Whether it is good at this moment: neither ended, nor expired, nor idle too long.
    pub fn is_live(&self, now: Timestamp) -> bool {
        !self.ended.load(Ordering::Acquire) && self.is_in_time(now)
    }

    /// Whether what was begun under it may go on at this moment: also under a token that has been
    /// replaced by the next since.
    pub fn goes_on(&self, now: Timestamp) -> bool {
        !self.ended.load(Ordering::Acquire) && self.session.is_live(now, self.last_seen())
    }

    /// Notes that it has ended elsewhere: nothing goes on under it.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }

    /// Whether it has neither expired nor been idle too long, whatever else became of it.
    pub(super) fn is_in_time(&self, now: Timestamp) -> bool {
        self.session.admits(now, self.last_seen())
    }

    /// Whether it may be used at this host from there.
    pub(super) fn reaches(&self, host: &Host, client: ClientAddr) -> bool {
        self.limits.as_ref().is_none_or(|limits| limits.admit(host, client))
    }

    /// Whether it is an access token's.
    pub const fn is_token(&self) -> bool {
        self.limits.is_some()
    }

    /// Notes a use.
    pub fn seen(&self, now: Timestamp) {
        // Most requests fall into a second that is noted already.
        if self.last_seen.load(Ordering::Relaxed) < now.as_secs() {
            self.last_seen.fetch_max(now.as_secs(), Ordering::Relaxed);
        }
    }

    /// When it was used last.
    pub(super) fn last_seen(&self) -> Timestamp {
        Timestamp::from_secs(self.last_seen.load(Ordering::Relaxed))
    }

    /// Who it is, as rules see them.
    pub(super) fn known(&self) -> Known<'_> {
        Known::Person {
            username: &self.username,
            groups: &self.groups,
            all_groups: &self.all_groups,
            // A token has nothing to show again.
            has_factor: self.has_factor && !self.is_token(),
            shown_at: self.session.second_factor().map(|(_, at)| at),
        }
    }

    /// The session.
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// Whose it is.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// What the app is told.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What apps were told that they can check.
    pub(super) const fn statements(&self) -> &Statements {
        &self.statements
    }

    /// The groups that count for it.
    pub fn groups(&self) -> &[GroupName] {
        &self.groups
    }

    /// Whether they are one of the administrators.
    pub const fn is_administrator(&self) -> bool {
        self.administers
    }

    /// What another process finds it by.
    pub fn named(&self) -> Named {
        let (digest, session) = (self.digest, self.session.id());
        Named { digest, session, is_token: self.is_token() }
    }

    /// What it is found under.
    pub(super) const fn digest(&self) -> TokenDigest {
        self.digest
    }

    /// When it was used last, if the store has yet to hear of it.
    pub(super) fn unsaved(&self) -> Option<Timestamp> {
        let seen = self.last_seen();
        // Of a token no uses are kept.
        (!self.is_token() && self.stored_seen.load(Ordering::Relaxed) < seen.as_secs())
            .then_some(seen)
    }

    /// Notes that the store has heard of a use.
    pub(super) fn saved(&self, seen: Timestamp) {
        self.stored_seen.fetch_max(seen.as_secs(), Ordering::Relaxed);
    }
}

/// A session, as the process that a gateway was handed over to finds it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Named {
    pub(super) digest: TokenDigest,
    pub(super) session: SessionId,
    pub(super) is_token: bool,
}

/// Which sessions are meant.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// This one.
    One(SessionId),
    /// A person's.
    Of(UserId),
    /// A person's, but not this one.
    Others(UserId, SessionId),
    /// All.
    All,
}

impl Which {
    fn includes(self, session: &Session) -> bool {
        match self {
            Self::One(id) => session.id() == id,
            Self::Of(user) => session.user() == user,
            Self::Others(user, but) => session.user() == user && session.id() != but,
            Self::All => true,
        }
    }
}

/// The table.
pub struct LiveSessions {
    buckets: Box<[[ArcSwapOption<LiveSession>; WAYS]]>,
    epoch: AtomicU64,
}

impl LiveSessions {
    /// An empty table.
    pub fn new() -> Self {
        let bucket = || std::array::from_fn(|_| ArcSwapOption::empty());
        Self { buckets: (0..BUCKETS).map(|_| bucket()).collect(), epoch: AtomicU64::new(0) }
    }

    fn bucket(&self, digest: &TokenDigest) -> &[ArcSwapOption<LiveSession>] {
        let number =
            digest.as_bytes().iter().take(8).fold(0_usize, |n, b| n << 8 | usize::from(*b));
        self.buckets.get(number % BUCKETS).map_or(&[], |bucket| bucket.as_slice())
    }

    /// Finds a session.
    pub(super) fn get(&self, digest: &TokenDigest) -> Option<Arc<LiveSession>> {
        self.bucket(digest).iter().find_map(|slot| {
            let held = slot.load();
            held.as_ref().filter(|live| live.digest() == *digest).map(Arc::clone)
        })
    }

    /// The epoch, to be read before a session is read from the store.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// Keeps a session that was read in this epoch; false, and it counts as ended, where sessions
    /// ended meanwhile. What had to make room for it comes back.
    pub(super) fn insert(
        &self,
        live: &Arc<LiveSession>,
        epoch: u64,
    ) -> (bool, Option<Arc<LiveSession>>) {
        let bucket = self.bucket(&live.digest());
        // Its own earlier place first, then an empty one, then that of whoever was idle longest.
        let idle = |slot: &&ArcSwapOption<LiveSession>| {
            let held = slot.load();
            let other = held.as_ref().map(|held| held.digest() != live.digest());
            let seen = held.as_ref().map_or(0, |held| held.last_seen.load(Ordering::Relaxed));
            (other.unwrap_or(true), other.is_some(), seen)
        };
        let evicted =
            bucket.iter().min_by_key(idle).and_then(|slot| slot.swap(Some(Arc::clone(live))));
        if self.epoch() == epoch {
            return (true, evicted);
        }
        clear(bucket, true, |held| held.digest() == live.digest());
        live.ended.store(true, Ordering::Release);
        (false, evicted)
    }

    /// Ends sessions that have ended in the store.
    pub fn end_where(&self, which: Which) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        clear(self.buckets.iter().flatten(), true, |held| which.includes(held.session()));
    }

    /// Ends what time has ended, as the store does: a clock that is set back brings none to life.
    pub(super) fn end_expired(&self, now: Timestamp) {
        clear(self.buckets.iter().flatten(), true, |held| !held.goes_on(now));
    }

    /// Forgets sessions that go on, so that they are read afresh.
    pub fn forget_where(&self, which: Which) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        clear(self.buckets.iter().flatten(), false, |held| which.includes(held.session()));
    }

    /// What the store has yet to hear of uses.
    pub(super) fn unsaved(&self) -> Vec<(Arc<LiveSession>, Timestamp)> {
        let held = self.buckets.iter().flatten().filter_map(ArcSwapOption::load_full);
        held.filter_map(|live| live.unsaved().map(|seen| (live, seen))).collect()
    }
}

/// Clears the slots of the sessions that are meant, which may end with that.
fn clear<'s>(
    slots: impl IntoIterator<Item = &'s ArcSwapOption<LiveSession>>,
    ends: bool,
    is_meant: impl Fn(&LiveSession) -> bool,
) {
    for slot in slots {
        if let Some(live) = slot.load_full().filter(|live| is_meant(live)) {
            // A token ends by itself alone, which the store knows: it is read afresh.
            live.ended.fetch_or(ends && !live.is_token(), Ordering::AcqRel);
            slot.store(None);
        }
    }
}

impl Default for LiveSessions {
    fn default() -> Self {
        Self::new()
    }
}
