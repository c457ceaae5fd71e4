//! `/auth/me`, `/auth/sessions`, `/auth/logout`, `/auth/logout-all`.

use super::{Enrolled, is_signed_in, patient};
use serde_json::{Value, json};

#[test]
fn who_is_signed_in_is_told_to_them_alone() {
    let ann = Enrolled::ann(patient());
    let mut browser = ann.signed_in();
    let me = browser.call("GET", "/auth/me", Value::Null);
    assert_eq!((me.status, &me.json["username"]), (200, &json!("ann")));
    assert_eq!((&me.json["groups"], &me.json["second_factor"]), (&json!([]), &json!(true)));
    let told: Vec<&String> = me.json.as_object().unwrap().keys().collect();
    let all = ["display_name", "email", "groups", "id", "second_factor", "username"];
    assert_eq!(told, all, "no hash, no key, nothing else of what is kept");
    let nobody = ann.world.browser().call("GET", "/auth/me", Value::Null);
    assert_eq!(nobody.outcome(), (401, "unauthenticated"));
    assert!(nobody.reply.header("www-authenticate").is_none());
    let head = browser.call_with("HEAD", "/auth/me", "", "");
    assert_eq!((head.status, head.reply.body.len()), (200, 0));
}

#[test]
fn a_session_that_is_over_is_nobodys() {
    let ann = Enrolled::ann(patient());
    let browser = ann.signed_in();
    ann.world.pass(3600);
    assert!(!is_signed_in(&browser));
}

#[test]
fn somebodys_sessions_are_listed_and_one_of_them_is_this_one() {
    let ann = Enrolled::ann(patient());
    let bob = Enrolled::add(&ann.world, "bob", &[]);
    bob.signed_in();
    let (mut first, mut second) = (ann.signed_in(), ann.signed_in());
    let mut names = Vec::new();
    for browser in [&mut first, &mut second] {
        let listed = browser.call("GET", "/auth/sessions", Value::Null);
        assert_eq!(listed.status, 200, "{}", listed.json);
        let sessions = listed.json.as_array().unwrap();
        assert_eq!(sessions.len(), 2, "{}", listed.json);
        let current: Vec<_> = sessions.iter().filter(|s| s["current"] == true).collect();
        assert_eq!(current.len(), 1, "{}", listed.json);
        let session = current[0];
        for field in ["created_at", "last_seen_at"] {
            assert!(session[field].as_str().unwrap().ends_with('Z'), "{session}");
        }
        assert_eq!((&session["ip"], &session["user_agent"]), (&json!("192.0.2.7"), &json!("it")));
        assert_eq!(session.as_object().unwrap().len(), 6, "{session}");
        names.push(session["id"].clone());
    }
    assert_ne!(names[0], names[1]);
}

fn current(browser: &mut crate::harness::Browser) -> String {
    let listed = browser.call("GET", "/auth/sessions", Value::Null);
    let sessions = listed.json.as_array().unwrap_or_else(|| panic!("{}", listed.json));
    let this = sessions.iter().find(|session| session["current"] == true).unwrap();
    this["id"].as_str().unwrap().to_owned()
}

#[test]
fn one_session_ends_and_somebody_elses_cannot_be_told_from_none() {
    let ann = Enrolled::ann(patient());
    let bob = Enrolled::add(&ann.world, "bob", &[]);
    let (mut first, mut second, mut other) = (ann.signed_in(), ann.signed_in(), bob.signed_in());
    let mut answers = Vec::new();
    for id in [current(&mut other), "00".repeat(16), "not-an-id".into(), "%00".into()] {
        let called = first.call("DELETE", &format!("/auth/sessions/{id}"), Value::Null);
        assert_eq!(called.outcome(), (404, "not_found"), "{id}");
        answers.push(called.json);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(is_signed_in(&other));
    let path = format!("/auth/sessions/{}", current(&mut second));
    assert_eq!(first.call("DELETE", &path, Value::Null).status, 200);
    assert!(is_signed_in(&first) && !is_signed_in(&second));
    assert_eq!(first.call("DELETE", &path, Value::Null).outcome(), (404, "not_found"));
    let own = format!("/auth/sessions/{}", current(&mut first));
    assert_eq!(first.call("DELETE", &own, Value::Null).status, 200);
    assert!(!first.cookies.contains_key("vestibule"), "{:?}", first.cookies);
    let nobody = ann.world.browser().call("DELETE", &own, Value::Null);
    assert_eq!(nobody.outcome(), (401, "unauthenticated"));
}

#[test]
fn signing_out_ends_the_session_and_not_only_the_cookie() {
    let ann = Enrolled::ann(patient());
    let mut browser = ann.signed_in();
    let stolen = browser.clone();
    assert_eq!(browser.call("POST", "/auth/logout", Value::Null).status, 200);
    assert!(!browser.cookies.contains_key("vestibule"), "{:?}", browser.cookies);
    assert!(!is_signed_in(&stolen));
    // Once more, and for whoever was never in: as good.
    assert_eq!(browser.call("POST", "/auth/logout", json!({})).status, 200);
    assert_eq!(stolen.clone().call("POST", "/auth/logout", Value::Null).status, 200);
}

#[test]
fn signing_out_everywhere_takes_a_session() {
    let ann = Enrolled::ann(patient());
    let bob = Enrolled::add(&ann.world, "bob", &[]);
    let (mut first, second, other) = (ann.signed_in(), ann.signed_in(), bob.signed_in());
    let called = first.call("POST", "/auth/logout-all", Value::Null);
    assert_eq!((called.status, &called.json["sessions_ended"]), (200, &json!(2)));
    assert!(first.cookies.keys().all(|name| name != "vestibule"));
    assert!(!is_signed_in(&second) && is_signed_in(&other));
    let again = first.call("POST", "/auth/logout-all", Value::Null);
    assert_eq!(again.outcome(), (401, "unauthenticated"));
}
