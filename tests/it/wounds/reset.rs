//! Reset and administration: whoever can come in by the way for those who are locked out.

use crate::harness::code_after;
use crate::harness::{
    ADMIN_PASSWORD, App, Browser, Gateway, House, Options, Person, exchange, session_of,
};
use serde_json::{Value, json};

const CHOSEN: &str = "another long pass phrase";

fn target(url: &Value) -> String {
    format!("/{}", url.as_str().unwrap().splitn(4, '/').nth(3).unwrap())
}

/// CVE-2026-18963: a new password by a link, and with it no way past the second factor: the link
/// gives no session, the factor is asked for, and no other one can be enrolled instead.
#[test]
fn a_reset_password_leads_to_the_second_factor_and_not_past_it() {
    let gateway = Gateway::start(Options::upstream(&App::start().url()));
    let ann = Person::add(&gateway, "ann");
    let link = target(&gateway.json(&["user", "reset-password", "ann"], "")["url"]);
    let mut browser = Browser::new(gateway.address);
    let page = browser.open(&link);
    let reply = browser.submit(&page, &[("password", CHOSEN), ("password_again", CHOSEN)]);
    assert_eq!(reply.status, 303);
    assert!(!browser.cookies.contains_key("vestibule"), "{:?}", browser.cookies);
    for path in ["/_vestibule/account", "/app", "/_vestibule/enroll", "/_vestibule/recovery-codes"]
    {
        let reply = browser.clone().request("GET", path, "Sec-Fetch-Mode: navigate\r\n", "");
        assert!(
            reply.status >= 300 && !reply.text().contains("otpauth"),
            "{path}: {}",
            reply.status
        );
    }
    let mut again = Browser::new(gateway.address);
    let page = again.open("/app");
    let page = again.submit_and_follow(&page, &[("username", "ann"), ("password", CHOSEN)]);
    assert!(page.text().contains("one-time-code"), "{}", page.text());
    let done = again.submit_and_follow(&page, &[("recovery_code", &ann.recovery_codes[0])]);
    assert_eq!(done.status, 200);
}

/// No advisory of its own: links that are guessed, cut, lengthened, taken for another kind, or looked
/// at by somebody's mail program before they are used.
#[test]
fn a_link_is_good_once_as_it_is_and_for_what_it_is() {
    let gateway = Gateway::start(Options::upstream(&App::start().url()));
    gateway.json(&["user", "add", "ann", "--password-stdin"], ADMIN_PASSWORD);
    let link = target(&gateway.json(&["user", "reset-password", "ann"], "")["url"]);
    let (path, token) = link.split_once("token=").unwrap();
    assert_eq!(token.len(), 43, "256 bits");
    let is_form =
        |target: &str| Browser::new(gateway.address).open(target).text().contains("new-password");
    for wrong in [
        token[1..].to_owned(),
        format!("{token}A"),
        format!("{token}="),
        token.to_lowercase(),
        String::new(),
        "A".repeat(43),
        format!("{token}&token={token}"),
        format!("x&token={token}&token=x"),
        format!("{token}%00"),
    ] {
        assert!(!is_form(&format!("{path}token={wrong}")), "{wrong}");
    }
    // At whichever address it is shown, it stays what it is: it makes no administrator.
    let elsewhere = Browser::new(gateway.address).open(&format!("/_vestibule/setup?token={token}"));
    assert!(elsewhere.text().contains("value=\"ann\""), "{}", elsewhere.text());
    for method in ["HEAD", "OPTIONS"] {
        Browser::new(gateway.address).request(method, &link, "", "");
    }
    assert!(is_form(&link), "looking uses nothing up");
    let mut browser = Browser::new(gateway.address);
    let page = browser.open(&link);
    assert!(!page.text().contains(&format!("token={token}")), "it stays out of further addresses");
    // What a browser tells of it elsewhere is the origin at most.
    assert_eq!(page.header("referrer-policy"), Some("strict-origin"));
    let fields = [("password", CHOSEN), ("password_again", CHOSEN)];
    assert_eq!(browser.submit(&page, &fields).status, 303);
    assert!(!is_form(&link), "used");
    assert_eq!(browser.submit(&page, &fields).status, 410);
}

