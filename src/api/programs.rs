//! Programs that sign in as a person. No cookie is set by either call.

use super::call::{Anyone, Call, Reply};
use super::records::Hidden;
use super::trouble::Trouble;
use super::visit::Visit;
use crate::service::{Denied, ProgramTokens};
use crate::types::{Bearer, Prefix};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A name, a password and a code, all at once.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    /// The username or the e-mail address.
    username: String,
    password: Hidden,
    /// From the authenticator.
    totp_code: Hidden,
}

/// What a program goes on with.
#[derive(Serialize, JsonSchema)]
pub(super) struct Tokens {
    /// Goes with each request as `Authorization: Bearer`.
    access_token: String,
    token_type: TokenType,
    /// Seconds for which the access token is good.
    expires_in: u64,
    /// Good for new tokens, once.
    refresh_token: String,
}

#[derive(Serialize, JsonSchema)]
enum TokenType {
    Bearer,
}

impl From<ProgramTokens> for Tokens {
    fn from(tokens: ProgramTokens) -> Self {
        Self {
            access_token: tokens.access.reveal_as(Prefix::Access),
            token_type: TokenType::Bearer,
            expires_in: tokens.expires_in.as_secs(),
            refresh_token: tokens.refresh.reveal_as(Prefix::Refresh),
        }
    }
}

#[async_trait]
impl Call<Anyone> for Token {
    type Answer = Tokens;

    async fn act(self, visit: &Visit<'_>, _: Anyone) -> Result<Reply<Tokens>, Trouble> {
        let (password, code) = (self.password.reveal(), self.totp_code.reveal());
        let issued = visit.service().issue_tokens(&self.username, password, code, visit.visitor());
        Ok(Reply::new(issued.await?.into()))
    }
}

/// A refresh token, for new tokens.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Refresh {
    refresh_token: Hidden,
}

#[async_trait]
impl Call<Anyone> for Refresh {
    type Answer = Tokens;

    async fn act(self, visit: &Visit<'_>, _: Anyone) -> Result<Reply<Tokens>, Trouble> {
        // What cannot be read belongs to no session that goes on.
        let token = Bearer::parse_as(Prefix::Refresh, self.refresh_token.reveal().as_bytes());
        let token = token.ok_or(Denied::SessionRevoked)?;
        Ok(Reply::new(visit.service().refresh_tokens(&token, visit.visitor()).await?.into()))
    }
}
