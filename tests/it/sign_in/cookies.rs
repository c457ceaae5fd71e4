//! What a browser carries: names and flags, a new token at each step, and no token that was
//! not handed out.

use super::{after_password, is_signed_in, location, patient};
use crate::harness::{App, Browser, Gateway, Options, Person, Reply};

const ATTACKERS: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The `Set-Cookie` field of this name: its value, and its attributes in lower case.
fn cookie(reply: &Reply, name: &str) -> (String, Vec<String>) {
    let start = format!("{name}=");
    let found: Vec<&str> =
        reply.headers_named("set-cookie").filter(|field| field.starts_with(&start)).collect();
    let [field] = found[..] else { panic!("{name}: {:?}", reply.headers) };
    let mut parts = field[start.len()..].split(';').map(str::trim);
    let value = parts.next().unwrap().to_owned();
    let mut attributes: Vec<String> = parts.map(str::to_ascii_lowercase).collect();
    attributes.sort();
    (value, attributes)
}

/// Signs in with the cookies named like this; each `Set-Cookie` is what was promised.
fn walk(person: &Person, browser: &mut Browser, prefix: &str, flags: &[&str]) {
    let named = |name: &str| format!("{prefix}{name}");
    let with = |more: &[String]| {
        let mut all: Vec<String> = flags.iter().map(|f| (*f).to_owned()).collect();
        all.extend_from_slice(more);
        all.sort();
        all
    };
    let page = browser.open("/_vestibule/login");
    let (_, form) = cookie(&page, &named("vestibule-form"));
    assert_eq!(form, with(&[]));
    let fields = [("username", person.name.as_str()), ("password", person.password.as_str())];
    let reply = browser.submit(&page, &fields);
    let (step, attributes) = cookie(&reply, &named("vestibule-step"));
    assert_eq!((step.len(), attributes), (43, with(&["max-age=300".into()])));
    let page = browser.follow(reply);
    let reply = browser.submit(&page, &[("recovery_code", &person.recovery_codes[0])]);
    let (session, attributes) = cookie(&reply, &named("vestibule"));
    assert_eq!((session.len(), attributes), (43, with(&[])));
    let (step, attributes) = cookie(&reply, &named("vestibule-step"));
    assert_eq!((step.as_str(), attributes), ("", with(&["max-age=0".into()])));
    assert!(is_signed_in(browser));

    let page = browser.open("/_vestibule/logout");
    let reply = browser.submit(&page, &[]);
    let (session, attributes) = cookie(&reply, &named("vestibule"));
    assert_eq!((session.as_str(), attributes), ("", with(&["max-age=0".into()])));
}

#[test]
fn over_http_cookies_are_plain_but_for_scripts_and_other_sites() {
    let behind = patient();
    let ann = Person::add(&behind.gateway, "ann-http");
    let mut browser = Browser::new(behind.gateway.address);
    walk(&ann, &mut browser, "", &["httponly", "samesite=lax", "path=/"]);
}

fn with_tls_in_front(more: &str) -> (App, Gateway) {
    let app = App::start();
    let server = "public_url = \"https://login.example.com\"\ntrusted_proxies = [\"127.0.0.1\"]\n";
    let options = Options { server: server.into(), ..Options::upstream(&app.url()) };
    let gateway = Gateway::start(options.config(more));
    (app, gateway)
}

#[test]
fn over_https_cookies_belong_to_this_host_alone_and_travel_encrypted() {
    let (app, gateway) = with_tls_in_front("");
    let ann = Person::add(&gateway, "ann");
    let mut browser = Browser::behind_tls(gateway.address, "login.example.com");
    walk(&ann, &mut browser, "__Host-", &["httponly", "samesite=lax", "secure", "path=/"]);
    assert!(app.received().to_lowercase().contains("x-forwarded-proto: https\r\n"));
    // A cookie of the plain name, which a neighbouring host could plant, is nobody's.
    let token = ann.recover(&mut browser, "/app", 1);
    assert_eq!(token.status, 200);
    let session = browser.cookies.remove("__Host-vestibule").unwrap();
    browser.cookies.insert("vestibule".into(), session.clone());
    assert!(!is_signed_in(&browser));
    browser.cookies.insert("__Secure-vestibule".into(), session);
    assert!(!is_signed_in(&browser));
}

#[test]
fn with_a_cookie_domain_one_sign_in_is_good_for_every_host_below() {
    let (_app, gateway) = with_tls_in_front("[session]\ncookie_domain = \"example.com\"\n");
    let ann = Person::add(&gateway, "ann");
    let mut browser = Browser::behind_tls(gateway.address, "wiki.example.com");
    let page = after_password(&ann, &mut browser);
    let reply = browser.submit(&page, &[("recovery_code", &ann.recovery_codes[0])]);
    let (_, attributes) = cookie(&reply, "__Secure-vestibule");
    let promised = ["domain=example.com", "httponly", "path=/", "samesite=lax", "secure"];
    assert_eq!(attributes, promised);
    browser.host = "other.example.com".into();
    assert!(is_signed_in(&browser));
}

