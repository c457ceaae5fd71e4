//! Where ranges of hashes are asked for.

use crate::types::Host;
use std::fmt;
use url::Url;

/// The address of a service that answers with ranges of hashes: https, or http on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeUrl {
    https: bool,
    host: String,
    port: u16,
    /// As the `Host` field names it.
    authority: String,
    /// What the paths begin with; no slash at its end.
    base: String,
}

impl RangeUrl {
    /// Reads an address, perhaps with a path. What it says of a wrong one does not repeat it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const MALFORMED: &str = "is not an address";
        let url = Url::parse(text).map_err(|_| MALFORMED)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err("must begin with https:// or http://");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not carry a name or password");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("must have nothing behind its path");
        }
        let https = url.scheme() == "https";
        let host = url.host_str().ok_or(MALFORMED)?.to_owned();
        let is_here = Host::parse(&host).is_ok_and(|host| host.is_loopback());
        if !https && !is_here {
            return Err("would tell the network in the clear what is asked for");
        }
        let port = url.port_or_known_default().ok_or(MALFORMED)?;
        let authority = url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        let base = url.path().trim_end_matches('/').to_owned();
        let host = host.trim_matches(['[', ']']).to_owned();
        Ok(Self { https, host, port, authority, base })
    }

    pub(super) const fn is_https(&self) -> bool {
        self.https
    }

    /// The name or address to connect to, and for which the certificate must be.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// Where the range with this beginning is.
    pub(super) fn target(&self, prefix: &str) -> String {
        format!("{}/range/{prefix}", self.base)
    }
}

impl fmt::Display for RangeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_a_port_and_a_path() {
        for (text, shown, target) in [
            ("https://a.example", "https://a.example", "/range/ABCDE"),
            ("https://a.example:443/", "https://a.example", "/range/ABCDE"),
            ("https://a.example:8443/x/y/", "https://a.example:8443/x/y", "/x/y/range/ABCDE"),
            ("http://127.0.0.1:81", "http://127.0.0.1:81", "/range/ABCDE"),
            ("http://[::1]:81", "http://[::1]:81", "/range/ABCDE"),
            ("http://localhost", "http://localhost", "/range/ABCDE"),
        ] {
            let url = RangeUrl::parse(text).unwrap();
            assert_eq!((url.to_string().as_str(), url.target("ABCDE").as_str()), (shown, target));
        }
        assert_eq!(RangeUrl::parse("https://[::1]").unwrap().host(), "::1");
    }

    #[test]
    fn what_is_asked_for_is_told_to_nobody_in_the_clear() {
        for text in ["http://a.example", "http://192.0.2.1", "http://localhost.a.example"] {
            assert!(RangeUrl::parse(text).unwrap_err().contains("in the clear"), "{text}");
        }
        for text in
            ["", "a.example", "ftp://a.example", "https://", "https://me@a.example", "https://a?b"]
        {
            assert!(RangeUrl::parse(text).is_err(), "{text}");
        }
    }
}
