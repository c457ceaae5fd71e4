//! Whatever an app answers and whoever breaks off, nobody receives what is another's.

mod over_http2;

use crate::harness::{
    App, House, Person, connect, exchange, read_head, read_reply, send_raw, session_of,
};
use std::io::{BufReader, Read as _, Write as _};
use std::net::Shutdown;
use std::sync::{Arc, Mutex};

/// Two good answers at once: the second belongs to nobody.
const TWO: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirstHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";

/// What an app may answer, and the statuses that may come of it. Nothing of `evil` is anybody's.
const ODD: &[(&str, &str, &[u16])] = &[
    ("GET", "", &[502]),
    ("GET", "evil\r\n\r\n", &[502]),
    ("GET", "HTTP/1.1 \r\n\r\n", &[502]),
    ("GET", "HTTP/1.1 abc evil\r\n\r\n", &[502]),
    ("GET", "HTTP/1.1 200 OK\r\nevil\r\n\r\n", &[502]),
    ("GET", "HTTP/1.1 200 OK\r\nX: \0evil\r\n\r\n", &[502]),
    ("GET", "HTTP/1.1 200 OK\r\nContent-Length: evil\r\n\r\n", &[502]),
    ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nevil!", &[502]),
    ("GET", "HTTP/1.1 101 Switching Protocols\r\n\r\nevil", &[502]),
    (
        "GET",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nevil",
        &[502],
    ),
    ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 999", &[502]),
    ("GET", TWO, &[200]),
    ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", &[200]),
    (
        "GET",
        "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        &[204],
    ),
    ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil", &[304]),
];

/// An app that answers `/odd/N` with the Nth line of the table, and all else in the name of
/// whoever asks.
fn odd_app() -> App {
    App::serving(|request, stream| {
        if let Some(number) = target(request).strip_prefix("/odd/") {
            let (_, answer, _) = ODD[number.parse::<usize>().unwrap()];
            let _ = stream.write_all(answer.as_bytes());
            // An empty answer, or half of one: the app is gone.
            return answer.contains("\r\n\r\n");
        }
        let answer = echo(request);
        stream.write_all(answer.as_bytes()).is_ok()
    })
}

fn user(request: &str) -> &str {
    request.lines().find_map(|line| line.strip_prefix("remote-user: ")).unwrap_or("nobody")
}

fn target(request: &str) -> &str {
    request.split(' ').nth(1).unwrap()
}

