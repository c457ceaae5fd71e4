//! Programs: access tokens that administrators make, and what the app sees of them.

use crate::harness::{App, House, Options, Reply, exchange};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Makes a token of Ann's with these arguments.
fn token(house: &House, name: &str, more: &[&str]) -> Value {
    house.gateway.json(&[&["token", "add", name, "--user", "ann"], more].concat(), "")
}

fn bearer(token: &Value) -> String {
    format!("Authorization: Bearer {}\r\n", token["token"].as_str().unwrap())
}

fn basic(name: &str, token: &Value) -> String {
    let pair = format!("{name}:{}", token["token"].as_str().unwrap());
    format!("Authorization: Basic {}\r\n", STANDARD.encode(pair))
}

/// Asks for something at this host with these fields, as a browser would.
fn ask(house: &House, host: &str, fields: &str) -> Reply {
    let head = format!(
        "GET /data HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nSec-Fetch-Mode: navigate\r\n"
    );
    exchange(house.gateway.address, format!("{head}{fields}Connection: close\r\n\r\n").as_bytes())
}

/// That a program was refused the way programs are.
fn assert_refused(reply: &Reply, what: &str) {
    assert_eq!(reply.status, 401, "{what}");
    assert_eq!(reply.header("location"), None, "{what}");
    assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{what}");
    assert!(reply.header("www-authenticate").unwrap().starts_with("Bearer "), "{what}");
}

#[test]
fn a_token_lets_its_program_in_as_its_person_and_never_reaches_the_app() {
    let house = House::new();
    let made = token(&house, "backup", &[]);
    for fields in [bearer(&made), basic("ann", &made), basic("ANN", &made), basic("", &made)] {
        house.app.take_received();
        let reply = ask(&house, "app.test", &fields);
        if fields == basic("", &made) {
            assert_refused(&reply, "a name that is nobody's");
            continue;
        }
        assert_eq!(reply.status, 200, "{fields}");
        let received = house.app.take_received().to_ascii_lowercase();
        assert!(received.contains("remote-user: ann\r\n"), "{received}");
        assert!(!received.contains("authorization") && !received.contains("vst_"), "{received}");
    }
    let listed = house.gateway.json(&["token", "list", "--user", "ann"], "");
    assert_eq!((listed[0]["name"].as_str(), listed[0]["token"].as_str()), (Some("backup"), None));
    assert!(!house.gateway.log().contains(made["token"].as_str().unwrap()));
}

#[test]
fn a_program_that_may_not_pass_is_told_so_and_never_sent_to_sign_in() {
    let house = House::new();
    let (made, gone) = (token(&house, "one", &[]), token(&house, "two", &[]));
    house.gateway.json(&["token", "revoke", gone["id"].as_str().unwrap()], "");
    let broken = made["token"].as_str().unwrap().to_owned() + "x";
    house.app.take_received();
    for (what, fields) in [
        ("revoked", bearer(&gone)),
        ("another person's name", basic("bob", &made)),
        ("malformed", format!("Authorization: Bearer {broken}\r\n")),
        ("made up", format!("Authorization: Bearer vst_{}\r\n", "A".repeat(43))),
        ("twice", bearer(&made) + &bearer(&made)),
        ("bad, beside a good cookie", format!("{}Cookie: {}\r\n", bearer(&gone), house.cookie)),
    ] {
        assert_refused(&ask(&house, "app.test", &fields), what);
    }
    assert_eq!(house.app.received(), "");
    // A person is never asked by a window of the browser's own.
    let person = ask(&house, "app.test", "");
    assert_eq!((person.status, person.header("www-authenticate")), (302, None));
}

