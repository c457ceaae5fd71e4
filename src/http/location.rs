//! Where a response of ours may send a browser.

use super::Site;
use crate::domain::{PortalOrigin, ReturnUrl};
use crate::types::Host;
use form_urlencoded::byte_serialize;
use http::HeaderValue;
use std::fmt::Write as _;

/// The longest address that is worth remembering: a [`ReturnUrl`] is not longer.
const LONGEST: usize = 2048;

/// An address that a redirect or a link of ours leads to: one of our own pages, or a checked
/// [`ReturnUrl`], or what was asked for without encryption. There is no other way to make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location(String);

impl Location {
    /// One of our own pages: what follows the prefix, beginning with a slash.
    pub fn page(site: &Site, page: &'static str) -> Self {
        Self(format!("{}{page}", site.prefix))
    }

    /// The same on another origin, which was checked to be one of ours.
    pub fn page_at(site: &Site, origin: &PortalOrigin, page: &'static str) -> Self {
        Self(format!("{origin}{}{page}", site.prefix))
    }

    /// What was asked for at a host of ours, encrypted. Browsers reach it at the port of the portal.
    pub fn encrypted(site: &Site, host: &Host, target: &str) -> Self {
        match site.public_url.port() {
            443 => Self(format!("https://{host}{target}")),
            port => Self(format!("https://{host}:{port}{target}")),
        }
    }

    /// The page below this one that is called so: one segment of a path, whatever the name has in
    /// it.
    #[must_use]
    pub fn below(mut self, name: &str) -> Self {
        self.0.push('/');
        for byte in name.bytes() {
            let _ = match byte {
                plain if plain.is_ascii_alphanumeric() || b"-._~@+".contains(&plain) => {
                    write!(self.0, "{}", char::from(plain))
                }
                other => write!(self.0, "%{other:02X}"),
            };
        }
        self
    }

    /// The same with a field in its query; without it where the value is empty or too long.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        if !value.is_empty() && value.len() <= LONGEST {
            let mark = if self.0.contains('?') { '&' } else { '?' };
            let encoded: String = byte_serialize(value.as_bytes()).collect();
            // Writing to a String does not fail.
            let _ = write!(self.0, "{mark}{name}={encoded}");
        }
        self
    }

    /// Where somebody asked to go, if they may, or else home.
    pub fn onward(site: &Site, wish: Option<&str>, here: &Host) -> Self {
        let checked = wish.and_then(|wish| ReturnUrl::parse(wish, here, &site.origins));
        checked.map_or_else(|| Self::page(site, "/account"), Into::into)
    }

    /// The text, for a link.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a browser that is at this authority leaves the origin when it goes there.
    pub fn leaves(&self, site: &Site, authority: &str) -> bool {
        if self.0.starts_with('/') {
            return false;
        }
        let scheme = if site.public_url.is_https() { "https" } else { "http" };
        let stays = self.0.split_once("://").is_some_and(|(its_scheme, rest)| {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let its = rest.get(..end).unwrap_or_default();
            its_scheme == scheme && same_origin(scheme, its, authority)
        });
        !stays
    }

    pub(super) fn header(&self) -> HeaderValue {
        // Our prefix and a return address are ASCII without spaces; were they not, staying on
        // this host is the harmless way out.
        HeaderValue::try_from(&self.0).unwrap_or_else(|_| HeaderValue::from_static("/"))
    }
}

impl From<ReturnUrl> for Location {
    fn from(url: ReturnUrl) -> Self {
        Self(url.as_str().to_owned())
    }
}

/// Whether two authorities name the same host and port under one scheme.
pub(super) fn same_origin(scheme: &str, one: &str, other: &str) -> bool {
    let standard = if scheme == "https" { 443 } else { 80 };
    let parts = |authority: &str| {
        let (host, port) = Host::parse_authority(authority).ok()?;
        Some((host, port.unwrap_or(standard)))
    };
    parts(one).is_some_and(|one| Some(one) == parts(other))
}

#[cfg(test)]
mod tests {
    use super::super::site::tests::site;
    use super::*;

    #[test]
    fn a_wish_that_leads_elsewhere_leads_home() {
        let site = site("https://login.example.com", None);
        let here = Host::parse("wiki.example.org").unwrap();
        let onward = |wish: &str| Location::onward(&site, Some(wish), &here);
        assert_eq!(onward("/page?x=1").as_str(), "/page?x=1");
        assert_eq!(onward("https://app.example.net/x").as_str(), "https://app.example.net/x");
        for bad in ["//evil.test", "https://evil.test/", "/\\evil.test", "", "javascript:0"] {
            assert_eq!(onward(bad).as_str(), "/_vestibule/account", "{bad:?}");
        }
        assert_eq!(Location::onward(&site, None, &here).as_str(), "/_vestibule/account");
    }

    #[test]
    fn only_scheme_host_and_port_together_make_an_origin() {
        let site = site("https://login.example.com", None);
        let leaves = |to: &str| {
            let here = Host::parse("login.example.com").unwrap();
            Location::onward(&site, Some(to), &here).leaves(&site, "Login.Example.com:443")
        };
        assert!(!leaves("/x"));
        assert!(!leaves("https://login.example.com/x"));
        assert!(!leaves("https://login.example.com?x"));
        assert!(leaves("https://app.example.net/x"));
        assert!(leaves("https://login.example.com:80/x"));
    }

    #[test]
    fn a_name_in_a_path_is_one_segment() {
        let below = |name| Location::page(&site("http://127.0.0.1:8080", None), "/u").below(name);
        assert_eq!(below("a.n+n@x-y_z").as_str(), "/_vestibule/u/a.n+n@x-y_z");
        assert_eq!(below("a/b?c d#é%").as_str(), "/_vestibule/u/a%2Fb%3Fc%20d%23%C3%A9%25");
        assert_eq!(below("a").below("b").as_str(), "/_vestibule/u/a/b");
    }

    #[test]
    fn a_value_in_a_query_is_encoded_and_one_too_long_is_left_out() {
        let page = || Location::page(&site("http://127.0.0.1:8080", None), "/login");
        assert_eq!(
            page().with("rd", "/a?b=c&d e").as_str(),
            "/_vestibule/login?rd=%2Fa%3Fb%3Dc%26d+e"
        );
        assert_eq!(page().with("rd", "").as_str(), "/_vestibule/login");
        assert_eq!(page().with("rd", &"/".repeat(2049)).as_str(), "/_vestibule/login");
        assert_eq!(page().with("a", "1").with("b", "2").as_str(), "/_vestibule/login?a=1&b=2");
    }
}
