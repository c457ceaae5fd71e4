//! Adding somebody, and the link they are invited with.

use super::frame::read_list;
use super::{Acted, Desk, NEW, Screen, USERS, odd};
use crate::http::html::{Input, sentence};
use crate::http::{Answer, Response};
use crate::service::{AdminReply, AdminRequest, NewUser};
use crate::types::{DisplayName, Email, GroupName, NameError, Username};
use maud::{Markup, html};

pub(super) fn show(desk: &Desk<'_>, answer: Option<&Answer>) -> Response {
    let words = desk.words;
    // Only what was typed and not taken: a link must not fill the form in.
    let typed = |name| answer.map_or("", |_| desk.visit.fields.get(name));
    let username = Input {
        name: "username",
        label: desk.common.inputs.username,
        autocomplete: "off",
        value: Some(typed("username")),
        first: true,
        ..Input::default()
    };
    let inputs = html! {
        (sentence(words.add_hint))
        (username.show(answer))
        (profile(desk, answer, typed("email"), typed("display_name"), typed("groups")))
        button { (words.add) }
    };
    let form = desk.visit.form_to(&desk.page(NEW), &[], &inputs);
    desk.shown(Screen::NewUser, words.add_user, answer, &form)
}

/// What can be changed about somebody.
pub(super) fn profile(
    desk: &Desk<'_>,
    answer: Option<&Answer>,
    email: &str,
    display_name: &str,
    groups: &str,
) -> Markup {
    let words = desk.words;
    let fields = [
        ("email", words.email, email, words.optional_hint),
        ("display_name", words.display_name, display_name, words.optional_hint),
        ("groups", desk.common.account.groups, groups, words.groups_hint),
    ];
    html! {
        @for (name, label, value, hint) in fields {
            @let input = Input {
                name,
                label,
                autocomplete: "off",
                value: Some(value),
                hint: Some(hint),
                optional: true,
                ..Input::default()
            };
            (input.show(answer))
        }
    }
}

/// The groups that were typed.
pub(super) fn groups(desk: &Desk<'_>, field: &'static str) -> Result<Vec<GroupName>, Answer> {
    read_list(desk.visit.fields.get(field), |text| GroupName::parse(text).ok())
        .ok_or_else(|| desk.wrong_name(field, NameError::Group))
}

/// What was typed, if anything; it may be left empty.
pub(super) fn given<T>(
    desk: &Desk<'_>,
    field: &'static str,
    parse: impl Fn(&str) -> Result<T, NameError>,
) -> Result<Option<T>, Answer> {
    let text = desk.visit.fields.get(field).trim();
    if text.is_empty() {
        return Ok(None);
    }
    parse(text).map(Some).map_err(|error| desk.wrong_name(field, error))
}

pub(super) async fn act(desk: &Desk<'_>) -> Acted {
    let words = desk.words;
    let username = Username::parse(desk.visit.fields.get("username"));
    let new = NewUser {
        username: username.map_err(|error| desk.wrong_name("username", error))?,
        email: given(desk, "email", Email::parse)?,
        display_name: given(desk, "display_name", DisplayName::parse)?,
        groups: groups(desk, "groups")?,
        password: None,
        totp: false,
        must_change_password: false,
    };
    match desk.ask(AdminRequest::UserAdd(new)).await? {
        AdminReply::Added { username, invite_url: Some(url), .. } => {
            let title = (words.added_title)(username.as_str());
            Ok(link(desk, &title, username.as_str(), &url, words.link_invite))
        }
        _ => Err(odd()),
    }
}

/// A one-time link, the one time it is shown.
pub(super) fn link(
    desk: &Desk<'_>,
    title: &str,
    username: &str,
    url: &str,
    what_for: &str,
) -> Response {
    let words = desk.words;
    let body = html! {
        (secret(desk, "link", words.link, url))
        (sentence(words.link_once))
        (sentence(what_for))
        ul .actions {
            li { a href=(desk.page_of(username).as_str()) { (words.to_user) } }
            li { a href=(desk.page(NEW).as_str()) { (words.add_another) } }
            li { a href=(desk.page(USERS).as_str()) { (words.users) } }
        }
    };
    desk.shown(Screen::NewUser, title, None, &body)
}

/// Something to be copied now or never.
pub(super) fn secret(
    desk: &Desk<'_>,
    name: &'static str,
    label: &'static str,
    value: &str,
) -> Markup {
    let words = &desk.visit.words().recovery;
    html! {
        label for=(name) { (label) }
        input .secret id=(name) type="text" readonly value=(value) autocomplete="off"
            spellcheck="false" autofocus;
        div .actions hidden data-keeps={ "#" (name) } data-copied=(words.copied)
            data-refused=(words.not_copied) {
            button type="button" data-does="copy" { (words.copy) }
            span role="status" {}
        }
    }
}
