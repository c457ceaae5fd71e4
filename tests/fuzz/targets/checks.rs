//! What other proxies ask about: one request, whichever dialect it comes in.

use super::bodies::request;
use super::fields;
use http::{HeaderMap, HeaderValue};
use url::Url;
use vestibule::forward::fuzzing::{Asked, check};
use vestibule::proxy::fuzzing::message;

/// The first line is the endpoint with its query, the others are fields.
pub fn checks(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    let endpoint = parts.next().and_then(|line| std::str::from_utf8(line).ok());
    let (endpoint, query) = endpoint.map_or(("", ""), |e| e.split_once('?').unwrap_or((e, "")));
    let headers = fields(parts.next().unwrap_or_default());
    let path = format!("/_vestibule/authz{endpoint}");
    let Some(Ok(asked)) = check(&request(&path, query, headers, b"")) else { return };
    assert_eq!(again(&asked).as_ref(), Some(&asked), "another dialect says something else");
    a_browser_agrees(&asked);
    our_own_proxy_agrees(&asked);
}

/// The same in the words of nginx.
fn again(asked: &Asked) -> Option<Asked> {
    let mut headers = HeaderMap::new();
    headers.insert("x-original-url", HeaderValue::try_from(&asked.url).ok()?);
    headers.insert("x-original-method", HeaderValue::try_from(asked.method.as_str()).ok()?);
    check(&request("/_vestibule/authz/auth-request", "", headers, b""))?.ok()
}

/// The address leads a browser to the host that was judged.
fn a_browser_agrees(asked: &Asked) {
    // What is no address at all leads nowhere.
    let Ok(url) = Url::parse(&asked.url) else { return };
    let host = url.host_str().unwrap_or_default();
    let is_number = asked.host.as_str().rsplit('.').next().is_some_and(|last| {
        last.bytes().all(|byte| byte.is_ascii_digit()) || last.to_lowercase().starts_with("0x")
    });
    // A browser reads 127.1 as an address; such a host has no route.
    assert!(host == asked.host.as_str() || is_number, "{} leads to {host}", asked.url);
}

/// The same request at our own door is taken.
fn our_own_proxy_agrees(asked: &Asked) {
    let target =
        asked.url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
    let target = target.expect("a target");
    let head = format!("{} {target} HTTP/1.1\r\nHost: {}\r\n\r\n", asked.method, asked.authority);
    let read = message(head.as_bytes(), &[], &[]);
    assert!(matches!(read, Ok(Some(_))), "our own proxy: {read:?}");
}
