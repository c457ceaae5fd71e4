//! The way from a name and a password to a session, as people and attackers walk it.

mod codes;
mod cookies;
mod enrolment;
mod links;
mod lockout;
mod refusals;
mod revocation;
mod steps;

use crate::harness::{Behind, Browser, Person, Reply, Shared};
use std::sync::Arc;

/// A gateway for whoever fails on purpose, but not in order to be locked out.
fn patient() -> Arc<Behind> {
    static GATEWAY: Shared = Shared::new();
    GATEWAY.get("[limits]\nlockout_after = 100\n")
}

/// Whether an app answers this browser.
fn is_signed_in(browser: &Browser) -> bool {
    // A copy: looking must not change what the browser holds.
    let reply = browser.clone().request("GET", "/app", "Sec-Fetch-Mode: navigate\r\n", "");
    match reply.status {
        200 => true,
        302 => false,
        other => panic!("neither in nor out: {other}"),
    }
}

/// Gives name and password, and opens the page that comes next.
fn after_password(person: &Person, browser: &mut Browser) -> Reply {
    let answer = person.give_password(browser, "/app");
    assert_eq!(answer.status, 303, "{}", answer.text());
    browser.follow(answer)
}

/// Where somebody is sent.
fn location(reply: &Reply) -> &str {
    assert!([302, 303].contains(&reply.status), "{}: {}", reply.status, reply.text());
    reply.header("location").unwrap()
}

/// The target of a link that a command printed.
fn target_of(url: &serde_json::Value) -> String {
    let url = url.as_str().expect("a link");
    format!("/{}", url.splitn(4, '/').nth(3).unwrap())
}

/// The key that an enrolment page shows as text.
fn key_on(page: &Reply) -> String {
    let text = page.text();
    let key = text.split("<code>").nth(1).unwrap_or_else(|| panic!("no key: {text}"));
    key.split('<').next().unwrap().to_owned()
}

/// The recovery codes that a page shows.
fn recovery_codes_on(page: &Reply) -> Vec<String> {
    let text = page.text();
    let items = text.split("<li>").skip(1);
    items.map(|item| item.split('<').next().unwrap().to_owned()).collect()
}
