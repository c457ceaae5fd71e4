//! Telling people from programs, and asking both to sign in.

use super::{Location, Response, Site, problem, shows_token};
use http::header::{ACCEPT, HOST, REFERER, UPGRADE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

/// Whether a person goes to a page, as opposed to a script, a program or a part of a page asking
/// for something. Browsers say so; where nothing is said, it is guessed from what is accepted.
pub fn is_page_navigation(method: &Method, headers: &HeaderMap) -> bool {
    if headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate") {
        return true;
    }
    let asks = matches!(*method, Method::GET | Method::HEAD);
    let by_script = headers.contains_key("x-requested-with") || headers.contains_key(UPGRADE);
    // The dearest question last: it looks at every name.
    asks && !by_script
        && accepts_html(headers)
        && !headers.keys().any(|name| name.as_str().starts_with("sec-fetch-"))
}

fn accepts_html(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).iter().any(|accept| {
        accept.as_bytes().split(|c| *c == b',').any(|range| {
            let kind = range.split(|c| *c == b';').next().unwrap_or_default();
            kind.trim_ascii().eq_ignore_ascii_case(b"text/html")
        })
    })
}

/// What somebody has to do before a request of theirs may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// Sign in.
    SignIn,
    /// Show the second factor once more.
    ShowFactor,
}

impl Challenge {
    /// The page to do it on: what follows the prefix.
    pub const fn page(self) -> &'static str {
        self.words().0
    }

    /// The page for it, a stable word, and a sentence for programs.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::SignIn => ("/login", "unauthenticated", "Sign in to go on."),
            Self::ShowFactor => (
                "/login/second-factor",
                "second_factor_required",
                "Show the second factor once more to go on.",
            ),
        }
    }
}

/// Asks whoever sent this to do something first: a person by sending them to the form, which is
/// on this very host, a program by a plain 401.
pub fn challenge(
    site: &Site,
    first: Challenge,
    method: &Method,
    headers: &HeaderMap,
    path_and_query: &str,
) -> Response {
    if shows_token(headers) || !is_page_navigation(method, headers) {
        let response = unauthorised(site, first, headers);
        return if *method == Method::HEAD { response.without_body() } else { response };
    }
    // 302 for what was asked for; 303 where something was sent, which is not sent again. Whoever
    // sent it is told, and goes back to where they filled it in.
    if matches!(*method, Method::GET | Method::HEAD) {
        let to = Location::page(site, first.page()).with("rd", path_and_query);
        return Response::redirect(site, StatusCode::FOUND, &to);
    }
    let here = headers.get(HOST).map(HeaderValue::as_bytes);
    let back = here.and_then(|here| referring_page(headers, here));
    let back = back.unwrap_or(path_and_query);
    let to = Location::page(site, first.page()).with("rd", back).with("why", "unsent");
    Response::redirect(site, StatusCode::SEE_OTHER, &to)
}

/// Says that a token is not good, to whoever showed one. Nobody else is told how to authorise: on
/// `WWW-Authenticate` a browser would open a window of its own.
pub fn say_token_is_bad(response: &mut Response, headers: &HeaderMap) {
    if shows_token(headers) {
        let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
        response.headers.insert(WWW_AUTHENTICATE, challenge);
    }
}

/// Asks without sending anywhere.
pub fn unauthorised(site: &Site, first: Challenge, headers: &HeaderMap) -> Response {
    let (_, code, title) = first.words();
    let mut response = problem(site, StatusCode::UNAUTHORIZED, code, title);
    say_token_is_bad(&mut response, headers);
    response
}

/// The page of this very host that a form was sent from, as a path.
pub fn referring_page<'h>(headers: &'h HeaderMap, here: &[u8]) -> Option<&'h str> {
    let (_, rest) = headers.get(REFERER)?.to_str().ok()?.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find('/')?);
    (authority.as_bytes() == here).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::super::site::tests::site;
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        fields.iter().map(pair).collect()
    }

    fn navigates(method: Method, fields: &[(&'static str, &'static str)]) -> bool {
        is_page_navigation(&method, &headers(fields))
    }

    #[test]
    fn a_browser_that_says_it_navigates_is_believed() {
        let says = [("sec-fetch-mode", "navigate")];
        assert!(navigates(Method::GET, &says) && navigates(Method::POST, &says));
        let html = ("accept", "text/html");
        assert!(!navigates(Method::GET, &[("sec-fetch-mode", "cors"), html]));
        assert!(!navigates(Method::GET, &[("sec-fetch-dest", "empty"), html]));
    }

    #[test]
    fn who_says_nothing_navigates_if_a_page_would_be_accepted() {
        let html = ("accept", "application/xml, Text/HTML;q=0.9,*/*");
        assert!(navigates(Method::GET, &[html]) && navigates(Method::HEAD, &[html]));
        assert!(!navigates(Method::POST, &[html]));
        assert!(!navigates(Method::GET, &[]));
        assert!(!navigates(Method::GET, &[("accept", "*/*")]));
        assert!(!navigates(Method::GET, &[("accept", "text/html-x, application/json")]));
        assert!(!navigates(Method::GET, &[html, ("x-requested-with", "XMLHttpRequest")]));
        assert!(!navigates(Method::GET, &[html, ("upgrade", "websocket")]));
    }

    fn challenged(method: Method, fields: &[(&'static str, &'static str)], to: &str) -> Response {
        challenge(
            &site("https://login.example.com", None),
            Challenge::SignIn,
            &method,
            &headers(fields),
            to,
        )
    }

    #[test]
    fn a_person_is_sent_to_the_form_on_the_same_host_and_comes_back() {
        let html = [("accept", "text/html")];
        let response = challenged(Method::GET, &html, "/page?a=1&b=/x");
        assert_eq!(response.status, 302);
        let to = "/_vestibule/login?rd=%2Fpage%3Fa%3D1%26b%3D%2Fx";
        assert_eq!(response.headers["location"], to);
        let says = [("sec-fetch-mode", "navigate")];
        assert_eq!(challenged(Method::POST, &says, "/page").status, 303);
        assert!(!response.headers.contains_key("www-authenticate"));
    }

    #[test]
    fn an_address_too_long_to_remember_is_dropped() {
        let long = format!("/{}", "a".repeat(2048));
        let response = challenged(Method::GET, &[("accept", "text/html")], &long);
        assert_eq!(response.headers["location"], "/_vestibule/login");
    }

    #[test]
    fn a_program_gets_401_and_no_redirect() {
        let response = challenged(Method::GET, &[("accept", "application/json")], "/page");
        assert_eq!(response.status, 401);
        assert_eq!(response.headers["content-type"], "application/problem+json");
        let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(body["code"], "unauthenticated");
        assert_eq!(body["status"], 401);
        assert_eq!(body["type"], "about:blank");
        assert!(challenged(Method::HEAD, &[], "/page").body.is_empty());
        assert!(!response.headers.contains_key("location"));
    }
}
