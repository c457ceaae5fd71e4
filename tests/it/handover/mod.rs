//! Another process takes the place of the one that runs, and nobody who is there notices.

mod load;

use crate::harness::{
    App, Browser, Gateway, House, Options, Person, TempDir, code_now, connect, free_port,
    read_head, read_until,
};
use load::{Kind, Load};
use std::io::{BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

const TAKEN: &str = "handed over to process ";

/// The processes that a gateway was handed over to; the last one is killed at the end.
struct Heirs<'g> {
    gateway: &'g Gateway,
    pids: Vec<u32>,
}

impl<'g> Heirs<'g> {
    fn of(gateway: &'g Gateway) -> Self {
        Self { gateway, pids: vec![gateway.pid()] }
    }

    /// Hands over once more.
    fn next(&mut self) {
        self.signal("-QUIT");
        self.gateway.hear_times(TAKEN, self.pids.len());
        let log = self.gateway.log();
        let pid = log.rsplit(TAKEN).next().unwrap().split(':').next().unwrap();
        self.pids.push(pid.parse().unwrap());
    }

    fn signal(&self, signal: &str) {
        let pid = self.pids.last().unwrap().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// How long nobody accepted, each time, in milliseconds.
    fn gaps(&self) -> Vec<u64> {
        let log = self.gateway.log();
        let gap = |text: &str| text.split(" ms").next().unwrap().parse().unwrap();
        log.split("nobody accepted for ").skip(1).map(gap).collect()
    }
}

impl Drop for Heirs<'_> {
    fn drop(&mut self) {
        for pid in &self.pids[1..] {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).output();
        }
    }
}

const KINDS: [Kind; 4] = [Kind::KeptAlive, Kind::KeptAlive, Kind::Anew, Kind::Pages];

#[test]
fn ten_hand_overs_refuse_nobody_fail_no_request_and_lose_no_session() {
    let house = House::new();
    let mut heirs = Heirs::of(&house.gateway);
    let load = Load::start(house.gateway.address, &house.cookie, &KINDS);
    for _ in 0..10 {
        load.go_on(50);
        heirs.next();
    }
    load.go_on(50);
    let figures = load.end();
    println!("ten hand-overs: {figures:?}, nobody accepted for {:?} ms", heirs.gaps());
    figures.assert_whole();
    // Administrators reach the last of them, and it has everything.
    house.gateway.json(&["user", "show", "ann"], "");
    let verified = house.gateway.command(&["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    assert!(house.gateway.data.join("data/admin.sock").exists());
    heirs.signal("-TERM");
    house.gateway.hear_times("\"stopped\"", 11);
}

#[test]
fn ten_restarts_behind_a_socket_that_is_held_refuse_nobody_and_fail_no_request() {
    let held = Arc::new(TcpListener::bind(free_port()).unwrap());
    let app = App::start();
    let options = Options { held: Some(Arc::clone(&held)), ..Options::upstream(&app.url()) };
    let mut house = House::with(app, options.clone());
    let load = Load::start(house.gateway.address, &house.cookie, &KINDS);
    for _ in 0..10 {
        load.go_on(50);
        house.gateway.stop();
        house.gateway = Gateway::on(Arc::clone(&house.gateway.data), options.clone());
    }
    load.go_on(50);
    let figures = load.end();
    println!("ten restarts: {figures:?}");
    figures.assert_whole();
}

#[test]
fn a_socket_that_nothing_asks_for_is_refused_in_a_sentence() {
    let held = Arc::new(TcpListener::bind(free_port()).unwrap());
    let other = free_port();
    let whole = format!("[server]\nlisten = [\"{other}\"]\nadmin_listen = \"\"\n");
    let options =
        Options { held: Some(Arc::clone(&held)), whole: Some(whole), ..Options::default() };
    let (code, said) = Gateway::or_refusal(Arc::new(TempDir::new()), options).err().unwrap();
    let wanted = format!("a socket for {}, where nothing is to listen", held.local_addr().unwrap());
    assert!(code == Some(1) && said.contains(&wanted), "{code:?} {said}");
}

#[test]
fn where_the_new_process_refuses_to_start_the_old_one_goes_on() {
    let house = House::new();
    let mut heirs = Heirs::of(&house.gateway);
    let before = std::fs::read_to_string(house.gateway.data.join("config.toml")).unwrap();
    house.gateway.write_config("[server]\nlisten = 7\n");
    heirs.signal("-QUIT");
    house.gateway.hear("not handed over, this process goes on: it ended, and has said why");
    assert_eq!(house.get("/", "").status, 200);
    house.gateway.write_config(&before);
    heirs.next();
    assert_eq!(house.get("/", "").status, 200);
    assert_ne!(heirs.pids[0], heirs.pids[1]);
}

#[test]
fn an_open_websocket_outlasts_a_hand_over_and_ends_soon_after_its_session() {
    let house = House::around(App::by_hand(|mut stream| {
        read_head(&mut stream);
        let switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
        stream.get_mut().write_all(switch).unwrap();
        let mut byte = [0; 4];
        while stream.read_exact(&mut byte).is_ok() {
            stream.get_mut().write_all(&byte).unwrap();
        }
    }));
    let mut stream = open_websocket(&house);
    let mut heirs = Heirs::of(&house.gateway);
    heirs.next();
    let began = Instant::now();
    // Longer than it is left in doubt.
    while began.elapsed() < Duration::from_secs(4) {
        stream.get_mut().write_all(b"ping").unwrap();
        read_until(&mut stream, "ping");
    }
    house.gateway.json(&["session", "revoke", "--user", "ann"], "");
    let revoked = Instant::now();
    let _ = stream.read_to_end(&mut Vec::new());
    let took = revoked.elapsed();
    println!("a WebSocket of the old process ended {took:?} after its session");
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn a_stream_ends_where_the_new_process_is_not_there_to_be_asked() {
    let house = House::around(App::by_hand(|mut stream| {
        read_head(&mut stream);
        let switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
        stream.get_mut().write_all(switch).unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    }));
    let mut stream = open_websocket(&house);
    let mut heirs = Heirs::of(&house.gateway);
    heirs.next();
    heirs.signal("-KILL");
    let killed = Instant::now();
    let _ = stream.read_to_end(&mut Vec::new());
    let took = killed.elapsed();
    assert!(took < Duration::from_secs(6), "{took:?}");
}

#[test]
fn a_code_that_was_used_before_a_hand_over_is_used_after_it() {
    let gateway = Gateway::start(Options::default());
    let ann = Person::add(&gateway, "ann");
    let with_code = |code: &str| {
        let mut browser = Browser::new(gateway.address);
        let answer = ann.give_password(&mut browser, "/_vestibule/account");
        let page = browser.follow(answer);
        browser.submit_and_follow(&page, &[("code", code)]).status
    };
    let code = code_now(&ann.secret);
    assert_eq!(with_code(&code), 200);
    let mut heirs = Heirs::of(&gateway);
    heirs.next();
    assert_eq!(with_code(&code), 401);
    let verified = gateway.command(&["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

/// A WebSocket of somebody who is signed in.
fn open_websocket(house: &House) -> BufReader<TcpStream> {
    let request =
        b"GET /x HTTP/1.1\r\nHost: a\r\n$CConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let mut stream = BufReader::new(connect(house.gateway.address));
    stream.get_mut().write_all(&house.fill(request)).unwrap();
    assert!(read_head(&mut stream).starts_with("HTTP/1.1 101 "));
    stream
}
