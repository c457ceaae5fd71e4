//! `POST /auth/register`.

use super::{login, patient, person};
use crate::harness::{ADMIN_PASSWORD, Browser, World};
use serde_json::{Value, json};
use std::sync::Arc;
use vestibule::domain::Rate;
use vestibule::service::{AdminRequest, RateRules, Settings};

fn open() -> (Arc<World>, Browser) {
    let world = World::new(Settings { registration: true, ..patient() });
    let browser = world.browser();
    (world, browser)
}

fn register(browser: &mut Browser, more: Value) -> crate::harness::Called {
    let mut body = json!({"username": "ann", "password": ADMIN_PASSWORD});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    browser.call("POST", "/auth/register", body)
}

#[test]
fn nobody_registers_where_that_is_not_allowed() {
    let world = World::new(patient());
    let called = register(&mut world.browser(), json!({}));
    assert_eq!(called.outcome(), (403, "registration_disabled"));
}

#[test]
fn whoever_registers_has_yet_to_sign_in() {
    let (_world, mut browser) = open();
    let more = json!({"email": "Ann@Example.com", "display_name": "Ann B."});
    let called = register(&mut browser, more);
    assert_eq!(called.status, 201, "{}", called.json);
    let user = &called.json["user"];
    assert_eq!((&user["username"], &user["email"]), (&json!("ann"), &json!("ann@example.com")));
    assert_eq!(
        (&user["display_name"], &user["groups"], &user["second_factor"]),
        (&json!("Ann B."), &json!([]), &json!(false))
    );
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);
    let step = login(&mut browser, "ann", json!({}));
    assert_eq!(step.json["status"], "enrollment_required", "{}", step.json);
}

#[test]
fn what_will_not_do_is_said() {
    let (world, mut browser) = open();
    world.admin(AdminRequest::UserAdd(person("bob")));
    for (more, outcome) in [
        (json!({"password": "short"}), (422, "weak_password")),
        (json!({"password": ""}), (422, "weak_password")),
        (json!({"username": "bob"}), (409, "already_exists")),
        (json!({"username": "BOB"}), (409, "already_exists")),
        (json!({"email": "bob@example.com"}), (409, "already_exists")),
        (json!({"username": "a b"}), (422, "invalid_name")),
        (json!({"email": "nowhere"}), (422, "invalid_name")),
        (json!({"groups": ["admins"]}), (422, "invalid")),
        (json!({"password": null}), (422, "invalid")),
    ] {
        assert_eq!(register(&mut browser, more.clone()).outcome(), outcome, "{more}");
    }
    assert_eq!(register(&mut browser, json!({"email": null, "display_name": ""})).status, 201);
}

#[test]
fn registering_is_tried_as_often_as_signing_in() {
    let rate = |times| Rate { times, per: std::time::Duration::from_secs(60) };
    let rates = RateRules { per_address: rate(2), per_account: rate(100) };
    let world = World::with_rates(Settings { registration: true, rates, ..patient() });
    let mut browser = world.browser();
    for name in ["ann", "bob"] {
        assert_eq!(register(&mut browser, json!({"username": name})).status, 201);
    }
    let called = register(&mut browser, json!({"username": "cem"}));
    assert_eq!(called.outcome(), (429, "rate_limited"));
}
