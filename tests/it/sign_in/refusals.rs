//! What tells known, unknown and disabled accounts apart: nothing.

use super::patient;
use crate::harness::{ADMIN_PASSWORD, Browser, Gateway, Person, Reply, filled_in};
use std::time::{Duration, Instant};

/// Names with which nobody gets in, each for another reason, and a password for each.
fn hopeless(gateway: &Gateway, tag: &str) -> [(String, &'static str); 4] {
    let name = |what: &str| format!("{what}-{tag}");
    let (ann, gone, invited) = (name("ann"), name("gone"), name("invited"));
    Person::add(gateway, &ann);
    Person::add(gateway, &gone);
    gateway.json(&["user", "disable", &gone], "");
    gateway.json(&["user", "add", &invited], "");
    [
        (ann, "a wrong password indeed"),
        (gone, ADMIN_PASSWORD),
        (invited, ADMIN_PASSWORD),
        (name("nobody"), ADMIN_PASSWORD),
    ]
}

fn try_password(browser: &mut Browser, page: &Reply, name: &str, password: &str) -> Reply {
    let (_, body) = filled_in(&page.text(), &[("username", name), ("password", password)]);
    browser.post("/_vestibule/login", &body)
}

#[test]
fn wrong_password_unknown_user_and_disabled_user_are_answered_in_the_same_bytes() {
    let behind = patient();
    let names = hopeless(&behind.gateway, "alike");
    let mut browser = Browser::new(behind.gateway.address);
    let page = browser.open("/_vestibule/login");
    let answers: Vec<_> = names
        .iter()
        .map(|(name, password)| {
            let reply = try_password(&mut browser, &page, name, password);
            assert!(reply.text().contains(name.as_str()), "the name is not written back");
            assert!(!reply.text().contains(password), "the password is written back");
            let plain = reply.text().replace(name.as_str(), "NAME");
            // The length differs by the name alone.
            let varies = |name: &str| ["content-length", "date"].contains(&name);
            let headers: Vec<_> =
                reply.headers.into_iter().filter(|(name, _)| !varies(name)).collect();
            (reply.status, headers, plain)
        })
        .collect();
    assert_eq!(answers[0].0, 401);
    for answer in &answers[1..] {
        assert_eq!(answer, &answers[0]);
    }
    assert!(browser.cookies.keys().all(|name| name == "vestibule-form"), "{:?}", browser.cookies);
}

#[test]
fn whoever_measures_how_long_they_take_could_as_well_throw_a_coin() {
    const TRIES: usize = 60;
    let behind = patient();
    let names = hopeless(&behind.gateway, "timed");
    let mut browser = Browser::new(behind.gateway.address);
    let page = browser.open("/_vestibule/login");
    let mut times = vec![Vec::new(); names.len()];
    // By turns, so that whatever else the machine does weighs on all alike.
    for _ in 0..TRIES {
        for ((name, password), times) in names.iter().zip(&mut times) {
            let begun = Instant::now();
            assert_eq!(try_password(&mut browser, &page, name, password).status, 401);
            times.push(begun.elapsed());
        }
    }
    let (nobody, others) = times.split_last().unwrap();
    for (other, what) in others.iter().zip(["wrong", "disabled", "invited"]) {
        let slower = slower(other, nobody);
        println!("{what}: slower than unknown in {slower:.2} of all pairs");
        // Without a difference it is 0.50, give or take 0.05 a standard deviation.
        assert!((0.3..=0.7).contains(&slower), "{what}: {slower:.2}");
    }
}

/// In which part of all pairs the first is the slower one.
fn slower(first: &[Duration], second: &[Duration]) -> f64 {
    let pairs = first.iter().flat_map(|one| second.iter().map(move |other| one > other));
    let count = pairs.filter(|slower| *slower).count();
    count as f64 / (first.len() * second.len()) as f64
}

#[test]
fn a_megabyte_of_password_is_refused_and_a_long_or_cut_one_is_wrong() {
    let behind = patient();
    let ann = Person::add(&behind.gateway, "ann-long");
    let mut browser = Browser::new(behind.gateway.address);
    let page = browser.open("/_vestibule/login");
    for (password, status) in [
        ("x".repeat(1_000_000), 413),
        ("x".repeat(30_000), 401),
        (format!("{ADMIN_PASSWORD}\0"), 401),
        (format!("{ADMIN_PASSWORD} "), 401),
        (ADMIN_PASSWORD[1..].to_owned(), 401),
        (String::new(), 401),
        (ADMIN_PASSWORD.to_owned(), 303),
    ] {
        let reply = try_password(&mut browser, &page, &ann.name, &password);
        assert_eq!(reply.status, status, "{} bytes", password.len());
    }
}