#[test]
fn a_token_ends_with_its_revocation_its_person_and_its_time() {
    let house = House::new();
    let made = token(&house, "one", &[]);
    assert_eq!(ask(&house, "app.test", &bearer(&made)).status, 200);
    house.gateway.json(&["user", "disable", "ann"], "");
    assert_refused(&ask(&house, "app.test", &bearer(&made)), "disabled");
    house.gateway.json(&["user", "enable", "ann"], "");
    assert_eq!(ask(&house, "app.test", &bearer(&made)).status, 200);
    // A new password ends sessions; tokens were made by somebody else, and go on.
    house.gateway.json(&["user", "reset-password", "ann"], "");
    assert_eq!(ask(&house, "app.test", &bearer(&made)).status, 200);
    house.gateway.json(&["token", "revoke", made["id"].as_str().unwrap()], "");
    assert_refused(&ask(&house, "app.test", &bearer(&made)), "revoked");

    let other = token(&house, "two", &[]);
    assert_eq!(ask(&house, "app.test", &bearer(&other)).status, 200);
    let house = House { gateway: house.gateway.kill_and_restart(), ..house };
    assert_eq!(ask(&house, "app.test", &bearer(&other)).status, 200, "it outlives a crash");
    house.gateway.json(&["user", "remove", "ann"], "");
    assert_refused(&ask(&house, "app.test", &bearer(&other)), "removed");
}

#[test]
fn a_token_reaches_no_further_than_it_was_made_for() {
    let house = House::new();
    house.gateway.json(&["user", "set", "ann", "--group", "staff", "--group", "ci"], "");
    let here = token(&house, "here", &["--network", "127.0.0.0/8", "--host", "*.example.com"]);
    assert_eq!(ask(&house, "a.example.com", &bearer(&here)).status, 200);
    assert_refused(&ask(&house, "example.com", &bearer(&here)), "another host");
    let elsewhere = token(&house, "elsewhere", &["--network", "10.0.0.0/8"]);
    assert_refused(&ask(&house, "a.example.com", &bearer(&elsewhere)), "another network");

    let narrow = token(&house, "narrow", &["--group", "ci", "--group", "admins"]);
    house.app.take_received();
    assert_eq!(ask(&house, "app.test", &bearer(&narrow)).status, 200);
    let received = house.app.take_received().to_ascii_lowercase();
    assert!(received.contains("remote-groups: ci\r\n"), "{received}");

    // Laying a group aside is no way out of what is forbidden to it.
    let config = "[[rule]]\npath = \"/payroll\"\ngroups = [\"ci\"]\npolicy = \"deny\"\n";
    let strict = House::with(App::start(), Options::default().config(config));
    strict.gateway.json(&["user", "set", "ann", "--group", "staff", "--group", "ci"], "");
    let staff = token(&strict, "staff", &["--group", "staff"]);
    let head = format!("GET /payroll HTTP/1.1\r\nHost: a.test\r\n{}", bearer(&staff));
    let reply =
        exchange(strict.gateway.address, format!("{head}Connection: close\r\n\r\n").as_bytes());
    assert_eq!(reply.status, 403);

    let one_factor = token(&house, "weak", &["--one-factor"]);
    assert_refused(&ask(&house, "app.test", &bearer(&one_factor)), "one factor of two");
}

#[test]
fn what_an_app_asks_for_in_authorization_is_left_to_the_app() {
    let house = House::new();
    for theirs in ["Bearer eyJhbGciOiJIUzI1NiJ9.e30.x", "Basic YW5uOnNlY3JldA==", "Digest a=b"] {
        house.app.take_received();
        let fields = format!("Authorization: {theirs}\r\nCookie: {}\r\n", house.cookie);
        assert_eq!(ask(&house, "app.test", &fields).status, 200, "{theirs}");
        let received = house.app.take_received();
        assert!(received.contains(theirs), "{received}");
    }
    let app = App::start();
    let config = format!(
        "[[route]]\nhost = \"keeps.test\"\nupstream = \"{0}\"\nkeep_authorization = true\n\
         [[route]]\nhost = \"*\"\nupstream = \"{0}\"\n",
        app.url()
    );
    let house = House::with(app, Options::default().config(&config));
    let made = token(&house, "kept", &[]);
    for (host, is_kept) in [("keeps.test", true), ("other.test", false)] {
        house.app.take_received();
        assert_eq!(ask(&house, host, &bearer(&made)).status, 200);
        let received = house.app.take_received();
        assert_eq!(received.contains(made["token"].as_str().unwrap()), is_kept, "{host}");
    }
}
