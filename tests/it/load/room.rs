//! Room for those who come: a few cannot fill the house, and whoever does nothing gives way.

use super::crowds::from;
use crate::harness::{
    App, Gateway, House, Options, PATIENCE, connect, exchange, free_port, h2_body, read_head,
    read_reply,
};
use bytes::Bytes;
use h2::client::SendRequest;
use std::io::{BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy, duplex, split};
use tokio::net::TcpSocket;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// How long somebody may stay who asks for nothing: ten seconds, on a busy machine.
const STAY: Duration = Duration::from_secs(14);

/// Files for so many connections: two each, and a quarter as many, beside 128 and 8 for each of two
/// workers.
const fn files(room: u32) -> u32 {
    128 + 2 * 8 + (9 * room).div_ceil(4)
}

/// A gateway with room for so many, and where it tells its numbers.
fn measured(app: App, room: u32, server: &str) -> (House, SocketAddr) {
    let health = free_port();
    let options = Options { files: Some(files(room)), ..Options::upstream(&app.url()) };
    let mut options = Options { server: server.into(), ..options };
    for (key, value) in [("WORKERS", String::from("2")), ("ADMIN_LISTEN", health.to_string())] {
        options.env.push((format!("VESTIBULE_SERVER__{key}"), value));
    }
    (House::with(app, options), health)
}

