//! Paths against open rules: whoever can make the app see another path than the rule saw.

use super::{at_every_door, statuses};
use crate::forward::{Kept, house};
use crate::harness::{App, Gateway, House, Options, exchange};

/// Targets that begin as the open path does and mean something else to some server.
const AROUND_OPEN: &[&str] = &[
    "/public/%u002e%u002e/closed",
    "/public/%u2215..%u2215closed",
    "/public/%uff0e%uff0e/closed",
    "/public/%e0%80%ae%e0%80%ae/closed",
    "/public/%f0%80%80%ae%f0%80%80%ae/closed",
    "/public/..%e0%80%afclosed",
    "/public/..%c0%afclosed",
    "/public/..%c1%9cclosed",
    "/public/..%ef%bc%8fclosed",
    "/public/..%e2%88%95closed",
    "/public/%ef%bc%8e%ef%bc%8e/closed",
    "/public/%e2%80%a5/closed",
    "/public/%%32%65%%32%65/closed",
    "/public/%25%32%65%25%32%65/closed",
    "/public/%252e%252e%255cclosed",
    "/public/%25252e%25252e%25252fclosed",
    "/public/.%2e/closed",
    "/public/%2e./closed",
    "/public%2f..%2fclosed",
    "/public%2f%2e%2e%2fclosed",
    "/public%5c..%5cclosed",
    "/public/.;/..;/closed",
    "/public/..%3b/closed",
    "/public/..;a=b/closed",
    "/public/..%00/closed",
    "/public/..%0d/closed",
    "/public/..%0a/closed",
    "/public/..%09/closed",
    "/public/..%20/closed",
    "/public/.../closed",
    "/public/. ./closed",
    "/public/%20../closed",
    "/public/..\\closed",
    "/public\\..\\closed",
    "/public/..//closed",
    "/public/./../closed",
    "/public//..//..//closed",
    "/public/a/../../closed",
    "/public/%2e%2e;/closed",
    "/public;/../closed",
    "/public%3b/../closed",
    "/public#/../closed",
    "/public%23/../closed",
    "/public%3f/../../closed",
    "/public/..%2f",
    "/public/..",
    "/public/%c0%2e%c0%2e/closed",
    "/public.",
    "/public%20",
    "/public%0a",
    "/public%",
    "/public%2",
    "/public%zz/x",
    "/public\u{7f}",
    "/public~1/../closed",
    "/p%75blic/../closed",
    "/%70%75%62%6c%69%63",
    "/pub%6Cic",
    "/PUBLIC",
    "/public\u{17f}",
    "/publi%E2%84%82",
    "//public",
    "/./public",
    "/x/../public",
    "/_vestibule/../public",
    "public",
    "public/x",
    "http://app.test/public",
    "//app.test/public",
    "*",
    "/public@evil.test",
    "/publicx/",
    "/public.css",
];

/// CVE-2019-9901, CVE-2026-40912, CVE-2021-29492, CVE-2025-66490, CVE-2021-32637, CVE-2025-54576,
/// CVE-2026-41059, CVE-2021-32779: dot segments, encoded separators, invalid escapes, queries and
/// fragments around a rule that opens.
#[test]
fn nothing_but_the_open_path_in_its_one_spelling_passes_without_a_session() {
    let house = house();
    for target in AROUND_OPEN {
        let kept = Kept::get("app.test", target);
        for (door, reply) in at_every_door(&house, &kept).iter().enumerate() {
            assert!(reply.status >= 300, "{target} passed at door {door}");
        }
        assert_eq!(house.app.take_received(), "", "{target}");
        // Whatever a query says, it says nothing to a rule.
        for query in ["/public", "/../public", "%2f..%2fpublic", "a=/public/x#", "?/public"] {
            let target = format!("/x?{query}");
            let found = statuses(&house, &Kept::get("app.test", &target));
            assert!(found.iter().all(|status| *status >= 300), "{target}: {found:?}");
        }
    }
    for target in ["/public", "/public/", "/public/a/b", "/public?x=/../closed", "/public/%C3%A9"] {
        assert_eq!(statuses(&house, &Kept::get("app.test", target)), [200; 4], "{target}");
    }
}

/// The same from the other side: however a closed path is written, whoever is signed in does not
/// pass either, as long as some server would read it so.
#[test]
fn a_path_that_some_server_reads_as_the_closed_one_is_closed() {
    let house = house();
    let fields = format!("Cookie: {}\r\n", house.cookie);
    for target in [
        "/closed",
        "/closed/",
        "/closed/x.css",
        "/closed/x.png?v=1",
        "/closed;x",
        "/closed/.;/x",
        "/CLOSED",
        "/%43LOSED",
        "/c%6cosed",
        "/c%256cosed",
        "/%2563losed",
        "//closed",
        "///closed",
        "/./closed",
        "/%2e/closed",
        "/%252e/closed",
        "/x/../closed",
        "/x/%2e%2e/closed",
        "/x/..%2fclosed",
        "/x/..%5cclosed",
        "/x\\..\\closed",
        "\\closed",
        "/\\closed",
        "/%5cclosed",
        "/closed%2fx",
        "/closed%5cx",
        "/closed%00",
        "/closed%00.css",
        "/closed%23",
        "/closed%3fx.css",
        "/closed.",
        "/closed%20",
        "/closed..",
        "/clo%C5%BFed",
        "/%EF%BD%83losed",
        "/%E2%93%92losed",
        "/x/..;/closed",
        "/x/..%3b/closed",
        "/x/.../../closed",
        "/x/%c0%ae%c0%ae/closed",
        "/closed/../x",
        "/public/../closed",
        "/%u0063losed",
        "/x/%u002e%u002e/closed",
        "/x/%e0%80%ae%e0%80%ae/closed",
        "/%e0%81%a3losed",
        "/%f0%80%81%a3losed",
        "/x/..%e0%80%afclosed",
        "/x/..%u2215closed",
    ] {
        let found = statuses(&house, &Kept::get("app.test", target).with(&fields));
        let closed = |status: &u16| matches!(status, 400 | 403);
        assert!(found.iter().all(closed), "{target}: {found:?}");
    }
    assert_eq!(house.app.received(), "");
}

