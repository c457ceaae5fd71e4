//! What a request shows to say whose it is, and what of it an app receives.

use super::fields;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderValue};
use std::sync::OnceLock;
use vestibule::domain::ReturnOrigins;
use vestibule::http::{Brand, Cookies, Site, credential, is_our_authorization, shows_token};
use vestibule::proxy::fuzzing::strip;
use vestibule::service::Credential;
use vestibule::types::PublicUrl;

fn names() -> &'static Cookies {
    static NAMES: OnceLock<Cookies> = OnceLock::new();
    NAMES.get_or_init(|| {
        let public_url = PublicUrl::parse("http://127.0.0.1:8080").expect("an address");
        Cookies::new(&Site {
            origins: ReturnOrigins {
                public_url: public_url.clone(),
                hosts: Vec::new(),
                cookie_domain: None,
            },
            public_url,
            prefix: String::from("/_vestibule"),
            cookie_domain: None,
            body_max: 65_536,
            brand: Brand::default(),
        })
    })
}

/// Pairs in all cookie fields together.
fn pairs(headers: &HeaderMap) -> Vec<Vec<u8>> {
    let fields = headers.get_all(COOKIE).iter();
    let pairs = fields.flat_map(|field| field.as_bytes().split(|byte| *byte == b';'));
    let pairs = pairs.map(|pair| pair.trim_ascii().to_vec());
    pairs.filter(|pair| !pair.is_empty()).collect()
}

/// Whether a browser that is given this pair back would send one that is ours.
fn is_ours(pair: &[u8]) -> bool {
    let start = pair.iter().position(|byte| *byte != b'=' && !byte.is_ascii_whitespace());
    let pair = &pair[start.unwrap_or(pair.len())..];
    let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    let name = name.strip_prefix("__host-").or(name.strip_prefix("__secure-")).unwrap_or(&name);
    name.starts_with("vestibule")
}

/// Every line is a cookie field.
pub fn cookies(bytes: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(COOKIE, value);
        }
    }
    let sent = pairs(&headers);
    let named = |pair: &&Vec<u8>| {
        pair.split(|byte| *byte == b'=')
            .next()
            .is_some_and(|name| name.trim_ascii() == b"vestibule")
    };
    let shows = names().session_token(&headers).is_some();
    assert!(!shows || sent.iter().filter(named).count() == 1, "one of two, or none at all");

    assert!(strip(&mut headers), "what is left is no field");
    let left = pairs(&headers);
    assert!(names().session_token(&headers).is_none(), "an app receives the session");
    assert!(!left.iter().any(|pair| is_ours(pair)), "an app receives a cookie of ours");
    let theirs: Vec<_> = sent.iter().filter(|pair| !is_ours(pair)).cloned().collect();
    assert_eq!(left, theirs, "an app does not receive what is its own");
    assert!(headers.get_all(COOKIE).iter().count() <= 1 || left == sent);
    let once = headers.clone();
    assert!(strip(&mut headers) && headers == once, "stripped a second time");
}

/// Fields, among them some that authorise.
pub fn authorization(bytes: &[u8]) {
    let mut headers = fields(bytes);
    let is_token =
        |shown: &Credential| matches!(shown, Credential::Token(..) | Credential::Access(_));
    if credential(names(), &headers).as_ref().is_some_and(is_token) {
        assert!(shows_token(&headers), "a token that nobody takes for one");
    }
    assert!(strip(&mut headers), "what is left is no field");
    let mut left = headers.get_all(AUTHORIZATION).iter();
    assert!(!left.any(|field| is_our_authorization(field.as_bytes())), "an app receives a token");
    assert!(!credential(names(), &headers).as_ref().is_some_and(is_token));
}
