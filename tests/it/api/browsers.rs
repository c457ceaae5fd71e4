//! What browsers send, and what other sites make them send.

use super::{Enrolled, is_signed_in, patient};
use crate::harness::{ADMIN_PASSWORD, World};
use serde_json::{Value, json};
use vestibule::domain::{AccessRules, Policy};
use vestibule::service::Settings;

#[test]
fn a_call_that_another_site_made_a_browser_send_is_refused_whatever_it_is() {
    let ann = Enrolled::ann(patient());
    let browser = ann.signed_in();
    let login = json!({"username": "ann", "password": ADMIN_PASSWORD}).to_string();
    let json_type = "Content-Type: application/json\r\n";
    let origin = browser.origin();
    for field in [
        "Origin: https://evil.test\r\n".to_owned(),
        "Origin: null\r\n".to_owned(),
        "Sec-Fetch-Site: cross-site\r\n".to_owned(),
        "Sec-Fetch-Site: same-site\r\n".to_owned(),
        format!("Origin: {origin}.evil.test\r\n"),
        format!("Origin: {origin}\r\nSec-Fetch-Site: cross-site\r\n"),
        format!("Origin: {origin}\r\nOrigin: https://evil.test\r\n"),
    ] {
        for (method, path, body) in [
            ("POST", "/auth/login", login.as_str()),
            ("POST", "/auth/logout", "{}"),
            ("GET", "/auth/me", ""),
            ("HEAD", "/auth/me", ""),
            ("OPTIONS", "/auth/login", ""),
            ("GET", "/openapi.json", ""),
            ("GET", "/nothing", ""),
        ] {
            let mut browser = browser.clone();
            let kind = if body.is_empty() { "" } else { json_type };
            let called = browser.call_with(method, path, &format!("{field}{kind}"), body);
            assert_eq!(called.status, 403, "{method} {path} {field}");
            if method != "HEAD" {
                assert_eq!(called.outcome().1, "cross_site", "{method} {path} {field}");
            }
            assert!(called.reply.header("set-cookie").is_none());
        }
    }
    assert!(is_signed_in(&browser));
}

#[test]
fn a_page_of_this_very_site_makes_calls_in_the_name_of_whoever_looks_at_it() {
    let ann = Enrolled::ann(patient());
    let mut browser = ann.world.browser();
    let fields = format!(
        "Origin: {}\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\n\
         Content-Type: application/json\r\n",
        browser.origin()
    );
    let body = json!({"username": "ann", "password": ADMIN_PASSWORD, "totp_code": ann.code()});
    let called = browser.call_with("POST", "/auth/login", &fields, &body.to_string());
    assert_eq!(called.json["status"], "authenticated", "{}", called.json);
    let called = browser.call_with("GET", "/auth/me", "Sec-Fetch-Site: same-origin\r\n", "");
    assert_eq!(called.status, 200);
}

#[test]
fn what_began_on_a_page_goes_on_by_calls_and_the_other_way_round() {
    let ann = Enrolled::ann(patient());
    let mut browser = ann.world.browser();
    let page = browser.open("/_vestibule/login");
    browser.submit(&page, &[("username", "ann"), ("password", ADMIN_PASSWORD)]);
    let called = browser.call("POST", "/auth/totp/verify", json!({"code": ann.code()}));
    assert_eq!(called.status, 200, "{}", called.json);
    assert!(browser.open("/_vestibule/account").text().contains("ann"));
    browser.call("POST", "/auth/logout", Value::Null);

    assert_eq!(ann.login(&mut browser, json!({})).json["status"], "totp_required");
    let page = browser.open("/_vestibule/login/second-factor");
    assert_eq!(browser.submit(&page, &[("code", &ann.code())]).status, 303);
    assert!(is_signed_in(&browser));
}

#[test]
fn a_session_that_was_shown_before_signing_in_is_not_taken_on() {
    let ann = Enrolled::ann(patient());
    let mut browser = ann.world.browser();
    let planted = "A".repeat(43);
    browser.cookies.insert("vestibule".into(), planted.clone());
    let called = ann.login(&mut browser, json!({"totp_code": ann.code()}));
    assert_eq!(called.status, 200);
    assert_ne!(browser.cookies["vestibule"], planted);
    assert!(is_signed_in(&browser));
}

#[test]
fn a_script_enrols_nothing_for_whoever_is_signed_in() {
    let settings =
        Settings { access: AccessRules::new(Vec::new(), Policy::OneFactor), ..patient() };
    let world = World::new(settings);
    world.add("ann", false);
    let mut browser = world.browser();
    let body = json!({"username": "ann", "password": ADMIN_PASSWORD});
    assert_eq!(browser.call("POST", "/auth/login", body).json["status"], "authenticated");
    // An app on this host has the same origin, and would plant an authenticator of its own.
    let fields = format!("Origin: {}\r\nSec-Fetch-Site: same-origin\r\n", browser.origin());
    let called = browser.call_with("POST", "/auth/totp/enroll", &fields, "");
    assert_eq!(called.outcome(), (403, "script_refused"));
    assert_eq!(browser.call("POST", "/auth/totp/enroll", Value::Null).status, 201);
}

#[test]
fn a_script_takes_no_step_by_the_cookie_that_needs_no_proof() {
    let ann = Enrolled::ann(patient());
    ann.world.add_who_must_change("bob");
    let mut browser = ann.world.browser();
    let body = json!({"username": "bob", "password": ADMIN_PASSWORD});
    let begun = browser.call("POST", "/auth/login", body);
    assert_eq!(begun.json["status"], "password_change_required");
    let fields = format!(
        "Origin: {}\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\n",
        browser.origin()
    );
    let new = json!({"new_password": "another long password"});
    let called = browser.call_with("POST", "/auth/change-password", &fields, &new.to_string());
    assert_eq!(called.outcome(), (403, "script_refused"));
    // Whoever began by calls has the token.
    let new =
        json!({"new_password": "another long password", "mfa_token": begun.text("mfa_token")});
    let called = browser.call_with("POST", "/auth/change-password", &fields, &new.to_string());
    assert_eq!(called.json["status"], "enrollment_required", "{}", called.json);
}
