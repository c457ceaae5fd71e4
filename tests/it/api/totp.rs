//! `/auth/totp/…`: enrolling, and what can be done with a second factor afterwards.

use super::{Enrolled, at_enrolment, is_signed_in, login, one_factor, patient, person};
use crate::harness::{ADMIN_PASSWORD, Browser, Called, TempDir, World, code_at};
use base64::Engine as _;
use serde_json::{Value, json};
use std::process::Command;
use std::sync::Arc;
use vestibule::service::AdminRequest;

const ENROLL: &str = "/auth/totp/enroll";
const CONFIRM: &str = "/auth/totp/verify-enrollment";

/// Somebody without a second factor who is signed in, where that is enough.
fn with_password_alone(world: &Arc<World>, name: &str) -> Browser {
    world.admin(AdminRequest::UserAdd(person(name)));
    let mut browser = world.browser();
    let called = login(&mut browser, name, json!({}));
    assert_eq!(called.json["status"], "authenticated", "{}", called.json);
    browser
}

fn are_recovery_codes(called: &Called) {
    let codes = called.json["recovery_codes"].as_array().unwrap();
    assert_eq!(codes.len(), 10);
    for code in codes {
        let groups: Vec<&str> = code.as_str().unwrap().split('-').collect();
        let fits = |group: &&str| group.len() == 4 && group.chars().all(char::is_alphanumeric);
        assert!(groups.len() == 4 && groups.iter().all(fits), "{code}");
    }
}

#[test]
fn whoever_must_enrol_gets_ten_recovery_codes_and_the_session_at_once() {
    let world = World::new(patient());
    let (mut browser, token) = at_enrolment(&world, "ann");
    let mut program = world.browser();
    let begun = program.call("POST", ENROLL, json!({"mfa_token": token}));
    assert_eq!(begun.status, 201, "{}", begun.json);
    // Again, by the cookie: a new secret; the earlier one is dead.
    let again = browser.call("POST", ENROLL, Value::Null);
    let (earlier, secret) = (begun.text("secret"), again.text("secret"));
    assert_ne!(earlier, secret);
    assert_eq!(secret.len(), 32, "160 bits in base32, without spaces");
    let first = json!({"code": code_at(&earlier, world.now())});
    assert_eq!(browser.call("POST", CONFIRM, first).outcome(), (401, "invalid_code"));
    // A wrong code keeps the secret.
    let right = json!({"code": code_at(&secret, world.now())});
    let done = browser.call("POST", CONFIRM, right.clone());
    assert_eq!(done.status, 200, "{}", done.json);
    are_recovery_codes(&done);
    assert!(is_signed_in(&browser));
    assert!(!browser.cookies.contains_key("vestibule-step"));
    assert!(browser.cookies.contains_key("vestibule-known"));
    // They are told once: the page has none of them.
    let page = browser.open("/_vestibule/recovery-codes");
    assert!(!page.text().contains("<li>"), "{}", page.text());
    let mut other = world.browser();
    let code = json!({"recovery_code": done.json["recovery_codes"][3]});
    assert_eq!(login(&mut other, "ann", code).status, 200);
}

#[test]
fn a_phone_reads_the_same_from_both_pictures() {
    let world = World::new(patient());
    let (mut browser, _) = at_enrolment(&world, "ann");
    let begun = browser.call("POST", ENROLL, Value::Null);
    let uri = begun.text("provisioning_uri");
    assert!(uri.starts_with("otpauth://totp/") && uri.contains(&begun.text("secret")), "{uri}");
    let folder = TempDir::new();
    let file = |field: &str, kind: &str, name: &str| {
        let url = begun.text(field);
        let data = url.strip_prefix(&format!("data:image/{kind};base64,")).unwrap();
        let bytes = base64::engine::general_purpose::STANDARD.decode(data).unwrap();
        std::fs::write(folder.join(name), bytes).unwrap();
        folder.join(name)
    };
    let png = file("qr_png", "png", "own.png");
    let (svg, drawn) = (file("qr_svg", "svg+xml", "qr.svg"), folder.join("drawn.png"));
    let mut draw = Command::new("rsvg-convert");
    let status = draw.args(["-w", "600", "-b", "white", "-o"]).arg(&drawn).arg(&svg).status();
    assert!(status.expect("rsvg-convert (librsvg2-bin) is installed").success());
    for picture in [png, drawn] {
        let read = Command::new("zbarimg").args(["--quiet", "--raw"]).arg(&picture).output();
        let read = read.expect("zbarimg (zbar-tools) is installed");
        assert_eq!(String::from_utf8(read.stdout).unwrap().trim(), uri, "{picture:?}");
    }
}

#[test]
fn enrolling_is_refused_in_words_that_lead_on() {
    let ann = Enrolled::ann(patient());
    let (mut fresh, token) = at_enrolment(&ann.world, "bob");
    let reset = Enrolled::add(&ann.world, "cem", &[]);
    ann.world.admin(AdminRequest::UserResetMfa { name: "cem".into() });
    let needs_link = reset.login(&mut ann.world.browser(), json!({})).text("mfa_token");
    let has_one = ann.at_second_factor();
    let code = "000000";
    for (body, enroll, confirm) in [
        (json!({}), (401, "unauthenticated"), (401, "unauthenticated")),
        (json!({"mfa_token": "x"}), (401, "mfa_expired"), (401, "mfa_expired")),
        (
            json!({"mfa_token": needs_link}),
            (403, "enrollment_link_required"),
            (403, "enrollment_link_required"),
        ),
        (json!({"mfa_token": has_one}), (409, "already_enabled"), (409, "already_enabled")),
    ] {
        let mut program = ann.world.browser();
        assert_eq!(program.call("POST", ENROLL, body.clone()).outcome(), enroll, "{body}");
        let mut body = body;
        body["code"] = json!(code);
        assert_eq!(program.call("POST", CONFIRM, body.clone()).outcome(), confirm, "{body}");
    }
    let unbegun = json!({"mfa_token": token, "code": code});
    assert_eq!(fresh.call("POST", CONFIRM, unbegun).outcome(), (409, "wrong_step"));
    assert_eq!(fresh.call("POST", CONFIRM, json!({})).outcome(), (422, "invalid"));
    ann.world.pass(300);
    let late = fresh.call("POST", ENROLL, json!({"mfa_token": token}));
    assert_eq!(late.outcome(), (401, "mfa_expired"));
}

