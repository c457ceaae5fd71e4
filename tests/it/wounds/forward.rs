//! Forward-auth: whoever can make the gateway say yes about a request that is another one.

use super::{at_every_door, statuses};
use crate::forward::{DIALECTS, Dialect, Kept, PAGE, ask, house, house_with};
use crate::harness::{ADMIN_PASSWORD, App, Browser, Gateway, House, Options, Person, exchange};
use crate::harness::{World, code_at};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use vestibule::domain::{AccessRules, Policy, Rule};
use vestibule::service::Settings;
use vestibule::types::HostPattern;

/// CVE-2026-40575, CVE-2026-76835: a check from somebody who is no proxy of ours, whatever it claims
/// to be or to come from.
#[test]
fn a_check_of_a_stranger_is_never_a_yes_whatever_it_claims() {
    let house = house_with("trusted_proxies = [\"192.0.2.1\"]", "");
    let cookie = format!("Cookie: {}\r\n", house.cookie);
    for claim in [
        "",
        "X-Forwarded-For: 192.0.2.1\r\n",
        "X-Real-IP: 192.0.2.1\r\n",
        "Forwarded: for=192.0.2.1\r\n",
        "Via: 1.1 192.0.2.1\r\n",
        "X-Forwarded-For: 127.0.0.1, 192.0.2.1\r\n",
    ] {
        let fields = format!("{cookie}{claim}");
        for target in ["/public", "/x", "/closed"] {
            for dialect in DIALECTS {
                let reply = ask(&house, dialect, &Kept::get("app.test", target).with(&fields));
                assert_eq!(reply.status, 403, "{dialect:?} {target} {claim}");
                assert!(
                    reply.header("remote-user").is_none() && reply.header("location").is_none()
                );
            }
        }
    }
}

/// CVE-2026-25748: cookies that a parser stumbles over.
#[test]
fn a_malformed_cookie_is_nobodys_and_stops_nothing() {
    let house = house();
    let own = house.cookie.clone();
    let token = own.split_once('=').unwrap().1;
    let long = format!("a={}; vestibule={}", "x".repeat(12_000), "y".repeat(8_000));
    let many = "a=1; ".repeat(3_000);
    for cookie in [
        "",
        "=",
        ";",
        ";;;",
        "vestibule",
        "vestibule=",
        "vestibule=;",
        "=vestibule",
        "vestibule==",
        "vestibule=\"",
        "vestibule=%",
        "vestibule=%00",
        "vestibule=../../x",
        "vestibule='\"><script>",
        "vestibule=A; vestibule=B",
        "$Version=1; vestibule=x",
        "vestibule[]=x",
        "vestibule[a]=x",
        "vestibule.x=1",
        "vestibule =",
        "a;b;c",
        "vestibule=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "vestibule=AAAA\tBBBB",
        long.as_str(),
        many.as_str(),
    ]
    .map(str::to_owned)
    .into_iter()
    .chain([
        format!("{own}x"),
        own[..own.len() - 1].to_owned(),
        format!("vestibule=\"{token}\""),
        format!("vestibule={}", token.to_lowercase()),
        format!("vestibule={token}="),
        format!("vestibule={token}%3D"),
        format!("{own}; {own}"),
        format!("{own}\r\nCookie: {own}"),
        format!("xvestibule={token}"),
        format!("vestibule-x={token}"),
        format!("VESTIBULE={token}"),
    ]) {
        let fields = format!("Cookie: {cookie}\r\n");
        for (target, status) in [("/x", 401), ("/public", 200), ("/closed", 403)] {
            let found = statuses(&house, &Kept::get("app.test", target).with(&fields));
            assert_eq!(found, [status; 4], "{target} {cookie:.80}");
        }
    }
}

/// CVE-2023-28862: a name and a password in `Authorization`, which know nothing of a second factor.
#[test]
fn a_password_in_authorization_signs_nobody_in() {
    let house = house();
    house.gateway.json(&["user", "add", "bob", "--password-stdin"], ADMIN_PASSWORD);
    for name in ["ann", "bob", "nobody", "ANN", ""] {
        let pair = STANDARD.encode(format!("{name}:{ADMIN_PASSWORD}"));
        for scheme in ["Basic", "basic", "BASIC", "Bearer", "Negotiate"] {
            for field in ["Authorization", "Proxy-Authorization"] {
                let fields = format!("{field}: {scheme} {pair}\r\n");
                for (host, target) in
                    [("app.test", "/x"), ("one.test", "/x"), ("app.test", "/admin")]
                {
                    let found = statuses(&house, &Kept::get(host, target).with(&fields));
                    assert_eq!(found, [401; 4], "{fields} {host}{target}");
                }
            }
        }
        let call = format!(
            "GET /_vestibule/api/v1/auth/me HTTP/1.1\r\nHost: app.test\r\nAuthorization: Basic {pair}\r\nConnection: close\r\n\r\n"
        );
        assert_eq!(house.ask(&call).status, 401, "{name}");
    }
}

