//! The browser: whoever can make somebody's own browser act, show or tell for them.

use crate::harness::World;
use crate::harness::{ADMIN_PASSWORD, App, Browser, Gateway, House, Options, Person, ROOT};
use serde_json::{Value, json};
use vestibule::service::Settings;

/// Pages of the portal, and calls, that anybody may open.
const OURS: [&str; 12] = [
    "/_vestibule/login",
    "/_vestibule/login/second-factor",
    "/_vestibule/logout",
    "/_vestibule/account",
    "/_vestibule/enroll",
    "/_vestibule/password",
    "/_vestibule/recovery-codes",
    "/_vestibule/admin",
    "/_vestibule/nothing",
    "/_vestibule/api/v1/auth/me",
    "/_vestibule/api/v1/auth/sessions",
    "/_vestibule/invite?token=x",
];

/// No advisory of its own: what browsers are told of every page of ours, signed in or not, found or
/// not: no framing, no keeping, no guessing of types, no foreign script, no reading by others.
#[test]
fn every_answer_of_ours_forbids_what_it_does_not_need() {
    let house = House::new();
    for target in OURS {
        for who in ["", "$C"] {
            for method in ["GET", "HEAD", "POST", "OPTIONS", "PUT"] {
                let length =
                    if method == "POST" || method == "PUT" { "Content-Length: 0\r\n" } else { "" };
                let reply = house.ask(&format!(
                    "{method} {target} HTTP/1.1\r\nHost: app.test\r\n{who}{length}Origin: https://evil.test\r\n\
                     Access-Control-Request-Method: POST\r\nAccept-Encoding: gzip, br, deflate\r\nConnection: close\r\n\r\n"
                ));
                let told = format!("{method} {target} {who}: {:?}", reply.headers);
                for (name, value) in [
                    ("cache-control", "no-store"),
                    ("x-content-type-options", "nosniff"),
                    ("cross-origin-resource-policy", "same-origin"),
                ] {
                    assert_eq!(reply.header(name), Some(value), "{told}");
                }
                let policy = reply.header("content-security-policy").unwrap_or_default();
                for part in ["frame-ancestors 'none'", "base-uri 'none'", "default-src 'none'"] {
                    assert!(policy.contains(part), "{part} {told}");
                }
                assert!(!policy.contains("unsafe"), "{told}");
                assert!(
                    ["no-referrer", "strict-origin"]
                        .contains(&reply.header("referrer-policy").unwrap()),
                    "{told}"
                );
                for (name, _) in &reply.headers {
                    assert!(!name.starts_with("access-control-"), "{told}");
                    // What is packed together with a secret tells its length.
                    assert!(name != "content-encoding", "{told}");
                }
                let text = reply.text();
                let kind = reply.header("content-type").unwrap_or_default();
                let is_known = ["text/html; charset=utf-8", "application/json"].contains(&kind)
                    || kind == "application/problem+json";
                assert!(text.is_empty() || is_known, "{kind:?} {told}");
                for kept in ["localStorage", "sessionStorage", "indexedDB", "document.cookie"] {
                    assert!(!text.contains(kept), "a script keeps something: {kept} {told}");
                }
            }
        }
    }
}

/// No advisory of its own: reflected script, in every parameter that a page looks at.
#[test]
fn nothing_that_comes_with_a_request_runs_on_a_page() {
    let house = House::new();
    for evil in [
        "\"><script>alert(1)</script>",
        "'><img src=x onerror=alert(1)>",
        "</title><svg/onload=alert(1)>",
        "javascript:alert(1)",
        "{{1327*7919}}",
        "${1327*7919}",
        "\u{2028}<script>",
        "--><script>",
        "&#x3c;script&#x3e;",
        "<!--<script>",
        "\"autofocus onfocus=alert(1) x=\"",
    ] {
        let value: String = form_urlencoded::byte_serialize(evil.as_bytes()).collect();
        for page in ["login", "login/second-factor", "logout", "invite", "admin/users", "nothing"] {
            for name in ["rd", "why", "token", "q"] {
                let target = format!("/_vestibule/{page}?{name}={value}");
                for who in ["", "$C"] {
                    let agent = evil.replace(['\u{2028}'], "");
                    let reply = house.ask(&format!(
                        "GET {target} HTTP/1.1\r\nHost: app.test\r\n{who}Accept: text/html\r\nUser-Agent: {agent}\r\n\
                         Referer: http://app.test/{value}\r\nAccept-Language: {agent}\r\nConnection: close\r\n\r\n"
                    ));
                    let text = reply.text();
                    for piece in [
                        "<script>alert",
                        "<img src=x",
                        "<svg",
                        "\" onfocus=alert",
                        "onerror=alert(1)>",
                    ] {
                        assert!(!text.contains(piece), "{target} {piece}");
                    }
                    assert!(text.matches("<script").count() <= 1, "{target}");
                    assert!(!text.contains("href=\"javascript"), "{target}");
                    assert!(!text.contains("10508513"), "it is worked out: {target}");
                }
            }
        }
    }
}

/// No advisory of its own: stored script, in what people are called and what their devices say.
#[test]
fn nothing_that_was_kept_runs_on_a_page() {
    let app = App::start();
    let gateway = Gateway::start(Options::upstream(&app.url()));
    let evil = "<script>alert(1)</script>\"'>";
    let more = ["--display-name", evil, "--group", "<b>x</b>", "--group", "admins"];
    let ann = Person::add_with(&gateway, "ann", &more);
    gateway.json(&["token", "add", "<i>job</i>", "--user", "ann"], "");
    let mut browser = Browser::new(gateway.address);
    browser.added = format!("User-Agent: {evil}\r\n");
    ann.sign_in(&mut browser, "/_vestibule/account", 0);
    for target in [
        "/_vestibule/account",
        "/_vestibule/admin",
        "/_vestibule/admin/users",
        "/_vestibule/admin/users/ann",
        "/_vestibule/admin/sessions",
        "/_vestibule/admin/tokens",
    ] {
        let text = browser.open(target).text();
        for piece in ["<script>alert", "<b>x</b>", "<i>job</i>"] {
            assert!(!text.contains(piece), "{target} {piece}");
        }
        assert!(text.matches("<script").count() <= 1, "{target}");
    }
}

