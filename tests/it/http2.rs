//! HTTP/2 at the gateway's door and behind it.

use crate::harness::{
    ADMIN_PASSWORD, App, H2App, House, Options, PATIENCE, Reply, code_now, h2_body, h2_connect,
    h2_data, h2_exchange, read_head,
};
use bytes::Bytes;
use h2::client::SendRequest;
use http::Request;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// A request to `a.test`, with header fields.
fn request(method: &str, target: &str, fields: &[(&str, &str)]) -> Request<()> {
    let mut request = Request::builder().method(method).uri(format!("http://a.test{target}"));
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap()
}

#[tokio::test]
async fn a_body_that_ends_with_an_empty_piece_ends_once_at_the_app() {
    let house = House::new();
    for pieces in [&[][..], &["x"], &["some", "more"]] {
        let mut sender = h2_connect(house.gateway.address).await.ready().await.unwrap();
        let asked = request("POST", "/x", &[("cookie", &house.cookie)]);
        let (answer, mut sending) = sender.send_request(asked, false).unwrap();
        for piece in pieces {
            sending.send_data(Bytes::copy_from_slice(piece.as_bytes()), false).unwrap();
        }
        sending.send_data(Bytes::new(), true).unwrap();
        assert_eq!(answer.await.unwrap().status(), 200, "{pieces:?}");
        let received = house.app.take_received();
        let (_, body) = received.split_once("\r\n\r\n").unwrap();
        assert!(body.ends_with("0\r\n\r\n"), "{received}");
        assert_eq!(body.matches("0\r\n\r\n").count(), 1, "{received}");
        // Whoever is next on the connection to the app has an answer of their own.
        assert_eq!(house.get("/y", "").text(), "hello");
        assert!(house.app.take_received().starts_with("GET /y "), "{pieces:?}");
    }
}

#[tokio::test]
async fn requests_over_http_2_reach_the_app_under_the_same_rules() {
    let house = House::new();
    let sender = h2_connect(house.gateway.address).await;
    let cookie = house.cookie.as_str();
    // The cookie in crumbs, as browsers may send it; identity forged; body without a length.
    let fields = [
        ("cookie", "a=1"),
        ("cookie", cookie),
        ("cookie", "b=2"),
        ("remote-user", "evil"),
        ("x-forwarded-for", "6.6.6.6"),
        ("x-original-url", "/evil"),
    ];
    let reply = h2_exchange(&sender, request("POST", "/x?q=1", &fields), b"body").await.unwrap();
    assert_eq!((reply.status, reply.text().as_str()), (200, "hello"));
    let received = house.app.take_received();
    assert!(received.starts_with("POST /x?q=1 HTTP/1.1\r\n"), "{received}");
    assert!(!received.contains("evil") && !received.contains("6.6.6.6"), "{received}");
    let lower = received.to_lowercase();
    for line in [
        "host: a.test\r\n",
        "cookie: a=1; b=2\r\n",
        "remote-user: ann\r\n",
        "x-forwarded-host: a.test\r\n",
        "transfer-encoding: chunked\r\n",
    ] {
        assert_eq!(lower.matches(&format!("\r\n{line}")).count(), 1, "{line}: {received}");
    }
    // Without the cookie, on the same connection, nothing passes; nor what is malformed.
    let many: Vec<(&str, &str)> =
        [("cookie", cookie)].into_iter().chain([("x", "1"); 100]).collect();
    let long = format!("/{}", "t".repeat(8 * 1024));
    for (target, method, fields, status) in [
        ("/x", "GET", &[][..], 401),
        ("/x", "GET", &[("sec-fetch-mode", "navigate")], 302),
        ("/x", "TRACE", &[("cookie", cookie)], 405),
        ("/x", "BREW", &[("cookie", cookie)], 405),
        ("/x", "GET", &[("cookie", cookie), ("remote_user", "evil")], 400),
        ("/x", "GET", &[("cookie", cookie), ("x_forwarded_for", "evil")], 400),
        ("/x", "GET", &[("cookie", cookie), ("host", "b.test")], 400),
        ("/x", "GET", &[("cookie", cookie), ("cookie", cookie)], 401),
        ("/x", "GET", &many, 431),
        (&long, "GET", &[("cookie", cookie)], 414),
        ("//_vestibule/login", "GET", &[("cookie", cookie)], 404),
    ] {
        let reply = h2_exchange(&sender, request(method, target, fields), b"").await.unwrap();
        assert_eq!(reply.status, status, "{method} {target:.40}");
        assert_eq!(reply.header("server"), None, "{method} {target:.40}");
    }
    assert_eq!(house.app.received(), "");
}