fn number(health: SocketAddr, name: &str) -> usize {
    let told = exchange(health, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n").text();
    let value = told.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no {name} in {told}")).parse().unwrap()
}

fn refused(health: SocketAddr, reason: &str) -> usize {
    number(health, &format!("vestibule_connections_refused_total{{reason=\"{reason}\"}}"))
}

/// A connection from another address of this machine, to be used without waiting.
fn own(runtime: &Runtime, host: u8, gateway: &Gateway) -> BufReader<TcpStream> {
    let stream = runtime.block_on(from(host, gateway.address)).unwrap().into_std().unwrap();
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    BufReader::new(stream)
}

/// So many connections of each of two addresses.
fn of_two(runtime: &Runtime, gateway: &Gateway, each: usize) -> Vec<BufReader<TcpStream>> {
    let hosts = [2, 3].into_iter().flat_map(|host| std::iter::repeat_n(host, each));
    hosts.map(|host| own(runtime, host, gateway)).collect()
}

/// The same, each with a request whose answer the app keeps for itself.
fn waiting_on(runtime: &Runtime, house: &House, each: usize) -> Vec<BufReader<TcpStream>> {
    let mut held = of_two(runtime, &house.gateway, each);
    held.iter_mut().for_each(|stream| ask(house, stream, "/wait"));
    held
}

/// Asks on a connection that stays open afterwards.
fn ask(house: &House, stream: &mut BufReader<TcpStream>, target: &str) {
    let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\n$C\r\n");
    stream.get_mut().write_all(&house.fill(request.as_bytes())).unwrap();
}

/// Whether it has been closed, after a while at the latest.
fn is_closed(stream: &BufReader<TcpStream>, within: Duration) -> bool {
    stream.get_ref().set_read_timeout(Some(within)).unwrap();
    let closed = matches!(stream.get_ref().peek(&mut [0; 1]), Ok(0));
    stream.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
    closed
}

/// Speaks HTTP/2 and asks for nothing, for as long as it is let; how long that was.
async fn silent(host: u8, address: SocketAddr) -> Duration {
    let mut stream = from(host, address).await.unwrap();
    let since = Instant::now();
    let _ = stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    let mut buffer = [0; 256];
    // A ping each second: whoever says something may still ask for nothing.
    loop {
        match timeout(Duration::from_secs(1), stream.read(&mut buffer)).await {
            Ok(Ok(1..)) => {}
            Ok(_) => return since.elapsed(),
            Err(_) => drop(stream.write_all(b"\0\0\x08\x06\0\0\0\0\0 a ping ").await),
        }
    }
}

#[test]
fn a_few_addresses_full_of_silent_http2_keep_nobody_out_and_are_counted_and_told_of() {
    let (house, health) = measured(App::start(), 400, "");
    let runtime = Runtime::new().unwrap();
    let address = house.gateway.address;
    // Eight have an eighth each, and try for more.
    let crowd: Vec<_> = (2..10)
        .flat_map(|host| [host; 70])
        .map(|host| runtime.spawn(silent(host, address)))
        .collect();
    let (since, mut slowest, mut most) = (Instant::now(), Duration::ZERO, 0);
    while crowd.iter().any(|one| !one.is_finished()) {
        let asked = Instant::now();
        assert_eq!(house.get("/x", "").text(), "hello", "after {:?}", since.elapsed());
        slowest = slowest.max(asked.elapsed());
        most = most.max(number(health, "vestibule_connections_open"));
        assert!(since.elapsed() < STAY, "somebody stays");
    }
    let stays: Vec<_> = crowd.into_iter().map(|one| runtime.block_on(one).unwrap()).collect();
    let let_in = stays.iter().filter(|stay| **stay > Duration::from_secs(9)).count();
    println!("{let_in} of {} stayed, {most} at once; others: {slowest:?}", stays.len());
    assert!(let_in >= 200, "there was no crowd: {let_in}");
    assert!(slowest < super::BOUND, "{slowest:?}");
    assert_eq!(number(health, "vestibule_connections_limit"), 400);
    let by_share = refused(health, "share");
    assert!(by_share >= 100 && refused(health, "full") == 0, "{by_share}");
    house.gateway.hear("connections were turned away: 0 since all 400 places were taken, ");
    let lines = house.gateway.log().matches("turned away").count();
    assert!(lines <= 3, "{lines} lines for {by_share} connections");
}

#[test]
fn whoever_does_nothing_gives_way_to_those_who_come_and_whoever_is_served_does_not() {
    let (app, gate) = waiting();
    let (house, health) = measured(app, 32, "");
    let runtime = Runtime::new().unwrap();
    let gateway = &house.gateway;
    // Two have twelve each; all have asked, and one still waits for its answer.
    let mut crowd = of_two(&runtime, gateway, 12);
    let mut kept = own(&runtime, 4, gateway);
    for stream in crowd.iter_mut().skip(1).chain([&mut kept]) {
        ask(&house, stream, "/x");
        assert_eq!(read_reply(stream, false).text(), "hello");
    }
    ask(&house, &mut crowd[0], "/wait");
    let late: Vec<_> = (5..15)
        .map(|host| {
            let mut stream = own(&runtime, host, gateway);
            ask(&house, &mut stream, "/x");
            assert_eq!(read_reply(&mut stream, false).text(), "hello");
            // They do not come all at once.
            std::thread::sleep(Duration::from_millis(150));
            stream
        })
        .collect();
    let gone = crowd[1..].iter().filter(|s| is_closed(s, Duration::from_millis(20))).count();
    assert!((10..=14).contains(&gone), "{gone} gave way to {}", late.len());
    ask(&house, &mut kept, "/x");
    assert_eq!(read_reply(&mut kept, false).text(), "hello", "whoever has little stays");
    open(&gate);
    assert_eq!(read_reply(&mut crowd[0], false).text(), "hello", "whoever is served stays");
    assert_eq!((refused(health, "full"), refused(health, "share")), (0, 0));
}

#[test]
fn an_http2_client_that_gives_way_is_told_before_it_asks_again() {
    let (app, gate) = waiting();
    let (house, _) = measured(app, 32, "");
    let runtime = Runtime::new().unwrap();
    let mut idle = own(&runtime, 4, &house.gateway);
    idle.get_mut().write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    let mut held = waiting_on(&runtime, &house, 13);
    let mut told = Vec::new();
    let mut frame = [0; 9];
    while idle.read_exact(&mut frame).is_ok() {
        told.push(frame[3]);
        let length = usize::from(frame[1]) << 8 | usize::from(frame[2]);
        idle.read_exact(&mut vec![0; length]).unwrap();
    }
    // By GOAWAY.
    assert!(told.contains(&7), "{told:?}");
    open(&gate);
    for stream in &mut held {
        assert_eq!(read_reply(stream, false).text(), "hello", "whoever is served is served");
    }
}

#[test]
fn the_last_answer_on_a_connection_that_gives_way_says_that_it_is_the_last() {
    let (app, gate) = waiting();
    let (house, _) = measured(app, 32, "");
    let runtime = Runtime::new().unwrap();
    // More than three quarters, all of whom are served.
    let mut held = waiting_on(&runtime, &house, 13);
    let since = Instant::now();
    loop {
        // Told to leave in the midst of a head, of which the rest comes a moment later, or on a busy
        // machine too early or too late.
        assert!(since.elapsed() < PATIENCE, "nobody was told");
        let mut late = own(&runtime, 4, &house.gateway);
        late.get_mut().write_all(b"GET /x HTTP/1.1\r\n").unwrap();
        std::thread::sleep(Duration::from_millis(200));
        let rest = house.fill(b"Host: a\r\n$C\r\n");
        if late.get_mut().write_all(&rest).is_err() || is_closed(&late, Duration::from_secs(5)) {
            continue;
        }
        let reply = read_reply(&mut late, false);
        assert_eq!(reply.text(), "hello");
        if reply.header("connection") == Some("close") {
            assert!(is_closed(&late, PATIENCE), "it stays");
            break;
        }
    }
    open(&gate);
    for stream in &mut held {
        assert_eq!(read_reply(stream, false).text(), "hello", "whoever is served is served");
    }
}

#[test]
fn a_trusted_proxy_speaks_for_many_and_has_all_the_room_there_is() {
    let (house, _) = measured(App::start(), 32, "trusted_proxies = [\"127.0.0.2\"]");
    let runtime = Runtime::new().unwrap();
    let mut pool: Vec<_> = (0..30).map(|_| own(&runtime, 2, &house.gateway)).collect();
    for _ in 0..2 {
        for stream in &mut pool {
            ask(&house, stream, "/x");
            assert_eq!(read_reply(stream, false).text(), "hello");
        }
        // What it keeps open for its next request is left to it.
        assert!(!is_closed(&pool[0], Duration::from_millis(400)));
    }
}

/// Reads an answer over HTTP/2 only until the gateway has done with it, and the rest after a while;
/// how much of it came.
async fn read_late(house: &House, size: usize) -> usize {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    let (mut from, mut to) = socket.connect(house.gateway.address).await.unwrap().into_split();
    let (near, far) = duplex(1 << 16);
    let (mut asks, mut reads) = split(far);
    tokio::spawn(async move { copy(&mut asks, &mut to).await });
    let mut client = h2::client::Builder::new();
    client.initial_window_size(1 << 30).initial_connection_window_size(1 << 30);
    let (sender, connection) = client.handshake::<_, Bytes>(near).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::builder().uri(format!("http://a/{size}"));
    let request = request.header("cookie", &house.cookie).body(()).unwrap();
    let (answer, _) = sender.ready().await.unwrap().send_request(request, true).unwrap();
    let body = tokio::spawn(async {
        let (mut body, mut came) = (answer.await.unwrap().into_body(), 0);
        while let Some(Ok(data)) = body.data().await {
            came += data.len();
        }
        came
    });
    let done = format!("\"path\":\"/{size}\"");
    let mut some = (&mut from).take(1 << 18);
    while copy(&mut some, &mut reads).await.unwrap() > 0 {
        sleep(Duration::from_millis(60)).await;
        some.set_limit(if house.gateway.log().contains(&done) { 0 } else { 1 << 18 });
    }
    // Whoever is at rest is gone by then.
    sleep(Duration::from_secs(1)).await;
    let _ = copy(&mut from, &mut reads).await;
    reads.shutdown().await.unwrap();
    timeout(PATIENCE, body).await.unwrap().unwrap()
}

#[test]
fn an_answer_that_is_on_its_way_over_http2_is_not_cut_where_others_need_room() {
    let app = App::serving(|request, stream| {
        let size = request.split(['/', ' ']).nth(2).unwrap().parse().unwrap();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n");
        stream.write_all(&[head.as_bytes(), &vec![b'x'; size]].concat()).is_ok()
    });
    let (house, health) = measured(app, 32, "trusted_proxies = [\"127.0.0.2\"]");
    let runtime = Runtime::new().unwrap();
    let mut crowd: Vec<_> = (0..26).map(|_| own(&runtime, 2, &house.gateway)).collect();
    for stream in &mut crowd {
        ask(&house, stream, "/5");
        assert_eq!(read_reply(stream, false).text(), "xxxxx");
    }
    // At the end of some of them, the gateway has more to write than the system takes.
    let sizes = [8_000_000, 8_350_000, 8_700_000, 9_050_000];
    let came = std::thread::scope(|scope| {
        let (house, runtime) = (&house, &runtime);
        let late = |size| scope.spawn(move || runtime.block_on(read_late(house, size)));
        sizes.map(late).map(|reader| reader.join().unwrap())
    });
    assert_eq!(came, sizes);
    let since = Instant::now();
    while number(health, "vestibule_connections_open") > 26 {
        assert!(since.elapsed() < PATIENCE, "whoever has all of it does not give way");
    }
}

/// Closed at first.
type Gate = Arc<(Mutex<bool>, Condvar)>;

fn open(gate: &Gate) {
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
}

/// An app that answers `/wait` once its gate is open.
fn waiting() -> (App, Gate) {
    let gate = Gate::default();
    let of_app = Arc::clone(&gate);
    let app = App::by_hand(move |mut stream| {
        loop {
            let head = read_head(&mut stream);
            if head.is_empty() {
                return;
            }
            if head.starts_with("GET /wait ") {
                let is_open = of_app.0.lock().unwrap();
                drop(of_app.1.wait_while(is_open, |is_open| !*is_open).unwrap());
            }
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
            let _ = stream.get_mut().write_all(answer);
        }
    });
    (app, gate)
}

#[test]
fn a_full_house_turns_away_at_once_keeps_whom_it_serves_and_has_room_again() {
    let (app, gate) = waiting();
    let (house, health) = measured(app, 32, "");
    house.gateway.hear("there is room for 32 connections only");
    let runtime = Runtime::new().unwrap();
    // Each address may have sixteen, but the last places are for those who have next to nothing.
    let mut held = waiting_on(&runtime, &house, 15);
    let all_in = |count| {
        let since = Instant::now();
        while number(health, "vestibule_connections_open") < count {
            assert!(since.elapsed() < PATIENCE, "not all came in");
        }
    };
    all_in(30);
    assert!(is_closed(&own(&runtime, 2, &house.gateway), PATIENCE), "it has fifteen already");
    assert_eq!(refused(health, "share"), 1);
    for host in [4, 5] {
        let mut stream = own(&runtime, host, &house.gateway);
        ask(&house, &mut stream, "/wait");
        held.push(stream);
    }
    all_in(32);
    let since = Instant::now();
    let mut late = connect(house.gateway.address);
    let _ = late.write_all(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(matches!(late.read(&mut [0; 1]), Ok(0) | Err(_)), "there was room");
    assert!(since.elapsed() < super::BOUND, "turned away after {:?}", since.elapsed());
    assert_eq!(refused(health, "full"), 1);
    open(&gate);
    for stream in &mut held {
        assert_eq!(read_reply(stream, false).text(), "hello", "whoever is served is served");
    }
    drop(held);
    let since = Instant::now();
    while house.get("/x", "").text() != "hello" {
        assert!(since.elapsed() < PATIENCE, "no room again");
    }
}

/// So many connections over HTTP/2 from that address, each of which has its place.
async fn speaking(house: &House, host: u8, count: usize) -> Vec<SendRequest<Bytes>> {
    let mut all = Vec::new();
    for _ in 0..count {
        let stream = from(host, house.gateway.address).await.unwrap();
        let (sender, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let request = http::Request::builder().uri("http://a/x").body(()).unwrap();
        let (answer, _) =
            sender.clone().ready().await.unwrap().send_request(request, true).unwrap();
        answer.await.unwrap();
        all.push(sender);
    }
    all
}

/// So many requests that wait for the app, over one connection; what becomes of each.
fn many(house: &House, sender: &SendRequest<Bytes>, count: usize) -> Vec<JoinHandle<(u16, usize)>> {
    let ask = |_| {
        let request = http::Request::builder().uri("http://a/wait");
        let request = request.header("cookie", &house.cookie).body(()).unwrap();
        let sender = sender.clone();
        tokio::spawn(async move {
            let (answer, _) = sender.ready().await.unwrap().send_request(request, true).unwrap();
            let answer = answer.await.unwrap();
            let status = answer.status().as_u16();
            (status, h2_body(&mut answer.into_body()).await.unwrap().len())
        })
    };
    (0..count).map(ask).collect()
}

#[test]
fn requests_beside_others_on_a_connection_take_places_too_and_leave_files_for_everybody() {
    let (app, gate) = waiting();
    let (house, health) = measured(app, 64, "");
    let runtime = Runtime::new().unwrap();
    let senders = runtime.block_on(speaking(&house, 2, 3));
    let _entered = runtime.enter();
    let asked: Vec<_> = senders.iter().flat_map(|sender| many(&house, sender, 16)).collect();
    // An address may have sixteen places: three connections, and thirteen requests beside others.
    let since = Instant::now();
    while refused(health, "share") < 48 - 16 {
        assert!(since.elapsed() < PATIENCE, "{} turned away", refused(health, "share"));
    }
    assert_eq!(house.get("/x", "").text(), "hello", "somebody else finds no place");
    open(&gate);
    let ends = |asked: JoinHandle<_>| {
        runtime.block_on(async { timeout(PATIENCE, asked).await.unwrap().unwrap() })
    };
    let mut all: Vec<_> = asked.into_iter().map(ends).collect();
    all.sort_unstable();
    // Without a body, which they could leave lying.
    assert_eq!(all, [[(200, 5); 16].as_slice(), &[(503, 0); 32]].concat());
    house.gateway.hear(r#""reason":"crowded""#);
    // Their places go with them, some a moment after the answer.
    let since = Instant::now();
    while many(&house, &senders[0], 10).into_iter().map(ends).any(|end| end != (200, 5)) {
        assert!(since.elapsed() < PATIENCE, "they keep their places");
    }
}
