//! The one question every door asks.
//!
//! The answer is never a bool. A yes is a [`Permit`], and choosing an app to forward to takes
//! one, so that code that forgets to ask does not compile. Whatever goes wrong is a no.

use super::Service;
use super::live::{LiveSession, Named, Which};
use crate::crypto::{TokenKind, digest};
use crate::domain::{Asked, Known, Verdict};
use crate::store::StoreError;
use crate::types::{Bearer, Host, Login, RequestCx, Timestamp, TokenDigest};
use std::sync::Arc;

/// How often a session is read while others end. Each of those endings waited for the disk, so
/// that it takes a busy machine to come to a third.
const LOADS: usize = 16;

/// What a request shows to say whose it is.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A browser's session token.
    Session(Bearer),
    /// The access token of a program that has signed in.
    Access(Bearer),
    /// An access token that an administrator made; with the name that came with it, if any.
    Token(Bearer, Option<String>),
}

impl Credential {
    fn digest(&self) -> TokenDigest {
        match self {
            Self::Session(token) => digest(TokenKind::Session, token),
            Self::Access(token) => digest(TokenKind::Access, token),
            Self::Token(token, _) => digest(TokenKind::Token, token),
        }
    }
}

impl Credential {
    const fn is_token(&self) -> bool {
        matches!(self, Self::Token(..))
    }

    /// Whether it belongs to whom it says it belongs to.
    fn fits(&self, live: &LiveSession) -> bool {
        match self {
            Self::Token(_, Some(name)) => {
                Login::parse(name).is_ok_and(|login| login.as_str() == live.username())
            }
            Self::Session(_) | Self::Access(_) | Self::Token(_, None) => true,
        }
    }
}

/// Leave to pass a request on, and in whose name.
///
/// ```compile_fail
/// let forged = vestibule::service::Permit { person: None };
/// ```
#[must_use]
#[derive(Debug)]
pub struct Permit {
    person: Option<Arc<LiveSession>>,
}

impl Permit {
    /// Whose request it is; nobody's where nobody was asked for.
    pub const fn person(&self) -> Option<&Arc<LiveSession>> {
        self.person.as_ref()
    }
}

/// What the gate says.
#[must_use]
#[derive(Debug)]
pub enum Answer {
    /// Yes.
    Allow(Permit),
    /// Not before signing in.
    Challenge,
    /// Not before showing the second factor once more.
    ShowFactor(Arc<LiveSession>),
    /// No, whoever it is.
    Forbid(Option<Arc<LiveSession>>),
    /// Nobody can say, so no. The sentence is for the operator.
    Unavailable(String),
}

impl Service {
    /// Asks for a request that shows this, if anything.
    pub async fn ask(
        &self,
        shown: Option<&Credential>,
        asked: &Asked<'_>,
        cx: &RequestCx,
    ) -> Answer {
        let person = match self.person(shown, asked.host, cx).await {
            Ok(person) => person,
            Err(error) => return Answer::Unavailable(error.to_string()),
        };
        let known = person.as_ref().map_or(Known::Nobody, |live| live.known());
        let verdict = self.settings.access.decide(asked, known, cx.now);
        match (verdict, person) {
            (Verdict::Allow, person) => Answer::Allow(Permit { person }),
            (Verdict::ShowFactor, Some(live)) => Answer::ShowFactor(live),
            (Verdict::SignIn | Verdict::ShowFactor, _) => Answer::Challenge,
            (Verdict::Forbid, person) => Answer::Forbid(person),
        }
    }

