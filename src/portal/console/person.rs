//! One person: who they are, and what can be done about them.

use super::frame::{State, listed};
use super::newcomer::profile;
use super::person_lists::{sessions, tokens};
use super::{Desk, Screen, token};
use crate::http::html::{moment, sentence};
use crate::http::{Answer, Location, Response, Trouble};
use crate::service::UserView;
use maud::{Markup, html};

pub(super) async fn show(desk: &Desk<'_>, answer: Option<&Answer>) -> Result<Response, Trouble> {
    let user = desk.person().await?;
    let to = desk.page_of(user.username.as_str());
    let body = html! {
        @if desk.is_own(&user) { (sentence(desk.words.own_account)) }
        (details(desk, &user))
        (edit(desk, answer, &user, &to))
        (access(desk, &user, &to))
        (sessions(desk, &user, &to).await?)
        (tokens(desk, &user, &to).await?)
        (token::form(desk, answer, &to))
    };
    Ok(desk.shown(Screen::User, user.username.as_str(), answer, &body))
}

fn details(desk: &Desk<'_>, user: &UserView) -> Markup {
    let words = desk.words;
    html! {
        h2 { (words.details) }
        dl {
            dt { (words.state) } dd { (desk.state_mark(State::of(user))) }
            @if let Some(name) = &user.display_name { dt { (words.display_name) } dd { (name) } }
            @if let Some(email) = &user.email { dt { (words.email) } dd { (email) } }
            dt { (desk.common.account.groups) }
            dd { @if user.groups.is_empty() { (desk.common.account.no_groups) } @else { (listed(&user.groups)) } }
            dt { (desk.common.inputs.password) }
            dd {
                @if !user.has_password { (words.password_missing) }
                @else if user.must_change_password { (words.password_must_change) }
                @else { (words.password_set) }
            }
            dt { (desk.common.second_factor.title) }
            dd {
                @if user.totp {
                    (words.enrolled) ", " ((words.codes_left)(user.recovery_codes_remaining))
                } @else { (words.no_factor) }
            }
            @if let Some(until) = &user.locked_until {
                dt { (words.locked_until) } dd { (moment(until)) }
            }
            dt { (words.created) } dd { (moment(&user.created_at)) }
        }
    }
}

fn edit(desk: &Desk<'_>, answer: Option<&Answer>, user: &UserView, to: &Location) -> Markup {
    let (fields, words) = (&desk.visit.fields, desk.words);
    let was_sent = answer.is_some() && fields.get("do") == "set";
    let listed = listed(&user.groups);
    let known = [
        user.email.as_ref().map_or("", |email| email.as_str()),
        user.display_name.as_ref().map_or("", |name| name.as_str()),
        listed.as_str(),
    ];
    let sent = ["email", "display_name", "groups"].map(|name| fields.get(name));
    // What was typed and not taken is there to be put right.
    let [email, display_name, groups] = if was_sent { sent } else { known };
    let about = answer.filter(|_| was_sent);
    let inputs = html! {
        fieldset {
            legend { (words.edit) }
            (profile(desk, about, email, display_name, groups))
            button { (words.save) }
        }
    };
    let [was_email, was_display_name, was_groups] = known;
    // What the form was filled in with, so that what somebody else changes meanwhile stays.
    let hidden = [
        ("do", "set"),
        ("was_email", was_email),
        ("was_display_name", was_display_name),
        ("was_groups", was_groups),
    ];
    desk.visit.form_to(to, &hidden, &inputs)
}

fn access(desk: &Desk<'_>, user: &UserView, to: &Location) -> Markup {
    let words = desk.words;
    let act = |what: &'static str, text: &str, hint: &str, danger: bool| {
        html! {
            div .act .danger[danger] {
                (desk.button(to, &[("do", what)], text, None))
                p .hint { (hint) }
            }
        }
    };
    html! {
        section .actions {
            h2 { (words.access) }
            @if user.locked_until.is_some() || !user.disabled {
                (act("unlock", words.unlock, words.unlock_hint, false))
            }
            // Nobody shuts themselves out: the service would, and nobody else might be there.
            @if !desk.is_own(user) {
                @if user.disabled {
                    (act("enable", words.enable, words.enable_hint, false))
                } @else {
                    (act("disable", words.disable, words.disable_hint, true))
                }
                (act("reset-password", words.reset_password, words.reset_password_hint, true))
                (act("reset-mfa", words.reset_factor, words.reset_factor_hint, true))
                div .act .danger {
                    a .button href=(to.clone().below("remove").as_str()) { (words.remove) }
                    p .hint { (words.remove_hint) }
                }
            }
        }
    }
}
