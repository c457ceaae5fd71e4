//! The account of whoever is signed in, and signing out.

use super::listing::Sheet;
use super::recovery::left;
use super::{Acted, Visit, console};
use crate::domain::{AccessToken, Session};
use crate::http::html::{moment, sentence};
use crate::http::{Answer, Device, Location, Response, Words};
use crate::service::{Denied, LiveSession, TotpStatus};
use crate::types::{SessionId, TokenId};
use maud::{Markup, html};

const ACCOUNT: &str = "/account";
const LOGOUT: &str = "/logout";

/// So many sessions, and as many tokens, are on a page.
const A_PAGE: usize = 10;

/// The fields of the query that say which.
const PLACES: &str = "places";
const PROGRAMS: &str = "programs";

/// Marks the form that ends all sessions.
const EVERYWHERE: (&str, &str) = ("everywhere", "yes");

/// Who is signed in, by what, and where.
pub(super) async fn show(visit: &Visit<'_>, answer: Option<&Answer>) -> Response {
    let live = match visit.person().await {
        Ok((_, live)) => live,
        Err(response) => return response,
    };
    let (service, cx) = (visit.service(), &visit.request.cx);
    let status = service.totp_status(&live).await;
    let (sessions, tokens) =
        (service.own_sessions(&live, cx).await, service.own_tokens(&live, cx).await);
    match (status, sessions, tokens) {
        (Ok(status), Ok(sessions), Ok(tokens)) => {
            let words = visit.words();
            let body = html! {
                (person(words, &live))
                (factors(visit, &status))
                (places(visit, &live, &sessions))
                (programs(visit, &tokens))
                @if live.is_administrator() {
                    p { a href=(visit.link("/admin").as_str()) { (console::title(visit)) } }
                }
                a .button href=(visit.link(LOGOUT).as_str()) { (words.account.sign_out) }
            };
            visit.form_page(words.inputs.your_account, answer, &body)
        }
        (Err(denied), ..) | (_, Err(denied), _) | (.., Err(denied)) => visit.stopped(&denied),
    }
}

fn person(words: &Words, live: &LiveSession) -> Markup {
    let groups = std::str::from_utf8(live.identity().groups.as_bytes()).unwrap_or_default();
    let (username, words) = (words.inputs.username, &words.account);
    html! {
        dl {
            dt { (username) } dd { (live.username()) }
            dt { (words.groups) }
            dd {
                @if groups.is_empty() { (words.no_groups) } @else { (groups.replace(',', ", ")) }
            }
            dt { (words.since) } dd { (moment(&live.session().created_at().rfc3339())) }
            dt { (words.ends) } dd { (moment(&live.session().expires_at().rfc3339())) }
        }
    }
}

fn factors(visit: &Visit<'_>, status: &TotpStatus) -> Markup {
    let words = &visit.words().account;
    let [enrolled_on, end] = words.enrolled;
    html! {
        h2 { (words.how) }
        p { a href=(visit.link("/password").as_str()) { (words.change_password) } }
        @match status.confirmed_at {
            Some(at) => p {
                (enrolled_on) (moment(&at.rfc3339())) (end)
                a href=(visit.link("/enroll").as_str()) { (words.replace) }
            },
            None => p {
                (words.no_authenticator)
                a href=(visit.link("/enroll").as_str()) { (words.enrol) }
            },
        }
        @if status.enabled {
            (left(visit.words(), status))
            p { a href=(visit.link("/recovery-codes").as_str()) { (visit.words().recovery.renew) } }
        }
    }
}

fn places(visit: &Visit<'_>, live: &LiveSession, sessions: &[Session]) -> Markup {
    let words = &visit.words().account;
    let [from, since, used, end] = words.place;
    let sheet = Sheet::of(sessions, &visit.fields, PLACES, A_PAGE);
    html! {
        h2 id=(PLACES) { (words.places) }
        @for session in sheet.rows {
            @let is_this = session.id() == live.session().id();
            div .place {
                h3 title=(session.user_agent()) { (device(visit, session.user_agent())) }
                p {
                    (from) (session.client()) (since) (moment(&session.created_at().rfc3339()))
                    (used) (moment(&session.last_seen_at().rfc3339())) (end)
                    @if is_this { strong { (words.this_device) } }
                }
                @if !is_this {
                    div .actions {
                        (visit.form(ACCOUNT, &with_pages(visit, ("session", &session.id().to_string())), &html! {
                            button { (words.end_there) }
                        }))
                    }
                }
            }
        }
        (sheet.links(visit.words(), &here(visit, PLACES), words.places))
        div .actions {
            (visit.form(ACCOUNT, &[EVERYWHERE], &html! { button { (words.end_everywhere) } }))
        }
    }
}

