//! How long an app may take. The seconds are real: what has to be waited for is waited for at once.

use super::{house, open, route};
use crate::harness::{App, House, Options, PATIENCE, connect, read_head, read_reply, read_until};
use std::io::{BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Longer than a limit of one second, whoever looks, however late.
const LONG: Duration = Duration::from_millis(2500);
/// Shorter than that.
const TICK: Duration = Duration::from_millis(400);

const SWITCH: &str =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const HANDSHAKE: &str =
    "GET /socket HTTP/1.1\r\nHost: a\r\n$CConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

/// An app that does as its path says, and how often it was asked for /never.
fn app() -> (App, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let of_app = Arc::clone(&asked);
    let app = App::by_hand(move |mut stream| {
        loop {
            let head = read_head(&mut stream);
            let Some(path) = head.split(' ').nth(1) else { return };
            if path == "/never" {
                of_app.fetch_add(1, Ordering::SeqCst);
                let _ = stream.read_to_end(&mut Vec::new());
                return;
            }
            // Whoever was cut is not there to be told.
            if answer(path, &mut stream).is_err() || path == "/unframed" {
                return;
            }
        }
    });
    (app, asked)
}

fn answer(path: &str, stream: &mut BufReader<TcpStream>) -> std::io::Result<()> {
    let mut say = |text: &str| stream.get_mut().write_all(text.as_bytes());
    match path {
        "/late" => {
            sleep(LONG);
            say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
        }
        "/pause" => {
            say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")?;
            sleep(LONG);
            say("4\r\nlast\r\n0\r\n\r\n")
        }
        "/unframed" => {
            say("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nfirst")?;
            sleep(LONG);
            say("last")
        }
        "/ticks" => {
            say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            for _ in 0..6 {
                say("4\r\ntick\r\n")?;
                sleep(TICK);
            }
            say("0\r\n\r\n")
        }
        "/upload" => {
            read_until(stream, "last");
            stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")
        }
        "/socket" => {
            say(SWITCH)?;
            read_until(stream, "ping");
            stream.get_mut().write_all(b"pong")
        }
        _ => say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
    }
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n$C\r\n")
}

/// Everything that comes until the end.
fn to_the_end(mut stream: BufReader<TcpStream>) -> String {
    let mut received = Vec::new();
    let _ = stream.read_to_end(&mut received);
    String::from_utf8_lossy(&received).into_owned()
}

/// An upload that pauses; the answer.
fn slow_upload(house: &House) -> String {
    let head = "POST /upload HTTP/1.1\r\nHost: a\r\n$CContent-Length: 9\r\n\r\nfirst";
    let mut stream = open(house, head);
    sleep(LONG);
    let _ = stream.get_mut().write_all(b"last");
    read_reply(&mut stream, false).text()
}

/// A socket on which the client alone speaks, for so long; what the app says at last.
fn talkative_socket(house: &House) -> String {
    let mut socket = open(house, HANDSHAKE);
    read_head(&mut socket);
    for _ in 0..6 {
        let _ = socket.get_mut().write_all(b"hey");
        sleep(TICK);
    }
    let _ = socket.get_mut().write_all(b"ping");
    to_the_end(socket)
}

#[test]
fn an_app_that_does_not_begin_to_answer_in_time_is_given_up_and_nothing_else_is() {
    let (app, asked) = app();
    let house = &house(app, "first_byte_timeout = \"1s\"");
    assert_eq!(house.get("/x", "").text(), "hello", "a connection is kept from here on");
    std::thread::scope(|scope| {
        let late = scope.spawn(|| house.get("/late", "").status);
        let pause = scope.spawn(|| house.get("/pause", "").text());
        let upload = scope.spawn(|| slow_upload(house));
        let socket = scope.spawn(|| {
            let mut socket = open(house, HANDSHAKE);
            read_head(&mut socket);
            sleep(LONG);
            socket.get_mut().write_all(b"ping").unwrap();
            read_until(&mut socket, "pong")
        });
        let begun = Instant::now();
        let page = house.get("/never", "Sec-Fetch-Mode: navigate\r\n");
        let took = begun.elapsed();
        assert_eq!(page.status, 504);
        assert!(page.text().contains("The app took too long"), "{}", page.text());
        assert!(took >= Duration::from_secs(1) && took < PATIENCE / 2, "{took:?}");
        assert_eq!(late.join().unwrap(), 504);
        assert_eq!(pause.join().unwrap(), "firstlast");
        assert_eq!(upload.join().unwrap(), "done");
        assert_eq!(socket.join().unwrap(), "pong");
    });
    // Also on a connection that was kept, for a method that may be sent again.
    for _ in 0..2 {
        assert_eq!(house.get("/x", "").text(), "hello");
        let before = asked.load(Ordering::SeqCst);
        let problem = house.get("/never", "");
        let body: serde_json::Value = serde_json::from_slice(&problem.body).unwrap();
        assert_eq!((problem.status, body["code"].as_str()), (504, Some("gateway_timeout")));
        assert_eq!(asked.load(Ordering::SeqCst), before + 1);
    }
    house.gateway.hear(r#""reason":"app_timeout""#);
}

#[test]
fn what_stands_still_is_cut_and_what_goes_on_or_has_not_begun_is_not() {
    let (app, _) = app();
    let house = &house(app, "idle_timeout = \"1s\"");
    std::thread::scope(|scope| {
        let late = scope.spawn(|| house.get("/late", "").text());
        let ticks = scope.spawn(|| house.get("/ticks", "").text());
        let pause = scope.spawn(|| to_the_end(open(house, &get("/pause"))));
        let unframed = scope.spawn(|| to_the_end(open(house, &get("/unframed"))));
        let upload = scope.spawn(|| slow_upload(house));
        let talk = scope.spawn(|| talkative_socket(house));
        let quiet = scope.spawn(|| {
            let mut socket = open(house, HANDSHAKE);
            read_head(&mut socket);
            to_the_end(socket)
        });
        assert_eq!(late.join().unwrap(), "late", "a long poll");
        assert_eq!(ticks.join().unwrap(), "tick".repeat(6));
        for cut in [pause.join().unwrap(), unframed.join().unwrap()] {
            assert!(cut.contains("first") && !cut.contains("last"), "{cut}");
            assert!(!cut.ends_with("0\r\n\r\n"), "cut, not ended: {cut}");
        }
        assert_ne!(upload.join().unwrap(), "done");
        assert_eq!(talk.join().unwrap(), "pong");
        assert_eq!(quiet.join().unwrap(), "");
    });
}

#[test]
fn without_limits_nothing_is_cut() {
    let (app, _) = app();
    let house = &house(app, "");
    std::thread::scope(|scope| {
        let late = scope.spawn(|| house.get("/late", "").text());
        let pause = scope.spawn(|| house.get("/pause", "").text());
        let unframed = scope.spawn(|| house.get("/unframed", "").text());
        let upload = scope.spawn(|| slow_upload(house));
        assert_eq!(late.join().unwrap(), "late");
        assert_eq!(pause.join().unwrap(), "firstlast");
        assert_eq!(unframed.join().unwrap(), "firstlast");
        assert_eq!(upload.join().unwrap(), "done");
    });
}

#[test]
fn an_app_that_takes_no_connection_in_time_is_given_up() {
    // It is connected to, and never says hello.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let house = House::with(App::start(), route(&[url], "connect_timeout = \"1s\""));
    let begun = Instant::now();
    let reply = house.get("/x", "");
    assert_eq!((reply.status, begun.elapsed() < PATIENCE / 2), (504, true));
}

#[test]
fn towards_an_app_that_speaks_http2_the_longer_of_both_limits_holds() {
    // It takes the connection and every request, and answers none.
    let app = App::by_hand(|mut stream| {
        let empty_settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
        let _ = stream.get_mut().write_all(&empty_settings);
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let url = format!("h2c://{}", app.address);
    let keys = "first_byte_timeout = \"1s\"\nidle_timeout = \"2s\"";
    let house = House::with(app, route(&[url], keys));
    let begun = Instant::now();
    assert_eq!(house.get("/x", "").status, 504);
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(2) && took < PATIENCE / 2, "{took:?}");
}

#[test]
fn connections_to_an_app_with_limits_are_kept_and_survive_being_unused() {
    let app = App::start();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let behind = app.address;
    let front = App::by_hand(move |mut stream| {
        counted.fetch_add(1, Ordering::SeqCst);
        let mut app = connect(behind);
        let mut back = app.try_clone().unwrap();
        let mut out = stream.get_ref().try_clone().unwrap();
        std::thread::spawn(move || std::io::copy(&mut back, &mut out));
        let _ = std::io::copy(&mut stream, &mut app);
    });
    // Every worker keeps connections of its own.
    let keys = "first_byte_timeout = \"1s\"\nidle_timeout = \"1s\"";
    let options = route(&[front.url()], keys);
    let house = House::with(front, Options { server: String::from("workers = 1"), ..options });
    assert_eq!(house.get("/x", "").text(), "hello");
    // An answer may be read before its connection is put away; after this time it has been.
    sleep(LONG);
    assert_eq!(house.get("/x", "").text(), "hello");
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}
