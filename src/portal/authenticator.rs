//! The authenticator of whoever is signed in: enrolling one, replacing it, taking it away.

use super::enrol::{recovery_codes, secret};
use super::steps::{code_input, current_password, of_current, whose};
use super::{Acted, Visit};
use crate::http::html::{Input, sentence};
use crate::http::{Answer, Location, Response, Words};
use crate::service::{Denied, Enrolment, LiveSession};
use maud::{Markup, html};

const ENROL: &str = "/enroll";

/// What a form of this page is for.
const DO: &str = "do";
const REPLACE: &str = "replace";
const REMOVE: &str = "remove";
const CONFIRM: &str = "confirm";

/// A secret to enrol where one waits or there is none yet; else what can be done about the
/// authenticator that there is.
pub(super) async fn show(
    visit: &Visit<'_>,
    live: &LiveSession,
    answer: Option<&Answer>,
) -> Response {
    let (service, cx) = (visit.service(), &visit.request.cx);
    let waiting = match service.waiting_totp(live, cx).await {
        Ok(Some(waiting)) => Ok(waiting),
        Ok(None) => service.begin_totp(live, cx).await,
        Err(denied) => Err(denied),
    };
    match waiting {
        Ok(enrolment) => show_secret(visit, &enrolment, answer),
        Err(Denied::AlreadyEnabled) => match service.may_disable_totp(live).await {
            Ok(may_remove) => show_choices(visit, live, may_remove, answer),
            Err(denied) => visit.stopped(&denied),
        },
        Err(denied) => visit.stopped(&denied),
    }
}

fn show_secret(visit: &Visit<'_>, enrolment: &Enrolment, answer: Option<&Answer>) -> Response {
    let words = visit.words();
    let inputs = html! {
        (code_input(words, true).show(answer))
        button { (words.inputs.confirm) }
    };
    let body = html! {
        (secret(words, enrolment))
        (visit.form(ENROL, &[(DO, CONFIRM)], &inputs))
        p { a href=(visit.link("/account").as_str()) { (words.authenticator.not_now) } }
    };
    visit.form_page(words.enrol.title, answer, &body)
}

fn show_choices(
    visit: &Visit<'_>,
    live: &LiveSession,
    may_remove: bool,
    answer: Option<&Answer>,
) -> Response {
    let tried = visit.fields.get(DO);
    let about = |what: &str| answer.filter(|_| tried == what);
    let (common, words) = (visit.words(), &visit.words().authenticator);
    let code = Input { label: words.any_code, inputmode: None, ..code_input(common, false) };
    let replace = html! {
        (proof(common, "", live, about(REPLACE), tried != REMOVE, code))
        button { (words.replace) }
    };
    let body = html! {
        (sentence(words.text))
        (visit.form(ENROL, &[(DO, REPLACE)], &replace))
        @if may_remove {
            details open[tried == REMOVE] {
                summary { (words.remove_title) }
                (sentence(words.remove_text))
                (visit.form(ENROL, &[(DO, REMOVE)], &html! {
                    (proof(common, "removal-", live, about(REMOVE), false, code_input(common, false)))
                    button { (words.remove) }
                }))
            }
        }
        p { a href=(visit.link("/account").as_str()) { (words.back) } }
    };
    visit.form_page(words.title, answer, &body)
}

/// Password and code, to prove that it is still the person.
pub(super) fn both(
    words: &Words,
    live: &LiveSession,
    answer: Option<&Answer>,
    first: bool,
) -> Markup {
    proof(words, "", live, answer, first, code_input(words, false))
}

fn proof(
    words: &Words,
    within: &'static str,
    live: &LiveSession,
    answer: Option<&Answer>,
    first: bool,
    code: Input<'static>,
) -> Markup {
    html! {
        (whose(words, within, live.username()))
        (Input { within, ..current_password(words, first) }.show(answer))
        (Input { within, ..code }.show(answer))
    }
}

/// Does what a form of this page asks for.
pub(super) async fn act(visit: &Visit<'_>, live: &LiveSession) -> Acted {
    let (service, fields) = (visit.service(), &visit.fields);
    let (password, code) = (fields.get("current_password"), fields.get("code"));
    if code.is_empty() {
        return Err(Answer::missing_code().into());
    }
    match fields.get(DO) {
        REPLACE => {
            let replaced = service.replace_totp(live, password, code, visit.visitor()).await;
            replaced.map_err(of_current)?;
            Ok(visit.send_to(ENROL))
        }
        REMOVE => {
            let disabled = service.disable_totp(live, password, code, visit.visitor()).await;
            disabled.map_err(of_current)?;
            Ok(visit.send_to("/account"))
        }
        _ => {
            let codes = service.confirm_totp(live, code, visit.visitor()).await?;
            let to = Location::onward(visit.site(), visit.wish(), &visit.request.host);
            let words = visit.words();
            Ok(visit.page(words.recovery.shown_title, &recovery_codes(words, &codes, &to)))
        }
    }
}
