//! The state machine alone: every refusal, and that the cutting of the bytes never matters.

use std::sync::Arc;

use crate::proxy::guard::framing::{Framing, Phase};
use crate::proxy::guard::head::rewrite;
use crate::proxy::guard::response::ResponseWatch;
use crate::proxy::hygiene::{HeadLimits, ProtectedNames, Refusal};

fn framing() -> Framing {
    let names = ProtectedNames::new(["remote-user", "x-forwarded-for"]);
    let mut framing = Framing::new(Arc::new(names), HeadLimits::default(), false);
    assert!(framing.begin());
    framing
}

/// Feeds pieces as a connection would; each request's released bytes, and how it ended.
fn feed(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Option<Refusal>) {
    let mut framing = framing();
    let mut unread: Vec<u8> = Vec::new();
    let mut requests = vec![Vec::new()];
    for piece in pieces {
        unread.extend_from_slice(piece);
        loop {
            let result = match framing.phase() {
                Phase::Head(_) => framing.head(&unread).map(|head| match head {
                    None => 0,
                    Some(head) => {
                        let bytes = &unread[head.skip..head.end];
                        let out = if head.rewrite {
                            rewrite(bytes, head.websocket)
                        } else {
                            bytes.to_vec()
                        };
                        requests.last_mut().unwrap().extend(out);
                        head.end
                    }
                }),
                Phase::Held { .. } => {
                    requests.push(Vec::new());
                    assert!(framing.begin());
                    continue;
                }
                _ => framing.body(&unread).inspect(|n| {
                    requests.last_mut().unwrap().extend_from_slice(&unread[..*n]);
                }),
            };
            match result {
                Ok(0) => break,
                Ok(n) => drop(unread.drain(..n)),
                Err(refusal) => return (requests, Some(refusal)),
            }
        }
    }
    (requests, None)
}

fn verdict(bytes: &[u8]) -> Option<Refusal> {
    feed(&[bytes]).1
}

pub(super) const MALFORMED: &[(&[u8], Refusal)] = &[
    (b"GET / HTTP/1.1\nHost: a\n\n", Refusal::BadLineEnding),
    (b"GET / HTTP/1.1\r\nHost: a\n\r\n", Refusal::BadLineEnding),
    (b"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", Refusal::BadFieldValue),
    (b"GET / HTTP/1.1\r\nHost: a\r\n\n", Refusal::BadLineEnding),
    (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::BadRequestLine),
    (b"GET /\r\nHost: a\r\n\r\n", Refusal::BadRequestLine),
    (b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", Refusal::BadRequestLine),
    (b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", Refusal::BadVersion),
    (b"GET / HTTP/0.9\r\nHost: a\r\n\r\n", Refusal::BadVersion),
    (b"GET / http/1.1\r\nHost: a\r\n\r\n", Refusal::BadRequestLine),
    (b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::BadRequestLine),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Refusal::MethodNotAllowed),
    (b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::MethodNotAllowed),
    (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::MethodNotAllowed),
    (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::BadTarget),
    (b"GET x HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::BadTarget),
    (b"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::BadTarget),
    (b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::BadTarget),
    (b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::BadTarget),
    (b"GET / HTTP/1.1\r\n\r\n", Refusal::BadHost),
    (b"GET / HTTP/1.0\r\n\r\n", Refusal::BadHost),
    (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", Refusal::BadHost),
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Refusal::BadHost),
    (b"GET / HTTP/1.1\r\nHost: app/evil\r\n\r\n", Refusal::BadHost),
    (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", Refusal::BadFieldName),
    (b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", Refusal::BadFieldName),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", Refusal::BadFieldName),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c: d\r\n\r\n", Refusal::BadFieldName),
    (b"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", Refusal::BadFieldName),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", Refusal::BadFieldName),
    (b"GET / HTTP/1.1\r\nHost: a\r\nCookie: a=\xff\r\n\r\n", Refusal::BadFieldValue),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", Refusal::BadFieldValue),
    (b"GET / HTTP/1.1\r\nHost: a\r\nRemote_User: x\r\n\r\n", Refusal::AliasOfIdentityHeader),
    (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", Refusal::BadExpectation),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", Refusal::AmbiguousFraming),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", Refusal::AmbiguousFraming),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", Refusal::BadTransferEncoding),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", Refusal::BadTransferEncoding),
    (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n",
        Refusal::BadTransferEncoding,
    ),
    (b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Refusal::BadTransferEncoding),
];

const CHUNK_FAULTS: &[(&[u8], Refusal)] = &[
    (b"\r\n", Refusal::BadChunk),
    (b"g\r\n", Refusal::BadChunk),
    (b"-1\r\n", Refusal::BadChunk),
    (b"0x1\r\n", Refusal::BadChunk),
    (b" 1\r\n", Refusal::BadChunk),
    (b"1 \r\n", Refusal::BadChunk),
    (b"1\n", Refusal::BadChunk),
    (b"1\r\naX", Refusal::BadChunk),
    (b"1\r\na\n", Refusal::BadChunk),
    (b"1\r\nab\r\n", Refusal::BadChunk),
    (b"00000000000000001\r\n", Refusal::BadChunk),
    (b"1;\0\r\n", Refusal::BadChunk),
    (b"0\r\nX\r\n", Refusal::BadTrailer),
    (b"0\r\nX : y\r\n", Refusal::BadTrailer),
    (b"0\r\nX: \0\r\n", Refusal::BadTrailer),
    (b"0\r\n\n", Refusal::BadLineEnding),
];

#[test]
fn every_malformed_head_is_refused_for_its_own_reason() {
    for (bytes, refusal) in MALFORMED {
        assert_eq!(verdict(bytes), Some(*refusal), "{}", bytes.escape_ascii());
    }
}

#[test]
fn every_malformed_chunk_is_refused_for_its_own_reason() {
    for (chunk, refusal) in CHUNK_FAULTS {
        let mut bytes =
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        bytes.extend_from_slice(chunk);
        assert_eq!(verdict(&bytes), Some(*refusal), "{}", chunk.escape_ascii());
    }
}

#[test]
fn limits_are_exact() {
    let with_target = |n: usize| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(n - 1));
    assert_eq!(verdict(with_target(8192).as_bytes()), None);
    assert_eq!(verdict(with_target(8193).as_bytes()), Some(Refusal::TargetTooLong));
    assert_eq!(verdict(&vec![b'x'; 8300]), Some(Refusal::TargetTooLong));
    let with_field =
        |n: usize| format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(n));
    assert_eq!(verdict(with_field(32_000).as_bytes()), None);
    assert_eq!(verdict(with_field(32_768).as_bytes()), Some(Refusal::HeadTooLarge));
    let with_fields =
        |n: usize| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(n - 1));
    assert_eq!(verdict(with_fields(100).as_bytes()), None);
    assert_eq!(verdict(with_fields(101).as_bytes()), Some(Refusal::TooManyFields));
    let chunk = |n: usize| {
        format!(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;{}\r\nx\r\n",
            "e".repeat(n)
        )
    };
    assert_eq!(verdict(chunk(255).as_bytes()), None);
    assert_eq!(verdict(chunk(256).as_bytes()), Some(Refusal::BadChunk));
}

