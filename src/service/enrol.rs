//! Enrolling a second factor.
//!
//! The secret waits beside the sign-in under way until its first code is right; a wrong code
//! keeps it. Confirming uses the code's step up, stores the factor and the recovery codes and
//! begins the session, all at once.

use super::sign_in::{Changes, Progress, Visitor};
use super::{Denied, Service};
use crate::crypto::{CodeError, RecoveryCode, RecoverySet, TokenKind, TotpSecret, digest};
use crate::domain::{AuditEvent, Next, SignInFailure, TotpFactor};
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
    /// The secret to enrol: made at the first call, the same at the next.
    pub async fn enrolment(&self, token: &Bearer, cx: &RequestCx) -> Result<Enrolment, Denied> {
        let (mut pending, user, _) = self.underway(token, Next::Enrolment, cx).await?;
        let secret = match &pending.enrolment {
            Some(secret) => secret.clone(),
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
        let uri = secret.provisioning_uri(&self.settings.totp_issuer, &user.username);
        Ok(Enrolment { secret: secret.as_text(), uri })
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
        let counter = self.counter_of(&user);
        self.charge(counter, Some(&user), cx).await?;
        let matched = match secret.check(user.id, code, cx.now, self.settings.totp_skew, None) {
            Ok(matched) => matched,
            Err(CodeError::Wrong | CodeError::AlreadyUsed) => {
                self.failed(Some(user.id), SignInFailure::Code, cx);
                return Err(Denied::Code);
            }
        };
        self.store.refund(counter).await?;
        let (recovery, recovery_codes) = self.new_recovery_codes().await?;
        let factor = TotpFactor { secret, confirmed_at: cx.now };
        let enrol = Effect::Enrol { factor, step: matched.step(), recovery };
        let pending = pending.with_enrolment(&matched, cx.now).ok_or(Denied::Expired)?;
        let (id, effects) = (user.id, vec![enrol]);
        let changes = Changes { consumes: Some(consumes), effects, recovery_codes };
        let progress = self.go_on(pending, user, changes, visitor).await?;
        self.record(&AuditEvent::Enrolled { user: id }, cx);
        Ok(progress)
    }

    /// The recovery codes that wait to be shown to this session, which are gone with that.
    pub async fn take_recovery_codes(
        &self,
        token: &Bearer,
        cx: &RequestCx,
    ) -> Result<Vec<RecoveryCode>, Denied> {
        Ok(self.store.take_recovery_codes(digest(TokenKind::Session, token), cx.now).await?)
    }

    pub(super) async fn new_recovery_codes(
        &self,
    ) -> Result<(RecoverySet, Vec<RecoveryCode>), Denied> {
        let params = self.settings.hash;
        Ok(self.hashing.run(move || RecoverySet::generate(params)).await??)
    }
}
