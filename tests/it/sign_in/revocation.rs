//! What an administrator takes away is gone at the next request.

use super::{is_signed_in, patient};
use crate::harness::{Browser, Gateway, Options, Person};

fn signed_in(gateway: &Gateway, name: &str) -> (Person, Browser) {
    let ann = Person::add(gateway, name);
    let mut browser = Browser::new(gateway.address);
    assert_eq!(ann.recover(&mut browser, "/app", 0).status, 200);
    assert!(is_signed_in(&browser));
    (ann, browser)
}

#[test]
fn a_revoked_session_is_over_and_the_others_are_not() {
    let behind = patient();
    let (ann, first) = signed_in(&behind.gateway, "ann-revoked");
    let list = || behind.gateway.json(&["session", "list", "--user", &ann.name], "");
    let id = list()[0]["id"].as_str().unwrap().to_owned();
    let mut second = Browser::new(behind.gateway.address);
    assert_eq!(ann.recover(&mut second, "/app", 1).status, 200);
    behind.gateway.json(&["session", "revoke", &id], "");
    assert!(!is_signed_in(&first) && is_signed_in(&second));
    assert_eq!(list().as_array().unwrap().len(), 1);
    behind.gateway.json(&["session", "revoke", "--user", &ann.name], "");
    assert!(!is_signed_in(&second));
    assert_eq!(list(), serde_json::json!([]));
}

#[test]
fn whoever_is_disabled_is_out_and_does_not_come_back_with_the_old_session() {
    let behind = patient();
    let (ann, browser) = signed_in(&behind.gateway, "ann-barred");
    behind.gateway.json(&["user", "disable", &ann.name], "");
    assert!(!is_signed_in(&browser));
    behind.gateway.json(&["user", "enable", &ann.name], "");
    assert!(!is_signed_in(&browser));
    let mut again = Browser::new(behind.gateway.address);
    assert_eq!(ann.recover(&mut again, "/app", 1).status, 200);
}

#[test]
fn whoever_is_removed_is_out_and_the_name_is_free_for_somebody_else() {
    let behind = patient();
    let (ann, browser) = signed_in(&behind.gateway, "ann-removed");
    behind.gateway.json(&["user", "remove", &ann.name], "");
    assert!(!is_signed_in(&browser));
    let successor = Person::add(&behind.gateway, &ann.name);
    assert!(!is_signed_in(&browser));
    let mut their = Browser::new(behind.gateway.address);
    // Nothing of the old account opens the new one.
    assert_eq!(ann.recover(&mut their, "/app", 1).status, 401);
    assert_eq!(successor.recover(&mut their, "/app", 1).status, 200);
}

#[test]
fn the_app_is_told_of_new_groups_at_the_next_request() {
    let behind = patient();
    let (ann, mut browser) = signed_in(&behind.gateway, "ann-regrouped");
    let mut groups_told = |name: &str| {
        let target = format!("/whoami-{name}");
        assert_eq!(browser.open(&target).status, 200);
        let received = behind.app.received();
        let head = received.split(&format!("GET {target} ")).nth(1).unwrap().to_lowercase();
        let head = format!("{}\r\n", head.split("\r\n\r\n").next().unwrap());
        assert!(head.contains(&format!("\r\nremote-user: {}\r\n", ann.name)), "{head}");
        head.split("remote-groups: ").nth(1).map(|rest| rest.lines().next().unwrap().to_owned())
    };
    assert_eq!(groups_told("before"), None);
    behind.gateway.json(&["user", "set", &ann.name, "--group", "b", "--group", "a"], "");
    assert_eq!(groups_told("with-two").as_deref(), Some("b,a"));
    behind.gateway.json(&["user", "set", &ann.name, "--group", "c"], "");
    assert_eq!(groups_told("with-one").as_deref(), Some("c"));
}

#[test]
fn everyone_can_be_signed_out_at_once() {
    let gateway = Gateway::start(Options::default());
    let (_, browser) = signed_in(&gateway, "ann");
    let (_, other) = signed_in(&gateway, "bob");
    gateway.json(&["session", "revoke", "--all"], "");
    assert!(!is_signed_in(&browser) && !is_signed_in(&other));
    assert_eq!(gateway.json(&["session", "list"], ""), serde_json::json!([]));
}