/// CVE-2026-34457: somebody who says to be a health check, a crawler or a preflight is somebody all
/// the same.
#[test]
fn whoever_says_to_be_a_health_check_or_a_preflight_is_asked_like_everybody() {
    let house = house();
    for agent in [
        "kube-probe/1.31",
        "ELB-HealthChecker/2.0",
        "GoogleHC/1.0",
        "Consul Health Check",
        "Amazon-Route53-Health-Check-Service",
        "Pingdom.com_bot",
        "Googlebot/2.1",
        "Envoy/HC",
        "HAProxy",
        "curl/8",
        "vestibule",
    ] {
        for target in
            ["/", "/ping", "/health", "/healthz", "/ready", "/metrics", "/favicon.ico", "/x.css"]
        {
            let fields = format!("User-Agent: {agent}\r\n");
            let kept = Kept::get("app.test", target).with(&fields);
            assert_eq!(statuses(&house, &kept), [401; 4], "{agent} {target}");
        }
    }
    let preflight = "Origin: https://app.test\r\nAccess-Control-Request-Method: GET\r\n";
    for method in ["OPTIONS", "HEAD", "PROPFIND", "REPORT"] {
        let kept = Kept { method, ..Kept::get("app.test", "/x") }.with(preflight);
        let found = statuses(&house, &kept);
        assert!(found.iter().all(|status| *status == 401 || *status == 405), "{method}: {found:?}");
    }
    assert_eq!(house.app.received(), "");
}

/// CVE-2024-52289: a pattern that fits more than was meant. There are no regular expressions: what
/// looks like one is taken by its letters, and ends where a segment ends.
#[test]
fn a_rule_that_looks_like_a_pattern_is_taken_by_its_letters() {
    let app = App::start();
    let config = format!(
        "[[rule]]\nhost = \"a.test\"\npath = \"/a.c\"\npolicy = \"bypass\"\n\
         [[rule]]\npath = \"/^x$\"\npolicy = \"bypass\"\n\
         [[rule]]\npath = \"/(y|z)\"\npolicy = \"bypass\"\n\
         [[route]]\nhost = \"*\"\nupstream = \"{}\"\n",
        app.url()
    );
    let gateway = Gateway::start(Options::default().config(&config));
    let status = |host: &str, target: &str| {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        exchange(gateway.address, request.as_bytes()).status
    };
    for (host, target) in [
        ("a.test", "/abc"),
        ("a.test", "/a.cc"),
        ("a.test", "/xa.c"),
        ("aXtest", "/a.c"),
        ("xa.test", "/a.c"),
        ("a.test.evil.example", "/a.c"),
        ("a", "/x"),
        ("a", "/y"),
        ("a", "/z"),
        ("a", "/yz"),
    ] {
        assert_eq!(status(host, target), 401, "{host} {target}");
    }
    for (host, target) in
        [("a.test", "/a.c"), ("A.TEST:80", "/a.c/d"), ("a", "/^x$"), ("a", "/(y|z)")]
    {
        assert_eq!(status(host, target), 200, "{host} {target}");
    }
}

/// No advisory of its own: a route or a rule of the operator's that reaches into the portal.
#[test]
fn no_rule_or_route_opens_the_portal_to_an_app_or_an_app_to_the_portal() {
    let app = App::start();
    let config = format!(
        "[[rule]]\npath = \"/_vestibule\"\npolicy = \"bypass\"\n\
         [[route]]\nhost = \"*\"\nupstream = \"{0}\"\n\
         [[route]]\nhost = \"in.test\"\npath = \"/app\"\nstrip_prefix = true\nupstream = \"{0}\"\n",
        app.url()
    );
    let house = House::with(app, Options::default().config(&config));
    for target in [
        "/_vestibule/login",
        "/_vestibule/account",
        "/_vestibule/admin",
        "/_vestibule/x",
        "/_vestibule/api/v1/auth/me",
        "/_vestibule/authz/forward-auth",
        "/_vestibule/..%2fx",
    ] {
        house.ask(&format!("GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
        house.get(target, "");
        assert_eq!(house.app.take_received(), "", "{target}");
    }
    // What is left once the prefix is gone is neither the portal's nor another host's.
    for target in [
        "/app/../_vestibule/login",
        "/app//evil.test",
        "/app/\\evil.test",
        "/app/%2e%2e/x",
        "/app/../app/../x",
        "/APP/x",
        "/%61pp/x",
        "/app;/x",
        "/appx",
        "/app%2fx",
    ] {
        let request =
            format!("GET {target} HTTP/1.1\r\nHost: in.test\r\n$CConnection: close\r\n\r\n");
        house.ask(&request);
        let received = house.app.take_received();
        let line = received.lines().next().unwrap_or_default();
        assert!(
            !line.contains("_vestibule") && !line.starts_with("GET //"),
            "{target}: {received}"
        );
    }
}
