//! Somebody's second factor: enrolling one, and what can be done with it afterwards.

use super::call::{Call, Owner, Reply, Underway};
use super::records::{Done, Hidden, Nothing};
use super::trouble::Trouble;
use super::visit::{Visit, Whose};
use crate::crypto::RecoveryCode;
use crate::domain::Next;
use crate::http::{cookies_after, qr_png, qr_svg};
use crate::service::{Denied, Enrolment, Progress};
use crate::types::{Bearer, Timestamp};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Begins to enrol, with a new secret each time.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Enroll {
    /// Of the step; without it, the session's token or that of the step's cookie.
    mfa_token: Option<Hidden>,
}

/// What an authenticator needs.
#[derive(Serialize, JsonSchema)]
pub(super) struct Provision {
    /// In base32.
    secret: String,
    /// What the pictures say: `otpauth://…`.
    provisioning_uri: String,
    /// The picture as a data URL; absent only where the address is too long for any.
    qr_svg: Option<String>,
    /// The same as PNG.
    qr_png: Option<String>,
}

impl From<Enrolment> for Provision {
    fn from(enrolment: Enrolment) -> Self {
        let uri = enrolment.uri.reveal();
        let url =
            |kind, bytes: &[u8]| format!("data:image/{kind};base64,{}", STANDARD.encode(bytes));
        Self {
            secret: enrolment.secret.reveal().replace(' ', ""),
            provisioning_uri: uri.clone(),
            qr_svg: qr_svg(uri).map(|svg| url("svg+xml", svg.as_bytes())),
            qr_png: qr_png(uri).map(|png| url("png", &png)),
        }
    }
}

#[async_trait]
impl Call<Underway> for Enroll {
    type Answer = Provision;

    async fn act(self, visit: &Visit<'_>, _: Underway) -> Result<Reply<Provision>, Trouble> {
        let (service, cx) = (visit.service(), visit.cx());
        let enrolment = match visit.whose(self.mfa_token.as_ref()).await? {
            Whose::Person(live) => {
                let begun = service.begin_totp(&live, cx).await;
                begun.map_err(|denied| Trouble::from(denied).of_session())?
            }
            Whose::Pending(token) => match service.enrolment(&token, true, cx).await {
                Ok(enrolment) => enrolment,
                Err(denied) => return Err(not_now(visit, &token, denied).await),
            },
        };
        Ok(Reply::new(enrolment.into()))
    }
}

/// Why somebody who is signing in cannot enrol, in words that lead on.
async fn not_now(visit: &Visit<'_>, token: &Bearer, denied: Denied) -> Trouble {
    if denied != Denied::WrongStep {
        return denied.into();
    }
    match visit.service().pending(token, visit.cx()).await {
        Ok((Next::SecondFactor, _)) => Denied::AlreadyEnabled.into(),
        Ok(_) => denied.into(),
        Err(denied) => denied.into(),
    }
}

/// The first code of a new authenticator.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyEnrollment {
    /// Of the step; without it, the session's token or that of the step's cookie.
    mfa_token: Option<Hidden>,
    code: Hidden,
}

/// Recovery codes, the one time they are told.
#[derive(Serialize, JsonSchema)]
pub(super) struct RecoveryCodes {
    recovery_codes: Vec<String>,
}

impl From<Vec<RecoveryCode>> for RecoveryCodes {
    fn from(codes: Vec<RecoveryCode>) -> Self {
        Self { recovery_codes: codes.iter().map(RecoveryCode::reveal).collect() }
    }
}

#[async_trait]
impl Call<Underway> for VerifyEnrollment {
    type Answer = RecoveryCodes;

    async fn act(self, visit: &Visit<'_>, _: Underway) -> Result<Reply<RecoveryCodes>, Trouble> {
        let code = self.code.reveal();
        match visit.whose(self.mfa_token.as_ref()).await? {
            Whose::Person(live) => {
                let confirmed = visit.service().confirm_totp(&live, code, visit.visitor()).await;
                let codes = confirmed.map_err(|denied| Trouble::from(denied).of_session())?;
                Ok(Reply::new(codes.into()))
            }
            Whose::Pending(token) => confirm(visit, &token, code).await,
        }
    }
}

/// Enrolling was the last step: the session is in the cookie, and the codes that wait to be shown
/// to it are told at once.
async fn confirm(
    visit: &Visit<'_>,
    token: &Bearer,
    code: &str,
) -> Result<Reply<RecoveryCodes>, Trouble> {
    let service = visit.service();
    let progress = match service.confirm_enrolment(token, code, visit.visitor()).await {
        Ok(progress) => progress,
        Err(denied) => return Err(not_now(visit, token, denied).await),
    };
    let codes = match &progress {
        Progress::SignedIn(done) => service.take_recovery_codes(&done.token, visit.cx()).await?,
        // No step comes after this one.
        Progress::Waits(_) => Vec::new(),
    };
    let cookies = cookies_after(visit.cookies(), &progress, visit.request);
    Ok(Reply::new(codes.into()).with(cookies))
}

/// A password and a code, for what only the person themselves may do.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct Proof {
    password: Hidden,
    /// From the authenticator.
    code: Hidden,
}

/// Takes the second factor away.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Disable(Proof);

#[async_trait]
impl Call<Owner> for Disable {
    type Answer = Done;

    async fn act(self, visit: &Visit<'_>, who: Owner) -> Result<Reply<Done>, Trouble> {
        let (password, code) = (self.0.password.reveal(), self.0.code.reveal());
        visit.service().disable_totp(&who.0, password, code, visit.visitor()).await?;
        Ok(Reply::new(Done::new()))
    }
}

/// Makes new recovery codes; the old ones are dead.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Regenerate(Proof);

#[async_trait]
impl Call<Owner> for Regenerate {
    type Answer = RecoveryCodes;

    async fn act(self, visit: &Visit<'_>, who: Owner) -> Result<Reply<RecoveryCodes>, Trouble> {
        let (service, password, code) =
            (visit.service(), self.0.password.reveal(), self.0.code.reveal());
        let visitor = visit.visitor();
        let codes = service.regenerate_recovery_codes(&who.0, password, code, visitor).await?;
        Ok(Reply::new(codes.into()))
    }
}

/// How it stands with the second factor.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Status(Nothing);

/// How it stands with the second factor.
#[derive(Serialize, JsonSchema)]
pub(super) struct TotpState {
    enabled: bool,
    /// When its first code was confirmed: RFC 3339, in UTC.
    confirmed_at: Option<String>,
    recovery_codes_remaining: usize,
}

#[async_trait]
impl Call<Owner> for Status {
    type Answer = TotpState;

    async fn act(self, visit: &Visit<'_>, who: Owner) -> Result<Reply<TotpState>, Trouble> {
        let status = visit.service().totp_status(&who.0).await?;
        Ok(Reply::new(TotpState {
            enabled: status.enabled,
            confirmed_at: status.confirmed_at.map(Timestamp::rfc3339),
            recovery_codes_remaining: status.recovery_codes_remaining,
        }))
    }
}
