//! Enrolling an authenticator, and the recovery codes that come with it.

use super::onward::{at, onward, token};
use super::steps::code_input;
use super::{Acted, Visit, authenticator};
use crate::crypto::RecoveryCode;
use crate::domain::Next;
use crate::http::html::{Input, picture, sentence};
use crate::http::{Answer, Location, Response, Words, qr_svg};
use crate::service::Enrolment;
use crate::types::Secret;
use maud::{Markup, html};

const ENROL: &str = "/enroll";

/// The picture to scan, the same as text, and a field for the first code. Shown again after a
/// wrong code, it is the same picture.
pub(super) async fn show(visit: &Visit<'_>, answer: Option<&Answer>) -> Response {
    let token = match at(visit, ENROL).await {
        Ok((_, Next::EnrolmentLink, _)) => return ask_for_link(visit),
        Ok((token, _, _)) => token,
        Err(elsewhere) => {
            return match visit.person().await {
                Ok((_, live)) => authenticator::show(visit, &live, answer).await,
                Err(_) => elsewhere,
            };
        }
    };
    let enrolment = match visit.service().enrolment(&token, false, &visit.request.cx).await {
        Ok(enrolment) => enrolment,
        Err(denied) => return visit.stopped(&denied),
    };
    let words = visit.words();
    let digits = Some(visit.service().settings().totp.digits);
    let code = Input { digits, ..code_input(words, true) };
    let inputs = html! { (code.show(answer)) button { (words.inputs.confirm) } };
    let body = html! {
        (secret(words, &enrolment))
        (visit.form(ENROL, &[], &inputs))
    };
    visit.form_page(words.enrol.title, answer, &body)
}

pub(super) fn secret(words: &Words, enrolment: &Enrolment) -> Markup {
    let (uri, words) = (enrolment.uri.reveal(), &words.enrol);
    html! {
        (sentence(words.text))
        @if let Some(svg) = qr_svg(uri) {
            (picture(within_page(&svg), words.picture))
        }
        p { (words.this_device) a href=(uri) { (words.open) } }
        p { (words.key) br; code { (enrolment.secret.reveal()) } }
    }
}

/// Within a page, a picture has no XML declaration.
fn within_page(svg: &str) -> &str {
    svg.split_once("?>").map_or(svg, |(_, svg)| svg)
}

fn ask_for_link(visit: &Visit<'_>) -> Response {
    let words = visit.words();
    let (title, text) = words.enrol.link_needed;
    let body = html! {
        (sentence(text))
        p { a href=(visit.link("/login").as_str()) { (words.inputs.start_over) } }
    };
    visit.page(title, &body)
}

/// Confirms with the first code.
pub(super) async fn act(visit: &Visit<'_>) -> Acted {
    if !visit.fields.get("do").is_empty() {
        let live = match visit.person().await {
            Ok((_, live)) => live,
            Err(response) => return Ok(response),
        };
        return authenticator::act(visit, &live).await;
    }
    let code = visit.fields.get("code");
    if code.is_empty() {
        return Err(Answer::missing_code().into());
    }
    let progress = visit.service().confirm_enrolment(&token(visit)?, code, visit.visitor()).await?;
    Ok(onward(visit, progress))
}

/// Recovery codes, the one time they are shown.
pub(super) fn recovery_codes(words: &Words, codes: &[RecoveryCode], to: &Location) -> Markup {
    let texts: Vec<Secret<String>> = codes.iter().map(|code| Secret::new(code.reveal())).collect();
    html! {
        (sentence(words.recovery.shown))
        ol .codes { @for text in &texts { li { (text.reveal()) } } }
        div .actions hidden data-keeps=".codes li" data-file={ (words.recovery.file) ".txt" }
            data-copied=(words.recovery.copied) data-refused=(words.recovery.not_copied) {
            button type="button" data-does="copy" { (words.recovery.copy) }
            button type="button" data-does="save" { (words.recovery.save) }
            button type="button" data-does="print" { (words.recovery.print) }
            span role="status" {}
        }
        a .button href=(to.as_str()) { (words.recovery.kept) }
    }
}
