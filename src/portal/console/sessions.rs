//! Everyone's sessions.

use super::super::account::device;
use super::super::listing::{A_PAGE, Sheet};
use super::frame::search_field;
use super::person_acts::revoke;
use super::person_lists::sessions_of;
use super::{Acted, Desk, SESSIONS, Screen};
use crate::http::html::moment;
use crate::http::{Answer, Location, Response, Trouble};
use crate::service::SessionView;
use maud::{Markup, html};

pub(super) async fn show(desk: &Desk<'_>, answer: Option<&Answer>) -> Result<Response, Trouble> {
    let (fields, words) = (&desk.visit.fields, desk.words);
    let sought = fields.get("user").trim().to_lowercase();
    let mut sessions = sessions_of(desk, None).await?;
    sessions.retain(|session| session.username.contains(&sought));
    let sheet = Sheet::of(&sessions, fields, "page", A_PAGE);
    let list = list(desk);
    let body = html! {
        form .search role="search" method="get" action=(desk.page(SESSIONS).as_str()) {
            (search_field("user", desk.common.inputs.username, fields.get("user")))
            button { (words.search) }
        }
        @if sessions.is_empty() {
            p { (words.no_sessions) }
        } @else {
            (rows(desk, sheet.rows, sessions.len()))
            (sheet.links(desk.common, &list, words.live_sessions))
        }
    };
    Ok(desk.shown(Screen::Sessions, words.live_sessions, answer, &body))
}

/// The list, as it was searched.
fn list(desk: &Desk<'_>) -> Location {
    desk.page(SESSIONS).with("user", desk.visit.fields.get("user"))
}

fn rows(desk: &Desk<'_>, sessions: &[SessionView], found: usize) -> Markup {
    let words = desk.words;
    html! {
        table .list {
            caption { ((words.sessions_found)(found)) }
            thead {
                tr {
                    th scope="col" { (desk.common.inputs.username) }
                    th scope="col" { (words.device) }
                    th scope="col" { (words.address) }
                    th scope="col" { (words.last_seen) }
                    th scope="col" { (words.ends) }
                    th scope="col" { (words.actions) }
                }
            }
            tbody { @for session in sessions { (row(desk, session)) } }
        }
    }
}

fn row(desk: &Desk<'_>, session: &SessionView) -> Markup {
    let (fields, words) = (&desk.visit.fields, desk.words);
    let is_this = session.id == desk.live.session().id();
    let id = session.id.to_string();
    // Whoever ends one goes on where they were.
    let hidden =
        [("session", id.as_str()), ("user", fields.get("user")), ("page", fields.get("page"))];
    let to = desk.page(SESSIONS);
    html! {
        tr {
            th scope="row" { (desk.link_to(&session.username)) }
            td data-label=(words.device) {
                (device(desk.visit, &session.user_agent))
                @if is_this { " " strong { (words.this_session) } }
            }
            td data-label=(words.address) { (session.ip) }
            td data-label=(words.last_seen) { (moment(&session.last_seen_at)) }
            td data-label=(words.ends) { (moment(&session.expires_at)) }
            td { (desk.button(&to, &hidden, words.revoke, Some(&session.username))) }
        }
    }
}

pub(super) async fn act(desk: &Desk<'_>) -> Acted {
    revoke(desk, list(desk).with("page", desk.visit.fields.get("page"))).await
}