#[test]
fn to_be_remembered_is_the_only_way_to_outlive_the_browser() {
    let behind = patient();
    let ann = Person::add(&behind.gateway, "ann-remembered");
    let mut browser = Browser::new(behind.gateway.address);
    let page = browser.open("/_vestibule/login");
    let fields =
        [("username", ann.name.as_str()), ("password", ann.password.as_str()), ("remember", "on")];
    let reply = browser.submit(&page, &fields);
    let page = browser.follow(reply);
    let reply = browser.submit(&page, &[("recovery_code", &ann.recovery_codes[0])]);
    let (_, attributes) = cookie(&reply, "vestibule");
    assert!(attributes.contains(&"max-age=2592000".to_owned()), "{attributes:?}");
}

#[test]
fn no_step_adopts_a_token_that_the_browser_brought_along() {
    let behind = patient();
    let ann = Person::add(&behind.gateway, "ann-fixed");
    let mut browser = Browser::new(behind.gateway.address);
    for name in ["vestibule", "vestibule-step", "vestibule-form"] {
        browser.cookies.insert(name.into(), ATTACKERS.into());
    }
    assert!(!is_signed_in(&browser));
    let page = after_password(&ann, &mut browser);
    let step = browser.cookies["vestibule-step"].clone();
    let reply = browser.submit(&page, &[("recovery_code", &ann.recovery_codes[0])]);
    assert_eq!(reply.status, 303);
    let session = browser.cookies["vestibule"].clone();
    assert!(step != ATTACKERS && session != ATTACKERS && session != step);
    assert!(is_signed_in(&browser));

    let with = |name: &str, value: &str| {
        let mut browser = Browser::new(behind.gateway.address);
        browser.cookies.insert(name.into(), value.into());
        browser
    };
    assert!(!is_signed_in(&with("vestibule", ATTACKERS)));
    // A token of one kind is none of another, and a step's token is gone with the step.
    assert!(!is_signed_in(&with("vestibule", &step)));
    for value in [ATTACKERS, &step, &session] {
        let page =
            with("vestibule-step", value).request("GET", "/_vestibule/login/second-factor", "", "");
        assert!(location(&page).starts_with("/_vestibule/login?"), "{:?}", page.headers);
    }
}

#[test]
fn each_step_and_each_sign_in_has_a_token_of_its_own() {
    let behind = patient();
    let ann = Person::add(&behind.gateway, "ann-renewed");
    let mut browser = Browser::new(behind.gateway.address);
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..2 {
        let page = after_password(&ann, &mut browser);
        assert!(seen.insert(browser.cookies["vestibule-step"].clone()));
        browser.submit(&page, &[("recovery_code", &ann.recovery_codes[number])]);
        assert!(seen.insert(browser.cookies.remove("vestibule").unwrap()));
    }
}

#[test]
fn a_session_cookie_that_is_there_twice_or_looks_alike_is_nobodys() {
    let behind = patient();
    let ann = Person::add(&behind.gateway, "ann-twice");
    let mut browser = Browser::new(behind.gateway.address);
    assert_eq!(ann.recover(&mut browser, "/app", 0).status, 200);
    let token = browser.cookies["vestibule"].clone();
    let status = |cookies: &str| {
        let mut browser = Browser::new(behind.gateway.address);
        browser.request("GET", "/app", &format!("{cookies}Sec-Fetch-Mode: navigate\r\n"), "").status
    };
    assert_eq!(status(&format!("Cookie: a=b; vestibule={token}; c=d\r\n")), 200);
    for cookies in [
        format!("Cookie: vestibule={token}; vestibule={token}\r\n"),
        format!("Cookie: vestibule={token}; vestibule={ATTACKERS}\r\n"),
        format!("Cookie: vestibule={ATTACKERS}; vestibule={token}\r\n"),
        format!("Cookie: vestibule={token}; vestibule=\r\n"),
        format!("Cookie: vestibule={token}\r\nCookie: vestibule={token}\r\n"),
        format!("Cookie: Vestibule={token}\r\n"),
        format!("Cookie: vestibule=\"{token}\"\r\n"),
        format!("Cookie: vestibule={token}=\r\n"),
        format!("Cookie: vestibule={}\r\n", &token[1..]),
        format!("Cookie: vestibule-step={token}\r\n"),
        format!("Cookie: a=b, vestibule={token}\r\n"),
    ] {
        assert_eq!(status(&cookies), 302, "{cookies}");
    }
}

#[test]
fn signing_out_ends_the_session_here_and_not_only_in_the_browser() {
    let behind = patient();
    let ann = Person::add(&behind.gateway, "ann-leaves");
    let mut browser = Browser::new(behind.gateway.address);
    assert_eq!(ann.recover(&mut browser, "/app", 0).status, 200);
    let copied = browser.clone();
    // Asking is not doing.
    let page = browser.open("/_vestibule/logout");
    assert!(page.text().contains(&ann.name), "{}", page.text());
    assert!(is_signed_in(&copied));
    assert_eq!(browser.submit(&page, &[]).status, 200);
    assert!(!browser.cookies.contains_key("vestibule"));
    assert!(!is_signed_in(&copied));
    let listed = behind.gateway.json(&["session", "list", "--user", &ann.name], "");
    assert_eq!(listed, serde_json::json!([]));
}
