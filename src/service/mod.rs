//! Floor 4: the use cases. Load, ask the domain, commit, record.
//!
//! Each capability exists once, here; pages, API and commands are thin. [`Service::ask`] is the
//! gate. Nothing here knows HTTP beyond the type of a header value, or which store it has.

mod account;
mod admin;
mod assertion;
mod backup;
mod breached;
mod capability;
mod ending;
mod enrol;
mod error;
mod factors;
mod gate;
mod hashing;
mod limits;
mod links;
mod live;
mod programs;
mod registration;
mod second_factor;
mod settings;
mod sign_in;
mod trail;

pub use admin::{
    AdminError, AdminErrorKind, AdminReply, AdminRequest, AuditQuestion, NewToken, NewTotp,
    NewUser, PolicyQuestion, SessionView, TokenView, UserView,
};
pub use assertion::{AppOrigin, Unsigned};
pub use breached::{BreachSource, RangeUrl};
pub use capability::{AdminCap, NoLeave};
pub use enrol::Enrolment;
pub use error::Denied;
pub use gate::{Answer, Credential, Permit};
pub use limits::RateRules;
pub use links::LinkPage;
pub use live::{Identity, LiveSession};
pub use programs::ProgramTokens;
pub use registration::Registration;
pub use second_factor::{Renewed, TotpStatus};
pub use settings::Settings;
pub use sign_in::{Progress, SignedIn, Underway, Visitor};

use crate::crypto::{Keyring, PasswordHash};
use crate::observe::Log;
use crate::store::{Store, StoreError};
use crate::types::{Clock, Secret};
use assertion::Signing;
use breached::Breaches;
use hashing::HashPool;
use limits::Windows;
use live::{LiveSessions, Which};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::sync::Semaphore;

/// Sessions that may be read from the store at one time.
const LOADING: usize = 64;

/// Everything the use cases need.
pub struct Service {
    store: Arc<dyn Store>,
    keys: Keyring,
    settings: Settings,
    breaches: Breaches,
    hashing: HashPool,
    live: LiveSessions,
    windows: Windows,
    /// Whether sessions may have ended in the store that memory still knows.
    in_doubt: AtomicBool,
    loading: Semaphore,
    signing: Signing,
    clock: Arc<dyn Clock>,
    log: Log,
    /// What one-time links begin with: the portal's address and prefix.
    portal: String,
    /// Hashed against for names that do not exist.
    nobody: PasswordHash,
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
            hashing: HashPool::start(settings.hash_workers, settings.hash_queue)?,
            nobody: PasswordHash::unmatched(settings.hash),
            live: LiveSessions::new(),
            windows: Windows::new(),
            in_doubt: AtomicBool::new(false),
            loading: Semaphore::new(LOADING),
            signing: Signing::after(store.earlier_statements().map_err(std::io::Error::other)?),
            store,
            keys,
            settings,
            clock,
            log,
            portal,
        })
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

    /// Removes what has expired, until nothing is left to remove; how much it was.
    pub async fn sweep(&self) -> Result<usize, StoreError> {
        let mut swept = 0;
        loop {
            match self.store.sweep(self.clock.now()).await? {
                0 => return Ok(swept),
                some => swept += some,
            }
        }
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
