//! What proxies are answered, and who is answered at all.

use super::{DIALECTS, Dialect, Kept, PAGE, ask, house, house_with};
use crate::harness::{House, Reply};

const NAMES: [&str; 4] = ["remote-user", "remote-groups", "remote-name", "remote-email"];

fn cookie(house: &House) -> String {
    format!("Cookie: {}\r\n", house.cookie)
}

/// Asks about a page, with the portal at this origin.
fn ask_at(house: &House, dialect: Dialect, kept: &Kept<'_>, portal: &str) -> Reply {
    house.ask(&dialect.check(kept, portal))
}

#[test]
fn a_yes_says_who_it_is_under_every_name_and_is_kept_by_nobody() {
    let house = house();
    let fields = cookie(&house);
    for dialect in DIALECTS {
        let reply = ask(&house, dialect, &Kept::get("app.test", "/x").with(&fields));
        assert_eq!(reply.status, 200, "{dialect:?}");
        let told = NAMES.map(|name| reply.headers_named(name).collect::<Vec<_>>());
        assert_eq!(told, [vec!["ann"], vec![""], vec!["ann"], vec![""]], "{dialect:?}");
        assert_eq!(reply.headers_named("x-vestibule-assertion").count(), 1, "{dialect:?}");
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert!(reply.body.is_empty() && reply.header("set-cookie").is_none());
        let head = ask(
            &house,
            dialect,
            &Kept { method: "HEAD", ..Kept::get("app.test", "/x") }.with(&fields),
        );
        assert_eq!(head.status, 200);
    }
}

#[test]
fn a_yes_without_a_person_says_so_under_every_name() {
    let house = house_with(
        "trusted_proxies = [\"127.0.0.1\"]",
        "[identity]\nuser = \"X-Who\"\nemail = \"\"\n",
    );
    let forged = "X-Who: root\r\nRemote-Groups: admins\r\n";
    for dialect in DIALECTS {
        let reply = ask(&house, dialect, &Kept::get("app.test", "/public").with(forged));
        assert_eq!(reply.status, 200);
        for (name, told) in
            [("x-who", 1), ("remote-groups", 1), ("remote-user", 0), ("remote-email", 0)]
        {
            let values: Vec<&str> = reply.headers_named(name).collect();
            assert_eq!(values, vec![""; told], "{dialect:?} {name}");
        }
    }
}

#[test]
fn a_yes_says_what_the_app_may_see_of_what_was_shown() {
    let house = house();
    let shown = format!("Cookie: a=1; {}; b=2; vestibule-known=k\r\n", house.cookie);
    let (alone, made) =
        (cookie(&house), house.gateway.json(&["token", "add", "job", "--user", "ann"], ""));
    let token = format!("Authorization: Bearer {}\r\n", made["token"].as_str().unwrap());
    let table = [
        (shown.as_str(), "/x", Some("a=1; b=2"), None),
        (&alone, "/x", Some(""), None),
        (&token, "/x", None, Some("")),
        (
            "Cookie: a=1\r\nAuthorization: Basic eA==\r\n",
            "/public",
            Some("a=1"),
            Some("Basic eA=="),
        ),
        ("", "/public", None, None),
    ];
    for dialect in DIALECTS {
        for (fields, path, cookie, authorization) in &table {
            let reply = ask(&house, dialect, &Kept::get("app.test", path).with(fields));
            let told = [reply.header("cookie"), reply.header("authorization")];
            assert_eq!(
                (reply.status, told),
                (200, [*cookie, *authorization]),
                "{dialect:?} {fields}"
            );
        }
        // Nobody is told anything where the answer is no.
        let reply = ask(&house, dialect, &Kept::get("app.test", "/x").with("Cookie: a=1\r\n"));
        assert!(reply.status != 200 && reply.header("cookie").is_none(), "{dialect:?}");
    }
}

#[test]
fn a_person_is_sent_to_sign_in_and_a_script_is_told_where() {
    let house = house();
    let portal = format!("http://{}", house.gateway.address);
    let rd = "rd=https%3A%2F%2Fapp.test%2Fa%2F..%2Fb%3Fc%3D%2Fd%26e";
    let to = format!("{portal}/_vestibule/login?{rd}");
    for dialect in DIALECTS {
        for fields in ["", PAGE, "Sec-Fetch-Mode: cors\r\nAccept: text/html\r\n"] {
            let reply = ask(&house, dialect, &Kept::get("app.test", "/a/../b?c=/d&e").with(fields));
            let sent = dialect != Dialect::AuthRequest && fields == PAGE;
            assert_eq!(reply.status, if sent { 302 } else { 401 }, "{dialect:?} {fields}");
            assert_eq!(reply.header("location"), Some(to.as_str()), "{dialect:?}");
            assert_eq!(reply.header("cache-control"), Some("no-store"));
            assert!(reply.header("www-authenticate").is_none());
        }
    }
}

