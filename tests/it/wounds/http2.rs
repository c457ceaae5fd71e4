//! HTTP/2: heads that say two things, and bodies that are not what was announced.

use super::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Frames, HEADERS, Outcome, WHOLE, block, frame,
};
use crate::forward::{house, house_with};
use crate::harness::{App, H2App, House, Options, h2_connect, h2_exchange};
use std::io::Write as _;

type Fields<'a> = Vec<(&'a str, &'a str)>;

/// A request that would pass.
fn good(house: &House) -> Fields<'_> {
    vec![
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", "app.test"),
        (":path", "/x"),
        ("cookie", &house.cookie),
    ]
}

/// The same with this pseudo-field said otherwise, or not at all.
fn but<'a>(house: &'a House, name: &str, value: Option<&'a str>) -> Fields<'a> {
    let mut fields = good(house);
    let at = fields.iter().position(|(other, _)| *other == name).unwrap();
    match value {
        Some(value) => fields[at].1 = value,
        None => drop(fields.remove(at)),
    }
    fields
}

/// The same with these further fields.
fn and<'a>(house: &'a House, more: &[(&'a str, &'a str)]) -> Fields<'a> {
    [good(house), more.to_vec()].concat()
}

/// What becomes of a request on a connection of its own.
fn ask(house: &House, fields: &[(&str, &str)]) -> Outcome {
    let mut frames = Frames::open(house.gateway.address);
    frames.send(&frame(HEADERS, WHOLE, 1, &block(fields)));
    frames.outcome(1)
}

/// Checks that a request is let in as it is, and not with this fault.
fn assert_refused(house: &House, fields: &[(&str, &str)]) {
    let outcome = ask(house, fields);
    assert!(!outcome.is_let_in(), "{fields:?}: {outcome:?}");
    assert_eq!(house.app.received(), "", "{fields:?}");
}

/// RFC 9113, 8.3: pseudo-fields that are missing, there twice, unknown, too late, or something
/// else than they say.
#[test]
fn a_head_whose_pseudo_fields_are_at_fault_is_let_in_nowhere() {
    let house = house();
    let own: Vec<Fields<'_>> = [
        (
            ":method",
            &[
                "",
                "CONNECT",
                "GET /public HTTP/1.1",
                "GET\r\nX: y",
                "get",
                "GET ",
                "TRACE",
                "\0",
                "G\u{c9}T",
            ][..],
        ),
        (
            ":path",
            &[
                "",
                "*",
                "x",
                "?x",
                "http://app.test/public",
                "//evil.test/x y",
                "/x y",
                "/x\r\nX: y",
                "/x\0",
                "/x\u{7f}",
                "/x HTTP/1.1\r\nHost: evil.test\r\n\r\n",
                "/\u{e9}",
                " /x",
                "/x\t",
            ],
        ),
        (
            ":authority",
            &[
                "",
                "app.test, b.test",
                "u@app.test",
                "app.test:99999",
                "app.test:",
                "app test",
                "app.test/x",
                "app.test.",
                "app.test#",
                "app.test\r\nX: y",
                "app.test\0",
                "[::1",
                "\u{e9}.test",
                "http://app.test",
                "app%2etest",
                "app.test:80:80",
            ],
        ),
        (":scheme", &["ht tp", "http\r\nX: y"]),
    ]
    .into_iter()
    .flat_map(|(name, values)| values.iter().map(move |value| (name, *value)))
    .map(|(name, value)| but(&house, name, Some(value)))
    .collect();
    let missing = [":method", ":path", ":authority"].map(|name| but(&house, name, None));
    let more = [
        (":path", "/public"),
        (":method", "POST"),
        (":authority", "b.test"),
        (":scheme", "https"),
        (":status", "200"),
        (":protocol", "websocket"),
        (":unknown", "x"),
        (":", "x"),
        ("", "x"),
        ("host", "b.test"),
        ("host", "APP.test, b.test"),
        ("host", ""),
    ]
    .map(|field| and(&house, &[field]));
    let mut late = good(&house);
    late.rotate_left(1);
    let twice_host = and(&house, &[("host", "app.test"), ("host", "app.test")]);
    for fields in own.iter().chain(&missing).chain(&more).chain([&late, &twice_host]) {
        assert_refused(&house, fields);
    }
    assert_eq!(ask(&house, &good(&house)), Outcome::Answered(200));
    // The parser of HTTP/2 lets go of a fragment. What was judged is what the app receives.
    house.app.take_received();
    assert_eq!(ask(&house, &but(&house, ":path", Some("/x#/../closed"))), Outcome::Answered(200));
    assert!(house.app.take_received().starts_with("GET /x HTTP/1.1\r\n"));
    assert_eq!(ask(&house, &but(&house, ":path", Some("/closed#/../x"))), Outcome::Answered(403));
    // A scheme that is claimed makes nothing encrypted.
    house.app.take_received();
    for scheme in ["https", "wss"] {
        if ask(&house, &but(&house, ":scheme", Some(scheme))).is_let_in() {
            let received = house.app.take_received().to_lowercase();
            assert!(received.contains("x-forwarded-proto: http\r\n"), "{received}");
        }
    }
}

