//! A route may limit what its app is sent.

use super::{house, open, route};
use crate::harness::{App, House, h2_connect, h2_exchange, read_head, read_reply, read_until};
use http::Request;
use std::io::{Read as _, Write as _};
use std::sync::Mutex;
use std::sync::mpsc::channel;

#[test]
fn a_body_that_says_it_is_too_long_is_refused_before_any_of_it_is_sent() {
    let house = house(App::start(), "body_max = \"1KiB\"");
    let post = |length: usize, body: &str| {
        let head = format!("POST /x HTTP/1.1\r\nHost: a\r\n$CContent-Length: {length}\r\n");
        house.ask(&format!("{head}\r\n{body}"))
    };
    let refused = post(1025, "");
    assert_eq!(
        (refused.status, refused.header("content-type")),
        (413, Some("application/problem+json"))
    );
    assert_eq!(house.app.received(), "");
    assert_eq!(post(1024, &"x".repeat(1024)).text(), "hello");
    // Who asks first is spared the sending.
    let asked = house.ask(
        "POST /x HTTP/1.1\r\nHost: a\r\n$CExpect: 100-continue\r\nContent-Length: 2000\r\n\r\n",
    );
    assert_eq!(asked.status, 413);
    // Nobody learns the limit who may not pass.
    let stranger = house.ask("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n");
    assert_eq!(stranger.status, 401);
}

#[test]
fn a_body_without_a_length_is_cut_where_it_becomes_too_long() {
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let app = App::by_hand(move |mut stream| {
        let head = read_head(&mut stream);
        let mut body = Vec::new();
        let _ = stream.read_to_end(&mut body);
        tell.lock().unwrap().send((head, String::from_utf8(body).unwrap())).unwrap();
    });
    let house = house(app, "body_max = 10");
    let head = "POST /x HTTP/1.1\r\nHost: a\r\n$CTransfer-Encoding: chunked\r\n\r\n";
    let mut stream = open(&house, &format!("{head}8\r\nharmless\r\n"));
    stream.get_mut().write_all(b"8\r\ntoo much\r\n0\r\n\r\n").unwrap();
    assert_eq!(read_reply(&mut stream, false).status, 413);
    let (head, body) = told.recv_timeout(crate::harness::PATIENCE).unwrap();
    assert!(head.starts_with("POST /x "), "{head}");
    // Cut, not ended: the app cannot take what it got for all there is.
    assert!(!body.contains("too") && !body.contains("0\r\n\r\n"), "{body}");
    house.gateway.hear(r#""reason":"body_too_large""#);
}

#[tokio::test]
async fn over_http2_the_same_holds() {
    let (house, cookie) = tokio::task::spawn_blocking(|| {
        let house = house(App::start(), "body_max = 10");
        let cookie = house.cookie.clone();
        (house, cookie)
    })
    .await
    .unwrap();
    let client = h2_connect(house.gateway.address).await;
    let request = |length: Option<&str>| {
        let request = Request::post("http://a.test/x").header("cookie", &cookie);
        let request = match length {
            Some(length) => request.header("content-length", length),
            None => request,
        };
        request.body(()).unwrap()
    };
    let declared = h2_exchange(&client, request(Some("16")), b"0123456789abcdef").await.unwrap();
    assert_eq!(declared.status, 413);
    let counted = h2_exchange(&client, request(None), b"0123456789abcdef").await.unwrap();
    assert_eq!(counted.status, 413);
    let fits = h2_exchange(&client, request(None), b"0123456789").await.unwrap();
    assert_eq!(fits.text(), "hello");
}

#[test]
fn what_a_websocket_carries_is_no_body_and_other_routes_have_no_limit() {
    let app = App::by_hand(|mut stream| {
        if read_head(&mut stream).starts_with("GET ") {
            let switch = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
            stream.get_mut().write_all(switch.as_bytes()).unwrap();
        }
        read_until(&mut stream, "the end");
        let _ = stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone");
    });
    let url = app.url();
    let mut options = route(std::slice::from_ref(&url), "body_max = 10");
    options = options.config(&format!("[[route]]\nhost = \"free.test\"\nupstream = \"{url}\"\n"));
    let house = House::with(app, options);
    let mut socket = open(
        &house,
        "GET /x HTTP/1.1\r\nHost: a\r\n$CConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    assert!(read_head(&mut socket).starts_with("HTTP/1.1 101 "));
    socket.get_mut().write_all(&b"x".repeat(1000)).unwrap();
    socket.get_mut().write_all(b"the end").unwrap();
    read_until(&mut socket, "done");
    let body = "x".repeat(1000) + "the end";
    let length = body.len();
    let head = format!("POST /x HTTP/1.1\r\nHost: free.test\r\n$CContent-Length: {length}\r\n");
    assert_eq!(house.ask(&format!("{head}\r\n{body}")).text(), "done");
}
