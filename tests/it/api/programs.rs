//! `POST /auth/token` and `POST /auth/refresh`, and what an access token is good for.

use super::{Enrolled, at_enrolment, is_signed_in, patient, person};
use crate::harness::{ADMIN_PASSWORD, Browser, Called};
use serde_json::{Value, json};
use vestibule::service::{AdminRequest, NewUser};

fn token(browser: &mut Browser, name: &str, password: &str, code: &str) -> Called {
    let body = json!({"username": name, "password": password, "totp_code": code});
    browser.call("POST", "/auth/token", body)
}

fn refresh(browser: &mut Browser, token: &str) -> Called {
    browser.call("POST", "/auth/refresh", json!({"refresh_token": token}))
}

/// A program of ann's, and its refresh token.
fn program(ann: &Enrolled) -> (Browser, String) {
    let mut program = ann.world.browser();
    let issued = token(&mut program, "ann", ADMIN_PASSWORD, &ann.code());
    assert_eq!(issued.status, 200, "{}", issued.json);
    program.bear(&issued.text("access_token"));
    (program, issued.text("refresh_token"))
}

#[test]
fn a_program_signs_in_with_everything_at_once_and_gets_no_cookie() {
    let ann = Enrolled::ann(patient());
    let mut browser = ann.world.browser();
    let issued = token(&mut browser, "ann@example.com", ADMIN_PASSWORD, &ann.code());
    assert_eq!((issued.status, &issued.json["token_type"]), (200, &json!("Bearer")));
    assert!(issued.text("access_token").starts_with("vsa_"));
    assert!(issued.text("refresh_token").starts_with("vsr_"));
    assert!(issued.json["expires_in"].as_u64().unwrap() > 0);
    let renewed = refresh(&mut browser, &issued.text("refresh_token"));
    assert_eq!(renewed.status, 200, "{}", renewed.json);
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);
}

#[test]
fn a_program_is_refused_as_a_person_is() {
    let ann = Enrolled::ann(patient());
    at_enrolment(&ann.world, "bob");
    let cem = Enrolled::add(&ann.world, "cem", &[]);
    ann.world.admin(AdminRequest::UserDisable { name: "cem".into() });
    let used = ann.code();
    let mut browser = ann.world.browser();
    assert_eq!(token(&mut browser, "ann", ADMIN_PASSWORD, &used).status, 200);
    let reused = token(&mut browser, "ann", ADMIN_PASSWORD, &used);
    assert_eq!(reused.outcome(), (401, "code_already_used"));
    for (name, password, code, outcome) in [
        ("ann", "wrong", ann.code(), (401, "invalid_credentials")),
        ("nobody", ADMIN_PASSWORD, "000000".into(), (401, "invalid_credentials")),
        ("cem", ADMIN_PASSWORD, cem.code(), (401, "invalid_credentials")),
        ("ann", ADMIN_PASSWORD, "000000".into(), (401, "invalid_code")),
        ("bob", ADMIN_PASSWORD, "000000".into(), (403, "enrollment_required")),
    ] {
        let called = token(&mut browser, name, password, &code);
        assert_eq!(called.outcome(), outcome, "{name} {password} {code}");
        assert!(called.reply.header("www-authenticate").is_none());
    }
    let must = NewUser { must_change_password: true, ..person("dora") };
    ann.world.admin(AdminRequest::UserAdd(must));
    let called = token(&mut browser, "dora", ADMIN_PASSWORD, "000000");
    assert_eq!(called.outcome(), (403, "password_change_required"));
    let called = browser.call("POST", "/auth/token", json!({"username": "ann", "password": "x"}));
    assert_eq!(called.outcome(), (422, "invalid"));
}

#[test]
fn an_access_token_is_as_good_as_a_session_until_it_runs_out() {
    let ann = Enrolled::ann(patient());
    let (mut program, refresh_token) = program(&ann);
    let me = program.call("GET", "/auth/me", Value::Null);
    assert_eq!((me.status, &me.json["username"]), (200, &json!("ann")));
    let listed = program.call("GET", "/auth/sessions", Value::Null);
    assert_eq!(listed.json[0]["current"], true, "{}", listed.json);
    let status = program.call("GET", "/auth/totp/status", Value::Null);
    assert_eq!(status.json["enabled"], true, "{}", status.json);
    ann.world.pass(3600);
    for (method, path) in [("GET", "/auth/me"), ("POST", "/auth/logout")] {
        let late = program.call(method, path, Value::Null);
        assert_eq!(late.outcome(), (401, "unauthenticated"), "{path}");
        let challenge = late.reply.header("www-authenticate");
        assert_eq!(challenge, Some("Bearer error=\"invalid_token\""));
    }
    let renewed = refresh(&mut ann.world.browser(), &refresh_token);
    assert_eq!(renewed.status, 200, "{}", renewed.json);
    program.bear(&renewed.text("access_token"));
    assert!(is_signed_in(&program));
    assert_eq!(program.call("POST", "/auth/logout", Value::Null).status, 200);
    assert!(!is_signed_in(&program));
    let ended = refresh(&mut ann.world.browser(), &renewed.text("refresh_token"));
    assert_eq!(ended.outcome(), (401, "session_revoked"));
}

