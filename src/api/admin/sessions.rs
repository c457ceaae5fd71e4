//! `/admin/sessions`: everyone's sessions, as administrators see and end them.

use super::{NO_SUCH, ask, have_done, odd};
use crate::api::call::{Administrator, Call, Reply};
use crate::api::records::{Done, Nothing};
use crate::api::trouble::Trouble;
use crate::api::visit::Visit;
use crate::service::{AdminReply, AdminRequest, SessionView};
use crate::types::SessionId;
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A session, as administrators see one.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ManagedSession")]
pub(in crate::api) struct SessionEntry {
    id: String,
    username: String,
    /// RFC 3339, in UTC.
    created_at: String,
    /// RFC 3339, in UTC; give or take some seconds.
    last_seen_at: String,
    /// When it ends at the latest if nothing more is heard of it.
    expires_at: String,
    ip: String,
    user_agent: String,
}

impl From<SessionView> for SessionEntry {
    fn from(view: SessionView) -> Self {
        Self {
            id: view.id.to_string(),
            username: view.username,
            created_at: view.created_at,
            last_seen_at: view.last_seen_at,
            expires_at: view.expires_at,
            ip: view.ip,
            user_agent: view.user_agent,
        }
    }
}

/// Sessions of one person, or of everyone.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::api) struct ListSessions(Nothing);

#[async_trait]
impl Call<Administrator> for ListSessions {
    type Answer = Vec<SessionEntry>;

    async fn act(
        self,
        visit: &Visit<'_>,
        by: Administrator,
    ) -> Result<Reply<Vec<SessionEntry>>, Trouble> {
        let user = visit.asked("user").map(str::to_owned);
        match ask(visit, AdminRequest::SessionList { user }, &by).await? {
            AdminReply::Sessions { sessions } => {
                Ok(Reply::new(sessions.into_iter().map(Into::into).collect()))
            }
            _ => Err(odd()),
        }
    }
}

/// Ends sessions of one person, or of everyone.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::api) struct RevokeSessions(Nothing);

#[async_trait]
impl Call<Administrator> for RevokeSessions {
    type Answer = Done;

    async fn act(self, visit: &Visit<'_>, by: Administrator) -> Result<Reply<Done>, Trouble> {
        let user = visit.asked("user").map(str::to_owned);
        have_done(visit, AdminRequest::SessionRevokeAll { user }, &by).await
    }
}

/// Ends one session.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::api) struct RevokeSession(Nothing);

#[async_trait]
impl Call<Administrator> for RevokeSession {
    type Answer = Done;

    async fn act(self, visit: &Visit<'_>, by: Administrator) -> Result<Reply<Done>, Trouble> {
        let id = SessionId::parse(visit.word("id"));
        let id = id.ok_or_else(|| Trouble::not_found(NO_SUCH))?;
        have_done(visit, AdminRequest::SessionRevoke { id }, &by).await
    }
}