/// No advisory of its own: a credential that an administrator took away, or somebody at the machine,
/// stands in the trail with whose it was and who did it; by whichever way it was done.
#[test]
fn whoever_resets_anothers_credential_stands_in_the_trail() {
    let gateway = Gateway::start(Options::upstream(&App::start().url()));
    let root = Person::add_with(&gateway, "root", &["--group", "admins"]);
    for name in ["ann", "bob", "cem"] {
        Person::add(&gateway, name);
    }
    let mut console = Browser::new(gateway.address);
    root.sign_in(&mut console, "/_vestibule/admin", 0);
    let mut program = Browser::new(gateway.address);
    let code = code_after(&root.secret, 1);
    let shown = json!({"username": "root", "password": root.password, "totp_code": code});
    let token = program.call("POST", "/auth/token", shown).text("access_token");
    program.bear(&token);
    for what in ["reset-password", "reset-mfa"] {
        let page = console.open("/_vestibule/admin/users/ann");
        assert_eq!(console.submit(&page, &[("do", what)]).status, 200);
        let called = program.call("POST", &format!("/admin/users/bob/{what}"), Value::Null);
        assert_eq!(called.status, 200, "{}", called.json);
        gateway.json(&["user", what, "cem"], "");
    }
    let trail = gateway.command(&["audit", "export"]).stdout;
    let trail: Vec<Value> = String::from_utf8(trail)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|entry: &Value| entry["event"] == "user_changed")
        .collect();
    let keys = ["user", "by", "administrator", "from", "detail"];
    let told: Vec<_> =
        trail.iter().map(|entry| keys.map(|key| entry[key].as_str().unwrap_or("-"))).collect();
    let of = |what| {
        [
            ["ann", "administrator", "root", "127.0.0.1", what],
            ["bob", "administrator", "root", "127.0.0.1", what],
            ["cem", "command_line", "-", "-", what],
        ]
    };
    assert_eq!(told, [of("password reset"), of("second factor reset")].concat());
}

/// CVE-2022-24797: what is for operators is not on the port that is for everybody.
#[test]
fn nothing_for_operators_answers_on_the_public_port() {
    let house = House::new();
    for path in [
        "/metrics",
        "/healthz",
        "/readyz",
        "/administer",
        "/debug/pprof/",
        "/actuator/env",
        "/.env",
        "/server-status",
        "/admin.sock",
        "/_vestibule/metrics",
        "/_vestibule/healthz",
        "/_vestibule/debug",
        "/_vestibule/config",
        "/_vestibule/api/v1/metrics",
        "/_vestibule/api/v1/config",
        "/_vestibule/administer",
        "/_vestibule/store",
        // Nor are there folders to look into.
        "/.git/HEAD",
        "/_vestibule/.git/HEAD",
        "/_vestibule/assets",
        "/_vestibule/assets/",
    ] {
        for method in ["GET", "POST"] {
            let request = format!(
                "{method} {path} HTTP/1.1\r\nHost: app.test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            let reply = exchange(house.gateway.address, request.as_bytes());
            assert!([401, 404, 405].contains(&reply.status), "{method} {path}: {}", reply.status);
            assert!(!reply.text().contains("vestibule_"), "{path}");
        }
    }
    assert_eq!(house.app.received(), "");
}

/// No advisory of its own: another's session, token or account, by its id, by somebody who is no
/// administrator.
#[test]
fn what_is_anothers_cannot_be_told_from_what_is_not_there() {
    let house = House::new();
    let bob = session_of(&Person::add(&house.gateway, "bob"), &house.gateway);
    let listed = house.gateway.json(&["session", "list", "--user", "bob"], "");
    let id = listed[0]["id"].as_str().unwrap();
    let made = house.gateway.json(&["token", "add", "job", "--user", "bob"], "");
    let made = made["id"].as_str().unwrap();
    let ask = |method: &str, path: &str| {
        let reply = house.ask(&format!(
            "{method} /_vestibule/api/v1{path} HTTP/1.1\r\nHost: app.test\r\n$CConnection: close\r\n\r\n"
        ));
        (reply.status, reply.text())
    };
    let none = "0".repeat(id.len());
    let other = ask("DELETE", &format!("/auth/sessions/{id}"));
    assert_eq!(other.0, 404);
    assert_eq!(other, ask("DELETE", &format!("/auth/sessions/{none}")));
    for (method, path) in [
        ("GET", "/admin/users"),
        ("GET", "/admin/users/bob"),
        ("DELETE", "/admin/users/bob"),
        ("GET", "/admin/sessions"),
        ("GET", "/admin/tokens"),
        ("GET", "/admin/users/nobody"),
    ] {
        assert_eq!(ask(method, path).0, 403, "{method} {path}");
    }
    assert_eq!(ask("DELETE", &format!("/admin/tokens/{made}")).0, 403);
    assert_eq!(ask("DELETE", &format!("/admin/sessions/{id}")).0, 403);
    let still =
        format!("GET /x HTTP/1.1\r\nHost: app.test\r\nCookie: {bob}\r\nConnection: close\r\n\r\n");
    assert_eq!(exchange(house.gateway.address, still.as_bytes()).status, 200);
}
