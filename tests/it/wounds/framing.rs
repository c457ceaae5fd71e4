//! Framing in HTTP/1: whoever can make two servers see two messages in the same bytes.

use super::statuses;
use crate::forward::{DIALECTS, Kept, house};
use crate::harness::{App, House, PATIENCE, connect, read_head, read_reply};
use std::io::{BufReader, Read as _, Write as _};

/// Fields that make a message ambiguous, each more than the table of `hygiene` has.
const AMBIGUOUS: &[&str] = &[
    "Transfer-Encoding: chunked,",
    "Transfer-Encoding: ,chunked",
    "Transfer-Encoding: chunked;",
    "Transfer-Encoding: \"chunked\"",
    "Transfer-Encoding: chunked identity",
    "Transfer-Encoding: \x0cchunked",
    "Transfer-Encoding: chunked\0",
    "Transfer-Encoding: chunked\r\nTransfer-encoding: identity",
    "Transfer-Encoding: x\r\nTRANSFER-ENCODING: chunked",
    "Transfer-Encoding:\r\n\tchunked",
    "Transfer-Encoding\t: chunked",
    "Transfer-Encoding\x0b: chunked",
    "Transfer~Encoding: chunked",
    "Transfer-Encoding: chunked\r\nContent-Length: 0",
    "content-length: 5\r\ntransfer-encoding: CHUNKED",
    "Content-Length: 5\r\ncontent-length: 5",
    "Content-Length: 5\r\nContent-Length: 0",
    "Content-Length: 5,5",
    "Content-Length: 5;",
    "Content-Length: 5.0",
    "Content-Length: 1e1",
    "Content-Length: 1_0",
    "Content-Length: 010",
    "Content-Length: 00",
    "Content-Length: \u{a0}5",
    "Content-Length: \u{665}",
    "Content-Length: 9223372036854775808",
    "Content-Length : 5",
    "Content|Length: 5",
    "Connection: close, Transfer-Encoding",
    "Connection: content-length",
    "X: a\r\r\nContent-Length: 5",
    "X: a\n\tContent-Length: 5",
    ": a",
    "X\u{e9}: a",
    "Expect: 100-continue;x",
    "Expect: ",
];

/// CVE-2026-2835, CVE-2023-40225, CVE-2023-25725: lengths and codings that two servers read in two
/// ways, and names without letters.
#[test]
fn no_ambiguous_message_is_let_in_at_any_door() {
    let house = house();
    let behind = "5\r\nhello\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: app.test\r\n$C\r\n";
    for fault in AMBIGUOUS {
        let own = format!("POST /x HTTP/1.1\r\nHost: app.test\r\n$C{fault}\r\n\r\n{behind}");
        let fields = format!("$C{fault}\r\n");
        let kept = Kept::get("app.test", "/x").with(&fields);
        let checks = DIALECTS.map(|dialect| dialect.check(&kept, "") + behind);
        for request in [own].iter().chain(&checks) {
            let answer = house.send(request.as_bytes());
            let status = answer.split(' ').nth(1).unwrap_or_default();
            assert!(["400", "417"].contains(&status), "{fault:?}: {request}\n{answer}");
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{fault:?}: {answer}");
        }
    }
    assert_eq!(house.app.received(), "");
    let fields = format!("Cookie: {}\r\n", house.cookie);
    assert_eq!(statuses(&house, &Kept::get("app.test", "/x").with(&fields)), [200; 4]);
}

