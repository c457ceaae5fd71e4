//! What the forms on somebody's page do.

use super::frame::listed;
use super::newcomer::{given, groups, link};
use super::{Acted, Desk, odd, token};
use crate::domain::User;
use crate::http::{Answer, Location, Trouble};
use crate::service::{AdminReply, AdminRequest, UserView};
use crate::types::{DisplayName, Email, GroupName, SessionId, TokenId};
use http::StatusCode;

pub(super) async fn act(desk: &Desk<'_>) -> Acted {
    let user = desk.person().await?;
    let to = desk.page_of(user.username.as_str());
    let name = user.username.to_string();
    let what = desk.visit.fields.get("do");
    if let Some(no) = own_account(desk, &user, what) {
        return Err(no.into());
    }
    match what {
        "set" => set(desk, &user, to).await,
        "disable" => desk.have_done(AdminRequest::UserDisable { name }, to, "disabled").await,
        "enable" => desk.have_done(AdminRequest::UserEnable { name }, to, "enabled").await,
        "unlock" => desk.have_done(AdminRequest::UserUnlock { name }, to, "unlocked").await,
        "reset-mfa" => {
            have_link(desk, AdminRequest::UserResetMfa { name }, desk.words.link_factor).await
        }
        "reset-password" => {
            have_link(desk, AdminRequest::UserResetPassword { name }, desk.words.link_password)
                .await
        }
        "revoke" => revoke(desk, to).await,
        "revoke-all" => {
            let request = AdminRequest::SessionRevokeAll { user: Some(name) };
            desk.have_done(request, to, "all-revoked").await
        }
        "token" => token::act(desk, &user).await,
        "revoke-token" => {
            let id = TokenId::parse(desk.visit.fields.get("token")).ok_or_else(|| desk.gone())?;
            desk.have_done(AdminRequest::TokenRevoke { id }, to, "token-revoked").await
        }
        _ => Err(Answer::invalid(desk.words.unknown_act).into()),
    }
}

/// Why an administrator does not do this to themselves: they would be shut out, and perhaps nobody
/// would be left to let them in again.
fn own_account(desk: &Desk<'_>, user: &UserView, what: &str) -> Option<Answer> {
    let words = desk.words;
    let text = match what {
        "disable" => words.own_disable,
        "reset-mfa" | "reset-password" => words.own_reset,
        _ => return None,
    };
    desk.is_own(user).then(|| refused(text))
}

/// The service would do it, but not for whoever asks.
pub(super) fn refused(text: &'static str) -> Answer {
    Answer::new(StatusCode::CONFLICT, "own_account", text)
}

async fn set(desk: &Desk<'_>, user: &UserView, to: Location) -> Acted {
    let words = desk.words;
    let email = given(desk, "email", Email::parse)?;
    let display_name = given(desk, "display_name", DisplayName::parse)?;
    let groups = groups(desk, "groups")?;
    if desk.is_own(user) && !keeps_administering(&groups) {
        return Err(Answer { about: Some("groups"), ..refused(words.own_admins) }.into());
    }
    let text = |new: Option<String>| new.unwrap_or_default();
    let known = |old: Option<&str>| old.unwrap_or_default().to_owned();
    let changes = [
        Change::of(
            desk,
            "was_email",
            text(email.map(Into::into)),
            known(user.email.as_ref().map(Email::as_str)),
        ),
        Change::of(
            desk,
            "was_display_name",
            text(display_name.map(Into::into)),
            known(user.display_name.as_ref().map(DisplayName::as_str)),
        ),
        Change::of(desk, "was_groups", listed(&groups), listed(&user.groups)),
    ];
    if changes.contains(&Change::Overtaken) {
        return Err(Answer::new(StatusCode::CONFLICT, "overtaken", words.overtaken).into());
    }
    let [email, display_name, of_groups] = changes;
    let (email, display_name) = (email.into_new(), display_name.into_new());
    let groups = of_groups.into_new().map(|_| groups);
    if email.is_none() && display_name.is_none() && groups.is_none() {
        return Ok(crate::http::Response::see_other(desk.visit.site(), &to.with("done", "saved")));
    }
    let name = user.username.to_string();
    let request = AdminRequest::UserSet { name, email, display_name, groups };
    desk.have_done(request, to, "saved").await.map_err(|trouble| match trouble {
        Trouble::Answer(answer) if answer.status == StatusCode::CONFLICT => {
            Answer { about: Some("email"), ..answer }.into()
        }
        other => other,
    })
}

/// What a form does to one thing that is known of somebody.
#[derive(PartialEq, Eq)]
enum Change {
    /// Nothing: it stays, also where somebody else has changed it since the form was shown.
    None,
    /// This.
    To(String),
    /// Something, where somebody else has changed it as well.
    Overtaken,
}

impl Change {
    /// By what the form was filled in with, what was sent, and what is known now.
    fn of(desk: &Desk<'_>, was: &str, sent: String, known: String) -> Self {
        let was = desk.visit.fields.get(was);
        if sent == was || sent == known {
            Self::None
        } else if known == was {
            Self::To(sent)
        } else {
            Self::Overtaken
        }
    }

    fn into_new(self) -> Option<String> {
        if let Self::To(new) = self { Some(new) } else { None }
    }
}

fn keeps_administering(groups: &[GroupName]) -> bool {
    User::administrators().is_some_and(|admins| groups.contains(&admins))
}

async fn have_link(desk: &Desk<'_>, request: AdminRequest, what_for: &str) -> Acted {
    match desk.ask(request).await? {
        AdminReply::Link { username, url } => {
            let title = (desk.words.link_title)(username.as_str());
            Ok(link(desk, &title, username.as_str(), &url, what_for))
        }
        _ => Err(odd()),
    }
}

/// Ends one session.
pub(super) async fn revoke(desk: &Desk<'_>, to: Location) -> Acted {
    let id = SessionId::parse(desk.visit.fields.get("session")).ok_or_else(|| desk.gone())?;
    desk.have_done(AdminRequest::SessionRevoke { id }, to, "revoked").await
}
