//! `[session]` to `[access]`: what the use cases are told.

use super::access;
use super::audit;
use super::breached;
use super::fault::Wrong;
use super::kinds::{duration, flag, one_of, rate, size, within};
use super::reader::{Reader, Section};
use super::server::cookie_domain;
use crate::crypto::{HashParams, TotpAlgorithm, TotpParams};
use crate::domain::{FailureRules, PasswordRules, SessionRules};
use crate::observe::Copies;
use crate::service;
use crate::types::{Host, PublicUrl};

/// What the use cases are told, and what else their tables hold.
pub(super) struct Rules {
    pub service: service::Settings,
    pub cookie_domain: Option<Host>,
    pub body_max: usize,
    pub copies: Copies,
}

pub(super) fn read(reader: &mut Reader, public_url: Option<&PublicUrl>) -> Option<Rules> {
    let session = reader.section("session", |s| session(s, public_url));
    let passwords = reader.section("password", password);
    let totp = reader.section("totp", totp);
    let limits = reader.section("limits", limits);
    let registration = reader.section("registration", |s| s.read("enabled", "false", flag));
    let access = access::read(reader);
    let audit = reader.section("audit", audit::read);
    let (session, cookie_domain) = session?;
    let Passwords { rules: password, breached, hash, hash_workers, hash_queue } = passwords?;
    let (totp_issuer, totp, totp_skew) = totp?;
    let (trail_keep, trail_most, copies) = audit?;
    let Limits { rates, failures, body_max } = limits?;
    let service = service::Settings {
        session,
        password,
        breached,
        hash,
        hash_workers,
        hash_queue,
        totp,
        totp_skew,
        totp_issuer,
        rates,
        registration: registration?,
        failures,
        access: access?,
        issuer: public_url?.to_string(),
        trail_keep,
        trail_most,
    };
    Some(Rules { service, cookie_domain, body_max, copies })
}

fn session(
    s: &mut Section<'_>,
    public_url: Option<&PublicUrl>,
) -> Option<(SessionRules, Option<Host>)> {
    let idle = s.read("idle", "1h", duration);
    let lifetime = s.read("lifetime", "24h", duration);
    let remember = s.read("remember", "30d", duration);
    let pending = s.read("pending", "5m", duration);
    let domain = s.read("cookie_domain", "", |text: String| cookie_domain(&text, public_url));
    if idle > lifetime && lifetime.is_some() {
        let wrong = Wrong::new("idle is longer than lifetime")
            .advise("set both so that idle is the shorter one");
        s.blame(&["idle", "lifetime"], wrong);
    }
    let rules =
        SessionRules { idle: idle?, lifetime: lifetime?, remember: remember?, pending: pending? };
    Some((rules, domain?))
}

struct Passwords {
    rules: PasswordRules,
    breached: service::BreachSource,
    hash: HashParams,
    hash_workers: usize,
    hash_queue: usize,
}

fn password(s: &mut Section<'_>) -> Option<Passwords> {
    let min_length = s.read("min_length", "12", within(8..=256));
    let require_classes = s.read("require_classes", "false", flag);
    let words = s.list("words", "", word);
    let breached = breached::read(s);
    let memory_kib = s.read("memory_kib", "19456", within(8..=4_194_304));
    let iterations = s.read("iterations", "2", within(1..=100));
    let hash_workers = s.read("hash_workers", "0", within(0..=1024));
    let hash_queue = s.read("hash_queue", "64", within(1..=65_536));
    let hash = memory_kib
        .zip(iterations)
        .map(|(memory_kib, iterations)| HashParams { memory_kib, iterations });
    if let Some(hash) = hash {
        check_costs(s, hash);
    }
    Some(Passwords {
        rules: PasswordRules {
            min_length: min_length?,
            require_classes: require_classes?,
            words: words?,
        },
        breached: breached?,
        hash: hash?,
        hash_workers: hash_workers?,
        hash_queue: hash_queue?,
    })
}

fn word(text: &str) -> Result<String, Wrong> {
    if PasswordRules::is_word(text) {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(format!("{text:?} has no word of four letters or digits")).advise(
        "write words that people here would think of first; shorter ones are in too many others",
    ))
}

/// The floor that OWASP draws for Argon2id with one lane.
fn check_costs(s: &mut Section<'_>, hash: HashParams) {
    let least = match hash.iterations {
        1 => 47_104,
        2 => 19_456,
        _ => 12_288,
    };
    if hash.memory_kib < least || !hash.are_usable() {
        let HashParams { memory_kib, iterations } = hash;
        let wrong = Wrong::new(format!(
            "{memory_kib} KiB with iterations = {iterations} is too cheap to guess against"
        ))
        .advise(format!("set memory_kib to {least} or more, or raise iterations"));
        s.blame(&["memory_kib", "iterations"], wrong);
    }
}

fn totp(s: &mut Section<'_>) -> Option<(String, TotpParams, u8)> {
    const ALGORITHMS: &[(&str, TotpAlgorithm)] = &[
        ("SHA1", TotpAlgorithm::Sha1),
        ("SHA256", TotpAlgorithm::Sha256),
        ("SHA512", TotpAlgorithm::Sha512),
    ];
    let issuer = s.read("issuer", "vestibule", issuer);
    let digits = s.read("digits", "6", within(6..=8));
    let period = s.read("period", "30", within(15..=120));
    // RFC 6238, 5.2: one step for the delay of the network, no more.
    let skew = s.read("skew", "1", within(0..=1));
    let algorithm = s.read("algorithm", "SHA1", one_of(ALGORITHMS));
    let params = TotpParams { algorithm: algorithm?, digits: digits?, period: period? };
    Some((issuer?, params, skew?))
}

/// A colon would end it early in the address that authenticators scan.
fn issuer(text: String) -> Result<String, Wrong> {
    let fits = |c: char| !c.is_control() && c != ':';
    let length = text.chars().count();
    if text.trim() != text || !(1..=64).contains(&length) || !text.chars().all(fits) {
        return Err(Wrong::new(format!("{text:?} is not a name for authenticators to show"))
            .advise("write 1 to 64 printable characters without a colon"));
    }
    Ok(text)
}

struct Limits {
    rates: service::RateRules,
    failures: FailureRules,
    body_max: usize,
}

fn limits(s: &mut Section<'_>) -> Option<Limits> {
    let per_address = s.read("login_per_ip", "10/1m", rate);
    let per_account = s.read("login_per_account", "10/15m", rate);
    let lockout_after = s.read("lockout_after", "10", within(1..=100));
    let lockout_for = s.read("lockout_for", "30m", duration);
    // A form has to fit, and every request for our own pages may hold this much memory.
    let body_max = s.read("body_max", "64KiB", size(1 << 10..=16 << 20));
    let failures = FailureRules { lockout_after: lockout_after?, lockout_for: lockout_for? };
    let rates = service::RateRules { per_address: per_address?, per_account: per_account? };
    Some(Limits { rates, failures, body_max: body_max? })
}
