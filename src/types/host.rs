//! Hosts as rules compare them, and the address of the portal.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A host name in lower case, without port and trailing dot.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Host(String);

/// Why a text is not a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostError;

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a host name (write example.com, 192.0.2.1 or [2001:db8::1])")
    }
}

impl std::error::Error for HostError {}

impl Host {
    /// Reads a host without a port.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        match Self::parse_authority(text)? {
            (host, None) => Ok(host),
            _ => Err(HostError),
        }
    }

    /// Reads what a `Host` field carries: a host and perhaps a port.
    pub fn parse_authority(text: &str) -> Result<(Self, Option<u16>), HostError> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (inner, after) = rest.split_once(']').ok_or(HostError)?;
                // In its one spelling, whichever it came in.
                let address = inner.parse::<Ipv6Addr>().map_err(|_| HostError)?;
                (format!("[{address}]"), after.strip_prefix(':'))
            }
            None => match text.split_once(':') {
                Some((name, port)) => (reg_name(name)?, Some(port)),
                None => (reg_name(text)?, None),
            },
        };
        let bracket_rest = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        if bracket_rest.is_some_and(|(_, after)| !after.is_empty() && !after.starts_with(':')) {
            return Err(HostError);
        }
        let port = match port {
            None => None,
            Some(digits) if !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit()) => {
                Some(digits.parse().map_err(|_| HostError)?)
            }
            Some(_) => return Err(HostError),
        };
        Ok((Self(host), port))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this host is `parent` or a name below it.
    pub fn is_at_or_below(&self, parent: &Host) -> bool {
        self.0
            .strip_suffix(parent.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// Whether only this machine can be meant.
    pub fn is_loopback(&self) -> bool {
        let bare = self.0.trim_start_matches('[').trim_end_matches(']');
        self.0 == "localhost"
            || self.0.ends_with(".localhost")
            || bare.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
            || bare.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback())
    }
}

/// Letters, digits, hyphens and underscores in dot-separated labels; one trailing dot is dropped.
fn reg_name(text: &str) -> Result<String, HostError> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let label = |l: &[u8]| {
        !l.is_empty()
            && l.len() <= 63
            && l.iter().all(|c| c.is_ascii_alphanumeric() || *c == b'-' || *c == b'_')
    };
    if name.len() > 253 || !name.as_bytes().split(|c| *c == b'.').all(label) {
        return Err(HostError);
    }
    Ok(name.to_ascii_lowercase())
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Host> for String {
    fn from(host: Host) -> Self {
        host.0
    }
}

impl TryFrom<String> for Host {
    type Error = HostError;
    fn try_from(text: String) -> Result<Self, HostError> {
        Self::parse(&text)
    }
}

/// Which hosts a route or a rule is for. Ordered from general to specific.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum HostPattern {
    /// `*`
    Any,
    /// `*.example.com`: every name below, not `example.com` itself.
    Below(Host),
    /// `grafana.example.com`
    Exact(Host),
}

impl HostPattern {
    /// Reads the three forms.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        match text.strip_prefix("*.") {
            _ if text == "*" => Ok(Self::Any),
            Some(parent) => Host::parse(parent).map(Self::Below),
            None => Host::parse(text).map(Self::Exact),
        }
    }

    /// Whether the host is meant.
    pub fn matches(&self, host: &Host) -> bool {
        match self {
            Self::Any => true,
            Self::Below(parent) => host != parent && host.is_at_or_below(parent),
            Self::Exact(exact) => host == exact,
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Below(parent) => write!(f, "*.{parent}"),
            Self::Exact(host) => host.fmt(f),
        }
    }
}

impl From<HostPattern> for String {
    fn from(pattern: HostPattern) -> Self {
        pattern.to_string()
    }
}

impl std::str::FromStr for HostPattern {
    type Err = HostError;
    fn from_str(text: &str) -> Result<Self, HostError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for HostPattern {
    type Error = HostError;
    fn try_from(text: String) -> Result<Self, HostError> {
        Self::parse(&text)
    }
}

/// How browsers reach the portal: an http or https origin, without a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    https: bool,
    host: Host,
    port: Option<u16>,
}

impl PublicUrl {
    /// Reads `https://portal.example.com` or `http://127.0.0.1:8080`.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (https, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err("must begin with https:// or http://"),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = Host::parse_authority(rest)
            .map_err(|_| "must be a scheme and a host, perhaps a port, and nothing else")?;
        let standard = if https { 443 } else { 80 };
        Ok(Self { https, host, port: port.filter(|port| *port != standard) })
    }

    /// Whether browsers reach it encrypted.
    pub const fn is_https(&self) -> bool {
        self.https
    }

    /// Its host.
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(if self.https { 443 } else { 80 })
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.https { "https" } else { "http" }, self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_compare_in_one_spelling() {
        for text in ["Wiki.Example.ORG", "wiki.example.org.", "wiki.example.org:8443"] {
            assert_eq!(Host::parse_authority(text).unwrap().0.as_str(), "wiki.example.org");
        }
        assert_eq!(Host::parse_authority("[::1]:80").unwrap().1, Some(80));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for bad in [
            "", ".", "..", ".a", "a..b", "a b", "a/b", "u@a", "a:", "a:x", "a:70000", "a:1:2",
            "[::1", "[::1]x", "[x]", "ä.de", "a%2fb", "a\\b", "a,b", "a\0",
        ] {
            assert!(Host::parse_authority(bad).is_err(), "{bad:?}");
        }
        assert!(Host::parse("a:80").is_err());
    }

    #[test]
    fn a_wildcard_means_names_below_and_nothing_that_only_ends_alike() {
        let pattern = HostPattern::parse("*.example.com").unwrap();
        let host = |text| Host::parse(text).unwrap();
        assert!(pattern.matches(&host("a.example.com")));
        assert!(pattern.matches(&host("a.b.example.com")));
        assert!(!pattern.matches(&host("example.com")));
        assert!(!pattern.matches(&host("evilexample.com")));
        assert!(!pattern.matches(&host("a.example.com.evil")));
    }

    #[test]
    fn the_public_address_is_an_origin() {
        assert_eq!(
            PublicUrl::parse("https://P.example:443/").unwrap().to_string(),
            "https://p.example"
        );
        assert_eq!(PublicUrl::parse("http://127.0.0.1:8080").unwrap().port(), 8080);
        for bad in ["p.example", "ftp://p.example", "https://p.example/x", "https://u@p.example"] {
            assert!(PublicUrl::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Host::parse("127.8.8.8").unwrap().is_loopback());
        assert!(!Host::parse("localhost.evil").unwrap().is_loopback());
    }
}
