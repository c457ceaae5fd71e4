//! Whoever is slow loses their own time and nobody else's. The ten seconds are real, and so is the
//! minute for bodies: what has to be waited for is waited for at once.

mod minutes;

use crate::harness::{
    App, House, PATIENCE, connect, h2_body, h2_connect, read_head, read_reply, read_until,
};
use bytes::Bytes;
use h2::SendStream;
use h2::client::{ResponseFuture, SendRequest};
use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::pin::pin;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// Longer than any deadline that must not be felt.
const LONG: Duration = Duration::from_secs(12);

/// An app that takes its time, or all of it.
fn patient_app() -> App {
    App::by_hand(|mut stream| {
        loop {
            let head = read_head(&mut stream);
            let answer = match head.split(' ').nth(1) {
                Some("/never") => {
                    let _ = stream.read_to_end(&mut Vec::new());
                    return;
                }
                Some("/late") => {
                    std::thread::sleep(LONG);
                    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate"
                }
                Some("/upload") => {
                    read_until(&mut stream, "last");
                    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlast"
                }
                Some("/socket") => {
                    let switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
                    stream.get_mut().write_all(switch).unwrap();
                    read_until(&mut stream, "ping");
                    "pong"
                }
                Some(_) => "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                None => return,
            };
            let _ = stream.get_mut().write_all(answer.as_bytes());
        }
    })
}

fn open(house: &House, request: &str) -> BufReader<TcpStream> {
    let mut stream = connect(house.gateway.address);
    stream.write_all(&house.fill(request.as_bytes())).unwrap();
    BufReader::new(stream)
}

/// Everything that comes until the end, and how long that took.
fn to_the_end(mut stream: BufReader<TcpStream>) -> (String, Duration) {
    let (since, mut received) = (Instant::now(), Vec::new());
    let _ = stream.read_to_end(&mut received);
    (String::from_utf8_lossy(&received).into_owned(), since.elapsed())
}

/// Checks that somebody was cut off after ten seconds, with this status or without a word.
fn assert_cut(what: &str, (answer, after): &(String, Duration), status: Option<u16>) {
    let window = Duration::from_millis(9_500)..Duration::from_secs(13);
    assert!(window.contains(after), "{what}: cut after {after:?}");
    match status {
        Some(status) => {
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{what}: {answer}");
        }
        None => assert_eq!(answer, "", "{what}"),
    }
}

/// A head that never comes to its end, a byte a second: the deadline is for the whole of it.
fn trickle(house: &House) -> (String, Duration) {
    let mut stream = open(house, "GET /x HTTP/1.1\r\nHost: a\r\n$CX: ");
    let mut reading = BufReader::new(stream.get_ref().try_clone().unwrap());
    let (since, mut answer) = (Instant::now(), Vec::new());
    reading.get_ref().set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    while since.elapsed() < PATIENCE {
        if stream.get_mut().write_all(b"x").is_err() {
            break;
        }
        match reading.read_to_end(&mut answer) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Ok(_) | Err(_) => break,
        }
    }
    (String::from_utf8_lossy(&answer).into_owned(), since.elapsed())
}

/// How slow the slowest of many ordinary requests was, while all the rest goes on.
fn slowest_of_the_others(house: &House, until: Instant) -> (Duration, usize) {
    let (mut slowest, mut count) = (Duration::ZERO, 0);
    while Instant::now() < until {
        let since = Instant::now();
        assert_eq!(house.get("/x", "").text(), "hello");
        slowest = slowest.max(since.elapsed());
        count += 1;
        std::thread::sleep(Duration::from_millis(20));
    }
    (slowest, count)
}

