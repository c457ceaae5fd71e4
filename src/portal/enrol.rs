//! Enrolling an authenticator, and the recovery codes that come with it.

use super::onward::{at, onward, token};
use super::steps::code_input;
use super::{Acted, Visit, authenticator};
use crate::crypto::RecoveryCode;
use crate::domain::Next;
use crate::http::html::{Input, picture, sentence};
use crate::http::{Answer, Location, Response, qr_svg};
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
    let digits = Some(visit.service().settings().totp.digits);
    let code = Input { digits, ..code_input(true) };
    let inputs = html! { (code.show(answer)) button { "Confirm" } };
    let body = html! {
        (secret(&enrolment))
        (visit.form(ENROL, &[], &inputs))
    };
    visit.form_page("Enrol your authenticator", answer, &body)
}

pub(super) fn secret(enrolment: &Enrolment) -> Markup {
    let uri = enrolment.uri.reveal();
    html! {
        (sentence("From now on you sign in with your password and a code from an authenticator \
                   app. Scan this picture with the app, then type the code it shows."))
        @if let Some(svg) = qr_svg(uri) {
            (picture(within_page(&svg), "QR code for your authenticator app"))
        }
        p { "On this very device? " a href=(uri) { "Open it in your authenticator app" } }
        p { "Or type this key into the app:" br; code { (enrolment.secret.reveal()) } }
    }
}

/// Within a page, a picture has no XML declaration.
fn within_page(svg: &str) -> &str {
    svg.split_once("?>").map_or(svg, |(_, svg)| svg)
}

fn ask_for_link(visit: &Visit<'_>) -> Response {
    let body = html! {
        (sentence("Your second factor was taken away by an administrator. To enrol a new one you \
                   need the link that came with that: ask your administrator for it, and open it."))
        p { a href=(visit.link("/login").as_str()) { "Start over" } }
    };
    visit.page("A link is needed", &body)
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
        return Err(Answer::missing("code", "Type the code that your authenticator shows.").into());
    }
    let progress = visit.service().confirm_enrolment(&token(visit)?, code, visit.visitor()).await?;
    Ok(onward(visit, progress))
}

/// Recovery codes, the one time they are shown.
pub(super) fn recovery_codes(codes: &[RecoveryCode], to: &Location) -> Markup {
    let texts: Vec<Secret<String>> = codes.iter().map(|code| Secret::new(code.reveal())).collect();
    html! {
        (sentence("If you lose your authenticator, each of these codes lets you in once in its \
                   place. Keep them where only you find them. They are not shown again."))
        ol .codes { @for text in &texts { li { (text.reveal()) } } }
        div .actions hidden data-keeps=".codes li" data-file="recovery-codes.txt"
            data-copied="Copied." {
            button type="button" data-does="copy" { "Copy" }
            button type="button" data-does="save" { "Save as a file" }
            button type="button" data-does="print" { "Print" }
            span role="status" {}
        }
        a .button href=(to.as_str()) { "I have kept them" }
    }
}