    /// Who shows it, if it is good at this moment. Counts as a use.
    pub async fn person(
        &self,
        shown: Option<&Credential>,
        host: &Host,
        cx: &RequestCx,
    ) -> Result<Option<Arc<LiveSession>>, StoreError> {
        let Some(shown) = shown else { return Ok(None) };
        let digest = shown.digest();
        let live = match self.live.get(&digest).filter(|live| live.is_live(cx.now)) {
            Some(live) => Some(live),
            // What is held may have been put an end to since the person's record changed; only
            // the store knows whether the session goes on. What it says now holds for this
            // request, whatever ends in the next moment. Boxed, since a request of a session in
            // use has no need of the room.
            None => {
                let loaded = Box::pin(self.load(digest, shown.is_token())).await?;
                loaded.filter(|live| live.is_in_time(cx.now))
            }
        };
        let live = live.filter(|live| shown.fits(live) && live.reaches(host, cx.client));
        if let Some(live) = &live {
            live.seen(cx.now);
        }
        Ok(live)
    }

    /// Whether a session that a stream was opened under is still good, for as long as the stream
    /// lasts. Unlike [`Service::person`] this is not a use.
    pub async fn is_still_good(&self, live: &LiveSession) -> bool {
        let now = self.clock.now();
        if !live.goes_on(now) {
            return false;
        }
        let is_good = if let Some(held) = self.held(live.named()).await {
            held.seen(live.last_seen());
            held.goes_on(now)
        } else {
            self.goes_on_renamed(live.named(), live.last_seen()).await
        };
        if !is_good {
            live.end();
        }
        is_good
    }

    /// The same for a stream of the process that handed over to this one.
    pub async fn goes_on(&self, named: Named) -> bool {
        match self.held(named).await {
            Some(held) => held.goes_on(self.clock.now()),
            None => self.goes_on_renamed(named, Timestamp::from_secs(0)).await,
        }
    }

    /// It may have had to make room; whether it ended meanwhile only the store knows.
    async fn held(&self, named: Named) -> Option<Arc<LiveSession>> {
        match self.live.get(&named.digest) {
            Some(held) => Some(held),
            None => self.load(named.digest, named.is_token).await.unwrap_or_default(),
        }
    }

    /// Under that token it is not any more. It may have gone on under another.
    async fn goes_on_renamed(&self, named: Named, seen: Timestamp) -> bool {
        let found = self.store.session_named(named.session).await.unwrap_or_default();
        let now = self.clock.now();
        found.is_some_and(|(session, _)| session.is_live(now, seen.max(session.last_seen_at())))
    }

    /// Forgets all that was read, so that nobody is let through without the store.
    pub fn forget_all(&self) {
        self.live.forget_where(Which::All);
    }

    /// Reads a session from the store and keeps it. Bounded: a flood of made-up tokens waits here
    /// and not in the store.
    async fn load(
        &self,
        digest: TokenDigest,
        is_token: bool,
    ) -> Result<Option<Arc<LiveSession>>, StoreError> {
        let turn = self.loading.acquire().await;
        let _turn = turn.map_err(|_| StoreError::Unavailable("shutting down".into()))?;
        for _ in 0..LOADS {
            let epoch = self.live.epoch();
            let read = if is_token {
                let found = self.store.token(digest).await?;
                found.map(|(token, user)| LiveSession::of_token(digest, token, user))
            } else {
                let found = self.store.session(digest).await?;
                found.map(|(session, user)| LiveSession::new(digest, session, &user))
            };
            let Some(read) = read else { return Ok(None) };
            // Requests that came together read together; all of them share what is kept first.
            if let Some(held) = self.live.get(&digest) {
                return Ok(Some(held));
            }
            let live = Arc::new(read);
            let (kept, evicted) = self.live.insert(&live, epoch);
            let unsaved = evicted.and_then(|live| Some((live.digest(), live.unsaved()?)));
            if let Some(unsaved) = unsaved {
                // A store that cannot write must not keep people out who are in.
                let _ = self.store.touch(vec![unsaved]).await;
            }
            // Where sessions ended while this one was read, whether it was among them is not
            // known: it is read once more.
            if kept {
                return Ok(Some(live));
            }
        }
        Err(StoreError::Unavailable("sessions end faster than they can be read".into()))
    }
}
