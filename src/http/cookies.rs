//! What our cookies are called, and how they are read, set and cleared.
//!
//! Four at most: the session; the token of a sign-in under way (`…-step`); the browser's half of
//! the form token (`…-form`); and what a browser is known by that somebody has signed in with
//! before (`…-known`). The session and the last are for all hosts that share a sign-in; the others
//! stay with the host whose pages they are for, under the prefix that browsers let nobody
//! below or beside that host write, also where the session has a domain.

use super::Site;
use crate::types::{Bearer, Host};
use cookie::time::Duration as CookieTime;
use cookie::{Cookie, SameSite};
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use std::time::Duration;

/// The names, and what goes with them. Without `Debug` only for want of use: there is no secret
/// in it.
#[derive(Clone)]
pub struct Cookies {
    session: String,
    step: String,
    form: String,
    known: String,
    secure: bool,
    domain: Option<Host>,
}

impl Cookies {
    /// The names that follow from where the portal is.
    pub fn new(site: &Site) -> Self {
        let secure = site.public_url.is_https();
        let own = if secure { "__Host-" } else { "" };
        let shared = if secure { "__Secure-" } else { "" };
        let session = if site.cookie_domain.is_some() { shared } else { own };
        Self {
            session: format!("{session}vestibule"),
            step: format!("{own}vestibule-step"),
            form: format!("{own}vestibule-form"),
            known: format!("{session}vestibule-known"),
            secure,
            domain: site.cookie_domain.clone(),
        }
    }

    /// What the session's cookie is called.
    pub fn session_name(&self) -> &str {
        &self.session
    }

    /// What the cookie of a sign-in under way is called.
    pub fn step_name(&self) -> &str {
        &self.step
    }

    /// The session's token. On the way of every proxied request: allocates nothing. A name that
    /// is there twice is nobody's, for who could say which of the two is meant.
    pub fn session_token(&self, headers: &HeaderMap) -> Option<Bearer> {
        Bearer::parse_bytes(only(headers, self.session.as_bytes())?)
    }

    /// The token of the sign-in under way.
    pub fn step_token(&self, headers: &HeaderMap) -> Option<Bearer> {
        Bearer::parse_bytes(only(headers, self.step.as_bytes())?)
    }

    /// The browser's half of the form token.
    pub fn form_nonce(&self, headers: &HeaderMap) -> Option<Bearer> {
        Bearer::parse_bytes(only(headers, self.form.as_bytes())?)
    }

    /// The token by which a browser is known that somebody has signed in with before.
    pub fn known_browser(&self, headers: &HeaderMap) -> Option<Bearer> {
        Bearer::parse_bytes(only(headers, self.known.as_bytes())?)
    }

    /// Whether a cookie of this name is ours, so that the app neither receives nor sets it. Wider
    /// than what we read: any case, and every suffix.
    pub fn is_ours(name: &[u8]) -> bool {
        let name = name.trim_ascii();
        let name = strip(name, b"__Host-").or_else(|| strip(name, b"__Secure-")).unwrap_or(name);
        strip(name, b"vestibule").is_some()
    }

    /// Sets the session, for so long where it is to outlive the browser.
    pub fn set_session(&self, token: &Bearer, keep: Option<Duration>, here: &Host) -> HeaderValue {
        self.session(token.reveal(), keep.map(cookie_time), here)
    }

    /// Clears the session.
    pub fn clear_session(&self, here: &Host) -> HeaderValue {
        self.session(String::new(), Some(CookieTime::ZERO), here)
    }

    /// Sets the token of a sign-in under way, for as long as it lasts.
    pub fn set_step(&self, token: &Bearer, lasts: Duration) -> HeaderValue {
        self.write(&self.step, token.reveal(), Some(cookie_time(lasts)), None)
    }

    /// Makes the browser known, for as long as browsers keep a cookie.
    pub fn set_known_browser(&self, token: &Bearer, lasts: Duration, here: &Host) -> HeaderValue {
        self.shared(&self.known, token.reveal(), Some(cookie_time(lasts)), here)
    }

    /// Clears the token of a sign-in under way.
    pub fn clear_step(&self) -> HeaderValue {
        self.write(&self.step, String::new(), Some(CookieTime::ZERO), None)
    }

    /// Sets the browser's half of the form token.
    pub fn set_form_nonce(&self, nonce: &Bearer) -> HeaderValue {
        self.write(&self.form, nonce.reveal(), None, None)
    }

    fn session(&self, value: String, age: Option<CookieTime>, here: &Host) -> HeaderValue {
        self.shared(&self.session, value, age, here)
    }

    /// For every host that shares a sign-in.
    fn shared(
        &self,
        name: &str,
        value: String,
        age: Option<CookieTime>,
        here: &Host,
    ) -> HeaderValue {
        // A browser refuses a cookie for a domain that the page is not in; on the routes outside
        // of it, the session is for their one host.
        let domain = self.domain.as_ref().filter(|domain| here.is_at_or_below(domain));
        self.write(name, value, age, domain)
    }

