//! What each proxy says about the request that it keeps, read strictly.
//!
//! The dialects differ in where method, scheme, host and target stand, and in nothing else: each
//! is read into one [`Kept`], which is judged without asking which dialect it came in. A dialect
//! looks at its own fields alone, since of those of the others anybody may have sent any.

use crate::http::Request;
use crate::service::AppOrigin;
use crate::types::{Host, is_method, is_target};
use http::{HeaderMap, Method};

/// The longest target that is judged: the longest that the proxy of our own takes.
const MAX_TARGET: usize = 8 * 1024;

/// A way in which proxies ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect<'p> {
    /// nginx (also as an ingress) and `HAProxy`: they know yes, 401 and no, and redirect by themselves.
    AuthRequest,
    /// Traefik, Caddy: they hand on whatever is answered.
    ForwardAuth,
    /// Envoy, Gateway API: the check is the request itself, its path behind this endpoint's.
    ExtAuthz(&'p str),
}

/// The request that a proxy keeps until it has an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) method: Method,
    pub(super) scheme: &'static str,
    /// The host in the one spelling that rules know.
    pub(super) host: Host,
    /// What the browser calls the host: with its port, if it has one.
    pub(super) authority: String,
    /// Path and query, byte for byte.
    target: String,
}

impl Kept {
    /// The path, byte for byte.
    pub(super) fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// The address in the browser's bar.
    pub(super) fn url(&self) -> String {
        self.at(&self.target)
    }

    /// Where the browser finds the app.
    pub(super) fn origin(&self) -> AppOrigin<'_> {
        AppOrigin { https: self.scheme == "https", authority: self.authority.as_bytes() }
    }

    /// The address of something on the same origin.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.authority)
    }
}

impl<'p> Dialect<'p> {
    /// The dialect of an endpoint, by what follows `/authz` in its path.
    pub(super) fn of(below: &'p str) -> Option<Self> {
        match below {
            "/auth-request" => Some(Self::AuthRequest),
            "/forward-auth" => Some(Self::ForwardAuth),
            // Whatever follows is what is asked about, also where it is no path.
            _ => below.strip_prefix("/ext-authz").map(Self::ExtAuthz),
        }
    }

    /// Its stable name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::AuthRequest => "auth_request",
            Self::ForwardAuth => "forward_auth",
            Self::ExtAuthz(_) => "ext_authz",
        }
    }

    /// Whether what is answered reaches the browser as it is.
    pub(super) const fn hands_on(self) -> bool {
        !matches!(self, Self::AuthRequest)
    }

    /// Reads what is asked about; or the name of what is missing, there twice, or malformed.
    pub(super) fn read(self, request: &Request) -> Result<Kept, &'static str> {
        let field = |name| only(&request.headers, name).ok_or(name);
        match self {
            Self::AuthRequest => {
                let method = method(field("x-original-method")?).ok_or("x-original-method")?;
                let url = field("x-original-url")?;
                let read = || {
                    let (proto, rest) = url.split_once("://")?;
                    let (authority, target) = rest.split_at(rest.find('/')?);
                    kept(method, scheme(proto)?, authority, target)
                };
                read().ok_or("x-original-url")
            }
            Self::ForwardAuth => {
                let method = method(field("x-forwarded-method")?).ok_or("x-forwarded-method")?;
                let scheme = scheme(field("x-forwarded-proto")?).ok_or("x-forwarded-proto")?;
                let target = target(field("x-forwarded-uri")?).ok_or("x-forwarded-uri")?;
                let authority = field("x-forwarded-host")?;
                kept(method, scheme, authority, target).ok_or("x-forwarded-host")
            }
            Self::ExtAuthz(path) => {
                let scheme = scheme(field("x-forwarded-proto")?).ok_or("x-forwarded-proto")?;
                let mark = if request.query.is_empty() { "" } else { "?" };
                let target = format!("{path}{mark}{}", request.query);
                let kept = kept(request.method.clone(), scheme, &request.authority, &target);
                kept.ok_or("path or host")
            }
        }
    }
}

/// The value of a field that is there once.
fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    values.next().is_none().then(|| first.to_str().ok()).flatten()
}

fn method(text: &str) -> Option<Method> {
    is_method(text.as_bytes()).then(|| text.parse().ok()).flatten()
}

/// Some proxies say `ws` and `wss` of a WebSocket's handshake, which is asked for by HTTP.
fn scheme(text: &str) -> Option<&'static str> {
    match text {
        "http" | "ws" => Some("http"),
        "https" | "wss" => Some("https"),
        _ => None,
    }
}

fn target(text: &str) -> Option<&str> {
    (is_target(text.as_bytes()) && text.len() <= MAX_TARGET).then_some(text)
}

/// Checks host and target by the rules for requests of our own proxy.
fn kept(method: Method, scheme: &'static str, authority: &str, raw: &str) -> Option<Kept> {
    let (host, port) = Host::parse_authority(authority).ok()?;
    // A second spelling of a host is a way around a rule somewhere behind us.
    let name = authority.split(':').next().unwrap_or_default();
    let authority = match port {
        _ if name.ends_with('.') => return None,
        Some(port) => format!("{host}:{port}"),
        None => host.to_string(),
    };
    Some(Kept { method, scheme, host, authority, target: target(raw)?.to_owned() })
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
