//! `WebSocket`s: the handshake, frames both ways, and a refusal.

use crate::harness::{App, House, Options, connect, free_port, read_head, read_until};
use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpStream;

const HANDSHAKE: &str =
    "GET /x HTTP/1.1\r\nHost: a\r\n$CConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const SWITCH: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

/// Sends a request as Ann and leaves the connection open.
fn open(house: &House, request: &str) -> BufReader<TcpStream> {
    let mut stream = connect(house.gateway.address);
    stream.write_all(&house.fill(request.as_bytes())).unwrap();
    BufReader::new(stream)
}

#[test]
fn a_websocket_passes_both_ways_and_a_refused_one_is_a_plain_answer() {
    let house = House::around(App::by_hand(|mut stream| {
        let head = read_head(&mut stream);
        for field in [
            "\r\nConnection: Upgrade\r\n",
            "\r\nUpgrade: websocket\r\n",
            "\r\nSec-WebSocket-Key: dGhl",
            "\r\nremote-user: ann\r\n",
        ] {
            assert!(head.to_lowercase().contains(&field.to_lowercase()), "{field}: {head}");
        }
        if head.starts_with("GET /no ") {
            let refused = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno";
            stream.get_mut().write_all(refused).unwrap();
            // Nothing may follow on this connection but a request.
            let next = read_head(&mut stream);
            assert!(next.is_empty() || next.starts_with("GET /"), "{next:?}");
            return;
        }
        let accepted = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n";
        stream.get_mut().write_all(accepted).unwrap();
        // Frames are given back as they came.
        let mut frame = [0; 9];
        while stream.read_exact(&mut frame).is_ok() {
            stream.get_mut().write_all(&frame).unwrap();
        }
    }));
    let handshake = |target: &str| {
        format!(
            "GET {target} HTTP/1.1\r\nHost: a\r\n$CConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
    };
    let mut stream = open(&house, &handshake("/yes"));
    let head = read_head(&mut stream).to_lowercase();
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    for field in [
        "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n",
        "sec-websocket-protocol: chat\r\n",
        "upgrade: websocket\r\n",
        "connection: upgrade\r\n",
    ] {
        assert!(head.contains(field), "{field}: {head}");
    }
    // A masked text frame "hey", and one of bytes that would be trouble in a head.
    for frame in [b"\x81\x83\x01\x02\x03\x04igz", b"\x82\x83\0\0\0\0\r\n\r"] {
        stream.get_mut().write_all(frame).unwrap();
        let mut back = [0; 9];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(&back, frame);
    }
    // Refused, with frames sent too early: they are no request, and the connection ends.
    let mut stream = open(&house, &handshake("/no"));
    stream.get_mut().write_all(b"\x81\x83\x01\x02\x03\x04igz\r\n").unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(
        rest.starts_with("HTTP/1.1 403 ") && rest.contains("\r\n\r\nnoHTTP/1.1 400 "),
        "{rest}"
    );
}

#[test]
fn a_socket_stays_open_however_quickly_the_app_accepts_it() {
    let house = House::around(App::by_hand(|mut stream| {
        // Accepted before it was asked for: no answer can be quicker.
        stream.get_mut().write_all(SWITCH).unwrap();
        read_head(&mut stream);
        read_until(&mut stream, "ping");
        stream.get_mut().write_all(b"pong").unwrap();
    }));
    assert_all_open(&house);
}

#[test]
fn a_socket_opens_while_one_of_several_upstreams_is_down() {
    let app = App::by_hand(|mut stream| {
        read_head(&mut stream);
        stream.get_mut().write_all(SWITCH).unwrap();
        read_until(&mut stream, "ping");
        stream.get_mut().write_all(b"pong").unwrap();
    });
    let upstreams = [format!("http://{}", free_port()), app.url()];
    let route = format!("[[route]]\nhost = \"*\"\nupstream = {upstreams:?}\n");
    let house = House::with(app, Options::default().config(&route));
    assert_all_open(&house);
    let down = House::with(App::start(), Options::upstream(&format!("http://{}", free_port())));
    let head = read_head(&mut open(&down, HANDSHAKE));
    assert!(head.starts_with("HTTP/1.1 502 "), "{head}");
}

/// Opens many sockets at once and sends a word through each.
fn assert_all_open(house: &House) {
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let mut stream = open(house, HANDSHAKE);
                    let head = read_head(&mut stream);
                    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
                    stream.get_mut().write_all(b"ping").unwrap();
                    read_until(&mut stream, "pong");
                }
            });
        }
    });
}
