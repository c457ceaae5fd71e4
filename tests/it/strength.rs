//! How hard a new password is to guess: said on pages, and to the script of a page that asks.

use crate::harness::{ADMIN_PASSWORD, Browser, Gateway, Options, Reply, World, filled_in};
use serde_json::{Value, json};
use std::sync::Arc;
use vestibule::service::Settings;

const AT: &str = "/_vestibule/password/strength";
const AS_A_SCRIPT: &str = "Content-Type: application/x-www-form-urlencoded\r\n\
                           Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: same-origin\r\n\
                           Sec-Fetch-Dest: empty\r\n";

fn open_to_all() -> Arc<World> {
    World::new(Settings { registration: true, ..Settings::default() })
}

/// Asks as the script of a page does.
fn ask(browser: &mut Browser, page: &Reply, fields: &[(&str, &str)]) -> Reply {
    let body = filled_in(&page.text(), fields).1;
    browser.request("POST", AT, AS_A_SCRIPT, &body)
}

fn said(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{}", reply.text());
    serde_json::from_slice(&reply.body).unwrap()
}

#[test]
fn the_script_of_a_page_is_told_how_hard_a_password_is_to_guess_and_why() {
    let mut browser = open_to_all().browser();
    let page = browser.open("/_vestibule/register");
    let weigh = |browser: &mut Browser, name: &str, password: &str| {
        said(&ask(browser, &page, &[("username", name), ("password", password)]))
    };
    let weak = weigh(&mut browser, "ann", "password1234");
    assert!(weak["score"].as_u64().unwrap() < 3, "{weak}");
    assert!(weak["text"].as_str().unwrap().contains("many people use"), "{weak}");
    let named = weigh(&mut browser, "rosalind", "Rosalind1998");
    assert!(named["text"].as_str().unwrap().contains("known about you"), "{named}");
    let strong = weigh(&mut browser, "ann", "tulip zeppelin moraine sandbag");
    assert_eq!(strong, json!({"score": 4, "level": "Very hard to guess", "text": ""}));
    browser.added = "Accept-Language: de\r\n".into();
    let german = weigh(&mut browser, "ann", "password1234");
    assert!(german["level"].as_str().unwrap().contains("zu erraten"), "{german}");
    // A password of any length that a form takes is answered.
    assert!(weigh(&mut browser, "ann", &"x1".repeat(2000))["score"].is_u64());
}

#[test]
fn nobody_else_has_passwords_weighed() {
    let world = open_to_all();
    let mut browser = world.browser();
    let page = browser.open("/_vestibule/register");
    let body = filled_in(&page.text(), &[("password", "password1234")]).1;
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    for (headers, body, status) in [
        (format!("{form}Origin: http://evil.test\r\n"), body.clone(), 403),
        (format!("{form}Sec-Fetch-Site: same-site\r\n"), body.clone(), 403),
        (form.into(), body.replace("form_token", "no_token"), 403),
        (form.into(), format!("{body}&more={}", "x".repeat(9000)), 413),
        ("Content-Type: text/plain\r\n".into(), body.clone(), 415),
    ] {
        let reply = browser.clone().request("POST", AT, &headers, &body);
        assert_eq!(reply.status, status, "{headers}");
        assert!(!reply.text().contains("score"));
    }
    // The token of one browser is none of another's.
    assert_eq!(world.browser().request("POST", AT, form, &body).status, 403);
    let reply = browser.request("GET", AT, "Sec-Fetch-Mode: navigate\r\n", "");
    assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")));
}

#[test]
fn whoever_asks_without_end_is_refused_and_signs_in_all_the_same() {
    let world = open_to_all();
    world.add("ann", false);
    let mut browser = world.browser();
    let page = browser.open("/_vestibule/register");
    let fields = [("username", "ann"), ("password", "abc")];
    let refused = (0..200).find(|_| ask(&mut browser, &page, &fields).status == 429);
    assert_eq!(refused, Some(120));
    assert_eq!(ask(&mut world.browser_from("192.0.2.99"), &page, &fields).status, 403);
    let mut other = world.browser();
    let login = other.open("/_vestibule/login");
    let right = [("username", "ann"), ("password", ADMIN_PASSWORD)];
    assert_eq!(other.submit(&login, &right).status, 303);
    world.pass(60);
    assert_eq!(ask(&mut browser, &page, &fields).status, 200);
}

