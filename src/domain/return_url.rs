//! Where a redirect may lead after signing in or out.

use crate::types::{Host, HostPattern, PublicUrl};
use std::fmt;
use url::Url;

/// How long an address may be, in bytes.
const LONGEST: usize = 2048;

/// Where redirects may lead: the host at hand, the portal, configured routes, and everything
/// below the cookie domain.
#[derive(Clone, Debug)]
pub struct ReturnOrigins {
    /// The portal.
    pub public_url: PublicUrl,
    /// Hosts of configured routes; the catch-all `*` names nobody and is left out.
    pub hosts: Vec<HostPattern>,
    /// The domain the session cookie is for, if it is for more than one host.
    pub cookie_domain: Option<Host>,
}

/// A checked address: the only thing a redirect takes. Made anew from the raw text each time it
/// is used, so that a text that was kept is never trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnUrl(String);

impl ReturnUrl {
    /// Checks an address that came with a request. Nothing where it leads elsewhere.
    pub fn parse(raw: &str, here: &Host, origins: &ReturnOrigins) -> Option<Self> {
        // Browsers drop tabs and line breaks and read backslashes as slashes; an address that
        // needs either has no honest author.
        let honest = raw.bytes().all(|c| c.is_ascii_graphic() && c != b'\\');
        if raw.is_empty() || raw.len() > LONGEST || !honest {
            return None;
        }
        if raw.starts_with('/') {
            return Self::local(raw);
        }
        let url = Url::parse(raw).ok()?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && raw
                .get(..url.scheme().len() + 3)
                .is_some_and(|start| start.eq_ignore_ascii_case(&format!("{}://", url.scheme())));
        let host = Host::parse(url.host_str().filter(|host| !host.ends_with('.'))?).ok()?;
        let downgrade = origins.public_url.is_https() && url.scheme() == "http";
        if !plain || downgrade || !origins.allow(&host, url.port_or_known_default(), here) {
            return None;
        }
        // Signs that have to be written as `%3C` make it longer than it came.
        let text = String::from(url);
        (text.len() <= LONGEST).then_some(Self(text))
    }

    /// A path on this host: one slash and then something that is not a second one.
    pub fn local(path: &str) -> Option<Self> {
        let url = Url::parse("http://here.invalid").ok()?.join(path).ok()?;
        let stays = url.host_str() == Some("here.invalid") && !path.starts_with("//");
        let honest = path.bytes().all(|c| c.is_ascii_graphic() && c != b'\\');
        // A browser resolves dot segments before it asks; `/.//evil` must not become `//evil`.
        let resolved_stays = !url.path().starts_with("//");
        (path.starts_with('/') && stays && honest && resolved_stays).then(|| Self(path.to_owned()))
    }

    /// Which host and path it leads to.
    pub fn target(&self, here: &Host) -> Option<(Host, String)> {
        let base = Url::parse(&format!("http://{here}")).ok()?;
        let url = base.join(&self.0).ok()?;
        let host = Host::parse(url.host_str()?).ok()?;
        Some((host, url.path().to_owned()))
    }

    /// The text for a `Location` field.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReturnUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a portal is that a visitor of a proxy may be sent to: the configured one, or one on the
/// host of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortalOrigin(PublicUrl);

impl fmt::Display for PortalOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ReturnOrigins {
    /// The portal's own origin.
    pub fn portal(&self) -> PortalOrigin {
        PortalOrigin(self.public_url.clone())
    }

    /// The origin of the portal that a proxy names. It must be the portal's own, or be on the host
    /// of a route, where our pages are as well, and no less encrypted.
    pub fn portal_at(&self, raw: &str) -> Option<PortalOrigin> {
        let url = PublicUrl::parse(raw).ok()?;
        let routed = self.hosts.iter().any(|pattern| pattern.matches(url.host()));
        let downgrade = self.public_url.is_https() && !url.is_https();
        let known_port = matches!(url.port(), 80 | 443) || url.port() == self.public_url.port();
        let is_ours = url == self.public_url || routed && known_port && !downgrade;
        is_ours.then_some(PortalOrigin(url))
    }

