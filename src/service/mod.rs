//! Floor 4: the use cases. Load, ask the domain, commit; the store records what was done with it.
//!
//! Each capability exists once, here; pages, API and commands are thin. [`Service::ask`] is the
//! gate. Nothing here knows HTTP beyond the type of a header value, or which store it has.

mod account;
mod admin;
mod assertion;
mod backup;
mod breached;
mod capability;
mod drift;
mod ending;
mod enrol;
mod error;
mod factors;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod gate;
mod hashing;
mod limits;
mod links;
mod live;
mod programs;
mod registration;
mod reloads;
mod second_factor;
mod settings;
mod sign_in;
mod strangers;
mod strength;
mod trail;

pub use admin::{
    AdminError, AdminErrorKind, AdminReply, AdminRequest, Arrival, AuditQuestion, HourView,
    NewToken, NewTotp, NewUser, Newcomer, Outcome, PolicyQuestion, SessionView, TokenView,
    UserView,
};
pub use assertion::{AppOrigin, Unsigned};
pub use breached::{BreachSource, RangeUrl, asking_over_tls, system_roots};
pub use capability::{AdminCap, NoLeave};
pub use enrol::Enrolment;
pub use error::Denied;
pub use gate::{Answer, Credential, Permit};
pub use limits::RateRules;
pub use links::LinkPage;
pub use live::{Identity, LiveSession, Named};
pub use programs::ProgramTokens;
pub use registration::Registration;
pub use second_factor::{Renewed, TotpStatus};
pub use settings::Settings;
pub use sign_in::{Progress, SignedIn, Underway, Visitor};

use crate::crypto::Keyring;
use crate::observe::Log;
use crate::store::{Store, StoreError};
use crate::types::{Clock, Secret};
use assertion::Signing;
use breached::Breaches;
use drift::Drifts;
use hashing::HashPool;
use limits::Windows;
use live::{LiveSessions, Which};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use strangers::Strangers;
use tokio::sync::Semaphore;

/// Sessions that may be read from the store at one time.
const LOADING: usize = 64;

/// Everything the use cases need: what lives as long as the process, and what they are told.
/// Where they are told something else, another takes over that shares all of the first kind.
pub struct Service {
    store: Arc<dyn Store>,
    keys: Keyring,
    settings: Settings,
    breaches: Breaches,
    hashing: Arc<HashPool>,
    live: Arc<LiveSessions>,
    windows: Arc<Windows>,
    weighed: Arc<Windows>,
    /// Whether sessions may have ended in the store that memory still knows.
    in_doubt: Arc<AtomicBool>,
    loading: Arc<Semaphore>,
    weighing: Arc<Semaphore>,
    drifts: Arc<Drifts>,
    /// As they were last counted.
    sessions: Arc<AtomicUsize>,
    signing: Arc<Signing>,
    clock: Arc<dyn Clock>,
    log: Log,
    /// What one-time links begin with: the portal's address and prefix.
    portal: String,
    /// Hashed against for names that do not exist.
    strangers: Arc<Strangers>,
}

impl Service {
    /// Puts the parts together and starts the hashing threads.
    pub fn start(
        store: Arc<dyn Store>,
        keys: Keyring,
        settings: Settings,
        portal: String,
        clock: Arc<dyn Clock>,
        log: Log,
    ) -> std::io::Result<Self> {
        Ok(Self {
            breaches: Breaches::new(&settings.breached),
            hashing: Arc::new(HashPool::start(settings.hash_workers, settings.hash_queue)?),
            strangers: Arc::default(),
            live: Arc::new(LiveSessions::new()),
            windows: Arc::new(Windows::new(limits::BUCKETS)),
            weighed: Arc::new(Windows::new(strength::BUCKETS)),
            in_doubt: Arc::new(AtomicBool::new(false)),
            loading: Arc::new(Semaphore::new(LOADING)),
            weighing: Arc::new(Semaphore::new(strength::WEIGHING)),
            drifts: Arc::default(),
            sessions: Arc::default(),
            signing: Arc::default(),
            store,
            keys,
            settings,
            clock,
            log,
            portal,
        })
    }

