//! Choosing another password: because one must before going on, or because one wants to.

use super::onward::{at, onward, token};
use super::steps::{current_password, new_password, of_current, typed_twice, whose};
use super::{Acted, Visit};
use crate::http::html::sentence;
use crate::http::{Answer, Response};
use crate::service::LiveSession;
use maud::html;

const PASSWORD: &str = "/password";

/// Marks the form of whoever is signed in already.
const OWN: (&str, &str) = ("of", "account");

/// The form: for a sign-in that waits for it, or else for whoever is signed in.
pub(super) async fn show(visit: &Visit<'_>, answer: Option<&Answer>) -> Response {
    let user = match at(visit, PASSWORD).await {
        Ok((_, _, user)) => user,
        Err(elsewhere) => {
            return match visit.person().await {
                Ok((_, live)) => show_own(visit, &live, answer).await,
                Err(_) => elsewhere,
            };
        }
    };
    let words = visit.words();
    let inputs = html! {
        (sentence(words.password.text))
        (whose(words, "", user.username.as_str()))
        (new_password(visit, answer, true).await)
        button { (words.password.button) }
    };
    visit.new_password_page(words.password.title, answer, &visit.form(PASSWORD, &[], &inputs))
}

async fn show_own(visit: &Visit<'_>, live: &LiveSession, answer: Option<&Answer>) -> Response {
    let words = visit.words();
    let inputs = html! {
        (sentence(words.password.own_text))
        (whose(words, "", live.username()))
        (current_password(words, true).show(answer))
        (new_password(visit, answer, false).await)
        button { (words.password.button) }
    };
    visit.new_password_page(
        words.password.own_title,
        answer,
        &visit.form(PASSWORD, &[OWN], &inputs),
    )
}

/// Changes it.
pub(super) async fn act(visit: &Visit<'_>) -> Acted {
    let password = typed_twice(visit)?;
    if visit.fields.get(OWN.0) != OWN.1 {
        let progress =
            visit.service().new_password(&token(visit)?, password, visit.visitor()).await?;
        return Ok(onward(visit, progress));
    }
    let live = match visit.person().await {
        Ok((_, live)) => live,
        Err(response) => return Ok(response),
    };
    let current = visit.fields.get("current_password");
    let changed = visit.service().change_password(&live, current, password, visit.visitor()).await;
    changed.map_err(of_current)?;
    let words = visit.words();
    let body = html! {
        (sentence(words.password.done))
        a .button href=(visit.link("/account").as_str()) { (words.inputs.your_account) }
    };
    Ok(visit.page(words.password.done_title, &body))
}
