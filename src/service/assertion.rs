//! What an app can check by itself: a signed statement of who somebody is, made for this one app.
//!
//! A statement is good for five minutes, of which half a one is over, and told again for two,
//! so that an app never gets one that is about to end, and a request costs a look at a short list instead of a signature. The list is
//! the session's own: whatever is changed about a person or their session begins a new one.

use super::{LiveSession, Service};
use crate::crypto::{NoEntropy, PublicKey, StatementKey, StatementRoot, random};
use crate::domain::SecondFactor;
use crate::store::EarlierStatements;
use crate::types::{GroupName, PublicUrl, Timestamp};
use arc_swap::{ArcSwap, ArcSwapOption};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use http::HeaderValue;
use serde::Serialize;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How long a key signs.
const PERIOD: u64 = 30 * 24 * 3600;
/// How long a statement is good.
const LIFE: Duration = Duration::from_secs(300);
/// How far an app's clock may be behind: many libraries refuse what was made in their future.
const BEHIND: u64 = 30;
/// How long it is told again.
const FRESH: Duration = Duration::from_secs(120);
/// Apps whose statements a session keeps. More than most people see in two minutes.
const KEPT: usize = 16;

/// Why there is no statement. Then the app must not be asked either.
#[derive(Clone, Copy, Debug)]
pub enum Unsigned {
    /// What the client calls the app is no origin.
    Origin,
    /// No key could be had.
    Key,
    /// It could not be named.
    Entropy(NoEntropy),
}

impl fmt::Display for Unsigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Origin => f.write_str("the app's origin has no name"),
            Self::Key => f.write_str("there is no key to sign assertions with"),
            Self::Entropy(error) => error.fmt(f),
        }
    }
}

/// Where a client finds an app: the audience of what the app is told.
#[derive(Clone, Copy, Debug)]
pub struct AppOrigin<'a> {
    /// Whether the client came encrypted.
    pub https: bool,
    /// What the client calls it: a host and perhaps a port.
    pub authority: &'a [u8],
}

impl AppOrigin<'_> {
    /// In the one spelling an app would write it: as a browser does.
    fn name(self) -> Option<String> {
        let scheme = if self.https { "https" } else { "http" };
        let authority = std::str::from_utf8(self.authority).ok()?;
        PublicUrl::parse(&format!("{scheme}://{authority}")).ok().map(|url| url.to_string())
    }
}

/// The statements a session has for its apps.
#[derive(Debug, Default)]
pub(super) struct Statements(ArcSwap<Vec<Arc<Statement>>>);

#[derive(Debug)]
struct Statement {
    https: bool,
    authority: Box<[u8]>,
    made: Timestamp,
    value: HeaderValue,
}

impl Statement {
    fn is_for(&self, origin: AppOrigin<'_>) -> bool {
        self.https == origin.https && *self.authority == *origin.authority
    }

    /// A clock that was set back makes it one of the future, which apps refuse.
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.made <= now && now < self.made.plus(FRESH)
    }
}

impl Statements {
    fn find(&self, origin: AppOrigin<'_>, now: Timestamp) -> Option<HeaderValue> {
        let held = self.0.load();
        let found = held.iter().find(|one| one.is_for(origin) && one.is_fresh(now))?;
        Some(found.value.clone())
    }

    fn keep(&self, new: Statement) {
        let new = Arc::new(new);
        self.0.rcu(|held| {
            // Made by a request that began later, while this one waited for its app, is as good.
            let is_good = |one: &&Arc<Statement>| one.is_fresh(new.made) || one.made > new.made;
            let others = held.iter().filter(is_good);
            let origin = AppOrigin { https: new.https, authority: &new.authority };
            let mut kept: Vec<_> = others.filter(|one| !one.is_for(origin)).cloned().collect();
            // The oldest goes first: they are in the order they were made in.
            kept.drain(..(kept.len() + 1).saturating_sub(KEPT));
            kept.push(Arc::clone(&new));
            kept
        });
    }
}

/// The keys of the present: the one that signs, and with it those of the periods before and after
/// its own, so that no verifier ever meets a key that it could not have known. For a while after
/// the master key changed they are those of the one before, and the new ones are published too.
struct Keys {
    since: Timestamp,
    until: Timestamp,
    signing: StatementKey,
    published: Vec<PublicKey>,
}

impl Keys {
    fn at(now: Timestamp, own: &StatementRoot, earlier: &[EarlierStatements]) -> Option<Self> {
        let period = now.as_secs() / PERIOD;
        let shown = earlier.iter().filter(|one| now < one.shown_until);
        let mut signers = earlier.iter().filter(|one| now < one.signs_until);
        let signer = signers.next().map_or(own, |one| &one.root);
        let mut published = Vec::new();
        for root in shown.map(|one| &one.root).chain([own]) {
            for period in [period.saturating_sub(1), period, period.saturating_add(1)] {
                published.push(root.key(period)?.public().clone());
            }
        }
        let periods = [period, period.saturating_add(1)].map(|n| n.saturating_mul(PERIOD));
        let mut changes: Vec<Timestamp> = periods.map(Timestamp::from_secs).to_vec();
        changes.extend(earlier.iter().flat_map(|one| [one.signs_until, one.shown_until]));
        let since = changes.iter().copied().filter(|at| *at <= now).max()?;
        let until = changes.iter().copied().filter(|at| now < *at).min()?;
        Some(Self { since, until, signing: signer.key(period)?, published })
    }
}

/// The keys of the present, and what is left of earlier master keys.
#[derive(Default)]
pub(super) struct Signing {
    held: ArcSwapOption<Keys>,
    /// Read once, at the first statement.
    earlier: OnceLock<Vec<EarlierStatements>>,
}

