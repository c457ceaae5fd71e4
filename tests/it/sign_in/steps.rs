//! Steps out of order, steps whose person changed meanwhile, and the forced new password.

use super::{after_password, is_signed_in, location, patient, target_of};
use crate::harness::{ADMIN_PASSWORD, App, Browser, Gateway, Options, Person};

const PAGES: [&str; 3] = ["/login/second-factor", "/password", "/enroll"];
const ANOTHER: &str = "quite another pass phrase";

#[test]
fn without_a_sign_in_under_way_every_step_leads_to_the_first() {
    let behind = patient();
    let mut browser = Browser::new(behind.gateway.address);
    let login = browser.open("/_vestibule/login?rd=/app");
    for page in PAGES.into_iter().chain(["/recovery-codes", "/account"]) {
        let target = format!("/_vestibule{page}");
        let reply = browser.request("GET", &format!("{target}?rd=/app"), "", "");
        assert!(location(&reply).starts_with("/_vestibule/login?rd="), "{page}");
    }
    let token = crate::harness::filled_in(&login.text(), &[]).1;
    for page in PAGES {
        let body = format!("{token}&code=123456&password=x&password_again=x");
        let reply = browser.post(&format!("/_vestibule{page}"), &body);
        let (to, query) = location(&reply).split_once('?').unwrap();
        assert_eq!(to, "/_vestibule/login", "{page}");
        assert!(query.contains("why=expired") && query.contains("rd=%2Fapp"), "{query}");
    }
}

#[test]
fn a_step_that_is_not_next_leads_to_the_one_that_is() {
    let behind = patient();
    let ann = Person::add(&behind.gateway, "ann-order");
    let mut browser = Browser::new(behind.gateway.address);
    let page = after_password(&ann, &mut browser);
    let token = crate::harness::filled_in(&page.text(), &[]).1;
    for other in ["/password", "/enroll"] {
        let target = format!("/_vestibule{other}");
        let reply = browser.request("GET", &target, "", "");
        assert_eq!(location(&reply), "/_vestibule/login/second-factor", "{other}");
        let body = format!("{token}&code=123456&password={ANOTHER}&password_again={ANOTHER}");
        let reply = browser.post(&target, &body.replace(' ', "+"));
        let to = location(&reply).split('?').next().unwrap();
        assert_eq!(to, "/_vestibule/login/second-factor", "{other}");
    }
    // Neither a page of theirs nor the app is open between the steps.
    for closed in ["/_vestibule/account", "/_vestibule/recovery-codes", "/app"] {
        let reply = browser.request("GET", closed, "Sec-Fetch-Mode: navigate\r\n", "");
        assert!(location(&reply).starts_with("/_vestibule/login?rd="), "{closed}");
    }
    assert_eq!(browser.submit(&page, &[("recovery_code", &ann.recovery_codes[0])]).status, 303);
    assert!(is_signed_in(&browser));
    // It was their own password all the while.
    let mut again = Browser::new(behind.gateway.address);
    assert_eq!(ann.recover(&mut again, "/app", 1).status, 200);
}

#[test]
fn a_sign_in_under_way_ends_with_what_it_was_built_on() {
    let behind = patient();
    let changes: [&[&str]; 5] =
        [&["disable"], &["disable", "enable"], &["reset-password"], &["reset-mfa"], &["remove"]];
    for (n, commands) in changes.into_iter().enumerate() {
        let ann = Person::add(&behind.gateway, &format!("ann-pending-{n}"));
        let mut browser = Browser::new(behind.gateway.address);
        let page = after_password(&ann, &mut browser);
        for command in commands {
            behind.gateway.json(&["user", command, &ann.name], "");
        }
        let code = ann.recovery_codes[0].as_str();
        let reply = browser.submit(&page, &[("recovery_code", code)]);
        assert!(location(&reply).starts_with("/_vestibule/login?"), "{commands:?}");
        assert!(!is_signed_in(&browser), "{commands:?}");
        assert!(!browser.cookies.contains_key("vestibule-step"), "{commands:?}");
    }
}

#[test]
fn a_sign_in_under_way_outlives_what_does_not_matter_to_it() {
    let behind = patient();
    let ann = Person::add(&behind.gateway, "ann-unmoved");
    let mut browser = Browser::new(behind.gateway.address);
    let page = after_password(&ann, &mut browser);
    behind.gateway.json(&["user", "set", &ann.name, "--group", "staff"], "");
    behind.gateway.json(&["session", "revoke", "--user", &ann.name], "");
    assert_eq!(browser.submit(&page, &[("recovery_code", &ann.recovery_codes[0])]).status, 303);
    assert!(is_signed_in(&browser));
}

#[test]
fn who_must_change_the_password_does_so_before_anything_else() {
    let app = App::start();
    let gateway = Gateway::start(Options::upstream(&app.url()));
    let ann = Person::add_with(&gateway, "ann", &["--must-change-password"]);
    let mut browser = Browser::new(gateway.address);
    let page = ann.recover(&mut browser, "/app", 0);
    assert!(browser.path.starts_with("/_vestibule/password"), "{}", browser.path);
    assert!(!is_signed_in(&browser));
    for (password, again) in [(ANOTHER, "something else"), ("short", "short"), ("", "")] {
        let fields = [("password", password), ("password_again", again)];
        assert_eq!(browser.submit(&page, &fields).status, 422, "{password:?}");
    }
    let fields = [("password", ANOTHER), ("password_again", ANOTHER)];
    let reply = browser.submit_and_follow(&page, &fields);
    assert_eq!((reply.status, browser.path.as_str()), (200, "/app"));
    let mut other = Browser::new(gateway.address);
    let page = other.open("/_vestibule/login");
    let right = [("username", "ann"), ("password", ADMIN_PASSWORD)];
    assert_eq!(other.submit(&page, &right).status, 401, "the old password still works");
    let right = [("username", "ann"), ("password", ANOTHER)];
    assert_eq!(other.submit(&page, &right).status, 303);
}

#[test]
fn a_forced_new_password_ends_the_sessions_that_there_were() {
    let behind = patient();
    let gateway = &behind.gateway;
    let ann = Person::add(gateway, "ann-forced");
    let mut old = Browser::new(gateway.address);
    assert_eq!(ann.recover(&mut old, "/app", 0).status, 200);
    let mut pending = Browser::new(gateway.address);
    let waiting = after_password(&ann, &mut pending);
    // The link of a reset is the way to a forced new password for somebody who is there already.
    let reset = gateway.json(&["user", "reset-password", &ann.name], "");
    assert!(!is_signed_in(&old), "a reset leaves a session behind");
    let mut browser = Browser::new(gateway.address);
    let page = browser.open(&target_of(&reset["url"]));
    let fields = [("password", ANOTHER), ("password_again", ANOTHER)];
    let page = browser.submit_and_follow(&page, &fields);
    assert!(browser.path.starts_with("/_vestibule/login/second-factor"), "{}", browser.path);
    let code = ("recovery_code", ann.recovery_codes[1].as_str());
    assert_eq!(browser.submit(&page, &[code]).status, 303);
    assert!(is_signed_in(&browser) && !is_signed_in(&old));
    let late = pending.submit(&waiting, &[("recovery_code", &ann.recovery_codes[2])]);
    assert!(location(&late).starts_with("/_vestibule/login?"));
    assert!(!is_signed_in(&pending));
}
