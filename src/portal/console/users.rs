//! Everyone: searched, filtered, a page at a time.

use super::super::listing::{A_PAGE, Sheet};
use super::frame::{State, listed, search_field};
use super::overview::everyone;
use super::{Desk, NEW, Screen, USERS};
use crate::http::{Location, Response, Trouble};
use crate::service::UserView;
use maud::{Markup, html};

pub(super) async fn show(desk: &Desk<'_>) -> Result<Response, Trouble> {
    let words = desk.words;
    let (sought, state) = (desk.visit.fields.get("q").trim(), desk.visit.fields.get("state"));
    let found = found(everyone(desk).await?, sought, State::parse(state));
    let sheet = Sheet::of(&found, &desk.visit.fields, "page", A_PAGE);
    let list = desk.page(USERS).with("q", sought).with("state", state);
    let body = html! {
        (search(desk, sought, State::parse(state)))
        p .actions { a .button href=(desk.page(NEW).as_str()) { (words.add_user) } }
        @if found.is_empty() {
            p { (words.nobody_found) }
        } @else {
            (people(desk, sheet.rows, found.len()))
            (sheet.links(desk.common, &list, words.users))
        }
    };
    Ok(desk.shown(Screen::Users, words.users, None, &body))
}

/// Who fits, by name.
fn found(mut users: Vec<UserView>, sought: &str, state: Option<State>) -> Vec<UserView> {
    let sought = sought.to_lowercase();
    users.retain(|user| {
        state.is_none_or(|state| State::of(user) == state) && is_about(user, &sought)
    });
    users.sort_by(|one, other| one.username.cmp(&other.username));
    users
}

/// Whether a text, in lower case, is part of what somebody is known by.
fn is_about(user: &UserView, sought: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(sought);
    has(user.username.as_str())
        || user.email.as_ref().is_some_and(|email| has(email.as_str()))
        || user.display_name.as_ref().is_some_and(|name| has(name.as_str()))
        || user.groups.iter().any(|group| has(group.as_str()))
}

fn search(desk: &Desk<'_>, sought: &str, chosen: Option<State>) -> Markup {
    let words = desk.words;
    let to: Location = desk.page(USERS);
    html! {
        form .search role="search" method="get" action=(to.as_str()) {
            (search_field("q", words.search_users, sought))
            label for="state" { (words.state) }
            select id="state" name="state" {
                option value="" { (words.any_state) }
                @for state in State::ALL {
                    option value=(state.key()) selected[chosen == Some(state)] {
                        (desk.state(state))
                    }
                }
            }
            button { (words.search) }
        }
    }
}

fn people(desk: &Desk<'_>, users: &[UserView], found: usize) -> Markup {
    let words = desk.words;
    html! {
        table .list {
            caption { ((words.users_found)(found)) }
            thead {
                tr {
                    th scope="col" { (desk.common.inputs.username) }
                    th scope="col" { (words.display_name) }
                    th scope="col" { (words.email) }
                    th scope="col" { (desk.common.account.groups) }
                    th scope="col" { (words.state) }
                }
            }
            tbody {
                @for user in users {
                    tr {
                        th scope="row" { (desk.link_to(user.username.as_str())) }
                        td data-label=(words.display_name) { @if let Some(name) = &user.display_name { (name) } }
                        td data-label=(words.email) { @if let Some(email) = &user.email { (email) } }
                        td data-label=(desk.common.account.groups) { (listed(&user.groups)) }
                        td data-label=(words.state) { (desk.state_mark(State::of(user))) }
                    }
                }
            }
        }
    }
}
