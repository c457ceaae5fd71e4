//! The defence of our forms and pages against other sites.
//!
//! A form is taken when the browser does not say that it comes from elsewhere, *and* when it
//! carries the token that belongs to this browser's cookie. Either check alone has been got round
//! somewhere: old browsers say nothing, and cookies can be planted from a neighbouring host.

use super::location::same_origin;
use super::{Request, Site};
use crate::service::Service;
use crate::types::Bearer;
use http::header::ORIGIN;
use subtle::ConstantTimeEq as _;

/// What a form carries for the browser that holds this nonce.
pub fn form_token(service: &Service, nonce: &Bearer) -> String {
    Bearer::from_bytes(service.form_token(nonce.bytes())).reveal()
}

/// Whether what a form carries belongs to this browser's nonce. Takes as long for a wrong token
/// as for the right one.
pub fn token_fits(service: &Service, nonce: &Bearer, sent: &str) -> bool {
    let expected = service.form_token(nonce.bytes());
    Bearer::parse(sent).is_some_and(|sent| sent.bytes().ct_eq(&expected).into())
}

/// Whether the browser says that a page of another origin sent this. `null`, which is what a
/// sandbox or a redirect makes of an origin, is another one; so is one that is named twice.
pub fn is_from_elsewhere(site: &Site, request: &Request) -> bool {
    let site_says = !all(request, "sec-fetch-site", |v| matches!(v, b"same-origin" | b"none"));
    let origin_says = !all(request, ORIGIN.as_str(), |origin| {
        std::str::from_utf8(origin).is_ok_and(|origin| is_here(site, &request.authority, origin))
    });
    site_says || origin_says
}

/// Whether every field of this name says what it should; none is as good, a second one is not.
fn all(request: &Request, name: &str, fits: impl Fn(&[u8]) -> bool) -> bool {
    let mut values = request.headers.get_all(name).iter();
    let first = values.next().is_none_or(|value| fits(value.as_bytes()));
    first && values.next().is_none()
}

fn is_here(site: &Site, authority: &str, origin: &str) -> bool {
    // With an http public_url, TLS may end in front of us.
    origin.split_once("://").is_some_and(|(scheme, rest)| {
        let known = scheme == "https" || scheme == "http" && !site.public_url.is_https();
        known && same_origin(scheme, rest, authority)
    })
}

/// Whether a page may be shown: to somebody who goes to it, not to a script, a picture or a frame
/// that fetches it. The portal is on every protected host, so an app there is of the same origin
/// as these pages and its scripts could read them; browsers say what a request is for, and no
/// script of a page can change what they say. (A service worker of the app still could pass on a
/// navigation of its own host, and a page that sends the same two policies for openers and what it
/// embeds as ours could open one of ours and reach into it: whoever does not trust an app gives it
/// a host of its own.) Nor is a page shown beforehand, to a browser that only guesses that somebody
/// will want it.
pub fn is_own_document(request: &Request) -> bool {
    !request.headers.contains_key("sec-purpose")
        && all(request, "sec-fetch-mode", |mode| mode == b"navigate")
        && all(request, "sec-fetch-dest", |dest| dest == b"document")
}

#[cfg(test)]
mod tests {
    use super::super::message::tests::request;
    use super::super::site::tests::site;
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn refused(url: &str, fields: &[(&'static str, &'static str)]) -> bool {
        let mut request = request("POST", "/_vestibule/login");
        request.authority = "login.example.com".into();
        for (name, value) in fields {
            let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
            request.headers.append(name, value);
        }
        is_from_elsewhere(&site(url, None), &request)
    }

    #[test]
    fn a_form_of_this_very_origin_is_taken() {
        let https = "https://login.example.com";
        assert!(!refused(https, &[]));
        for origin in ["https://login.example.com", "https://login.example.com:443"] {
            assert!(!refused(https, &[("origin", origin), ("sec-fetch-site", "same-origin")]));
        }
        assert!(!refused(https, &[("sec-fetch-site", "none")]));
        assert!(!refused("http://login.example.com", &[("origin", "http://login.example.com")]));
        assert!(!refused("http://login.example.com", &[("origin", "https://login.example.com")]));
    }

    #[test]
    fn a_form_from_anywhere_else_is_not() {
        for origin in [
            "null",
            "",
            "https://evil.test",
            "https://login.example.com.evil.test",
            "https://login.example.com@evil.test",
            "https://login.example.com:8443",
            "https://login.example.com/",
            "https://wiki.example.com",
            "http://login.example.com",
            "login.example.com",
            "ftp://login.example.com",
        ] {
            assert!(refused("https://login.example.com", &[("origin", origin)]), "{origin}");
        }
        for says in ["cross-site", "same-site", "SAME-ORIGIN", ""] {
            assert!(refused("https://login.example.com", &[("sec-fetch-site", says)]), "{says}");
        }
        let ours = ("origin", "https://login.example.com");
        assert!(refused("https://login.example.com", &[ours, ours]));
        assert!(refused("https://login.example.com", &[ours, ("sec-fetch-site", "cross-site")]));
    }

    #[test]
    fn a_page_is_shown_to_who_goes_to_it_and_not_to_a_script() {
        let shown = |fields: &[(&'static str, &'static str)]| {
            let mut request = request("GET", "/_vestibule/recovery-codes");
            for (name, value) in fields {
                let name = HeaderName::from_static(name);
                request.headers.append(name, HeaderValue::from_static(value));
            }
            is_own_document(&request)
        };
        assert!(shown(&[]));
        assert!(shown(&[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")]));
        assert!(!shown(&[("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")]));
        assert!(!shown(&[("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")]));
        assert!(!shown(&[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")]));
        assert!(!shown(&[("sec-fetch-mode", "navigate"), ("sec-purpose", "prefetch;prerender")]));
    }
}
