//! What failures cost: passwords and codes on one account, names that exist or not.

use super::{after_password, is_signed_in};
use crate::harness::{Behind, Browser, Person, Reply, Shared, filled_in};
use std::sync::Arc;

/// A gateway that locks after three failures.
fn strict() -> Arc<Behind> {
    static GATEWAY: Shared = Shared::new();
    GATEWAY.get("[limits]\nlockout_after = 3\nlockout_for = \"10m\"\n")
}

fn fail(browser: &mut Browser, name: &str) -> Reply {
    let page = browser.open("/_vestibule/login");
    browser.submit(&page, &[("username", name), ("password", "a wrong password indeed")])
}

#[test]
fn a_name_is_locked_after_so_many_failures_whether_or_not_it_is_somebodys() {
    let behind = strict();
    let ann = Person::add(&behind.gateway, "ann-locked");
    let mut pages = Vec::new();
    for name in [ann.name.as_str(), "nobody-locked"] {
        let mut browser = Browser::new(behind.gateway.address);
        for _ in 0..3 {
            assert_eq!(fail(&mut browser, name).status, 401);
        }
        let page = browser.open("/_vestibule/login");
        let right = [("username", name), ("password", ann.password.as_str())];
        let reply = browser.submit(&page, &right);
        assert_eq!(reply.status, 423, "{name}");
        let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!((590..=600).contains(&wait), "{wait}");
        assert!(!browser.cookies.contains_key("vestibule-step"), "{:?}", browser.cookies);
        // Another browser's form token is another one; the rest is alike.
        let text = reply.text().replace(name, "NAME");
        // The second name is locked some moments later.
        let (before, rest) = text.split_once("<time").unwrap();
        let text = format!("{before}{}", rest.split_once("</time>").unwrap().1);
        let (before, after) = text.split_once("name=\"form_token\"").unwrap();
        pages.push([before.to_owned(), after.split_once('>').unwrap().1.to_owned()]);
    }
    assert_eq!(pages[0], pages[1]);
}

#[test]
fn every_spelling_of_a_name_and_its_e_mail_address_share_one_counter() {
    let behind = strict();
    let email = ["--email", "spelled@example.com"];
    let ann = Person::add_with(&behind.gateway, "ann-spelled", &email);
    let mut browser = Browser::new(behind.gateway.address);
    for name in ["ANN-spelled", " Spelled@Example.COM ", "ａｎｎ-spelled"] {
        assert_eq!(fail(&mut browser, name).status, 401, "{name}");
    }
    assert_eq!(ann.give_password(&mut browser, "/app").status, 423);
    for name in ["NOBODY-spelled", " nobody-spelled", "ｎobody-spelled"] {
        assert_eq!(fail(&mut browser, name).status, 401, "{name}");
    }
    assert_eq!(fail(&mut browser, "nobody-spelled").status, 423);
}

#[test]
fn wrong_codes_and_wrong_passwords_count_together_and_a_right_password_forgives_none() {
    let behind = strict();
    let ann = Person::add(&behind.gateway, "ann-counted");
    let mut browser = Browser::new(behind.gateway.address);
    assert_eq!(fail(&mut browser, &ann.name).status, 401);
    for wrong in [("code", "000000"), ("recovery_code", "0000-0000-0000-0000")] {
        let page = after_password(&ann, &mut browser);
        assert_eq!(browser.submit(&page, &[wrong]).status, 401, "{wrong:?}");
    }
    // The account is locked at both steps, also for what is right.
    let mut other = Browser::new(behind.gateway.address);
    assert_eq!(ann.give_password(&mut other, "/app").status, 423);
    let page = browser.open("/_vestibule/login/second-factor");
    let right = [("recovery_code", ann.recovery_codes[0].as_str())];
    let reply = browser.submit(&page, &right);
    assert_eq!(reply.status, 423);
    assert!(reply.header("retry-after").is_some());

    let shown = behind.gateway.json(&["user", "show", &ann.name], "");
    assert!(shown["locked_until"].is_string(), "{shown}");
    behind.gateway.json(&["user", "unlock", &ann.name], "");
    let shown = behind.gateway.json(&["user", "show", &ann.name], "");
    assert!(shown["locked_until"].is_null(), "{shown}");
    // The recovery code was not used up while the account was locked.
    assert_eq!(browser.submit(&page, &right).status, 303);
    assert!(is_signed_in(&browser));
}

#[test]
fn a_finished_sign_in_forgives_what_went_before() {
    let behind = strict();
    let ann = Person::add(&behind.gateway, "ann-forgiven");
    let mut browser = Browser::new(behind.gateway.address);
    for number in 0..2 {
        for _ in 0..2 {
            assert_eq!(fail(&mut Browser::new(behind.gateway.address), &ann.name).status, 401);
        }
        browser.cookies.clear();
        assert_eq!(ann.recover(&mut browser, "/app", number).status, 200);
    }
}

#[test]
fn parallel_tries_do_not_slip_past_the_limit() {
    let behind = strict();
    let ann = Person::add(&behind.gateway, "ann-flooded");
    let mut browser = Browser::new(behind.gateway.address);
    let page = browser.open("/_vestibule/login");
    let wrong = [("username", ann.name.as_str()), ("password", "a wrong password indeed")];
    let (_, body) = filled_in(&page.text(), &wrong);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..20)
            .map(|_| {
                let (mut browser, body) = (browser.clone(), body.as_str());
                scope.spawn(move || browser.post("/_vestibule/login", body).status)
            })
            .collect();
        tries.into_iter().map(|each| each.join().unwrap()).collect()
    });
    let of = |status| statuses.iter().filter(|each| **each == status).count();
    assert_eq!((of(401), of(423)), (3, 17), "{statuses:?}");
}
