//! What an app can check by itself: by somebody else's library, and as time passes.

use crate::harness::{ADMIN_PASSWORD, App, Browser, Gateway, House, Options, Person, World};
use crate::harness::{code_at, exchange, session_of};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use vestibule::domain::SessionRules;
use vestibule::service::{AdminRequest, Settings};
use vestibule::types::GroupName;

const NAME: &str = "x-vestibule-assertion";
const DAY: u64 = 24 * 3600;

/// What an app does that takes nobody's word: looks the key up, checks signature, times, issuer
/// and audience, and prints the claims.
const VERIFIER: &str = r#"
import json, jwt, sys
asked = json.load(sys.stdin)
wanted = jwt.get_unverified_header(asked["token"])["kid"]
keys = {key.key_id: key.key for key in jwt.PyJWKSet.from_dict(asked["jwks"]).keys}
claims = jwt.decode(asked["token"], keys[wanted], algorithms=["ES256"], audience=asked["aud"],
    issuer=asked["iss"], options={"require": ["exp", "iat", "nbf", "sub", "jti", "auth_time"]})
print(json.dumps(claims))
"#;

/// The claims, as PyJWT accepts them; or its complaint.
pub fn verify(token: &str, jwks: &Value, iss: &str, aud: &str) -> Result<Value, String> {
    let mut python = Command::new("/usr/bin/python3")
        .args(["-c", VERIFIER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let asked = json!({ "token": token, "jwks": jwks, "iss": iss, "aud": aud });
    python.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
    let done = python.wait_with_output().unwrap();
    let complaint = String::from_utf8_lossy(&done.stderr).lines().last().map(str::to_owned);
    if done.status.success() {
        Ok(serde_json::from_slice(&done.stdout).unwrap())
    } else {
        Err(complaint.unwrap_or_default())
    }
}

pub fn jwks(gateway: &Gateway) -> Value {
    let request = "GET /_vestibule/jwks.json HTTP/1.1\r\nHost: any.test\r\n\r\n";
    let reply = exchange(gateway.address, request.as_bytes());
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    assert_eq!(reply.header("cache-control"), Some("public, max-age=300"));
    serde_json::from_slice(&reply.body).unwrap()
}

pub fn issuer(gateway: &Gateway) -> String {
    format!("http://{}", gateway.address)
}

/// The statement in what the app received; none where there is none.
pub fn told(received: &str) -> Option<String> {
    let mut lines = received.lines().filter_map(|line| line.split_once(": "));
    let found = lines.find(|(name, _)| name.eq_ignore_ascii_case(NAME));
    found.map(|(_, value)| value.trim().to_owned())
}

/// One part of a token, unchecked.
fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&BASE64.decode(part).unwrap()).unwrap()
}

fn claims(token: &str) -> Value {
    part(token, 1)
}

#[test]
fn an_app_checks_who_somebody_is_with_a_library_of_its_own() {
    let app = App::start();
    let gateway = Gateway::start(Options::upstream(&app.url()));
    let more = ["--email", "zoe@example.com", "--display-name", "Zoë 李", "--group", "staff"];
    let zoe = Person::add_with(&gateway, "zoe", &more);
    let cookie = session_of(&zoe, &gateway);
    app.take_received();
    let forged = "X-Vestibule-Assertion: e30.e30.e30\r\n";
    let request =
        format!("GET /x HTTP/1.1\r\nHost: App.Test:8080\r\nCookie: {cookie}\r\n{forged}\r\n");
    assert_eq!(exchange(gateway.address, request.as_bytes()).status, 200);
    let token = told(&app.received()).unwrap();
    let (keys, iss) = (jwks(&gateway), issuer(&gateway));
    let claims = verify(&token, &keys, &iss, "http://app.test:8080").unwrap();
    for (name, value) in [
        ("sub", json!("zoe")),
        ("email", json!("zoe@example.com")),
        ("name", json!("Zoë 李")),
        ("groups", json!(["staff"])),
        ("amr", json!(["pwd", "otp", "mfa"])),
    ] {
        assert_eq!(claims[name], value, "{claims}");
    }
    let (iat, exp) = (claims["iat"].as_u64().unwrap(), claims["exp"].as_u64().unwrap());
    assert_eq!((exp - iat, &claims["nbf"]), (300, &claims["iat"]), "{claims}");
    assert!(claims["auth_time"].as_u64().unwrap() <= iat, "{claims}");
    let listed = gateway.json(&["session", "list"], "");
    assert_eq!(claims["sid"], listed[0]["id"], "{listed}");
    // Somebody else's library also sees what is wrong.
    for (iss, aud, complaint) in [
        (iss.as_str(), "http://other.test", "InvalidAudienceError"),
        ("https://elsewhere.test", "http://app.test:8080", "InvalidIssuerError"),
    ] {
        let refused = verify(&token, &keys, iss, aud).unwrap_err();
        assert!(refused.contains(complaint), "{refused}");
    }
    let (text, signature) = token.rsplit_once('.').unwrap();
    let (head, _) = text.split_once('.').unwrap();
    let body = BASE64.encode(json!({ "sub": "admin", "aud": "http://app.test:8080" }).to_string());
    let changed = format!("{head}.{body}.{signature}");
    let refused = verify(&changed, &keys, &iss, "http://app.test:8080").unwrap_err();
    assert!(refused.contains("InvalidSignatureError"), "{refused}");
}

