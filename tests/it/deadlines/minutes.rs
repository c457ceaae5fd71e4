//! What stands still for a minute is let go of, and a form that drips after half of one. The minutes
//! are real, and all are waited for at once.

use super::{open, to_the_end};
use crate::harness::{App, House, PATIENCE, h2_body, read_head};
use bytes::Bytes;
use h2::client::{Builder, Connection, SendRequest};
use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// Longer than whatever is waited for here; also what is told of whoever was not let go of, or not
/// as they should.
const LONGEST: Duration = Duration::from_secs(75);

/// An app that reads `/held` to its end, answers `/much/…` with more than anybody takes, and tells
/// when it is let go of.
fn generous_app(tell: Sender<String>) -> App {
    let tell = Mutex::new(tell);
    App::by_hand(move |mut stream| {
        loop {
            let head = read_head(&mut stream);
            let Some(target) = head.split(' ').nth(1) else { return };
            if target == "/held" {
                stream.get_ref().set_read_timeout(None).unwrap();
                let _ = stream.read_to_end(&mut Vec::new());
            } else if target.starts_with("/much/") {
                let much = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n";
                stream.get_mut().write_all(much).unwrap();
                while stream.get_mut().write_all(&[b'x'; 65_536]).is_ok() {}
            } else {
                let hello = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
                stream.get_mut().write_all(hello).unwrap();
                continue;
            }
            let _ = tell.lock().unwrap().send(target.to_owned());
            return;
        }
    })
}

/// Opens a connection over which this much of an answer is taken unasked.
async fn speak(house: &House, window: u32) -> (SendRequest<Bytes>, Connection<TcpStream, Bytes>) {
    let stream = TcpStream::connect(house.gateway.address).await.unwrap();
    Builder::new().initial_window_size(window).handshake(stream).await.unwrap()
}

fn get(house: &House, target: &str) -> http::Request<()> {
    let request = http::Request::get(format!("http://a.test{target}"));
    request.header("cookie", &house.cookie).body(()).unwrap()
}

/// An upload over HTTP/1 of which half has come.
fn upload(house: &House) -> Duration {
    let head = "POST /held HTTP/1.1\r\nHost: a\r\n$CContent-Length: 9\r\n\r\nfirst";
    let stream = open(house, head);
    stream.get_ref().set_read_timeout(Some(LONGEST)).unwrap();
    let (answer, after) = to_the_end(stream);
    if answer.starts_with("HTTP/1.1 408 ") { after } else { LONGEST }
}

/// A form that goes on and on, with never as much as ten seconds of silence.
fn form(house: &House) -> Duration {
    let mut stream = open(
        house,
        "POST /_vestibule/login HTTP/1.1\r\nHost: a\r\nContent-Length: 90\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\nusername=",
    );
    let (since, mut answer) = (Instant::now(), Vec::new());
    stream.get_mut().set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    while answer.is_empty() && since.elapsed() < LONGEST {
        stream.get_mut().write_all(b"x").unwrap();
        let _ = stream.read_to_end(&mut answer);
    }
    if answer.starts_with(b"HTTP/1.1 408 ") { since.elapsed() } else { LONGEST }
}

/// An answer over HTTP/2 to somebody who opens no window for it.
async fn window(house: &House) -> Duration {
    let (mut sender, connection) = speak(house, 0).await;
    tokio::spawn(connection);
    let since = Instant::now();
    let (answer, _) = sender.send_request(get(house, "/much/2"), true).unwrap();
    let mut body = timeout(PATIENCE, answer).await.unwrap().unwrap().into_body();
    let ended = timeout(LONGEST, body.data()).await;
    assert!(!matches!(ended, Ok(Some(Ok(_)))), "nothing was asked for");
    since.elapsed()
}

/// A connection over HTTP/2 that asks for nothing more; pings it answers.
async fn idle(house: &House) -> Duration {
    let (mut sender, connection) = speak(house, 65_535).await;
    let ended = tokio::spawn(connection);
    let (answer, _) = sender.send_request(get(house, "/x"), true).unwrap();
    let mut body = timeout(PATIENCE, answer).await.unwrap().unwrap().into_body();
    assert_eq!(h2_body(&mut body).await.unwrap(), b"hello");
    let since = Instant::now();
    let _ = timeout(LONGEST, ended).await;
    since.elapsed()
}

#[tokio::test]
async fn what_stands_still_for_a_minute_and_a_form_that_drips_are_let_go_of() {
    let (tell, told) = channel();
    let house = Arc::new(House::around(generous_app(tell)));
    let aside = |wait: fn(&House) -> Duration| {
        let house = Arc::clone(&house);
        spawn_blocking(move || wait(&house))
    };
    // An answer over HTTP/1 that nobody reads.
    let silent = open(&house, "GET /much/1 HTTP/1.1\r\nHost: a\r\n$C\r\n");
    let since = Instant::now();
    let let_go = spawn_blocking(move || -> HashMap<_, _> {
        let left = || LONGEST.saturating_sub(since.elapsed());
        let next = |_| Some((told.recv_timeout(left()).ok()?, since.elapsed()));
        (0..3).map_while(next).collect()
    });
    let (upload, form) = (aside(upload), aside(form));
    let (window, idle, upload, form, let_go) =
        tokio::join!(window(&house), idle(&house), upload, form, let_go);
    drop(silent);
    let let_go = let_go.unwrap();
    let app = |target: &str| let_go.get(target).copied().unwrap_or(LONGEST);
    let mut wrong = vec![
        ("an upload", 60, upload.unwrap()),
        ("its app", 60, app("/held")),
        ("a form", 30, form.unwrap()),
        ("an answer that nobody reads", 60, app("/much/1")),
        ("a window that stays closed", 60, window),
        ("its app", 60, app("/much/2")),
        ("a connection that asks for nothing", 60, idle),
    ];
    wrong.retain(|(_, seconds, after)| !(seconds - 1..seconds + 10).contains(&after.as_secs()));
    assert_eq!(wrong, [], "who was let go of, after how many seconds, and after how many it was");
    assert_eq!(house.get("/x", "").text(), "hello");
}