/// RFC 9113, 8.2: names and values that become two lines, or another meaning,
/// once they are written in HTTP/1.
#[test]
fn a_field_that_would_be_two_lines_or_a_word_between_neighbours_is_let_in_nowhere() {
    let house = house();
    for field in [
        ("x", "a\r\nremote-user: root"),
        ("x", "a\nremote-user: root"),
        ("x", "a\rb"),
        ("x", "a\0b"),
        ("x\r\nremote-user", "root"),
        ("x: y\r\nz", "a"),
        ("x y", "a"),
        ("x:", "a"),
        ("X", "a"),
        ("Remote-User", "root"),
        ("remote_user", "root"),
        ("remote.groups", "admins"),
        ("x_vestibule_assertion", "e30"),
        ("x_forwarded_for", "10.0.0.1"),
        ("content_length", "5"),
        ("transfer_encoding", "chunked"),
        ("connection", "close"),
        ("connection", "remote-user"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "close"),
        ("transfer-encoding", "chunked"),
        ("transfer-encoding", "identity"),
        ("upgrade", "websocket"),
        ("upgrade", "h2c"),
        ("te", "gzip"),
        ("te", "trailers, chunked"),
        ("expect", "200-ok"),
        ("cookie", "a=\0"),
        ("cookie", "a=\u{e9}"),
        ("authorization", "Basic \u{ff}"),
    ] {
        assert_refused(&house, &and(&house, &[field]));
    }
    assert_eq!(ask(&house, &and(&house, &[("x", "a")])), Outcome::Answered(200));
}

/// RFC 9113, 8.2.3: the session's cookie cut into crumbs, or hidden among them.
#[test]
fn crumbs_of_a_cookie_make_no_session_that_the_whole_would_not_make() {
    let house = house();
    let (name, token) = house.cookie.split_once('=').unwrap();
    let (first, second) = token.split_at(20);
    let (one, two) = (format!("{name}={first}"), format!("{name}={second}"));
    let quoted = format!("a=\"; {name}={token}");
    let padded = format!("{name} ={token}");
    let other = format!("{name}={}", "A".repeat(token.len()));
    let base = || but(&house, "cookie", None);
    for crumbs in [
        vec![one.as_str(), second],
        vec![one.as_str(), two.as_str()],
        vec![house.cookie.as_str(), house.cookie.as_str()],
        vec![house.cookie.as_str(), other.as_str()],
        vec![other.as_str(), house.cookie.as_str()],
        vec![padded.as_str(), house.cookie.as_str()],
        vec![house.cookie.as_str(), name],
        vec![name, token],
        vec!["=", token],
    ] {
        let cookies: Fields<'_> = crumbs.iter().map(|crumb| ("cookie", *crumb)).collect();
        let outcome = ask(&house, &[base(), cookies].concat());
        assert_eq!(outcome, Outcome::Answered(401), "{crumbs:?}");
    }
    assert_eq!(house.app.received(), "");
    // Whole crumbs among others are the cookie they were cut from, and none of ours goes on.
    for cookies in [vec!["a=1", &house.cookie, "b=2"], vec!["c", quoted.as_str()]] {
        let cookies: Fields<'_> = cookies.iter().map(|crumb| ("cookie", *crumb)).collect();
        let _ = ask(&house, &[base(), cookies].concat());
        assert!(!house.app.take_received().contains(token));
    }
    // More crumbs than fields are taken.
    let many = vec![("cookie", "a=1"); 120];
    assert_refused(&house, &and(&house, &many));
}