/// CVE-2026-32246: a sign-in that has come as far as the password, taken for one that is done.
#[test]
fn a_sign_in_under_way_passes_no_door() {
    let house = house();
    let bob = Person::add(&house.gateway, "bob");
    let mut browser = Browser::new(house.gateway.address);
    let answer = bob.give_password(&mut browser, "/_vestibule/account");
    assert_eq!(answer.status, 303);
    let step = browser.cookies["vestibule-step"].clone();
    let form = browser.cookies["vestibule-form"].clone();
    for cookie in [
        format!("vestibule-step={step}"),
        format!("vestibule={step}"),
        format!("vestibule={form}"),
        format!("vestibule-step={step}; vestibule={step}"),
        format!("vestibule-known={step}"),
    ] {
        for fields in
            [format!("Cookie: {cookie}\r\n"), format!("Authorization: Bearer vsa_{step}\r\n")]
        {
            for (host, target) in [("app.test", "/x"), ("one.test", "/x")] {
                let found = statuses(&house, &Kept::get(host, target).with(&fields));
                assert_eq!(found, [401; 4], "{fields} {host}");
            }
        }
        let call = format!(
            "GET /_vestibule/api/v1/auth/sessions HTTP/1.1\r\nHost: app.test\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
        );
        assert_eq!(house.ask(&call).status, 401, "{cookie}");
    }
    assert_eq!(house.app.received(), "");
}

/// CVE-2026-33496: a verdict that is kept under less than all it depends on. Who, where, how and
/// from where change by turns; each is answered for itself.
#[test]
fn a_verdict_holds_for_one_request_and_for_no_other() {
    let house = house();
    let root = Person::add_with(&house.gateway, "root", &["--group", "admins"]);
    let root = crate::harness::session_of(&root, &house.gateway);
    let net = ["--network", "10.0.0.0/8"];
    let made =
        house.gateway.json(&[&["token", "add", "job", "--user", "ann"], &net[..]].concat(), "");
    let bearer = made["token"].as_str().unwrap();
    let (ann, root) = (format!("Cookie: {}\r\n", house.cookie), format!("Cookie: {root}\r\n"));
    let inside = format!("Authorization: Bearer {bearer}\r\nX-Forwarded-For: 10.1.1.1\r\n");
    let outside = format!("Authorization: Bearer {bearer}\r\nX-Forwarded-For: 192.0.2.1\r\n");
    let asked = [
        ("GET", "app.test", "/admin", root.as_str(), 200),
        ("GET", "app.test", "/admin", ann.as_str(), 403),
        ("GET", "app.test", "/admin", "", 401),
        ("GET", "app.test", "/read", "", 200),
        ("POST", "app.test", "/read", "", 401),
        ("GET", "app.test", "/net", "X-Forwarded-For: 10.1.1.1\r\n", 200),
        ("GET", "app.test", "/net", "X-Forwarded-For: 192.0.2.1\r\n", 401),
        ("GET", "app.test", "/x", inside.as_str(), 200),
        ("GET", "app.test", "/x", outside.as_str(), 401),
        ("GET", "app.test", "/x", ann.as_str(), 200),
        ("GET", "app.test", "/closed", root.as_str(), 403),
        ("GET", "app.test", "/public", "", 200),
    ];
    for round in 0..3 {
        for at in 0..asked.len() {
            // By turns and then crosswise, so that each follows every other once.
            let (method, host, target, fields, status) =
                asked[(at * (round * 2 + 1) + round) % asked.len()];
            let replies = at_every_door(&house, &Kept { method, host, target, fields });
            for reply in &replies {
                assert_eq!(reply.status, status, "{method} {target} {fields}");
            }
            // And nobody in between may keep it.
            for reply in &replies[1..] {
                assert_eq!(reply.header("cache-control"), Some("no-store"), "{target}");
            }
        }
    }
}

