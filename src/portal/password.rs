//! Choosing another password: because one must before going on, or because one wants to.

use super::onward::{at, onward, token};
use super::steps::{current_password, new_password, typed_twice, whose};
use super::{Acted, Visit};
use crate::http::html::sentence;
use crate::http::{Answer, Response, Trouble};
use crate::service::{Denied, LiveSession};
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
                Ok((_, live)) => show_own(visit, &live, answer),
                Err(_) => elsewhere,
            };
        }
    };
    let inputs = html! {
        (sentence("Before you go on, choose a new password."))
        (whose(user.username.as_str()))
        (new_password(answer, true))
        button { "Change password" }
    };
    visit.form_page("Choose a new password", answer, &visit.form(PASSWORD, &[], &inputs))
}

fn show_own(visit: &Visit<'_>, live: &LiveSession, answer: Option<&Answer>) -> Response {
    let inputs = html! {
        (sentence("Wherever else you are signed in, you will have to sign in again."))
        (whose(live.username()))
        (current_password(true).show(answer))
        (new_password(answer, false))
        button { "Change password" }
    };
    visit.form_page("Change your password", answer, &visit.form(PASSWORD, &[OWN], &inputs))
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
    // In this form, it is the current one that can be wrong.
    changed.map_err(|denied| match denied {
        Denied::Credentials => {
            let text = "That is not your current password.";
            Answer { about: Some("current_password"), text: text.into(), ..visit.answer(&denied) }
                .into()
        }
        other => Trouble::from(other),
    })?;
    let body = html! {
        (sentence("Your password is changed. Everywhere but here you are signed out."))
        a .button href=(visit.link("/account").as_str()) { "Your account" }
    };
    Ok(visit.page("Password changed", &body))
}