/// RFC 9113, 8.1.1: a body that is longer or shorter than was announced. In HTTP/1 behind us, what
/// is missing would be taken from the next request.
#[test]
fn a_body_of_another_length_than_announced_spoils_nobody_elses_request() {
    let target = |request: &str| request.split(' ').nth(1).unwrap().to_owned();
    let app = App::serving(move |request, stream| {
        let body = target(request);
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).is_ok()
    });
    let house = House::around(app);
    for (announced, parts) in [
        ("10", &["abc"][..]),
        ("3", &["abcdef"]),
        ("3", &["ab", "cd", "ef"]),
        ("0", &["GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"]),
        ("5", &[""]),
        ("+5", &["hello"]),
        ("0x5", &["hello"]),
        ("5,5", &["hello"]),
        ("010", &["hello"]),
        ("", &["hello"]),
        ("-1", &["hello"]),
        ("18446744073709551617", &["h"]),
    ] {
        let mut fields = but(&house, ":method", Some("POST"));
        fields.push(("content-length", announced));
        let mut frames = Frames::open(house.gateway.address);
        frames.send(&frame(HEADERS, END_HEADERS, 1, &block(&fields)));
        for (at, part) in parts.iter().enumerate() {
            let end = if at + 1 == parts.len() { END_STREAM } else { 0 };
            frames.send(&frame(DATA, end, 1, part.as_bytes()));
        }
        let outcome = frames.outcome(1);
        assert!(!outcome.is_let_in(), "{announced} {parts:?}: {outcome:?}");
        assert_eq!(house.get("/mine", "").text(), "/mine", "after {announced} {parts:?}");
    }
    // Two lengths, and one where the head has said that nothing follows.
    for more in
        [&[("content-length", "5"), ("content-length", "6")][..], &[("content-length", "5")]]
    {
        assert!(!ask(&house, &and(&house, more)).is_let_in(), "{more:?}");
        assert_eq!(house.get("/mine", "").text(), "/mine", "after {more:?}");
    }
    assert!(!house.app.received().contains("GET /smuggled"));
}

/// No advisory of its own: what comes behind a body tells no app anything, whichever protocol it
/// speaks, and no trailer is a second head.
#[tokio::test]
async fn trailers_tell_no_app_anything() {
    let spoken = H2App::start();
    let plain = House::new();
    let upstream = format!("h2c://{}", spoken.address);
    let modern = House::with(App::start(), Options::upstream(&upstream));
    for house in [&plain, &modern] {
        for trailers in [
            &[("remote-user", "root")][..],
            &[("remote_user", "root")],
            &[("x-vestibule-assertion", "root")],
            &[(":path", "/root")],
            &[(":status", "200"), ("x", "root")],
            &[("content-length", "0"), ("x", "root")],
            &[("transfer-encoding", "root")],
            &[("x", "a\r\nroot: root")],
            &[("cookie", "vestibule=root")],
        ] {
            let fields = but(house, ":method", Some("POST"));
            let mut frames = Frames::open(house.gateway.address);
            frames.send(&frame(HEADERS, END_HEADERS, 1, &block(&fields)));
            frames.send(&frame(DATA, 0, 1, b"hi"));
            frames.send(&frame(HEADERS, WHOLE, 1, &block(trailers)));
            let _ = frames.outcome(1);
            assert!(!house.app.take_received().contains("root"), "{trailers:?}");
        }
    }
    let sender = h2_connect(modern.gateway.address).await;
    let good = http::Request::get("http://app.test/x").header("cookie", &modern.cookie);
    assert_eq!(h2_exchange(&sender, good.body(()).unwrap(), b"").await.unwrap().status, 200);
    for (_, uri, headers) in spoken.received() {
        assert!(
            !uri.path().contains("root") && headers["remote-user"] == "ann",
            "{uri} {headers:?}"
        );
        assert!(!format!("{headers:?}").contains("root"), "{headers:?}");
    }
}