/// Who asked, for what, and with which body.
fn echo(request: &str) -> String {
    let (user, target) = (user(request), target(request));
    let body = request.split_once("\r\n\r\n").unwrap().1;
    let body = format!("{user} {target} {body}");
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nX-For: {user}\r\nX-Target: {target}\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn what_an_app_answers_oddly_is_an_error_and_never_the_next_ones_answer() {
    let house = House::around(odd_app());
    let bob = session_of(&Person::add(&house.gateway, "bob"), &house.gateway);
    for (number, (method, answer, statuses)) in ODD.iter().enumerate() {
        let request =
            format!("{method} /odd/{number} HTTP/1.1\r\nHost: a\r\n$CConnection: close\r\n\r\n");
        let received = house.send(request.as_bytes());
        let status = received.split(' ').nth(1).map_or(0, |status| status.parse().unwrap());
        assert!(statuses.contains(&status), "{answer:?}: {received}");
        assert!(!received.contains("evil"), "{answer:?}: {received}");
        assert!(!received.to_lowercase().contains("server: pingora"), "{answer:?}: {received}");
        for _ in 0..2 {
            let request = format!("GET /mine HTTP/1.1\r\nHost: a\r\nCookie: {bob}\r\n\r\n");
            let reply = exchange(house.gateway.address, request.as_bytes());
            assert_eq!(reply.text(), "bob /mine ", "after {answer:?}");
        }
    }
}

#[test]
fn an_answer_with_two_framings_reaches_nobody_with_both() {
    let house = House::around(App::serving(|_, stream| {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 30\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
        stream.write_all(answer.as_bytes()).is_ok()
    }));
    let received =
        house.send(b"GET /x HTTP/1.1\r\nHost: a\r\n$CConnection: close\r\n\r\n").to_lowercase();
    let both = received.contains("content-length: 30") && received.contains("transfer-encoding");
    assert!(!both, "{received}");
    assert!(received.starts_with("http/1.1 502 ") || received.contains("hello"), "{received}");
}

#[test]
fn a_cut_answer_does_not_look_whole() {
    let house = House::around(App::serving(|request, stream| {
        let framing = if request.starts_with("GET /length ") {
            "Content-Length: 10\r\n\r\nhalf"
        } else {
            "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"
        };
        let _ = write!(stream, "HTTP/1.1 200 OK\r\n{framing}");
        false
    }));
    let cut = house.send(b"GET /length HTTP/1.1\r\nHost: a\r\n$C\r\n");
    assert!(
        cut.to_lowercase().contains("content-length: 10\r\n") && cut.ends_with("\r\n\r\nhalf"),
        "{cut}"
    );
    let cut = house.send(b"GET /chunks HTTP/1.1\r\nHost: a\r\n$C\r\n");
    assert!(cut.contains("half") && !cut.ends_with("0\r\n\r\n"), "{cut}");
}

#[test]
fn an_app_that_breaks_its_connection_off_harms_that_request_alone() {
    let house = House::around(App::by_hand(|mut stream| {
        loop {
            let head = read_head(&mut stream);
            let text = match head.split(' ').nth(1) {
                None => return,
                Some("/fine") => "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine",
                Some("/before") => "",
                Some(_) => "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
            };
            let _ = stream.get_mut().write_all(text.as_bytes());
            if !text.ends_with("fine") {
                // With a body that nobody read, the system ends it by a reset.
                return;
            }
        }
    }));
    let body = "x".repeat(100_000);
    for _ in 0..5 {
        for (path, answer) in [("/before", "HTTP/1.1 502 "), ("/midway", "HTTP/1.1 200 OK\r\n")] {
            let head =
                format!("POST {path} HTTP/1.1\r\nHost: a\r\n$CContent-Length: 100000\r\n\r\n");
            let received = house.send(&[head.as_bytes(), body.as_bytes()].concat());
            // Cut, or told: never whole.
            assert!(
                received.is_empty()
                    || received.starts_with(answer)
                    || received.starts_with("HTTP/1.1 502 "),
                "{path}: {received}"
            );
            assert_eq!(house.get("/fine", "").text(), "fine", "after {path}");
        }
    }
}

#[test]
fn a_head_without_end_from_the_app_is_an_error() {
    let house = House::around(App::serving(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        for _ in 0..40_000 {
            if stream.write_all(b"X-Filler: 0123456789012345678901234567890123456789\r\n").is_err()
            {
                return false;
            }
        }
        let _ = stream.write_all(b"Content-Length: 0\r\n\r\n");
        false
    }));
    let reply = house.get("/x", "");
    assert_eq!(reply.status, 502, "{:?}", reply.headers.len());
}

/// How a client behaves.
#[derive(Clone, Copy)]
enum Manner {
    Get,
    Post,
    LeavesBeforeTheAnswer,
    LeavesWithinTheBody,
    Resets,
}

