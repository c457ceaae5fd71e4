//! The account of whoever is signed in, and signing out.

use super::recovery::left;
use super::{Acted, Visit, console};
use crate::domain::{AccessToken, Session};
use crate::http::html::sentence;
use crate::http::{Answer, Response};
use crate::service::{Denied, LiveSession, TotpStatus};
use crate::types::{SessionId, Timestamp, TokenId};
use maud::{Markup, html};

const ACCOUNT: &str = "/account";
const LOGOUT: &str = "/logout";

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
            let body = html! {
                (person(&live))
                (factors(visit, &status))
                (places(visit, &live, &sessions))
                (programs(visit, &tokens))
                @if live.is_administrator() {
                    p { a href=(visit.link("/admin").as_str()) { (console::title(visit)) } }
                }
                a .button href=(visit.link(LOGOUT).as_str()) { "Sign out" }
            };
            visit.form_page("Your account", answer, &body)
        }
        (Err(denied), ..) | (_, Err(denied), _) | (.., Err(denied)) => visit.stopped(&denied),
    }
}

fn person(live: &LiveSession) -> Markup {
    let groups = std::str::from_utf8(live.identity().groups.as_bytes()).unwrap_or_default();
    html! {
        dl {
            dt { "Username" } dd { (live.username()) }
            dt { "Groups" } dd { @if groups.is_empty() { "None" } @else { (groups.replace(',', ", ")) } }
            dt { "Signed in since" } dd { (moment(live.session().created_at())) }
            dt { "Ends, at the latest" } dd { (moment(live.session().expires_at())) }
        }
    }
}

fn factors(visit: &Visit<'_>, status: &TotpStatus) -> Markup {
    html! {
        h2 { "How you sign in" }
        p { a href=(visit.link("/password").as_str()) { "Change your password" } }
        @match status.confirmed_at {
            Some(at) => p {
                "Authenticator enrolled on " (moment(at)) ". "
                a href=(visit.link("/enroll").as_str()) { "Replace or remove it" }
            },
            None => p {
                "No authenticator. "
                a href=(visit.link("/enroll").as_str()) { "Enrol one" }
            },
        }
        @if status.enabled {
            (left(status))
            p { a href=(visit.link("/recovery-codes").as_str()) { "Make new recovery codes" } }
        }
    }
}

fn places(visit: &Visit<'_>, live: &LiveSession, sessions: &[Session]) -> Markup {
    html! {
        h2 { "Where you are signed in" }
        @for session in sessions {
            @let is_this = session.id() == live.session().id();
            @let name = session.user_agent();
            dl {
                dt { @if name.is_empty() { "Unknown device" } @else { (name) } }
                dd {
                    "From " (session.client()) ", since " (moment(session.created_at()))
                    ", last used " (moment(session.last_seen_at())) ". "
                    @if is_this { strong { "This device." } }
                }
            }
            @if !is_this {
                (visit.form(ACCOUNT, &[("session", &session.id().to_string())], &html! {
                    button { "Sign out there" }
                }))
            }
        }
        (visit.form(ACCOUNT, &[EVERYWHERE], &html! { button { "Sign out everywhere" } }))
    }
}

fn programs(visit: &Visit<'_>, tokens: &[AccessToken]) -> Markup {
    html! {
        @if !tokens.is_empty() {
            h2 { "Programs that act in your name" }
            (sentence("Your administrator made these access tokens."))
            @for token in tokens {
                dl { dt { (token.name) } dd { "Since " (moment(token.created_at)) "." } }
                (visit.form(ACCOUNT, &[("token", &token.id.to_string())], &html! {
                    button { "Revoke " (token.name) }
                }))
            }
        }
    }
}

/// A moment as people read it.
fn moment(at: Timestamp) -> Markup {
    let precise = at.rfc3339();
    let plain = precise.replace('T', " ").replace('Z', " UTC");
    html! { time datetime=(precise) { (plain) } }
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
        return Ok(visit.send_to(ACCOUNT));
    }
    let id = SessionId::parse(visit.fields.get("session")).ok_or(Denied::NoSuchSession)?;
    service.end_own_session(&live, id, cx).await?;
    Ok(visit.send_to(ACCOUNT))
}

/// Asks: a link that signs out would let any page do it.
pub(super) async fn show_logout(visit: &Visit<'_>, answer: Option<&Answer>) -> Response {
    match visit.live().await {
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
        visit.service().sign_out(&session, &visit.request.host, &visit.request.cx).await?;
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
