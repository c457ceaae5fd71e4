//! Judging passwords and codes, each in one place.

use super::drift::REACH;
use super::hashing::Place;
use super::{Denied, Service, Visitor};
use crate::crypto::{
    CodeError, Password, PasswordHash, PasswordVerified, RecoveryCode, TotpSecret,
};
use crate::domain::{Spent, User, UserChange};
use crate::store::Effect;
use crate::types::{Login, RequestCx, UserId};

/// A recovery code or a code from the authenticator, used up.
pub(super) struct SpentCode {
    pub spent: Spent,
    /// How many recovery codes are left, where it was one.
    pub left: Option<usize>,
}

impl Service {
    /// The first factor: a name and its password. Unknown names, wrong passwords and disabled
    /// accounts are counted alike, take as long and are answered alike.
    pub(super) async fn first_factor(
        &self,
        name: &str,
        password: &str,
        visitor: Visitor<'_>,
    ) -> Result<(User, PasswordVerified), Denied> {
        let cx = visitor.cx;
        self.admit_address(cx).await?;
        let login = Login::parse(name).map_err(|_| Denied::Credentials)?;
        let user = self.store.find_user(&login).await?;
        // Whoever is found is counted under the one account, however the name was typed.
        let counter = self.counter(user.as_ref(), &login, visitor).await?;
        let place = self.hashing.place()?;
        self.admit_account(counter, user.as_ref(), cx).await?;
        let tried = self.charge(counter, user.as_ref(), cx).await?;
        let hash = self.hash_of(user.as_ref(), counter.key());
        let verified = self.verify(place, user, hash, password).await;
        self.judged(tried, verified, cx).await
    }

    pub(super) async fn verify(
        &self,
        place: Place,
        user: Option<User>,
        hash: PasswordHash,
        password: &str,
    ) -> Result<(User, PasswordVerified), Denied> {
        let id = user.as_ref().map_or(UserId::from_bytes([0; 16]), |user| user.id);
        let verified = self.check_password(place, id, hash, password).await?;
        user.zip(verified).filter(|(user, _)| !user.disabled).ok_or(Denied::Credentials)
    }

    /// The hash to check a password against: the person's, or one that takes as long for a name
    /// that has none. `counter` is what is counted under the name.
    pub(super) fn hash_of(&self, user: Option<&User>, counter: [u8; 32]) -> PasswordHash {
        let own = user.and_then(|user| user.password.clone());
        own.unwrap_or_else(|| self.strangers.hash_for(&counter, self.settings.hash))
    }

    /// Checks a password.
    pub(super) async fn check_password(
        &self,
        place: Place,
        id: UserId,
        hash: PasswordHash,
        password: &str,
    ) -> Result<Option<PasswordVerified>, Denied> {
        // What is too long to be a password is hashed as one that matches nothing.
        let typed = Password::new(password).or_else(|| Password::new("\u{0}"));
        self.hashing.run_at(place, move || typed.and_then(|typed| hash.verify(id, &typed))).await
    }

    /// Judges and hashes a new password.
    pub(super) async fn hash_new(
        &self,
        typed: &str,
        username: &str,
    ) -> Result<PasswordHash, Denied> {
        let password = Password::new(typed).ok_or(Denied::PasswordUnusable)?;
        let settings = &self.settings;
        let here = ["vestibule", settings.issuer.as_str(), settings.totp_issuer.as_str()];
        settings.password.check(&password, username, &here).map_err(Denied::Weak)?;
        self.refuse_breached(&password, typed).await?;
        let params = self.settings.hash;
        Ok(self.hashing.run(move || PasswordHash::create(&password, params)).await??)
    }

    /// Where the costs of a hash have changed since it was made, or another program made it, makes
    /// it anew. Costs a second
    /// hash, once; where that cannot be had now, the next sign-in will do.
    pub(super) async fn rehash(&self, user: &User, password: &str) -> Vec<Effect> {
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

    /// Uses up a code from the authenticator or a recovery code, whichever it is.
    pub(super) async fn spend(
        &self,
        user: &User,
        code: &str,
        visitor: Visitor<'_>,
    ) -> Result<SpentCode, Denied> {
        let cx = visitor.cx;
        let counter = self.counter_of(user, visitor).await?;
        let recovery = RecoveryCode::parse(code);
        let place = recovery.as_ref().map(|_| self.hashing.place()).transpose()?;
        let tried = self.charge(counter, Some(user), cx).await?;
        let spent = match recovery.zip(place) {
            Some((code, place)) => self.spend_recovery_code(user, code, place, cx).await,
            None => {
                let spent = self.spend_totp_code(user, code, cx).await;
                spent.map(|spent| SpentCode { spent, left: None })
            }
        };
        self.judged(tried, spent, cx).await
    }

    pub(super) async fn spend_totp_code(
        &self,
        user: &User,
        code: &str,
        cx: &RequestCx,
    ) -> Result<Spent, Denied> {
        let factor = user.totp.as_ref().ok_or(Denied::WrongStep)?;
        let last = self.store.last_totp_step(user.id).await?;
        let skew = self.settings.totp_skew;
        let matched = match factor.secret.check(user.id, code, cx.now, skew, last) {
            Ok(matched) => matched,
            Err(CodeError::Wrong) => {
                let off = self.clock_off(user.id, &factor.secret, code, cx);
                return Err(off.unwrap_or(Denied::Code));
            }
            Err(CodeError::AlreadyUsed) => return Err(Denied::CodeUsed),
        };
        let spent = self.store.spend_totp_step(matched).await?;
        spent.ok_or(Denied::CodeUsed)
    }

    /// What else a wrong code says, where it is the second that is as far away.
    fn clock_off(
        &self,
        user: UserId,
        secret: &TotpSecret,
        code: &str,
        cx: &RequestCx,
    ) -> Option<Denied> {
        let away = secret.distance(code, cx.now, REACH)?;
        let agrees = self.drifts.agrees(user, away.step, away.steps, cx.now);
        agrees.then(|| Denied::ClockOff(away.seconds()))
    }

    async fn spend_recovery_code(
        &self,
        user: &User,
        code: RecoveryCode,
        place: Place,
        cx: &RequestCx,
    ) -> Result<SpentCode, Denied> {
        let set = self.store.recovery_set(user.id).await?;
        let set = set.ok_or(Denied::Code)?;
        let digest = self.hashing.run_at(place, move || set.digest(&code)).await?;
        let spent = match digest {
            Some(digest) => self.store.spend_recovery_code(user.id, digest, cx.into()).await?,
            None => None,
        };
        let (spent, left) = spent.ok_or(Denied::Code)?;
        Ok(SpentCode { spent, left: Some(left) })
    }
}
