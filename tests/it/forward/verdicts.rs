//! The proxy of our own and every dialect say the same of the same request.

use super::{DIALECTS, Kept, ask, house};
use crate::harness::{House, Person, Reply, session_of};

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// It passed, as this person's; empty: nobody's.
    Pass(String),
    SignIn,
    Forbidden,
    Malformed,
}

impl Verdict {
    fn of(reply: &Reply, user: impl FnOnce() -> String) -> Self {
        match reply.status {
            200 => Self::Pass(user()),
            302 | 303 | 401 => Self::SignIn,
            // Another spelling of a path of our own pages: in the proxy of our own nothing is there.
            403 | 404 => Self::Forbidden,
            400 | 405 | 414 => Self::Malformed,
            other => panic!("{other}: {}", reply.text()),
        }
    }
}

/// What the proxy of our own makes of it. Where it passes, the app has received the same string.
fn own(house: &House, kept: &Kept<'_>) -> Verdict {
    let Kept { method, host, target, fields } = kept;
    let request = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n");
    house.app.take_received();
    let reply = house.ask(&request);
    let received = house.app.take_received();
    let verdict = Verdict::of(&reply, || {
        assert!(received.starts_with(&format!("{method} {target} HTTP/1.1\r\n")), "{received}");
        let lower = received.to_lowercase();
        lower.lines().find_map(|line| line.strip_prefix("remote-user: ")).unwrap_or("").to_owned()
    });
    assert_eq!(received.is_empty(), !matches!(verdict, Verdict::Pass(_)), "{target}: {received}");
    verdict
}

const HOSTS: [&str; 3] = ["app.test", "one.test:8443", "APP.Test:443"];

const TARGETS: [&str; 77] = [
    "/",
    "/x",
    "/public",
    "/public/",
    "/public/x?y=/closed",
    "/publicx",
    "/Public",
    "/PUBLIC/x",
    "/public/../closed",
    "/public/../x",
    "/public/./x",
    "/public//x",
    "//public",
    "//public/x",
    "/public/..",
    "/public/%2e%2e/closed",
    "/public/%2E%2E/x",
    "/public/%252e%252e/closed",
    "/public/%25252e%25252e/closed",
    "/public/..%2fclosed",
    "/public/..%5cclosed",
    "/public\\..\\closed",
    "/public/..;/closed",
    "/public;x=1",
    "/public;/../closed",
    "/public/%00",
    "/public%00/closed",
    "/public%23",
    "/public#",
    "/public?#",
    "/public?x",
    "/public?../closed",
    "/public/?/../closed",
    "/public%3f/../closed",
    "/public/%0d%0aX:y",
    "/%70ublic",
    "/public/%zz",
    "/public/%",
    "/public/%c0%ae%c0%ae/closed",
    "/public/\u{e9}",
    "/public/%C3%A9",
    "/public/a b",
    "/public/\"",
    "/public/<x>",
    "/public/`",
    "/public/a|b^{c}",
    "/public/~x!$&'()*+,=:@",
    "/closed",
    "/closed/x",
    "/CLOSED",
    "/closed/../x",
    "/x/../closed",
    "/x/%2e%2e/closed",
    "/x/..%2f..%2fclosed",
    "//closed",
    "/./closed",
    "/%63losed",
    "/%2563losed",
    "/closed;x",
    "/closed%2fx",
    "/closed?x",
    "/closedx",
    "/admin",
    "/admin/../public",
    "/aDMIN/x",
    "/public/../admin",
    "/net",
    "/net/../closed",
    "/read",
    "/read/x?y",
    "/x/../_vestibule/account",
    "/%5fvestibule/account",
    "//_vestibule/login",
    "*",
    "x",
    "http://app.test/public",
    "//evil.test/x",
];