#[test]
fn a_refused_password_is_weighed_on_the_page_without_any_script() {
    let mut browser = open_to_all().browser();
    let page = browser.open("/_vestibule/register");
    assert!(page.text().contains("<div class=\"strength\""), "{}", page.text());
    assert!(!page.text().contains("Easy to guess"));
    let try_one = |browser: &mut Browser, password: &str, again: &str| {
        let fields = [("username", "ann"), ("password", password), ("password_again", again)];
        browser.submit(&page, &fields)
    };
    let short = try_one(&mut browser, "qwertyuiop", "qwertyuiop");
    assert_eq!(short.status, 422);
    for text in
        ["at least 12 characters", "easy to guess</strong>", "many people use", "Add a word"]
    {
        assert!(short.text().contains(text), "{text}: {}", short.text());
    }
    assert!(!short.text().contains("qwerty"), "what was typed is not repeated");
    let mistyped = try_one(&mut browser, "tulip zeppelin moraine", "tulip zeppelin morain");
    assert!(mistyped.text().contains("hard to guess</strong>"), "{}", mistyped.text());
}

#[test]
fn a_password_that_is_easy_to_guess_is_taken_where_the_configuration_refuses_none() {
    let world = open_to_all();
    let (mut browser, mut program) = (world.browser(), world.browser());
    let page = browser.open("/_vestibule/register");
    let weak = "password1234";
    let fields = [("username", "ann"), ("password", weak), ("password_again", weak)];
    assert_eq!(browser.submit(&page, &fields).status, 303);
    let body = json!({"username": "bob", "password": weak});
    assert_eq!(program.call("POST", "/auth/register", body).status, 201);
}

#[test]
fn only_pages_on_which_a_password_is_chosen_may_ask_us_something() {
    let mut browser = open_to_all().browser();
    let policy = |reply: &Reply| reply.header("content-security-policy").unwrap().to_owned();
    let register = policy(&browser.open("/_vestibule/register"));
    assert!(register.ends_with("; connect-src 'self'"), "{register}");
    let login = policy(&browser.open("/_vestibule/login"));
    assert_eq!(register, format!("{login}; connect-src 'self'"));
    assert!(login.contains("default-src 'none'") && !login.contains("connect-src"));
}

#[test]
fn nothing_of_what_is_weighed_is_written_down() {
    let gateway = Gateway::start(Options::default().config("[registration]\nenabled = true\n"));
    let mut browser = Browser::new(gateway.address);
    let page = browser.open("/_vestibule/register");
    let marker = "marzipan-octopus-7731";
    let fields = [("username", "ann"), ("password", marker)];
    assert_eq!(said(&ask(&mut browser, &page, &fields))["score"], 4);
    let refused = [("username", "ann"), ("password", marker), ("password_again", "other")];
    assert_eq!(browser.submit(&page, &refused).status, 422);
    let log = gateway.log_to_its_end();
    assert!(log.contains(AT), "{log}");
    assert!(!log.contains("marzipan") && !log.contains("7731"), "{log}");
}

#[test]
fn what_anybody_here_would_try_first_is_not_taken() {
    let config = "[password]\nwords = [\"Roadrunner Ltd\"]\n[registration]\nenabled = true\n";
    let gateway = Gateway::start(Options::default().config(config));
    let mut browser = Browser::new(gateway.address);
    let page = browser.open("/_vestibule/register");
    let mut choose = |password: &str| {
        let twice = [("password", password), ("password_again", password)];
        browser.submit(&page, &[&[("username", "wile")], &twice[..]].concat())
    };
    for obvious in ["ROADRUNNER-2026", "vestibule-wile-1", "roadrunner.roadrunner"] {
        let reply = choose(obvious);
        assert_eq!(reply.status, 422, "{obvious}");
        assert!(reply.text().contains("more in it than your name"), "{}", reply.text());
    }
    assert_eq!(choose("a roadrunner eats no anvils").status, 303);
}
