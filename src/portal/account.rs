//! The account of whoever is signed in, and signing out.

use super::{Acted, Visit};
use crate::http::html::sentence;
use crate::http::{Answer, Response};
use crate::types::Timestamp;
use maud::{Markup, html};

const LOGOUT: &str = "/logout";

/// Who is signed in, and until when.
pub(super) async fn show(visit: &Visit<'_>) -> Response {
    let live = match visit.person().await {
        Ok((_, live)) => live,
        Err(response) => return response,
    };
    let groups = std::str::from_utf8(live.identity().groups.as_bytes()).unwrap_or_default();
    let body = html! {
        dl {
            dt { "Username" } dd { (live.username()) }
            dt { "Groups" } dd { @if groups.is_empty() { "None" } @else { (groups.replace(',', ", ")) } }
            dt { "Signed in since" } dd { (moment(live.session().created_at())) }
            dt { "Ends, at the latest" } dd { (moment(live.session().expires_at())) }
        }
        a .button href=(visit.link(LOGOUT).as_str()) { "Sign out" }
    };
    visit.page("Your account", &body)
}

/// A moment as people read it.
fn moment(at: Timestamp) -> Markup {
    let precise = at.rfc3339();
    let plain = precise.replace('T', " ").replace('Z', " UTC");
    html! { time datetime=(precise) { (plain) } }
}

/// Asks: a link that signs out would let any page do it.
pub(super) async fn show_logout(visit: &Visit<'_>, answer: Option<&Answer>) -> Response {
    match visit.service().person(visit.session().as_ref(), &visit.request.cx).await {
        Ok(Some(live)) => {
            let inputs = html! {
                p { "You are signed in as " strong { (live.username()) } "." }
                button autofocus { "Sign out" }
            };
            visit.form_page("Sign out?", answer, &visit.form(LOGOUT, &[], &inputs))
        }
        Ok(None) => signed_out(visit),
        Err(error) => visit.stopped(&error.into()),
    }
}

/// Signs out. Where the session could not be ended the cookie stays, so that nobody believes it
/// was, and trying again can end it.
pub(super) async fn act_logout(visit: &Visit<'_>) -> Acted {
    if let Some(session) = visit.session() {
        visit.service().sign_out(&session, &visit.request.cx).await?;
    }
    Ok(signed_out(visit))
}

fn signed_out(visit: &Visit<'_>) -> Response {
    let body = html! {
        (sentence("You are signed out, here and wherever this sign-in was used."))
        a .button href=(visit.link("/login").as_str()) { "Sign in again" }
    };
    let (cookies, host) = (visit.cookies(), &visit.request.host);
    visit
        .page("Signed out", &body)
        .with_cookie(cookies.clear_session(host))
        .with_cookie(cookies.clear_step())
}