#[test]
fn one_request_has_one_verdict_whoever_asks() {
    let house = house();
    let root = session_of(
        &Person::add_with(&house.gateway, "root", &["--group", "admins"]),
        &house.gateway,
    );
    let made = house.gateway.json(&["token", "add", "job", "--user", "ann"], "");
    let senders = [
        String::new(),
        format!("Cookie: {}\r\n", house.cookie),
        format!("Cookie: {root}\r\nX-Forwarded-For: 10.1.1.1\r\n"),
        format!("Authorization: Bearer {}\r\n", made["token"].as_str().unwrap()),
        String::from("Authorization: Bearer vst_nonsense\r\n"),
        format!("Cookie: {}; {}\r\nX-Forwarded-For: 10.1.1.1, 192.0.2.1\r\n", house.cookie, root),
        String::from("X-Forwarded-For: 192.0.2.1, 10.1.1.1\r\n"),
    ];
    let mut counts = [0; 4];
    for target in TARGETS {
        for (number, fields) in senders.iter().enumerate() {
            // Every sender meets every target; hosts and methods take turns.
            let host = HOSTS[(number + target.len()) % HOSTS.len()];
            let others = ["POST", "DELETE", "OPTIONS", "HEAD"];
            let other = (number + target.len()).is_multiple_of(4).then(|| others[number % 4]);
            for method in Some("GET").into_iter().chain(other) {
                let kept = Kept { method, host, target, fields };
                let expected = own(&house, &kept);
                for dialect in DIALECTS {
                    let reply = ask(&house, dialect, &kept);
                    let user = || reply.header("remote-user").expect("a name").to_owned();
                    let verdict = Verdict::of(&reply, user);
                    assert_eq!(verdict, expected, "{dialect:?} {method} {host} {target} {fields}");
                }
                counts[match expected {
                    Verdict::Pass(_) => 0,
                    Verdict::SignIn => 1,
                    Verdict::Forbidden => 2,
                    Verdict::Malformed => 3,
                }] += 1;
            }
        }
    }
    // A table that says one thing only would prove nothing.
    assert!(counts.iter().all(|count| *count > 50), "{counts:?}");
}

#[test]
fn a_method_that_passes_nowhere_is_judged_nowhere() {
    let house = house();
    for method in ["TRACE", "CONNECT", "get", "NONSENSE", "GET,POST"] {
        let kept = Kept { method, ..Kept::get("app.test", "/public") };
        assert_eq!(own(&house, &kept), Verdict::Malformed, "{method}");
        for dialect in DIALECTS {
            let status = ask(&house, dialect, &kept).status;
            assert!(matches!(status, 400 | 405), "{dialect:?} {method}: {status}");
        }
    }
}

#[test]
fn a_host_that_cannot_be_one_is_judged_nowhere() {
    let house = house();
    for host in ["app.test.", "u@app.test", "app.test:x", "app..test", "a/b", "app.test:99999", ""]
    {
        let kept = Kept::get(host, "/public");
        for dialect in DIALECTS {
            // In one field with a path, a slash is where the path begins.
            let splits = dialect == super::Dialect::AuthRequest && host == "a/b";
            let expected = if splits { 401 } else { 400 };
            assert_eq!(ask(&house, dialect, &kept).status, expected, "{dialect:?} {host}");
        }
    }
}

#[test]
fn what_lies_below_the_portal_is_never_an_apps() {
    let house = house();
    let cookie = format!("Cookie: {}\r\n", house.cookie);
    for target in ["/_vestibule", "/_vestibule/", "/_vestibule/login", "/_vestibule/../public"] {
        for fields in ["", cookie.as_str()] {
            for dialect in DIALECTS {
                let reply = ask(&house, dialect, &Kept::get("app.test", target).with(fields));
                assert_eq!(reply.status, 403, "{dialect:?} {target}");
            }
        }
    }
}

#[test]
fn a_host_without_a_route_is_judged_by_the_rules() {
    let house = house();
    let cookie = format!("Cookie: {}\r\n", house.cookie);
    for dialect in DIALECTS {
        let status = |target, fields| {
            ask(&house, dialect, &Kept::get("elsewhere.example", target).with(fields)).status
        };
        assert_eq!(status("/public", ""), 200, "{dialect:?}");
        assert_eq!((status("/x", ""), status("/x", &cookie)), (401, 200), "{dialect:?}");
        assert_eq!(status("/closed", &cookie), 403, "{dialect:?}");
    }
}
