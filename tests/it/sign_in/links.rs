//! One-time links: how often they work, until when, and what they do not give.

use super::{is_signed_in, key_on, location, patient, recovery_codes_on, target_of};
use crate::harness::{ADMIN_PASSWORD, App, Browser, Gateway, Options, Person, Reply, code_now};

const CHOSEN: &str = "a pass phrase of their own";

fn choose(browser: &mut Browser, page: &Reply, password: &str) -> Reply {
    browser.submit(page, &[("password", password), ("password_again", password)])
}

/// Every link ends in the same words.
fn is_dead(gateway: &Gateway, link: &str) -> bool {
    let reply = Browser::new(gateway.address).open(link);
    match reply.status {
        410 => !reply.text().contains("<form"),
        200 => false,
        other => panic!("{other}: {}", reply.text()),
    }
}

#[test]
fn an_invitation_works_once_and_looking_at_it_uses_nothing_up() {
    let behind = patient();
    let added = behind.gateway.json(&["user", "add", "bob-invited"], "");
    let link = target_of(&added["invite_url"]);
    let mut browser = Browser::new(behind.gateway.address);
    for _ in 0..3 {
        assert_eq!(browser.open(&link).status, 200);
        assert_eq!(browser.request("HEAD", &link, "", "").status, 200);
    }
    let page = browser.open(&link);
    let mut late = Browser::new(behind.gateway.address);
    let late_page = late.open(&link);
    assert!(page.text().contains("bob-invited") && page.text().contains("new-password"));
    // What will not do leaves the link as it was.
    assert_eq!(choose(&mut browser, &page, "short").status, 422);
    let reply = choose(&mut browser, &page, CHOSEN);
    assert_eq!(location(&reply), "/_vestibule/enroll");
    assert!(is_dead(&behind.gateway, &link));
    // Also for a page that was opened before.
    let reply = choose(&mut late, &late_page, "somebody else's pass phrase");
    assert_eq!(reply.status, 410);
    assert!(!late.cookies.contains_key("vestibule-step"));
    let page = browser.open("/_vestibule/enroll");
    let shown = browser.submit_and_follow(&page, &[("code", &code_now(&key_on(&page)))]);
    assert_eq!(recovery_codes_on(&shown).len(), 10);
    assert!(is_signed_in(&browser));
}

#[test]
fn an_invitation_is_dead_after_a_newer_link_for_the_password() {
    let behind = patient();
    let added = behind.gateway.json(&["user", "add", "bob-newer"], "");
    let links: Vec<String> = std::iter::once(target_of(&added["invite_url"]))
        .chain((0..2).map(|_| {
            target_of(&behind.gateway.json(&["user", "reset-password", "bob-newer"], "")["url"])
        }))
        .collect();
    assert!(is_dead(&behind.gateway, &links[0]), "the invitation outlives a newer link");
    assert!(is_dead(&behind.gateway, &links[1]), "a reset outlives a newer one");
    let mut browser = Browser::new(behind.gateway.address);
    let page = browser.open(&links[2]);
    assert_eq!(choose(&mut browser, &page, CHOSEN).status, 303);
    assert!(links.iter().all(|link| is_dead(&behind.gateway, link)));
}

#[test]
fn a_reset_password_keeps_the_second_factor() {
    let behind = patient();
    let ann = Person::add(&behind.gateway, "ann-forgot");
    let reset = behind.gateway.json(&["user", "reset-password", &ann.name], "");
    let mut browser = Browser::new(behind.gateway.address);
    assert_eq!(ann.give_password(&mut browser, "/app").status, 401, "the old password is void");
    let page = browser.open(&target_of(&reset["url"]));
    let page = {
        let reply = choose(&mut browser, &page, CHOSEN);
        browser.follow(reply)
    };
    assert!(
        browser.path.starts_with("/_vestibule/login/second-factor"),
        "{} {} {}",
        browser.path,
        page.status,
        page.text()
    );
    assert!(!is_signed_in(&browser));
    assert!(!browser.open("/_vestibule/enroll").text().contains("<code>"));
    assert_eq!(browser.submit(&page, &[("code", &code_now(&ann.secret))]).status, 303);
    assert!(is_signed_in(&browser));
}