#[test]
fn other_proxies_hand_on_the_same_statement_and_an_empty_one_for_nobody() {
    let app = App::start();
    let config = format!(
        "[[rule]]\npath = \"/public\"\npolicy = \"bypass\"\n[[route]]\nhost = \"*.test\"\n\
         upstream = [\"{}\"]\n",
        app.url()
    );
    let server = String::from("trusted_proxies = [\"127.0.0.1\"]");
    let house = House::with(app, Options { server, ..Options::default() }.config(&config));
    let (keys, iss) = (jwks(&house.gateway), issuer(&house.gateway));
    for (path, who) in [("/x", "$C"), ("/public", "")] {
        for check in [
            format!(
                "GET /_vestibule/authz/auth-request HTTP/1.1\r\nHost: g.test\r\n\
                 X-Original-URL: https://one.test:443{path}\r\nX-Original-Method: GET\r\n"
            ),
            format!(
                "GET /_vestibule/authz/forward-auth HTTP/1.1\r\nHost: g.test\r\n\
                 X-Forwarded-Method: GET\r\nX-Forwarded-Proto: https\r\n\
                 X-Forwarded-Host: one.test\r\nX-Forwarded-Uri: {path}\r\n"
            ),
            format!(
                "GET /_vestibule/authz/ext-authz{path} HTTP/1.1\r\nHost: one.test\r\n\
                 X-Forwarded-Proto: https\r\n"
            ),
        ] {
            let reply = house.ask(&format!("{check}X-Vestibule-Assertion: e30\r\n{who}\r\n"));
            assert_eq!(reply.status, 200, "{check}");
            let token = reply.header(NAME).unwrap();
            if who.is_empty() {
                assert_eq!(token, "", "{check}");
            } else {
                let claims = verify(token, &keys, &iss, "https://one.test").unwrap();
                assert_eq!((&claims["sub"], &claims["groups"]), (&json!("ann"), &json!([])));
            }
        }
    }
}

#[test]
fn the_header_has_the_name_of_the_configuration_or_is_left_out() {
    let route = "[[route]]\nhost = \"*\"\nupstream = [\"{}\"]\n";
    for (name, is_told) in [("X-Jwt", true), ("", false)] {
        let app = App::start();
        let config = format!("[identity]\nassertion = \"{name}\"\n{route}");
        let options = Options::default().config(&config.replace("{}", &app.url()));
        let house = House::with(app, options);
        let forged = "X-Vestibule-Assertion: e30\r\nX-Jwt: e30\r\n";
        assert_eq!(house.get("/x", if is_told { forged } else { &forged[..28] }).status, 200);
        let received = house.app.take_received();
        assert_eq!(told(&received), None, "{received}");
        assert!(!received.contains("e30\r\n"), "{received}");
        assert_eq!(received.to_lowercase().contains("x-jwt: ey"), is_told, "{received}");
    }
}

#[test]
fn an_app_is_told_how_somebody_proved_who_they_are() {
    let app = App::start();
    let config = "[access]\ndefault_policy = \"one_factor\"\n";
    let house = House::with(App::start(), Options::upstream(&app.url()).config(config));
    let add = |name: &str, more: &[&str]| {
        let made =
            house.gateway.json(&[&["token", "add", name, "--user", "ann"], more].concat(), "");
        format!("Authorization: Bearer {}\r\n", made["token"].as_str().unwrap())
    };
    house.gateway.json(&["user", "add", "bob", "--password-stdin"], ADMIN_PASSWORD);
    let mut browser = Browser::new(house.gateway.address);
    let page = browser.open("/_vestibule/login");
    browser.submit(&page, &[("username", "bob"), ("password", ADMIN_PASSWORD)]);
    let bob = format!("Cookie: vestibule={}\r\n", browser.cookies["vestibule"]);
    for (shown, amr) in [
        ("$C".to_owned(), json!(["pwd", "otp", "mfa"])),
        (bob, json!(["pwd"])),
        (add("full", &[]), json!(["mfa"])),
        (add("half", &["--one-factor"]), json!([])),
    ] {
        let reply = house.ask(&format!("GET /x HTTP/1.1\r\nHost: app.test\r\n{shown}\r\n"));
        assert_eq!(reply.status, 200, "{amr}");
        assert_eq!(claims(&told(&app.take_received()).unwrap())["amr"], amr);
    }
}

