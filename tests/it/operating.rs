//! Health, stopping and the log, as whoever runs it sees them.

use crate::harness::{
    App, Gateway, House, Options, PATIENCE, TempDir, connect, exchange, free_port, read_head,
    read_reply, read_until,
};
use std::io::{BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

fn get(address: SocketAddr, target: &str) -> (u16, String) {
    let reply = exchange(address, format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
    (reply.status, reply.text())
}

/// A gateway with an address for health, and that address.
fn with_health(app: &App) -> (Options, SocketAddr) {
    let health = free_port();
    let mut options = Options::upstream(&app.url());
    // A variable wins over the file, where the harness asks for no such address.
    options.env.push((String::from("VESTIBULE_SERVER__ADMIN_LISTEN"), health.to_string()));
    options.env.push((String::from("VESTIBULE_SERVER__WORKERS"), String::from("2")));
    (options, health)
}

/// Waits until something holds, and no longer than a test may take.
fn until(what: &str, holds: impl Fn() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn health_is_told_at_its_own_address_alone() {
    let app = App::start();
    let (options, health) = with_health(&app);
    let house = House::with(app, options);
    assert_eq!(get(health, "/healthz"), (200, "alive\n".into()));
    assert_eq!(get(health, "/readyz"), (200, "ready\n".into()));
    for target in ["/", "/_vestibule/login", "/administer", "/healthz/x"] {
        assert_eq!(get(health, target).0, 404, "{target}");
    }
    let post =
        exchange(health, b"POST /administer HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(post.status, 405);
    // On the public port these are paths of the app like any other.
    for target in ["/healthz", "/readyz", "/metrics", "/administer"] {
        assert_eq!(get(house.gateway.address, target).0, 401, "{target}");
        assert_eq!(house.get(target, "").text(), "hello", "{target}");
    }
    assert!(house.gateway.command(&["health", "--ready"]).status.success());
}

#[test]
fn whoever_asks_for_health_and_says_nothing_takes_no_files_from_those_who_are_served() {
    let app = App::start();
    let (options, health) = with_health(&app);
    let house = House::with(app, options);
    let mut crowd: Vec<_> = (0..100).map(|_| connect(health)).collect();
    let since = Instant::now();
    let gone = crowd.iter_mut().filter_map(|stream| {
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        matches!(stream.read(&mut [0]), Ok(0)).then_some(())
    });
    assert_eq!(gone.count(), 100 - 64);
    assert!(since.elapsed() < Duration::from_secs(9), "they have their ten seconds");
    assert_eq!(house.get("/x", "").text(), "hello");
    drop(crowd);
    let since = Instant::now();
    while get_if_answered(health, "/healthz").is_none() {
        assert!(since.elapsed() < PATIENCE, "nobody is told any more");
    }
}

fn get_if_answered(address: SocketAddr, target: &str) -> Option<()> {
    let mut stream = connect(address);
    stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).ok()?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).ok()?;
    (head == *b"HTTP/1.1 200").then_some(())
}

#[test]
fn a_gateway_that_is_told_to_stop_finishes_what_is_in_flight_and_forgets_nobody() {
    let (tell, told) = channel();
    let (go, wait) = channel();
    let wait = Mutex::new(wait);
    let app = App::by_hand(move |mut stream| {
        while read_head(&mut stream).starts_with("GET /slow ") {
            tell.send(()).unwrap();
            stream
                .get_mut()
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
                .unwrap();
            wait.lock().unwrap().recv_timeout(PATIENCE).unwrap();
            stream.get_mut().write_all(b"-last").unwrap();
        }
    });
    let (options, health) = with_health(&app);
    let mut house = House::with(app, options.clone());
    let address = house.gateway.address;
    let slow = house.fill(b"GET /slow HTTP/1.1\r\nHost: a\r\n$C\r\n");
    let mut stream = connect(address);
    stream.write_all(&slow).unwrap();
    let mut stream = BufReader::new(stream);
    told.recv_timeout(PATIENCE).unwrap();
    read_until(&mut stream, "first");
    let mut idle = connect(address);
    idle.write_all(&house.fill(b"GET /_vestibule/login HTTP/1.1\r\nHost: a\r\n\r\n")).unwrap();
    let mut idle = BufReader::new(idle);
    assert_eq!(read_reply(&mut idle, false).status, 200);

    house.gateway.terminate();
    until("not ready", || get(health, "/readyz").0 == 503);
    assert_eq!(get(health, "/healthz").0, 200);
    until("no longer listening", || TcpStream::connect(address).is_err());
    assert_eq!(idle.read_to_end(&mut Vec::new()).unwrap(), 0, "an idle connection is closed");
    go.send(()).unwrap();
    read_until(&mut stream, "-last");
    assert_eq!(stream.read_to_end(&mut Vec::new()).unwrap(), 0, "no further request");
    assert_eq!(house.gateway.wait(), Some(0));
    assert!(house.gateway.log().contains(r#""message":"stopped""#), "{}", house.gateway.log());

    let cookie = house.cookie.clone();
    let again = Gateway::on(house.gateway.data.clone(), options);
    let request =
        format!("GET /_vestibule/account HTTP/1.1\r\nHost: a\r\nCookie: {cookie}\r\n\r\n");
    assert_eq!(exchange(again.address, request.as_bytes()).status, 200);
}

#[test]
fn an_open_http_2_connection_does_not_keep_a_gateway_from_stopping() {
    let mut house = House::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let sender = crate::harness::h2_connect(house.gateway.address).await;
        let request = http::Request::get("http://a.test/_vestibule/login").body(()).unwrap();
        let reply = crate::harness::h2_exchange(&sender, request, b"").await.unwrap();
        assert_eq!(reply.status, 200);
        house.gateway.terminate();
        let since = Instant::now();
        let waiting = tokio::task::spawn_blocking(move || house.gateway.wait());
        assert_eq!(waiting.await.unwrap(), Some(0));
        assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    });
}

#[test]
fn an_http_2_client_that_answers_nothing_does_not_keep_it_from_stopping_either() {
    let mut house = House::new();
    let mut mute = connect(house.gateway.address);
    // The preface and empty settings; what comes back is not acknowledged.
    mute.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    assert!(mute.read(&mut [0; 256]).unwrap() > 0, "it speaks HTTP/2");
    house.gateway.terminate();
    let since = Instant::now();
    assert_eq!(house.gateway.wait(), Some(0));
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    house.gateway.hear(r#""message":"stopped""#);
}

/// How many lines there are once Ann has signed in.
fn lines_of_signing_in(gateway: &Gateway) -> usize {
    let is_last = |line: &serde_json::Value| {
        line["path"] == "/_vestibule/account" && line["status"] == 200 && line["user"] == "ann"
    };
    until("a line for her account", || request_lines(gateway, 1).iter().any(is_last));
    request_lines(gateway, 1).len()
}

/// The lines about requests, once there are so many; every line of the log is JSON.
fn request_lines(gateway: &Gateway, count: usize) -> Vec<serde_json::Value> {
    let lines = || {
        let log = gateway.log();
        let parsed = log.lines().map(|line| serde_json::from_str(line).expect(line));
        parsed.filter(|line: &serde_json::Value| line["kind"] == "request").collect::<Vec<_>>()
    };
    until("so many lines", || lines().len() >= count);
    lines()
}

#[test]
fn every_request_has_one_line_with_its_user_and_without_its_secrets() {
    let house = House::new();
    let before = lines_of_signing_in(&house.gateway);
    assert_eq!(
        house.get("/secret/page?token=hunter2", "Authorization: Basic aHVudGVyMg==\r\n").status,
        200
    );
    let received = house.app.take_received().to_lowercase();
    let anonymous = house.ask("GET /who?code=hunter2 HTTP/1.1\r\nHost: b.test\r\n\r\n");
    assert_eq!(anonymous.status, 401);
    house.send(b"GET /bad HTTP/1.1\r\nHost: a\r\n$CRemote_User: hunter2\r\n\r\n");
    house.send(b"GET /bad#hunter2 HTTP/1.1\r\nHost: a\r\n$C\r\n");
    let lines = request_lines(&house.gateway, before + 4);
    assert_eq!(lines.len(), before + 4, "{lines:#?}");
    let find = |key: &str, value: &str| {
        let found = lines[before..].iter().find(|line| line[key] == value);
        found.unwrap_or_else(|| panic!("no {value} in {lines:#?}"))
    };
    let (page, who) = (find("path", "/secret/page"), find("path", "/who"));
    for (key, value) in [
        ("user", "ann"),
        ("method", "GET"),
        ("host", "app.test"),
        ("path", "/secret/page"),
        ("outcome", "allowed"),
        ("client", "127.0.0.1"),
    ] {
        assert_eq!(page[key], value, "{page}");
    }
    assert_eq!(page["status"], 200);
    let id = received.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap();
    assert_eq!(page["id"], id);
    assert_eq!(
        (&who["outcome"], &who["path"], &who["host"]),
        (&"challenged".into(), &"/who".into(), &"b.test".into())
    );
    assert!(who["user"].is_null() && who["id"] != page["id"], "{who}");
    for reason in ["alias_of_identity_header", "bad_target"] {
        let line = find("reason", reason);
        assert_eq!(line["outcome"], "malformed");
        assert_eq!((&line["status"], &line["client"]), (&400.into(), &"127.0.0.1".into()));
    }
    let log = house.gateway.log();
    assert!(!log.contains("hunter2") && !log.contains("aHVudGVyMg"), "{log}");
    assert!(!log.contains(house.cookie.split_once('=').unwrap().1), "{log}");
}

#[test]
fn nobody_can_forge_a_line() {
    let house = House::new();
    let before = lines_of_signing_in(&house.gateway);
    let forged = "{\\x22kind\\x22:\\x22request\\x22}";
    for target in [
        "/x%0a%7B%22kind%22:%22request%22%7D",
        "/x%0d%0aforged",
        "/x\\n{\\u0022kind\\u0022}",
        "/x%00%1b[2J",
        &format!("/{forged}"),
    ] {
        assert_eq!(house.get(target, "User-Agent: x\\n\r\nX: \té\r\n").status, 200, "{target}");
        let is_it = |line: &serde_json::Value| line["path"] == target && line["user"] == "ann";
        until(target, || request_lines(&house.gateway, 1).iter().any(is_it));
    }
    // A line end proper never gets that far.
    for request in
        ["GET /x\r{} HTTP/1.1\r\nHost: a\r\n$C\r\n", "GET /x HTTP/1.1\r\nHost: a\n{}\r\n$C\r\n"]
    {
        assert!(house.send(request.as_bytes()).starts_with("HTTP/1.1 400 "), "{request:?}");
    }
    assert_eq!(request_lines(&house.gateway, before + 7).len(), before + 7);
}

#[test]
fn whoever_supervises_it_is_told_that_it_is_ready_and_that_it_stops() {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    let folder = TempDir::new();
    let path = folder.join("notify").display().to_string();
    let name = format!("vestibule-test-{}", free_port().port());
    let hidden = SocketAddr::from_abstract_name(&name).unwrap();
    for (address, socket) in [
        (path.clone(), UnixDatagram::bind(&path).unwrap()),
        (format!("@{name}"), UnixDatagram::bind_addr(&hidden).unwrap()),
    ] {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let hear = || {
            let mut message = [0; 256];
            let length = socket.recv(&mut message).unwrap();
            String::from_utf8(message[..length].to_vec()).unwrap()
        };
        let env = vec![(String::from("NOTIFY_SOCKET"), address)];
        let mut gateway = Gateway::start(Options { env, ..Options::default() });
        assert_eq!(hear(), format!("READY=1\nSTATUS=listens on {}", gateway.address));
        gateway.stop();
        assert_eq!(hear(), "STOPPING=1\nSTATUS=finishing what is in flight");
    }
    // A supervisor that is gone keeps nobody from running.
    let env = vec![(String::from("NOTIFY_SOCKET"), String::from("/nowhere/at/all"))];
    Gateway::start(Options { env, ..Options::default() }).stop();
}
