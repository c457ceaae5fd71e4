//! The guard for real: a pingora proxy behind it, sockets on both sides, raw bytes.

mod parting;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use pingora::apps::HttpServerOptions;
use pingora::prelude::*;
use pingora::proxy::{ProxyHttp, Session, http_proxy};
use pingora::server::configuration::ServerConf;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::machine::MALFORMED;
use crate::proxy::guard::{ConnControl, Connections, Front, GuardSettings, Refused};
use crate::proxy::hygiene::{ProtectedNames, Refusal};

/// Everything the app's socket received.
type Log = Arc<Mutex<Vec<u8>>>;

struct Proxy {
    app: SocketAddr,
    controls: Arc<Mutex<Vec<Arc<ConnControl>>>>,
}

#[async_trait]
impl ProxyHttp for Proxy {
    type CTX = ();
    fn new_ctx(&self) {}

    async fn early_request_filter(&self, session: &mut Session, _: &mut ()) -> Result<()> {
        let control = ConnControl::of(session).expect("every connection has a control").clone();
        if session.req_header().uri.path() == "/portal" {
            control.set_body_timeout(Duration::from_millis(50));
        }
        self.controls.lock().unwrap().push(control);
        Ok(())
    }

    async fn request_filter(&self, session: &mut Session, _: &mut ()) -> Result<bool> {
        if session.req_header().uri.path() == "/early" {
            session.respond_error(413).await?;
            return Ok(true);
        }
        Ok(false)
    }

    async fn upstream_peer(&self, _: &mut Session, _: &mut ()) -> Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(self.app, false, String::new())))
    }
}

struct House {
    address: SocketAddr,
    log: Log,
    refused: Arc<Mutex<Vec<Refused>>>,
    controls: Arc<Mutex<Vec<Arc<ConnControl>>>>,
    connections: Arc<Connections>,
    _shutdown: tokio::sync::watch::Sender<bool>,
}

/// More than lies between an app and a client that does not read.
const LARGE: usize = 32 << 20;

/// An app that answers each request with its target, and echoes on WebSockets.
async fn app(log: Log) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket, log.clone()));
        }
    });
    address
}

async fn serve(mut socket: TcpStream, log: Log) -> Option<()> {
    let mut unread = Vec::new();
    loop {
        let head_end = loop {
            if let Some(at) = unread.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            more(&mut socket, &mut unread, &log).await?;
        };
        let head = String::from_utf8_lossy(&unread[..head_end]).to_lowercase();
        if head.contains(" /stall ") {
            std::future::pending::<()>().await;
        }
        unread.drain(..head_end);
        if head.contains("upgrade: websocket") && !head.contains(" /no ") {
            socket.write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n").await.ok()?;
            loop {
                socket.write_all(&unread).await.ok()?;
                unread.clear();
                more(&mut socket, &mut unread, &log).await?;
            }
        }
        if head.contains(" /force ") {
            socket.write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nRAW").await.ok()?;
            more(&mut socket, &mut unread, &log).await?;
        }
        if let Some(length) = head.split("content-length: ").nth(1) {
            let length: usize = length.split('\r').next()?.parse().ok()?;
            while unread.len() < length {
                more(&mut socket, &mut unread, &log).await?;
            }
            unread.drain(..length);
        } else if head.contains("chunked") {
            while !unread.windows(5).any(|w| w == b"0\r\n\r\n") {
                more(&mut socket, &mut unread, &log).await?;
            }
            unread.clear();
        }
        if head.contains(" /pieces ") {
            socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n").await.ok()?;
            tokio::time::sleep(Duration::from_millis(50)).await;
            socket.write_all(b"first").await.ok()?;
            std::future::pending::<()>().await;
        }
        if head.contains(" /large ") {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n");
            socket.write_all(&[head.as_bytes(), &vec![b'x'; LARGE]].concat()).await.ok()?;
            continue;
        }
        let target = head.split(' ').nth(1)?.to_owned();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{target}", target.len());
        socket.write_all(answer.as_bytes()).await.ok()?;
    }
}

async fn more(socket: &mut TcpStream, unread: &mut Vec<u8>, log: &Log) -> Option<()> {
    let before = unread.len();
    let n = socket.read_buf(unread).await.ok()?;
    log.lock().unwrap().extend_from_slice(&unread[before..]);
    (n > 0).then_some(())
}

async fn house(adjust: impl FnOnce(&mut GuardSettings)) -> House {
    house_for(10_000, adjust).await
}

