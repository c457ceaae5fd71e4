use super::*;

fn protected() -> ProtectedNames {
    ProtectedNames::new(["remote-user", "X-Vestibule-Assertion", "", "x-request-id"])
}

#[test]
fn registered_methods_pass_and_all_others_are_405() {
    for method in ["GET", "HEAD", "POST", "PROPFIND", "QUERY", "REBIND"] {
        assert_eq!(check_method(method.as_bytes()), Ok(()), "{method}");
    }
    for method in ["CONNECT", "TRACE", "TRACK", "PRI", "get", "FOO", "", "DEBUG"] {
        assert_eq!(check_method(method.as_bytes()), Err(Refusal::MethodNotAllowed), "{method}");
    }
}

#[test]
fn a_target_is_a_path_of_printable_ascii() {
    for target in ["/", "/a/../b", "/%00?x=|`{}", "//x\\^"] {
        assert_eq!(check_target(target.as_bytes(), 64), Ok(()), "{target}");
    }
    let bad: [&[u8]; 9] =
        [b"", b"*", b"a", b"http://h/", b"h:443", b"/a#b", b"/a b", b"/\x7f", b"/\xff"];
    let refused_by_the_engine: [&[u8]; 5] = [b"/\"", b"/<", b"/?>", b"/`", b"/?\""];
    for target in bad.into_iter().chain(refused_by_the_engine) {
        assert_eq!(check_target(target, 64), Err(Refusal::BadTarget), "{target:?}");
    }
    assert_eq!(check_target(&[b'/'; 65], 64), Err(Refusal::TargetTooLong));
}

#[test]
fn a_host_is_a_name_or_an_address_with_at_most_a_port() {
    for host in ["a", "a.b-c.example:8080", "127.0.0.1:1", "[::1]", "[2001:db8::1]:65535", "a_b"] {
        assert_eq!(check_host(host.as_bytes()), Ok(()), "{host}");
    }
    for host in [
        "",
        ".a",
        "a..b",
        "a.",
        "a:",
        "a:65536",
        "a:+1",
        "a:1:2",
        "u@a",
        "a/evil",
        "a b",
        "a%41",
        "ä.example",
        "[::1",
        "[::g]",
        "[::1]x",
        "[]",
        "a,b",
        "::1",
        "a:123456",
        "a:99999999999999999999",
    ] {
        assert_eq!(check_host(host.as_bytes()), Err(Refusal::BadHost), "{host}");
    }
}

#[test]
fn a_spelling_that_folds_to_a_protected_name_is_an_alias_and_the_name_itself_is_not() {
    let names = protected();
    for alias in
        ["Remote_User", "remote.user", "REMOTE~USER", "x_vestibule_assertion", "x-request_id"]
    {
        assert!(names.is_alias(alias.as_bytes()), "{alias}");
    }
    for fine in ["Remote-User", "remoteuser", "x-requestid", "remote_users", "cookie"] {
        assert!(!names.is_alias(fine.as_bytes()), "{fine}");
    }
    let odd = ProtectedNames::new(["x_user"]);
    assert!(odd.is_alias(b"X-User"));
    assert!(!odd.is_alias(b"X_User"));
}

/// Runs the fields of one head and returns the verdict.
fn scan(fields: &[(&str, &[u8])], http_10: bool) -> Result<BodyFraming, Refusal> {
    let mut scan = FieldScan::default();
    for (name, value) in fields {
        scan.field(&protected(), &HeadLimits::default(), name.as_bytes(), value)?;
    }
    scan.finish(http_10, false)
}

