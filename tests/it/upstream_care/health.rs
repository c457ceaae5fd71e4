//! Upstreams are watched: one that is down gets no request, and comes back by itself.

use super::{house, route};
use crate::harness::{App, Gateway, H2App, House, Options, TempDir, free_port};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const QUICK: &str = "health_interval = \"1s\"\nhealth_timeout = \"1s\"\n";

/// An app that says its name, and at /healthz whether it is well.
fn named(name: &'static str) -> (App, Arc<AtomicBool>) {
    let is_well = Arc::new(AtomicBool::new(true));
    let told = Arc::clone(&is_well);
    let app = App::serving(move |request, stream| {
        let is_check = request.starts_with("GET /healthz ");
        let status = if is_check && !told.load(Ordering::SeqCst) { 503 } else { 200 };
        let (length, well) = (name.len(), "HTTP/1.1");
        write!(stream, "{well} {status} So\r\nContent-Length: {length}\r\n\r\n{name}").is_ok()
    });
    (app, is_well)
}

/// Answers on an address on which nobody listened so far.
fn open_late(address: SocketAddr) {
    let listener = TcpListener::bind(address).unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(
                b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nlate",
            );
        }
    });
}

#[test]
fn one_that_is_down_gets_no_request_until_it_is_up_again() {
    let [(one, is_one_well), (two, _)] = ["one", "two"].map(named);
    let keys = format!("{QUICK}health_check = \"/healthz\"\nhealth_down_after = 2\n");
    let options = route(&[one.url(), two.url()], &keys);
    let (one_url, house) = (one.url(), House::with(App::start(), options));
    let answers = |count| (0..count).map(|_| house.get("/x", "").text()).collect::<Vec<_>>();
    let both = answers(4);
    assert_eq!(both.iter().filter(|name| *name == "one").count(), 2, "{both:?}");

    is_one_well.store(false, Ordering::SeqCst);
    house.gateway.hear(&format!("the upstream {one_url} is down: it answers 503"));
    one.take_received();
    assert_eq!(answers(6), ["two"; 6]);
    assert!(!one.received().contains("GET /x"), "{}", one.received());

    is_one_well.store(true, Ordering::SeqCst);
    house.gateway.hear(&format!("the upstream {one_url} is up again"));
    let both = answers(4);
    assert_eq!(both.iter().filter(|name| *name == "one").count(), 2, "{both:?}");
    let checks = one.received().to_lowercase();
    assert!(checks.contains("user-agent: vestibule-health\r\n"), "{checks}");
    assert!(checks.contains(&format!("host: {}\r\n", one.address)), "{checks}");
}

#[test]
fn the_turn_of_one_that_is_down_is_shared_among_the_others() {
    let [(one, _), (two, _)] = ["one", "two"].map(named);
    let (sick, is_well) = named("sick");
    is_well.store(false, Ordering::SeqCst);
    let keys = format!("{QUICK}health_check = \"/healthz\"\nhealth_down_after = 1\n");
    let house = House::with(App::start(), route(&[sick.url(), one.url(), two.url()], &keys));
    house.gateway.hear("is down");
    let answers: Vec<_> = (0..6).map(|_| house.get("/x", "").text()).collect();
    assert_eq!(answers.iter().filter(|name| *name == "one").count(), 3, "{answers:?}");
    assert_eq!(answers.iter().filter(|name| *name == "two").count(), 3, "{answers:?}");
}

#[test]
fn where_all_are_down_that_is_said_at_once_and_nobody_is_asked() {
    let (app, is_well) = named("app");
    is_well.store(false, Ordering::SeqCst);
    let house = house(app, &format!("{QUICK}health_check = \"/healthz\"\nhealth_down_after = 1\n"));
    house.gateway.hear("is down");
    house.app.take_received();
    let page = house.get("/x", "Sec-Fetch-Mode: navigate\r\n");
    assert_eq!((page.status, page.header("content-type")), (502, Some("text/html; charset=utf-8")));
    assert!(page.text().contains("The app could not be reached"), "{}", page.text());
    let problem = house.get("/x", "");
    assert_eq!(problem.header("content-type"), Some("application/problem+json"));
    assert!(!house.app.received().contains("/x"), "{}", house.app.received());
    house.gateway.hear(r#""reason":"upstreams_down""#);
    is_well.store(true, Ordering::SeqCst);
    house.gateway.hear("is up again");
    assert_eq!(house.get("/x", "").text(), "app");
}

#[test]
fn connecting_is_enough_where_no_path_is_named() {
    let address = free_port();
    let keys = format!("{QUICK}health_check = \"connect\"\nhealth_down_after = 1\n");
    let house = House::with(App::start(), route(&[format!("http://{address}")], &keys));
    house.gateway.hear(&format!("the upstream http://{address} is down"));
    assert_eq!(house.get("/x", "").status, 502);
    open_late(address);
    house.gateway.hear(&format!("the upstream http://{address} is up again"));
    assert_eq!(house.get("/x", "").text(), "late");
}

#[test]
fn several_are_watched_unasked_and_a_single_one_is_not() {
    let (other, address) = (App::start(), free_port());
    let keys = format!("{QUICK}health_down_after = 1\n");
    let url = format!("http://{address}");
    let gateway = Gateway::start(route(&[url.clone(), other.url()], &keys));
    gateway.hear(&format!("the upstream {url} is down"));
    let single = House::with(App::start(), route(&[url], &keys));
    // What a request could not reach is said once, and once more when it is reached.
    assert_eq!(single.get("/x", "").status, 502);
    assert_eq!(single.get("/x", "").status, 502);
    open_late(address);
    assert_eq!(single.get("/x", "").text(), "late");
    single.gateway.hear("is reached again");
    let log = single.gateway.log_to_its_end();
    assert_eq!(log.matches("cannot be reached: ConnectRefused").count(), 1, "{log}");
    assert_eq!(log.matches("is reached again").count(), 1, "{log}");
    assert!(!log.contains("is down"), "{log}");
}

#[test]
fn a_check_without_an_answer_fails_and_every_kind_of_upstream_can_be_checked() {
    let silent = App::by_hand(|mut stream| {
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let keys = format!("{QUICK}health_check = \"/healthz\"\nhealth_down_after = 1\n");
    let gateway = Gateway::start(route(&[silent.url()], &keys));
    gateway.hear("is down: no answer within 1 s");

    let folder = TempDir::new();
    let path = folder.join("app.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let h2 = H2App::start();
    let upstreams = [format!("unix:{}", path.display()), format!("h2c://{}", h2.address)];
    let options: Options = route(&upstreams, &keys);
    let gateway = Gateway::start(options);
    for _ in 0..3 {
        let mut stream = std::io::BufReader::new(listener.accept().unwrap().0);
        let head = crate::harness::read_head(&mut stream).to_lowercase();
        assert!(head.starts_with("get /healthz http/1.1\r\nhost: localhost\r\n"), "{head}");
        stream.get_mut().write_all(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n").unwrap();
    }
    assert!(h2.received().iter().any(|(_, uri, _)| uri.path() == "/healthz"));
    assert!(!gateway.log().contains("is down"), "{}", gateway.log());
}
