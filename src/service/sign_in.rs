//! From a name and a password to a session.
//!
//! Each step loads what is known, lets the domain's ladder say what comes next, and commits: the
//! step's proof is used up and the next token exists, or neither. Every step up gets a new token.

use super::hashing::Place;
use super::{Denied, Service, Which};
use crate::crypto::{
    CodeError, Password, PasswordHash, PasswordVerified, RecoveryCode, TokenKind, digest,
    new_bearer, new_session_id,
};
use crate::domain::{
    AuditEvent, Charge, Climbed, FullyAuthenticated, Next, PasswordWeakness, PendingSignIn,
    SecondFactor, Session, SignInFailure, Spent, User, UserChange,
};
use crate::store::{Effect, OneTime, Onward, Step, Stepped};
use crate::types::{Bearer, Login, RequestCx, Timestamp, UserId};

/// What a step knows about whoever takes it.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    /// The request.
    pub cx: &'a RequestCx,
    /// What the browser calls itself.
    pub user_agent: &'a str,
}

/// Where a step led.
#[must_use]
#[derive(Debug)]
pub enum Progress {
    /// To another step.
    Waits(Underway),
    /// All the way.
    SignedIn(SignedIn),
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
        let cx = visitor.cx;
        let login = Login::parse(name).map_err(|_| Denied::Credentials)?;
        let user = self.store.find_user(&login).await?;
        // Whoever is found is counted under the one name, however it was typed.
        let counter = self.counter(user.as_ref(), &login);
        let place = self.hashing.place()?;
        self.charge(counter, user.as_ref(), cx).await?;
        let verified = self.check_password(place, user.as_ref(), password).await;
        let verified = self.unless_judged(counter, verified).await?;
        let whose = user.as_ref().map(|user| user.id);
        let Some((user, verified)) = user.zip(verified).filter(|(user, _)| !user.disabled) else {
            self.failed(whose, SignInFailure::Credentials, cx);
            return Err(Denied::Credentials);
        };
        self.store.refund(counter).await?;
        let patience = self.settings.session.pending;
        let begun = PendingSignIn::begin(verified, &user, cx.now, patience);
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
        let counter = self.counter_of(&user);
        let recovery = RecoveryCode::parse(code);
        let place = recovery.as_ref().map(|_| self.hashing.place()).transpose()?;
        self.charge(counter, Some(&user), cx).await?;
        let spent = match recovery.zip(place) {
            Some((code, place)) => self.spend_recovery_code(&user, code, place, cx).await,
            None => self.spend_code(&user, code, cx).await,
        };
        let spent = self.unless_judged(counter, spent).await?;
        self.store.refund(counter).await?;
        let pending = pending.with_second_factor(spent, cx.now).ok_or(Denied::Expired)?;
        let changes = Changes { consumes: Some(consumes), ..Changes::default() };
        self.go_on(pending, user, changes, visitor).await
    }

    /// A new password, where one must be chosen before going on.
    pub async fn new_password(
        &self,
        token: &Bearer,
        password: &str,
        visitor: Visitor<'_>,
    ) -> Result<Progress, Denied> {
        let (pending, user, consumes) = self.underway(token, Next::NewPassword, visitor.cx).await?;
        let same = self.check_password(self.hashing.place()?, Some(&user), password).await?;
        if same.is_some() {
            return Err(Denied::Weak(PasswordWeakness::Unchanged));
        }
        let (id, hash) = (user.id, self.hash_new(password, user.username.as_str()).await?);
        let changes = Changes {
            consumes: Some(consumes),
            effects: vec![Effect::Change(UserChange::Password(hash))],
            ..Changes::default()
        };
        let progress = self.go_on(pending, user, changes, visitor).await?;
        self.record(&AuditEvent::PasswordChanged { user: id }, visitor.cx);
        Ok(progress)
    }

    /// What the next step of a sign-in under way is, and whose it is.
    pub async fn pending(&self, token: &Bearer, cx: &RequestCx) -> Result<(Next, User), Denied> {
        let (pending, user) = self.load_pending(token, cx).await?;
        match self.climb(&pending, &user) {
            Climbed::Waits(next) => Ok((next, user)),
            Climbed::Done(_) => Err(Denied::Expired),
        }
    }

    /// Ends the session of this token.
    pub async fn sign_out(&self, token: &Bearer, cx: &RequestCx) -> Result<(), Denied> {
        let Some(live) = self.person(Some(token), cx).await? else { return Ok(()) };
        let id = live.session().id();
        self.ending(Which::One(id), self.store.revoke(id)).await?;
        self.record(&AuditEvent::SignedOut { user: live.session().user(), session: id }, cx);
        Ok(())
    }

    pub(super) fn climb(&self, pending: &PendingSignIn, user: &User) -> Climbed {
        pending.climb(user, self.settings.access.asks_second_factor())
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
        let credentials = user.credentials;
        // The ladder judges the person as the step leaves them; the store applies the same.
        let ends_sessions = apply(&effects, &mut user);
        pending.renew(&user);
        let (onward, progress) = match self.climb(&pending, &user) {
            Climbed::Waits(next) => wait(pending, next)?,
            Climbed::Done(proof) => self.arrive(pending, proof, recovery_codes, visitor)?,
        };
        let is_done = matches!(progress, Progress::SignedIn(_));
        let clears = is_done.then(|| self.counter_of(&user));
        let (id, now) = (user.id, visitor.cx.now);
        let step = Step { user: id, credentials, consumes, effects, onward, clears, now };
        let commit = self.store.commit(step);
        let stepped =
            if ends_sessions { self.ending(Which::Of(id), commit).await? } else { commit.await? };
        match stepped {
            Stepped::Done => {}
            Stepped::Void => return Err(Denied::Expired),
            Stepped::Refused => return Err(Denied::NameTaken),
        }
        if let Progress::SignedIn(signed_in) = &progress {
            let session = signed_in.session.id();
            self.record(&AuditEvent::SignedIn { user: id, session }, visitor.cx);
        }
        Ok(progress)
    }

    /// The session at the top of the ladder.
    fn arrive(
        &self,
        pending: PendingSignIn,
        proof: FullyAuthenticated,
        recovery_codes: Vec<RecoveryCode>,
        visitor: Visitor<'_>,
    ) -> Result<(Onward, Progress), Denied> {
        let (token, id) = (new_bearer()?, new_session_id()?);
        let (remember, rules) = (pending.remember, &self.settings.session);
        let RequestCx { now, client, .. } = *visitor.cx;
        let session = Session::begin(id, proof, remember, rules, now, client, visitor.user_agent);
        let shows_recovery_codes = !recovery_codes.is_empty();
        let digest = digest(TokenKind::Session, &token);
        let onward = Onward::Session(digest, session.clone(), recovery_codes);
        let return_to = pending.return_to;
        let signed_in = SignedIn { token, session, remember, return_to, shows_recovery_codes };
        Ok((onward, Progress::SignedIn(signed_in)))
    }

    /// The counter for a name: the account's own, if it is one.
    fn counter(&self, user: Option<&User>, login: &Login) -> [u8; 32] {
        user.map_or_else(|| self.keys.stranger_key(login), |user| self.counter_of(user))
    }

    pub(super) fn counter_of(&self, user: &User) -> [u8; 32] {
        // A username is a login in its one spelling already.
        Login::parse(user.username.as_str())
            .map_or(UNREACHED, |login| self.keys.counter_key(&login))
    }

    /// Charges a try before it is judged.
    pub(super) async fn charge(
        &self,
        counter: [u8; 32],
        user: Option<&User>,
        cx: &RequestCx,
    ) -> Result<(), Denied> {
        let id = user.map(|user| user.id);
        match self.store.charge(counter, &self.settings.failures, cx.now).await? {
            Charge::Admitted => Ok(()),
            Charge::Locked(until) => {
                self.failed(id, SignInFailure::Locked, cx);
                Err(Denied::Locked(until))
            }
        }
    }

    /// Gives a charge back where the try was never judged: nobody is locked out by our own faults.
    pub(super) async fn unless_judged<T>(
        &self,
        counter: [u8; 32],
        outcome: Result<T, Denied>,
    ) -> Result<T, Denied> {
        let is_judged =
            matches!(outcome, Ok(_) | Err(Denied::Credentials | Denied::Code | Denied::CodeUsed));
        if !is_judged {
            // What the store cannot take back now, it forgets in time.
            let _ = self.store.refund(counter).await;
        }
        outcome
    }

    /// Checks a password, or spends as long on a name that has none.
    pub(super) async fn check_password(
        &self,
        place: Place,
        user: Option<&User>,
        password: &str,
    ) -> Result<Option<PasswordVerified>, Denied> {
        // What is too long to be a password is hashed as one that matches nothing.
        let typed = Password::new(password).or_else(|| Password::new("\u{0}"));
        let hash =
            user.and_then(|user| user.password.clone()).unwrap_or_else(|| self.nobody.clone());
        let id = user.map_or(UserId::from_bytes([0; 16]), |user| user.id);
        self.hashing.run_at(place, move || typed.and_then(|typed| hash.verify(id, &typed))).await
    }

    /// Judges and hashes a new password.
    pub(super) async fn hash_new(
        &self,
        password: &str,
        username: &str,
    ) -> Result<PasswordHash, Denied> {
        let password = Password::new(password).ok_or(Denied::PasswordUnusable)?;
        self.settings.password.check(&password, username).map_err(Denied::Weak)?;
        let params = self.settings.hash;
        Ok(self.hashing.run(move || PasswordHash::create(&password, params)).await??)
    }

    /// Where the costs of a hash have changed since it was made, makes it anew. Costs a second
    /// hash, once; where that cannot be had now, the next sign-in will do.
    async fn rehash(&self, user: &User, password: &str) -> Vec<Effect> {
        let params = self.settings.hash;
        let is_current = user.password.as_ref().is_none_or(|hash| hash.is_current(params));
        let Some(password) = Password::new(password).filter(|_| !is_current) else {
            return Vec::new();
        };
        let hashed = self.hashing.run(move || PasswordHash::create(&password, params));
        match hashed.await {
            Ok(Ok(hash)) => vec![Effect::Change(UserChange::Rehashed(hash))],
            _ => Vec::new(),
        }
    }

    async fn spend_code(&self, user: &User, code: &str, cx: &RequestCx) -> Result<Spent, Denied> {
        let factor = user.totp.as_ref().ok_or(Denied::WrongStep)?;
        let last = self.store.last_totp_step(user.id).await?;
        let skew = self.settings.totp_skew;
        let matched = match factor.secret.check(user.id, code, cx.now, skew, last) {
            Ok(matched) => matched,
            Err(CodeError::Wrong) => return Err(self.wrong_code(user, SignInFailure::Code, cx)),
            Err(CodeError::AlreadyUsed) => {
                return Err(self.wrong_code(user, SignInFailure::CodeReused, cx));
            }
        };
        let spent = self.store.spend_totp_step(matched).await?;
        spent.ok_or_else(|| self.wrong_code(user, SignInFailure::CodeReused, cx))
    }

    async fn spend_recovery_code(
        &self,
        user: &User,
        code: RecoveryCode,
        place: Place,
        cx: &RequestCx,
    ) -> Result<Spent, Denied> {
        let set = self.store.recovery_set(user.id).await?;
        let set = set.ok_or_else(|| self.wrong_code(user, SignInFailure::Code, cx))?;
        let digest = self.hashing.run_at(place, move || set.digest(&code)).await?;
        let spent = match digest {
            Some(digest) => self.store.spend_recovery_code(user.id, digest).await?,
            None => None,
        };
        let (spent, left) = spent.ok_or_else(|| self.wrong_code(user, SignInFailure::Code, cx))?;
        debug_assert_eq!(spent.factor(), SecondFactor::Recovery);
        self.record(&AuditEvent::RecoveryCodeUsed { user: user.id, left }, cx);
        Ok(spent)
    }

    fn wrong_code(&self, user: &User, why: SignInFailure, cx: &RequestCx) -> Denied {
        self.failed(Some(user.id), why, cx);
        if why == SignInFailure::CodeReused { Denied::CodeUsed } else { Denied::Code }
    }
}

/// Applies what a step changes; whether sessions end with it.
fn apply(effects: &[Effect], user: &mut User) -> bool {
    effects.iter().fold(false, |ends, effect| {
        ends | match effect {
            Effect::FirstUser(_) => false,
            Effect::Change(change) => user.apply(change.clone()),
            Effect::Enrol { factor, .. } => user.apply(UserChange::Totp(factor.clone())),
        }
    })
}

/// A rung on which to wait, under a new token.
fn wait(pending: PendingSignIn, next: Next) -> Result<(Onward, Progress), Denied> {
    let (token, expires_at) = (new_bearer()?, pending.expires_at());
    let digest = digest(TokenKind::Pending, &token);
    Ok((Onward::Pending(digest, pending), Progress::Waits(Underway { token, next, expires_at })))
}

/// The counter of a username that is no login. There is none; were there one, it would share a
/// counter and be locked sooner, never later.
const UNREACHED: [u8; 32] = [0; 32];