/// RFC 9113, 6.10: a head whose end never comes is not yet a request, whatever
/// stands in what has come of it; and a head in many pieces is one head.
#[test]
fn a_head_in_pieces_is_one_head_and_one_without_an_end_is_none() {
    let house = house();
    let fields = block(&good(&house));
    let (begin, rest) = fields.split_at(fields.len() / 2);
    let mut frames = Frames::open(house.gateway.address);
    frames.send(&frame(HEADERS, END_STREAM, 1, begin));
    frames.send(&frame(CONTINUATION, 0, 1, b""));
    frames.send(&frame(CONTINUATION, END_HEADERS, 1, rest));
    assert_eq!(frames.outcome(1), Outcome::Answered(200));
    house.app.take_received();
    // Something else in between, another stream's piece, a piece of nothing.
    let continuation = |flags, stream| frame(CONTINUATION, flags, stream, rest);
    for pieces in [
        [frame(HEADERS, END_STREAM, 1, begin), frame(DATA, END_STREAM, 1, b"x")],
        [frame(HEADERS, END_STREAM, 1, begin), continuation(END_HEADERS, 3)],
        [frame(HEADERS, END_STREAM, 1, begin), frame(HEADERS, WHOLE, 3, &fields)],
        [continuation(END_HEADERS, 1), frame(DATA, END_STREAM, 1, b"x")],
    ] {
        let mut frames = Frames::open(house.gateway.address);
        for piece in &pieces {
            frames.send(piece);
        }
        assert!(frames.read_to_its_end() || house.app.received().is_empty());
        assert_eq!(house.app.received(), "");
    }
}

/// The faults of heads at the doors of other proxies: a check is a request like any other.
#[test]
fn a_check_over_http_2_is_read_as_strictly() {
    let house = house_with("trusted_proxies = [\"127.0.0.1\"]", "");
    let check: Fields<'_> = vec![
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", "gateway.test"),
        (":path", "/_vestibule/authz/forward-auth"),
        ("x-forwarded-method", "GET"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "app.test"),
        ("x-forwarded-uri", "/x"),
        ("cookie", &house.cookie),
    ];
    assert_eq!(ask(&house, &check), Outcome::Answered(200));
    for more in [
        (":path", "/_vestibule/authz/ext-authz/public"),
        ("x-forwarded-uri", "/public"),
        ("x-forwarded-host", "app.test"),
        ("x_forwarded_host", "one.test"),
        ("x-forwarded-method", "GET"),
        ("x-forwarded-proto", "https"),
        ("remote_user", "root"),
        ("host", "other.test"),
        ("transfer-encoding", "chunked"),
        ("connection", "x-forwarded-uri"),
        ("x", "a\r\nx-forwarded-uri: /public"),
    ] {
        let outcome = ask(&house, &[check.clone(), vec![more]].concat());
        assert!(!outcome.is_let_in(), "{more:?}: {outcome:?}");
    }
    for (name, value) in [
        ("x-forwarded-uri", "/x\0"),
        ("x-forwarded-uri", "x"),
        ("x-forwarded-uri", "/public#"),
        ("x-forwarded-host", "app.test\u{7f}"),
        ("x-forwarded-host", "app.test, one.test"),
        ("x-forwarded-method", "GET, POST"),
        ("x-forwarded-proto", "https, http"),
    ] {
        let mut fields = check.clone();
        fields.iter_mut().filter(|field| field.0 == name).for_each(|field| field.1 = value);
        let outcome = ask(&house, &fields);
        assert!(!outcome.is_let_in(), "{name} {value:?}: {outcome:?}");
    }
}
