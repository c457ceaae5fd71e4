//! `/admin/tokens`: access tokens for programs, as administrators make, see and end them.

use super::{NO_SUCH, ask, have_done, odd};
use crate::api::call::{Administrator, Call, Reply};
use crate::api::records::{Done, Nothing};
use crate::api::trouble::Trouble;
use crate::api::visit::Visit;
use crate::http::Answer;
use crate::service::{AdminReply, AdminRequest, NewToken, TokenView};
use crate::types::{DisplayName, GroupName, HostPattern, Network, TokenId};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An access token, as administrators see one.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AccessToken")]
pub(in crate::api) struct TokenEntry {
    id: String,
    name: String,
    username: String,
    /// RFC 3339, in UTC.
    created_at: String,
    /// RFC 3339, in UTC; none where it ends only when it is revoked.
    expires_at: Option<String>,
    /// The groups it has, of those the person is in; empty for all.
    groups: Vec<String>,
    /// Where its user may be; empty for anywhere.
    networks: Vec<String>,
    /// Which hosts it is for; empty for all.
    hosts: Vec<String>,
    /// Whether it counts as one factor only.
    one_factor: bool,
}

impl From<TokenView> for TokenEntry {
    fn from(view: TokenView) -> Self {
        Self {
            id: view.id.to_string(),
            name: view.name.into(),
            username: view.username,
            created_at: view.created_at,
            expires_at: view.expires_at,
            groups: view.groups.into_iter().map(Into::into).collect(),
            networks: view.networks.into_iter().map(Into::into).collect(),
            hosts: view.hosts.into_iter().map(Into::into).collect(),
            one_factor: view.one_factor,
        }
    }
}

/// Access tokens of one person, or of everyone.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::api) struct ListTokens(Nothing);

#[async_trait]
impl Call<Administrator> for ListTokens {
    type Answer = Vec<TokenEntry>;

    async fn act(
        self,
        visit: &Visit<'_>,
        by: Administrator,
    ) -> Result<Reply<Vec<TokenEntry>>, Trouble> {
        let user = visit.asked("user").map(str::to_owned);
        match ask(visit, AdminRequest::TokenList { user }, &by).await? {
            AdminReply::Tokens { tokens } => {
                Ok(Reply::new(tokens.into_iter().map(Into::into).collect()))
            }
            _ => Err(odd()),
        }
    }
}

/// An access token to make.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct AddToken {
    /// What it is called.
    name: String,
    /// In whose name it speaks: username or e-mail address.
    user: String,
    /// Seconds after which it ends; without, it ends when it is revoked.
    expires_in: Option<u64>,
    /// The groups it has, of those the person is in; without any, all.
    #[serde(default)]
    groups: Vec<String>,
    /// Where its user may be, in CIDR notation; without any, anywhere.
    #[serde(default)]
    networks: Vec<String>,
    /// Which hosts it is for: `grafana.example.com` or `*.example.com`; without any, all.
    #[serde(default)]
    hosts: Vec<String>,
    /// Whether it counts as one factor only.
    #[serde(default)]
    one_factor: bool,
}

/// An access token, the one time it is told.
#[derive(Serialize, JsonSchema)]
pub(in crate::api) struct NewTokenEntry {
    id: String,
    username: String,
    token: String,
}

/// Reads each text of a list, or names the list that has a bad one.
fn all<T>(
    texts: &[String],
    field: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, Answer> {
    let parsed: Option<Vec<T>> = texts.iter().map(|text| parse(text)).collect();
    parsed.ok_or_else(|| Answer::invalid(format!("There is something else in {field}.")))
}

#[async_trait]
impl Call<Administrator> for AddToken {
    type Answer = NewTokenEntry;

    async fn act(
        self,
        visit: &Visit<'_>,
        by: Administrator,
    ) -> Result<Reply<NewTokenEntry>, Trouble> {
        let name = DisplayName::parse(&self.name);
        let request = NewToken {
            name: name.map_err(|why| Answer::invalid(format!("The name will not do: {why}.")))?,
            user: self.user,
            expires_in: self.expires_in,
            groups: all(&self.groups, "groups", |text| GroupName::parse(text).ok())?,
            networks: all(&self.networks, "networks", Network::parse)?,
            hosts: all(&self.hosts, "hosts", |text| HostPattern::parse(text).ok())?,
            one_factor: self.one_factor,
        };
        match ask(visit, AdminRequest::TokenAdd(request), &by).await? {
            AdminReply::TokenAdded { id, username, token } => Ok(Reply::new(NewTokenEntry {
                id: id.to_string(),
                username: username.into(),
                token,
            })),
            _ => Err(odd()),
        }
    }
}

/// Ends an access token.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::api) struct RevokeToken(Nothing);

#[async_trait]
impl Call<Administrator> for RevokeToken {
    type Answer = Done;

    async fn act(self, visit: &Visit<'_>, by: Administrator) -> Result<Reply<Done>, Trouble> {
        let id = TokenId::parse(visit.word("id")).ok_or_else(|| Trouble::not_found(NO_SUCH))?;
        have_done(visit, AdminRequest::TokenRevoke { id }, &by).await
    }
}
