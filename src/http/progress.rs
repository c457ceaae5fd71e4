//! The one place where cookies follow from a sign-in, for pages and calls alike.

use super::{Cookies, Request};
use crate::service::Progress;
use http::HeaderValue;

/// The cookies that follow from a step of a sign-in.
pub fn cookies_after(
    cookies: &Cookies,
    progress: &Progress,
    request: &Request,
) -> Vec<HeaderValue> {
    let now = request.cx.now;
    match progress {
        Progress::Waits(underway) => {
            vec![cookies.set_step(&underway.token, underway.expires_at.since(now))]
        }
        Progress::SignedIn(done) => {
            let keep = done.remember.then(|| done.session.expires_at().since(now));
            let (browser, lasts) = &done.browser;
            vec![
                cookies.set_session(&done.token, keep, &request.host),
                cookies.set_known_browser(browser, *lasts),
                cookies.clear_step(),
            ]
        }
    }
}