async fn house_for(most: usize, adjust: impl FnOnce(&mut GuardSettings)) -> House {
    let log = Log::default();
    let refused = Arc::new(Mutex::new(Vec::new()));
    let controls = Arc::new(Mutex::new(Vec::new()));
    let proxy = Proxy { app: app(log.clone()).await, controls: controls.clone() };
    let mut proxy = http_proxy(&Arc::new(ServerConf::default()), proxy);
    let mut options = HttpServerOptions::default();
    options.h2c = true;
    proxy.server_options = Some(options);
    let noted = refused.clone();
    let mut settings = GuardSettings {
        protected: Arc::new(|| Arc::new(ProtectedNames::new(["remote-user"]))),
        on_refusal: Arc::new(move |refusal| noted.lock().unwrap().push(refusal)),
        ..GuardSettings::default()
    };
    adjust(&mut settings);
    let connections = Connections::new(most);
    let front = Arc::new(Front::new(Arc::new(proxy), settings, connections.clone()));
    let (_shutdown, watch) = tokio::sync::watch::channel(false);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (front, watch) = (front.clone(), watch.clone());
            let stream = pingora::protocols::l4::stream::Stream::from(socket);
            tokio::spawn(async move { front.serve(Box::new(stream), None, &watch).await });
        }
    });
    House { address, log, refused, controls, connections, _shutdown }
}

impl House {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    fn logged(&self) -> String {
        String::from_utf8_lossy(&self.log.lock().unwrap()).into_owned()
    }

    async fn ends_within_a_second(&self) {
        for _ in 0..90 {
            if self.connections.is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("a connection outlives its end");
    }

    fn reasons(&self) -> Vec<Refusal> {
        self.refused.lock().unwrap().iter().map(|r| r.refusal).collect()
    }
}

/// Reads until `end` was seen.
async fn read_until(socket: &mut TcpStream, end: &str) -> String {
    let mut seen = Vec::new();
    let reading = async {
        while !seen.ends_with(end.as_bytes()) {
            if socket.read_buf(&mut seen).await.unwrap() == 0 {
                break;
            }
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(5), reading).await.is_ok();
    let seen = String::from_utf8_lossy(&seen).into_owned();
    assert!(in_time && seen.ends_with(end), "wanted {end:?}, got {seen:?}");
    seen
}

/// Sends everything, then reads to the end.
async fn exchange(house: &House, bytes: &[u8]) -> String {
    let mut socket = house.connect().await;
    socket.write_all(bytes).await.unwrap();
    let mut seen = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(5), socket.read_to_end(&mut seen)).await;
    assert!(read.is_ok_and(|r| r.is_ok()), "cut while answering {}", bytes.escape_ascii());
    String::from_utf8(seen).unwrap()
}

#[tokio::test]
async fn an_answer_that_comes_in_pieces_goes_on_in_pieces() {
    let house = house(|_| {}).await;
    let body = "POST /pieces HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody";
    for request in ["GET /pieces HTTP/1.1\r\nHost: a\r\n\r\n", body] {
        let mut socket = house.connect().await;
        socket.write_all(request.as_bytes()).await.unwrap();
        read_until(&mut socket, "\r\n\r\n").await;
        read_until(&mut socket, "first").await;
    }
}

#[tokio::test]
async fn nothing_malformed_reaches_the_app_and_every_client_is_told() {
    let house = house(|_| {}).await;
    let big = format!("GET / HTTP/1.1\r\nHost: a\r\n{}", "X: 0123456789\r\n".repeat(60_000));
    let large = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(900_000));
    let mut cases: Vec<(&[u8], Refusal)> = MALFORMED.to_vec();
    cases.retain(|(bytes, _)| !bytes.starts_with(b"PRI"));
    cases.push((big.as_bytes(), Refusal::TooManyFields));
    for (bytes, refusal) in cases {
        let answer = exchange(&house, bytes).await;
        let status = format!("HTTP/1.1 {} ", refusal.status());
        assert!(answer.starts_with(&status), "{}: {answer}", bytes.escape_ascii());
        assert!(answer.ends_with(&format!("{}\n", refusal.sentence())), "{answer}");
        assert_eq!(house.refused.lock().unwrap().pop().unwrap().refusal, refusal);
    }
    // More than the linger takes: the sender is cut off, with or without its answer.
    let mut socket = house.connect().await;
    let _ = socket.write_all(large.as_bytes()).await;
    let _ = socket.read_to_end(&mut Vec::new()).await;
    assert_eq!(house.reasons(), [Refusal::HeadTooLarge]);
    assert_eq!(house.logged(), "");
}

