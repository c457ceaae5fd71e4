//! Programs that sign in as a person.
//!
//! ```text
//!   name, password, code ──► access token (minutes) and refresh token (once)
//!                                  ▲                        │
//!                                  └──────── refresh ───────┘
//! ```
//!
//! All tokens that follow from one sign-in are one session, in the person's list as any other. A
//! refresh token has two halves: the first, kept through all rotations, finds the session; the
//! second is new each time. So a token whose first half fits and whose whole does not was used
//! before: somebody has a copy, nobody can say who, and the session ends.

use super::factors::SpentCode;
use super::live::Which;
use super::{Denied, Service, Visitor};
use crate::crypto::{TokenKind, digest, family, new_bearer, successor};
use crate::domain::{Climbed, PendingSignIn, Program, User};
use crate::store::{Effect, Onward, Rotated, Step};
use crate::types::{Bearer, RequestCx};
use std::time::Duration;

/// How long an access token is good.
const ACCESS_LIFE: Duration = Duration::from_secs(600);

/// What a program goes on with.
#[derive(Debug)]
pub struct ProgramTokens {
    /// Goes with each request.
    pub access: Bearer,
    /// How long it is good.
    pub expires_in: Duration,
    /// Good for new tokens, once.
    pub refresh: Bearer,
}

impl ProgramTokens {
    fn new(refresh: Bearer) -> Result<Self, Denied> {
        Ok(Self { access: new_bearer()?, expires_in: ACCESS_LIFE, refresh })
    }

    fn program(&self, cx: &RequestCx) -> Program {
        Program {
            family: family(&self.refresh),
            refresh: digest(TokenKind::Refresh, &self.refresh),
            access_until: cx.now.plus(self.expires_in),
        }
    }
}

impl Service {
    /// Signs a program in, in the name of a person, by every factor that is asked of the person.
    pub async fn issue_tokens(
        &self,
        name: &str,
        password: &str,
        code: &str,
        visitor: Visitor<'_>,
    ) -> Result<ProgramTokens, Denied> {
        let cx = visitor.cx;
        let (user, verified) = self.first_factor(name, password, visitor).await?;
        let begun = PendingSignIn::begin(verified, &user, cx.now, self.settings.session.pending);
        let mut pending = begun.ok_or(Denied::Credentials)?;
        if user.totp.is_some() {
            let SpentCode { spent, .. } = self.spend(&user, code, visitor).await?;
            pending = pending.with_second_factor(spent, cx.now).ok_or(Denied::Expired)?;
        }
        let effects = self.rehash(&user, password).await;
        self.finish_program(&user, &pending, effects, visitor).await
    }

    async fn finish_program(
        &self,
        user: &User,
        pending: &PendingSignIn,
        effects: Vec<Effect>,
        visitor: Visitor<'_>,
    ) -> Result<ProgramTokens, Denied> {
        let cx = visitor.cx;
        let proof = match self.climb(pending, user) {
            Climbed::Done(proof) => proof,
            Climbed::Waits(next) => return Err(Denied::NeedsBrowser(next)),
        };
        let tokens = ProgramTokens::new(new_bearer()?)?;
        let session = self.begin_session(proof, false, visitor)?.of_program(tokens.program(cx));
        let access = digest(TokenKind::Access, &tokens.access);
        let step = Step {
            user: user.id,
            credentials: user.credentials,
            consumes: None,
            effects,
            onward: Onward::Session(access, session, Vec::new()),
            clears: Some(self.counter_of(user, visitor).await?.key()),
            browser: None,
            on: cx.into(),
        };
        self.commit(step).await?;
        Ok(tokens)
    }

    /// New tokens for a refresh token, which is used up. One that had been used before ends the
    /// whole family.
    pub async fn refresh_tokens(
        &self,
        token: &Bearer,
        visitor: Visitor<'_>,
    ) -> Result<ProgramTokens, Denied> {
        let cx = visitor.cx;
        // Read first: what is made up costs a look, and changes nothing for anybody.
        let session = self.store.family(family(token)).await?.ok_or(Denied::SessionRevoked)?;
        let tokens = ProgramTokens::new(successor(token)?)?;
        let (shown, access) =
            (digest(TokenKind::Refresh, token), digest(TokenKind::Access, &tokens.access));
        let rotated = self.store.rotate(shown, access, tokens.program(cx), cx.into());
        // The session goes on under another token, and with it what is open under it.
        match self.settling(Which::One(session), false, rotated).await? {
            Rotated::Done => Ok(tokens),
            Rotated::Reused(session) => {
                self.live.end_where(Which::One(session));
                Err(Denied::SessionRevoked)
            }
            Rotated::Gone => Err(Denied::SessionRevoked),
        }
    }
}
