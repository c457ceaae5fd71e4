//! What the scenarios stand on: a store, people, sign-ins at any rung.

use crate::crypto::{
    CodeMatched, HashParams, Keyring, Password, PasswordHash, RecoveryCode, RecoverySet,
    TotpParams, TotpSecret,
};
use crate::domain::{
    Actor, Climbed, Link, LinkPurpose, Occasion, PendingSignIn, Session, SessionRules, TotpFactor,
    User, UserChange,
};
use crate::store::kv::Engine;
use crate::store::memory::Memory;
use crate::store::sled::{Floors, SledEngine};
use crate::store::{Effect, KvStore, OneTime, Onward, Step, StoreError, Users as _, layout};
use crate::types::{Email, SessionId, Timestamp, TokenDigest, UserId, Username};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub(super) const CHEAP: HashParams = HashParams { memory_kib: 64, iterations: 1 };
pub(super) const PASSWORD: &str = "correct horse battery";
pub(super) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// The occasion of whatever needs one.
pub(super) const HERE: Occasion = Occasion::here(Actor::CommandLine, NOW);

/// The same at another moment.
pub(super) fn at(now: Timestamp) -> Occasion {
    Occasion { at: now, ..HERE }
}

pub(super) const NOBODY: UserId = UserId::from_bytes([0; 16]);

/// What no counter's key begins with.
pub(super) const NO_COUNTERS: [u8; 16] = [0xff; 16];

pub(super) fn later(secs: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(secs))
}

pub(super) fn keys(first: u8) -> Keyring {
    Keyring::from_master(&std::array::from_fn::<u8, 32, _>(|i| first ^ i as u8)).unwrap()
}

/// A number that is not the same twice.
pub(super) fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn spread<const N: usize>() -> [u8; N] {
    let mut bytes = [0xa5; N];
    bytes[..8].copy_from_slice(&unique().wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    bytes
}

pub(super) fn digest() -> TokenDigest {
    TokenDigest::from_bytes(spread())
}

/// A folder that goes when it is dropped.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        let name = format!("vestibule-store-{}-{}", std::process::id(), unique());
        Self(std::env::temp_dir().join(name))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A store, and a way to look below it.
pub(super) struct Bench {
    pub(super) store: Arc<KvStore>,
    pub(super) engine: Arc<dyn Engine>,
    _folder: Option<Folder>,
}

impl Bench {
    fn over(engine: Arc<dyn Engine>, folder: Option<Folder>) -> Self {
        let store = Arc::new(KvStore::over(Arc::clone(&engine), keys(0)).unwrap());
        Self { store, engine, _folder: folder }
    }

    pub(super) fn at(engine: Arc<dyn Engine>) -> Self {
        Self::over(engine, None)
    }

    pub(super) fn in_memory() -> Self {
        Self::over(Arc::new(Memory::default()), None)
    }

    pub(super) fn on_sled() -> Self {
        let folder = Folder::new();
        let engine = SledEngine::open(folder.path(), &keys(0), Floors::default()).unwrap();
        Self::over(Arc::new(engine), Some(folder))
    }

    /// Every row there is.
    pub(super) fn dump(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        dump(&*self.engine)
    }

    /// The same without what the trail keeps of everything that was ever done.
    pub(super) fn dump_of_today(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let is_kept = |key: &[u8]| {
            key.starts_with(&[layout::TRAIL]) || key == layout::TIP || key == layout::INVENTORY
        };
        self.dump().into_iter().filter(|(key, _)| !is_kept(key)).collect()
    }

    /// The rows of some tables.
    pub(super) fn count(&self, tables: &[u8]) -> usize {
        self.dump().iter().filter(|(key, _)| tables.contains(&key[0])).count()
    }

    /// Adds a person with a password.
    pub(super) async fn add(&self, name: &str) -> User {
        let user = person(name);
        assert_eq!(
            self.store.add_user(user.clone(), None, HERE).await,
            Ok(crate::store::Added::Done)
        );
        user
    }

    /// Signs somebody in.
    pub(super) async fn sign_in(&self, user: &User, now: Timestamp) -> (TokenDigest, Session) {
        let (digest, session) = (digest(), session(user, now));
        let step = step(user, Onward::Session(digest, session.clone(), Vec::new()), now);
        assert_eq!(self.commit(step).await, crate::store::Stepped::Done);
        (digest, session)
    }

    pub(super) async fn commit(&self, step: Step) -> crate::store::Stepped {
        crate::store::SignIns::commit(&*self.store, step).await.unwrap()
    }

    /// Leaves a sign-in under way.
    pub(super) async fn begin(&self, user: &User, now: Timestamp) -> TokenDigest {
        let digest = digest();
        let step = step(user, Onward::Pending(digest, pending(user, now)), now);
        assert_eq!(self.commit(step).await, crate::store::Stepped::Done);
        digest
    }
}

pub(super) fn dump(engine: &dyn Engine) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    engine
        .scan(&[], &mut |key, value| {
            // The number of the last batch differs with every batch.
            if key != layout::PROGRESS {
                rows.push((key.to_vec(), value.to_vec()));
            }
            Ok::<_, StoreError>(true)
        })
        .unwrap();
    rows
}

