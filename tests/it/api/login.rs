//! `POST /auth/login` and `POST /auth/totp/verify`.

use super::{Enrolled, at_enrolment, is_signed_in, login, patient, person};
use crate::harness::{ADMIN_PASSWORD, World, code_at};
use serde_json::{Value, json};
use std::time::Duration;
use vestibule::domain::{FailureRules, Rate};
use vestibule::service::{AdminRequest, NewUser, RateRules, Settings};

#[test]
fn a_password_leads_to_the_step_that_comes_next() {
    let ann = Enrolled::ann(patient());
    let world = &ann.world;
    world.admin(AdminRequest::UserAdd(person("bob")));
    let must = NewUser { must_change_password: true, ..person("cem") };
    world.admin(AdminRequest::UserAdd(must));
    for (name, status) in [
        ("ann", "totp_required"),
        ("ann@example.com", "totp_required"),
        ("bob", "enrollment_required"),
        ("cem", "password_change_required"),
    ] {
        let mut browser = world.browser();
        let called = login(&mut browser, name, json!({}));
        assert_eq!((called.status, &called.json["status"]), (200, &json!(status)), "{name}");
        assert_eq!(called.text("mfa_token"), browser.cookies["vestibule-step"]);
        let fields = called.json.as_object().unwrap().keys().collect::<Vec<_>>();
        assert_eq!(fields, ["mfa_token", "status"], "nothing of who it is");
        assert!(!browser.cookies.contains_key("vestibule"), "{:?}", browser.cookies);
    }
}

#[test]
fn a_code_in_the_same_call_signs_in_at_once() {
    let ann = Enrolled::ann(patient());
    let mut browser = ann.world.browser();
    let called = ann.login(&mut browser, json!({"totp_code": ann.code(), "remember_me": true}));
    assert_eq!((called.status, &called.json["status"]), (200, &json!("authenticated")));
    let user = &called.json["user"];
    assert_eq!((&user["username"], &user["email"]), (&json!("ann"), &json!("ann@example.com")));
    assert_eq!(
        (&user["display_name"], &user["groups"], &user["second_factor"]),
        (&Value::Null, &json!([]), &json!(true))
    );
    assert_eq!(user["id"].as_str().unwrap().len(), 32);
    assert!(called.text("expires_at").ends_with('Z'));
    assert!(called.json.get("recovery_codes_remaining").is_none());
    let session = called.reply.headers_named("set-cookie").find(|c| c.starts_with("vestibule="));
    let session = session.unwrap();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"] {
        assert!(session.contains(part), "{session}");
    }
    // Who comes without any cookie keeps none, and is not known by one.
    assert!(!browser.cookies.contains_key("vestibule-known"));
    assert!(!browser.cookies.contains_key("vestibule-step"));
    assert!(is_signed_in(&browser));
}

#[test]
fn a_recovery_code_says_how_many_are_left_and_a_code_goes_before_it() {
    let ann = Enrolled::ann(patient());
    let code = &ann.recovery_codes[0];
    let wrong_wins = json!({"totp_code": "000000", "recovery_code": code});
    let called = ann.login(&mut ann.world.browser(), wrong_wins);
    assert_eq!(called.outcome(), (401, "invalid_code"));
    let called = ann.login(&mut ann.world.browser(), json!({"recovery_code": code}));
    assert_eq!((called.status, &called.json["recovery_codes_remaining"]), (200, &json!(9)));
    let called = ann.login(&mut ann.world.browser(), json!({"recovery_code": code}));
    assert_eq!(called.outcome(), (401, "invalid_code"));
    let empty = json!({"totp_code": "", "recovery_code": ann.recovery_codes[1]});
    assert_eq!(ann.login(&mut ann.world.browser(), empty).status, 200);
}

