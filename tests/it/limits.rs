//! How often may be tried: by address, by account, and from a browser that is known.

use crate::harness::{ADMIN_PASSWORD, Browser, Reply, World};
use std::sync::Arc;
use std::time::Duration;
use vestibule::domain::{AccessRules, FailureRules, Policy, Rate};
use vestibule::service::{AdminRequest, RateRules, Settings};

const fn rate(times: u32, secs: u64) -> Rate {
    Rate { times, per: Duration::from_secs(secs) }
}

/// A world with these rates, in which a password alone lets in.
fn world(per_address: Rate, per_account: Rate, lockout_after: u32) -> Arc<World> {
    let rates = RateRules { per_address, per_account };
    let failures = FailureRules { lockout_after, lockout_for: Duration::from_secs(600) };
    let access = AccessRules::new(Vec::new(), Policy::OneFactor);
    let world = World::with_rates(Settings {
        rates,
        failures,
        access,
        registration: true,
        ..Settings::default()
    });
    world.add("ann", false);
    world
}

fn give(browser: &mut Browser, name: &str, password: &str) -> Reply {
    let page = browser.open("/_vestibule/login");
    browser.submit(&page, &[("username", name), ("password", password)])
}

fn fail(browser: &mut Browser, name: &str) -> u16 {
    give(browser, name, "a wrong password indeed").status
}

#[test]
fn an_address_is_told_to_wait_and_for_how_long_whatever_it_tries() {
    let world = world(rate(3, 60), rate(1000, 60), 100);
    let mut browser = world.browser();
    for name in ["ann", "nobody", "somebody"] {
        assert_eq!(fail(&mut browser, name), 401);
        world.pass(5);
    }
    let refused = give(&mut browser, "ann", ADMIN_PASSWORD);
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("45")));
    assert!(refused.text().contains("45 seconds"), "{}", refused.text());
    assert_eq!(fail(&mut world.browser_from("192.0.2.8"), "ann"), 401, "another address");
    world.pass(45);
    assert_eq!(give(&mut browser, "ann", ADMIN_PASSWORD).status, 303);
}

#[test]
fn an_ipv6_network_is_one_address_and_so_is_an_ipv4_address_in_ipv6() {
    let world = world(rate(2, 60), rate(1000, 60), 100);
    for address in ["2001:db8:0:1::1", "2001:db8:0:2:ffff::2"] {
        assert_eq!(fail(&mut world.browser_from(address), "ann"), 401);
    }
    assert_eq!(fail(&mut world.browser_from("2001:db8:0:ff::3"), "ann"), 429);
    assert_eq!(fail(&mut world.browser_from("2001:db8:0:100::1"), "ann"), 401);
    for address in ["198.51.100.1", "::ffff:198.51.100.1"] {
        assert_eq!(fail(&mut world.browser_from(address), "ann"), 401);
    }
    assert_eq!(fail(&mut world.browser_from("198.51.100.1"), "ann"), 429);
}

#[test]
fn an_account_is_guarded_from_many_addresses_whether_or_not_it_exists() {
    let world = world(rate(1000, 60), rate(3, 900), 100);
    let mut answers = Vec::new();
    for names in [["ann", "ANN", " ann "], ["nobody", "NOBODY", "ｎobody"]] {
        for (at, name) in names.into_iter().enumerate() {
            assert_eq!(fail(&mut world.browser_from(&format!("198.51.100.{at}")), name), 401);
        }
        let refused = give(&mut world.browser_from("198.51.100.9"), names[0], ADMIN_PASSWORD);
        answers.push((refused.status, refused.header("retry-after").map(str::to_owned)));
    }
    assert_eq!(answers, [(429, Some("900".into())), (429, Some("900".into()))]);
    world.pass(900);
    assert_eq!(give(&mut world.browser(), "ann", ADMIN_PASSWORD).status, 303);
}

#[test]
fn of_a_lock_and_a_rate_the_lock_is_told() {
    let world = world(rate(1000, 60), rate(3, 60), 3);
    for name in ["ann", "nobody"] {
        let mut browser = world.browser();
        for _ in 0..3 {
            assert_eq!(fail(&mut browser, name), 401);
        }
        let refused = give(&mut browser, name, ADMIN_PASSWORD);
        assert_eq!((refused.status, refused.header("retry-after")), (423, Some("600")), "{name}");
    }
}

