//! Where a person is signed in, and what acts in their name.

use super::super::account::device;
use super::frame::listed;
use super::{Desk, SESSIONS, odd};
use crate::http::html::moment;
use crate::http::{Location, Trouble};
use crate::service::{AdminReply, AdminRequest, SessionView, TokenView, UserView};
use maud::{Markup, html};

/// So many sessions are on somebody's page; the others are in the list of all.
const SHOWN: usize = 20;

/// Somebody's sessions, the newest first.
pub(super) async fn sessions_of(
    desk: &Desk<'_>,
    user: Option<&UserView>,
) -> Result<Vec<SessionView>, Trouble> {
    let user = user.map(|user| user.username.to_string());
    match desk.ask(AdminRequest::SessionList { user }).await? {
        AdminReply::Sessions { mut sessions } => {
            sessions.sort_by(|one, other| other.created_at.cmp(&one.created_at));
            Ok(sessions)
        }
        _ => Err(odd()),
    }
}

/// Somebody's access tokens.
pub(super) async fn tokens_of(desk: &Desk<'_>, user: &UserView) -> Result<Vec<TokenView>, Trouble> {
    let user = Some(user.username.to_string());
    match desk.ask(AdminRequest::TokenList { user }).await? {
        AdminReply::Tokens { tokens } => Ok(tokens),
        _ => Err(odd()),
    }
}

pub(super) async fn sessions(
    desk: &Desk<'_>,
    user: &UserView,
    to: &Location,
) -> Result<Markup, Trouble> {
    let (words, sessions) = (desk.words, sessions_of(desk, Some(user)).await?);
    let is_this = |session: &SessionView| session.id == desk.live.session().id();
    let all = desk.page(SESSIONS).with("user", user.username.as_str());
    Ok(html! {
        h2 { (words.live_sessions) }
        @if sessions.is_empty() {
            p { (words.no_sessions) }
        } @else {
            table .list {
                caption { ((words.sessions_found)(sessions.len())) }
                thead {
                    tr {
                        th scope="col" { (words.device) }
                        th scope="col" { (words.address) }
                        th scope="col" { (words.since) }
                        th scope="col" { (words.last_seen) }
                        th scope="col" { (words.actions) }
                    }
                }
                tbody {
                    @for session in sessions.iter().take(SHOWN) {
                        tr {
                            th scope="row" {
                                (device(desk.visit, &session.user_agent))
                                @if is_this(session) { " " strong { (words.this_session) } }
                            }
                            td data-label=(words.address) { (session.ip) }
                            td data-label=(words.since) { (moment(&session.created_at)) }
                            td data-label=(words.last_seen) { (moment(&session.last_seen_at)) }
                            td {
                                (desk.button(to, &[
                                    ("do", "revoke"), ("session", &session.id.to_string()),
                                ], words.revoke, Some(&device(desk.visit, &session.user_agent))))
                            }
                        }
                    }
                }
            }
            @if sessions.len() > SHOWN {
                p { a href=(all.as_str()) { ((desk.common.frame.labelled)(words.live_sessions, &sessions.len().to_string())) } }
            }
            (desk.button(to, &[("do", "revoke-all")], words.revoke_all, None))
        }
    })
}

pub(super) async fn tokens(
    desk: &Desk<'_>,
    user: &UserView,
    to: &Location,
) -> Result<Markup, Trouble> {
    let (words, tokens) = (desk.words, tokens_of(desk, user).await?);
    Ok(html! {
        h2 { (words.tokens) }
        @if tokens.is_empty() {
            p { (words.no_tokens) }
        } @else {
            table .list {
                caption { (words.tokens) }
                thead {
                    tr {
                        th scope="col" { (words.token_name) }
                        th scope="col" { (words.created) }
                        th scope="col" { (words.expires) }
                        th scope="col" { (words.limits) }
                        th scope="col" { (words.actions) }
                    }
                }
                tbody {
                    @for token in &tokens {
                        tr {
                            th scope="row" { (token.name) }
                            td data-label=(words.created) { (moment(&token.created_at)) }
                            td data-label=(words.expires) {
                                @match &token.expires_at {
                                    Some(at) => (moment(at)),
                                    None => (words.never),
                                }
                            }
                            td data-label=(words.limits) { (limits(desk, token)) }
                            td {
                                (desk.button(to, &[
                                    ("do", "revoke-token"), ("token", &token.id.to_string()),
                                ], words.revoke_token, Some(token.name.as_str())))
                            }
                        }
                    }
                }
            }
        }
    })
}

/// What a token is good for only.
fn limits(desk: &Desk<'_>, token: &TokenView) -> String {
    let words = desk.words;
    let named = [
        (words.hosts, listed(&token.hosts)),
        (words.networks, listed(&token.networks)),
        (desk.common.account.groups, listed(&token.groups)),
    ];
    let mut all: Vec<String> = named
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| (desk.common.frame.labelled)(what, &names))
        .collect();
    all.extend(token.one_factor.then(|| words.one_factor.to_owned()));
    if all.is_empty() { words.anywhere.to_owned() } else { all.join("; ") }
}
