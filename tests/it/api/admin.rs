//! `/admin/…`: what the commands do, for administrators' programs.

use super::{Enrolled, is_signed_in, one_factor, patient, person};
use crate::harness::{ADMIN_PASSWORD, Browser};
use serde_json::{Value, json};
use vestibule::domain::FailureRules;
use vestibule::service::{AdminRequest, NewUser, Settings};

/// An administrator, and a program of theirs.
fn root(settings: Settings) -> (Enrolled, Browser) {
    let ann = Enrolled::ann(settings);
    let root = Enrolled::add(&ann.world, "root", &["admins"]);
    let browser = root.signed_in();
    (ann, browser)
}

#[test]
fn administrators_alone_administer_and_only_with_a_second_factor() {
    let (ann, mut root) = root(one_factor());
    let groups = super::groups_named(&["admins"]);
    ann.world.admin(AdminRequest::UserAdd(NewUser { groups, ..person("weak") }));
    let mut weak = ann.world.browser();
    assert_eq!(super::login(&mut weak, "weak", json!({})).json["status"], "authenticated");
    let mut ordinary = ann.signed_in();
    for (method, path) in [
        ("GET", "/admin/users"),
        ("POST", "/admin/users"),
        ("GET", "/admin/users/ann"),
        ("PATCH", "/admin/users/ann"),
        ("DELETE", "/admin/users/ann"),
        ("POST", "/admin/users/ann/disable"),
        ("POST", "/admin/users/ann/enable"),
        ("POST", "/admin/users/ann/unlock"),
        ("POST", "/admin/users/ann/reset-mfa"),
        ("POST", "/admin/users/ann/reset-password"),
        ("GET", "/admin/sessions"),
        ("DELETE", "/admin/sessions"),
        ("DELETE", "/admin/sessions/00000000000000000000000000000000"),
        ("GET", "/admin/audit"),
        ("GET", "/admin/tokens"),
        ("POST", "/admin/tokens"),
        ("DELETE", "/admin/tokens/00000000000000000000000000000000"),
    ] {
        let mut nobody = ann.world.browser();
        let called = nobody.call(method, path, Value::Null);
        assert_eq!(called.outcome(), (401, "unauthenticated"), "{method} {path}");
        for browser in [&mut ordinary, &mut weak] {
            let called = browser.call(method, path, Value::Null);
            assert_eq!(called.outcome(), (403, "forbidden"), "{method} {path}");
        }
        // Nor does a page, also of this very host: an app there has the same origin.
        for field in [
            format!("Origin: {}\r\n", root.origin()),
            "Sec-Fetch-Site: same-origin\r\n".into(),
            "Sec-Fetch-Site: none\r\n".into(),
            "Sec-Fetch-Mode: cors\r\n".into(),
            "Sec-Fetch-Mode: navigate\r\n".into(),
        ] {
            let called = root.call_with(method, path, &field, "");
            assert_eq!(called.outcome(), (403, "script_refused"), "{method} {path} {field}");
        }
    }
    assert_eq!(root.call("GET", "/admin/users/ann", Value::Null).status, 200);
}

#[test]
fn somebody_is_added_shown_changed_and_removed() {
    let (ann, mut root) = root(patient());
    let body = json!({"username": "Bob", "email": "bob@example.org", "groups": ["staff"]});
    let added = root.call("POST", "/admin/users", body.clone());
    assert_eq!((added.status, &added.json["username"]), (201, &json!("bob")));
    assert!(added.text("invite_url").contains("/_vestibule/invite?token="));
    assert_eq!(added.json.as_object().unwrap().len(), 2, "{}", added.json);
    let full = json!({"username": "cem", "password": ADMIN_PASSWORD, "totp": true});
    let full = root.call("POST", "/admin/users", full);
    assert_eq!((full.status, full.count("recovery_codes")), (201, 10));
    let uri = full.json["totp"]["uri"].as_str().unwrap();
    assert!(uri.contains(full.json["totp"]["secret"].as_str().unwrap()), "{uri}");

    let shown = root.call("GET", "/admin/users/bob", Value::Null);
    assert_eq!((shown.status, &shown.json["groups"]), (200, &json!(["staff"])));
    assert_eq!((&shown.json["has_password"], &shown.json["totp"]), (&json!(false), &json!(false)));
    let by_address = root.call("GET", "/admin/users/bob%40example.org", Value::Null);
    assert_eq!(by_address.json["username"], "bob");
    let listed = root.call("GET", "/admin/users", Value::Null);
    assert_eq!((listed.status, listed.json.as_array().unwrap().len()), (200, 4));

    let set = json!({"email": null, "display_name": "Bob", "groups": []});
    assert_eq!(root.call("PATCH", "/admin/users/bob", set).status, 200);
    let shown = root.call("GET", "/admin/users/bob", Value::Null);
    assert_eq!((&shown.json["email"], &shown.json["display_name"]), (&Value::Null, &json!("Bob")));
    let set = json!({"display_name": ""});
    assert_eq!(root.call("PATCH", "/admin/users/bob", set).status, 200);
    let shown = root.call("GET", "/admin/users/bob", Value::Null);
    assert_eq!(shown.json["display_name"], Value::Null);

    assert_eq!(root.call("DELETE", "/admin/users/bob", Value::Null).status, 200);
    let gone = root.call("GET", "/admin/users/bob", Value::Null);
    assert_eq!(gone.outcome(), (404, "not_found"));
    drop(ann);
}