/// CVE-2024-52003: a check about a host that is not ours sends its visitor to our sign-in, and from
/// there to nowhere else.
#[test]
fn a_foreign_host_in_a_check_is_no_place_to_return_to() {
    let house = house();
    let bob = Person::add(&house.gateway, "bob");
    for (number, (host, target)) in
        [("evil.example", "/x"), ("app.test.evil.example", "/"), ("evil.example:8443", "/a?b=c")]
            .into_iter()
            .enumerate()
    {
        for dialect in [Dialect::ForwardAuth, Dialect::ExtAuthz, Dialect::AuthRequest] {
            let reply = ask(&house, dialect, &Kept::get(host, target).with(PAGE));
            let to = reply.header("location").unwrap();
            let portal = format!("http://{}/_vestibule/login?", house.gateway.address);
            assert!(to.starts_with(&portal), "{to}");
            if dialect != Dialect::ForwardAuth {
                continue;
            }
            let mut browser = Browser::new(house.gateway.address);
            let page = browser.open(to.strip_prefix(&browser.origin()).unwrap());
            let page = browser
                .submit_and_follow(&page, &[("username", "bob"), ("password", ADMIN_PASSWORD)]);
            let code = bob.recovery_codes[number].as_str();
            let done = browser.submit(&page, &[("recovery_code", code)]);
            assert_eq!(done.header("location"), Some("/_vestibule/account"), "{host}");
        }
    }
}

/// No advisory of its own: everything that ends a session ends it at every door at once.
#[test]
fn whatever_ends_a_session_ends_it_at_every_door_at_once() {
    let house = house();
    type End = fn(&Gateway, &Person, &mut Browser);
    let ends: [(&str, End); 6] = [
        ("logout", |_, _, browser| {
            let page = browser.open("/_vestibule/logout");
            assert_eq!(browser.submit(&page, &[]).status, 200);
        }),
        ("revoked", |gateway, ann, _| {
            drop(gateway.json(&["session", "revoke", "--user", &ann.name], ""))
        }),
        ("disabled", |gateway, ann, _| drop(gateway.json(&["user", "disable", &ann.name], ""))),
        ("removed", |gateway, ann, _| drop(gateway.json(&["user", "remove", &ann.name], ""))),
        ("everybody", |gateway, _, _| drop(gateway.json(&["session", "revoke", "--all"], ""))),
        ("factor reset", |gateway, ann, _| {
            drop(gateway.json(&["user", "reset-mfa", &ann.name], ""))
        }),
    ];
    for (what, end) in ends {
        let somebody = Person::add(&house.gateway, &what.replace(' ', "-"));
        let mut browser = Browser::new(house.gateway.address);
        somebody.sign_in(&mut browser, "/_vestibule/account", 0);
        let fields = format!("Cookie: vestibule={}\r\n", browser.cookies["vestibule"]);
        let kept = Kept::get("app.test", "/x").with(&fields);
        assert_eq!(statuses(&house, &kept), [200; 4], "{what}");
        end(&house.gateway, &somebody, &mut browser);
        assert_eq!(statuses(&house, &kept), [401; 4], "{what}");
    }
}

/// No advisory of its own: a gateway that is told to stop while requests and checks go on, of
/// somebody who is signed in and with a token that has to be looked up; nothing is ever a yes that
/// was not one.
#[test]
fn a_gateway_that_is_stopping_or_gone_says_no_yes_to_anybody() {
    let app = App::start();
    let options = Options::upstream(&app.url());
    let server = "trusted_proxies = [\"127.0.0.1\"]".into();
    let House { app, mut gateway, cookie } = House::with(app, Options { server, ..options });
    let address = gateway.address;
    let unknown = format!("vestibule={}", "A".repeat(43));
    let asked: Vec<(String, u16)> = [(&unknown, 401), (&cookie, 200)]
        .into_iter()
        .flat_map(|(cookie, verdict)| {
            let fields = format!("Cookie: {cookie}\r\n");
            let kept = Kept::get("app.test", "/x").with(&fields);
            let own = format!("GET /x HTTP/1.1\r\nHost: app.test\r\n{fields}\r\n");
            let checks = DIALECTS.map(|dialect| dialect.check(&kept, ""));
            checks.into_iter().chain([own]).map(move |request| (request, verdict))
        })
        .collect();
    let ask = |(request, verdict): &(String, u16)| {
        let reply = exchange(address, request.as_bytes());
        assert!([0, 503, *verdict].contains(&reply.status), "{}: {request}", reply.status);
        let is_anns = request.contains(&cookie);
        assert!(is_anns || reply.header("remote-user").is_none(), "{request}");
        reply.status
    };
    for each in &asked {
        assert_eq!(ask(each), each.1, "{}", each.0);
    }
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut gone = 0;
            while gone < 20 {
                gone += asked.iter().filter(|each| ask(each) == 0).count();
            }
        });
        gateway.terminate();
        gateway.wait();
        asking.join().unwrap();
    });
    let received = app.received();
    let of = |what: &str| received.matches(what).count();
    assert_eq!((of("GET /x "), of("GET ")), (of("\r\nremote-user: ann\r\n"), of("GET /x ")));
}

