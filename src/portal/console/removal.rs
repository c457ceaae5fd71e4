//! Removing somebody, once more asked: it cannot be undone.

use super::person_acts::refused;
use super::person_lists::{sessions_of, tokens_of};
use super::{Acted, Desk, Screen, USERS};
use crate::http::{Answer, Response, Trouble};
use crate::service::AdminRequest;
use maud::html;

pub(super) async fn show(desk: &Desk<'_>, answer: Option<&Answer>) -> Result<Response, Trouble> {
    let (user, words) = (desk.person().await?, desk.words);
    let is_own = desk.is_own(&user);
    let (sessions, tokens) =
        (sessions_of(desk, Some(&user)).await?.len(), tokens_of(desk, &user).await?.len());
    let page = desk.page_of(user.username.as_str());
    let body = html! {
        @if is_own {
            // Said once, also where a form was sent all the same.
            @if answer.is_none() { p { (words.own_remove) } }
        } @else {
            p { (words.lost) }
            ul {
                li { (words.lost_account) }
                @if user.totp { li { (words.lost_factor) } }
                @if sessions > 0 { li { ((words.lost_sessions)(sessions)) } }
                @if tokens > 0 { li { ((words.lost_tokens)(tokens)) } }
            }
            p { (words.no_way_back) }
            div .danger {
                (desk.button(&page.clone().below("remove"), &[], words.remove_yes, None))
            }
        }
        p { a href=(page.as_str()) { (words.remove_no) } }
    };
    let title = (words.remove_title)(user.username.as_str());
    Ok(desk.shown(Screen::Removal, &title, answer, &body))
}

pub(super) async fn act(desk: &Desk<'_>) -> Acted {
    let user = desk.person().await?;
    if desk.is_own(&user) {
        return Err(refused(desk.words.own_remove).into());
    }
    let name = user.username.to_string();
    desk.have_done(AdminRequest::UserRemove { name }, desk.page(USERS), "removed").await
}