#[test]
fn what_will_not_do_is_said() {
    let (_ann, mut root) = root(patient());
    for (body, outcome) in [
        (json!({"username": "ann"}), (409, "already_exists")),
        (json!({"username": "new", "email": "ann@example.com"}), (409, "already_exists")),
        (json!({"username": "new", "password": "short"}), (422, "weak_password")),
        (json!({"username": "new", "password": ""}), (422, "weak_password")),
        (json!({"username": "a b"}), (422, "invalid")),
        (json!({"username": "new", "email": "nowhere"}), (422, "invalid")),
        (json!({"username": "new", "groups": ["a,b"]}), (422, "invalid")),
        (json!({"username": "new", "groups": "admins"}), (422, "invalid")),
        (json!({"username": "new", "admin": true}), (422, "invalid")),
        (json!({}), (422, "invalid")),
    ] {
        let called = root.call("POST", "/admin/users", body.clone());
        assert_eq!(called.outcome(), outcome, "{body}");
    }
    for (body, outcome) in [
        (json!({}), (422, "invalid")),
        (json!({"email": "root@example.com"}), (409, "already_exists")),
        (json!({"email": "nowhere"}), (422, "invalid")),
        (json!({"username": "other"}), (422, "invalid")),
    ] {
        let called = root.call("PATCH", "/admin/users/ann", body.clone());
        assert_eq!(called.outcome(), outcome, "{body}");
    }
    for (method, path) in [
        ("GET", "/admin/users/nobody"),
        ("DELETE", "/admin/users/nobody"),
        ("POST", "/admin/users/nobody/disable"),
        ("POST", "/admin/users/nobody/enable"),
        ("POST", "/admin/users/nobody/unlock"),
        ("POST", "/admin/users/nobody/reset-mfa"),
        ("POST", "/admin/users/nobody/reset-password"),
        ("GET", "/admin/sessions?user=nobody"),
        ("DELETE", "/admin/sessions?user=nobody"),
        ("DELETE", "/admin/sessions/00000000000000000000000000000000"),
        ("DELETE", "/admin/sessions/x"),
    ] {
        let called = root.call(method, path, Value::Null);
        assert_eq!(called.outcome(), (404, "not_found"), "{method} {path}");
        let text = called.text("detail");
        assert!(!text.contains("vestibule user"), "what to type is for commands: {text}");
    }
}

#[test]
fn somebody_is_kept_out_and_let_in_again() {
    let (ann, mut root) = root(patient());
    let browser = ann.signed_in();
    assert_eq!(root.call("POST", "/admin/users/ann/disable", Value::Null).status, 200);
    assert!(!is_signed_in(&browser));
    let called = ann.login(&mut ann.world.browser(), json!({}));
    assert_eq!(called.outcome(), (401, "invalid_credentials"));
    assert_eq!(root.call("POST", "/admin/users/ann/enable", json!({})).status, 200);
    ann.signed_in();
}

#[test]
fn a_lockout_ends_at_an_administrators_word() {
    let failures = FailureRules { lockout_after: 2, ..FailureRules::default() };
    let (ann, mut root) = root(Settings { failures, ..patient() });
    let wrong = json!({"username": "ann", "password": "wrong"});
    for _ in 0..2 {
        ann.world.browser().call("POST", "/auth/login", wrong.clone());
    }
    assert_eq!(ann.login(&mut ann.world.browser(), json!({})).outcome(), (423, "locked"));
    let shown = root.call("GET", "/admin/users/ann", Value::Null);
    assert!(shown.text("locked_until").ends_with('Z'));
    assert_eq!(root.call("POST", "/admin/users/ann/unlock", Value::Null).status, 200);
    ann.signed_in();
}

#[test]
fn a_reset_hands_out_a_link() {
    let (ann, mut root) = root(patient());
    let browser = ann.signed_in();
    for path in ["/admin/users/ann/reset-password", "/admin/users/ann/reset-mfa"] {
        let called = root.call("POST", path, Value::Null);
        assert_eq!((called.status, &called.json["username"]), (200, &json!("ann")));
        assert!(called.text("url").contains("/_vestibule/invite?token="));
    }
    assert!(!is_signed_in(&browser));
}

