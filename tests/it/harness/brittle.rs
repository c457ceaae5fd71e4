//! A store that can be made to fail.

use async_trait::async_trait;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use vestibule::crypto::{CodeMatched, RecoveryCode, RecoveryDigest};
use vestibule::domain::{
    AccessToken, AuditEvent, Broken, Charge, FailureRules, Failures, Filter, KnownBrowser, Link,
    Occasion, PendingSignIn, Program, Session, SignInFailure, Spent, Start, Tip, User, UserChange,
};
use vestibule::store::{
    AccessTokens, Added, Awaited, Changed, Counters, EarlierStatements, Excerpt, KvStore, Result,
    Rotated, Sessions, SignIns, Standing, Step, Stepped, StoreError, StoredSession, Trail, Upkeep,
    Users, WholeStore,
};
use vestibule::types::{Login, SessionId, Timestamp, TokenDigest, TokenId, UserId};

/// A store in memory, until it breaks.
pub struct BrittleStore {
    inner: KvStore,
    is_broken: AtomicBool,
}

impl BrittleStore {
    pub const fn new(inner: KvStore) -> Self {
        Self { inner, is_broken: AtomicBool::new(false) }
    }

    /// From now on every verb fails, or none.
    pub fn set_broken(&self, is_broken: bool) {
        self.is_broken.store(is_broken, Ordering::SeqCst);
    }

    fn whole(&self) -> Result<&KvStore> {
        let broken = || StoreError::Unavailable("it is broken".into());
        (!self.is_broken.load(Ordering::SeqCst)).then_some(&self.inner).ok_or_else(broken)
    }
}

/// The verbs of a part of the store, each passed on or failed.
macro_rules! brittle {
    ($part:ident { $(fn $verb:ident($($arg:ident: $kind:ty),*) -> $out:ty;)* }) => {
        #[async_trait]
        impl $part for BrittleStore {
            $(async fn $verb(&self, $($arg: $kind),*) -> Result<$out> {
                self.whole()?.$verb($($arg),*).await
            })*
        }
    };
}

brittle!(Users {
    fn user(id: UserId) -> Option<User>;
    fn find_user(login: &Login) -> Option<User>;
    fn users() -> Vec<User>;
    fn is_empty() -> bool;
    fn add_user(user: User, recovery: Option<vestibule::crypto::RecoverySet>, on: Occasion) -> Added;
    fn change_user(id: UserId, changes: Vec<UserChange>, on: Occasion) -> Option<std::result::Result<Changed, Added>>;
    fn remove_user(id: UserId, counters: [u8; 16], on: Occasion) -> Option<User>;
    fn recovery_set(id: UserId) -> Option<vestibule::crypto::RecoverySet>;
    fn standings(of: Vec<(UserId, [u8; 32])>) -> Vec<Standing>;
    fn last_totp_step(id: UserId) -> Option<u64>;
});

brittle!(SignIns {
    fn pending(digest: TokenDigest, now: Timestamp) -> Option<PendingSignIn>;
    fn update_pending(digest: TokenDigest, pending: PendingSignIn) -> bool;
    fn commit(step: Step) -> Stepped;
    fn spend_totp_step(matched: CodeMatched) -> Option<Spent>;
    fn spend_recovery_code(user: UserId, digest: RecoveryDigest, on: Occasion) -> Option<(Spent, usize)>;
    fn take_recovery_codes(session: TokenDigest, now: Timestamp) -> Vec<RecoveryCode>;
    fn add_link(digest: TokenDigest, link: Link) -> ();
    fn browser(digest: TokenDigest, now: Timestamp) -> Option<KnownBrowser>;
    fn await_enrolment(session: TokenDigest, awaited: Awaited) -> ();
    fn awaited_enrolment(session: TokenDigest, now: Timestamp) -> Option<Awaited>;
    fn link(digest: TokenDigest, now: Timestamp) -> Option<Link>;
});

brittle!(Sessions {
    fn session(digest: TokenDigest) -> Option<(Session, User)>;
    fn sessions(user: Option<UserId>) -> Vec<StoredSession>;
    fn sign_out(id: SessionId, on: Occasion) -> Option<StoredSession>;
    fn revoke(id: SessionId, on: Occasion) -> Option<StoredSession>;
    fn revoke_all(user: Option<UserId>, on: Occasion) -> usize;
    fn family(family: TokenDigest) -> Option<SessionId>;
    fn session_named(id: SessionId) -> Option<(Session, User)>;
    fn renew(session: TokenDigest, next: TokenDigest, spent: Spent, on: Occasion) -> Option<Session>;
    fn rotate(shown: TokenDigest, access: TokenDigest, next: Program, on: Occasion) -> Rotated;
    fn touch(seen: Vec<(TokenDigest, Timestamp)>) -> ();
});

brittle!(AccessTokens {
    fn add_token(digest: TokenDigest, token: AccessToken, on: Occasion) -> bool;
    fn token(digest: TokenDigest) -> Option<(AccessToken, User)>;
    fn tokens(user: Option<UserId>) -> Vec<AccessToken>;
    fn revoke_token(id: TokenId, on: Occasion) -> Option<AccessToken>;
});

brittle!(Counters {
    fn charge(key: [u8; 32], user: Option<UserId>, rules: &FailureRules, on: Occasion) -> Charge;
    fn fail(key: [u8; 32], user: Option<UserId>, why: SignInFailure, rules: &FailureRules, on: Occasion) -> ();
    fn refund(key: [u8; 32]) -> ();
    fn failures(key: [u8; 32]) -> Option<Failures>;
    fn unlock(user: UserId, counters: [u8; 16], on: Occasion) -> bool;
});

brittle!(Trail {
    fn append(events: Vec<AuditEvent>, on: Occasion) -> ();
    fn excerpt(start: Start, wanted: Filter, most: usize) -> Excerpt;
    fn tip() -> Tip;
    fn verify_trail() -> std::result::Result<Tip, Broken>;
    fn prune_trail(older_than: Timestamp, most: u64, on: Occasion) -> usize;
});

brittle!(Upkeep {
    fn sweep(now: Timestamp) -> usize;
    fn count_sessions() -> usize;
    fn check() -> ();
    fn flush() -> ();
});

#[async_trait]
impl WholeStore for BrittleStore {
    async fn write_backup(&self, made_at: Timestamp, out: Box<dyn Write + Send>) -> Result<u64> {
        self.whole()?.write_backup(made_at, out).await
    }

    fn earlier_statements(&self) -> Result<Vec<EarlierStatements>> {
        self.whole()?.earlier_statements()
    }
}
