//! Enrolling a second factor.
//!
//! The secret waits beside the sign-in under way until its first code is right; a wrong code
//! keeps it. Confirming uses the code's step up, stores the factor and the recovery codes and
//! begins the session, all at once.

use super::drift::REACH;
use super::sign_in::{Changes, Progress, Visitor};
use super::{Denied, Service};
use crate::crypto::{CodeMatched, RecoveryCode, RecoverySet, TokenKind, TotpSecret, digest};
use crate::domain::{Next, TotpFactor, User};
use crate::store::Effect;
use crate::types::{Bearer, RequestCx, Secret};

/// What a person needs to enrol.
#[derive(Debug)]
pub struct Enrolment {
    /// The secret as people type it.
    pub secret: Secret<String>,
    /// The address for the picture.
    pub uri: Secret<String>,
}

impl Service {
    /// The secret to enrol: made at the first call, the same at the next unless it is to be a
    /// new one.
    pub async fn enrolment(
        &self,
        token: &Bearer,
        afresh: bool,
        cx: &RequestCx,
    ) -> Result<Enrolment, Denied> {
        let (mut pending, user, _) = self.underway(token, Next::Enrolment, cx).await?;
        let secret = match pending.enrolment.take().filter(|_| !afresh) {
            Some(secret) => secret,
            None => {
                let secret = TotpSecret::generate(self.settings.totp)?;
                pending.enrolment = Some(secret.clone());
                let digest = digest(TokenKind::Pending, token);
                if !self.store.update_pending(digest, pending).await? {
                    return Err(Denied::Expired);
                }
                secret
            }
        };
        Ok(self.enrolment_of(&secret, &user))
    }

    /// A secret as a person needs it to enrol.
    pub(super) fn enrolment_of(&self, secret: &TotpSecret, user: &User) -> Enrolment {
        let uri = secret.provisioning_uri(&self.settings.totp_issuer, &user.username);
        Enrolment { secret: secret.as_text(), uri }
    }

    /// Confirms the secret with its first code, and goes on.
    pub async fn confirm_enrolment(
        &self,
        token: &Bearer,
        code: &str,
        visitor: Visitor<'_>,
    ) -> Result<Progress, Denied> {
        let cx = visitor.cx;
        let (pending, user, consumes) = self.underway(token, Next::Enrolment, cx).await?;
        let secret = pending.enrolment.clone().ok_or(Denied::WrongStep)?;
        let matched = self.first_code(&user, &secret, code, visitor).await?;
        let (recovery, recovery_codes) = self.new_recovery_codes().await?;
        let factor = TotpFactor { secret, confirmed_at: cx.now };
        let enrol = Effect::Enrol { factor, step: matched.step(), recovery };
        let pending = pending.with_enrolment(&matched, cx.now).ok_or(Denied::Expired)?;
        let changes = Changes { consumes: Some(consumes), effects: vec![enrol], recovery_codes };
        self.go_on(pending, user, changes, visitor).await
    }

    /// The recovery codes that wait to be shown to this session, which are gone with that.
    pub async fn take_recovery_codes(
        &self,
        token: &Bearer,
        cx: &RequestCx,
    ) -> Result<Vec<RecoveryCode>, Denied> {
        Ok(self.store.take_recovery_codes(digest(TokenKind::Session, token), cx.now).await?)
    }

    /// The first code of a new secret.
    pub(super) async fn first_code(
        &self,
        user: &User,
        secret: &TotpSecret,
        code: &str,
        visitor: Visitor<'_>,
    ) -> Result<CodeMatched, Denied> {
        let (cx, skew) = (visitor.cx, self.settings.totp_skew);
        let tried = self.charge(self.counter_of(user, visitor).await?, Some(user), cx).await?;
        let matched = secret.check(user.id, code, cx.now, skew, None).map_err(|_| {
            // Whoever enrols sees the secret, so that the first wrong code may tell at once.
            let away = secret.distance(code, cx.now, REACH);
            away.map_or(Denied::Code, |away| Denied::ClockOff(away.seconds()))
        });
        self.judged(tried, matched, cx).await
    }

    pub(super) async fn new_recovery_codes(
        &self,
    ) -> Result<(RecoverySet, Vec<RecoveryCode>), Denied> {
        let params = self.settings.hash;
        Ok(self.hashing.run(move || RecoverySet::generate(params)).await??)
    }
}