#[test]
fn a_form_that_was_sent_leads_back_to_its_page() {
    let house = house();
    for dialect in DIALECTS {
        let form = |referrer: &str| {
            let fields = format!("{PAGE}Referer: {referrer}\r\nContent-Length: 5\r\n");
            let kept = Kept { method: "POST", ..Kept::get("app.test:8443", "/send") }.with(&fields);
            let reply = ask(&house, dialect, &kept);
            let sent = if dialect == Dialect::AuthRequest { 401 } else { 303 };
            assert_eq!(reply.status, sent, "{dialect:?}");
            reply.header("location").unwrap().to_owned()
        };
        let own = form("https://app.test:8443/form?x");
        assert!(
            own.ends_with("login?rd=https%3A%2F%2Fapp.test%3A8443%2Fform%3Fx&why=unsent"),
            "{own}"
        );
        let foreign = form("https://evil.test/form");
        assert!(
            foreign.ends_with("rd=https%3A%2F%2Fapp.test%3A8443%2Fsend&why=unsent"),
            "{foreign}"
        );
    }
}

#[test]
fn a_program_is_told_no_and_never_where_to_go() {
    let house = house();
    let fields = format!("{PAGE}Authorization: Bearer vst_nonsense\r\n");
    for dialect in DIALECTS {
        let reply = ask(&house, dialect, &Kept::get("app.test", "/x").with(&fields));
        assert_eq!((reply.status, reply.header("location")), (401, None), "{dialect:?}");
        assert!(reply.header("www-authenticate").unwrap().starts_with("Bearer "));
    }
}

#[test]
fn a_no_is_a_no_whoever_asks() {
    let house = house();
    let signed_in = cookie(&house);
    for dialect in DIALECTS {
        for fields in ["", PAGE, &signed_in] {
            let reply = ask(&house, dialect, &Kept::get("app.test", "/closed").with(fields));
            assert_eq!((reply.status, reply.header("location")), (403, None), "{dialect:?}");
            assert!(NAMES.iter().all(|name| reply.header(name).is_none()));
        }
    }
}

#[test]
fn whoever_is_not_trusted_is_answered_403_whatever_they_say() {
    for server in ["", "trusted_proxies = [\"192.0.2.0/24\"]"] {
        let house = house_with(server, "");
        let claims = format!("{}X-Forwarded-For: 192.0.2.1\r\n", cookie(&house));
        for dialect in DIALECTS {
            for (target, fields) in [("/public", ""), ("/x", claims.as_str()), ("bad", PAGE)] {
                let kept = Kept::get("app.test", target).with(fields);
                if dialect == Dialect::ExtAuthz && target == "bad" {
                    continue;
                }
                let reply = ask(&house, dialect, &kept);
                assert_eq!(reply.status, 403, "{dialect:?} {target}");
                assert!(
                    reply.header("location").is_none() && reply.header("remote-user").is_none()
                );
            }
        }
        let reply = house.get("/_vestibule/authz/nonsense", "");
        assert_eq!(reply.status, 403);
    }
}

#[test]
fn a_portal_elsewhere_must_be_one_of_ours() {
    let house = house();
    let kept = Kept::get("app.test", "/x").with(PAGE);
    for dialect in DIALECTS {
        let reply = ask_at(&house, dialect, &kept, "https://app.test");
        let to = reply.header("location").unwrap_or_default();
        assert!(to.starts_with("https://app.test/_vestibule/login?rd="), "{dialect:?} {to}");
        for bad in [
            "https://evil.example",
            "https://app.test.evil.example",
            "https://app.test/x",
            "javascript:0",
        ] {
            let reply = ask_at(&house, dialect, &kept, bad);
            assert_eq!((reply.status, reply.header("location")), (400, None), "{dialect:?} {bad}");
        }
    }
    // Also from whoever would pass, and also where it cannot be read.
    for query in
        ["?rd=", "?rd=https://app.test&rd=https://app.test", "?x&r%64=https://evil.example"]
    {
        let check = Dialect::ForwardAuth.check(&Kept::get("app.test", "/public"), "");
        let check = check.replacen("forward-auth", &format!("forward-auth{query}"), 1);
        assert_eq!(house.ask(&check).status, 400, "{query}");
    }
    let twice = "X-Vestibule-URL: https://app.test\r\nX-Vestibule-URL: https://app.test\r\n";
    let reply = ask(&house, Dialect::ExtAuthz, &Kept::get("app.test", "/public").with(twice));
    assert_eq!(reply.status, 400);
}

