//! `POST /auth/change-password`.

use super::{Enrolled, is_signed_in, login, one_factor, patient, person};
use crate::harness::{ADMIN_PASSWORD, World};
use serde_json::{Value, json};
use vestibule::service::{AdminRequest, NewUser};

const PATH: &str = "/auth/change-password";
const NEW: &str = "an entirely different phrase";

#[test]
fn a_new_password_takes_the_current_one_and_ends_the_other_sessions() {
    let ann = Enrolled::ann(patient());
    let (mut browser, other) = (ann.signed_in(), ann.signed_in());
    for (body, outcome) in [
        (json!({"current_password": "wrong", "new_password": NEW}), (401, "invalid_credentials")),
        (json!({"new_password": NEW}), (422, "invalid")),
        (json!({"current_password": ADMIN_PASSWORD}), (422, "invalid")),
        (
            json!({"current_password": ADMIN_PASSWORD, "new_password": "short"}),
            (422, "weak_password"),
        ),
        (json!({"current_password": ADMIN_PASSWORD, "new_password": ""}), (422, "weak_password")),
        (
            json!({"current_password": ADMIN_PASSWORD, "new_password": ADMIN_PASSWORD}),
            (422, "weak_password"),
        ),
    ] {
        assert_eq!(browser.call("POST", PATH, body.clone()).outcome(), outcome, "{body}");
    }
    assert!(is_signed_in(&other));
    let body = json!({"current_password": ADMIN_PASSWORD, "new_password": NEW});
    let done = browser.call("POST", PATH, body.clone());
    assert_eq!((done.status, &done.json["status"]), (200, &json!("authenticated")));
    assert!(is_signed_in(&browser) && !is_signed_in(&other));
    let mut fresh = ann.world.browser();
    assert_eq!(ann.login(&mut fresh, json!({})).outcome(), (401, "invalid_credentials"));
    let new = json!({"password": NEW});
    assert_eq!(ann.login(&mut fresh, new).json["status"], "totp_required");
    let nobody = ann.world.browser().call("POST", PATH, body);
    assert_eq!(nobody.outcome(), (401, "unauthenticated"));
}

#[test]
fn whoever_must_choose_one_goes_by_the_token_of_the_step() {
    let world = World::new(one_factor());
    let must = NewUser { must_change_password: true, ..person("ann") };
    world.admin(AdminRequest::UserAdd(must));
    let mut browser = world.browser();
    let step = login(&mut browser, "ann", json!({}));
    let token = step.text("mfa_token");
    let mut program = world.browser();
    let with = |password: &str| json!({"mfa_token": token, "new_password": password});
    for (body, outcome) in [
        (with("short"), (422, "weak_password")),
        (with(ADMIN_PASSWORD), (422, "weak_password")),
        (json!({"mfa_token": "x", "new_password": NEW}), (401, "mfa_expired")),
    ] {
        assert_eq!(program.call("POST", PATH, body.clone()).outcome(), outcome, "{body}");
    }
    // The cookie is as good.
    let done = browser.call("POST", PATH, json!({"new_password": NEW}));
    assert_eq!((done.status, &done.json["status"]), (200, &json!("authenticated")));
    assert!(is_signed_in(&browser));
    let again = program.call("POST", PATH, with(NEW));
    assert_eq!(again.outcome(), (401, "mfa_expired"));
    let new = login(&mut world.browser(), "ann", json!({"password": NEW}));
    assert_eq!(new.json["status"], "authenticated", "{}", new.json);
}

#[test]
fn the_token_of_another_step_changes_no_password() {
    let ann = Enrolled::ann(patient());
    let body = json!({"mfa_token": ann.at_second_factor(), "new_password": NEW});
    let called = ann.world.browser().call("POST", PATH, body);
    assert_eq!(called.outcome(), (409, "wrong_step"));
    assert_eq!(ann.login(&mut ann.world.browser(), json!({})).json["status"], "totp_required");
}

#[test]
fn a_step_that_was_waited_for_too_long_is_over() {
    let world = World::new(patient());
    let must = NewUser { must_change_password: true, ..person("ann") };
    world.admin(AdminRequest::UserAdd(must));
    let mut browser = world.browser();
    login(&mut browser, "ann", json!({}));
    world.pass(300);
    let late = browser.call("POST", PATH, json!({"new_password": NEW}));
    assert_eq!(late.outcome(), (401, "mfa_expired"));
    assert_eq!(late.json.get("mfa_token"), None::<&Value>);
}