    fn write(
        &self,
        name: &str,
        value: String,
        age: Option<CookieTime>,
        domain: Option<&Host>,
    ) -> HeaderValue {
        let mut cookie = Cookie::build((name, value))
            .path("/")
            .secure(self.secure)
            .http_only(true)
            .same_site(SameSite::Lax)
            .build();
        cookie.set_max_age(age);
        if let Some(domain) = domain {
            cookie.set_domain(domain.as_str());
        }
        // Names, base64 and hosts are all a header can carry; were one not, no cookie is set and
        // nobody is signed in.
        let text = cookie.to_string();
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

fn cookie_time(time: Duration) -> CookieTime {
    CookieTime::seconds(i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
}

/// The value of the cookie of this name, if there is one and only one in all fields together.
fn only<'h>(headers: &'h HeaderMap, wanted: &[u8]) -> Option<&'h [u8]> {
    let mut found = None;
    for field in headers.get_all(COOKIE) {
        for pair in field.as_bytes().split(|c| *c == b';') {
            let Some(rest) = pair.trim_ascii_start().strip_prefix(wanted) else { continue };
            let value = match rest.trim_ascii_start().split_first() {
                None => &[],
                Some((b'=', value)) => value.trim_ascii(),
                // Its name only begins so.
                Some(_) => continue,
            };
            if found.is_some() {
                return None;
            }
            found = Some(value);
        }
    }
    found
}

/// What follows the prefix, in whichever case it is written.
fn strip<'n>(name: &'n [u8], prefix: &[u8]) -> Option<&'n [u8]> {
    let (start, rest) = name.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::super::site::tests::site;
    use super::*;

    fn token() -> Bearer {
        Bearer::from_bytes([7; 32])
    }

    fn sent(fields: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(COOKIE, HeaderValue::from_bytes(field.as_bytes()).unwrap());
        }
        headers
    }

    fn host(text: &str) -> Host {
        Host::parse(text).unwrap()
    }

    #[test]
    fn the_session_cookie_is_named_and_bound_as_promised() {
        let here = host("login.example.com");
        let set = |url, domain| {
            let cookies = Cookies::new(&site(url, domain));
            cookies.set_session(&token(), None, &here).to_str().unwrap().to_owned()
        };
        let text = token().reveal();
        assert_eq!(
            set("https://login.example.com", None),
            format!("__Host-vestibule={text}; HttpOnly; SameSite=Lax; Secure; Path=/")
        );
        assert_eq!(
            set("https://login.example.com", Some("example.com")),
            format!(
                "__Secure-vestibule={text}; HttpOnly; SameSite=Lax; Secure; Path=/; \
                 Domain=example.com"
            )
        );
        assert_eq!(
            set("http://127.0.0.1:8080", None),
            format!("vestibule={text}; HttpOnly; SameSite=Lax; Path=/")
        );
    }

    #[test]
    fn a_session_outlives_the_browser_only_where_asked_to() {
        let cookies = Cookies::new(&site("https://login.example.com", None));
        let keep = Some(Duration::from_secs(3600));
        let set = cookies.set_session(&token(), keep, &host("login.example.com"));
        assert!(set.to_str().unwrap().contains("Max-Age=3600"));
        let clear = cookies.clear_session(&host("login.example.com"));
        assert!(clear.to_str().unwrap().starts_with("__Host-vestibule=; "));
        assert!(clear.to_str().unwrap().contains("Max-Age=0"));
    }

    #[test]
    fn a_host_outside_the_domain_gets_a_cookie_of_its_own_and_steps_stay_with_one_host() {
        let cookies = Cookies::new(&site("https://login.example.com", Some("example.com")));
        let foreign = cookies.set_session(&token(), None, &host("wiki.example.org"));
        assert!(!foreign.to_str().unwrap().contains("Domain"));
        let step = cookies.set_step(&token(), Duration::from_secs(300));
        assert!(step.to_str().unwrap().starts_with("__Host-vestibule-step="));
        assert!(!step.to_str().unwrap().contains("Domain"));
    }

    #[test]
    fn a_cookie_that_is_there_twice_is_nobodys() {
        let cookies = Cookies::new(&site("https://login.example.com", None));
        let text = token().reveal();
        let one = format!("__Host-vestibule={text}");
        let read = |fields: &[&str]| cookies.session_token(&sent(fields)).is_some();
        assert!(read(&[&one]));
        assert!(read(&["a=1", &format!("b=2;{one} ; c")]));
        assert!(!read(&[&format!("{one}; {one}")]));
        assert!(!read(&[&one, &one]));
        assert!(!read(&[&one, "x=1; __Host-vestibule=other"]));
        assert!(!read(&[&one, "__Host-vestibule"]));
    }

    #[test]
    fn look_alike_and_malformed_cookies_are_not_the_session() {
        let cookies = Cookies::new(&site("https://login.example.com", None));
        let text = token().reveal();
        for bad in [
            format!("vestibule={text}"),
            format!("__host-vestibule={text}"),
            format!("__Secure-vestibule={text}"),
            format!("__Host-vestibule-step={text}"),
            format!("__Host-vestibule=\"{text}\""),
            format!("__Host-vestibule={text}="),
            format!("=__Host-vestibule={text}"),
            "__Host-vestibule=".to_owned(),
        ] {
            assert!(cookies.session_token(&sent(&[&bad])).is_none(), "{bad}");
        }
    }

    #[test]
    fn what_is_ours_is_known_in_any_case_and_with_any_suffix() {
        for name in [
            "vestibule",
            "vestibule-step",
            "__Host-vestibule",
            "__HOST-VESTIBULE-form",
            " __secure-Vestibule ",
            "__Secure-vestibule-anything",
        ] {
            assert!(Cookies::is_ours(name.as_bytes()), "{name}");
        }
        for name in ["", "session", "__Host-", "__Host-session", "my-vestibule", "_vestibule"] {
            assert!(!Cookies::is_ours(name.as_bytes()), "{name}");
        }
    }
}