/// No advisory of its own: versions that are none.
#[test]
fn a_version_that_is_none_is_no_request() {
    let house = house();
    for version in [
        "HTTP/1.10",
        "HTTP/01.1",
        "HTTP/1.1 ",
        "HTTP/1,1",
        "HTTP/+1.1",
        "HTTP/1.",
        "HTTP/.1",
        "HTTP/1.1\t",
        "HTTP/1",
        "HTTP/3.0",
        "HTTPS/1.1",
        "ICY/1.1",
        "",
        "HTTP/1.\u{661}",
    ] {
        let answer = house.send(format!("GET /x {version}\r\nHost: app.test\r\n$C\r\n").as_bytes());
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(["400", "505"].contains(&status), "{version:?}: {answer}");
    }
    assert_eq!(house.app.received(), "");
    // The old version that is one names its host as well, and keeps no connection unasked.
    let old = house.send(b"GET /x HTTP/1.0\r\nHost: app.test\r\n$C\r\n");
    assert!(old.contains(" 200 "), "{old}");
    assert!(house.send(b"GET /x HTTP/1.0\r\n$C\r\n").contains(" 400 "));
}

/// CVE-2025-4366, CVE-2024-28869: a body nobody reads, behind a request that was answered already
/// or has no use for one, must not become the next request.
#[test]
fn the_body_of_an_answered_request_is_never_the_next_request() {
    let target = |request: &str| request.split(' ').nth(1).unwrap().to_owned();
    let app = App::serving(move |request, stream| {
        let body = target(request);
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).is_ok()
    });
    let route = format!("[[route]]\nhost = \"*.test\"\nupstream = \"{}\"\n", app.url());
    let rules = "[[rule]]\npath = \"/closed\"\npolicy = \"deny\"\n";
    let options = crate::harness::Options {
        server: "trusted_proxies = [\"127.0.0.1\"]".into(),
        ..Default::default()
    };
    let house = House::with(app, options.config(&format!("{rules}{route}")));
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: app.test\r\n$C\r\n";
    let smuggled = String::from_utf8(house.fill(smuggled.as_bytes())).unwrap();
    let checks = DIALECTS.map(|dialect| {
        let check = dialect.check(&Kept::get("app.test", "/x"), "");
        check.replace("Connection: close\r\n\r\n", "")
    });
    let own = [
        ("GET /x", "app.test"),
        ("HEAD /x", "app.test"),
        ("POST /x", "app.test"),
        ("OPTIONS /x", "app.test"),
        ("DELETE /closed", "app.test"),
        ("GET /closed", "app.test"),
        ("GET /x", "unknown.example"),
        ("GET /_vestibule/login", "app.test"),
        ("HEAD /_vestibule/login", "app.test"),
        ("POST /_vestibule/login", "app.test"),
        ("GET /_vestibule/nothing", "app.test"),
        ("GET /_vestibule/assets/x", "app.test"),
        ("POST /_vestibule/api/v1/auth/login", "app.test"),
        ("GET /_vestibule/api/v1/auth/me", "app.test"),
        ("GET //_vestibule/login", "app.test"),
    ];
    let own = own.map(|(line, host)| format!("{line} HTTP/1.1\r\nHost: {host}\r\n"));
    for head in own.iter().chain(&checks) {
        for who in ["", "$C"] {
            let length = format!("Content-Length: {}\r\n\r\n{smuggled}", smuggled.len());
            let chunked = format!(
                "Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{smuggled}\r\n0\r\n\r\n",
                smuggled.len()
            );
            for body in [length, chunked] {
                let after = "GET /after HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n";
                let answer = house.send(format!("{head}{who}{body}{after}").as_bytes());
                assert!(answer.matches("HTTP/1.1 ").count() <= 2, "{head}{who}\n{answer}");
                assert!(!answer.contains("/smuggled"), "{head}{who}\n{answer}");
                assert!(!answer.contains("/after"), "{head}{who}\n{answer}");
            }
        }
    }
    let alone = house.get("/smuggled", "");
    assert_eq!(alone.text(), "/smuggled", "it would have been answered");
}

