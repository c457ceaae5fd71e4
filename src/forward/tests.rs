use super::*;
use crate::types::{ClientAddr, RequestCx, RequestId, Timestamp};
use bytes::Bytes;
use std::net::Ipv4Addr;

/// Reads a check at this endpoint, with these fields.
fn read(endpoint: &str, fields: &[(&'static str, &str)]) -> Result<Kept, &'static str> {
    let (path, query) = endpoint.split_once('?').unwrap_or((endpoint, ""));
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let request = Request {
        method: Method::PUT,
        authority: "App.Example.com:8443".into(),
        host: Host::parse("app.example.com").unwrap(),
        path: path.into(),
        query: query.into(),
        headers,
        body: Bytes::new(),
        peer_is_trusted: true,
        cx: RequestCx {
            id: RequestId::from_bytes([1; 16]),
            now: Timestamp::from_secs(1_800_000_000),
            client: ClientAddr::from(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST)),
        },
    };
    Dialect::of(&request.path).unwrap().read(&request)
}

fn auth_request(url: &str) -> Result<Kept, &'static str> {
    read("/auth-request", &[("x-original-method", "PUT"), ("x-original-url", url)])
}

fn forward_auth(host: &str, uri: &str) -> Result<Kept, &'static str> {
    let fields = [
        ("x-forwarded-method", "PUT"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", host),
        ("x-forwarded-uri", uri),
    ];
    read("/forward-auth", &fields)
}

#[test]
fn all_dialects_say_the_same_in_other_words() {
    let said = auth_request("https://App.Example.com:8443//a/../%62?c=//d").unwrap();
    assert_eq!(forward_auth("App.Example.com:8443", "//a/../%62?c=//d"), Ok(said.clone()));
    let proto = [("x-forwarded-proto", "https")];
    assert_eq!(read("/ext-authz//a/../%62?c=//d", &proto), Ok(said.clone()));
    assert_eq!((said.method.as_str(), said.host.as_str()), ("PUT", "app.example.com"));
    assert_eq!((said.path(), said.scheme), ("//a/../%62", "https"));
    assert_eq!(said.url(), "https://app.example.com:8443//a/../%62?c=//d");
}

#[test]
fn a_field_that_is_missing_doubled_or_empty_is_named() {
    let all = [
        ("x-forwarded-method", "GET"),
        ("x-forwarded-proto", "wss"),
        ("x-forwarded-host", "a.test"),
        ("x-forwarded-uri", "/x"),
    ];
    assert_eq!(read("/forward-auth", &all).unwrap().url(), "https://a.test/x");
    for at in 0..all.len() {
        let name = all[at].0;
        let without: Vec<_> = all.iter().copied().filter(|(other, _)| *other != name).collect();
        assert_eq!(read("/forward-auth", &without), Err(name));
        let twice: Vec<_> = all.into_iter().chain([all[at]]).collect();
        assert_eq!(read("/forward-auth", &twice), Err(name));
        let empty: Vec<_> = without.into_iter().chain([(name, "")]).collect();
        assert_eq!(read("/forward-auth", &empty), Err(name));
    }
    // The words of another dialect are none.
    assert_eq!(read("/auth-request", &all), Err("x-original-method"));
    assert_eq!(read("/ext-authz/x", &[]), Err("x-forwarded-proto"));
    assert_eq!(read("/ext-authz", &all[1..2]), Err("path or host"));
    assert_eq!(read("/ext-authz*", &all[1..2]), Err("path or host"));
}

#[test]
fn what_could_be_taken_for_another_request_is_none() {
    for host in ["", "a.test.", "u@a.test", "a.test, b.test", "a.test:x", "a b", "ä.test", "a/b"] {
        assert_eq!(forward_auth(host, "/x"), Err("x-forwarded-host"), "{host}");
        assert_eq!(auth_request(&format!("https://{host}/x")).is_ok(), host == "a/b", "{host}");
    }
    let long = format!("/{}", "x".repeat(MAX_TARGET));
    for uri in [
        "",
        "x",
        "*",
        "http://a.test/",
        "?x",
        "/a b",
        "/a\tb",
        "/a#b",
        "/a\"",
        "/<",
        "/é",
        "/a`",
        &long,
    ] {
        assert_eq!(forward_auth("a.test", uri), Err("x-forwarded-uri"), "{uri}");
        if uri != "x" && uri != "?x" {
            assert!(auth_request(&format!("https://a.test{uri}")).is_err(), "{uri}");
        }
    }
    for url in [
        "/x",
        "//a.test/x",
        "https:/a.test/x",
        "HTTPS://a.test/x",
        "ftp://a.test/x",
        "https://a.test?x",
    ] {
        assert_eq!(auth_request(url), Err("x-original-url"), "{url}");
    }
    for method in ["get", "CONNECT", "TRACE", "G T", "GET,POST"] {
        let fields = [("x-original-method", method), ("x-original-url", "http://a.test/")];
        assert_eq!(read("/auth-request", &fields), Err("x-original-method"), "{method}");
    }
}

#[test]
fn an_endpoint_is_known_by_its_whole_name() {
    for unknown in ["", "/", "/auth-request/", "/forward-auth/x", "/ext", "/Auth-Request"] {
        assert_eq!(Dialect::of(unknown), None, "{unknown}");
    }
    assert_eq!(Dialect::of("/ext-authz/../x"), Some(Dialect::ExtAuthz("/../x")));
}
