//! Passwords: whoever can tell accounts apart, try for nothing, or make trying dear for us.

use crate::harness::{
    ADMIN_PASSWORD, App, Browser, Called, Gateway, Options, Person, ROOT, Reply, World, exchange,
    filled_in,
};
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use vestibule::service::{AdminRequest, Settings};

/// A world with accounts of every kind, and a name that is nobody's.
fn everybody() -> (Arc<World>, [&'static str; 5]) {
    let world = World::new(Settings::default());
    world.add("ann", true);
    world.add("bob", false);
    world.add_who_must_change("cem");
    world.add("dan", true);
    world.admin(AdminRequest::UserDisable { name: "dan".into() });
    (world, ["ann", "bob", "cem", "dan", "nobody"])
}

/// What can be told of an answer, without the name that was typed and what is new each time.
fn told(reply: &Reply, name: &str) -> (u16, Vec<(String, String)>, String) {
    let mut headers = reply.headers.clone();
    headers.retain(|(name, _)| !["content-length", "set-cookie", "date"].contains(&name.as_str()));
    let text = reply.text().replace(name, "NAME");
    let text = text.split("name=\"form_token\"").next().unwrap().to_owned();
    (reply.status, headers, text)
}

/// The same under load: where there is no room to hash, no name is told apart by being answered.
#[test]
fn where_there_is_no_room_to_hash_every_name_is_turned_away_alike() {
    let config = "[password]\nhash_workers = 1\nhash_queue = 1\n\
                  [limits]\nlogin_per_ip = \"1000/1m\"\n";
    let app = App::start();
    let gateway = Gateway::start(Options::upstream(&app.url()).config(config));
    for name in ["ann", "gone"] {
        gateway.json(&["user", "add", name, "--password-stdin"], ADMIN_PASSWORD);
    }
    gateway.json(&["user", "disable", "gone"], "");
    gateway.json(&["user", "add", "invited"], "");
    let names = ["ann", "gone", "invited", "nobody"];
    let answers: Vec<Vec<(u16, String)>> = std::thread::scope(|scope| {
        let one = |name: &'static str| {
            let mut browser = Browser::new(gateway.address);
            let body = json!({"username": name, "password": "a wrong password"});
            scope.spawn(move || {
                let called = browser.call("POST", "/auth/login", body);
                (called.status, called.text("code"))
            })
        };
        // All at once, and fewer of each than an account may be tried.
        let tries: Vec<_> = (0..8).flat_map(|_| names.map(one)).collect();
        let answers: Vec<_> = tries.into_iter().map(|each| each.join().unwrap()).collect();
        let of = |at: usize| answers.iter().skip(at).step_by(names.len()).cloned().collect();
        (0..names.len()).map(of).collect()
    });
    let (busy, wrong) = ((503, "busy".to_owned()), (401, "invalid_credentials".to_owned()));
    for (name, answers) in names.iter().zip(&answers) {
        assert!(answers.contains(&busy), "{name} always finds room: {answers:?}");
        assert!(answers.iter().all(|each| *each == busy || *each == wrong), "{name}: {answers:?}");
    }
}