#[test]
fn a_check_that_says_a_thing_twice_or_not_at_all_is_refused_by_name() {
    let house = house();
    let signed_in = cookie(&house);
    for (dialect, names) in [
        (Dialect::AuthRequest, &["X-Original-URL", "X-Original-Method"][..]),
        (
            Dialect::ForwardAuth,
            &["X-Forwarded-Method", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Uri"],
        ),
        (Dialect::ExtAuthz, &["X-Forwarded-Proto"]),
    ] {
        let check = dialect.check(&Kept::get("app.test", "/x").with(&signed_in), "");
        assert_eq!(house.ask(&check).status, 200);
        for name in names {
            let line = check.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
            let line = format!("{line}\r\n");
            let garbled = format!("{name}: \"nonsense\"\r\n");
            for other in ["", &line.repeat(2), &garbled, &format!("{name}:\r\n")] {
                let reply = house.ask(&check.replacen(&line, other, 1));
                assert_eq!(reply.status, 400, "{dialect:?} {name} {other}");
                assert!(reply.text().contains(&name.to_lowercase()), "{}", reply.text());
                assert!(reply.header("remote-user").is_none());
            }
        }
    }
}

#[test]
fn what_another_dialect_says_is_not_heard() {
    let house = house();
    let others = [
        "X-Forwarded-Method: GET\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: app.test\r\n\
         X-Forwarded-Uri: /public\r\n",
        "X-Original-URL: https://app.test/public\r\nX-Original-Method: GET\r\n",
        "X-Original-URL: https://app.test/public\r\nX-Forwarded-Uri: /public\r\nX-Rewrite-URL: /public\r\n",
    ];
    for (dialect, fields) in DIALECTS.into_iter().zip(others) {
        assert_eq!(ask(&house, dialect, &Kept::get("app.test", "/x").with(fields)).status, 401);
        assert_eq!(
            ask(&house, dialect, &Kept::get("app.test", "/closed").with(fields)).status,
            403
        );
    }
}

#[test]
fn a_check_may_come_by_any_method_and_announce_a_body_that_never_comes() {
    let house = house();
    let fields = format!("{}Content-Length: 1000000\r\n", cookie(&house));
    for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"] {
        for dialect in DIALECTS {
            let check =
                dialect.check(&Kept { method, ..Kept::get("app.test", "/x") }.with(&fields), "");
            let (_, rest) = check.split_once(' ').unwrap();
            assert_eq!(house.ask(&format!("{method} {rest}")).status, 200, "{dialect:?} {method}");
        }
    }
    assert_eq!(house.get("/_vestibule/authz/nonsense", "").status, 404);
}

#[test]
fn a_session_that_has_ended_passes_nowhere() {
    let house = house();
    let fields = cookie(&house);
    let kept = Kept::get("app.test", "/x").with(&fields);
    let statuses = || DIALECTS.map(|dialect| ask(&house, dialect, &kept).status);
    assert_eq!(statuses(), [200; 3]);
    house.gateway.json(&["session", "revoke", "--user", "ann"], "");
    assert_eq!(statuses(), [401; 3]);
}

#[test]
fn a_check_is_logged_as_what_it_was_about() {
    let house = house();
    let fields = cookie(&house);
    ask(
        &house,
        Dialect::AuthRequest,
        &Kept { method: "PUT", ..Kept::get("app.test", "/y?secret=1") }.with(&fields),
    );
    let log = house.gateway.log_to_its_end();
    let line = log.lines().find(|line| line.contains(r#""path":"/y""#)).expect("a line");
    for part in [
        r#""method":"PUT""#,
        r#""host":"app.test""#,
        r#""user":"ann""#,
        r#""outcome":"allowed""#,
        "auth_request",
    ] {
        assert!(line.contains(part), "{line}");
    }
    assert!(!log.contains("secret"));
}