#[tokio::test]
async fn a_stream_over_http_2_arrives_part_by_part_and_ends_with_its_session() {
    let app = H2App::start();
    let house = House::with(App::start(), Options::upstream(&format!("h2c://{}", app.address)));
    let mut sender = h2_connect(house.gateway.address).await;
    let fields = [
        ("cookie", house.cookie.as_str()),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ];
    let request = request("POST", "/chat.Chat/Talk", &fields);
    let (response, mut sending) = sender.send_request(request, false).unwrap();
    let (head, mut receiving) = response.await.unwrap().into_parts();
    assert_eq!(
        (head.status.as_u16(), &head.headers["content-type"]),
        (200, &"application/grpc".parse().unwrap())
    );
    for part in ["one", "two", "three"] {
        sending.send_data(Bytes::from(part), false).unwrap();
        assert_eq!(h2_data(&mut receiving).await.unwrap().unwrap(), part);
    }
    assert!(house.gateway.command(&["session", "revoke", "--all"]).status.success());
    let since = Instant::now();
    let ended = h2_data(&mut receiving).await;
    assert!(!matches!(ended, Some(Ok(_))), "{ended:?}");
    assert!(since.elapsed() < Duration::from_millis(1500), "outlives its session");
}

#[tokio::test]
async fn whoever_was_answered_holds_nothing_by_what_they_never_send() {
    let (tell, left) = channel();
    let tell = Mutex::new(tell);
    let house = House::around(App::by_hand(move |mut stream| {
        read_head(&mut stream);
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        stream.get_mut().write_all(answer).unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
        let _ = tell.lock().unwrap().send(());
    }));
    let mut sender = h2_connect(house.gateway.address).await;
    let asked = request("POST", "/answered", &[("cookie", &house.cookie)]);
    let (answer, mut sending) = sender.send_request(asked, false).unwrap();
    sending.send_data(Bytes::from("first"), false).unwrap();
    let mut receiving = answer.await.unwrap().into_body();
    assert_eq!(h2_body(&mut receiving).await.unwrap(), b"hello");
    // The rest is waited for a moment, whatever comes of it.
    let since = Instant::now();
    let is_told = || house.gateway.log().contains(r#""path":"/answered""#);
    while !is_told() {
        assert!(since.elapsed() < Duration::from_secs(20), "its connections are held");
        let _ = sending.send_data(Bytes::from("x"), false);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let log = house.gateway.log();
    let line = log.lines().find(|line| line.contains(r#""path":"/answered""#)).unwrap();
    assert!(line.contains(r#""status":200"#) && line.contains(r#""outcome":"allowed""#), "{line}");
    assert_eq!(left.recv_timeout(PATIENCE), Ok(()), "the app is held");
    let asked = request("GET", "/x", &[("cookie", &house.cookie)]);
    assert_eq!(h2_exchange(&sender, asked, b"").await.unwrap().text(), "hello");
}

/// An app over HTTP/2 that has a lot to say.
async fn talkative() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(stream).await.unwrap();
                while let Some(Ok((_, mut respond))) = connection.accept().await {
                    let mut sending =
                        respond.send_response(http::Response::new(()), false).unwrap();
                    sending.send_data(Bytes::from(vec![b'x'; LOT]), true).unwrap();
                }
            });
        }
    });
    address
}

/// More than the engine would take ahead of somebody who reads nothing.
const LOT: usize = 12 << 20;

#[tokio::test]
async fn whoever_reads_nothing_of_an_app_over_http_2_keeps_nobody_else_from_it() {
    let upstream = format!("h2c://{}", talkative().await);
    let start = move || House::with(App::start(), Options::upstream(&upstream));
    let house = tokio::task::spawn_blocking(start).await.unwrap();
    let mut held = Vec::new();
    for _ in 0..4 {
        let stream = TcpStream::connect(house.gateway.address).await.unwrap();
        let mut client = h2::client::Builder::new();
        let client = client.initial_window_size(0).handshake::<_, Bytes>(stream);
        let (sender, connection) = client.await.unwrap();
        tokio::spawn(connection);
        let asked = request("GET", "/x", &[("cookie", &house.cookie)]);
        let (answer, _) = sender.ready().await.unwrap().send_request(asked, true).unwrap();
        held.push(timeout(PATIENCE, answer).await.unwrap().unwrap());
    }
    // All of them have what they are let have by the time somebody else has begun to read.
    for _ in 0..3 {
        let sender = h2_connect(house.gateway.address).await;
        let asked = request("GET", "/x", &[("cookie", &house.cookie)]);
        assert_eq!(h2_exchange(&sender, asked, b"").await.unwrap().body.len(), LOT);
    }
    drop(held);
}