/// No advisory of its own: every call and every form that changes something, sent by another site.
#[test]
fn nothing_changes_at_the_word_of_another_site() {
    let world = World::new(Settings::default());
    let secret = world.add("ann", true).unwrap();
    let mut browser = world.browser();
    let code = crate::harness::code_at(&secret, world.now());
    let body = json!({"username": "ann", "password": ADMIN_PASSWORD, "totp_code": code});
    assert_eq!(browser.call("POST", "/auth/login", body).status, 200);
    let json = "Content-Type: application/json\r\n";
    for says in [
        "Origin: https://evil.test\r\n",
        "Origin: null\r\n",
        "Origin: http://127.0.0.1:8081\r\n",
        "Origin: http://127.0.0.1.evil.test\r\n",
        "Origin: https://127.0.0.1:8080.evil.test\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "Sec-Fetch-Site: x\r\n",
        "Sec-Fetch-Site: none, cross-site\r\n",
    ] {
        for (method, path) in [
            ("POST", "/auth/logout"),
            ("POST", "/auth/logout-all"),
            ("POST", "/auth/change-password"),
            ("POST", "/auth/totp/enroll"),
            ("DELETE", "/auth/totp/disable"),
            ("POST", "/auth/login"),
            ("POST", "/auth/totp/regenerate-recovery-codes"),
            ("DELETE", "/auth/sessions/x"),
            ("POST", "/auth/token"),
            ("POST", "/auth/register"),
            ("POST", "/auth/totp/verify"),
            ("POST", "/admin/users"),
            ("GET", "/auth/me"),
            ("GET", "/auth/sessions"),
            ("GET", "/admin/users"),
        ] {
            let called = browser.clone().call_with(method, path, &format!("{json}{says}"), "{}");
            assert_eq!(called.outcome(), (403, "cross_site"), "{method} {path} {says}");
        }
        for path in [
            "/login",
            "/login/second-factor",
            "/logout",
            "/enroll",
            "/password",
            "/account/authenticator",
            "/account/recovery-codes",
            "/account/sessions/revoke",
            "/admin/users/new",
            "/invite",
            "/setup",
        ] {
            let reply = browser.clone().post_with(&format!("/_vestibule{path}"), says, "a=b");
            assert!([403, 404, 405].contains(&reply.status), "{path} {says}: {}", reply.status);
        }
    }
    assert_eq!(browser.call("GET", "/auth/me", Value::Null).status, 200, "still signed in");
}

/// No advisory of its own: a page under an address that a cache in between takes for a picture or a
/// style sheet. There is nothing there, and nobody may keep that.
#[test]
fn no_page_of_ours_is_found_under_the_name_of_a_file() {
    let house = House::new();
    for page in
        ["account", "login", "admin", "recovery-codes", "api/v1/auth/me", "api/v1/auth/sessions"]
    {
        for tail in [
            "/x.css",
            "/x.js",
            ".css",
            "/.png",
            ";x.css",
            "%2fx.css",
            "%00.css",
            "%0a.css",
            "%23.css",
            "%3f.css",
            "/..%2fassets%2fx.css",
            "//x.css",
            "/../assets/x.css",
            "/assets/x.css",
        ] {
            let target = format!("/_vestibule/{page}{tail}");
            let reply = house.get(&target, "Accept: text/html\r\n");
            assert!([404, 405].contains(&reply.status), "{target}: {}", reply.status);
            assert!(!reply.text().contains(">ann<"), "{target}");
        }
    }
    // What may be kept is what is the same for everybody.
    let login = "GET /_vestibule/login HTTP/1.1\r\nHost: app.test\r\nAccept: text/html\r\n\r\n";
    let page = house.ask(login).text();
    let style =
        page.split("href=\"").find(|piece| piece.starts_with("/_vestibule/assets/")).unwrap();
    let style = style.split('"').next().unwrap();
    let kept = house.get(style, "");
    assert!(kept.header("cache-control").unwrap().contains("immutable"));
    assert!(kept.header("set-cookie").is_none());
}

/// No advisory of its own: a handshake that another site's page begins. The cookie is not sent from
/// there by any browser that knows `SameSite`; without it, the handshake is nobody's.
#[test]
fn a_handshake_is_asked_for_a_session_like_any_request() {
    let house = House::new();
    for origin in ["https://evil.test", "null", "http://app.test"] {
        for version in ["13", "8", ""] {
            let request = format!(
                "GET /socket HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Origin: {origin}\r\nSec-WebSocket-Version: {version}\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            );
            let reply = house.ask(&request);
            assert_eq!((reply.status, reply.header("location")), (401, None), "{origin}");
        }
    }
    assert_eq!(house.app.received(), "");
    let mut browser = Browser::new(house.gateway.address);
    let ann = Person::add(&house.gateway, "bob");
    let answer = ann.give_password(&mut browser, "/_vestibule/account");
    let page = browser.follow(answer);
    let done = browser.submit(&page, &[("recovery_code", &ann.recovery_codes[0])]);
    for cookie in done.headers_named("set-cookie") {
        assert!(cookie.contains("SameSite=Lax") && cookie.contains("HttpOnly"), "{cookie}");
    }
    assert!(ROOT.starts_with("/_vestibule"));
}
