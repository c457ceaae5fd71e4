//! Which app a request goes to, and what is said where there is none.

use crate::harness::{App, Gateway, House, Options, Person, free_port, session_of};
use std::collections::HashSet;
use std::io::Write as _;
use std::sync::Mutex;

/// An app that says its name.
fn named(name: &'static str) -> App {
    App::serving(move |_, stream| {
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len()).is_ok()
    })
}

fn route(host: &str, path: &str, upstreams: &[String]) -> String {
    format!("[[route]]\nhost = \"{host}\"\npath = \"{path}\"\nupstream = {upstreams:?}\n")
}

#[test]
fn the_most_specific_host_and_then_the_longest_path_choose_the_app() {
    let apps = ["wiki", "api", "any", "deep"].map(named);
    let [wiki, api, any, deep] = &apps;
    let config = [
        route("wiki.test", "/", &[wiki.url()]),
        route("wiki.test", "/api", &[api.url()]),
        route("*.apps.test", "/", &[any.url()]),
        route("deep.apps.test", "/x", &[deep.url()]),
    ];
    let house = House::with(App::start(), Options::default().config(&config.concat()));
    for (host, target, answer) in [
        ("wiki.test", "/", "wiki"),
        ("WIKI.test:8080", "/apis", "wiki"),
        ("wiki.test", "/api", "api"),
        ("wiki.test", "/api/v1?x=/", "api"),
        ("wiki.test", "/x/../api/v1", "api"),
        ("wiki.test", "/%61pi", "api"),
        ("wiki.test", "//api", "api"),
        ("one.apps.test", "/x", "any"),
        ("deep.apps.test", "/x/y", "deep"),
    ] {
        let reply = house.ask(&format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n$C\r\n"));
        assert_eq!(reply.text(), answer, "{host}{target}");
    }
    for app in &apps {
        app.take_received();
    }
    for (host, target) in [
        ("unknown.test", "/"),
        ("apps.test", "/"),
        ("wiki.test.evil.test", "/"),
        ("evilwiki.test", "/"),
        ("deep.apps.test", "/y"),
        ("127.0.0.1", "/"),
    ] {
        for who in ["$C", ""] {
            let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{who}\r\n");
            let expected = if host == "deep.apps.test" { &[200, 401][..] } else { &[404] };
            assert!(expected.contains(&house.ask(&request).status), "{host}{target}");
        }
    }
    assert_eq!(apps.iter().filter(|app| app.received() != "").count(), 1, "*.apps.test alone");
}

#[test]
fn a_person_gets_a_page_and_a_program_a_problem_where_no_app_answers() {
    let house = House::with(App::start(), Options::upstream(&format!("http://{}", free_port())));
    let page = house.get("/x", "Sec-Fetch-Mode: navigate\r\n");
    assert_eq!((page.status, page.header("content-type")), (502, Some("text/html; charset=utf-8")));
    assert!(page.text().contains("The app could not be reached"), "{}", page.text());
    let problem = house.get("/x", "Accept: application/json\r\n");
    assert_eq!(problem.header("content-type"), Some("application/problem+json"));
    let body: serde_json::Value = serde_json::from_slice(&problem.body).unwrap();
    assert_eq!((body["code"].as_str(), body["status"].as_u64()), (Some("bad_gateway"), Some(502)));
    for reply in [page, problem] {
        assert_eq!(reply.header("server"), None);
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    }
}

#[test]
fn while_one_of_several_upstreams_is_down_every_request_is_answered() {
    let (one, two) = (named("one"), named("two"));
    let upstreams = [one.url(), format!("http://{}", free_port()), two.url()];
    let config = route("*", "/", &upstreams);
    let house = House::with(App::start(), Options::default().config(&config));
    let mut answers = Vec::new();
    for number in 0..12 {
        let body = if number % 2 == 0 { "" } else { "Content-Length: 2\r\n\r\nhi" };
        let method = if number % 2 == 0 { "GET" } else { "POST" };
        let reply = house.ask(&format!("{method} /x HTTP/1.1\r\nHost: a\r\n$C{body}\r\n"));
        assert_eq!(reply.status, 200, "request {number}");
        answers.push(reply.text());
    }
    assert!(answers.contains(&"one".into()) && answers.contains(&"two".into()), "{answers:?}");
}

#[test]
fn an_app_that_gave_up_a_kept_connection_is_asked_again_on_another() {
    // The second request on a connection meets its end, as happens when an app's own idle time
    // runs out while the request is on its way.
    let met = Mutex::new(HashSet::new());
    let app = App::serving(move |request, stream| {
        let is_first = met.lock().unwrap().insert(stream.peer_addr().unwrap());
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}", &request[..3]);
        is_first && stream.write_all(answer.as_bytes()).is_ok()
    });
    let house = House::around(app);
    for _ in 0..6 {
        assert_eq!(house.get("/x", "").text(), "GET");
    }
    // What might have been done already is not done again: each reaches the app once, also the
    // one that met the end of a connection.
    let post = "POST /x HTTP/1.1\r\nHost: a\r\n$CContent-Length: 2\r\n\r\nhi";
    let sent = (1..=50).find(|_| house.ask(post).status == 502).expect("one that met the end");
    assert_eq!(house.app.received().matches("POST /x ").count(), sent);
}

#[test]
fn a_name_that_is_looked_up_leads_to_the_app() {
    let app = App::start();
    let url = format!("http://localhost:{}", app.address.port());
    let gateway = Gateway::start(Options::upstream(&url));
    let cookie = session_of(&Person::add(&gateway, "ann"), &gateway);
    let request =
        format!("GET /x HTTP/1.1\r\nHost: a\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n");
    let answer = crate::harness::send_raw(gateway.address, request.as_bytes());
    assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", answer.escape_ascii());
}
