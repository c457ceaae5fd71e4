//! What the app is told about a person, and what nobody else can tell it.

use crate::harness::{App, Gateway, House, Options, Person, session_of};

/// The values of a header in what the app received, in any case.
fn told(received: &str, name: &str) -> Vec<String> {
    let head = received.split("\r\n\r\n").next().unwrap_or_default();
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    let named = fields.filter(|(n, _)| n.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.trim().to_owned()).collect()
}

/// A gateway that routes hosts and paths; `{}` in the text stands for the app.
fn routed(app: App, config: &str) -> House {
    let options = Options::default().config(&config.replace("{}", &app.url()));
    House::with(app, options)
}

/// Lets everything through and trusts this machine.
fn trusting(app: &App) -> Options {
    let mut options = Options::upstream(&app.url());
    options.server = String::from("trusted_proxies = [\"127.0.0.0/8\", \"10.0.0.0/8\"]");
    options
}

#[test]
fn the_app_is_told_who_somebody_is_in_full() {
    let app = App::start();
    let gateway = Gateway::start(Options::upstream(&app.url()));
    let zoe = Person::add_with(
        &gateway,
        "zoe",
        &[
            "--email",
            "zoe@example.com",
            "--display-name",
            "Zoë Łukasiewicz 李",
            "--group",
            "night shift",
            "--group",
            "staff",
        ],
    );
    let cookie = session_of(&zoe, &gateway);
    app.take_received();
    let request = format!(
        "GET /x HTTP/1.1\r\nHost: App.Test:8080\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
    );
    let answer = crate::harness::send_raw(gateway.address, request.as_bytes());
    assert!(answer.starts_with(b"HTTP/1.1 200 "));
    let received = app.received();
    for (name, value) in [
        ("Remote-User", "zoe"),
        ("Remote-Groups", "night shift,staff"),
        ("Remote-Name", "Zoë Łukasiewicz 李"),
        ("Remote-Email", "zoe@example.com"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Host", "App.Test:8080"),
        ("Host", "App.Test:8080"),
    ] {
        assert_eq!(told(&received, name), [value], "{name}: {received}");
    }
    let id = told(&received, "X-Request-Id");
    assert!(matches!(&id[..], [id] if id.len() == 32), "{received}");
}

/// What a client may try to say; all of it is `evil`.
const FORGED: &[&str] = &[
    "Remote-User",
    "remote-user",
    "REMOTE-USER",
    "Remote-Groups",
    "Remote-Name",
    "Remote-Email",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Uri",
    "X-Forwarded-Method",
    "X-Forwarded-Server",
    "X-Forwarded-Ssl",
    "X-Forwarded-User",
    "x-forwarded-anything",
    "Forwarded",
    "X-Forwarded",
    "X-Real-IP",
    "X_Real_IP",
    "X.Real.IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "X-Client-IP",
    "X-Cluster-Client-IP",
    "X-Original-URL",
    "X-Original-URI",
    "X_Original_URL",
    "X-Original-Host",
    "X-Rewrite-URL",
    "X.Rewrite.URL",
    "X-HTTP-Method-Override",
    "X-HTTP-Method",
    "X-Method-Override",
    "X_HTTP_Method_Override",
    "X-Vestibule-Assertion",
    "X-Vestibule-User",
    "X_Vestibule_Anything",
    "X-Request-Id",
    "X-Host",
    "Proxy",
];

#[test]
fn nothing_a_client_says_in_the_gateways_name_reaches_the_app() {
    let config = "[access]\ndefault_policy = \"bypass\"\n";
    let app = App::start();
    let open = House::with(App::start(), Options::upstream(&app.url()).config(config));
    let closed = House::new();
    for name in FORGED {
        let twice = format!("{name}: evil\r\n{name}: evil, evil\r\n");
        assert_eq!(closed.get("/x", &twice).status, 200, "{name}");
        let received = closed.app.take_received();
        assert!(!received.contains("evil"), "{name}: {received}");
        assert_eq!(told(&received, "remote-user"), ["ann"], "{name}: {received}");
        // The same where nobody is asked who they are, and for a handshake.
        let handshake = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
        for more in ["", handshake] {
            let request = format!("GET /x HTTP/1.1\r\nHost: a\r\n{twice}{more}\r\n");
            assert_eq!(open.ask(&request).status, 200, "{name}");
            let received = app.take_received();
            assert!(received.starts_with("GET /x "), "{name}: {received}");
            assert!(!received.contains("evil"), "{name}: {received}");
            assert_eq!(told(&received, "remote-user"), [""; 0], "{name}: {received}");
        }
    }
}

#[test]
fn the_headers_have_the_names_of_the_configuration_and_empty_ones_are_left_out() {
    let config = "[identity]\nuser = \"X-Auth-User\"\ngroups = \"\"\nname = \"\"\n[[route]]\nhost = \"*\"\nupstream = [\"{}\"]\n";
    let house = routed(App::start(), config);
    let forged =
        "X-Auth-User: evil\r\nRemote-User: evil\r\nRemote-Groups: evil\r\nRemote-Name: evil\r\n";
    assert_eq!(house.get("/x", forged).status, 200);
    let received = house.app.take_received();
    assert_eq!(told(&received, "x-auth-user"), ["ann"], "{received}");
    // Also a name that is not in use is not the client's: the app may well look at it.
    for name in ["Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email"] {
        assert_eq!(told(&received, name), [""; 0], "{received}");
    }
    assert_eq!(house.get("/x", "X_Auth_User: evil\r\n").status, 400);
    assert_eq!(house.get("/x", "Remote_Groups: evil\r\n").status, 400);
    assert_eq!(house.get("/x", "Connection: X-Auth-User\r\n").status, 400);
    assert_eq!(house.app.received(), "");
}

#[test]
fn the_client_is_the_rightmost_address_that_no_trusted_proxy_vouches_for() {
    let app = App::start();
    let options = trusting(&app);
    let house = House::with(app, options);
    for (said, client, proto) in [
        ("X-Forwarded-For: 6.6.6.6, 192.0.2.7, 10.0.0.2\r\n", "192.0.2.7", "http"),
        ("X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 192.0.2.8\r\n", "192.0.2.8", "http"),
        (
            "X-Forwarded-For: [2001:db8::1]:443\r\nX-Forwarded-Proto: https\r\n",
            "2001:db8::1",
            "https",
        ),
        ("X-Forwarded-For: 6.6.6.6, unknown\r\n", "127.0.0.1", "http"),
        ("X-Real-IP: 6.6.6.6\r\nForwarded: for=6.6.6.6;proto=https\r\n", "127.0.0.1", "http"),
        ("X-Forwarded-Proto: https\r\nX-Forwarded-Proto: https\r\n", "127.0.0.1", "http"),
        ("X-Forwarded-Host: evil.test\r\n", "127.0.0.1", "http"),
    ] {
        assert_eq!(house.get("/x", said).status, 200, "{said}");
        let received = house.app.take_received();
        assert_eq!(told(&received, "x-forwarded-for"), [client], "{said}: {received}");
        assert_eq!(told(&received, "x-forwarded-proto"), [proto], "{said}: {received}");
        assert_eq!(told(&received, "x-forwarded-host"), ["app.test"], "{said}: {received}");
        assert!(!received.contains("6.6.6.6") && !received.contains("evil"), "{received}");
    }
}

#[test]
fn our_cookies_never_reach_the_app_and_its_own_always_do() {
    let house = House::new();
    let own = house.cookie.clone();
    for (sent, kept) in [
        (vec![own.clone()], None),
        (vec![format!("a=1; {own}; b=2")], Some("a=1; b=2")),
        (vec![format!("a=1;{own};b=2")], Some("a=1; b=2")),
        (vec![format!("{own};")], None),
        (vec![format!("  {own}  ;a=\"x y\"")], Some("a=\"x y\"")),
        (vec![String::from("a=1"), own.clone(), String::from("b=2")], Some("a=1; b=2")),
        (
            vec![format!("{own}; vestibule-step=x; vestibule-form=y; VESTIBULE-new=z; c=3")],
            Some("c=3"),
        ),
        (vec![format!("{own}; __Host-vestibule=x; __Secure-vestibule=y; c=3")], Some("c=3")),
        (vec![format!("{own}; vestibule-step; c=3; =vestibule=x")], Some("c=3")),
        (
            vec![format!("{own}; my-vestibule=1; session=vestibule")],
            Some("my-vestibule=1; session=vestibule"),
        ),
        (vec![format!("{own}; a=b=c; d; e=")], Some("a=b=c; d; e=")),
    ] {
        let fields: String = sent.iter().map(|cookie| format!("Cookie: {cookie}\r\n")).collect();
        let request = format!("GET /x HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        assert_eq!(house.ask(&request).status, 200, "{sent:?}");
        let received = house.app.take_received();
        assert_eq!(told(&received, "cookie"), Vec::from_iter(kept), "{sent:?}: {received}");
        assert!(!received.contains(&own), "{received}");
    }
    // Without one of ours, what is sent is what arrives.
    let open = "[access]\ndefault_policy = \"bypass\"\n";
    let app = App::start();
    let gateway = Gateway::start(Options::upstream(&app.url()).config(open));
    for cookie in ["a=1;b=2", "a=1;  b=2;", "x"] {
        let request =
            format!("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n");
        crate::harness::send_raw(gateway.address, request.as_bytes());
        assert_eq!(told(&app.take_received(), "cookie"), [cookie]);
    }
}

#[test]
fn the_app_sets_its_own_cookies_and_none_of_ours() {
    let house = House::around(App::answering(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: app=1; Path=/\r\nSet-Cookie: vestibule=x; Path=/\r\n\
         set-cookie:  VESTIBULE-form=x\r\nSet-Cookie: __Host-vestibule=x; Secure; Path=/\r\n\
         Set-Cookie: __secure-vestibule=x\r\nSet-Cookie: =vestibule=x\r\nSet-Cookie: = vestibule-step=x\r\n\
         Set-Cookie: vestibule\r\nSet-Cookie: other=vestibule\r\n\r\nhi",
    ));
    let reply = house.get("/x", "");
    let set: Vec<&str> = reply.headers_named("set-cookie").collect();
    assert_eq!(set, ["app=1; Path=/", "other=vestibule"]);
}

#[test]
fn path_and_query_reach_the_app_byte_for_byte() {
    let house = House::new();
    for target in [
        "/",
        "//",
        "///x//y/",
        "/a/../b",
        "/../../etc/passwd",
        "/a/./b/.",
        "/%2e%2e/b",
        "/a%2Fb",
        "/a%2fb",
        "/a%5Cb",
        "/a\\b",
        "/a;b=c/d;e",
        "/%",
        "/%zz",
        "/%00",
        "/%41",
        "/~x",
        "/a+b%20c",
        "/|^{}",
        "/x?`{}|^'",
        "/_vestibule%2f..%2fx",
        "/x?",
        "/x??a=b",
        "/x?a=/../../b&c=%2F;d",
        "/x?a=http://evil/\\",
        "/C%C3%A9",
        "/x?_vestibule",
        "/_vestibules",
        "/x/_vestibule/login",
        "/:80/",
        "/@evil",
        "/x?rd=//evil",
        "/%23x",
        "/a,b!$&'()*=:@",
    ] {
        assert_eq!(house.get(target, "").status, 200, "{target}");
        let received = house.app.take_received();
        assert!(
            received.starts_with(&format!("GET {target} HTTP/1.1\r\n")),
            "{target}: {received}"
        );
    }
}

#[test]
fn a_path_that_reads_as_the_portal_in_another_spelling_is_not_found_and_not_forwarded() {
    let house = House::new();
    for target in [
        "//_vestibule/login",
        "/_vestibule//login",
        "/./_vestibule/login",
        "/x/../_vestibule/login",
        "/%5fvestibule/login",
        "/%5Fvestibule/api/v1/auth/me",
        "/%255fvestibule/login",
        "/_vestibule/./login",
        "/_vestibule%2Flogin",
        "/_vestibule;x/login",
        "/_vestibule\\login",
        "/\\_vestibule/login",
        "/_vestibule/../secret",
        "/_vestibule/%2e%2e/x",
        "/%2e/_vestibule",
        "/_vestibule/nothing",
        "/_vestibule%00",
        "/_vestibule%23",
    ] {
        assert_eq!(house.get(target, "").status, 404, "{target}");
        assert_eq!(house.get(target, "Sec-Fetch-Mode: navigate\r\n").status, 404, "{target}");
        let anonymous = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(house.ask(&anonymous).status, 404, "{target}");
    }
    assert_eq!(house.app.received(), "");
    assert_eq!(house.get("/_vestibule/account", "").status, 200);
}