/// CVE-2026-2833, CVE-2019-17567, CVE-2024-23326: an upgrade that the app does not take leaves no
/// tunnel, and what was sent behind it is judged like anything else.
#[test]
fn an_upgrade_that_the_app_does_not_take_leaves_no_tunnel() {
    const ANSWERS: [&str; 6] = [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno",
        "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nno",
        "HTTP/1.1 200 OK\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nno",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
        "HTTP/1.1 204 No Content\r\n\r\n",
    ];
    let app = App::serving(|request, stream| {
        let target = request.split(' ').nth(1).unwrap();
        let number = target.rsplit('/').next().unwrap().parse().unwrap_or(0_usize);
        stream.write_all(ANSWERS[number].as_bytes()).is_ok()
    });
    let rules = "[[rule]]\npath = \"/public\"\npolicy = \"bypass\"\n";
    let route = format!("[[route]]\nhost = \"*\"\nupstream = \"{}\"\n", app.url());
    let house =
        House::with(app, crate::harness::Options::default().config(&format!("{rules}{route}")));
    for (number, asked) in
        (0..ANSWERS.len()).flat_map(|n| ["websocket", "WebSocket", "h2c", "foo"].map(|a| (n, a)))
    {
        let request = format!(
            "GET /public/{number} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: {asked}\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n\
             GET /secret HTTP/1.1\r\nHost: a\r\nRemote-User: root\r\nConnection: close\r\n\r\n"
        );
        let answer = house.send(request.as_bytes());
        let received = house.app.take_received();
        assert!(received.starts_with(&format!("GET /public/{number} ")), "{received}");
        assert!(!received.contains("/secret") && !received.contains("root"), "{asked}: {received}");
        assert!(answer.ends_with("}") || !answer.contains("HTTP/1.1 401"), "{asked}: {answer}");
        assert!(answer.contains("HTTP/1.1 401 "), "{asked} {number}: {answer}");
    }
}

/// No advisory of its own: an answer that comes before the body was read. Where the rest of the body
/// never comes, the next request on the app's connection would be taken for it.
#[test]
fn an_early_answer_leaves_nothing_of_the_body_to_the_next_request() {
    let app = App::by_hand(|mut stream| {
        loop {
            let head = read_head(&mut stream).to_lowercase();
            let Some(target) = head.split(' ').nth(1) else { return };
            let answer =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{target}", target.len());
            if stream.get_mut().write_all(answer.as_bytes()).is_err() {
                return;
            }
            // Only now it reads the body, as long as it was announced.
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let mut left: usize = length.map_or(0, |length| length.parse().unwrap());
            let mut buffer = [0; 256];
            while left > 0 {
                let most = left.min(buffer.len());
                let Ok(count @ 1..) = stream.read(&mut buffer[..most]) else { return };
                left -= count;
            }
        }
    });
    let house = House::around(app);
    let evil = "GET /smuggled HTTP/1.1\r\nHost: a\r\nRemote-User: root\r\n\r\n";
    let answered = evil.repeat(100);
    for sent in [0, 1, evil.len(), answered.len() - 1, answered.len()] {
        let head =
            format!("POST /up HTTP/1.1\r\nHost: a\r\n$CContent-Length: {}\r\n\r\n", answered.len());
        let mut stream = connect(house.gateway.address);
        stream.write_all(&house.fill(head.as_bytes())).unwrap();
        let mut stream = BufReader::new(stream);
        assert_eq!(read_reply(&mut stream, false).text(), "/up");
        // The answer is there; now comes some of the body, or all of it, and the client leaves.
        let _ = stream.get_mut().write_all(&answered.as_bytes()[..sent]);
        drop(stream);
        for _ in 0..3 {
            assert_eq!(house.get("/next", "").text(), "/next", "after {sent} bytes of the body");
        }
    }
}

