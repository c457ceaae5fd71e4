//! The life of a session.

use super::proof::{FullyAuthenticated, SecondFactor, Spent};
use crate::types::{ClientAddr, SessionId, Timestamp, TokenDigest, UserId};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// How long sessions and their beginnings last.
#[derive(Clone, Copy, Debug)]
pub struct SessionRules {
    /// Without a request.
    pub idle: Duration,
    /// In all.
    pub lifetime: Duration,
    /// In all, idle or not, where the person asked to be remembered.
    pub remember: Duration,
    /// Between the steps of a sign-in.
    pub pending: Duration,
}

impl Default for SessionRules {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(3600),
            lifetime: Duration::from_secs(24 * 3600),
            remember: Duration::from_secs(30 * 24 * 3600),
            pending: Duration::from_secs(300),
        }
    }
}

/// What a program goes on with that has signed in as a person. All tokens that follow from one
/// sign-in are one family, and one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// What the family is found under.
    pub family: TokenDigest,
    /// The one refresh token that has not been used.
    pub refresh: TokenDigest,
    /// When the access token ends.
    pub access_until: Timestamp,
}

/// A person signed in at one browser, or by one program. Made from a proof, or read from the
/// store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    id: SessionId,
    user: UserId,
    created_at: Timestamp,
    password_at: Timestamp,
    second_factor: Option<(SecondFactor, Timestamp)>,
    last_seen_at: Timestamp,
    idle_secs: u64,
    expires_at: Timestamp,
    client: ClientAddr,
    user_agent: String,
    #[serde(default)]
    program: Option<Program>,
}

impl Session {
    /// Begins a session for somebody who has shown all that is asked of them.
    pub fn begin(
        id: SessionId,
        proof: FullyAuthenticated,
        remember: bool,
        rules: &SessionRules,
        now: Timestamp,
        client: ClientAddr,
        user_agent: &str,
    ) -> Self {
        let (life, idle) =
            if remember { (rules.remember, rules.remember) } else { (rules.lifetime, rules.idle) };
        Self {
            id,
            user: proof.user(),
            created_at: now,
            password_at: proof.password_at(),
            second_factor: proof.second_factor(),
            last_seen_at: now,
            idle_secs: idle.as_secs(),
            expires_at: now.plus(life),
            client,
            user_agent: user_agent.chars().filter(|c| !c.is_control()).take(256).collect(),
            program: None,
        }
    }

    /// The session of a request that carries an access token. It is not kept, so nothing ends it
    /// but what ends the token.
    pub(super) fn of_token(
        id: SessionId,
        user: UserId,
        second_factor: Option<(SecondFactor, Timestamp)>,
        made: Timestamp,
        expires_at: Timestamp,
    ) -> Self {
        Self {
            id,
            user,
            created_at: made,
            password_at: made,
            second_factor,
            last_seen_at: made,
            idle_secs: u64::MAX,
            expires_at,
            client: ClientAddr::from(IpAddr::from(Ipv4Addr::UNSPECIFIED)),
            user_agent: String::new(),
            program: None,
        }
    }

    /// Makes it a program's. It lasts as long as any, used or not.
    #[must_use]
    pub fn of_program(mut self, program: Program) -> Self {
        self.idle_secs = self.expires_at.since(self.created_at).as_secs();
        self.program = Some(program);
        self
    }

    /// Takes a second factor that was used up for it just now. Nothing where it was another
    /// person's.
    pub fn with_factor(mut self, spent: Spent, now: Timestamp) -> Option<Self> {
        (spent.user() == self.user).then(|| {
            self.second_factor = Some((spent.factor(), now));
            self.seen(now);
            self
        })
    }

    /// Whether it is to outlive the browser: it does not end for being idle.
    pub fn is_remembered(&self) -> bool {
        self.idle_secs >= self.expires_at.since(self.created_at).as_secs()
    }

    /// The program whose session it is, if it is one's.
    pub const fn program(&self) -> Option<Program> {
        self.program
    }

    /// Whether a request may be made under it, given when it was last used: a program's access
    /// token ends before its session does.
    pub fn admits(&self, now: Timestamp, last_seen_at: Timestamp) -> bool {
        let in_time = self.program.is_none_or(|program| now < program.access_until);
        in_time && self.is_live(now, last_seen_at)
    }

    /// Whether it goes on, given when it was last used.
    pub fn is_live(&self, now: Timestamp, last_seen_at: Timestamp) -> bool {
        now < self.expires_at && now.since(last_seen_at).as_secs() < self.idle_secs
    }

    /// Its name in lists and logs.
    pub const fn id(&self) -> SessionId {
        self.id
    }

    /// Whose it is.
    pub const fn user(&self) -> UserId {
        self.user
    }

    /// When it began.
    pub const fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When it was last known to be used.
    pub const fn last_seen_at(&self) -> Timestamp {
        self.last_seen_at
    }

    /// Notes a use; an earlier moment changes nothing.
    pub fn seen(&mut self, at: Timestamp) {
        self.last_seen_at = self.last_seen_at.max(at);
    }

    /// When it ends whatever happens.
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// When requests can no longer be made under it if this one, now, is the last.
    pub fn admits_until(&self, now: Timestamp) -> Timestamp {
        let access = self.program.map_or(self.expires_at, |program| program.access_until);
        self.expires_at.min(access).min(now.plus(Duration::from_secs(self.idle_secs)))
    }

    /// When a factor was shown last.
    pub fn authenticated_at(&self) -> Timestamp {
        self.second_factor.map_or(self.password_at, |(_, at)| at.max(self.password_at))
    }

    /// When, at the latest, it ends if nothing more is heard of it.
    pub fn ends_at(&self) -> Timestamp {
        self.expires_at.min(self.last_seen_at.plus(Duration::from_secs(self.idle_secs)))
    }

    /// Which second factor was shown, and when.
    pub const fn second_factor(&self) -> Option<(SecondFactor, Timestamp)> {
        self.second_factor
    }

    /// Where it began.
    pub const fn client(&self) -> ClientAddr {
        self.client
    }

    /// What the browser called itself.
    pub fn user_agent(&self) -> &str {
        &self.user_agent
    }
}
