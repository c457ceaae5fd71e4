//! What a request must look like before anything else looks at it.
//!
//! Pure functions over bytes, no input or output. The raw HTTP/1 guard calls them line by line,
//! the HTTP/2 hook calls [`check_http2`]; both doors therefore refuse the same things. A request
//! that passes has exactly one reading. Nothing here may ever change a request.

mod fields;
mod names;
mod refusal;
#[cfg(test)]
mod tests;

use crate::types::{is_method, is_target};
use std::net::Ipv6Addr;

pub(crate) use fields::{BodyFraming, Field, FieldScan, check_name, check_value, tokens, trim};
pub(crate) use names::ProtectedNames;
pub(crate) use refusal::Refusal;

/// The longest target accepted.
pub(crate) const MAX_TARGET: usize = 8 * 1024;
/// The largest head accepted.
pub(crate) const MAX_HEAD: usize = 32 * 1024;
/// The most fields accepted.
pub(crate) const MAX_FIELDS: usize = 100;

/// How much of a head is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadLimits {
    /// Bytes of the whole head.
    pub(crate) head: usize,
    /// Number of fields.
    pub(crate) fields: usize,
    /// Bytes of the target.
    pub(crate) target: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self { head: MAX_HEAD, fields: MAX_FIELDS, target: MAX_TARGET }
    }
}

/// A method that a gateway forwards.
pub(crate) fn check_method(method: &[u8]) -> Result<(), Refusal> {
    if is_method(method) { Ok(()) } else { Err(Refusal::MethodNotAllowed) }
}

/// A path with an optional query, no longer than this.
pub(crate) fn check_target(target: &[u8], longest: usize) -> Result<(), Refusal> {
    if target.len() > longest {
        return Err(Refusal::TargetTooLong);
    }
    if is_target(target) { Ok(()) } else { Err(Refusal::BadTarget) }
}

/// `reg-name`, IPv4 or `[IPv6]`, with an optional port.
///
/// Narrower than the grammar: no percent-encoding, no sub-delimiters, no empty label, also not the
/// one after a trailing dot. Rules are written for hosts, and a second spelling is a way around.
pub(crate) fn check_host(host: &[u8]) -> Result<(), Refusal> {
    let (name, port) = match host.strip_prefix(b"[") {
        Some(rest) => split_ipv6(rest)?,
        None => split_name(host)?,
    };
    if name.len() > 255 {
        return Err(Refusal::BadHost);
    }
    match port {
        Some(port) => check_port(port),
        None => Ok(()),
    }
}

/// Splits what follows `[` and checks the address.
fn split_ipv6(rest: &[u8]) -> Result<(&[u8], Option<&[u8]>), Refusal> {
    let mut parts = rest.splitn(2, |b| *b == b']');
    let (Some(address), Some(after)) = (parts.next(), parts.next()) else {
        return Err(Refusal::BadHost);
    };
    let valid = std::str::from_utf8(address).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok());
    match after.split_first() {
        _ if !valid => Err(Refusal::BadHost),
        None => Ok((address, None)),
        Some((b':', port)) => Ok((address, Some(port))),
        Some(_) => Err(Refusal::BadHost),
    }
}

/// Splits `name:port` and checks the name.
fn split_name(host: &[u8]) -> Result<(&[u8], Option<&[u8]>), Refusal> {
    let mut parts = host.splitn(2, |b| *b == b':');
    let name = parts.next().unwrap_or_default();
    let labels_fine = name.split(|b| *b == b'.').all(|label| {
        !label.is_empty()
            && label.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    });
    if labels_fine { Ok((name, parts.next())) } else { Err(Refusal::BadHost) }
}

/// One to five digits, at most 65535.
fn check_port(port: &[u8]) -> Result<(), Refusal> {
    let digits = (1..=5).contains(&port.len()) && port.iter().all(u8::is_ascii_digit);
    let value = || std::str::from_utf8(port).ok()?.parse::<u16>().ok();
    digits.then(value).flatten().map(drop).ok_or(Refusal::BadHost)
}

/// The whole of hygiene for one HTTP/2 request; `target` is the raw `:path`.
///
/// # Errors
/// The first rule the request breaks.
pub(crate) fn check_http2(
    parts: &http::request::Parts,
    target: &[u8],
    protected: &ProtectedNames,
    limits: &HeadLimits,
) -> Result<(), Refusal> {
    check_method(parts.method.as_str().as_bytes())?;
    check_target(target, limits.target)?;
    let mut scan = FieldScan::default();
    let mut size = target.len();
    for (name, value) in &parts.headers {
        let (name, value) = (name.as_str().as_bytes(), value.as_bytes());
        // Four bytes of punctuation, as the same field would cost in HTTP/1.
        size = size.saturating_add(name.len() + value.len() + 4);
        if size > limits.head {
            return Err(Refusal::HeadTooLarge);
        }
        scan.field(protected, limits, name, value)?;
    }
    let authority = parts.uri.authority().map(|a| a.as_str().as_bytes());
    if let Some(authority) = authority {
        check_host(authority)?;
        if let Some(host) = parts.headers.get(http::header::HOST)
            && !host.as_bytes().eq_ignore_ascii_case(authority)
        {
            return Err(Refusal::HostMismatch);
        }
    }
    scan.finish(false, authority.is_some()).map(|_| ())
}

/// Whether this is a WebSocket handshake, the only upgrade the gateway lets through.
///
/// `GET`, HTTP/1.1, `Upgrade: websocket` and nothing else, `Connection` with `upgrade`, no body.
pub(crate) fn is_websocket_upgrade(parts: &http::request::Parts) -> bool {
    let mut upgrades = parts.headers.get_all(http::header::UPGRADE).iter();
    // Asked of every request, and nearly all end here.
    let Some(upgrade) = upgrades.next() else { return false };
    let single =
        trim(upgrade.as_bytes()).eq_ignore_ascii_case(b"websocket") && upgrades.next().is_none();
    let connection = parts
        .headers
        .get_all(http::header::CONNECTION)
        .iter()
        .flat_map(|value| tokens(value.as_bytes()))
        .any(|token| token.eq_ignore_ascii_case(b"upgrade"));
    let bodiless = !parts.headers.contains_key(http::header::TRANSFER_ENCODING)
        && parts.headers.get(http::header::CONTENT_LENGTH).is_none_or(|length| length == "0");
    single
        && connection
        && bodiless
        && parts.method == http::Method::GET
        && parts.version == http::Version::HTTP_11
}