    /// The one that takes over with these settings: the same people, sessions and counters. How
    /// many threads hash stays as it is.
    #[must_use]
    pub fn under(&self, settings: Settings) -> Self {
        Self {
            breaches: Breaches::new(&settings.breached),
            strangers: Arc::clone(&self.strangers),
            settings,
            store: Arc::clone(&self.store),
            keys: self.keys.clone(),
            hashing: Arc::clone(&self.hashing),
            live: Arc::clone(&self.live),
            windows: Arc::clone(&self.windows),
            weighed: Arc::clone(&self.weighed),
            in_doubt: Arc::clone(&self.in_doubt),
            loading: Arc::clone(&self.loading),
            weighing: Arc::clone(&self.weighing),
            drifts: Arc::clone(&self.drifts),
            sessions: Arc::clone(&self.sessions),
            signing: Arc::clone(&self.signing),
            clock: Arc::clone(&self.clock),
            log: self.log.clone(),
            portal: self.portal.clone(),
        }
    }

    /// The rules and names it works by.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where it says what happens.
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// What the time is.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// The token a form carries for the browser that holds this cookie.
    pub fn form_token(&self, cookie: &[u8; 32]) -> [u8; 32] {
        self.keys.form_token(cookie)
    }

    /// Whether it can serve: the store answers.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.store.check().await
    }

    /// Tells the store when sessions were last used. Called every few seconds, never by a request.
    pub async fn save_uses(&self) -> Result<(), StoreError> {
        let unsaved = self.live.unsaved();
        if unsaved.is_empty() {
            return Ok(());
        }
        self.store
            .touch(unsaved.iter().map(|(live, seen)| (live.digest(), *seen)).collect())
            .await?;
        for (live, seen) in &unsaved {
            live.saved(*seen);
        }
        Ok(())
    }

    /// How many passwords wait to be hashed, or are being hashed.
    pub fn hash_depth(&self) -> usize {
        self.hashing.depth()
    }

    /// How many sessions there were when they were last counted.
    pub fn session_count(&self) -> usize {
        self.sessions.load(Ordering::Relaxed)
    }

    /// Counts the sessions. Takes a walk through them, so that nobody who asks has to.
    pub async fn count_sessions(&self) -> Result<(), StoreError> {
        self.sessions.store(self.store.count_sessions().await?, Ordering::Relaxed);
        Ok(())
    }

    /// Removes what has expired, until nothing is left to remove; how much it was.
    pub async fn sweep(&self) -> Result<usize, StoreError> {
        let mut swept = 0;
        self.live.end_expired(self.clock.now());
        loop {
            match self.store.sweep(self.clock.now()).await? {
                0 => return Ok(swept),
                some => swept += some,
            }
        }
    }

    /// Learns what the hashes of the people cost, so that names that are nobody's cost the same.
    pub async fn look_at_people(&self) -> Result<(), StoreError> {
        self.strangers.look_at(&self.store.users().await?, self.settings.hash);
        Ok(())
    }

    /// Does so at first, and while there are hashes that go away as people sign in. Called every
    /// minute.
    pub async fn follow_people(&self) -> Result<(), StoreError> {
        if self.strangers.are_to_follow() { self.look_at_people().await } else { Ok(()) }
    }

    /// Brings everything to the disk, for a clean end.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.save_uses().await?;
        self.store.flush().await
    }

    /// A one-time link to a page of ours. The token is in it: for the person's eyes alone.
    fn link_to(&self, page: &str, token: &crate::types::Bearer) -> Secret<String> {
        Secret::new(format!("{}/{page}?token={}", self.portal, token.reveal()))
    }
}