/// CVE-2026-27586: a store that fails. Whoever has to be looked up is told that nobody can say, by
/// every dialect and by our own pages; no step of a sign-in goes on, and none is lost.
#[test]
fn a_store_that_fails_lets_nobody_in_that_has_to_be_looked_up() {
    let rules = vec![open("/public")];
    let access = AccessRules::new(rules, Policy::TwoFactor);
    let (world, store) = World::brittle(Settings { access, ..Settings::default() });
    let (secret, _) = world.add_enrolled("ann");
    let sign_in = || {
        world.pass(60);
        let code = code_at(&secret, world.now());
        json!({"username": "ann", "password": ADMIN_PASSWORD, "totp_code": code})
    };
    let mut browser = world.browser();
    assert_eq!(browser.call("POST", "/auth/login", sign_in()).status, 200);
    let token = browser.cookies["vestibule"].clone();
    let step = {
        let body = json!({"username": "ann", "password": ADMIN_PASSWORD});
        world.browser().call("POST", "/auth/login", body).text("mfa_token")
    };
    let statuses = |target: &str, fields: &str| {
        DIALECTS.map(|dialect| {
            let kept = Kept::get("app.test", target).with(fields);
            let reply = world.answer(dialect.check(&kept, "").as_bytes());
            assert!(reply.status != 200 || reply.header("remote-user").is_some());
            reply.status
        })
    };
    let unknown = format!("Cookie: vestibule={}\r\n", "A".repeat(43));
    let program = format!("Authorization: Bearer vst_{}\r\n", "A".repeat(43));
    let own = format!("Cookie: vestibule={token}\r\n");
    assert_eq!(statuses("/x", &own), [200; 3]);
    store.set_broken(true);
    for fields in [&unknown, &program] {
        assert_eq!(statuses("/x", fields), [503; 3], "{fields}");
        // Also where nobody has to be known: who shows something is not taken for nobody.
        assert_eq!(statuses("/public", fields), [503; 3], "{fields}");
    }
    assert_eq!((statuses("/x", ""), statuses("/public", "")), ([401; 3], [200; 3]));
    // Whoever is in use stays in; their record is held, and its end would have been told.
    assert_eq!(statuses("/x", &own), [200; 3]);
    for (path, body) in [
        ("/auth/login", sign_in()),
        ("/auth/login", json!({"username": "nobody", "password": "x"})),
        ("/auth/token", sign_in()),
        ("/auth/totp/verify", json!({"mfa_token": step, "code": code_at(&secret, world.now())})),
        ("/auth/refresh", json!({"refresh_token": format!("vsr_{}", "A".repeat(43))})),
    ] {
        let mut browser = world.browser();
        let called = browser.call("POST", path, body);
        assert_eq!(called.outcome(), (503, "unavailable"), "{path}: {}", called.json);
        assert!(!browser.cookies.contains_key("vestibule"), "{path}");
    }
    store.set_broken(false);
    let body = json!({"mfa_token": step, "code": code_at(&secret, world.now())});
    assert_eq!(
        world.browser().call("POST", "/auth/totp/verify", body).status,
        200,
        "the step goes on"
    );
    assert_eq!(statuses("/x", &unknown), [401; 3]);
}

/// A rule that opens this path.
fn open(path: &str) -> Rule {
    Rule {
        host: HostPattern::Any,
        path: path.into(),
        methods: Vec::new(),
        networks: Vec::new(),
        users: Vec::new(),
        groups: Vec::new(),
        policy: Policy::Bypass,
        fresh: None,
    }
}