/// CVE-2019-9900: bytes that end a text for one reader and not for another.
#[test]
fn a_control_byte_is_in_no_credential_and_in_no_host() {
    let house = house();
    let signed_in = house.fill(b"$C");
    for byte in [0x00_u8, 0x01, 0x08, 0x0b, 0x0c, 0x1b, 0x7f, 0x80, 0xa0, 0xff] {
        for field in
            ["Cookie: a=", "Authorization: Basic ", "Proxy-Authorization: x", "Cookie: vestibule="]
        {
            let fault = [field.as_bytes(), &[byte], b"b\r\n"].concat();
            for dialect in [None].into_iter().chain(DIALECTS.map(Some)) {
                let head = match dialect {
                    None => String::from("GET /public HTTP/1.1\r\nHost: app.test\r\n\r\n"),
                    Some(dialect) => dialect.check(&Kept::get("app.test", "/public"), ""),
                };
                let (line, rest) = head.split_once("\r\n").unwrap();
                let request =
                    [line.as_bytes(), b"\r\n", &signed_in, &fault, rest.as_bytes()].concat();
                let answer = house.send(&request);
                assert!(
                    answer.starts_with("HTTP/1.1 400 "),
                    "{dialect:?} {field} {byte}: {answer}"
                );
            }
        }
        // In the host, and in whatever field a dialect reads it from.
        let host = [b"app", &[byte][..], b".test"].concat();
        let own = [b"GET /public HTTP/1.1\r\nHost: ".as_slice(), &host, b"\r\n\r\n"].concat();
        assert!(house.send(&own).starts_with("HTTP/1.1 400 "), "{byte}");
        for dialect in DIALECTS {
            let check = dialect.check(&Kept::get("HERE.test", "/public"), "");
            let (before, after) = check.split_once("HERE.test").unwrap();
            let request = [before.as_bytes(), &host, after.as_bytes()].concat();
            let answer = house.send(&request);
            assert!(answer.starts_with("HTTP/1.1 400 "), "{dialect:?} {byte}: {answer}");
        }
    }
    assert_eq!(house.app.received(), "");
}

/// CVE-2023-27487 and others of its kind: a field that names another target, host or method than the
/// request has.
#[test]
fn a_field_that_names_another_request_changes_no_verdict_and_reaches_no_app() {
    const NAMES: [&str; 16] = [
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-Override-URL",
        "X-Original-URI",
        "X-Original-Host",
        "X-Forwarded-Path",
        "X-Forwarded-Prefix",
        "X-Envoy-Original-Path",
        "X-Envoy-Original-Host",
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
        "X-Forwarded-Server",
        "X_Original_URL",
        "X.Rewrite.URL",
        "X-HTTP_Method-Override",
    ];
    let house = house();
    for name in NAMES {
        let fields = format!("{name}: /public\r\n");
        let own = |target: &str, who: &str| {
            house.ask(&format!(
                "GET {target} HTTP/1.1\r\nHost: app.test\r\n{who}{fields}Connection: close\r\n\r\n"
            ))
        };
        assert_eq!(own("/x", "").status, 401, "{name}");
        assert_eq!(own("/closed", "$C").status, 403, "{name}");
        assert_eq!(house.app.take_received(), "");
        assert_eq!(own("/public", "").status, 200, "{name}");
        let received = house.app.take_received().to_lowercase();
        assert!(!received.contains(&name.to_lowercase()), "{name}: {received}");
    }
}

/// No advisory of its own: one connection, cut at every byte.
#[test]
fn however_the_network_cuts_it_a_refusal_stays_a_refusal() {
    let house = house();
    let request = "POST /x HTTP/1.1\r\nHost: app.test\r\n$CContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n";
    let request = house.fill(request.as_bytes());
    for at in (1..request.len()).step_by(3) {
        let mut stream = connect(house.gateway.address);
        stream.set_nodelay(true).unwrap();
        stream.write_all(&request[..at]).unwrap();
        let _ = stream.write_all(&request[at..]);
        let mut answer = String::new();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let _ = stream.read_to_string(&mut answer);
        assert!(answer.starts_with("HTTP/1.1 400 "), "cut at {at}: {answer}");
    }
    assert_eq!(house.app.received(), "");
}
