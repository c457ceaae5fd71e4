//! Registering, and the steps from a name and a password to a session.

use super::call::{Anyone, Call, Reply, Underway};
use super::records::{Hidden, SignIn, UserRecord, either};
use super::trouble::Trouble;
use super::visit::Visit;
use crate::domain::Next;
use crate::http::Answer;
use crate::service::{Progress, Registration};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Somebody who adds themselves.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Register {
    /// What they will sign in with.
    username: String,
    /// Also good for signing in.
    email: Option<String>,
    password: Hidden,
    /// How they write their name.
    display_name: Option<String>,
}

/// Who was added. They have yet to sign in.
#[derive(Serialize, JsonSchema)]
pub(super) struct Registered {
    user: UserRecord,
}

#[async_trait]
impl Call<Anyone> for Register {
    type Answer = Registered;

    async fn act(self, visit: &Visit<'_>, _: Anyone) -> Result<Reply<Registered>, Trouble> {
        let new = Registration {
            username: &self.username,
            email: self.email.as_deref().unwrap_or_default(),
            display_name: self.display_name.as_deref().unwrap_or_default(),
            password: self.password.reveal(),
        };
        let user = visit.service().register(new, visit.cx()).await?;
        Ok(Reply::new(Registered { user: user.into() }))
    }
}

/// A name and a password, and a code at once where that is handy.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    /// The username or the e-mail address.
    username: String,
    password: Hidden,
    /// Whether the session outlives the browser.
    #[serde(default)]
    remember_me: bool,
    /// From the authenticator. Goes before a recovery code.
    totp_code: Option<Hidden>,
    /// One of the ten, in place of a code from the authenticator.
    recovery_code: Option<Hidden>,
}

#[async_trait]
impl Call<Anyone> for Login {
    type Answer = SignIn;

    async fn act(self, visit: &Visit<'_>, _: Anyone) -> Result<Reply<SignIn>, Trouble> {
        let (service, visitor) = (visit.service(), visit.visitor());
        let (name, password) = (self.username.as_str(), self.password.reveal());
        let begun = service.sign_in(name, password, self.remember_me, None, visitor).await?;
        let code = either(self.totp_code.as_ref(), self.recovery_code.as_ref());
        let progress = match (begun, code) {
            (Progress::Waits(step), Some(code)) if step.next == Next::SecondFactor => {
                service.second_factor(&step.token, code, visitor).await?
            }
            (begun, _) => begun,
        };
        Ok(visit.onward(progress))
    }
}

/// The second factor.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Verify {
    /// Of the step; without it, that of the cookie.
    mfa_token: Option<Hidden>,
    /// From the authenticator. Goes before a recovery code.
    code: Option<Hidden>,
    /// One of the ten, in place of a code from the authenticator.
    recovery_code: Option<Hidden>,
}

#[async_trait]
impl Call<Underway> for Verify {
    type Answer = SignIn;

    async fn act(self, visit: &Visit<'_>, _: Underway) -> Result<Reply<SignIn>, Trouble> {
        let code = either(self.code.as_ref(), self.recovery_code.as_ref());
        let code = code.ok_or_else(|| Answer::invalid("`code` or `recovery_code` is missing."))?;
        let token = visit.pending(self.mfa_token.as_ref())?;
        let progress = visit.service().second_factor(&token, code, visit.visitor()).await?;
        Ok(visit.onward(progress))
    }
}
