//! What the commands do, for administrators' programs.

mod audit;
mod sessions;
mod tokens;
mod users;

pub(super) use audit::ReadAudit;
pub(super) use sessions::{ListSessions, RevokeSession, RevokeSessions};
pub(super) use tokens::{AddToken, ListTokens, RevokeToken};
pub(super) use users::{
    AddUser, DisableUser, EnableUser, ListUsers, RemoveUser, ResetMfa, ResetPassword, SetUser,
    ShowUser, UnlockUser,
};

use super::call::{Administrator, Reply};
use super::records::Done;
use super::trouble::Trouble;
use super::visit::Visit;
use crate::http::Answer;
use crate::service::{AdminError, AdminErrorKind, AdminReply, AdminRequest, Denied};
use http::StatusCode;

/// The sentence about what is not there.
const NO_SUCH: &str = "There is no such user, session or token.";

/// Asks the service, and answers a no of its.
async fn ask(
    visit: &Visit<'_>,
    request: AdminRequest,
    by: &Administrator,
) -> Result<AdminReply, Trouble> {
    match visit.service().administer(request, &by.0).await {
        AdminReply::Failed { error } => Err(trouble(error)),
        reply => Ok(reply),
    }
}

/// The sentences of a no are for whoever types commands; here are those for calls.
fn trouble(AdminError { kind, message }: AdminError) -> Trouble {
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    match kind {
        AdminErrorKind::NotFound => Trouble::not_found(NO_SUCH),
        AdminErrorKind::AlreadyExists => {
            let text = "Somebody has that username or e-mail address already.";
            Trouble::new(StatusCode::CONFLICT, "already_exists", text)
        }
        AdminErrorKind::WeakPassword => Trouble::new(unprocessable, "weak_password", message),
        AdminErrorKind::BreachedPassword => Denied::Breached.into(),
        AdminErrorKind::Invalid => Answer::invalid(message).into(),
        AdminErrorKind::Busy => Denied::Busy.into(),
        AdminErrorKind::Unavailable => Denied::Unavailable(message).into(),
    }
}

/// A reply of another kind than was asked for, which there is none of.
fn odd() -> Trouble {
    Denied::Unavailable("an administrative act was answered as if it were another".into()).into()
}

/// Has something done that is answered with a sentence.
async fn have_done(
    visit: &Visit<'_>,
    request: AdminRequest,
    by: &Administrator,
) -> Result<Reply<Done>, Trouble> {
    match ask(visit, request, by).await? {
        AdminReply::Done { message } => Ok(Reply::new(Done::saying(message))),
        _ => Err(odd()),
    }
}