#[test]
fn words_between_neighbours_leave_and_a_websocket_keeps_its_own() {
    let (requests, refusal) = feed(&[b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\n\
        Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nX: y\r\n\r\n"]);
    assert_eq!(refusal, None);
    assert_eq!(requests[0], b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: y\r\n\r\n");
    let handshake: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n";
    assert_eq!(feed(&[handshake]).0[0], handshake);
    let (requests, _) =
        feed(&[b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: TLS/1.0\r\n\r\n"]);
    assert_eq!(requests[0], b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
}

/// xorshift64*: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % below
    }

    fn cut<'a>(&mut self, bytes: &'a [u8]) -> Vec<&'a [u8]> {
        let mut pieces = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let longest = [1, 7, 100][self.roll(3)];
            let (piece, tail) = rest.split_at((1 + self.roll(longest)).min(rest.len()));
            pieces.push(piece);
            rest = tail;
        }
        pieces
    }

    fn request(&mut self) -> Vec<u8> {
        let fill = "f".repeat(self.roll(200));
        match self.roll(4) {
            0 => format!("GET /{fill} HTTP/1.1\r\nHost: a\r\nX: {fill}\r\n\r\n"),
            1 => format!("POST / HTTP/1.1\r\nContent-Length: {}\r\nHost: a\r\n\r\n{fill}", fill.len()),
            2 => format!("HEAD / HTTP/1.0\r\nHost: a:{}\r\n\r\n", self.roll(65_536)),
            _ => format!(
                "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{:x};e\r\nGET / HTTP/1.1\r\n\r\n{fill}\r\n0\r\nT: 1\r\n\r\n",
                fill.len() + 18
            ),
        }
        .into_bytes()
    }
}

#[test]
fn what_is_released_is_what_was_sent_however_the_network_cuts_it() {
    let mut dice = Dice(42);
    for _ in 0..500 {
        let sent: Vec<Vec<u8>> = (0..=dice.roll(4)).map(|_| dice.request()).collect();
        let stream = sent.concat();
        let (mut released, refusal) = feed(&dice.cut(&stream));
        assert_eq!(refusal, None, "{}", stream.escape_ascii());
        assert_eq!(released.pop(), Some(Vec::new()));
        assert_eq!(released, sent);
        assert_eq!(feed(&[&released.concat()]).0[..released.len()], released[..]);
    }
}

#[test]
fn cutting_never_changes_a_verdict() {
    let mut dice = Dice(7);
    let alphabet = b"\r\n\0 :;,\t#ghe0159/x\xff\x7f";
    for round in 0..6000 {
        let mut stream = match round % 3 {
            0 => MALFORMED[dice.roll(MALFORMED.len())].0.to_vec(),
            _ => [dice.request(), dice.request()].concat(),
        };
        for _ in 0..dice.roll(4) {
            let at = dice.roll(stream.len());
            stream[at] = alphabet[dice.roll(alphabet.len())];
        }
        // Of a refused message, how much was released before the fault may differ.
        let outcome = |pieces: &[&[u8]]| {
            let (mut requests, refusal) = feed(pieces);
            if refusal.is_some() {
                requests.pop();
            }
            (requests, refusal)
        };
        let whole = outcome(&[&stream]);
        assert_eq!(outcome(&dice.cut(&stream)), whole, "{}", stream.escape_ascii());
        let single: Vec<_> = stream.chunks(1).collect();
        assert_eq!(outcome(&single), whole, "{}", stream.escape_ascii());
    }
}

#[test]
fn only_a_101_switches_also_after_interim_answers() {
    let cut = |bytes: &[u8]| {
        let mut watch = ResponseWatch::new();
        bytes.chunks(1).map(|byte| watch.written(byte)).filter(|switched| *switched).count()
    };
    assert_eq!(cut(b"HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 101"), 1);
    assert_eq!(cut(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 101 x\r\n\r\n"), 1);
    assert_eq!(cut(b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 101 x\r\n\r\n"), 0);
    assert_eq!(
        cut(b"HTTP/1.1 103 Early\r\nX: HTTP/1.1 101\r\n\r\nHTTP/1.1 404 x\r\n\r\nHTTP/1.1 101 "),
        0
    );
}
