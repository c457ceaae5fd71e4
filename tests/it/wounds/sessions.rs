//! Sessions: whoever can bring one along, keep one, or make something else into one.

use super::statuses;
use crate::forward::{Kept, house};
use crate::harness::{ADMIN_PASSWORD, Browser, Person, World, code_at, session_of};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use vestibule::domain::{AccessRules, Policy, SessionRules};
use vestibule::service::{AdminRequest, Settings};

/// CVE-2024-28197: a session that somebody brought along, planted before signing in at either step,
/// or before any step that makes a new one.
#[test]
fn no_token_that_was_there_before_a_step_is_good_after_it() {
    let house = house();
    let ann = Person::add(&house.gateway, "bob");
    let planted = "B".repeat(43);
    for (number, names) in [
        &["vestibule"][..],
        &["vestibule-step"],
        &["vestibule", "vestibule-step", "vestibule-known"],
    ]
    .into_iter()
    .enumerate()
    {
        let mut browser = Browser::new(house.gateway.address);
        for name in names {
            browser.cookies.insert((*name).to_owned(), planted.clone());
        }
        ann.recover(&mut browser, "/_vestibule/account", number);
        assert!(browser.cookies.values().all(|value| *value != planted), "{names:?}");
        for name in ["vestibule", "vestibule-step", "vestibule-known"] {
            let fields = format!("Cookie: {name}={planted}\r\n");
            let found = statuses(&house, &Kept::get("app.test", "/x").with(&fields));
            assert_eq!(found, [401; 4], "{name}");
        }
    }
}

/// CVE-2024-21492 was of this kind: signing out is of the session, and not of a browser. Every copy
/// of the cookie is good for nothing, at every door, while another session of the same person is.
#[test]
fn a_copy_of_the_cookie_does_not_outlive_signing_out() {
    let house = house();
    let bob = Person::add(&house.gateway, "bob");
    let mut browser = Browser::new(house.gateway.address);
    bob.recover(&mut browser, "/_vestibule/account", 0);
    let mut elsewhere = Browser::new(house.gateway.address);
    bob.recover(&mut elsewhere, "/_vestibule/account", 1);
    let fields =
        |browser: &Browser| format!("Cookie: vestibule={}\r\n", browser.cookies["vestibule"]);
    let (copy, other) = (fields(&browser), fields(&elsewhere));
    let page = browser.open("/_vestibule/logout");
    // Asking is not doing.
    assert_eq!(statuses(&house, &Kept::get("app.test", "/x").with(&copy)), [200; 4]);
    assert_eq!(browser.submit(&page, &[]).status, 200);
    assert_eq!(statuses(&house, &Kept::get("app.test", "/x").with(&copy)), [401; 4]);
    assert_eq!(statuses(&house, &Kept::get("app.test", "/x").with(&other)), [200; 4]);
}

/// CVE-2025-64708: a session that is over is over when it is shown, also where nothing has swept it.
#[test]
fn a_session_is_judged_by_the_clock_and_not_by_what_was_swept() {
    let rules = SessionRules {
        idle: Duration::from_secs(600),
        lifetime: Duration::from_secs(3600),
        ..SessionRules::default()
    };
    let world = World::new(Settings { session: rules, ..Settings::default() });
    let secret = world.add("ann", true).unwrap();
    let sign_in = || {
        world.pass(60);
        let mut browser = world.browser();
        let code = code_at(&secret, world.now());
        let body = json!({"username": "ann", "password": ADMIN_PASSWORD, "totp_code": code});
        assert_eq!(browser.call("POST", "/auth/login", body).status, 200);
        browser
    };
    let is_in = |browser: &Browser| {
        let check = format!(
            "GET /_vestibule/authz/forward-auth HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nX-Forwarded-Method: GET\r\n\
             X-Forwarded-Proto: http\r\nX-Forwarded-Host: app.test\r\nX-Forwarded-Uri: /x\r\n\
             Cookie: vestibule={}\r\n\r\n",
            browser.cookies["vestibule"]
        );
        let by_proxy = world.answer(check.as_bytes()).status == 200;
        let by_call = browser.clone().call("GET", "/auth/me", Value::Null).status == 200;
        assert_eq!(by_proxy, by_call);
        by_call
    };
    let idle = sign_in();
    world.pass(599);
    assert!(is_in(&idle));
    world.pass(600);
    assert!(!is_in(&idle));
    let busy = sign_in();
    for _ in 0..12 {
        world.pass(299);
        assert!(is_in(&busy));
    }
    world.pass(60);
    assert!(!is_in(&busy), "an hour at most, however busy");
}