impl Service {
    /// What signed under earlier master keys. While the store cannot say, nothing is signed.
    fn earlier_statements(&self) -> Option<&[EarlierStatements]> {
        if self.signing.earlier.get().is_none() {
            let earlier = self.store.earlier_statements().ok()?;
            // Whoever was faster has read the same.
            let _ = self.signing.earlier.set(earlier);
        }
        self.signing.earlier.get().map(Vec::as_slice)
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    email: &'a str,
    name: &'a str,
    groups: Vec<&'a str>,
    sid: String,
    jti: String,
    iat: u64,
    nbf: u64,
    exp: u64,
    amr: &'a [&'static str],
    auth_time: u64,
}

impl Service {
    /// The statement of who this is, for the app at this origin.
    pub fn assertion(
        &self,
        live: &LiveSession,
        origin: AppOrigin<'_>,
        now: Timestamp,
    ) -> Result<HeaderValue, Unsigned> {
        if let Some(value) = live.statements().find(origin, now) {
            return Ok(value);
        }
        let audience = origin.name().ok_or(Unsigned::Origin)?;
        let claims = self.claims(live, &audience, now)?;
        let claims = serde_json::to_vec(&claims).map_err(|_| Unsigned::Key)?;
        let token = self.with_keys(now, |keys| keys.signing.sign(&claims)).ok_or(Unsigned::Key)?;
        let mut value = HeaderValue::try_from(token).map_err(|_| Unsigned::Key)?;
        // It is as good as the session, for this app and for minutes: never to be printed.
        value.set_sensitive(true);
        live.statements().keep(Statement {
            https: origin.https,
            authority: origin.authority.into(),
            made: now,
            value: value.clone(),
        });
        Ok(value)
    }

    /// What verifiers need to check statements with: the key that signs now, and its neighbours.
    pub fn published_keys(&self) -> Option<Vec<PublicKey>> {
        self.with_keys(self.clock.now(), |keys| keys.published.clone())
    }

    fn claims<'a>(
        &'a self,
        live: &'a LiveSession,
        audience: &'a str,
        now: Timestamp,
    ) -> Result<Claims<'a>, Unsigned> {
        let told = |value: &'a HeaderValue| std::str::from_utf8(value.as_bytes()).unwrap_or("");
        let session = live.session();
        let begin = Timestamp::from_secs(now.as_secs().saturating_sub(BEHIND));
        let end = begin.plus(LIFE).min(session.admits_until(now));
        Ok(Claims {
            iss: &self.settings.issuer,
            aud: audience,
            sub: live.username(),
            email: told(&live.identity().email),
            name: told(&live.identity().name),
            groups: live.groups().iter().map(GroupName::as_str).collect(),
            sid: session.id().to_string(),
            jti: BASE64.encode(random::<16>().map_err(Unsigned::Entropy)?),
            iat: begin.as_secs(),
            nbf: begin.as_secs(),
            exp: end.as_secs(),
            amr: methods(live),
            auth_time: session.authenticated_at().min(begin).as_secs(),
        })
    }

    fn with_keys<T>(&self, now: Timestamp, with: impl FnOnce(&Keys) -> T) -> Option<T> {
        let held = self.signing.held.load();
        let is_present = |keys: &&Arc<Keys>| keys.since <= now && now < keys.until;
        if let Some(keys) = held.as_ref().filter(is_present) {
            return Some(with(keys));
        }
        let keys = Keys::at(now, self.keys.statements(), self.earlier_statements()?)?;
        let done = with(&keys);
        self.signing.held.store(Some(Arc::new(keys)));
        Some(done)
    }
}

/// How somebody proved who they are, in the words of RFC 8176. A recovery code is a password for
/// one use. An access token is none of its methods; it counts as several factors, or as nothing.
fn methods(live: &LiveSession) -> &'static [&'static str] {
    match live.session().second_factor() {
        None if live.is_token() => &[],
        None => &["pwd"],
        Some((SecondFactor::Token, _)) => &["mfa"],
        Some((SecondFactor::Totp | SecondFactor::Recovery, _)) => &["pwd", "otp", "mfa"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Keyring;

    const BEGAN: Timestamp = Timestamp::from_secs(PERIOD * 700 + 1000);

    fn root(first: u8) -> StatementRoot {
        let master: Vec<u8> = (first..first + 32).collect();
        Keyring::from_master(&master).unwrap().statements().clone()
    }

    #[test]
    fn after_a_change_of_the_master_key_no_key_signs_that_was_not_announced_for_a_day() {
        let hour = |n: u64| BEGAN.plus(Duration::from_secs(3600 * n));
        let (signs_until, shown_until) = (hour(24), hour(48));
        let earlier = [EarlierStatements { root: root(1), signs_until, shown_until }];
        let mut announced: Vec<(PublicKey, u64)> = Vec::new();
        for n in 0..72 {
            let keys = Keys::at(hour(n), &root(2), &earlier).unwrap();
            assert!(keys.since <= hour(n) && hour(n) < keys.until);
            let own = keys.signing.public() == root(2).key(700).unwrap().public();
            assert_eq!(own, n >= 24, "hour {n}");
            assert_eq!(keys.published.len(), if n < 48 { 6 } else { 3 });
            for key in &keys.published {
                if !announced.iter().any(|(known, _)| known == key) {
                    announced.push((key.clone(), n));
                }
            }
            let (_, since) = announced.iter().find(|(k, _)| k == keys.signing.public()).unwrap();
            assert!(!own || n - since >= 24, "hour {n}: announced in hour {since}");
        }
        let before = Keys::at(hour(23), &root(2), &earlier).unwrap();
        assert_eq!(before.until, signs_until, "it is not held for longer than it is right");
    }
}
