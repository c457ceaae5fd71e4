//! Where a step leads.

use super::Visit;
use super::recovery::are_few;
use crate::domain::{Next, User};
use crate::http::html::onward_page;
use crate::http::{Location, Response, cookies_after};
use crate::service::{Denied, Progress, Renewed};
use crate::types::Bearer;
use http::Method;

/// The page of a step.
pub(super) const fn page_of(next: Next) -> &'static str {
    match next {
        Next::SecondFactor => "/login/second-factor",
        Next::NewPassword => "/password",
        // Whoever needs a link to enrol is told so where they would have enrolled.
        Next::Enrolment | Next::EnrolmentLink => "/enroll",
    }
}

/// Goes where a step led.
pub(super) fn onward(visit: &Visit<'_>, progress: Progress) -> Response {
    let cookies = cookies_after(visit.cookies(), &progress, visit.request);
    let response = match progress {
        Progress::Waits(underway) => visit.send_to(page_of(underway.next)),
        Progress::SignedIn(done) => {
            let wish = done.return_to.as_deref();
            let are_last = done.recovery_codes_left.is_some_and(are_few);
            if done.shows_recovery_codes || are_last {
                let codes = Location::page(visit.site(), "/recovery-codes");
                let codes = codes.with("rd", wish.unwrap_or_default());
                Response::see_other(visit.site(), &codes)
            } else {
                leave(visit, wish)
            }
        }
    };
    response.with_cookies(cookies)
}

/// Goes where somebody wanted to go who has shown the second factor once more.
pub(super) fn went_on(visit: &Visit<'_>, renewed: &Renewed) -> Response {
    let (session, request) = (&renewed.session, visit.request);
    let keep = session.is_remembered().then(|| session.expires_at().since(request.cx.now));
    let cookie = visit.cookies().set_session(&renewed.token, keep, &request.host);
    let response = if renewed.recovery_codes_left.is_some_and(are_few) {
        visit.send_to("/recovery-codes")
    } else {
        leave(visit, visit.wish())
    };
    response.with_cookie(cookie)
}

/// Leaves our pages for where somebody wanted to go, or else for their account.
pub(super) fn leave(visit: &Visit<'_>, wish: Option<&str>) -> Response {
    let (site, request) = (visit.site(), visit.request);
    let to = Location::onward(site, wish, &request.host);
    // After a form, `form-action 'self'` holds for redirects too, in Chrome and Safari.
    if request.method == Method::POST && to.leaves(site, &request.authority) {
        return onward_page(site, visit.language(), &to);
    }
    Response::see_other(site, &to)
}

/// Whose sign-in is at this page, and under which token; or the response that leads to where it
/// is.
pub(super) async fn at(
    visit: &Visit<'_>,
    page: &'static str,
) -> Result<(Bearer, Next, User), Response> {
    let request = visit.request;
    let Some(token) = visit.cookies().step_token(&request.headers) else {
        // A form that comes too late comes without the cookie, and deserves a word.
        let sent = request.method == Method::POST;
        return Err(if sent { visit.begin_anew() } else { visit.send_to("/login") });
    };
    match visit.service().pending(&token, &request.cx).await {
        Ok((next, user)) if page_of(next) == page => Ok((token, next, user)),
        Ok((next, _)) => Err(visit.send_to(page_of(next))),
        Err(denied) => Err(visit.stopped(&denied)),
    }
}

/// The token of the sign-in under way, for a form that goes on with it.
pub(super) fn token(visit: &Visit<'_>) -> Result<Bearer, Denied> {
    visit.cookies().step_token(&visit.request.headers).ok_or(Denied::Expired)
}