/// CVE-2025-53942, CVE-2023-31140: whatever changes about somebody changes what their sessions are
/// good for, at once; a new password ends the others.
#[test]
fn what_changes_about_somebody_changes_their_sessions() {
    let access = AccessRules::new(Vec::new(), Policy::OneFactor);
    let world = World::new(Settings { access, ..Settings::default() });
    let is_in =
        |browser: &Browser| browser.clone().call("GET", "/auth/me", Value::Null).status == 200;
    let sign_in = |world: &Arc<World>, name: &str, password: &str| {
        let mut browser = world.browser();
        let body = json!({"username": name, "password": password});
        let called = browser.call("POST", "/auth/login", body);
        assert_eq!(called.json["status"], "authenticated", "{}", called.json);
        browser
    };
    let name = |text: &str| text.to_owned();
    for (who, request, stays) in [
        ("a", AdminRequest::UserDisable { name: name("a") }, false),
        ("b", AdminRequest::UserRemove { name: name("b") }, false),
        ("c", AdminRequest::UserResetPassword { name: name("c") }, false),
        ("d", AdminRequest::UserUnlock { name: name("d") }, true),
    ] {
        world.add(who, false);
        let browsers = [sign_in(&world, who, ADMIN_PASSWORD), sign_in(&world, who, ADMIN_PASSWORD)];
        world.admin(request);
        assert!(browsers.iter().all(|browser| is_in(browser) == stays), "{who}");
    }
    world.add("e", false);
    let mut here = sign_in(&world, "e", ADMIN_PASSWORD);
    let there = sign_in(&world, "e", ADMIN_PASSWORD);
    let change =
        json!({"current_password": ADMIN_PASSWORD, "new_password": "another long password"});
    assert_eq!(here.call("POST", "/auth/change-password", change).status, 200);
    assert!(is_in(&here) && !is_in(&there));
}

/// No advisory of its own: every token there is, shown as every other kind, at every door.
#[test]
fn no_token_is_good_as_another_kind_at_any_door() {
    let house = house();
    let bob = Person::add(&house.gateway, "bob");
    let mut step = Browser::new(house.gateway.address);
    bob.give_password(&mut step, "/_vestibule/account");
    let invited = house.gateway.json(&["user", "add", "cem"], "");
    let link = invited["invite_url"].as_str().unwrap().split("token=").nth(1).unwrap();
    let made = house.gateway.json(&["token", "add", "job", "--user", "ann"], "");
    let made = &made["token"].as_str().unwrap()[4..];
    let session = session_of(&Person::add(&house.gateway, "dan"), &house.gateway);
    let session = session.split_once('=').unwrap().1;
    let bits = [
        ("step", step.cookies["vestibule-step"].as_str()),
        ("form", step.cookies["vestibule-form"].as_str()),
        ("link", link),
        ("made", made),
        ("session", session),
    ];
    for (kind, bits) in bits {
        for (shown, fields) in [
            ("session", format!("Cookie: vestibule={bits}\r\n")),
            ("access", format!("Authorization: Bearer vsa_{bits}\r\n")),
            ("refresh", format!("Authorization: Bearer vsr_{bits}\r\n")),
            ("made", format!("Authorization: Bearer vst_{bits}\r\n")),
            ("bare", format!("Authorization: Bearer {bits}\r\n")),
        ] {
            let found = statuses(&house, &Kept::get("app.test", "/x").with(&fields));
            let status = if kind == shown { 200 } else { 401 };
            assert_eq!(found, [status; 4], "{kind} as {shown}");
        }
        let page = step.clone().request("GET", &format!("/_vestibule/invite?token={bits}"), "", "");
        let is_form = page.text().contains("name=\"password\"");
        assert_eq!(is_form, kind == "link", "{kind} as a link");
    }
}