#[test]
fn after_a_reset_of_the_second_factor_the_password_alone_cannot_enrol() {
    let behind = patient();
    let ann = Person::add(&behind.gateway, "ann-lost");
    let mut old = Browser::new(behind.gateway.address);
    assert_eq!(ann.recover(&mut old, "/app", 0).status, 200);
    let first = behind.gateway.json(&["user", "reset-mfa", &ann.name], "");
    let reset = behind.gateway.json(&["user", "reset-mfa", &ann.name], "");
    assert!(!is_signed_in(&old), "a reset leaves a session behind");
    assert!(is_dead(&behind.gateway, &target_of(&first["url"])));

    let mut thief = Browser::new(behind.gateway.address);
    let reply = ann.give_password(&mut thief, "/app");
    let page = thief.follow(reply);
    assert!(page.text().contains("A link is needed"), "{}", page.text());
    assert!(!page.text().contains("<code>") && !page.text().contains("otpauth"));
    let token = thief.open("/_vestibule/login?rd=/x");
    let token = crate::harness::filled_in(&token.text(), &[]).1;
    let reply = thief.post("/_vestibule/enroll", &format!("{token}&code=123456"));
    assert!(!is_signed_in(&thief), "{}", reply.status);

    // The link without the password is no better.
    let link = target_of(&reset["url"]);
    let mut finder = Browser::new(behind.gateway.address);
    let page = finder.open(&link);
    assert_eq!(finder.submit(&page, &[("password", "a wrong password")]).status, 401);
    let mut browser = Browser::new(behind.gateway.address);
    let page = browser.open(&link);
    let page = browser.submit_and_follow(&page, &[("password", &ann.password)]);
    assert!(browser.path.starts_with("/_vestibule/enroll"), "{}", browser.path);
    let key = key_on(&page);
    assert_ne!(key.replace(' ', ""), ann.secret);
    assert!(is_dead(&behind.gateway, &link));
    let shown = browser.submit_and_follow(&page, &[("code", &code_now(&key))]);
    assert_eq!(recovery_codes_on(&shown).len(), 10);
    assert!(is_signed_in(&browser));
    // What belonged to the old second factor went with it.
    let mut old = Browser::new(behind.gateway.address);
    assert_eq!(ann.recover(&mut old, "/app", 1).status, 401);
}

#[test]
fn tries_at_the_link_for_a_second_factor_count_towards_the_lockout() {
    let app = App::start();
    let options = Options::upstream(&app.url()).config("[limits]\nlockout_after = 3\n");
    let gateway = Gateway::start(options);
    let ann = Person::add(&gateway, "ann");
    let link = target_of(&gateway.json(&["user", "reset-mfa", "ann"], "")["url"]);
    let mut browser = Browser::new(gateway.address);
    let page = browser.open(&link);
    for _ in 0..3 {
        assert_eq!(browser.submit(&page, &[("password", "a wrong password")]).status, 401);
    }
    assert_eq!(browser.submit(&page, &[("password", &ann.password)]).status, 423);
    gateway.json(&["user", "unlock", "ann"], "");
    assert_eq!(browser.submit(&page, &[("password", &ann.password)]).status, 303);
    // The log is written by a thread of its own; whoever stops has written all of it.
    let (id, log) =
        (gateway.json(&["user", "show", "ann"], "")["id"].clone(), gateway.log_to_its_end());
    let failures: Vec<serde_json::Value> = log
        .lines()
        .filter(|line| line.contains("sign_in_failed"))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told = ["credentials", "credentials", "credentials", "locked"];
    assert_eq!(failures.iter().map(|line| &line["detail"]).collect::<Vec<_>>(), told);
    assert!(failures.iter().all(|line| line["user"] == id), "{failures:?}");
}