#[test]
fn strangers_cannot_lock_an_owner_out_of_a_browser_that_the_account_knows() {
    let world = world(rate(1000, 60), rate(100, 900), 3);
    let mut own = world.browser();
    assert_eq!(give(&mut own, "ann", ADMIN_PASSWORD).status, 303);
    // The session is over; the browser is still known.
    own.cookies.remove("vestibule");
    let mut stranger = world.browser_from("198.51.100.1");
    for _ in 0..3 {
        assert_eq!(fail(&mut stranger, "ann"), 401);
    }
    assert_eq!(give(&mut stranger, "ann", ADMIN_PASSWORD).status, 423);
    // Whoever signs in from elsewhere is locked out with the stranger, the owner at home is not.
    assert_eq!(give(&mut world.browser(), "ann", ADMIN_PASSWORD).status, 423);
    assert_eq!(give(&mut own, "ann", ADMIN_PASSWORD).status, 303);
    // That forgives the stranger nothing.
    assert_eq!(give(&mut stranger, "ann", ADMIN_PASSWORD).status, 423);
    // The browser's own counter locks it like any other, and unlocking clears them all.
    own.cookies.remove("vestibule");
    for _ in 0..3 {
        assert_eq!(fail(&mut own, "ann"), 401);
    }
    assert_eq!(give(&mut own, "ann", ADMIN_PASSWORD).status, 423);
    world.admin(AdminRequest::UserUnlock { name: "ann".into() });
    assert_eq!(give(&mut own, "ann", ADMIN_PASSWORD).status, 303);
    assert_eq!(give(&mut stranger, "ann", ADMIN_PASSWORD).status, 303);
}

#[test]
fn a_browser_is_known_to_the_accounts_that_were_signed_in_to_and_to_no_other() {
    let world = world(rate(1000, 60), rate(1000, 900), 3);
    world.add("bob", false);
    let mut browser = world.browser();
    assert_eq!(give(&mut browser, "bob", ADMIN_PASSWORD).status, 303);
    let known = browser.cookies["vestibule-known"].clone();
    browser.cookies.remove("vestibule");
    let mut stranger = world.browser_from("198.51.100.1");
    for _ in 0..3 {
        assert_eq!(fail(&mut stranger, "ann"), 401);
    }
    assert_eq!(give(&mut browser, "ann", ADMIN_PASSWORD).status, 423, "bob's browser");
    // A token that we never gave is not taken on.
    let mut planted = world.browser();
    planted.cookies.insert("vestibule-known".into(), "A".repeat(43));
    assert_eq!(give(&mut planted, "bob", ADMIN_PASSWORD).status, 303);
    assert_ne!(planted.cookies["vestibule-known"], "A".repeat(43));
    // It is another one after each sign-in: whoever copied it is not taken for whoever comes next.
    let mut thief = world.browser_from("198.51.100.2");
    thief.cookies.insert("vestibule-known".into(), known.clone());
    assert_eq!(give(&mut browser, "bob", ADMIN_PASSWORD).status, 303);
    assert_ne!(browser.cookies["vestibule-known"], known);
    for _ in 0..3 {
        assert_eq!(fail(&mut thief, "bob"), 401);
    }
    assert_eq!(give(&mut thief, "bob", ADMIN_PASSWORD).status, 423);
    browser.cookies.remove("vestibule");
    assert_eq!(give(&mut browser, "bob", ADMIN_PASSWORD).status, 303);
}

#[test]
fn adding_oneself_is_counted_by_address_like_signing_in() {
    let world = world(rate(2, 60), rate(1000, 60), 100);
    let mut browser = world.browser();
    let page = browser.open("/_vestibule/register");
    for (name, expected) in [("bob", 303), ("carol", 429)] {
        let fields =
            [("username", name), ("password", ADMIN_PASSWORD), ("password_again", ADMIN_PASSWORD)];
        // Who is added is signed in at once, which counts as well.
        assert_eq!(browser.submit(&page, &fields).status, expected);
    }
}

#[test]
fn unlocking_lets_an_owner_in_at_once_on_the_default_limits() {
    let access = AccessRules::new(Vec::new(), Policy::OneFactor);
    let world = World::with_rates(Settings { access, ..Settings::default() });
    world.add("ann", false);
    let mut stranger = world.browser_from("198.51.100.1");
    for _ in 0..10 {
        assert_eq!(fail(&mut stranger, "ann"), 401);
    }
    let mut owner = world.browser();
    assert_eq!(give(&mut owner, "ann", ADMIN_PASSWORD).status, 423);
    world.admin(AdminRequest::UserUnlock { name: "ann".into() });
    assert_eq!(give(&mut owner, "ann", ADMIN_PASSWORD).status, 303);
}

#[test]
fn a_browser_is_known_no_longer_once_the_password_has_changed() {
    let world = world(rate(1000, 60), rate(1000, 900), 3);
    let mut thief = world.browser_from("198.51.100.1");
    assert_eq!(give(&mut thief, "ann", ADMIN_PASSWORD).status, 303);
    thief.cookies.remove("vestibule");
    let mut owner = world.browser();
    assert_eq!(give(&mut owner, "ann", ADMIN_PASSWORD).status, 303);
    let page = owner.open("/_vestibule/password");
    let fields = [
        ("current_password", ADMIN_PASSWORD),
        ("password", "another long password"),
        ("password_again", "another long password"),
    ];
    assert_eq!(owner.submit(&page, &fields).status, 200);
    owner.cookies.remove("vestibule");
    // What the thief gets wrong counts like any stranger's; the owner's own browser stays known.
    for _ in 0..3 {
        assert_eq!(fail(&mut thief, "ann"), 401);
    }
    assert_eq!(give(&mut world.browser(), "ann", "another long password").status, 423);
    assert_eq!(give(&mut owner, "ann", "another long password").status, 303);
}