pub(super) fn password() -> Password {
    Password::new(PASSWORD).unwrap()
}

pub(super) fn person(name: &str) -> User {
    User {
        id: UserId::from_bytes(spread()),
        username: Username::parse(name).unwrap(),
        email: None,
        display_name: None,
        groups: Vec::new(),
        password: Some(PasswordHash::create(&password(), CHEAP).unwrap()),
        totp: None,
        disabled: false,
        must_change_password: false,
        enrol_by_link: false,
        credentials: 0,
        created_at: NOW,
    }
}

pub(super) fn email(text: &str) -> Option<Email> {
    Some(Email::parse(text).unwrap())
}

pub(super) fn pending(user: &User, now: Timestamp) -> PendingSignIn {
    let proof = user.password.as_ref().unwrap().verify(user.id, &password()).unwrap();
    PendingSignIn::begin(proof, user, now, Duration::from_secs(300)).unwrap()
}

pub(super) fn session(user: &User, now: Timestamp) -> Session {
    let bare = User { totp: None, must_change_password: false, ..user.clone() };
    let Climbed::Done(proof) = pending(user, now).climb(&bare, false) else {
        panic!("a password is all that is asked");
    };
    let client = IpAddr::from([192, 0, 2, 7]).into();
    let id = SessionId::from_bytes(spread());
    Session::begin(id, proof, false, &SessionRules::default(), now, client, "a browser")
}

/// A step that uses up nothing and changes nothing.
pub(super) fn step(user: &User, onward: Onward, now: Timestamp) -> Step {
    Step {
        user: user.id,
        credentials: user.credentials,
        consumes: None,
        effects: Vec::new(),
        onward,
        clears: None,
        browser: None,
        on: at(now),
    }
}

/// A step from a sign-in under way or a link to a session.
pub(super) fn finish(user: &User, consumes: OneTime, now: Timestamp) -> (TokenDigest, Step) {
    let digest = digest();
    let onward = Onward::Session(digest, session(user, now), Vec::new());
    (digest, Step { consumes: Some(consumes), ..step(user, onward, now) })
}

pub(super) fn link(user: Option<&User>, purpose: LinkPurpose, expires_at: Timestamp) -> Link {
    Link { purpose, user: user.map(|user| user.id), expires_at }
}

pub(super) fn totp() -> TotpFactor {
    let secret = TotpSecret::generate(TotpParams::default()).unwrap();
    TotpFactor { secret, confirmed_at: NOW }
}

/// The right code of a moment.
pub(super) fn matched(user: UserId, factor: &TotpFactor, at: Timestamp) -> CodeMatched {
    factor.secret.check(user, &factor.secret.code_at(at), at, 0, None).unwrap()
}

pub(super) fn codes() -> (RecoverySet, Vec<RecoveryCode>) {
    RecoverySet::generate(CHEAP).unwrap()
}

pub(super) fn enrol(factor: &TotpFactor, step: u64, recovery: RecoverySet) -> Effect {
    Effect::Enrol { factor: factor.clone(), step, recovery }
}

pub(super) fn new_password() -> UserChange {
    let password = Password::new("another long password").unwrap();
    UserChange::Password(PasswordHash::create(&password, CHEAP).unwrap())
}

/// Runs the same thing many times at once; how often it said yes.
pub(super) async fn race<F: Future<Output = bool> + Send + 'static>(
    times: usize,
    contender: impl Fn(usize) -> F,
) -> usize {
    let gate = Arc::new(tokio::sync::Barrier::new(times));
    let mut all = Vec::new();
    for at in 0..times {
        let (gate, run) = (Arc::clone(&gate), contender(at));
        all.push(tokio::spawn(async move {
            gate.wait().await;
            run.await
        }));
    }
    let mut won = 0;
    for one in all {
        won += usize::from(one.await.unwrap());
    }
    won
}
