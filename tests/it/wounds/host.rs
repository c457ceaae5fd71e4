//! The host: whoever can make the gateway, a rule and the app think of three different ones.

use super::statuses;
use crate::forward::{DIALECTS, Dialect, Kept, ask, house};
use crate::harness::{App, Browser, House, Options};

/// CVE-2026-48794, CVE-2022-23632, CVE-2021-21291: a host in another spelling, or one that only ends
/// as it should.
#[test]
fn a_host_has_one_spelling_at_every_door_or_is_none() {
    let house = house();
    let fields = format!("Cookie: {}\r\n", house.cookie);
    for host in [
        "app.test#",
        "app.test?",
        "app.test/",
        "app.test\\",
        "app.test,one.test",
        "app.test;",
        "app.test&",
        "app.test:",
        "app.test:80:80",
        "app.test:+80",
        "app.test:-1",
        "app.test: 80",
        "app.test:65536",
        "app.test:\u{661}",
        "app.test.",
        "app.test..",
        ".app.test",
        "app..test",
        "app.test%00",
        "app%2etest",
        "%61pp.test",
        "user@app.test",
        "user:pass@app.test",
        "@app.test",
        "app.test@evil.test",
        "[app.test]",
        "[::1",
        "[::1]x",
        "[::1]:x",
        "::1",
        "[::ffff:127.0.0.1%25lo]",
        "a\u{e9}.test",
        "\u{ff41}pp.test",
        "app\u{3002}test",
        "app\u{ff0e}test",
        "app\u{ad}.test",
        "app\u{200b}.test",
        "app test",
        "app\ttest",
        "app.test\u{b}",
        "*.test",
        "*",
        "",
        "http://app.test",
        "app.test,",
        "\"app.test\"",
        "<app.test>",
    ] {
        let own = format!("GET /public HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        assert_eq!(house.ask(&own).status, 400, "{host}");
        for dialect in DIALECTS {
            let reply = ask(&house, dialect, &Kept::get(host, "/public"));
            // In one field with a path or a query, these are where the host ends.
            let ends = dialect == Dialect::AuthRequest && host.contains(['/', '\\']);
            assert!(
                reply.status == 400 || ends && reply.status != 200,
                "{dialect:?} {host}: {}",
                reply.status
            );
        }
    }
    assert_eq!(house.app.received(), "");
    // Case and port make no other host of it, for the route as for the rule.
    for host in ["ONE.test", "one.TEST:8443", "One.Test:80"] {
        assert_eq!(statuses(&house, &Kept::get(host, "/x").with(&fields)), [200; 4], "{host}");
    }
}

/// CVE-2021-21291: a host that contains one of ours, or is contained in it.
#[test]
fn a_host_that_only_looks_like_a_routed_one_reaches_no_app() {
    let app = App::start();
    let config = format!(
        "[[route]]\nhost = \"wiki.example.com\"\nupstream = \"{0}\"\n\
         [[route]]\nhost = \"*.apps.example.com\"\nupstream = \"{0}\"\n\
         [[rule]]\npolicy = \"bypass\"\n",
        app.url()
    );
    let house = House::with(app, Options::default().config(&config));
    let status = |host: &str| {
        house.ask(&format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).status
    };
    for host in [
        "example.com",
        "evilwiki.example.com",
        "wiki.example.com.evil.test",
        "x.wiki.example.com",
        "wiki-example.com",
        "wikiXexample.com",
        "apps.example.com",
        "evilapps.example.com",
        "x.apps.example.com.evil.test",
        "x-apps.example.com",
        "localhost",
        "127.0.0.2",
        "[::1]",
        "wiki",
    ] {
        assert_eq!(status(host), 404, "{host}");
    }
    assert_eq!(house.app.take_received(), "");
    for host in ["wiki.example.com", "x.apps.example.com", "x.y.apps.example.com"] {
        assert_eq!(status(host), 200, "{host}");
    }
}

/// CVE-2025-64101, CVE-2024-21499: links and redirects that are built from what a request says of
/// the host, or of the protocol.
#[test]
fn no_link_and_no_redirect_is_built_from_what_a_request_claims() {
    let app = App::start();
    let mut options = Options::upstream(&app.url());
    options.server = "trusted_proxies = [\"127.0.0.1\"]".into();
    let house = House::with(app, options);
    let claims = "X-Forwarded-Host: evil.test\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 666\r\n\
        X-Forwarded-Server: evil.test\r\nX-Original-Host: evil.test\r\nForwarded: host=evil.test;proto=https\r\n\
        X-Host: evil.test\r\nX-Forwarded-Prefix: //evil.test\r\nReferer: https://evil.test/x\r\n\
        Origin: https://evil.test\r\n";
    for target in [
        "/",
        "/x",
        "/_vestibule/login",
        "/_vestibule/login?rd=/x",
        "/_vestibule/login/second-factor",
        "/_vestibule/logout",
        "/_vestibule/account",
        "/_vestibule/enroll",
        "/_vestibule/invite?token=x",
        "/_vestibule/setup?token=x",
        "/_vestibule/nothing",
        "/_vestibule/api/v1/auth/me",
        "/_vestibule/api/v1/openapi.json",
        "/_vestibule/jwks.json",
        "/_vestibule/admin",
    ] {
        for more in ["", "Sec-Fetch-Mode: navigate\r\nAccept: text/html\r\n"] {
            for who in ["", "$C"] {
                let reply = house.ask(&format!(
                    "GET {target} HTTP/1.1\r\nHost: app.test\r\n{who}{more}{claims}Connection: close\r\n\r\n"
                ));
                let told = format!("{:?} {}", reply.headers, reply.text());
                assert!(!told.contains("evil.test") && !told.contains("666"), "{target}: {told}");
                if let Some(to) = reply.header("location") {
                    let portal = format!("http://{}", house.gateway.address);
                    let to = to.strip_prefix(&portal).unwrap_or(to);
                    assert!(to.starts_with('/') && !to.starts_with("//"), "{target}: {to}");
                }
            }
        }
    }
    // A form that came from there is refused, whatever the host is said to be.
    let mut browser = Browser::new(house.gateway.address);
    let page = browser.open("/_vestibule/login");
    let body = crate::harness::filled_in(&page.text(), &[("username", "ann"), ("password", "x")]).1;
    let headers = "Origin: https://evil.test\r\nX-Forwarded-Host: evil.test\r\n";
    assert_eq!(browser.post_with("/_vestibule/login", headers, &body).status, 403);
}
