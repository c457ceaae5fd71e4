//! The calls through the real binary: bodies on the wire, addresses, many at once.

use crate::harness::{
    ADMIN_PASSWORD, App, Browser, Gateway, Options, Person, ROOT, TempDir, code_now,
};
use serde_json::{Value, json};

#[test]
fn the_real_gateway_answers_calls_on_every_host_and_none_reaches_the_app() {
    let app = App::start();
    let gateway = Gateway::start(Options::upstream(&app.url()));
    let ann = Person::add(&gateway, "ann");
    let mut browser = Browser::new(gateway.address);
    let body = json!({
        "username": "ann", "password": ADMIN_PASSWORD, "totp_code": code_now(&ann.secret),
    });
    let done = browser.call("POST", "/auth/login", body);
    assert_eq!(done.json["status"], "authenticated", "{}", done.json);
    let page = browser.request("GET", "/app", "Sec-Fetch-Mode: navigate\r\n", "");
    assert_eq!(page.status, 200);
    app.take_received();

    let described = browser.call("GET", "/openapi.json", Value::Null);
    assert_eq!(described.json["openapi"], "3.1.0");
    assert_eq!(described.json["servers"][0]["url"], ROOT);
    let large = json!({"username": "x".repeat(70_000), "password": "x"});
    assert_eq!(browser.call("POST", "/auth/login", large.clone()).status, 413);
    let navigates = "Sec-Fetch-Mode: navigate\r\nContent-Type: application/json\r\n";
    let called = browser.call_with("POST", "/auth/login", navigates, &large.to_string());
    assert_eq!(called.outcome(), (413, "too_large"), "JSON for whoever asks");
    assert_eq!(browser.call("PUT", "/auth/login", Value::Null).status, 405);
    for target in ["/_vestibule/api/v2/x", "/_vestibule/api/"] {
        let reply = browser.request("GET", target, "", "");
        assert_eq!(reply.status, 404, "{target}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    }
    // A spelling of the path that is not ours reaches neither calls nor app.
    for target in ["/_vestibule/%61pi/v1/auth/me", "/x/../_vestibule/api/v1/auth/me"] {
        let reply = browser.request("GET", target, "", "");
        assert!([400, 404].contains(&reply.status), "{target}: {}", reply.status);
    }
    assert!(!app.received().contains("api/v1"), "{}", app.received());
}

#[test]
fn more_sign_ins_at_once_than_can_be_hashed_are_told_to_come_back() {
    let config = "[password]\nhash_workers = 1\nhash_queue = 1\n\
                  [limits]\nlogin_per_ip = \"1000/1m\"\n";
    let app = App::start();
    let gateway = Gateway::start(Options::upstream(&app.url()).config(config));
    let outcomes: Vec<(u16, String)> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..12)
            .map(|number| {
                let mut browser = Browser::new(gateway.address);
                let body = json!({"username": format!("nobody{number}"), "password": "wrong"});
                scope.spawn(move || {
                    let called = browser.call("POST", "/auth/login", body);
                    (called.status, called.text("code"))
                })
            })
            .collect();
        tries.into_iter().map(|each| each.join().unwrap()).collect()
    });
    for (status, code) in &outcomes {
        let known = [(401, "invalid_credentials"), (503, "busy")];
        assert!(known.contains(&(*status, code.as_str())), "{status} {code}");
    }
    assert!(outcomes.iter().any(|(status, _)| *status == 503), "{outcomes:?}");
    assert!(outcomes.iter().any(|(status, _)| *status == 401), "{outcomes:?}");
}

#[test]
fn a_stolen_password_is_refused_wherever_one_is_chosen() {
    let stolen = "an entirely stolen phrase";
    let folder = TempDir::new();
    std::fs::write(folder.join("stolen.txt"), format!("{stolen}\n")).unwrap();
    let list = folder.join("stolen.txt");
    let config = format!(
        "[password]\nbreached = \"list:{}\"\n[registration]\nenabled = true\n",
        list.display()
    );
    let app = App::start();
    let gateway = Gateway::start(Options::upstream(&app.url()).config(&config));
    let ann = Person::add_with(&gateway, "ann", &["--group", "admins"]);
    let mut browser = Browser::new(gateway.address);
    let body = json!({
        "username": "ann", "password": ADMIN_PASSWORD, "totp_code": code_now(&ann.secret),
    });
    assert_eq!(browser.call("POST", "/auth/login", body).status, 200);
    for (path, body) in [
        ("/auth/register", json!({"username": "bob", "password": stolen})),
        ("/admin/users", json!({"username": "bob", "password": stolen})),
        (
            "/auth/change-password",
            json!({"current_password": ADMIN_PASSWORD, "new_password": stolen}),
        ),
    ] {
        let called = browser.call("POST", path, body);
        assert_eq!(called.outcome(), (422, "breached_password"), "{path}");
    }
}
