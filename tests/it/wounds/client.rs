//! The client's address: whoever can choose it has as many as they like.

use super::statuses;
use crate::forward::{Kept, house_with};
use crate::harness::{App, Browser, Gateway, House, Options};

/// Claims of an address inside the network that a rule opens for.
const CLAIMS: &[&str] = &[
    "X-Forwarded-For: 10.0.0.1\r\n",
    "X-Forwarded-For: 10.0.0.1, 10.0.0.2\r\n",
    "X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 10.0.0.1\r\n",
    "X-Real-IP: 10.0.0.1\r\n",
    "X-Client-IP: 10.0.0.1\r\n",
    "True-Client-IP: 10.0.0.1\r\n",
    "CF-Connecting-IP: 10.0.0.1\r\n",
    "Client-IP: 10.0.0.1\r\n",
    "Forwarded: for=10.0.0.1\r\n",
    "X-Cluster-Client-IP: 10.0.0.1\r\n",
    "X-Envoy-External-Address: 10.0.0.1\r\n",
    "X-Original-Forwarded-For: 10.0.0.1\r\n",
    "Via: 1.1 10.0.0.1\r\n",
    "X-Forwarded: for=10.0.0.1\r\n",
];

/// CVE-2024-21494: whoever is not a trusted proxy says nothing about addresses.
#[test]
fn nobody_but_a_trusted_proxy_says_where_somebody_comes_from() {
    let app = App::start();
    let config = format!(
        "[[rule]]\nnetworks = [\"10.0.0.0/8\"]\npolicy = \"bypass\"\n[[route]]\nhost = \"*\"\nupstream = \"{}\"\n",
        app.url()
    );
    let house = House::with(app, Options::default().config(&config));
    for claim in CLAIMS {
        let request = format!("GET /x HTTP/1.1\r\nHost: a\r\n{claim}Connection: close\r\n\r\n");
        assert_eq!(house.ask(&request).status, 401, "{claim}");
    }
    assert_eq!(house.app.received(), "");
}

/// CVE-2024-21494, CVE-2024-47070: of a chain the rightmost that no trusted proxy vouches for
/// counts, and garbage ends the chain.
#[test]
fn the_leftmost_address_and_garbage_open_nothing_at_any_door() {
    let house = house_with("trusted_proxies = [\"127.0.0.1\", \"192.0.2.0/28\"]", "");
    for said in [
        "10.0.0.1, 198.51.100.7",
        "10.0.0.1, 198.51.100.7, 192.0.2.1",
        "10.0.0.1,198.51.100.7,192.0.2.1",
        "10.0.0.1, unknown",
        "10.0.0.1, _hidden",
        "10.0.0.1, ",
        "10.0.0.1,",
        ", 198.51.100.7",
        "10.0.0.1:80:80",
        "[10.0.0.1]",
        "10.0.0.1%eth0",
        "10.0.0.01",
        "010.0.0.1",
        "0x0a.0.0.1",
        "167772161",
        "10.1",
        "10.0.0.1/8",
        "10.0.0.1 198.51.100.7",
        "10.0.0.1;198.51.100.7",
        "\"10.0.0.1\"",
        "for=10.0.0.1",
        "::ffff:10.0.0.1, 198.51.100.7",
        "[::ffff:10.0.0.1, 192.0.2.1",
        "10.0.0.1\u{a0}",
        "\u{661}0.0.0.1",
        "10.0.0.1, 256.1.1.1",
        "10.0.0.256",
        "64:ff9b::a00:1",
        "::10.0.0.1",
        "2002:a00:1::",
    ] {
        for more in
            ["", "X-Real-IP: 10.0.0.1\r\nForwarded: for=10.0.0.1\r\nTrue-Client-IP: 10.0.0.1\r\n"]
        {
            let fields = format!("X-Forwarded-For: {said}\r\n{more}");
            let found = statuses(&house, &Kept::get("app.test", "/net").with(&fields));
            assert!(found.iter().all(|status| [400, 401].contains(status)), "{said}: {found:?}");
        }
    }
    for said in
        ["10.0.0.1", "6.6.6.6, 10.0.0.1", "10.0.0.1, 192.0.2.1", "::ffff:10.0.0.1", "10.0.0.1:4711"]
    {
        let fields = format!("X-Forwarded-For: {said}\r\n");
        let found = statuses(&house, &Kept::get("app.test", "/net").with(&fields));
        assert_eq!(found, [200; 4], "{said}");
    }
}

/// CVE-2024-21494: an address that is said to be another one at each try.
#[test]
fn a_rate_is_not_dodged_by_claiming_another_address_each_time() {
    let app = App::start();
    let mut options = Options::upstream(&app.url());
    options.env.push(("VESTIBULE_LIMITS__LOGIN_PER_IP".into(), "5/1m".into()));
    let gateway = Gateway::start(options);
    let mut answers = Vec::new();
    for number in 0..8 {
        let mut browser = Browser::new(gateway.address);
        browser.added = format!(
            "X-Forwarded-For: 198.51.100.{number}\r\nX-Real-IP: 198.51.100.{number}\r\nForwarded: for=198.51.100.{number}\r\n"
        );
        let page = browser.open("/_vestibule/login");
        let name = format!("nobody-{number}");
        answers.push(
            browser.submit(&page, &[("username", &name), ("password", "a wrong password")]).status,
        );
    }
    assert_eq!(answers, [401, 401, 401, 401, 401, 429, 429, 429]);
}
