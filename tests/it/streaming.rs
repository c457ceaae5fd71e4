//! Bodies pass as they come, in both directions, and end with the session they belong to.

use crate::harness::{App, House, Options, PATIENCE, connect, read_head, read_reply, read_until};
use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// How long a stream may outlast its session: a second, and a little for a busy machine.
const SOON: Duration = Duration::from_millis(1500);

/// What the test and the app's thread tell each other.
fn words() -> (Sender<&'static str>, Mutex<Receiver<&'static str>>) {
    let (sender, receiver) = channel();
    (sender, Mutex::new(receiver))
}

fn next(words: &Mutex<Receiver<&'static str>>) -> &'static str {
    words.lock().unwrap().recv_timeout(PATIENCE).expect("a word from the other side")
}

/// Sends a request as Ann and leaves the connection open.
fn open(house: &House, request: &str) -> BufReader<TcpStream> {
    let mut stream = connect(house.gateway.address);
    stream.write_all(&house.fill(request.as_bytes())).unwrap();
    BufReader::new(stream)
}

#[test]
fn the_app_sees_the_first_part_of_an_upload_before_the_last_is_sent() {
    let (tell, told) = words();
    let app = App::by_hand(move |mut stream| {
        read_head(&mut stream);
        read_until(&mut stream, "first");
        tell.send("first").unwrap();
        read_until(&mut stream, "last");
        stream
            .get_mut()
            .write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\ndone")
            .unwrap();
    });
    let house = House::around(app);
    for (framing, first, last) in [
        ("Content-Length: 9", "first", "last"),
        ("Transfer-Encoding: chunked", "5\r\nfirst\r\n", "4\r\nlast\r\n0\r\n\r\n"),
    ] {
        let head = format!("POST /x HTTP/1.1\r\nHost: a\r\n$C{framing}\r\n\r\n{first}");
        let mut stream = open(&house, &head);
        assert_eq!(next(&told), "first", "{framing}");
        stream.get_mut().write_all(last.as_bytes()).unwrap();
        assert_eq!(read_reply(&mut stream, false).text(), "done", "{framing}");
    }
}

#[test]
fn the_client_sees_the_first_part_of_a_download_before_the_app_has_the_last() {
    let (tell, told) = words();
    let app = App::by_hand(move |mut stream| {
        let head = read_head(&mut stream);
        let (framing, first, last) = if head.starts_with("GET /length ") {
            ("Content-Length: 9\r\n", "first", "last")
        } else if head.starts_with("GET /chunks ") {
            ("Transfer-Encoding: chunked\r\n", "5\r\nfirst\r\n", "4\r\nlast\r\n0\r\n\r\n")
        } else {
            (
                "Content-Type: text/event-stream\r\nConnection: close\r\n",
                "data: first\n\n",
                "data: last\n\n",
            )
        };
        write!(stream.get_mut(), "HTTP/1.1 200 OK\r\n{framing}\r\n{first}").unwrap();
        assert_eq!(next(&told), "go on");
        stream.get_mut().write_all(last.as_bytes()).unwrap();
    });
    let house = House::around(app);
    for target in ["/length", "/chunks", "/events"] {
        let mut stream = open(&house, &format!("GET {target} HTTP/1.1\r\nHost: a\r\n$C\r\n"));
        read_until(&mut stream, "first");
        tell.send("go on").unwrap();
        read_until(&mut stream, "last");
    }
}

#[test]
fn large_bodies_pass_whole_in_both_directions() {
    const SIZE: usize = 8 << 20;
    let house = House::around(App::by_hand(|mut stream| {
        read_head(&mut stream);
        let mut body = vec![0; SIZE];
        stream.read_exact(&mut body).unwrap();
        let head =
            format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {SIZE}\r\n\r\n");
        stream.get_mut().write_all(head.as_bytes()).unwrap();
        stream.get_mut().write_all(&body).unwrap();
    }));
    let sent: Vec<u8> = (0..251).cycle().take(SIZE).collect();
    let mut stream =
        open(&house, &format!("POST /x HTTP/1.1\r\nHost: a\r\n$CContent-Length: {SIZE}\r\n\r\n"));
    let mut writing = stream.get_ref().try_clone().unwrap();
    let body = sent.clone();
    let writer = std::thread::spawn(move || writing.write_all(&body).unwrap());
    let reply = read_reply(&mut stream, false);
    writer.join().unwrap();
    assert!(reply.body == sent, "{} bytes came back", reply.body.len());
}

#[test]
fn a_client_that_asks_first_waits_for_the_app_to_say_continue() {
    let house = House::around(App::by_hand(|mut stream| {
        let head = read_head(&mut stream).to_lowercase();
        assert!(head.contains("expect: 100-continue\r\n"), "{head}");
        if head.starts_with("post /no ") {
            let refused = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno";
            stream.get_mut().write_all(refused).unwrap();
            return;
        }
        stream.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
        read_until(&mut stream, "body");
        stream
            .get_mut()
            .write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nyes")
            .unwrap();
    }));
    let asking = |target: &str| {
        format!(
            "POST {target} HTTP/1.1\r\nHost: a\r\n$CExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
        )
    };
    let mut stream = open(&house, &asking("/yes"));
    let interim = read_head(&mut stream);
    assert!(interim.starts_with("HTTP/1.1 100 "), "{interim}");
    stream.get_mut().write_all(b"body").unwrap();
    assert_eq!(read_reply(&mut stream, false).text(), "yes");
    let refused = read_reply(&mut open(&house, &asking("/no")), false);
    assert_eq!((refused.status, refused.text().as_str()), (413, "no"));
    // Our own pages say it themselves; a visitor who is turned away is told at once.
    let mut stream = open(
        &house,
        "POST /_vestibule/login HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n",
    );
    let interim = read_head(&mut stream);
    assert!(interim.starts_with("HTTP/1.1 100 "), "{interim}");
    stream.get_mut().write_all(b"a=bc").unwrap();
    assert!(read_reply(&mut stream, false).status >= 200);
    let anonymous = asking("/yes").replace("$C", "");
    let head = read_head(&mut open(&house, &anonymous));
    assert!(head.starts_with("HTTP/1.1 401 "), "{head}");
}

#[test]
fn an_answer_before_the_body_was_read_arrives() {
    let house = House::around(App::by_hand(|mut stream| {
        read_head(&mut stream);
        let early = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nearly";
        stream.get_mut().write_all(early).unwrap();
    }));
    let head = "POST /x HTTP/1.1\r\nHost: a\r\n$CContent-Length: 10000000\r\n\r\nsome of it";
    let reply = read_reply(&mut open(&house, head), false);
    assert_eq!((reply.status, reply.text().as_str()), (413, "early"));
    // The gateway's own early answers as well, with much of the body under way.
    let head = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n";
    let reply = house.ask(&format!("{head}{}", "x".repeat(100_000)));
    assert_eq!(reply.status, 401);
    let form = "POST /_vestibule/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    let reply = house.ask(&format!("{form}Content-Length: 70000\r\n\r\n{}", "x".repeat(70_000)));
    assert_eq!(reply.status, 413);
    let chunks = format!(
        "Transfer-Encoding: chunked\r\n\r\n{}",
        "1000\r\n".to_owned() + &"x".repeat(4096) + "\r\n"
    );
    let reply = house.ask(&format!(
        "{form}{chunks}{}",
        ("1000\r\n".to_owned() + &"x".repeat(4096) + "\r\n").repeat(17)
    ));
    assert_eq!(reply.status, 413);
}

/// An app whose answers go on until the other side ends them, each of another kind.
fn endless() -> App {
    App::by_hand(|mut stream| {
        let head = read_head(&mut stream);
        let answer = match head.split(' ').nth(1) {
            Some("/socket") => {
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nbegun"
            }
            Some("/events") => "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nbegun",
            Some("/download") => "HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\nbegun",
            // An upload or a long question: no answer yet.
            _ => "HTTP/1.1 103 Early Hints\r\n\r\n",
        };
        let _ = stream.get_mut().write_all(answer.as_bytes());
        let _ = stream.read_to_end(&mut Vec::new());
    })
}

/// Opens a stream of every kind as whoever has this cookie.
fn open_all(house: &House) -> Vec<(&'static str, BufReader<TcpStream>)> {
    let socket = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let kinds = [
        ("GET /socket", socket, "begun"),
        ("GET /events", "\r\n", "begun"),
        ("GET /download", "\r\n", "begun"),
        ("POST /upload", "Content-Length: 9999999999\r\n\r\nsome", "\r\n\r\n"),
        ("POST /chunks", "Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n", "\r\n\r\n"),
    ];
    let open_one = |(line, rest, until): &(&'static str, &str, &str)| {
        let mut stream = open(house, &format!("{line} HTTP/1.1\r\nHost: a\r\n$C{rest}"));
        read_until(&mut stream, until);
        (*line, stream)
    };
    kinds.iter().map(open_one).collect()
}

/// Checks that all of them end soon.
fn assert_all_end(streams: Vec<(&'static str, BufReader<TcpStream>)>, why: &str) {
    let since = Instant::now();
    for (kind, mut stream) in streams {
        let _ = stream.read_to_end(&mut Vec::new());
        assert!(since.elapsed() < SOON, "{kind} outlives: {why}");
    }
}

#[test]
fn open_streams_end_when_their_session_is_revoked() {
    let house = House::around(endless());
    let streams = open_all(&house);
    let listed = house.gateway.json(&["session", "list"], "");
    let id = listed.as_array().and_then(|all| all.first()?["id"].as_str()).unwrap().to_owned();
    assert!(house.gateway.command(&["session", "revoke", &id]).status.success());
    assert_all_end(streams, "session revoke");
    assert_eq!(house.get("/x", "").status, 401);
}

#[test]
fn open_streams_end_when_their_person_is_disabled() {
    let house = House::around(endless());
    let streams = open_all(&house);
    assert!(house.gateway.command(&["user", "disable", "ann"]).status.success());
    assert_all_end(streams, "user disable");
}

#[test]
fn open_streams_end_with_the_lifetime_of_their_session_and_not_before() {
    let app = endless();
    let options =
        Options::upstream(&app.url()).config("[session]\nidle = \"6s\"\nlifetime = \"6s\"\n");
    let signing_in = Instant::now();
    let house = House::with(app, options);
    let signed_in = Instant::now();
    let streams = open_all(&house);
    let mut ends = Vec::new();
    for (kind, mut stream) in streams {
        let _ = stream.read_to_end(&mut Vec::new());
        ends.push((kind, Instant::now()));
    }
    // Seconds are whole ones.
    for (kind, end) in ends {
        assert!(end - signed_in < Duration::from_secs(6) + SOON, "{kind} outlives its session");
        assert!(end - signing_in >= Duration::from_secs(5), "{kind} ended too early");
    }
}

#[test]
fn an_answer_and_a_short_upload_end_where_their_session_ends() {
    let (tell, told) = words();
    let (go_on, wait) = words();
    let wait = std::sync::Arc::new(wait);
    let app = App::by_hand(move |mut stream| {
        let head = read_head(&mut stream);
        tell.send(if head.starts_with("GET") { "asked" } else { "begun" }).unwrap();
        if head.starts_with("GET") {
            next(&wait);
            // The gateway may have closed by now.
            let _ =
                stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret");
        }
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let house = House::around(app);
    let mut asking = open(&house, "GET /slow HTTP/1.1\r\nHost: a\r\n$C\r\n");
    assert_eq!(next(&told), "asked");
    let head = "POST /up HTTP/1.1\r\nHost: a\r\n$CContent-Length: 900\r\n\r\nfirst";
    let mut sending = open(&house, head);
    assert_eq!(next(&told), "begun");
    assert!(house.gateway.command(&["session", "revoke", "--all"]).status.success());

    go_on.send("answer").unwrap();
    let reply = read_reply(&mut asking, false);
    assert_ne!((reply.status, reply.text().as_str()), (200, "secret"));
    // Whether the write fails or the connection ends first, the app gets none of it.
    let _ = sending.get_mut().write_all(b"too late");
    let _ = sending.read_to_end(&mut Vec::new());
    assert!(!house.app.received().contains("too late"), "{}", house.app.received());
}

#[test]
fn a_client_that_leaves_with_a_next_request_begun_is_noticed() {
    let (tell, told) = words();
    let app = App::by_hand(move |mut stream| {
        read_head(&mut stream);
        tell.send("asked").unwrap();
        // Ends when the gateway gives the request up.
        let _ = stream.read_to_end(&mut Vec::new());
        tell.send("left").unwrap();
    });
    let house = House::around(app);
    let client = open(&house, "GET /never HTTP/1.1\r\nHost: a\r\n$C\r\nG");
    assert_eq!(next(&told), "asked");
    drop(client);
    assert_eq!(next(&told), "left");
}