#[tokio::test]
async fn one_connection_serves_many_requests_one_after_the_other_and_pipelined() {
    let house = house(|_| {}).await;
    let mut socket = house.connect().await;
    for target in ["/one", "/two", "/three"] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        let (first, second) = request.split_at(7);
        socket.write_all(first.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
        socket.write_all(second.as_bytes()).await.unwrap();
        read_until(&mut socket, target).await;
    }
    let pipelined = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n\
        POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nxyz\r\n\
        PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nuvw\r\n0\r\nT: 1\r\n\r\n\
        GET /d HTTP/1.1\r\nHost: a\r\n\r\nGET /e# HTTP/1.1\r\nHost: a\r\n\r\n";
    socket.write_all(pipelined.as_bytes()).await.unwrap();
    let answers = read_until(&mut socket, "slash.\n").await;
    let order: Vec<usize> =
        ["\r\n\r\n/a", "\r\n\r\n/b", "\r\n\r\n/c", "\r\n\r\n/d", "400 Bad Request"]
            .iter()
            .map(|part| answers.find(part).unwrap_or_else(|| panic!("{part} not in {answers}")))
            .collect();
    assert!(order.is_sorted(), "{answers}");
    assert_eq!(house.reasons(), [Refusal::BadTarget]);
    assert!(!house.logged().contains("/e"));
}