#[test]
fn the_slow_are_cut_off_and_the_patient_and_everybody_else_are_not() {
    let house = House::around(patient_app());
    let house = &house;
    // Crowds that ask for nothing, and that ask an app which never answers.
    let idle: Vec<_> = (0..300).map(|_| connect(house.gateway.address)).collect();
    let waiting: Vec<_> =
        (0..50).map(|_| open(house, "GET /never HTTP/1.1\r\nHost: a\r\n$C\r\n")).collect();
    let form = "POST /_vestibule/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    std::thread::scope(|scope| {
        let head = scope.spawn(|| to_the_end(open(house, "GET /x HTTP/1.1\r\nHost: a\r\n")));
        let trickled = scope.spawn(|| trickle(house));
        let body = scope.spawn(move || {
            to_the_end(open(house, &format!("{form}Content-Length: 90\r\n\r\nusername=ann")))
        });
        let chunks = scope.spawn(move || {
            to_the_end(open(
                house,
                &format!("{form}Transfer-Encoding: chunked\r\n\r\n8\r\nusername"),
            ))
        });
        let silent = scope.spawn(|| to_the_end(open(house, "")));
        let preface = scope.spawn(|| to_the_end(open(house, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")));
        // It says that it is there, asks for nothing, and begins a head.
        let settled = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
        let hello = scope.spawn(|| to_the_end(open(house, settled)));
        let began = format!("{settled}\0\0\x09\x01\0\0\0\0\x01x");
        let began = scope.spawn(move || to_the_end(open(house, &began)));
        let second = scope.spawn(|| {
            let mut stream = open(house, "GET /x HTTP/1.1\r\nHost: a\r\n$C\r\nGET /x HT");
            assert_eq!(read_reply(&mut stream, false).text(), "hello");
            to_the_end(stream)
        });
        let late = scope.spawn(|| {
            read_reply(&mut open(house, "GET /late HTTP/1.1\r\nHost: a\r\n$C\r\n"), false).text()
        });
        let upload = scope.spawn(|| {
            let mut stream =
                open(house, "POST /upload HTTP/1.1\r\nHost: a\r\n$CContent-Length: 9\r\n\r\nfirst");
            std::thread::sleep(LONG);
            stream.get_mut().write_all(b"last").unwrap();
            read_reply(&mut stream, false).text()
        });
        let socket = scope.spawn(|| {
            let mut stream = open(house, "GET /socket HTTP/1.1\r\nHost: a\r\n$CConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
            read_head(&mut stream);
            std::thread::sleep(LONG);
            stream.get_mut().write_all(b"ping").unwrap();
            read_until(&mut stream, "pong")
        });
        let (slowest, count) = slowest_of_the_others(house, Instant::now() + LONG);

        assert_cut("a head", &head.join().unwrap(), Some(408));
        assert_cut("a head byte by byte", &trickled.join().unwrap(), Some(408));
        assert_cut("a second head", &second.join().unwrap(), Some(408));
        assert_cut("a form", &body.join().unwrap(), Some(408));
        assert_cut("a form in chunks", &chunks.join().unwrap(), Some(408));
        assert_cut("silence", &silent.join().unwrap(), None);
        for http2 in [preface, hello, began] {
            let (frames, after) = http2.join().unwrap();
            assert!(
                after < Duration::from_secs(13) && !frames.contains("HTTP/1.1"),
                "{after:?} {frames}"
            );
        }
        assert_eq!(late.join().unwrap(), "late");
        assert_eq!(upload.join().unwrap(), "last");
        assert_eq!(socket.join().unwrap(), "pong");
        assert!(
            slowest < Duration::from_secs(3) && count > 30,
            "{count} requests, one in {slowest:?}"
        );
    });
    for mut stream in idle {
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0, "an idle connection stays");
    }
    drop(waiting);
    assert_eq!(house.get("/x", "").text(), "hello");
    let log = house.gateway.log();
    for reason in ["head_timeout", "body_timeout"] {
        let is_it = |line: &str| line.contains(reason) && line.contains(r#""status":408,"#);
        assert!(log.lines().any(is_it), "{reason}: {log}");
    }
}

#[test]
fn an_app_that_never_answers_is_let_go_when_the_client_leaves() {
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let house = House::around(App::by_hand(move |mut stream| {
        let head = read_head(&mut stream);
        tell.lock().unwrap().send(if head.is_empty() { "nothing" } else { "asked" }).unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
        tell.lock().unwrap().send("left").unwrap();
    }));
    let stream = open(&house, "GET /x HTTP/1.1\r\nHost: a\r\n$C\r\n");
    assert_eq!(told.recv_timeout(PATIENCE), Ok("asked"));
    drop(stream);
    assert_eq!(told.recv_timeout(PATIENCE), Ok("left"));
}

/// An app that answers `/early` before it has all of what it is sent, and tells when it was left with
/// half of something.
fn attentive_app(tell: Sender<()>) -> App {
    let tell = Mutex::new(tell);
    App::by_hand(move |mut stream| {
        stream.get_ref().set_read_timeout(None).unwrap();
        let head = read_head(&mut stream);
        let mut say = |what: &str| stream.get_mut().write_all(what.as_bytes()).unwrap();
        match head.split(' ').nth(1) {
            Some("/held") => {
                let _ = stream.read_to_end(&mut Vec::new());
                let _ = tell.lock().unwrap().send(());
            }
            Some("/early") => {
                say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nearly");
                read_until(&mut stream, "last");
                stream.get_mut().write_all(b"last").unwrap();
            }
            _ => {
                read_until(&mut stream, "last");
                // Longer than a body may stand still: this one has come whole.
                if head.contains(" /whole ") {
                    std::thread::sleep(Duration::from_secs(63));
                }
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlast";
                stream.get_mut().write_all(answer).unwrap();
            }
        }
    })
}

async fn upload(
    sender: &SendRequest<Bytes>,
    house: &House,
    path: &str,
) -> (ResponseFuture, SendStream<Bytes>) {
    let request = http::Request::post(format!("http://a.test{path}"));
    let request = request.header("cookie", &house.cookie).body(()).unwrap();
    let mut sender = sender.clone().ready().await.unwrap();
    let (answer, mut sending) = sender.send_request(request, false).unwrap();
    sending.send_data(Bytes::from("first"), false).unwrap();
    (answer, sending)
}

async fn answered(answer: ResponseFuture) -> String {
    let answer = timeout(PATIENCE, answer).await.unwrap().unwrap();
    String::from_utf8(h2_body(&mut answer.into_body()).await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_body_over_http2_that_stands_still_ends_its_request_and_no_other() {
    let (tell, left) = channel();
    let house = House::around(attentive_app(tell));
    let sender = h2_connect(house.gateway.address).await;
    let (held, mut half) = upload(&sender, &house, "/held").await;
    let (early, mut rest) = upload(&sender, &house, "/early").await;
    let (drip, mut drops) = upload(&sender, &house, "/drip").await;
    let (whole, mut end) = upload(&sender, &house, "/whole").await;
    end.send_data(Bytes::from("last"), true).unwrap();
    let (since, mut held) = (Instant::now(), pin!(held));
    let ended = loop {
        tokio::select! {
            ended = &mut held => break ended,
            () = sleep(Duration::from_secs(25)) => {
                // Nothing is no more than nothing.
                half.send_data(Bytes::new(), false).unwrap();
                drops.send_data(Bytes::from("x"), false).unwrap();
            }
        }
        assert!(since.elapsed() < Duration::from_secs(80), "it stands still for ever");
    };
    assert!(ended.as_ref().is_err_and(h2::Error::is_reset), "{ended:?}");
    assert!(since.elapsed() > Duration::from_secs(59), "after {:?}", since.elapsed());
    assert_eq!(left.recv_timeout(PATIENCE), Ok(()), "the app is left with half of it");
    rest.send_data(Bytes::from("last"), true).unwrap();
    drops.send_data(Bytes::from("last"), true).unwrap();
    assert_eq!(answered(early).await, "earlylast");
    assert_eq!(answered(drip).await, "last");
    assert_eq!(answered(whole).await, "last");
    let log = house.gateway.log();
    let line = log.lines().find(|line| line.contains(r#""path":"/held""#)).unwrap_or_default();
    assert!(line.contains(r#""reason":"body_timeout""#) && line.contains(r#""ann""#), "{log}");
}
