//! The second factor, and the inputs that several steps share.

use super::onward::{at, onward, went_on};
use super::{Acted, Visit};
use crate::http::html::{Input, sentence};
use crate::http::{Answer, Response};
use http::StatusCode;
use maud::{Markup, html};

const SECOND_FACTOR: &str = "/login/second-factor";

/// A code from the authenticator or, for whoever lost it, a recovery code.
pub(super) async fn show_second_factor(visit: &Visit<'_>, answer: Option<&Answer>) -> Response {
    let (again, digits) = match at(visit, SECOND_FACTOR).await {
        Ok((_, _, user)) => (false, user.totp.map(|totp| totp.secret.params().digits)),
        Err(elsewhere) => match visit.person().await {
            Ok(_) => (true, None),
            Err(_) => return elsewhere,
        },
    };
    let why = visit.why();
    let status = answer.map_or(StatusCode::OK, |answer| answer.status);
    let answer = answer.or(why.as_ref());
    let recovering = !visit.fields.get("recovery_code").is_empty();
    let code = Input { digits, ..code_input(!recovering) };
    let code = html! { (code.show(answer.filter(|_| !recovering))) button { "Go on" } };
    let recovery = Input {
        name: "recovery_code",
        label: "Recovery code",
        autocomplete: "off",
        hint: Some("One of the ten you kept when you enrolled. Each works once."),
        first: recovering,
        ..Input::default()
    };
    let about_recovery = answer
        .filter(|_| recovering)
        .map(|answer| Answer { about: Some("recovery_code"), ..answer.clone() });
    let recovery = html! { (recovery.show(about_recovery.as_ref())) button { "Use this code" } };
    let body = html! {
        @if again {
            (sentence("What you ask for needs a second factor that was shown a short while ago."))
        }
        (visit.form(SECOND_FACTOR, &[], &code))
        details open[recovering] {
            summary { "I cannot use my authenticator" }
            (visit.form(SECOND_FACTOR, &[], &recovery))
        }
        @if !again { p { a href=(visit.link("/login").as_str()) { "Start over" } } }
    };
    visit.form_page_as(status, "Second factor", answer, &body)
}

/// The input for a code, which phones know how to fill in.
pub(super) fn code_input(first: bool) -> Input<'static> {
    Input {
        name: "code",
        label: "Code from your authenticator",
        autocomplete: "one-time-code",
        inputmode: Some("numeric"),
        first,
        ..Input::default()
    }
}

/// Shows the second factor.
pub(super) async fn act_second_factor(visit: &Visit<'_>) -> Acted {
    let (code, recovery) = (visit.fields.get("code"), visit.fields.get("recovery_code"));
    let code = if code.is_empty() { recovery } else { code };
    if code.is_empty() {
        return Err(Answer::missing("code", "Type the code that your authenticator shows.").into());
    }
    let token = match at(visit, SECOND_FACTOR).await {
        Ok((token, _, _)) => token,
        Err(elsewhere) => {
            let Ok((_, live)) = visit.person().await else { return Ok(elsewhere) };
            let renewed = visit.service().show_again(&live, code, visit.visitor()).await?;
            return Ok(went_on(visit, &renewed));
        }
    };
    let progress = visit.service().second_factor(&token, code, visit.visitor()).await?;
    Ok(onward(visit, progress))
}

/// Whose password it is: password managers keep the two together.
pub(super) fn whose(username: &str) -> Markup {
    let input = Input {
        name: "username",
        label: "Username",
        autocomplete: "username",
        value: Some(username),
        readonly: true,
        ..Input::default()
    };
    input.show(None)
}

/// The password that somebody has.
pub(super) fn current_password(first: bool) -> Input<'static> {
    Input {
        name: "current_password",
        label: "Current password",
        kind: Some("password"),
        autocomplete: "current-password",
        first,
        ..Input::default()
    }
}

/// A new password, twice.
pub(super) fn new_password(answer: Option<&Answer>, first: bool) -> Markup {
    let once = Input {
        name: "password",
        label: "New password",
        kind: Some("password"),
        autocomplete: "new-password",
        first,
        ..Input::default()
    };
    let again = Input { name: "password_again", label: "The same again", first: false, ..once };
    html! { (once.show(answer)) (again.show(answer)) }
}

/// The new password, if both are the same.
pub(super) fn typed_twice<'v>(visit: &'v Visit<'_>) -> Result<&'v str, Answer> {
    let password = visit.fields.get("password");
    if password == visit.fields.get("password_again") {
        Ok(password)
    } else {
        Err(Answer::mismatch())
    }
}
