//! One request and one response, as our own pages see them.

use super::headers::{harden, let_ask};
use super::{Language, Location, Site};
use crate::types::{Host, RequestCx};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

/// A request for one of our own pages. Without `Debug`: it holds passwords and cookies.
pub struct Request {
    /// The method.
    pub method: Method,
    /// What the client calls us, as sent: a host and perhaps a port.
    pub authority: String,
    /// The host of it.
    pub host: Host,
    /// The whole path, byte for byte.
    pub path: String,
    /// What follows the question mark; empty where there is none.
    pub query: String,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Whether whoever is at the other end of the connection is one of the proxies that are
    /// believed.
    pub peer_is_trusted: bool,
    /// Its name, its moment and its sender.
    pub cx: RequestCx,
}

impl Request {
    /// A field that is there once and readable; one that is there twice is as good as none.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?;
        values.next().is_none().then_some(())?;
        first.to_str().ok()
    }

    /// The language of whoever sent it.
    pub fn language(&self) -> Language {
        Language::of(&self.headers)
    }
}

/// A response of ours. Without `Debug`: it holds secrets to enrol and cookies.
#[must_use]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The header fields, the security headers among them.
    pub headers: HeaderMap,
    /// The body; empty for HEAD.
    pub body: Bytes,
}

impl Response {
    /// A response with this body. Every response of ours is made here, so that none is without
    /// the security headers.
    pub fn new(site: &Site, status: StatusCode, kind: &'static str, body: Bytes) -> Self {
        let mut headers = HeaderMap::with_capacity(16);
        harden(&mut headers, site);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        Self { status, headers, body }
    }

    /// Sends the browser on. 303, since what comes next is to be got, however this was asked for.
    pub fn see_other(site: &Site, to: &Location) -> Self {
        Self::redirect(site, StatusCode::SEE_OTHER, to)
    }

    /// Sends the browser on with this status.
    pub fn redirect(site: &Site, status: StatusCode, to: &Location) -> Self {
        let mut headers = HeaderMap::with_capacity(16);
        harden(&mut headers, site);
        headers.insert(LOCATION, to.header());
        Self { status, headers, body: Bytes::new() }
    }

    /// Names a place without sending there: a proxy that asked may do so.
    pub fn naming(mut self, to: &Location) -> Self {
        self.headers.insert(LOCATION, to.header());
        self
    }

    /// Lets the script of this page ask us something, which it may not otherwise.
    pub fn asking(mut self) -> Self {
        let_ask(&mut self.headers);
        self
    }

    /// Adds a cookie to be set or cleared.
    pub fn with_cookie(mut self, cookie: HeaderValue) -> Self {
        self.headers.append(SET_COOKIE, cookie);
        self
    }

    /// Adds cookies to be set or cleared.
    pub fn with_cookies(self, cookies: impl IntoIterator<Item = HeaderValue>) -> Self {
        cookies.into_iter().fold(self, Self::with_cookie)
    }

    /// The headers alone, as HEAD is answered.
    pub fn without_body(mut self) -> Self {
        self.body = Bytes::new();
        self
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::types::{ClientAddr, RequestId, Timestamp};
    use std::net::{IpAddr, Ipv4Addr};

    /// A bare request; path and query together.
    pub(crate) fn request(method: &str, target: &str) -> Request {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Request {
            method: method.parse().unwrap(),
            authority: "login.example.com".into(),
            host: Host::parse("login.example.com").unwrap(),
            path: path.into(),
            query: query.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            peer_is_trusted: false,
            cx: RequestCx {
                id: RequestId::from_bytes([1; 16]),
                now: Timestamp::from_secs(1_800_000_000),
                client: ClientAddr::from(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7))),
            },
        }
    }

    #[test]
    fn every_response_carries_the_security_headers() {
        let site = super::super::site::tests::site("https://login.example.com", None);
        let to = Location::page(&site, "/login");
        for response in [
            Response::see_other(&site, &to),
            Response::new(&site, StatusCode::OK, "text/css", Bytes::new()),
            super::super::problem(&site, StatusCode::UNAUTHORIZED, "unauthenticated", "Sign in"),
        ] {
            let csp = response.headers["content-security-policy"].to_str().unwrap();
            for part in ["default-src 'none'", "frame-ancestors 'none'", "form-action 'self'"] {
                assert!(csp.contains(part), "{csp}");
            }
            assert!(!csp.contains("unsafe") && csp.contains("script-src 'sha256-"));
            for (name, value) in [
                ("cache-control", "no-store"),
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "strict-origin"),
                ("x-frame-options", "DENY"),
                ("cross-origin-opener-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
                ("strict-transport-security", "max-age=31536000"),
            ] {
                assert_eq!(response.headers[name], value);
            }
            assert!(response.headers.contains_key("permissions-policy"));
            assert!(!response.headers.contains_key("www-authenticate"));
        }
    }

    #[test]
    fn plain_http_promises_no_encryption() {
        let site = super::super::site::tests::site("http://127.0.0.1:8080", None);
        let response = Response::new(&site, StatusCode::OK, "text/css", Bytes::new());
        assert!(!response.headers.contains_key("strict-transport-security"));
    }
}
