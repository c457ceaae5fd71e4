//! What somebody who is signed in does about their second factor.
//!
//! A new secret waits beside the session until its first code is right, and what was there before
//! stays in force until then. It waits under the state of the credentials it was begun under:
//! when a second factor has come or gone meanwhile, it is good for nothing.

use super::factors::SpentCode;
use super::live::Which;
use super::{Denied, Enrolment, LiveSession, Service, Visitor};
use crate::crypto::{RecoveryCode, TokenKind, TotpSecret, digest, new_bearer};
use crate::domain::{Session, TotpFactor, User, UserChange};
use crate::store::{Awaited, Effect, OneTime};
use crate::types::{Bearer, RequestCx, Timestamp};
use std::time::Duration;

/// How long a secret waits for its first code.
const PATIENCE: Duration = Duration::from_secs(900);

/// How it stands with somebody's second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TotpStatus {
    /// Whether there is one.
    pub enabled: bool,
    /// When its first code was confirmed.
    pub confirmed_at: Option<Timestamp>,
    /// How many recovery codes are left.
    pub recovery_codes_remaining: usize,
}

/// A session that goes on under another token.
#[derive(Debug)]
pub struct Renewed {
    /// The token for the cookie.
    pub token: Bearer,
    /// The session.
    pub session: Session,
    /// How many recovery codes are left, where one was used.
    pub recovery_codes_left: Option<usize>,
}

impl Service {
    /// How it stands with the second factor of whoever is signed in.
    pub async fn totp_status(&self, live: &LiveSession) -> Result<TotpStatus, Denied> {
        let user = self.whoami(live).await?;
        let recovery = self.store.recovery_set(user.id).await?;
        Ok(TotpStatus {
            enabled: user.totp.is_some(),
            confirmed_at: user.totp.map(|factor| factor.confirmed_at),
            recovery_codes_remaining: recovery.map_or(0, |set| set.digests.len()),
        })
    }

    /// Whether this person may take their second factor away: not where a rule will ask for it.
    pub async fn may_disable_totp(&self, live: &LiveSession) -> Result<bool, Denied> {
        let user = self.whoami(live).await?;
        Ok(!self.settings.access.ask_second_factor_of(&user))
    }

    /// Begins to enrol a second factor, with a new secret each time.
    pub async fn begin_totp(
        &self,
        live: &LiveSession,
        cx: &RequestCx,
    ) -> Result<Enrolment, Denied> {
        let user = self.whoami(live).await?;
        if user.totp.is_some() {
            return Err(Denied::AlreadyEnabled);
        }
        if user.enrol_by_link {
            return Err(Denied::LinkNeeded);
        }
        self.await_code(live, &user, cx).await
    }

    /// Begins to replace a second factor by another, for whoever still has the old one, or a
    /// recovery code in its place.
    pub async fn replace_totp(
        &self,
        live: &LiveSession,
        password: &str,
        code: &str,
        visitor: Visitor<'_>,
    ) -> Result<Enrolment, Denied> {
        let user = self.with_factor(live).await?;
        self.confirm_password(&user, password, visitor).await?;
        let _used = self.spend(&user, code, visitor).await?;
        self.await_code(live, &user, visitor.cx).await
    }

    async fn await_code(
        &self,
        live: &LiveSession,
        user: &User,
        cx: &RequestCx,
    ) -> Result<Enrolment, Denied> {
        let secret = TotpSecret::generate(self.settings.totp)?;
        let enrolment = self.enrolment_of(&secret, user);
        let (credentials, until) = (user.credentials, cx.now.plus(PATIENCE));
        let awaited = Awaited { secret, credentials, until };
        self.store.await_enrolment(live.digest(), awaited).await?;
        Ok(enrolment)
    }

    /// The secret that waits to be confirmed, where there is one, for a page that shows it again.
    pub async fn waiting_totp(
        &self,
        live: &LiveSession,
        cx: &RequestCx,
    ) -> Result<Option<Enrolment>, Denied> {
        let user = self.whoami(live).await?;
        let secret = self.awaited(live, &user, cx).await?;
        Ok(secret.map(|secret| self.enrolment_of(&secret, &user)))
    }

