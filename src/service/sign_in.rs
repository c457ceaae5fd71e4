//! From a name and a password to a session.
//!
//! Each step loads what is known, lets the domain's ladder say what comes next, and commits: the
//! step's proof is used up and the next token exists, or neither. Every step up gets a new token.

use super::factors::SpentCode;
use super::{Credential, Denied, Service, Which};
use crate::crypto::{RecoveryCode, TokenKind, digest, new_bearer, new_session_id};
use crate::domain::{
    Climbed, FullyAuthenticated, KnownBrowser, Next, PasswordWeakness, PendingSignIn, Session,
    User, UserChange,
};
use crate::store::{Effect, OneTime, Onward, Recognised, Step, Stepped};
use crate::types::{Bearer, Host, RequestCx, Timestamp};
use std::time::Duration;

/// What a step knows about whoever takes it.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    /// The request.
    pub cx: &'a RequestCx,
    /// What the browser calls itself.
    pub user_agent: &'a str,
    /// What the browser is known by, where somebody has signed in with it before.
    pub browser: Option<&'a Bearer>,
    /// Whether it keeps cookies, by which it could be known.
    pub keeps_cookies: bool,
}

/// Where a step led.
#[must_use]
#[derive(Debug)]
pub enum Progress {
    /// To another step.
    Waits(Underway),
    /// All the way.
    SignedIn(Box<SignedIn>),
}

/// A sign-in under way.
#[derive(Debug)]
pub struct Underway {
    /// The token for the next step.
    pub token: Bearer,
    /// The next step.
    pub next: Next,
    /// When patience ends.
    pub expires_at: Timestamp,
}

/// A new session.
#[derive(Debug)]
pub struct SignedIn {
    /// The token for the cookie.
    pub token: Bearer,
    /// The session.
    pub session: Session,
    /// Whether the cookie outlives the browser.
    pub remember: bool,
    /// Where to go, as asked; to be judged now.
    pub return_to: Option<String>,
    /// Whether recovery codes wait to be shown.
    pub shows_recovery_codes: bool,
    /// Whose it is.
    pub user: User,
    /// What the browser is known by from now on, if it keeps cookies, and for how long.
    pub browser: Option<(Bearer, Duration)>,
    /// How many recovery codes are left, where one was used.
    pub recovery_codes_left: Option<usize>,
}

/// What a step changes besides leading on.
#[derive(Default)]
pub(super) struct Changes {
    pub consumes: Option<OneTime>,
    pub effects: Vec<Effect>,
    pub recovery_codes: Vec<RecoveryCode>,
}

impl Service {
    /// The first step: name and password.
    pub async fn sign_in(
        &self,
        name: &str,
        password: &str,
        remember: bool,
        return_to: Option<String>,
        visitor: Visitor<'_>,
    ) -> Result<Progress, Denied> {
        let (user, verified) = self.first_factor(name, password, visitor).await?;
        let patience = self.settings.session.pending;
        let begun = PendingSignIn::begin(verified, &user, visitor.cx.now, patience);
        let mut pending = begun.ok_or(Denied::Credentials)?;
        pending.remember = remember;
        pending.return_to = return_to;
        let changes = Changes { effects: self.rehash(&user, password).await, ..Changes::default() };
        self.go_on(pending, user, changes, visitor).await
    }

    /// The second factor: a code from the authenticator or a recovery code.
    pub async fn second_factor(
        &self,
        token: &Bearer,
        code: &str,
        visitor: Visitor<'_>,
    ) -> Result<Progress, Denied> {
        let cx = visitor.cx;
        let (pending, user, consumes) = self.underway(token, Next::SecondFactor, cx).await?;
        let SpentCode { spent, left } = self.spend(&user, code, visitor).await?;
        let pending = pending.with_second_factor(spent, cx.now).ok_or(Denied::Expired)?;
        let changes = Changes { consumes: Some(consumes), ..Changes::default() };
        let mut progress = self.go_on(pending, user, changes, visitor).await?;
        if let Progress::SignedIn(signed_in) = &mut progress {
            signed_in.recovery_codes_left = left;
        }
        Ok(progress)
    }

