//! What the use cases are told by the configuration.

use super::BreachSource;
use super::limits::RateRules;
use crate::crypto::{HashParams, TotpParams};
use crate::domain::{AccessRules, FailureRules, PasswordRules, SessionRules};
use std::time::Duration;

/// What the use cases are told by the configuration. The defaults are the documented ones.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long sessions last.
    pub session: SessionRules,
    /// What new passwords must be.
    pub password: PasswordRules,
    /// Where new passwords are looked up among stolen ones.
    pub breached: BreachSource,
    /// What a password hash costs.
    pub hash: HashParams,
    /// Threads that hash; 0: one fewer than there are cores, at least one.
    pub hash_workers: usize,
    /// How many may wait for them; more are turned away as busy.
    pub hash_queue: usize,
    /// How codes of new second factors are made.
    pub totp: TotpParams,
    /// Steps a code may be early or late.
    pub totp_skew: u8,
    /// The name authenticators show.
    pub totp_issuer: String,
    /// How often may be tried.
    pub rates: RateRules,
    /// Whether people may add themselves.
    pub registration: bool,
    /// What failures cost.
    pub failures: FailureRules,
    /// Who may go where.
    pub access: AccessRules,
    /// How long entries of the audit trail are kept, where not for ever.
    pub trail_keep: Option<Duration>,
    /// How many entries of the audit trail are kept.
    pub trail_most: u64,
    /// Who signs what apps are told: the address of the portal.
    pub issuer: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            session: SessionRules::default(),
            password: PasswordRules::default(),
            breached: BreachSource::default(),
            hash: HashParams::default(),
            hash_workers: 0,
            hash_queue: 64,
            totp: TotpParams::default(),
            totp_skew: 1,
            totp_issuer: String::from("vestibule"),
            rates: RateRules::default(),
            registration: false,
            failures: FailureRules::default(),
            access: AccessRules::default(),
            trail_keep: Some(Duration::from_secs(365 * 86_400)),
            trail_most: 1_000_000,
            issuer: String::from("http://127.0.0.1:8080"),
        }
    }
}
