//! The second factor, and the inputs that several steps share.

use super::onward::{at, onward, went_on};
use super::{Acted, Visit, strength};
use crate::http::html::{Input, sentence};
use crate::http::{Answer, Response, Trouble, Words};
use crate::service::Denied;
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
    let words = visit.words();
    let why = visit.why();
    let status = answer.map_or(StatusCode::OK, |answer| answer.status);
    let answer = answer.or(why.as_ref());
    let recovering = !visit.fields.get("recovery_code").is_empty();
    let code = Input { digits, ..code_input(words, !recovering) };
    let about_code = answer.filter(|_| !recovering);
    let code = html! { (code.show(about_code)) button { (words.inputs.go_on) } };
    let recovery = Input {
        name: "recovery_code",
        label: words.second_factor.recovery_code,
        autocomplete: "off",
        hint: Some(words.second_factor.recovery_hint),
        first: recovering,
        ..Input::default()
    };
    let about_recovery = answer
        .filter(|_| recovering)
        .map(|answer| Answer { about: Some("recovery_code"), ..answer.clone() });
    let recovery = html! {
        (recovery.show(about_recovery.as_ref()))
        button { (words.second_factor.use_code) }
    };
    let body = html! {
        @if again {
            (sentence(words.second_factor.again))
        }
        (visit.form(SECOND_FACTOR, &[], &code))
        details open[recovering] {
            summary { (words.second_factor.without) }
            (visit.form(SECOND_FACTOR, &[], &recovery))
        }
        @if !again { p { a href=(visit.link("/login").as_str()) { (words.inputs.start_over) } } }
    };
    visit.form_page_as(status, words.second_factor.title, answer, &body)
}

/// The input for a code, which phones know how to fill in.
pub(super) fn code_input(words: &Words, first: bool) -> Input<'static> {
    Input {
        name: "code",
        label: words.inputs.code,
        announces: words.inputs.announces,
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
        return Err(Answer::missing_code().into());
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
pub(super) fn whose(words: &Words, within: &'static str, username: &str) -> Markup {
    let input = Input {
        name: "username",
        within,
        label: words.inputs.username,
        autocomplete: "username",
        value: Some(username),
        readonly: true,
        ..Input::default()
    };
    input.show(None)
}

/// The password that somebody has.
pub(super) fn current_password(words: &Words, first: bool) -> Input<'static> {
    Input {
        name: "current_password",
        label: words.inputs.current_password,
        kind: Some("password"),
        reveal: words.inputs.reveal,
        autocomplete: "current-password",
        first,
        ..Input::default()
    }
}

/// Where a form asks for the current password, it is that which can be wrong.
pub(super) fn of_current(denied: Denied) -> Trouble {
    match denied {
        Denied::Credentials => Answer::not_current_password().into(),
        other => other.into(),
    }
}

/// A new password, twice, and how hard it is to guess.
pub(super) async fn new_password(
    visit: &Visit<'_>,
    answer: Option<&Answer>,
    first: bool,
) -> Markup {
    let words = visit.words();
    let once = Input {
        name: "password",
        label: words.inputs.new_password,
        kind: Some("password"),
        reveal: words.inputs.reveal,
        autocomplete: "new-password",
        first,
        ..Input::default()
    };
    let again =
        Input { name: "password_again", label: words.inputs.password_again, first: false, ..once };
    html! { (once.show(answer)) (strength::shown(visit, answer).await) (again.show(answer)) }
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