    /// A new password, where one must be chosen before going on.
    pub async fn new_password(
        &self,
        token: &Bearer,
        password: &str,
        visitor: Visitor<'_>,
    ) -> Result<Progress, Denied> {
        let (pending, user, consumes) = self.underway(token, Next::NewPassword, visitor.cx).await?;
        let hash = self.hash_of(Some(&user), self.keys.counter_key(user.id, None));
        let same = self.check_password(self.hashing.place()?, user.id, hash, password).await?;
        if same.is_some() {
            return Err(Denied::Weak(PasswordWeakness::Unchanged));
        }
        let hash = self.hash_new(password, user.username.as_str()).await?;
        let changes = Changes {
            consumes: Some(consumes),
            effects: vec![Effect::Change(UserChange::Password(hash))],
            ..Changes::default()
        };
        self.go_on(pending, user, changes, visitor).await
    }

    /// What the next step of a sign-in under way is, and whose it is.
    pub async fn pending(&self, token: &Bearer, cx: &RequestCx) -> Result<(Next, User), Denied> {
        let (pending, user) = self.load_pending(token, cx).await?;
        match self.climb(&pending, &user) {
            Climbed::Waits(next) => Ok((next, user)),
            Climbed::Done(_) => Err(Denied::Expired),
        }
    }

    /// Ends the session of whoever shows this.
    pub async fn sign_out(
        &self,
        shown: &Credential,
        host: &Host,
        cx: &RequestCx,
    ) -> Result<(), Denied> {
        let Some(live) = self.person(Some(shown), host, cx).await? else { return Ok(()) };
        let id = live.session().id();
        self.ending(Which::One(id), self.store.sign_out(id, cx.into())).await?;
        Ok(())
    }

    pub(super) fn climb(&self, pending: &PendingSignIn, user: &User) -> Climbed {
        pending.climb(user, self.settings.access.ask_second_factor_of(user))
    }

    async fn load_pending(
        &self,
        token: &Bearer,
        cx: &RequestCx,
    ) -> Result<(PendingSignIn, User), Denied> {
        let digest = digest(TokenKind::Pending, token);
        let pending = self.store.pending(digest, cx.now).await?.ok_or(Denied::Expired)?;
        let user = self.store.user(pending.user()).await?.ok_or(Denied::Expired)?;
        if pending.is_good_for(&user, cx.now) { Ok((pending, user)) } else { Err(Denied::Expired) }
    }

    /// A sign-in under way whose next step is this one.
    pub(super) async fn underway(
        &self,
        token: &Bearer,
        step: Next,
        cx: &RequestCx,
    ) -> Result<(PendingSignIn, User, OneTime), Denied> {
        let (pending, user) = self.load_pending(token, cx).await?;
        match self.climb(&pending, &user) {
            Climbed::Waits(next) if next == step => {
                Ok((pending, user, OneTime::Pending(digest(TokenKind::Pending, token))))
            }
            Climbed::Waits(Next::EnrolmentLink) if step == Next::Enrolment => {
                Err(Denied::LinkNeeded)
            }
            _ => Err(Denied::WrongStep),
        }
    }

