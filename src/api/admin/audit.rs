//! `/admin/audit`: what happened, the newest first.

use super::{ask, odd};
use crate::api::call::{Administrator, Call, Reply};
use crate::api::records::Nothing;
use crate::api::trouble::Trouble;
use crate::api::visit::Visit;
use crate::domain::{Line, Start};
use crate::http::Answer;
use crate::service::{AdminReply, AdminRequest, AuditQuestion};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Entries in an answer, where nobody says how many.
const USUAL: usize = 100;

/// An entry of the audit trail.
#[derive(Serialize, JsonSchema)]
pub(in crate::api) struct AuditEntry {
    seq: u64,
    /// RFC 3339, in UTC.
    at: String,
    /// What happened, by its stable name.
    event: String,
    /// Who did it: `person`, `administrator`, `command_line` or `gateway`.
    by: String,
    administrator: Option<String>,
    /// Whom it is about; as they were called then.
    user: Option<String>,
    user_id: Option<String>,
    /// The client's address.
    from: Option<String>,
    detail: Option<String>,
    /// The request's name in the log.
    request: Option<String>,
    /// The hash of the entry before.
    prev: String,
    hash: String,
}

impl From<Line> for AuditEntry {
    fn from(Line { entry, hash }: Line) -> Self {
        Self {
            seq: entry.seq,
            at: entry.at,
            event: entry.event,
            by: entry.by,
            administrator: entry.administrator,
            user: entry.user,
            user_id: entry.user_id,
            from: entry.from,
            detail: entry.detail,
            request: entry.request,
            prev: entry.prev.to_string(),
            hash: hash.to_string(),
        }
    }
}

/// Some entries of the audit trail.
#[derive(Serialize, JsonSchema)]
pub(in crate::api) struct AuditPage {
    /// The newest first.
    entries: Vec<AuditEntry>,
    /// For `before`, to go on; null where there is no more.
    next: Option<u64>,
}

/// Entries of the audit trail.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::api) struct ReadAudit(Nothing);

#[async_trait]
impl Call<Administrator> for ReadAudit {
    type Answer = AuditPage;

    async fn act(self, visit: &Visit<'_>, by: Administrator) -> Result<Reply<AuditPage>, Trouble> {
        let text = |name| visit.asked(name).map(str::to_owned);
        let question = AuditQuestion {
            user: text("user"),
            event: text("event"),
            from: text("from"),
            since: text("since"),
            until: text("until"),
            start: number(visit, "before")?.map_or(Start::Newest, Start::Before),
            most: number(visit, "limit")?.unwrap_or(USUAL),
        };
        match ask(visit, AdminRequest::AuditRead(question), &by).await? {
            AdminReply::Audit { lines, next } => Ok(Reply::new(AuditPage {
                entries: lines.into_iter().map(Into::into).collect(),
                next: next.and_then(|next| match next {
                    Start::Before(seq) => Some(seq),
                    Start::Newest | Start::After(_) => None,
                }),
            })),
            _ => Err(odd()),
        }
    }
}

fn number<N: std::str::FromStr>(visit: &Visit<'_>, name: &str) -> Result<Option<N>, Trouble> {
    let read =
        |text: &str| text.parse().map_err(|_| Answer::invalid(format!("{name} is no number")));
    Ok(visit.asked(name).map(read).transpose()?)
}
