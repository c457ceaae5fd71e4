//! What is malformed or ambiguous is refused at the door, whoever sends it.

use crate::harness::{App, House, connect, read_reply};
use std::io::{BufReader, Write as _};

/// Requests by somebody who is signed in (`$C`), so that nothing but their form can stop them.
/// Each is to be the only thing that is answered on its connection.
const MALFORMED: &[(u16, &[u8])] = &[
    // Two framings, or one nobody can be sure of.
    (400, b"POST /x HTTP/1.1\r\nHost: a\r\n$CContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (400, b"POST /x HTTP/1.1\r\nHost: a\r\n$CTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"),
    (400, b"POST /x HTTP/1.1\r\nHost: a\r\n$CTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    (400, b"POST /x HTTP/1.1\r\nHost: a\r\n$CTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    (400, b"POST /x HTTP/1.1\r\nHost: a\r\n$CTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (400, b"POST /x HTTP/1.1\r\nHost: a\r\n$CTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (400, b"POST /x HTTP/1.1\r\nHost: a\r\n$CTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    (400, b"POST /x HTTP/1.1\r\nHost: a\r\n$CTransfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n"),
    (400, b"POST /x HTTP/1.1\r\nHost: a\r\n$CTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
    (400, b"POST /x HTTP/1.1\r\nHost: a\r\n$CTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
    (400, b"POST /x HTTP/1.1\r\nHost: a\r\n$CTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    (400, b"POST /x HTTP/1.1\r\nHost: a\r\n$CTransfer_Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (400, b"POST /x HTTP/1.0\r\nHost: a\r\n$CTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (400, b"POST /x HTTP/1.1\r\nHost: a\r\n$CContent-Length: 1\r\nContent-Length: 1\r\n\r\nx"),
    (400, b"POST /x HTTP/1.1\r\nHost: a\r\n$CContent-Length: 1, 1\r\n\r\nx"),
    (400, b"POST /x HTTP/1.1\r\nHost: a\r\n$CContent-Length: +1\r\n\r\nx"),
    (400, b"POST /x HTTP/1.1\r\nHost: a\r\n$CContent-Length: -1\r\n\r\nx"),
    (400, b"POST /x HTTP/1.1\r\nHost: a\r\n$CContent-Length: 0x1\r\n\r\nx"),
    (400, b"POST /x HTTP/1.1\r\nHost: a\r\n$CContent-Length: 1 1\r\n\r\nx"),
    (400, b"POST /x HTTP/1.1\r\nHost: a\r\n$CContent-Length: \r\n\r\nx"),
    (400, b"POST /x HTTP/1.1\r\nHost: a\r\n$CContent-Length: 18446744073709551617\r\n\r\nx"),
    (400, b"POST /x HTTP/1.1\r\nHost: a\r\n$CContent.Length: 1\r\n\r\nx"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CContent-Length: 1\r\nTransfer-Encoding: chunked\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nx"),
    // Lines.
    (400, b"GET /x HTTP/1.1\nHost: a\r\n$C\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CX: 1\n\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$C\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CX: 1\rY: 2\r\n\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CX: 1\r\n folded\r\n\r\n"),
    (400, b"GET /x HTTP/1.1\r\n Host: a\r\n$C\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CX : 1\r\n\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$C: 1\r\n\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CX\r\n\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CX(y): 1\r\n\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CX\0: 1\r\n\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CX: \0\r\n\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CX: \x7f\r\n\r\n"),
    (400, b"\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n$C\r\n"),
    // The request line.
    (505, b"GET /x HTTP/2.0\r\nHost: a\r\n$C\r\n"),
    (505, b"GET /x HTTP/1.2\r\nHost: a\r\n$C\r\n"),
    (505, b"GET /x HTTP/0.9\r\nHost: a\r\n$C\r\n"),
    (505, b"GET /x HTTP/1.1x\r\nHost: a\r\n$C\r\n"),
    (400, b"GET /x http/1.1\r\nHost: a\r\n$C\r\n"),
    (400, b"GET /x\r\nHost: a\r\n$C\r\n"),
    (400, b"GET  /x HTTP/1.1\r\nHost: a\r\n$C\r\n"),
    (400, b"GET /x y HTTP/1.1\r\nHost: a\r\n$C\r\n"),
    (400, b"GET\t/x HTTP/1.1\r\nHost: a\r\n$C\r\n"),
    (400, b" GET /x HTTP/1.1\r\nHost: a\r\n$C\r\n"),
    (405, b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n$C\r\n"),
    (405, b"CONNECT /x HTTP/1.1\r\nHost: a\r\n$C\r\n"),
    (405, b"TRACE /x HTTP/1.1\r\nHost: a\r\n$C\r\n"),
    (405, b"TRACK /x HTTP/1.1\r\nHost: a\r\n$C\r\n"),
    (405, b"BREW /x HTTP/1.1\r\nHost: a\r\n$C\r\n"),
    (405, b"get /x HTTP/1.1\r\nHost: a\r\n$C\r\n"),
    (400, b"OPTIONS * HTTP/1.1\r\nHost: a\r\n$C\r\n"),
    (400, b"GET x HTTP/1.1\r\nHost: a\r\n$C\r\n"),
    (400, b"GET ?x HTTP/1.1\r\nHost: a\r\n$C\r\n"),
    (400, b"GET http://a/x HTTP/1.1\r\nHost: a\r\n$C\r\n"),
    (400, b"GET a:443 HTTP/1.1\r\nHost: a\r\n$C\r\n"),
    (400, b"GET /x#y HTTP/1.1\r\nHost: a\r\n$C\r\n"),
    (400, b"GET /x\0 HTTP/1.1\r\nHost: a\r\n$C\r\n"),
    (400, b"GET /x\x7f HTTP/1.1\r\nHost: a\r\n$C\r\n"),
    (400, b"GET /x\xff HTTP/1.1\r\nHost: a\r\n$C\r\n"),
    // What the engine does not take either; it must not be the one to say so.
    (400, b"GET /x\" HTTP/1.1\r\nHost: a\r\n$C\r\n"),
    (400, b"GET /x< HTTP/1.1\r\nHost: a\r\n$C\r\n"),
    (400, b"GET /x` HTTP/1.1\r\nHost: a\r\n$C\r\n"),
    (400, b"GET /x?\" HTTP/1.1\r\nHost: a\r\n$C\r\n"),
    (400, b"GET /x?> HTTP/1.1\r\nHost: a\r\n$C\r\n"),
    // The host.
    (400, b"GET /x HTTP/1.1\r\n$C\r\n"),
    (400, b"GET /x HTTP/1.0\r\n$C\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: \r\n$C\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\nHost: a\r\n$C\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a, b\r\n$C\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: u@a\r\n$C\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a:99999\r\n$C\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a:\r\n$C\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a:8x\r\n$C\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a b\r\n$C\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a/evil\r\n$C\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a?evil\r\n$C\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a.\r\n$C\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a%2eb\r\n$C\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: b\xc3\xbccher.example\r\n$C\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: [::1\r\n$C\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: \xff\r\n$C\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\0\r\n$C\r\n"),
    // Credentials are ASCII; the expectation is the known one.
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CCookie: a=\xff\r\n\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CCookie: a=\0\r\n\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CAuthorization: Basic \xff\r\n\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CAuthorization: \x7f\r\n\r\n"),
    (417, b"POST /x HTTP/1.1\r\nHost: a\r\n$CContent-Length: 1\r\nExpect: 200-ok\r\n\r\nx"),
    (417, b"POST /x HTTP/1.1\r\nHost: a\r\n$CContent-Length: 1\r\nExpect: 100-continue, x\r\n\r\nx"),
    // Names that some server folds into the gateway's own, and words against them.
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CRemote_User: root\r\n\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CREMOTE.USER: root\r\n\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$Cremote~groups: admins\r\n\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CRemote_Email: r@a\r\n\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CRemote|Name: Root\r\n\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CX_Forwarded-For: 10.0.0.1\r\n\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CX_Forwarded_Host: evil\r\n\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CX_Request_Id: 1\r\n\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CX_Vestibule_Assertion: e30\r\n\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CConnection: close, Remote-User\r\n\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CConnection: x_forwarded_for\r\n\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CConnection: Cookie\r\n\r\n"),
    (400, b"GET /x HTTP/1.1\r\nHost: a\r\n$CConnection: host\r\n\r\n"),
    (400, b"POST /x HTTP/1.1\r\nHost: a\r\n$CContent-Length: 1\r\nConnection: Content-Length\r\n\r\nx"),
];

/// What a request smuggled behind another would look like; by Ann, so that it would pass.
const SMUGGLED: &[u8] = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n$C\r\n";

/// How many answers there are in what was received.
fn answers(received: &str) -> usize {
    let is_status = |rest: &str| rest.as_bytes().iter().take(3).all(u8::is_ascii_digit);
    received.split("HTTP/1.1 ").skip(1).filter(|rest| is_status(rest)).count()
}

/// Checks that one answer came, that it was a refusal with this status, and that the end came.
fn assert_refused(answer: &str, status: u16, what: &[u8]) {
    let what = what.escape_ascii();
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{what}:\n{answer}");
    assert_eq!(answers(answer), 1, "{what}:\n{answer}");
    assert!(answer.to_lowercase().contains("connection: close\r\n"), "{what}:\n{answer}");
    assert!(!answer.contains("Server:"), "{what}:\n{answer}");
}

#[test]
fn nothing_malformed_reaches_the_app_and_its_connection_ends() {
    let house = House::new();
    for (status, request) in MALFORMED {
        let pipelined = [*request, SMUGGLED].concat();
        assert_refused(&house.send(&pipelined), *status, request);
        let anonymous = String::from_utf8_lossy(request).replace("$C", "");
        if anonymous.as_bytes() != *request && request.is_ascii() {
            assert_refused(&house.send(anonymous.as_bytes()), *status, anonymous.as_bytes());
        }
    }
    // The same gateway, the same person, the same app: a good request passes.
    assert_eq!(house.get("/good", "").text(), "hello");
    let received = house.app.take_received();
    assert!(received.starts_with("GET /good HTTP/1.1\r\n"), "{received}");
    assert_eq!(received.matches(" HTTP/1.1\r\n").count(), 1, "{received}");
}

#[test]
fn an_upgrade_changes_no_verdict() {
    let house = House::new();
    let upgrade = b"$CConnection: Upgrade, HTTP2-Settings\r\nUpgrade: websocket\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
    for (status, request) in MALFORMED {
        // The same fault, in a request that also asks for another protocol.
        let Some(at) = request.windows(2).position(|two| two == b"$C") else { continue };
        let asking = [&request[..at], upgrade, &request[at + 2..], SMUGGLED].concat();
        assert_refused(&house.send(&asking), *status, request);
    }
    // Who is not signed in is not let in by asking for another protocol, nor by what follows.
    for asked in
        ["h2c", "websocket", "h2c, websocket", "TLS/1.0", "PRI", "", "WebSocket\r\nUpgrade: h2c"]
    {
        let head = format!(
            "GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: {asked}\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n\
             GET /y HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        );
        let answer = house.send(head.as_bytes());
        assert_eq!(answer.matches("HTTP/1.1 401 ").count(), 2, "{asked}:\n{answer}");
        assert_eq!(answers(&answer), 2, "{asked}:\n{answer}");
    }
    assert_eq!(house.app.received(), "");
}

#[test]
fn an_upgrade_to_anything_but_a_websocket_goes_on_as_a_plain_request() {
    let house = House::new();
    for asked in ["h2c", "TLS/1.0", "h2c, websocket", "foo/2"] {
        let answer = house.send(
            format!(
                "GET /plain HTTP/1.1\r\nHost: a\r\n$CConnection: Upgrade, HTTP2-Settings\r\nUpgrade: {asked}\r\n\
                 HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\nGET /behind HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            )
            .as_bytes(),
        );
        // What lies behind it is a request of its own, without a cookie.
        assert!(answer.starts_with("HTTP/1.1 200 "), "{asked}: {answer}");
        assert!(answer.contains("HTTP/1.1 401 "), "{asked}: {answer}");
        let received = house.app.take_received().to_lowercase();
        assert!(received.starts_with("get /plain "), "{asked}: {received}");
        for word in ["upgrade", "http2-settings", "/behind"] {
            assert!(!received.contains(word), "{asked}: {word}: {received}");
        }
    }
}

#[test]
fn pipelined_requests_are_answered_in_order_and_each_is_judged_by_itself() {
    let app = App::serving(|request, stream| {
        let body = request.split(' ').nth(1).unwrap();
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).is_ok()
    });
    let house = House::around(app);
    let requests = b"GET /1 HTTP/1.1\r\nHost: a\r\n$C\r\n\
        GET /2 HTTP/1.1\r\nHost: a\r\n\r\n\
        POST /3 HTTP/1.1\r\nHost: a\r\n$CContent-Length: 2\r\n\r\nhi\
        POST /4 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nho\
        GET /_vestibule/login HTTP/1.1\r\nHost: a\r\n\r\n\
        GET /5 HTTP/1.1\r\nHost: a\r\n$C\r\n\
        GET /6 HTTP/1.1\r\nHost: a\r\n$CX : 1\r\n\r\n";
    let mut stream = connect(house.gateway.address);
    stream.write_all(&house.fill(requests)).unwrap();
    let mut stream = BufReader::new(stream);
    let mut answers = Vec::new();
    for _ in 0..7 {
        let reply = read_reply(&mut stream, false);
        answers.push((reply.status, reply.text()));
    }
    let statuses: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
    // A request that is turned away with its body unread may end the connection; nothing may be
    // answered out of turn.
    assert_eq!(statuses[..3], [200, 401, 200], "{answers:?}");
    assert_eq!((answers[0].1.as_str(), answers[2].1.as_str()), ("/1", "/3"));
    assert_eq!(statuses[3], 401, "{answers:?}");
    let received = house.app.received();
    for refused in ["/2", "/4", "/login", "/6"] {
        assert!(!received.contains(&format!(" {refused} ")), "{refused}: {received}");
    }
    assert!(received.find("/1 ").unwrap() < received.find("/3 ").unwrap());
}

#[test]
fn the_limits_of_a_head_hold_at_their_very_edges() {
    let house = House::new();
    let own = house.fill(b"GET /x HTTP/1.1\r\nHost: a\r\n$C\r\n").len();
    let fields = |count: usize| {
        // Host and Cookie count too.
        format!("GET /x HTTP/1.1\r\nHost: a\r\n$C{}\r\n", "X: 1\r\n".repeat(count - 2))
    };
    let head = |size: usize| {
        let filler = size - own - "X: \r\n".len();
        format!("GET /x HTTP/1.1\r\nHost: a\r\n$CX: {}\r\n\r\n", "x".repeat(filler))
    };
    let target =
        |size: usize| format!("GET /{} HTTP/1.1\r\nHost: a\r\n$C\r\n", "t".repeat(size - 1));
    for (within, beyond, status) in [
        (fields(100), fields(101), 431),
        (head(32 * 1024), head(32 * 1024 + 1), 431),
        (target(8 * 1024), target(8 * 1024 + 1), 414),
    ] {
        assert_eq!(house.ask(&within).status, 200, "{status}: {}", within.len());
        house.app.take_received();
        assert_refused(&house.send(beyond.as_bytes()), status, b"beyond");
        assert_eq!(house.app.received(), "");
    }
}

#[test]
fn a_malformed_body_ends_the_request_and_nothing_behind_it_is_taken_for_another() {
    let house = House::new();
    for body in [
        "zz\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhelloworld\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "\r\n5\r\nhello\r\n0\r\n\r\n",
        "00000000000000005\r\nhello\r\n0\r\n\r\n",
        "5;\0\r\nhello\r\n0\r\n\r\n",
        "5;a=b\nc\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\nBad Trailer: 1\r\n\r\n",
        "5\r\nhello\r\n0\r\n: 1\r\n\r\n",
        "5\r\nhello\r\n0\r\nX: 1\n\r\n",
    ] {
        let head = "POST /x HTTP/1.1\r\nHost: a\r\n$CTransfer-Encoding: chunked\r\n\r\n";
        let request = [head.as_bytes(), body.as_bytes(), SMUGGLED].concat();
        assert_refused(&house.send(&request), 400, body.as_bytes());
    }
    assert!(!house.app.received().contains("/smuggled"));
}

#[test]
fn a_trailer_of_the_client_tells_the_app_nothing() {
    let house = House::new();
    let answer = house.send(
        b"POST /x HTTP/1.1\r\nHost: a\r\n$CConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: Remote-User\r\n\r\n\
          2\r\nhi\r\n0\r\nRemote-User: root\r\nRemote_Groups: admins\r\nX: 1\r\n\r\n",
    );
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let received = house.app.received().to_lowercase();
    assert!(!received.contains("root") && !received.contains("admins"), "{received}");
    assert!(received.contains("remote-user: ann\r\n"), "{received}");
}