/// CVE-2026-23511, CVE-2026-32595: a wrong password tells nothing of the account, nor does a right
/// code with it: not at the pages, not by JSON, not for programs.
#[test]
fn a_wrong_password_tells_nothing_of_the_account_at_any_door() {
    let (world, names) = everybody();
    let mut pages = Vec::new();
    let mut calls: Vec<Vec<Called>> = Vec::new();
    for name in names {
        let mut browser = world.browser();
        let page = browser.open("/_vestibule/login");
        let reply = browser.submit(&page, &[("username", name), ("password", "a wrong password")]);
        assert!(!browser.cookies.contains_key("vestibule-step"));
        pages.push(told(&reply, name));
        let wrong = |more: Value| {
            let mut body = json!({"username": name, "password": "a wrong password"});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        calls.push(
            [
                ("/auth/login", wrong(json!({}))),
                ("/auth/login", wrong(json!({"totp_code": "123456"}))),
                ("/auth/login", wrong(json!({"recovery_code": "AAAA-AAAA-AAAA-AAAA"}))),
                ("/auth/token", wrong(json!({"totp_code": "123456"}))),
                ("/auth/totp/verify", json!({"mfa_token": name, "code": "123456"})),
            ]
            .map(|(path, body)| world.browser().call("POST", path, body))
            .into(),
        );
    }
    assert!(pages.iter().all(|page| *page == pages[0] && page.0 == 401), "{pages:?}");
    for account in &calls {
        for (one, other) in account.iter().zip(&calls[0]) {
            assert_eq!(told(&one.reply, "-"), told(&other.reply, "-"));
            assert_eq!(one.status, 401);
        }
    }
}

/// CVE-2025-24806, CVE-2026-47203: one account, one counter, however its name is written.
#[test]
fn every_spelling_that_signs_in_counts_for_one_account() {
    let app = App::start();
    let options = Options::upstream(&app.url()).config("[limits]\nlockout_after = 6\n");
    let gateway = Gateway::start(options);
    let email = ["--email", "ann@example.com"];
    let ann = Person::add_with(&gateway, "ann.o-hara", &email);
    let spellings = [
        "ANN.O-HARA",
        " ann.o-hara ",
        "Ann.O\u{2010}Hara",
        "ａｎｎ.o-hara",
        "ann@example.com",
        "ANN@EXAMPLE.COM",
    ];
    let mut counted = 0;
    for name in spellings {
        let mut browser = Browser::new(gateway.address);
        let page = browser.open("/_vestibule/login");
        // A spelling that signs in nobody is somebody else's; the others share what they cost.
        let (_, body) =
            filled_in(&page.text(), &[("username", name), ("password", ADMIN_PASSWORD)]);
        let signs_in = browser.clone().post("/_vestibule/login", &body).status == 303;
        let reply = browser.submit(&page, &[("username", name), ("password", "a wrong password")]);
        assert_eq!(reply.status, 401, "{name}");
        counted += usize::from(signs_in);
    }
    assert!(counted >= 5, "{counted}");
    for _ in counted..6 {
        let mut browser = Browser::new(gateway.address);
        let page = browser.open("/_vestibule/login");
        browser.submit(&page, &[("username", &ann.name), ("password", "a wrong password")]);
    }
    for name in ["ann.o-hara", "ann@example.com"] {
        let mut browser = Browser::new(gateway.address);
        let page = browser.open("/_vestibule/login");
        let reply = browser.submit(&page, &[("username", name), ("password", ADMIN_PASSWORD)]);
        assert_eq!(reply.status, 423, "{name}");
    }
}

/// No advisory of its own: a counter that somebody can set back, by a crash, by what their browser
/// keeps, or by being right about half of it.
#[test]
fn no_counter_is_set_back_by_a_crash_a_cookie_or_a_right_password() {
    let app = App::start();
    let options = Options::upstream(&app.url()).config("[limits]\nlockout_after = 4\n");
    let gateway = Gateway::start(options);
    let ann = Person::add(&gateway, "ann");
    let fail = |gateway: &Gateway, cookies: &str| {
        let mut browser = Browser::new(gateway.address);
        let page = browser.open("/_vestibule/login");
        browser.added = cookies.to_owned();
        browser.submit(&page, &[("username", "ann"), ("password", "a wrong password")]).status
    };
    assert_eq!(fail(&gateway, ""), 401);
    // Known by nobody's cookie, or by one that is made up.
    assert_eq!(
        fail(&gateway, "Cookie: vestibule-known=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n"),
        401
    );
    // The right password, and then nothing.
    let mut browser = Browser::new(gateway.address);
    assert_eq!(ann.give_password(&mut browser, "/app").status, 303);
    let gateway = gateway.kill_and_restart();
    assert_eq!(fail(&gateway, ""), 401);
    assert_eq!(fail(&gateway, ""), 401);
    let gateway = gateway.kill_and_restart();
    assert_eq!(fail(&gateway, ""), 423);
    let mut browser = Browser::new(gateway.address);
    assert_eq!(ann.give_password(&mut browser, "/app").status, 423);
}

/// CVE-2014-9034, CVE-2026-77561: sign-ins of shapes that nobody expects are cheap and tell nothing.
#[test]
fn a_sign_in_of_an_unexpected_shape_is_refused_before_anything_is_hashed() {
    let app = App::start();
    let gateway = Gateway::start(Options::upstream(&app.url()));
    Person::add(&gateway, "ann");
    let call = |kind: &str, body: &str| {
        let request = format!(
            "POST {ROOT}/auth/login HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        exchange(gateway.address, request.as_bytes()).status
    };
    let json = "Content-Type: application/json\r\n";
    let good = format!("{{\"username\":\"ann\",\"password\":\"{ADMIN_PASSWORD}\"}}");
    for (kind, body, status) in [
        (json, good.as_str(), 200),
        (json, "{\"username\":\"ann\",\"password\":null}", 422),
        (json, "{\"username\":\"ann\",\"password\":[]}", 422),
        (json, "{\"username\":\"ann\",\"password\":[\"a\"]}", 422),
        (json, "{\"username\":\"ann\",\"password\":{\"$ne\":null}}", 422),
        (json, "{\"username\":{\"$gt\":\"\"},\"password\":\"x\"}", 422),
        (json, "{\"username\":[\"ann\"],\"password\":\"x\"}", 422),
        (json, "{\"username\":\"ann\",\"password\":true}", 422),
        (json, "{\"username\":\"ann\",\"password\":1e999}", 400),
        (json, "{\"username\":\"ann\",\"password\":\"x\",\"password\":\"y\"}", 422),
        (json, "{\"username\":\"ann\",\"pass\\u0077ord\":\"x\",\"password\":\"y\"}", 422),
        (json, "{\"username\":\"ann\",\"password\":\"\\ud800\"}", 400),
        (json, "{\"username\":\"ann\",\"password\":\"x\",\"is_admin\":true}", 422),
        (json, "{\"username\":\"ann\"}", 422),
        (json, "[]", 422),
        (json, "null", 422),
        (json, "", 400),
        (json, "{", 400),
        (json, "\u{feff}{}", 400),
        ("", good.as_str(), 415),
        ("Content-Type: text/plain\r\n", good.as_str(), 415),
        ("Content-Type: application/x-www-form-urlencoded\r\n", "username=ann&password=x", 415),
        ("Content-Type: application/json; charset=utf-16\r\n", good.as_str(), 415),
        ("Content-Type: application/json\r\nContent-Type: text/plain\r\n", good.as_str(), 415),
    ] {
        assert_eq!(call(kind, body), status, "{kind}{body}");
    }
    // As deep as a stack, as long as a body may be, and longer.
    assert_eq!(call(json, &"[".repeat(60_000)), 400);
    let long =
        |length: usize| format!("{{\"username\":\"ann\",\"password\":\"{}\"}}", "x".repeat(length));
    assert_eq!(call(json, &long(60_000)), 401);
    assert_eq!(call(json, &long(70_000)), 413);
}

/// This, packed by the system's gzip.
fn packed(plain: String) -> Vec<u8> {
    let mut gzip = Command::new("gzip");
    let mut gzip = gzip.arg("-9").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = gzip.stdin.take().unwrap();
    let writing = std::thread::spawn(move || input.write_all(plain.as_bytes()));
    let packed = gzip.wait_with_output().unwrap().stdout;
    writing.join().unwrap().unwrap();
    packed
}

/// No advisory of its own: what comes packed stays packed, be it a good sign-in or a small one that
/// would be a large one.
#[test]
fn a_sign_in_that_comes_packed_is_not_unpacked() {
    const LARGE: usize = 50 << 20;
    let app = App::start();
    let gateway = Gateway::start(Options::upstream(&app.url()));
    gateway.json(&["user", "add", "ann", "--password-stdin"], ADMIN_PASSWORD);
    let page = Browser::new(gateway.address).open("/_vestibule/login");
    let cookie = page.header("set-cookie").unwrap().split(';').next().unwrap();
    let (_, form) = filled_in(&page.text(), &[("username", "ann"), ("password", ADMIN_PASSWORD)]);
    let page = format!(
        "POST /_vestibule/login HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\nCookie: {cookie}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n",
        gateway.address
    );
    let json = json!({"username": "ann", "password": ADMIN_PASSWORD}).to_string();
    let call =
        format!("POST {ROOT}/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n");
    for (head, plain, filler, done) in [(page, form, "&", 303), (call, json, " ", 200)] {
        let send = |coding: &str, body: &[u8]| {
            let end = format!("Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let head = format!("{head}{coding}{end}");
            exchange(gateway.address, &[head.as_bytes(), body].concat()).status
        };
        let gzip = "Content-Encoding: gzip\r\n";
        let bomb = packed(plain.clone() + &filler.repeat(LARGE));
        assert!(bomb.len() < 64 << 10, "{} bytes are refused for their number", bomb.len());
        let before = gateway.memory();
        assert_eq!(send(gzip, &bomb), 400, "{head}");
        let grown = gateway.memory().saturating_sub(before) << 10;
        assert!(grown < LARGE / 4, "{head}: {grown} bytes");
        assert_eq!(send(gzip, &packed(plain.clone())), 400, "{head}");
        assert_eq!(send("", plain.as_bytes()), done, "as it is, it is a good sign-in: {head}");
    }
}

/// No advisory of its own: a password that has to be changed for its age alone is written down.
#[test]
fn a_password_does_not_grow_old() {
    let world = World::new(Settings::default());
    let secret = world.add("ann", true).unwrap();
    world.pass(10 * 365 * 24 * 3600);
    let code = crate::harness::code_at(&secret, world.now());
    let body = json!({"username": "ann", "password": ADMIN_PASSWORD, "totp_code": code});
    let called = world.browser().call("POST", "/auth/login", body);
    assert_eq!(called.json["status"], "authenticated", "{}", called.json);
}