#[tokio::test]
async fn grpc_passes_with_its_trailers() {
    let app = H2App::start();
    let house = House::with(App::start(), Options::upstream(&format!("h2c://{}", app.address)));
    let sender = h2_connect(house.gateway.address).await;
    let fields = [
        ("cookie", house.cookie.as_str()),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("remote-user", "evil"),
        ("grpc-timeout", "5S"),
    ];
    let (response, mut sending) =
        sender.clone().send_request(request("POST", "/chat.Chat/Say", &fields), false).unwrap();
    sending.send_data(Bytes::from("\0\0\0\0\x02hi"), true).unwrap();
    let mut receiving = response.await.unwrap().into_body();
    assert_eq!(h2_body(&mut receiving).await.unwrap(), b"\0\0\0\0\x02hi");
    let trailers = receiving.trailers().await.unwrap().expect("trailers");
    assert_eq!(
        (&trailers["grpc-status"], &trailers["grpc-message"]),
        (&"0".parse().unwrap(), &"fine".parse().unwrap())
    );
    let (method, uri, headers) = app.received().remove(0);
    assert_eq!((method.as_str(), uri.path()), ("POST", "/chat.Chat/Say"));
    assert_eq!(uri.authority().map(http::uri::Authority::as_str), Some("a.test"));
    for (name, value) in [
        ("te", "trailers"),
        ("remote-user", "ann"),
        ("grpc-timeout", "5S"),
        ("content-type", "application/grpc"),
    ] {
        let values: Vec<_> = headers.get_all(name).iter().collect();
        assert_eq!(values, [value], "{headers:?}");
    }
    assert!(!headers.contains_key("cookie"), "{headers:?}");
    // A client of HTTP/1.1 reaches the same app.
    let reply = house.get("/plain", "");
    assert_eq!(reply.status, 200);
    assert_eq!(app.received().last().unwrap().1.authority().unwrap(), "app.test");
}

/// A browser of few words over HTTP/2.
struct Browser {
    sender: SendRequest<Bytes>,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    async fn ask(&mut self, method: &str, target: &str, body: &str) -> Reply {
        let cookies: Vec<String> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let mut fields = vec![
            ("accept", "text/html"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-site", "same-origin"),
            ("origin", "http://a.test"),
        ];
        fields.extend(cookies.iter().map(|cookie| ("cookie", cookie.as_str())));
        if method == "POST" {
            fields.push(("content-type", "application/x-www-form-urlencoded"));
        }
        let reply = h2_exchange(&self.sender, request(method, target, &fields), body.as_bytes())
            .await
            .unwrap();
        for cookie in reply.headers_named("set-cookie") {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        reply
    }

    /// Fills in the form of a page and sends it.
    async fn submit(&mut self, page: &Reply, target: &str, fields: &[(&str, &str)]) -> Reply {
        let html = page.text();
        let token = html.split("name=\"form_token\" value=\"").nth(1).expect("a form");
        let token = token.split('"').next().unwrap();
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.append_pair("form_token", token).extend_pairs(fields);
        self.ask("POST", target, &body.finish()).await
    }
}

#[tokio::test]
async fn somebody_signs_in_over_http_2() {
    let house = House::with(App::start(), Options::default());
    let bob = crate::harness::Person::add(&house.gateway, "bob");
    let sender = h2_connect(house.gateway.address).await;
    let mut browser = Browser { sender, cookies: BTreeMap::new() };
    let page = browser.ask("GET", "/_vestibule/login", "").await;
    let answer = browser
        .submit(&page, "/_vestibule/login", &[("username", "bob"), ("password", ADMIN_PASSWORD)])
        .await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some("/_vestibule/login/second-factor")),
        "{}",
        answer.text()
    );
    let page = browser.ask("GET", "/_vestibule/login/second-factor", "").await;
    let code = code_now(&bob.secret);
    let answer = browser.submit(&page, "/_vestibule/login/second-factor", &[("code", &code)]).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let page = browser.ask("GET", "/_vestibule/account", "").await;
    assert!(page.status == 200 && page.text().contains("bob"), "{}", page.text());
    let large = "x".repeat(70_000);
    assert_eq!(browser.ask("POST", "/_vestibule/login", &large).await.status, 413);
}
