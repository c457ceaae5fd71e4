//! Steps that a proxy's visitor is sent to.

use super::{DIALECTS, Dialect, Kept, PAGE};
use crate::harness::{ADMIN_PASSWORD, World, code_at};
use std::time::Duration;
use vestibule::domain::{AccessRules, Policy, Rule};
use vestibule::service::Settings;
use vestibule::types::HostPattern;

/// A rule for everything that asks for a second factor no older than a minute.
fn fresh() -> Rule {
    Rule {
        host: HostPattern::Any,
        path: "/".into(),
        methods: Vec::new(),
        networks: Vec::new(),
        users: Vec::new(),
        groups: Vec::new(),
        policy: Policy::TwoFactor,
        fresh: Some(Duration::from_secs(60)),
    }
}

#[test]
fn whose_second_factor_is_stale_is_asked_for_it_alone() {
    let access = AccessRules::new(vec![fresh()], Policy::TwoFactor);
    let world = World::new(Settings { access, ..Settings::default() });
    let secret = world.add("ann", true).unwrap();
    let mut browser = world.browser();
    let page = browser.open("/_vestibule/login");
    let page =
        browser.submit_and_follow(&page, &[("username", "ann"), ("password", ADMIN_PASSWORD)]);
    browser.submit_and_follow(&page, &[("code", &code_at(&secret, world.now()))]);
    let cookie = format!("Cookie: vestibule={}\r\n", browser.cookies["vestibule"]);
    for passed in [0, 61] {
        world.pass(passed);
        for dialect in DIALECTS {
            for is_page in [true, false] {
                let fields = format!("{cookie}{}", if is_page { PAGE } else { "" });
                let kept = Kept::get("app.test", "/x").with(&fields);
                let reply = world.answer(dialect.check(&kept, "").as_bytes());
                if passed == 0 {
                    assert_eq!(reply.status, 200, "{dialect:?}");
                    continue;
                }
                let sent = is_page && dialect != Dialect::AuthRequest;
                assert_eq!(reply.status, if sent { 302 } else { 401 }, "{dialect:?}");
                let to = "http://127.0.0.1:8080/_vestibule/login/second-factor?rd=https%3A%2F%2Fapp.test%2Fx";
                assert_eq!(reply.header("location"), Some(to), "{dialect:?}");
            }
        }
    }
}