    fn allow(&self, host: &Host, port: Option<u16>, here: &Host) -> bool {
        let portal = self.public_url.host() == host;
        let below = self.cookie_domain.as_ref().is_some_and(|parent| host.is_at_or_below(parent));
        let routed = self.hosts.iter().any(|pattern| pattern.matches(host));
        let known_port = matches!(port, Some(80 | 443)) || port == Some(self.public_url.port());
        (portal || below || routed || host == here) && known_port
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins() -> ReturnOrigins {
        ReturnOrigins {
            public_url: PublicUrl::parse("https://login.example.com").unwrap(),
            hosts: vec![HostPattern::parse("wiki.example.org").unwrap()],
            cookie_domain: Some(Host::parse("example.com").unwrap()),
        }
    }

    fn parse(raw: &str) -> Option<ReturnUrl> {
        ReturnUrl::parse(raw, &Host::parse("login.example.com").unwrap(), &origins())
    }

    #[test]
    fn paths_here_and_known_hosts_are_followed() {
        for good in [
            "/",
            "/a/b?x=1#y",
            "https://login.example.com/",
            "https://a.b.example.com/x?y",
            "https://wiki.example.org/",
            "HTTPS://wiki.example.org/",
        ] {
            assert!(parse(good).is_some(), "{good}");
        }
    }

    #[test]
    fn a_portal_is_at_its_own_origin_or_on_the_host_of_a_route() {
        let at = |raw| origins().portal_at(raw).map(|origin| origin.to_string());
        for good in ["https://login.example.com", "https://wiki.example.org:443/"] {
            assert!(at(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "login.example.com",
            "https://evil.com",
            "https://a.example.com",
            "http://wiki.example.org",
            "http://login.example.com",
            "https://wiki.example.org:8443",
            "https://wiki.example.org/x",
            "https://u@wiki.example.org",
            "https://wiki.example.org.evil.com",
            "https://wiki.example.org\r\nX: y",
            "//wiki.example.org",
        ] {
            assert_eq!(at(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn everything_that_leads_elsewhere_is_not() {
        for bad in [
            "",
            "a",
            "//evil.com",
            "/\\evil.com",
            "\\\\evil.com",
            "/\t/evil.com",
            "/\n/evil.com",
            "/.//evil.com",
            "/x/..//evil.com",
            "/%0d%0a\r\nX: y",
            "https:evil.com",
            "https:/evil.com",
            "https:///evil.com",
            "https://evil.com",
            "https://evil.com/https://wiki.example.org",
            "https://wiki.example.org@evil.com/",
            "https://evil.com\\@wiki.example.org/",
            "https://user:pass@wiki.example.org/",
            "https://wiki.example.org.evil.com/",
            "https://evilexample.com/",
            "https://wiki.example.org:8443/",
            "http://wiki.example.org/",
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://wiki.example.org/",
            " /x",
            "/x y",
            "https://wiki.example.org\u{3002}evil.com/",
            "https://exämple.com/",
            "https://[::1]/",
        ] {
            assert!(parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_followed_is_no_longer_than_what_may_come() {
        let site = "https://wiki.example.org/";
        let long = |sign: &str, times| parse(&format!("{site}{}", sign.repeat(times)));
        assert!(long("x", LONGEST - site.len()).is_some());
        assert!(long("x", LONGEST - site.len() + 1).is_none());
        let kept = long("<", (LONGEST - site.len()) / 3).expect("as long as it may be");
        assert_eq!(parse(kept.as_str()), Some(kept), "what was given out comes back");
        assert!(long("<", (LONGEST - site.len()) / 3 + 1).is_none(), "too long once written out");
    }

    #[test]
    fn what_is_followed_never_leaves_the_known_hosts() {
        // Splices of everything that has fooled somebody's parser.
        let parts = [
            "/",
            "//",
            "\\",
            "https:",
            "evil.com",
            "@",
            "wiki.example.org",
            ".",
            "%2f",
            ":",
            "#",
            "?",
            "\t",
            "x",
        ];
        for a in parts {
            for b in parts {
                for c in parts {
                    for d in parts {
                        let raw = [a, b, c, d].concat();
                        let Some(url) = parse(&raw) else { continue };
                        let base = Url::parse("https://login.example.com/p/q").unwrap();
                        let joined = base.join(url.as_str()).unwrap();
                        let host = joined.host_str().unwrap();
                        assert!(
                            ["login.example.com", "wiki.example.org"].contains(&host),
                            "{raw} -> {joined}"
                        );
                        assert_eq!(joined.scheme(), "https", "{raw}");
                    }
                }
            }
        }
    }
}