#[test]
fn every_field_rule_has_its_refusal() {
    let host: (&str, &[u8]) = ("Host", b" a ");
    let cases: &[(&str, &[u8], Refusal)] = &[
        ("Host", b"a", Refusal::BadHost),
        ("Content-Length", b"+1", Refusal::BadContentLength),
        ("Content-Length", b"1, 1", Refusal::BadContentLength),
        ("Content-Length", b"1 1", Refusal::BadContentLength),
        ("Content-Length", b"", Refusal::BadContentLength),
        ("Content-Length", b"-1", Refusal::BadContentLength),
        ("Content-Length", b"0x1", Refusal::BadContentLength),
        ("Content-Length", b"18446744073709551616", Refusal::BadContentLength),
        ("Content_Length", b"1", Refusal::AliasOfIdentityHeader),
        ("Transfer.Encoding", b"chunked", Refusal::AliasOfIdentityHeader),
        ("Transfer-Encoding", b"gzip, chunked", Refusal::BadTransferEncoding),
        ("Transfer-Encoding", b"chunked, chunked", Refusal::BadTransferEncoding),
        ("Transfer-Encoding", b"identity", Refusal::BadTransferEncoding),
        ("Transfer-Encoding", b"\x0bchunked", Refusal::BadFieldValue),
        ("Transfer-Encoding", b"", Refusal::BadTransferEncoding),
        ("Expect", b"200-ok", Refusal::BadExpectation),
        ("Remote_User", b"x", Refusal::AliasOfIdentityHeader),
        ("Connection", b"close, Remote-User", Refusal::ConnectionNamesProtected),
        ("Connection", b"x_request_id", Refusal::ConnectionNamesProtected),
        ("Connection", b"content-length", Refusal::ConnectionNamesProtected),
        ("Connection", b"Cookie", Refusal::ConnectionNamesProtected),
        ("Cookie", b"a=\xff", Refusal::BadFieldValue),
        ("Authorization", b"\x80", Refusal::BadFieldValue),
        ("X", b"\0", Refusal::BadFieldValue),
        ("X", b"\x7f", Refusal::BadFieldValue),
        ("X ", b"", Refusal::BadFieldName),
        ("", b"x", Refusal::BadFieldName),
        ("X(", b"x", Refusal::BadFieldName),
    ];
    for (name, value, refusal) in cases {
        assert_eq!(scan(&[host, (name, value)], false), Err(*refusal), "{name}: {value:?}");
    }
    assert_eq!(scan(&[], false), Err(Refusal::BadHost));
    assert_eq!(scan(&[host, ("X", b"t\t \xff")], false), Ok(BodyFraming::None));
    assert_eq!(scan(&[host, ("Remote-User", b"x")], false), Ok(BodyFraming::None));
}

#[test]
fn two_statements_about_length_are_one_too_many() {
    let host: (&str, &[u8]) = ("Host", b"a");
    let length: (&str, &[u8]) = ("Content-Length", b"5");
    let chunked: (&str, &[u8]) = ("Transfer-Encoding", b"Chunked");
    assert_eq!(scan(&[host, length], false), Ok(BodyFraming::Length(5)));
    assert_eq!(scan(&[host, chunked], false), Ok(BodyFraming::Chunked));
    assert_eq!(scan(&[host, length, length], false), Err(Refusal::AmbiguousFraming));
    assert_eq!(scan(&[host, length, chunked], false), Err(Refusal::AmbiguousFraming));
    assert_eq!(scan(&[host, chunked, chunked], false), Err(Refusal::BadTransferEncoding));
    assert_eq!(scan(&[host, chunked], true), Err(Refusal::BadTransferEncoding));
}

#[test]
fn the_hundred_and_first_field_is_refused() {
    let many = vec![("A", &b"b"[..]); 100];
    assert_eq!(scan(&many, false), Err(Refusal::BadHost));
    assert_eq!(scan(&vec![("A", &b"b"[..]); 101], false), Err(Refusal::TooManyFields));
}

fn http2(uri: &str, fields: &[(&str, &str)]) -> Result<(), Refusal> {
    let mut request = http::Request::builder().uri(uri).version(http::Version::HTTP_2);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let target = parts.uri.path().to_owned();
    check_http2(&parts, target.as_bytes(), &protected(), &HeadLimits::default())
}

#[test]
fn http_2_obeys_the_same_rules() {
    assert_eq!(http2("https://a.example/x", &[]), Ok(()));
    assert_eq!(http2("https://a.example/x", &[("host", "A.example")]), Ok(()));
    assert_eq!(http2("https://a.example/x", &[("host", "b.example")]), Err(Refusal::HostMismatch));
    assert_eq!(http2("https://a.example./x", &[]), Err(Refusal::BadHost));
    assert_eq!(http2("/x", &[]), Err(Refusal::BadHost));
    assert_eq!(http2("https://a/x", &[("remote_user", "x")]), Err(Refusal::AliasOfIdentityHeader));
    let long = "x".repeat(33 * 1024);
    assert_eq!(http2("https://a/x", &[("x", &long)]), Err(Refusal::HeadTooLarge));
}

#[test]
fn only_a_plain_websocket_handshake_is_an_upgrade() {
    let ask = |method: &str, upgrade: &str, connection: &str| {
        let request = http::Request::builder()
            .method(method)
            .header("upgrade", upgrade)
            .header("connection", connection);
        is_websocket_upgrade(&request.body(()).unwrap().into_parts().0)
    };
    assert!(ask("GET", "WebSocket", "keep-alive, Upgrade"));
    assert!(!ask("POST", "websocket", "upgrade"));
    assert!(!ask("GET", "websocket, h2c", "upgrade"));
    assert!(!ask("GET", "h2c", "upgrade"));
    assert!(!ask("GET", "websocket", "keep-alive"));
}