    /// Commits a step and says where it led.
    pub(super) async fn go_on(
        &self,
        mut pending: PendingSignIn,
        mut user: User,
        changes: Changes,
        visitor: Visitor<'_>,
    ) -> Result<Progress, Denied> {
        let Changes { consumes, effects, recovery_codes } = changes;
        let (id, credentials, on) = (user.id, user.credentials, visitor.cx.into());
        // The ladder judges the person as the step leaves them; the store applies the same.
        apply(&effects, &mut user);
        pending.renew(&user);
        let (mut clears, mut browser) = (None, None);
        let (onward, progress) = match self.climb(&pending, &user) {
            Climbed::Waits(next) => wait(pending, next)?,
            Climbed::Done(proof) => {
                clears = Some(self.counter_of(&user, visitor).await?.key());
                let known = if visitor.keeps_cookies { Some(new_bearer()?) } else { None };
                // Another one at each sign-in: whoever copied the last one does not learn, by
                // waiting, to be taken for those who come after.
                browser = known.as_ref().map(|known| Recognised {
                    before: visitor.browser.map(|token| digest(TokenKind::Browser, token)),
                    after: digest(TokenKind::Browser, known),
                });
                self.arrive(pending, proof, recovery_codes, (user, known), visitor)?
            }
        };
        let step = Step { user: id, credentials, consumes, effects, onward, clears, browser, on };
        self.commit(step).await?;
        Ok(progress)
    }

    /// Takes a step, or says why it cannot be taken any more.
    pub(super) async fn commit(&self, step: Step) -> Result<(), Denied> {
        let which = match step.onward {
            Onward::Same(id) => Which::Others(step.user, id),
            _ => Which::Of(step.user),
        };
        let (user, is_change) = (step.user, !step.effects.is_empty());
        let ends_sessions = step.effects.iter().any(Effect::ends_sessions);
        let commit = self.store.commit(step);
        let stepped = match (ends_sessions, is_change) {
            (true, _) => self.ending(which, commit).await?,
            // What is known of the person by their sessions is read afresh.
            (false, true) => self.settling(Which::Of(user), false, commit).await?,
            (false, false) => commit.await?,
        };
        match stepped {
            Stepped::Done => Ok(()),
            Stepped::Void => Err(Denied::Expired),
            Stepped::Refused => Err(Denied::NameTaken),
        }
    }

    /// The session at the top of the ladder.
    fn arrive(
        &self,
        pending: PendingSignIn,
        proof: FullyAuthenticated,
        recovery_codes: Vec<RecoveryCode>,
        (user, browser): (User, Option<Bearer>),
        visitor: Visitor<'_>,
    ) -> Result<(Onward, Progress), Denied> {
        let token = new_bearer()?;
        let remember = pending.remember;
        let session = self.begin_session(proof, remember, visitor)?;
        let signed_in = SignedIn {
            session: session.clone(),
            remember,
            return_to: pending.return_to,
            shows_recovery_codes: !recovery_codes.is_empty(),
            user,
            browser: browser.map(|browser| (browser, KnownBrowser::LIFE)),
            recovery_codes_left: None,
            token,
        };
        let digest = digest(TokenKind::Session, &signed_in.token);
        Ok((
            Onward::Session(digest, session, recovery_codes),
            Progress::SignedIn(Box::new(signed_in)),
        ))
    }

    pub(super) fn begin_session(
        &self,
        proof: FullyAuthenticated,
        remember: bool,
        visitor: Visitor<'_>,
    ) -> Result<Session, Denied> {
        let RequestCx { now, client, .. } = *visitor.cx;
        let (id, rules) = (new_session_id()?, &self.settings.session);
        Ok(Session::begin(id, proof, remember, rules, now, client, visitor.user_agent))
    }
}

/// Applies what a step changes.
fn apply(effects: &[Effect], user: &mut User) {
    for effect in effects {
        match effect {
            Effect::FirstUser(_) | Effect::Recovery(_) => {}
            Effect::Change(change) => drop(user.apply(change.clone())),
            Effect::Enrol { factor, .. } => drop(user.apply(UserChange::Totp(factor.clone()))),
        }
    }
}

/// A rung on which to wait, under a new token.
fn wait(pending: PendingSignIn, next: Next) -> Result<(Onward, Progress), Denied> {
    let (token, expires_at) = (new_bearer()?, pending.expires_at());
    let digest = digest(TokenKind::Pending, &token);
    Ok((Onward::Pending(digest, pending), Progress::Waits(Underway { token, next, expires_at })))
}