#[tokio::test]
async fn bodies_arrive_whole_whatever_their_framing() {
    let house = house(|_| {}).await;
    let mut socket = house.connect().await;
    let body = "b".repeat(300_000);
    let head = format!("POST /len HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
    socket.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    read_until(&mut socket, "/len").await;
    assert_eq!(house.logged().matches('b').count(), body.len());
    house.log.lock().unwrap().clear();
    socket
        .write_all(b"POST /chunks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await
        .unwrap();
    for _ in 0..30 {
        let chunk = format!("{:x}\r\n{}\r\n", 10_000, "b".repeat(10_000));
        socket.write_all(chunk.as_bytes()).await.unwrap();
    }
    socket.write_all(b"0\r\n\r\n").await.unwrap();
    read_until(&mut socket, "/chunks").await;
    assert_eq!(house.logged().matches('b').count(), body.len());
    assert_eq!(house.reasons(), []);
}

#[tokio::test]
async fn a_bad_chunk_ends_the_request_with_an_answer() {
    let house = house(|_| {}).await;
    let answer = exchange(
        &house,
        b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\nGET /y HTTP/1.1\r\n\r\n",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.ends_with("malformed.\n"), "{answer}");
    assert!(!house.logged().contains("/y") && !house.logged().contains("0\r\n\r\n"));
}

#[tokio::test]
async fn a_websocket_passes_bytes_both_ways_and_early_bytes_wait_for_the_101() {
    let house = house(|_| {}).await;
    let handshake =
        b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nEARLY";
    let mut socket = house.connect().await;
    socket.write_all(handshake).await.unwrap();
    let answer = read_until(&mut socket, "EARLY").await;
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    socket.write_all(b"\0\xffGET / HTTP/1.1\nping").await.unwrap();
    read_until(&mut socket, "ping").await;
    // Both sides idle: the operator's word alone ends it, and within a second.
    let control = house.controls.lock().unwrap().pop().unwrap();
    let before = Instant::now();
    control.kill();
    let _ = tokio::time::timeout(Duration::from_secs(5), socket.read(&mut [0; 8])).await.unwrap();
    assert!(before.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn after_a_refused_upgrade_the_next_bytes_are_a_request_like_any_other() {
    let house = house(|_| {}).await;
    let mut socket = house.connect().await;
    let handshake =
        "GET /no HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let smuggled = "GET /next HTTP/1.1\r\nHost: a\r\nRemote_User: admin\r\n\r\n";
    socket.write_all(format!("{handshake}{smuggled}").as_bytes()).await.unwrap();
    let answer = read_until(&mut socket, "own.\n").await;
    assert!(answer.contains("200 OK") && answer.contains("400 Bad Request"), "{answer}");
    assert!(!house.logged().contains("/next"));
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_ended_all_the_same() {
    let house = house(|_| {}).await;
    let mut socket = house.connect().await;
    let handshake =
        b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    socket.write_all(handshake).await.unwrap();
    let flood = vec![b'x'; 64 * 1024 * 1024];
    let stuck = tokio::time::timeout(Duration::from_secs(2), socket.write_all(&flood)).await;
    assert!(stuck.is_err(), "the echo was never blocked");
    house.connections.close_all();
    house.ends_within_a_second().await;
}

#[tokio::test]
async fn an_upload_the_app_does_not_take_is_ended_all_the_same() {
    let house = house(|_| {}).await;
    let mut socket = house.connect().await;
    let head = b"POST /stall HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n";
    socket.write_all(head).await.unwrap();
    let flood = vec![b'x'; 64 * 1024 * 1024];
    let stuck = tokio::time::timeout(Duration::from_secs(2), socket.write_all(&flood)).await;
    assert!(stuck.is_err(), "the upload was never blocked");
    house.connections.close_all();
    house.ends_within_a_second().await;
}

#[tokio::test]
async fn a_101_nobody_asked_for_opens_no_tunnel() {
    let house = house(|_| {}).await;
    let mut socket = house.connect().await;
    let request = b"GET /force HTTP/1.1\r\nHost: a\r\n\r\nGET /tunnelled HTTP/1.1\r\n\r\n";
    socket.write_all(request).await.unwrap();
    let mut seen = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(5), socket.read_to_end(&mut seen)).await;
    assert!(end.is_ok(), "the connection stays open");
    assert!(!house.logged().contains("/tunnelled"));
}

#[tokio::test]
async fn an_upgrade_to_h2c_goes_on_as_a_plain_request() {
    let house = house(|_| {}).await;
    let mut socket = house.connect().await;
    let request = "GET /plain HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
        HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    let answer = read_until(&mut socket, "/plain").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let logged = house.logged().to_lowercase();
    assert!(!logged.contains("upgrade") && !logged.contains("settings"), "{logged}");
}

#[tokio::test]
async fn http_2_with_prior_knowledge_is_answered_in_http_2() {
    let house = house(|_| {}).await;
    let mut socket = house.connect().await;
    socket.write_all(b"PRI * HTTP").await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    // The rest of the preface, empty SETTINGS, HEADERS of one GET on stream 1.
    let mut bytes = b"/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    bytes.extend_from_slice(b"\0\0\x06\x01\x05\0\0\0\x01\x82\x86\x84\x41\x01a");
    socket.write_all(&bytes).await.unwrap();
    let mut seen = Vec::new();
    let headers = |seen: &[u8]| {
        let mut rest = seen;
        while rest.len() >= 9 {
            let length = usize::from(rest[1]) << 8 | usize::from(rest[2]);
            if rest[3] == 1 {
                return true;
            }
            rest = rest.get(9 + length..).unwrap_or_default();
        }
        false
    };
    while !headers(&seen) {
        let read = tokio::time::timeout(Duration::from_secs(5), socket.read_buf(&mut seen)).await;
        assert!(read.unwrap().unwrap() > 0, "{}", seen.escape_ascii());
    }
    assert!(house.logged().starts_with("GET / HTTP/1.1\r\n"), "{}", house.logged());
    house.controls.lock().unwrap()[0].kill();
    let end = tokio::time::timeout(Duration::from_secs(5), socket.read_to_end(&mut seen)).await;
    assert!(end.is_ok());
}

#[tokio::test]
async fn slow_heads_and_bodies_get_a_408_and_idle_connections_nothing() {
    let house = house(|settings| {
        settings.head_timeout = Duration::from_millis(80);
        settings.idle_timeout = Duration::from_millis(80);
    })
    .await;
    let before = Instant::now();
    assert_eq!(exchange(&house, b"").await, "");
    let answer = exchange(&house, b"GET / HTTP/1.1\r\nHost:").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    let answer =
        exchange(&house, b"POST /portal HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    let answer = exchange(&house, b"GET /one HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(answer.ends_with("\r\n\r\n/one"), "{answer}");
    let answer = exchange(&house, b"GET /two HTTP/1.1\r\nHost: a\r\n\r\n\r\n").await;
    assert!(answer.ends_with("\r\n\r\n/two"), "{answer}");
    assert_eq!(house.reasons(), [Refusal::HeadTimeout, Refusal::BodyTimeout]);
    assert!(before.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn an_answer_before_the_body_was_read_arrives() {
    let house = house(|_| {}).await;
    let mut request = b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n".to_vec();
    request.resize(150_000, b'x');
    let answer = exchange(&house, &request).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(house.logged(), "");
}

#[tokio::test]
async fn a_full_house_closes_the_new_connection_and_a_drain_ends_the_idle_ones() {
    let house = house_for(1, |_| {}).await;
    let mut first = house.connect().await;
    first.write_all(b"GET /one HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    read_until(&mut first, "/one").await;
    assert_eq!(exchange(&house, b"").await, "");
    assert_eq!(house.connections.len(), 1);
    house.connections.close_idle();
    assert_eq!(first.read(&mut [0; 8]).await.unwrap(), 0);
    house.ends_within_a_second().await;
}
