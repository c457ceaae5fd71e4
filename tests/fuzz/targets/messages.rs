//! Messages of HTTP/1 through the guard, and of HTTP/2 beside it.

use super::fields;
use http::{Request, Uri};
use vestibule::proxy::fuzzing::{Message, http2_request, message};

/// As the gateway protects them by default.
const PROTECTED: [&str; 9] = [
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-request-id",
    "remote-user",
    "remote-groups",
    "remote-name",
    "remote-email",
    "x-vestibule-assertion",
];

fn read(bytes: &[u8], cuts: &[usize]) -> Result<Option<Message>, &'static str> {
    message(bytes, cuts, &PROTECTED)
}

/// The first two bytes say where the network cuts the rest.
fn cut(bytes: &[u8]) -> Option<([usize; 2], &[u8])> {
    let ([first, second], rest) = bytes.split_first_chunk()?;
    let (first, second) = (usize::from(*first), usize::from(*second));
    Some(([first, first + second], rest))
}

pub fn heads(bytes: &[u8]) {
    let Some((cuts, bytes)) = cut(bytes) else { return };
    let at_once = read(bytes, &[]);
    assert_eq!(at_once, read(bytes, &cuts), "it depends on how the network cuts it");
    if let Ok(Some(message)) = &at_once {
        once_is_enough(message);
        the_engine_agrees(message);
    }
}

/// What was let through is let through again as it is.
fn once_is_enough(message: &Message) {
    let again = read(&message.head, &[]).expect("refused the second time").expect("incomplete");
    assert_eq!(again.head, message.head, "rewritten a second time");
    assert_eq!(again.is_handshake, message.is_handshake);
}

/// The engine's parser reads one head in it and nothing else, and takes all that it reads.
fn the_engine_agrees(message: &Message) {
    let mut room = [httparse::EMPTY_HEADER; 256];
    let mut engine = httparse::Request::new(&mut room);
    let read = engine.parse(&message.head).expect("the engine does not take this head");
    assert_eq!(read, httparse::Status::Complete(message.head.len()));
    let target = engine.path.expect("a target");
    target.parse::<Uri>().expect("the engine does not take this target");
    let (mut lengths, mut codings, mut hosts) = (0, 0, 0);
    for field in engine.headers.iter() {
        let name = http::HeaderName::from_bytes(field.name.as_bytes()).expect("a name");
        http::HeaderValue::from_bytes(field.value).expect("a value");
        lengths += u8::from(name == "content-length");
        codings += u8::from(name == "transfer-encoding");
        hosts += u8::from(name == "host");
        let between = ["keep-alive", "proxy-connection", "http2-settings"];
        assert!(!between.contains(&name.as_str()), "{name} is between neighbours");
        assert!(name != "upgrade" || message.is_handshake, "an upgrade nobody checks");
    }
    assert!(lengths + codings <= 1, "two framings");
    assert_eq!(hosts, 1, "one host");
}

pub fn chunks(bytes: &[u8]) {
    let Some((cuts, body)) = cut(bytes) else { return };
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let whole = [head, body].concat();
    let cuts = cuts.map(|at| at + head.len());
    let read = read(&whole, &[]);
    assert_eq!(read, self::read(&whole, &cuts), "it depends on how the network cuts it");
    let Ok(Some(message)) = read else { return };
    if message.is_whole {
        let end = message.taken - head.len();
        assert_eq!(dechunked(body), Some(end), "it ends elsewhere");
    }
}

/// Where a chunked body ends, by the book.
fn dechunked(body: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let line = line_at(body, at)?;
        at += line.len() + 2;
        let digits = line.split(|byte| *byte == b';').next()?;
        let size = u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        if size == 0 {
            break;
        }
        at = at.checked_add(usize::try_from(size).ok()?)?;
        if body.get(at..at.checked_add(2)?)? != b"\r\n" {
            return None;
        }
        at += 2;
    }
    loop {
        let line = line_at(body, at)?;
        at += line.len() + 2;
        if line.is_empty() {
            return Some(at);
        }
    }
}

fn line_at(body: &[u8], at: usize) -> Option<&[u8]> {
    let rest = body.get(at..)?;
    let end = rest.windows(2).position(|two| two == b"\r\n")?;
    rest.get(..end)
}

/// What one door refuses, the other refuses too.
pub fn doors(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    let (Some(line), Some(lines)) = (parts.next(), parts.next()) else { return };
    let Some((method, target)) = std::str::from_utf8(line).ok().and_then(|l| l.split_once(' '))
    else {
        return;
    };
    let mut request = Request::builder().method(method).uri(format!("http://a.test{target}"));
    if !target.starts_with('/') || request.uri_ref().is_none() {
        return;
    }
    let headers = fields(lines);
    if let Some(own) = request.headers_mut() {
        own.clone_from(&headers);
    }
    let Ok(request) = request.body(()) else { return };
    let (over_2, ()) = request.into_parts();
    let mut over_1 = format!("{method} {target} HTTP/1.1\r\n").into_bytes();
    if !headers.contains_key("host") {
        over_1.extend_from_slice(b"Host: a.test\r\n");
    }
    for (name, value) in &headers {
        over_1.extend_from_slice(
            &[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat(),
        );
    }
    over_1.extend_from_slice(b"\r\n");
    let of_2 = http2_request(&over_2, target.as_bytes(), &PROTECTED);
    let of_1 = read(&over_1, &[]);
    // What the two have apart from each other: the host is said in another place, and the limits
    // count other things.
    let apart = ["host_mismatch", "bad_host", "too_many_fields", "head_too_large"];
    match (of_1, of_2) {
        (Ok(_), Ok(())) | (Err(_), Err(_)) => {}
        (Err(reason), _) | (_, Err(reason)) if apart.contains(&reason) => {}
        (one, two) => panic!("over HTTP/1 {one:?}, over HTTP/2 {two:?}"),
    }
}
