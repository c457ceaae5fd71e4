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
            let known = done.browser.as_ref();
            let known = known
                .map(|(browser, lasts)| cookies.set_known_browser(browser, *lasts, &request.host));
            let session = cookies.set_session(&done.token, keep, &request.host);
            [session, cookies.clear_step()].into_iter().chain(known).collect()
        }
    }
}