#[test]
fn somebody_who_is_signed_in_enrols_once() {
    let world = World::new(one_factor());
    let mut browser = with_password_alone(&world, "ann");
    let before = browser.call("GET", "/auth/totp/status", Value::Null);
    let none = json!({"enabled": false, "confirmed_at": null, "recovery_codes_remaining": 0});
    assert_eq!((before.status, before.json), (200, none));
    let unbegun = browser.call("POST", CONFIRM, json!({"code": "000000"}));
    assert_eq!(unbegun.outcome(), (409, "wrong_step"));
    let first = browser.call("POST", ENROLL, Value::Null);
    assert_eq!(first.status, 201, "{}", first.json);
    let secret = browser.call("POST", ENROLL, Value::Null).text("secret");
    assert_ne!(secret, first.text("secret"));
    let wrong = browser.call("POST", CONFIRM, json!({"code": "000000"}));
    assert_eq!(wrong.outcome(), (401, "invalid_code"));
    let right = json!({"code": code_at(&secret, world.now())});
    let done = browser.call("POST", CONFIRM, right.clone());
    assert_eq!(done.status, 200, "{}", done.json);
    are_recovery_codes(&done);
    assert!(is_signed_in(&browser));
    let after = browser.call("GET", "/auth/totp/status", Value::Null);
    assert_eq!(
        (&after.json["enabled"], &after.json["recovery_codes_remaining"]),
        (&json!(true), &json!(10))
    );
    assert!(after.text("confirmed_at").ends_with('Z'));
    assert_eq!(browser.call("POST", ENROLL, Value::Null).outcome(), (409, "already_enabled"));
    let again = browser.call("POST", CONFIRM, right);
    assert_eq!(again.status, 409, "{}", again.json);
}

#[test]
fn a_second_factor_is_taken_away_only_with_password_and_code_where_no_rule_asks_for_it() {
    let enforced = Enrolled::ann(patient());
    let mut browser = enforced.signed_in();
    let body = json!({"password": ADMIN_PASSWORD, "code": enforced.code()});
    let called = browser.call("DELETE", "/auth/totp/disable", body);
    assert_eq!(called.outcome(), (403, "mfa_enforced"));

    let ann = Enrolled::ann(one_factor());
    let mut browser = ann.signed_in();
    let used = code_at(&ann.secret, ann.world.now());
    let disable = |browser: &mut Browser, password: &str, code: &str| {
        let body = json!({"password": password, "code": code});
        browser.call("DELETE", "/auth/totp/disable", body)
    };
    let wrong_password = disable(&mut browser, "wrong", &ann.code());
    assert_eq!(wrong_password.outcome(), (401, "invalid_credentials"));
    let wrong_code = disable(&mut browser, ADMIN_PASSWORD, "000000");
    assert_eq!(wrong_code.outcome(), (401, "invalid_code"));
    let reused = disable(&mut browser, ADMIN_PASSWORD, &used);
    assert_eq!(reused.outcome(), (401, "code_already_used"));
    let done = disable(&mut browser, ADMIN_PASSWORD, &ann.code());
    assert_eq!(done.status, 200, "{}", done.json);
    let status = browser.call("GET", "/auth/totp/status", Value::Null);
    assert_eq!(status.json["enabled"], false, "{}", status.json);
    let called = ann.login(&mut ann.world.browser(), json!({}));
    assert_eq!(called.json["status"], "authenticated", "{}", called.json);
}

#[test]
fn new_recovery_codes_kill_the_old_ones() {
    let ann = Enrolled::ann(patient());
    let mut browser = ann.signed_in();
    let used = code_at(&ann.secret, ann.world.now());
    let path = "/auth/totp/regenerate-recovery-codes";
    for (password, code, outcome) in [
        ("wrong", ann.code(), (401, "invalid_credentials")),
        (ADMIN_PASSWORD, "000000".into(), (401, "invalid_code")),
        (ADMIN_PASSWORD, used, (401, "code_already_used")),
    ] {
        let called = browser.call("POST", path, json!({"password": password, "code": code}));
        assert_eq!(called.outcome(), outcome, "{code}");
    }
    let body = json!({"password": ADMIN_PASSWORD, "code": ann.code()});
    let done = browser.call("POST", path, body);
    assert_eq!(done.status, 200, "{}", done.json);
    are_recovery_codes(&done);
    let old = json!({"recovery_code": ann.recovery_codes[0]});
    let called = ann.login(&mut ann.world.browser(), old);
    assert_eq!(called.outcome(), (401, "invalid_code"));
    let new = json!({"recovery_code": done.json["recovery_codes"][0]});
    assert_eq!(ann.login(&mut ann.world.browser(), new).status, 200);
}
