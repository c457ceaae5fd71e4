//! Bodies of forms and of calls.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use serde::Deserialize;
use std::net::Ipv4Addr;
use vestibule::http::{BadJson, Fields, Request, read_json};
use vestibule::types::{ClientAddr, Host, RequestCx, RequestId, Timestamp};

/// A request of a trusted peer's, with this path and query.
pub fn request(path: &str, query: &str, headers: HeaderMap, body: &[u8]) -> Request {
    Request {
        method: Method::POST,
        authority: String::from("app.example.com"),
        host: Host::parse("app.example.com").expect("a host"),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: body.to_vec().into(),
        peer_is_trusted: true,
        cx: RequestCx {
            id: RequestId::from_bytes([1; 16]),
            now: Timestamp::from_secs(1_800_000_000),
            client: ClientAddr::from(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST)),
        },
    }
}

fn of_type(kind: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))])
}

/// Fields are read from a body and from a query alike, and written again they are the same.
pub fn forms(bytes: &[u8]) {
    const NAMES: [&str; 4] = ["username", "password", "rd", ""];
    let headers = of_type("application/x-www-form-urlencoded");
    let sent = request("/", "", headers.clone(), bytes);
    let Ok(fields) = Fields::of_form(&sent, 4096) else { return };
    let values = NAMES.map(|name| fields.get(name).to_owned());
    if let Ok(text) = std::str::from_utf8(bytes) {
        let of_query = Fields::of_query(&request("/", text, HeaderMap::new(), b""));
        assert_eq!(NAMES.map(|name| of_query.get(name).to_owned()), values);
    }
    let pairs = NAMES.iter().zip(&values).filter(|(_, value)| !value.is_empty());
    let again = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let again = Fields::of_form(&request("/", "", headers, again.as_bytes()), 1 << 20);
    let again = again.expect("what was read can be written");
    assert_eq!(NAMES.map(|name| again.get(name).to_owned()), values);
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "what matters is whether it is read")]
struct Call {
    username: String,
    password: String,
    remember_me: Option<bool>,
    totp_code: Option<String>,
    #[serde(default)]
    groups: Vec<String>,
    days: Option<u16>,
    limits: Option<Limits>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "what matters is whether it is read")]
struct Limits {
    hosts: Vec<String>,
}

/// Every word that may stand between backticks in what is said of a call.
const WORDS: [&str; 9] =
    ["username", "password", "remember_me", "totp_code", "groups", "days", "limits", "hosts", ""];

/// What is said of a body is in words of ours, and the same body is read in one way.
pub fn json(bytes: &[u8]) {
    let sent = request("/", "", of_type("application/json"), bytes);
    match read_json::<Call>(&sent, 4096) {
        Ok(_) => assert!(is_object(bytes), "read as a call, and no object"),
        Err(BadJson::Malformed) => {}
        Err(BadJson::Invalid(said)) => {
            for word in said.split('`').skip(1).step_by(2) {
                assert!(WORDS.contains(&word), "it repeats what was sent: {said}");
            }
        }
        Err(BadJson::TooLarge) => assert!(bytes.len() > 4096),
        Err(BadJson::NotJson) => panic!("its type is right"),
    }
}

fn is_object(bytes: &[u8]) -> bool {
    matches!(serde_json::from_slice(bytes), Ok(serde_json::Value::Object(_)))
}