#[test]
fn unknown_wrong_and_disabled_are_answered_alike() {
    let ann = Enrolled::ann(patient());
    Enrolled::add(&ann.world, "bob", &[]);
    ann.world.admin(AdminRequest::UserDisable { name: "bob".into() });
    let mut answers = Vec::new();
    for (name, password) in [
        ("ann", "wrong"),
        ("nobody", ADMIN_PASSWORD),
        ("bob", ADMIN_PASSWORD),
        ("", ADMIN_PASSWORD),
        ("ann", ""),
        ("a\u{0}nn", ADMIN_PASSWORD),
    ] {
        let mut browser = ann.world.browser();
        let body = json!({"username": name, "password": password, "totp_code": "000000"});
        let called = browser.call("POST", "/auth/login", body);
        assert_eq!(called.outcome(), (401, "invalid_credentials"), "{name:?}");
        assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);
        let mut headers = called.reply.headers.clone();
        headers.sort();
        answers.push((called.json, headers));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[test]
fn too_many_failures_lock_a_name_whether_or_not_it_is_somebodys() {
    let failures = FailureRules { lockout_after: 2, lockout_for: Duration::from_secs(600) };
    let ann = Enrolled::ann(Settings { failures, ..patient() });
    let mut answers = Vec::new();
    for name in ["ann", "nobody"] {
        let mut browser = ann.world.browser();
        let wrong = json!({"username": name, "password": "wrong"});
        for _ in 0..2 {
            assert_eq!(browser.call("POST", "/auth/login", wrong.clone()).status, 401);
        }
        let called = login(&mut browser, name, json!({}));
        assert_eq!(called.outcome(), (423, "locked"));
        assert_eq!(called.retry_after(), Some(600));
        answers.push(called.json);
    }
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn a_rate_lets_so_many_through_and_refuses_the_next() {
    let per = |times| Rate { times, per: Duration::from_secs(60) };
    let by_address = RateRules { per_address: per(3), per_account: per(100) };
    let by_account = RateRules { per_address: per(100), per_account: per(3) };
    for rates in [by_address, by_account] {
        let mut answers = Vec::new();
        for name in ["ann", "nobody"] {
            let ann = Enrolled::ann(Settings { rates, ..patient() });
            let mut browser = ann.world.browser();
            for _ in 0..3 {
                assert_ne!(login(&mut browser, name, json!({})).status, 429);
            }
            let called = login(&mut browser, name, json!({}));
            assert_eq!(called.outcome(), (429, "rate_limited"));
            assert_eq!(called.retry_after(), Some(60));
            answers.push(called.json);
            ann.world.pass(60);
            assert_ne!(login(&mut browser, name, json!({})).status, 429);
        }
        assert_eq!(answers[0], answers[1]);
    }
}

#[test]
fn a_token_of_the_step_goes_by_the_body_or_by_the_cookie() {
    let ann = Enrolled::ann(patient());
    // A program, without cookies.
    let token = ann.at_second_factor();
    let mut program = ann.world.browser();
    let body = json!({"mfa_token": token, "code": ann.code()});
    let called = program.call("POST", "/auth/totp/verify", body);
    assert_eq!((called.status, &called.json["status"]), (200, &json!("authenticated")));
    assert!(is_signed_in(&program));
    // A browser, by its cookie.
    let mut browser = ann.world.browser();
    ann.login(&mut browser, json!({}));
    let called = browser.call("POST", "/auth/totp/verify", json!({"code": ann.code()}));
    assert_eq!(called.status, 200, "{}", called.json);
    // The body goes before the cookie.
    let mut browser = ann.world.browser();
    ann.login(&mut browser, json!({}));
    let other = json!({"mfa_token": token, "code": ann.code()});
    let called = browser.call("POST", "/auth/totp/verify", other);
    assert_eq!(called.outcome(), (401, "mfa_expired"), "a token that was used up");
    let recovery = json!({"recovery_code": ann.recovery_codes[0]});
    let called = browser.call("POST", "/auth/totp/verify", recovery);
    assert_eq!(called.json["recovery_codes_remaining"], 9, "{}", called.json);
}

#[test]
fn a_code_is_refused_in_words_that_say_why() {
    let ann = Enrolled::ann(patient());
    let verify = |body: Value| {
        let mut program = ann.world.browser();
        let called = program.call("POST", "/auth/totp/verify", body);
        (called.status, called.json["code"].as_str().unwrap_or_default().to_owned())
    };
    let refused = |status, code: &str| (status, code.to_owned());
    let token = ann.at_second_factor();
    let with = |field: &str, value: &str| json!({"mfa_token": token, field: value});
    for (body, expected) in [
        (with("code", "000000"), refused(401, "invalid_code")),
        (with("code", "12345"), refused(401, "invalid_code")),
        (with("recovery_code", "0000-0000-0000-0000"), refused(401, "invalid_code")),
        (json!({"mfa_token": token}), refused(422, "invalid")),
        (json!({"code": "000000"}), refused(401, "mfa_expired")),
        (json!({"mfa_token": "no token", "code": "000000"}), refused(401, "mfa_expired")),
        (json!({"mfa_token": "", "code": "000000"}), refused(401, "mfa_expired")),
        (json!({"mfa_token": 1, "code": "000000"}), refused(422, "invalid")),
    ] {
        assert_eq!(verify(body.clone()), expected, "{body}");
    }
    let code = ann.code();
    assert_eq!(verify(with("code", &code)).0, 200);
    let again = ann.at_second_factor();
    let reused = json!({"mfa_token": again, "code": code});
    assert_eq!(verify(reused), refused(401, "code_already_used"));
    let earlier = code_at(&ann.secret, ann.world.now() - 30);
    let earlier = json!({"mfa_token": again, "code": earlier});
    assert_eq!(verify(earlier), refused(401, "code_already_used"));
    ann.world.pass(300);
    let late = json!({"mfa_token": again, "code": ann.code()});
    assert_eq!(verify(late), refused(401, "mfa_expired"));
    let (_, token) = at_enrolment(&ann.world, "bob");
    let other_step = json!({"mfa_token": token, "code": "000000"});
    assert_eq!(verify(other_step), refused(409, "wrong_step"));
}

#[test]
fn wrong_codes_lock_as_wrong_passwords_do() {
    let failures = FailureRules { lockout_after: 2, lockout_for: Duration::from_secs(600) };
    let ann = Enrolled::ann(Settings { failures, ..patient() });
    let token = ann.at_second_factor();
    let mut program = ann.world.browser();
    let wrong = json!({"mfa_token": token, "code": "000000"});
    for _ in 0..2 {
        let called = program.call("POST", "/auth/totp/verify", wrong.clone());
        assert_eq!(called.outcome(), (401, "invalid_code"));
    }
    let right = json!({"mfa_token": token, "code": ann.code()});
    let called = program.call("POST", "/auth/totp/verify", right);
    assert_eq!((called.outcome(), called.retry_after()), ((423, "locked"), Some(570)));
}

#[test]
fn a_code_that_signed_in_on_a_page_is_used_up_for_calls() {
    let world = World::new(patient());
    let secret = world.add("ann", true).unwrap();
    let code = code_at(&secret, world.now());
    let mut browser = world.browser();
    let page = browser.open("/_vestibule/login");
    browser.submit(&page, &[("username", "ann"), ("password", ADMIN_PASSWORD)]);
    let page = browser.open("/_vestibule/login/second-factor");
    assert_eq!(browser.submit(&page, &[("code", &code)]).status, 303);
    assert!(is_signed_in(&browser));
    let called = login(&mut world.browser(), "ann", json!({"totp_code": code}));
    assert_eq!(called.outcome(), (401, "code_already_used"));
}