#[test]
fn sessions_are_listed_and_ended_and_a_slip_ends_no_more_than_was_meant() {
    let (ann, mut root) = root(patient());
    let (first, second) = (ann.signed_in(), ann.signed_in());
    let listed = root.call("GET", "/admin/sessions?user=ann", Value::Null);
    let sessions = listed.json.as_array().unwrap().clone();
    assert_eq!((listed.status, sessions.len()), (200, 2), "{}", listed.json);
    assert_eq!(sessions[0]["username"], "ann");
    let all = root.call("GET", "/admin/sessions", Value::Null);
    assert_eq!(all.json.as_array().unwrap().len(), 3, "{}", all.json);
    for query in ["?user=", "?usr=ann", "?user=ann&user=root", "?user=%ff", "?user"] {
        let called = root.call("DELETE", &format!("/admin/sessions{query}"), Value::Null);
        assert_eq!(called.outcome(), (422, "invalid"), "{query}");
    }
    let path = format!("/admin/sessions/{}", sessions[0]["id"].as_str().unwrap());
    assert_eq!(root.call("DELETE", &path, Value::Null).status, 200);
    assert_eq!([&first, &second].iter().filter(|b| is_signed_in(b)).count(), 1);
    let called = root.call("DELETE", "/admin/sessions?user=ann", Value::Null);
    assert_eq!(called.status, 200, "{}", called.json);
    assert!(!is_signed_in(&first) && !is_signed_in(&second) && is_signed_in(&root));
    assert_eq!(root.call("DELETE", "/admin/sessions", Value::Null).status, 200);
    assert!(!is_signed_in(&root));
}

#[test]
fn access_tokens_are_made_listed_and_ended_and_are_for_apps_alone() {
    let (ann, mut root) = root(patient());
    let made = root.call("POST", "/admin/tokens", json!({"name": "ci", "user": "ann"}));
    assert_eq!((made.status, &made.json["username"]), (201, &json!("ann")), "{}", made.json);
    let token = made.text("token");
    assert!(token.starts_with("vst_"));
    let listed = root.call("GET", "/admin/tokens?user=ann", Value::Null);
    assert_eq!((listed.status, &listed.json[0]["name"]), (200, &json!("ci")));
    assert!(!listed.json.to_string().contains(&token), "it is told once");

    let mut program = ann.world.browser();
    program.bear(&token);
    assert_eq!(program.call("GET", "/auth/me", Value::Null).json["username"], "ann");
    let change = json!({"current_password": ADMIN_PASSWORD, "new_password": "another long one"});
    let both = json!({"password": ADMIN_PASSWORD, "code": "000000"});
    let session = "/auth/sessions/00000000000000000000000000000000";
    for (method, path, body) in [
        ("POST", "/auth/change-password", change),
        ("POST", "/auth/totp/enroll", json!({})),
        ("DELETE", "/auth/totp/disable", both.clone()),
        ("POST", "/auth/totp/regenerate-recovery-codes", both),
        ("DELETE", session, Value::Null),
        ("POST", "/auth/logout-all", Value::Null),
        ("GET", "/admin/tokens", Value::Null),
    ] {
        assert_eq!(program.call(method, path, body).outcome(), (403, "forbidden"), "{path}");
    }
    // Nor does an administrator's token administer: it could make others without its limits.
    let of_root = root.call("POST", "/admin/tokens", json!({"name": "all", "user": "root"}));
    let mut program = ann.world.browser();
    program.bear(&of_root.text("token"));
    for path in ["/admin/tokens", "/admin/users"] {
        let called = program.call("GET", path, Value::Null);
        assert_eq!(called.outcome(), (403, "forbidden"), "{path}");
    }
    program.bear(&token);
    let path = format!("/admin/tokens/{}", made.text("id"));
    assert_eq!(root.call("DELETE", &path, Value::Null).status, 200);
    assert_eq!(program.call("GET", "/auth/me", Value::Null).outcome(), (401, "unauthenticated"));
    assert_eq!(root.call("DELETE", &path, Value::Null).outcome(), (404, "not_found"));
    for (body, outcome) in [
        (json!({"name": "ci", "user": "nobody"}), (404, "not_found")),
        (json!({"name": "", "user": "ann"}), (422, "invalid")),
        (json!({"name": "ci", "user": "ann", "networks": ["everywhere"]}), (422, "invalid")),
        (json!({"name": "ci", "user": "ann", "hosts": ["a b"]}), (422, "invalid")),
        (json!({"name": "ci", "user": "ann", "expires_in": -1}), (422, "invalid")),
    ] {
        assert_eq!(root.call("POST", "/admin/tokens", body.clone()).outcome(), outcome, "{body}");
    }
}