#[test]
fn a_refresh_token_that_comes_a_second_time_ends_its_whole_family() {
    let ann = Enrolled::ann(patient());
    let (mut program, first) = program(&ann);
    let mut browser = ann.world.browser();
    let renewed = refresh(&mut browser, &first);
    assert_eq!(renewed.status, 200, "{}", renewed.json);
    assert_ne!(renewed.text("refresh_token"), first);
    program.bear(&renewed.text("access_token"));
    assert!(is_signed_in(&program));
    assert_eq!(refresh(&mut browser, &first).outcome(), (401, "session_revoked"));
    assert!(!is_signed_in(&program));
    let second = renewed.text("refresh_token");
    assert_eq!(refresh(&mut browser, &second).outcome(), (401, "session_revoked"));
}

#[test]
fn what_is_no_refresh_token_belongs_to_no_session() {
    let ann = Enrolled::ann(patient());
    let mut browser = ann.world.browser();
    let made_up = format!("vsr_{}", "A".repeat(43));
    for text in ["", "x", "vsr_", made_up.as_str(), &made_up.replace("vsr_", "vsa_")] {
        let called = refresh(&mut browser, text);
        assert_eq!(called.outcome(), (401, "session_revoked"), "{text:?}");
    }
}

#[test]
fn a_token_that_is_not_good_is_not_passed_over_for_a_cookie() {
    let ann = Enrolled::ann(patient());
    let mut browser = ann.signed_in();
    browser.bear(&format!("vsa_{}", "A".repeat(43)));
    let called = browser.call("GET", "/auth/me", Value::Null);
    assert_eq!(called.outcome(), (401, "unauthenticated"));
    assert_eq!(called.reply.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
    // What is an app's own says nothing to us.
    browser.bear("eyJhbGciOi");
    assert_eq!(browser.call("GET", "/auth/me", Value::Null).status, 200);
}

#[test]
fn no_token_is_taken_for_one_of_another_kind() {
    let ann = Enrolled::ann(patient());
    let (_, refresh_token) = program(&ann);
    let mut issued = ann.world.browser();
    let access = token(&mut issued, "ann", ADMIN_PASSWORD, &ann.code()).text("access_token");
    let session = ann.signed_in().cookies["vestibule"].clone();
    let step = ann.at_second_factor();
    let bits = |text: &str| text[4..].to_owned();
    for text in [bits(&access), bits(&refresh_token), step.clone()] {
        let mut browser = ann.world.browser();
        browser.cookies.insert("vestibule".into(), text.clone());
        assert!(!is_signed_in(&browser), "{text} as a session");
    }
    for text in [bits(&refresh_token), step, session.clone()] {
        let mut browser = ann.world.browser();
        browser.bear(&format!("vsa_{text}"));
        assert!(!is_signed_in(&browser), "{text} as an access token");
    }
    for text in [bits(&access), session] {
        let body = json!({"mfa_token": text, "code": ann.code()});
        let called = ann.world.browser().call("POST", "/auth/totp/verify", body);
        assert_eq!(called.outcome(), (401, "mfa_expired"), "{text} as a step");
        let called = refresh(&mut ann.world.browser(), &format!("vsr_{text}"));
        assert_eq!(called.outcome(), (401, "session_revoked"), "{text} as a refresh token");
    }
}

#[test]
fn an_administrators_program_administers() {
    let ann = Enrolled::ann(patient());
    let root = Enrolled::add(&ann.world, "root", &["admins"]);
    let mut program = ann.world.browser();
    let issued = token(&mut program, "root", ADMIN_PASSWORD, &root.code());
    program.bear(&issued.text("access_token"));
    assert_eq!(program.call("GET", "/admin/users", Value::Null).status, 200);
    program.bear(&format!("vsa_{}", "A".repeat(43)));
    let called = program.call("GET", "/admin/users", Value::Null);
    assert_eq!(called.outcome(), (401, "unauthenticated"));
    assert!(called.reply.header("www-authenticate").is_some());
}
