//! The first minutes: one command, one link, and the app knows who is there.

use crate::harness::{ADMIN_PASSWORD, App, Browser, Gateway, Options, Person, code_now};

/// The one-time link from what the gateway printed, as a target on its own host.
fn setup_link(gateway: &Gateway) -> String {
    let greeting = gateway.greeting();
    let at = greeting.find("/_vestibule/setup?token=").expect("a setup link");
    greeting[at..].split_whitespace().next().unwrap().to_owned()
}

#[test]
fn somebody_starts_it_opens_the_link_enrols_and_the_app_sees_who_they_are() {
    let app = App::start();
    let gateway = Gateway::start(Options::upstream(&app.url()));
    let mut browser = Browser::new(gateway.address);

    let page = browser.open(&setup_link(&gateway));
    let fields =
        [("username", "ann"), ("password", ADMIN_PASSWORD), ("password_again", ADMIN_PASSWORD)];
    let page = browser.submit_and_follow(&page, &fields);
    assert!(browser.path.starts_with("/_vestibule/enroll"), "{} {}", browser.path, page.text());

    let secret =
        page.text().split("<code").nth(1).unwrap().split(['>', '<']).nth(1).unwrap().to_owned();
    let page = browser.submit_and_follow(&page, &[("code", &code_now(&secret))]);
    assert!(browser.path.starts_with("/_vestibule/recovery-codes"), "{}", browser.path);
    assert_eq!(page.text().matches("<li>").count(), 10, "{}", page.text());

    let page = browser.open("/dashboard?x=1");
    assert_eq!((page.status, page.text().as_str()), (200, "hello"));
    let received = app.take_received();
    assert!(received.starts_with("GET /dashboard?x=1 HTTP/1.1\r\n"), "{received}");
    for line in ["Remote-User: ann\r\n", "Remote-Groups: admins\r\n", "Remote-Name: ann\r\n"] {
        assert!(received.to_lowercase().contains(&line.to_lowercase()), "{line}: {received}");
    }
    assert!(!received.contains("vestibule="), "our cookie reached the app: {received}");
}

#[test]
fn without_a_session_nothing_reaches_the_app() {
    let app = App::start();
    let gateway = Gateway::start(Options::upstream(&app.url()));
    let mut browser = Browser::new(gateway.address);
    let page = browser.request("GET", "/secret?q=1", "Sec-Fetch-Mode: navigate\r\n", "");
    assert_eq!(page.status, 302);
    assert_eq!(page.header("location"), Some("/_vestibule/login?rd=%2Fsecret%3Fq%3D1"));
    assert_eq!(browser.request("POST", "/x", "Sec-Fetch-Mode: navigate\r\n", "a=b").status, 303);
    assert_eq!(browser.request("GET", "/x", "Sec-Fetch-Mode: cors\r\n", "").status, 401);
    assert_eq!(app.received(), "");
}

#[test]
fn a_person_added_by_command_signs_in_and_returns_to_where_they_wanted_to_go() {
    let app = App::start();
    let gateway = Gateway::start(Options::upstream(&app.url()));
    let ann =
        Person::add_with(&gateway, "ann", &["--group", "staff", "--email", "ann@example.com"]);
    let mut browser = Browser::new(gateway.address);
    let page = ann.sign_in(&mut browser, "/deep/link?x=1", 0);
    assert_eq!((page.status, browser.path.as_str()), (200, "/deep/link?x=1"));
    assert!(app.received().to_lowercase().contains("remote-email: ann@example.com"));
}
