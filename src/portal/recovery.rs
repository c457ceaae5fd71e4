//! Recovery codes: shown once, counted, and made anew.

use super::authenticator::both;
use super::enrol::recovery_codes;
use super::steps::of_current;
use super::{Acted, Visit};
use crate::http::html::sentence;
use crate::http::{Answer, Location, Response, Words};
use crate::service::{LiveSession, TotpStatus};
use http::Method;
use maud::{Markup, html};

const RECOVERY_CODES: &str = "/recovery-codes";

/// So few are the last ones.
const FEW: usize = 3;

/// The codes that wait to be shown, the one time; else how many are left, and a form for new
/// ones. HEAD sees no codes and leaves them.
pub(super) async fn show(visit: &Visit<'_>, answer: Option<&Answer>) -> Response {
    let (token, live) = match visit.person().await {
        Ok(person) => person,
        Err(response) => return response,
    };
    let to = Location::onward(visit.site(), visit.wish(), &visit.request.host);
    let codes = if visit.request.method == Method::GET && answer.is_none() {
        visit.service().take_recovery_codes(&token, &visit.request.cx).await
    } else {
        Ok(Vec::new())
    };
    let words = visit.words();
    match codes {
        Ok(codes) if codes.is_empty() => show_left(visit, &live, &to, answer).await,
        Ok(codes) => visit.page(words.recovery.shown_title, &recovery_codes(words, &codes, &to)),
        Err(denied) => visit.stopped(&denied),
    }
}

async fn show_left(
    visit: &Visit<'_>,
    live: &LiveSession,
    to: &Location,
    answer: Option<&Answer>,
) -> Response {
    let status = match visit.service().totp_status(live).await {
        Ok(status) => status,
        Err(denied) => return visit.stopped(&denied),
    };
    let words = visit.words();
    let inputs = html! {
        (both(words, live, answer, false))
        button { (words.recovery.renew_button) }
    };
    let body = html! {
        (left(words, &status))
        a .button href=(to.as_str()) { (words.inputs.go_on) }
        @if status.enabled {
            details open[answer.is_some()] {
                summary { (words.recovery.renew) }
                (sentence(words.recovery.renew_text))
                (visit.form(RECOVERY_CODES, &[], &inputs))
            }
        }
    };
    visit.form_page(words.recovery.title, answer, &body)
}

/// How many codes are left, and a word where they are the last.
pub(super) fn left(words: &Words, status: &TotpStatus) -> Markup {
    let words = &words.recovery;
    html! {
        @match status.recovery_codes_remaining {
            _ if !status.enabled => p { (words.none) },
            0 => p .notice role="status" { (words.last_used) },
            few if few <= FEW => p .notice role="status" { ((words.few)(few)) },
            many => p { ((words.many)(many)) },
        }
    }
}

/// Whether somebody who has just used one should be told how many are left.
pub(super) const fn are_few(left: usize) -> bool {
    left <= FEW
}

/// Makes new ones.
pub(super) async fn act(visit: &Visit<'_>) -> Acted {
    let live = match visit.person().await {
        Ok((_, live)) => live,
        Err(response) => return Ok(response),
    };
    let (password, code) = (visit.fields.get("current_password"), visit.fields.get("code"));
    let visitor = visit.visitor();
    let codes = visit.service().regenerate_recovery_codes(&live, password, code, visitor).await;
    let codes = codes.map_err(of_current)?;
    let to = Location::onward(visit.site(), visit.wish(), &visit.request.host);
    let words = visit.words();
    Ok(visit.page(words.recovery.new_title, &recovery_codes(words, &codes, &to)))
}