#[test]
fn a_link_that_was_used_and_not_finished_opens_nothing_to_the_password_alone() {
    let behind = patient();
    let ann = Person::add(&behind.gateway, "ann-interrupted");
    let reset = behind.gateway.json(&["user", "reset-mfa", &ann.name], "");
    let mut browser = Browser::new(behind.gateway.address);
    let page = browser.open(&target_of(&reset["url"]));
    let page = browser.submit_and_follow(&page, &[("password", &ann.password)]);
    assert!(page.text().contains("otpauth"), "{}", page.text());

    let mut thief = Browser::new(behind.gateway.address);
    let reply = ann.give_password(&mut thief, "/app");
    let page = thief.follow(reply);
    assert!(page.text().contains("A link is needed"), "{}", page.text());
    assert!(!page.text().contains("otpauth"));
}

/// The link that a gateway printed when it started.
fn setup_link(gateway: &Gateway) -> String {
    let greeting = gateway.greeting();
    let at = greeting.find("/_vestibule/setup?token=").expect("a setup link");
    greeting[at..].split_whitespace().next().unwrap().to_owned()
}

#[test]
fn the_setup_link_is_dead_after_use_and_the_next_start_prints_none() {
    let gateway = Gateway::start(Options::default());
    let first = setup_link(&gateway);
    let gateway = gateway.kill_and_restart();
    let link = setup_link(&gateway);
    assert!(is_dead(&gateway, &first), "a setup link outlives a newer one");
    let mut browser = Browser::new(gateway.address);
    let page = browser.open(&link);
    let mut late = Browser::new(gateway.address);
    let late_page = late.open(&link);
    let choice = |name| [("username", name), ("password", CHOSEN), ("password_again", CHOSEN)];
    assert_eq!(location(&browser.submit(&page, &choice("ann"))), "/_vestibule/enroll");
    assert!(is_dead(&gateway, &link));
    assert_eq!(late.submit(&late_page, &choice("eve")).status, 410);
    let users = gateway.json(&["user", "list"], "");
    assert_eq!(users.as_array().unwrap().len(), 1);
    assert_eq!(users[0]["groups"], serde_json::json!(["admins"]));
    let gateway = gateway.kill_and_restart();
    assert!(!gateway.greeting().contains("token="), "{}", gateway.greeting());
}

#[test]
fn the_setup_link_is_dead_once_somebody_was_added_by_command() {
    let gateway = Gateway::start(Options::default());
    let link = setup_link(&gateway);
    let mut browser = Browser::new(gateway.address);
    let page = browser.open(&link);
    gateway.json(&["user", "add", "ann", "--password-stdin"], ADMIN_PASSWORD);
    assert!(is_dead(&gateway, &link));
    let choice = [("username", "eve"), ("password", CHOSEN), ("password_again", CHOSEN)];
    assert_eq!(browser.submit(&page, &choice).status, 410);
}

#[test]
fn a_link_for_somebody_who_is_disabled_or_removed_is_dead() {
    let behind = patient();
    for (name, command) in [("bob-disabled", "disable"), ("bob-removed", "remove")] {
        let added = behind.gateway.json(&["user", "add", name], "");
        let link = target_of(&added["invite_url"]);
        assert!(!is_dead(&behind.gateway, &link));
        behind.gateway.json(&["user", command, name], "");
        assert!(is_dead(&behind.gateway, &link), "{command}");
    }
    for token in ["", "A", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        for page in ["setup", "invite"] {
            assert!(is_dead(&behind.gateway, &format!("/_vestibule/{page}?token={token}")));
        }
    }
}

#[test]
fn a_link_names_the_public_address_and_never_the_host_of_a_request() {
    let app = App::start();
    let server = "public_url = \"https://login.example.com\"\ntrusted_proxies = [\"127.0.0.1\"]\n";
    let gateway =
        Gateway::start(Options { server: server.into(), ..Options::upstream(&app.url()) });
    assert!(gateway.greeting().contains("https://login.example.com/_vestibule/setup?token="));
    let added = gateway.json(&["user", "add", "bob"], "");
    let url = added["invite_url"].as_str().unwrap();
    assert!(url.starts_with("https://login.example.com/_vestibule/invite?token="), "{url}");
}