    async fn awaited(
        &self,
        live: &LiveSession,
        user: &User,
        cx: &RequestCx,
    ) -> Result<Option<TotpSecret>, Denied> {
        let awaited = self.store.awaited_enrolment(live.digest(), cx.now).await?;
        let fitting = awaited.filter(|awaited| awaited.credentials == user.credentials);
        Ok(fitting.map(|awaited| awaited.secret))
    }

    /// Confirms it with its first code; the recovery codes, to be shown once.
    pub async fn confirm_totp(
        &self,
        live: &LiveSession,
        code: &str,
        visitor: Visitor<'_>,
    ) -> Result<Vec<RecoveryCode>, Denied> {
        let (user, cx) = (self.whoami(live).await?, visitor.cx);
        let secret = self.awaited(live, &user, cx).await?.ok_or(Denied::WrongStep)?;
        let matched = self.first_code(&user, &secret, code, visitor).await?;
        let (recovery, codes) = self.new_recovery_codes().await?;
        let factor = TotpFactor { secret, confirmed_at: cx.now };
        let effect = Effect::Enrol { factor, step: matched.step(), recovery };
        let consumes = Some(OneTime::Enrolment(live.digest()));
        self.change_here(live, &user, consumes, effect, visitor).await?;
        Ok(codes)
    }

    /// Takes the second factor away.
    pub async fn disable_totp(
        &self,
        live: &LiveSession,
        password: &str,
        code: &str,
        visitor: Visitor<'_>,
    ) -> Result<(), Denied> {
        if !self.may_disable_totp(live).await? {
            return Err(Denied::MfaEnforced);
        }
        let user = self.confirm_both(live, password, code, visitor).await?;
        let effect = Effect::Change(UserChange::SecondFactorOff);
        self.change_here(live, &user, None, effect, visitor).await
    }

    /// Shows the second factor once more, where a request asks for one that is fresh. The session
    /// goes on under a new token.
    pub async fn show_again(
        &self,
        live: &LiveSession,
        code: &str,
        visitor: Visitor<'_>,
    ) -> Result<Renewed, Denied> {
        let (user, cx) = (self.with_factor(live).await?, visitor.cx);
        let SpentCode { spent, left } = self.spend(&user, code, visitor).await?;
        let token = new_bearer()?;
        let next = digest(TokenKind::Session, &token);
        let renewed = self.store.renew(live.digest(), next, spent, cx.into());
        // The session goes on, and with it what is open under it; the old token does not.
        let renewed = self.settling(Which::One(live.session().id()), false, renewed).await?;
        let session = renewed.ok_or(Denied::SessionRevoked)?;
        Ok(Renewed { token, session, recovery_codes_left: left })
    }

    /// New recovery codes; the old ones are dead.
    pub async fn regenerate_recovery_codes(
        &self,
        live: &LiveSession,
        password: &str,
        code: &str,
        visitor: Visitor<'_>,
    ) -> Result<Vec<RecoveryCode>, Denied> {
        let user = self.confirm_both(live, password, code, visitor).await?;
        let (recovery, codes) = self.new_recovery_codes().await?;
        self.change_here(live, &user, None, Effect::Recovery(recovery), visitor).await?;
        Ok(codes)
    }

    /// The record of whoever is signed in, if they have a second factor.
    async fn with_factor(&self, live: &LiveSession) -> Result<User, Denied> {
        let user = self.whoami(live).await?;
        if user.totp.is_some() { Ok(user) } else { Err(Denied::WrongStep) }
    }

    /// Proves once more both factors of somebody who has both.
    async fn confirm_both(
        &self,
        live: &LiveSession,
        password: &str,
        code: &str,
        visitor: Visitor<'_>,
    ) -> Result<User, Denied> {
        let user = self.with_factor(live).await?;
        self.confirm_password(&user, password, visitor).await?;
        let counter = self.counter_of(&user, visitor).await?;
        let tried = self.charge(counter, Some(&user), visitor.cx).await?;
        let spent = self.spend_totp_code(&user, code, visitor.cx).await;
        self.judged(tried, spent.map(drop), visitor.cx).await?;
        Ok(user)
    }
}