fn programs(visit: &Visit<'_>, tokens: &[AccessToken]) -> Markup {
    let words = &visit.words().account;
    let [since, end] = words.program_since;
    let sheet = Sheet::of(tokens, &visit.fields, PROGRAMS, A_PAGE);
    html! {
        @if !tokens.is_empty() {
            h2 id=(PROGRAMS) { (words.programs) }
            (sentence(words.programs_text))
            @for token in sheet.rows {
                div .place {
                    h3 { (token.name) }
                    p { (since) (moment(&token.created_at.rfc3339())) (end) }
                    div .actions {
                        (visit.form(ACCOUNT, &with_pages(visit, ("token", &token.id.to_string())), &html! {
                            button { ((words.revoke)(token.name.as_str())) }
                        }))
                    }
                }
            }
            (sheet.links(visit.words(), &here(visit, PROGRAMS), words.programs))
        }
    }
}

/// This page, with the part of the one list that is shown while that of the other is chosen.
fn here(visit: &Visit<'_>, chosen: &str) -> Location {
    let other = if chosen == PLACES { PROGRAMS } else { PLACES };
    visit.link(ACCOUNT).with(other, visit.fields.get(other))
}

/// What a form of this page carries, so that whoever sends it goes on where they were.
fn with_pages<'a>(
    visit: &'a Visit<'_>,
    what: (&'static str, &'a str),
) -> [(&'static str, &'a str); 3] {
    [what, (PLACES, visit.fields.get(PLACES)), (PROGRAMS, visit.fields.get(PROGRAMS))]
}

/// Where somebody was on this page.
fn back(visit: &Visit<'_>) -> Response {
    let here = here(visit, PLACES).with(PLACES, visit.fields.get(PLACES));
    Response::see_other(visit.site(), &here)
}

/// A device, as its owner would call it.
pub(super) fn device(visit: &Visit<'_>, user_agent: &str) -> String {
    let words = &visit.words().account;
    match Device::of(user_agent) {
        Device { browser: Some(browser), system: Some(system) } => (words.device)(browser, system),
        Device { browser: Some(name), .. } | Device { system: Some(name), .. } => name.to_owned(),
        Device { browser: None, system: None } => words.unknown_device.to_owned(),
    }
}

/// Ends a session elsewhere, or all of them.
pub(super) async fn act(visit: &Visit<'_>) -> Acted {
    let live = match visit.person().await {
        Ok((_, live)) => live,
        Err(response) => return Ok(response),
    };
    let (service, cx) = (visit.service(), &visit.request.cx);
    if visit.fields.get(EVERYWHERE.0) == EVERYWHERE.1 {
        service.sign_out_everywhere(&live, cx).await?;
        return Ok(signed_out(visit));
    }
    if let Some(id) = TokenId::parse(visit.fields.get("token")) {
        service.end_own_token(&live, id, cx).await?;
        return Ok(back(visit));
    }
    let id = SessionId::parse(visit.fields.get("session")).ok_or(Denied::NoSuchSession)?;
    service.end_own_session(&live, id, cx).await?;
    Ok(back(visit))
}

/// Asks: a link that signs out would let any page do it.
pub(super) async fn show_logout(visit: &Visit<'_>, answer: Option<&Answer>) -> Response {
    match visit.live().await {
        Ok(Some(live)) => {
            let words = &visit.words().logout;
            let [you_are, end] = words.signed_in_as;
            let inputs = html! {
                p { (you_are) strong { (live.username()) } (end) }
                button autofocus { (words.button) }
            };
            visit.form_page(words.title, answer, &visit.form(LOGOUT, &[], &inputs))
        }
        Ok(None) => signed_out(visit),
        Err(error) => visit.stopped(&error.into()),
    }
}

/// Signs out. Where the session could not be ended the cookie stays, so that nobody believes it
/// was, and trying again can end it.
pub(super) async fn act_logout(visit: &Visit<'_>) -> Acted {
    if let Some(session) = visit.session() {
        visit.service().sign_out(&session, &visit.request.host, &visit.request.cx).await?;
    }
    Ok(signed_out(visit))
}

fn signed_out(visit: &Visit<'_>) -> Response {
    let words = &visit.words().logout;
    let body = html! {
        (sentence(words.done))
        a .button href=(visit.link("/login").as_str()) { (words.sign_in) }
    };
    let (cookies, host) = (visit.cookies(), &visit.request.host);
    visit
        .page(words.done_title, &body)
        .with_cookie(cookies.clear_session(host))
        .with_cookie(cookies.clear_step())
}