#[test]
fn two_peoples_interleaved_and_aborted_requests_never_mix() {
    use Manner::*;
    // What the app has seen: for whom, and under which target.
    let seen = Arc::new(Mutex::new(Vec::new()));
    let of_app = Arc::clone(&seen);
    let house = House::around(App::serving(move |request, stream| {
        of_app.lock().unwrap().push((user(request).to_owned(), target(request).to_owned()));
        stream.write_all(echo(request).as_bytes()).is_ok()
    }));
    let bob = session_of(&Person::add(&house.gateway, "bob"), &house.gateway);
    let address = house.gateway.address;
    let people = [("ann", house.cookie.as_str()), ("bob", bob.as_str())];
    std::thread::scope(|scope| {
        for worker in 0..4_usize {
            scope.spawn(move || {
                for round in 0..50_usize {
                    let (name, cookie) = people[(worker + round) % 2];
                    let manner =
                        [Get, Post, LeavesBeforeTheAnswer, Post, LeavesWithinTheBody, Get, Resets]
                            [(worker * 3 + round) % 7];
                    let target = format!("/{name}/{worker}/{round}");
                    one_request(address, name, cookie, &target, manner);
                }
            });
        }
    });
    // Every request the app has seen was written under the name of the one who sent it.
    let seen = seen.lock().unwrap();
    for (user, target) in seen.iter() {
        assert!(target.starts_with(&format!("/{user}/")), "{user}: {target}");
    }
    assert!(seen.len() >= 110, "{} of 200 requests reached the app", seen.len());
}

fn one_request(
    address: std::net::SocketAddr,
    name: &str,
    cookie: &str,
    target: &str,
    manner: Manner,
) {
    let head = format!("{target} HTTP/1.1\r\nHost: a\r\nCookie: {cookie}\r\n");
    let body = format!("body of {name} at {target}");
    let post = format!("POST {head}Content-Length: {}\r\n\r\n", body.len());
    match manner {
        Manner::Get => {
            let reply = exchange(address, format!("GET {head}\r\n").as_bytes());
            assert_eq!(reply.text(), format!("{name} {target} "));
        }
        Manner::Post => {
            // Two on one connection; the second asks plainly.
            let mut stream = BufReader::new(connect(address));
            stream.get_mut().write_all(format!("{post}{body}").as_bytes()).unwrap();
            let reply = read_reply(&mut stream, false);
            assert_eq!(reply.text(), format!("{name} {target} {body}"));
            stream.get_mut().write_all(format!("GET {head}\r\n").as_bytes()).unwrap();
            assert_eq!(read_reply(&mut stream, false).header("x-for"), Some(name));
        }
        Manner::LeavesBeforeTheAnswer => {
            let mut stream = connect(address);
            stream.write_all(format!("GET {head}\r\n").as_bytes()).unwrap();
        }
        Manner::LeavesWithinTheBody => {
            let mut stream = connect(address);
            stream.write_all(format!("{post}{}", &body[..7]).as_bytes()).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            assert!(!answer.starts_with(b"HTTP/1.1 200 "), "{}", answer.escape_ascii());
        }
        Manner::Resets => {
            // Two requests at once, gone with the first byte of an answer.
            let two = format!("GET {head}\r\nGET {head}\r\n");
            let mut stream = connect(address);
            stream.write_all(two.as_bytes()).unwrap();
            let _ = stream.read(&mut [0; 1]);
        }
    }
}

#[test]
fn no_answer_of_any_kind_names_the_engine() {
    let house = House::around(odd_app());
    for request in [
        "GET /x HTTP/1.1\r\nHost: a\r\n$CConnection: close\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /odd/0 HTTP/1.1\r\nHost: a\r\n$CConnection: close\r\n\r\n",
        "GET /_vestibule/login HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /_vestibule/nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: a\r\n$CTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
        "POST /x HTTP/1.1\r\nHost: a\r\n$CContent-Length: 9999999999999999999\r\n\r\nx",
        "nonsense\r\n\r\n",
    ] {
        let mut stream = connect(house.gateway.address);
        stream.write_all(&house.fill(request.as_bytes())).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).to_lowercase();
        assert!(
            !answer.contains("pingora") && !answer.contains("\r\nserver:"),
            "{request}: {answer}"
        );
    }
    // The largest of lengths have done no harm.
    assert!(
        send_raw(house.gateway.address, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            .starts_with(b"HTTP/1.1 401 ")
    );
}