/// Somebody at a browser, in a world with a clock set by hand.
struct Scene {
    world: Arc<World>,
    browser: Browser,
}

impl Scene {
    fn new(session: SessionRules) -> Self {
        let world = World::new(Settings { session, ..Settings::default() });
        let secret = world.add("ann", true).unwrap();
        let mut browser = world.browser();
        let page = browser.open("/_vestibule/login");
        let named = [("username", "ann"), ("password", ADMIN_PASSWORD)];
        let page = browser.submit_and_follow(&page, &named);
        browser.submit(&page, &[("code", &code_at(&secret, world.now()))]);
        Self { world, browser }
    }

    /// What the app at this host is told.
    fn told(&self, host: &str) -> String {
        let fields = format!("X-Original-URL: https://{host}/\r\nX-Original-Method: GET\r\n");
        let path = "/_vestibule/authz/auth-request";
        let reply = self.browser.clone().request("GET", path, &fields, "");
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.header(NAME).unwrap().to_owned()
    }

    /// The names of the published keys.
    fn published(&self) -> Vec<Value> {
        let reply = self.browser.clone().request("GET", "/_vestibule/jwks.json", "", "");
        let jwks: Value = serde_json::from_slice(&reply.body).unwrap();
        jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect()
    }
}

fn scene() -> Scene {
    Scene::new(SessionRules::default())
}

#[test]
fn what_an_app_is_told_stays_for_two_minutes_and_is_good_for_longer() {
    let scene = scene();
    let first = scene.told("one.test");
    scene.world.pass(119);
    assert_eq!(scene.told("one.test"), first);
    scene.world.pass(1);
    let second = scene.told("one.test");
    assert_ne!(second, first);
    assert_ne!(claims(&second)["jti"], claims(&first)["jti"]);
    assert_eq!(claims(&second)["iat"], scene.world.now() - 30);
    // A clock that is set back makes no statement of the future.
    scene.world.set_back(60);
    assert_eq!(claims(&scene.told("one.test"))["iat"], scene.world.now() - 30);
}

#[test]
fn every_app_is_told_something_of_its_own() {
    let scene = scene();
    let one = scene.told("one.test");
    let two = scene.told("two.test:8443");
    assert_eq!(claims(&one)["aud"], "https://one.test");
    assert_eq!(claims(&two)["aud"], "https://two.test:8443");
    assert_ne!(claims(&one)["jti"], claims(&two)["jti"]);
    // However many there are, each is told its own: those told first are made anew.
    for number in 0..100 {
        let host = format!("app{number}.test");
        assert_eq!(claims(&scene.told(&host))["aud"], format!("https://{host}"));
    }
    assert_ne!(scene.told("one.test"), one);
}

#[test]
fn every_key_is_published_a_month_before_it_signs_and_a_month_after() {
    let scene = Scene::new(SessionRules {
        idle: Duration::from_secs(200 * DAY),
        lifetime: Duration::from_secs(200 * DAY),
        ..SessionRules::default()
    });
    let (mut seen, mut before) = (Vec::new(), scene.published());
    for _ in 0..100 {
        let kid = part(&scene.told("one.test"), 0)["kid"].clone();
        let now = scene.published();
        assert!(before.contains(&kid), "{kid} was not announced");
        assert!(seen.last().is_none_or(|last| now.contains(last)), "the last one is gone");
        assert_eq!(now.len(), 3);
        if !seen.contains(&kid) {
            seen.push(kid);
        }
        before = now;
        scene.world.pass(DAY);
    }
    assert!((4..=5).contains(&seen.len()), "{seen:?}");
}

#[test]
fn a_change_of_groups_is_told_at_once() {
    let scene = scene();
    assert_eq!(claims(&scene.told("one.test"))["groups"], json!([]));
    scene.world.admin(AdminRequest::UserSet {
        name: String::from("ann"),
        email: None,
        display_name: None,
        groups: Some(vec![GroupName::parse("staff").unwrap()]),
    });
    assert_eq!(claims(&scene.told("one.test"))["groups"], json!(["staff"]));
}

#[test]
fn a_statement_does_not_outlive_the_session() {
    let scene = Scene::new(SessionRules {
        idle: Duration::from_secs(600),
        lifetime: Duration::from_secs(600),
        ..SessionRules::default()
    });
    let (began, ends) = (scene.world.now(), scene.world.now() + 600);
    assert_eq!(claims(&scene.told("one.test"))["exp"], began + 270);
    scene.world.pass(450);
    assert_eq!(claims(&scene.told("one.test"))["exp"], ends);
}
