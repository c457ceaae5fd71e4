//! Rules through the gateway: who passes where, and what those are told who do not.

use crate::harness::{
    ADMIN_PASSWORD, App, Browser, Chance, House, Options, Person, code_after, send_raw,
};

const RULES: &str = r#"
[[route]]
host = "*"
upstream = "{}"
[[rule]]
path = "/health"
methods = ["GET"]
policy = "bypass"
[[rule]]
path = "/closed"
policy = "deny"
[[rule]]
path = "/caf%C3%A9/Special:Export"
policy = "deny"
[[rule]]
path = "/staff"
groups = ["staff"]
policy = "two_factor"
[[rule]]
path = "/staff"
policy = "deny"
[[rule]]
path = "/elsewhere"
networks = ["10.0.0.0/8"]
policy = "bypass"
"#;

fn house() -> House {
    let app = App::start();
    let config = RULES.replace("{}", &app.url());
    House::with(app, Options::default().config(&config))
}

fn status(house: &House, method: &str, target: &str, fields: &str) -> u16 {
    let length = if method == "POST" { "Content-Length: 0\r\n" } else { "" };
    let head = format!("{method} {target} HTTP/1.1\r\nHost: a.test\r\n{length}{fields}");
    house.ask(&format!("{head}Connection: close\r\n\r\n")).status
}

#[test]
fn rules_open_close_and_leave_the_rest_to_the_default() {
    let house = house();
    for (method, target, anonymous, ann) in [
        ("GET", "/health", 200, 200),
        ("GET", "/health/live", 200, 200),
        ("HEAD", "/health", 200, 200),
        ("POST", "/health", 401, 200),
        ("GET", "/healthy", 401, 200),
        ("GET", "/health/../wiki", 401, 200),
        ("GET", "/health/%2e%2e/wiki", 401, 200),
        ("GET", "/health;/x", 401, 200),
        ("GET", "//health", 401, 200),
        ("GET", "/wiki?x=/health", 401, 200),
        ("GET", "/closed", 403, 403),
        ("GET", "/CLOSED/x", 403, 403),
        ("GET", "/x/../closed", 403, 403),
        ("GET", "/%63losed", 403, 403),
        ("GET", "/closed%20", 403, 403),
        ("GET", "/closed.", 403, 403),
        ("GET", "/closed%3fx", 403, 403),
        ("GET", "/x/%c0%ae%c0%ae/closed", 403, 403),
        ("GET", "/%EF%BD%83losed", 403, 403),
        ("GET", "/caf%C3%A9/Special:Export", 403, 403),
        ("GET", "/caf%C3%A9/Special%3AExport", 403, 403),
        ("GET", "//caf%c3%a9/Special:Export", 403, 403),
        ("GET", "/caf%C3%A9;x/Special:Export", 403, 403),
        ("GET", "/health%3f/../closed", 403, 403),
        ("GET", "/closed/../x", 403, 403),
        ("GET", "/closed/%252e%252e/x", 403, 403),
        ("GET", "/x/..%20/closed", 403, 403),
        ("GET", "/staff", 401, 403),
        ("GET", "/elsewhere", 401, 200),
    ] {
        house.app.take_received();
        assert_eq!(status(&house, method, target, ""), anonymous, "{method} {target}");
        let received = house.app.take_received();
        assert_eq!(received.is_empty(), anonymous != 200, "{method} {target}");
        assert!(!received.to_ascii_lowercase().contains("remote-user"), "{received}");
        assert_eq!(status(&house, method, target, "$C"), ann, "{method} {target} as ann");
    }
    // A changed group counts at the next request.
    house.gateway.json(&["user", "set", "ann", "--group", "staff"], "");
    assert_eq!(status(&house, "GET", "/staff", "$C"), 200);
    house.gateway.json(&["user", "set", "ann", "--group", ""], "");
    assert_eq!(status(&house, "GET", "/staff", "$C"), 403);
}

#[test]
fn what_is_explained_is_what_happens() {
    let house = house();
    let explain = |more: &[&str], target: &str| {
        let url = format!("http://a.test{target}");
        let args = [&["policy", "explain"], more, &["GET", url.as_str()]].concat();
        house.gateway.json(&args, "")
    };
    for (target, decision, rule) in [
        ("/health", "allow", Some(1)),
        ("/health/%2e%2e/x", "sign_in", None),
        ("/closed", "forbid", Some(2)),
        ("/staff", "sign_in", Some(4)),
        ("/wiki", "sign_in", None),
    ] {
        let told = explain(&[], target);
        assert_eq!((told["decision"].as_str(), told["rule"].as_u64()), (Some(decision), rule));
        assert_eq!(told["route"], "*/", "{told}");
    }
    let told = explain(&["--user", "ann"], "/staff");
    assert_eq!((told["decision"].as_str(), told["rule"].as_u64()), (Some("forbid"), Some(5)));
    let reasons = told["reasons"].as_array().unwrap();
    assert_eq!(reasons.len(), 5, "{told}");
    assert_eq!(reasons[3], "rule 4 (two_factor): it is for other people");
    let told = explain(&["--from", "10.1.2.3"], "/elsewhere");
    assert_eq!(told["decision"], "allow");
    let text = house.gateway.command(&["policy", "explain", "GET", "nowhere"]);
    assert_eq!(text.status.code(), Some(1));
}

#[test]
fn a_stale_second_factor_is_shown_again_alone_and_leads_back() {
    let app = App::start();
    let config = format!(
        "[[route]]\nhost = \"*\"\nupstream = \"{}\"\n\
         [[rule]]\npath = \"/vault\"\npolicy = \"two_factor\"\nfresh = \"1s\"\n",
        app.url()
    );
    let house = House::with(app, Options::default().config(&config));
    let bob = Person::add(&house.gateway, "bob");
    let mut browser = Browser::new(house.gateway.address);
    assert_eq!(bob.sign_in(&mut browser, "/wiki", 0).status, 200);
    let old = browser.cookies["vestibule"].clone();
    // Asked until the factor has aged: two seconds at most.
    let stale = loop {
        let reply = browser.request("GET", "/vault?x=1", "Sec-Fetch-Mode: navigate\r\n", "");
        if reply.status != 200 {
            break reply;
        }
    };
    assert_eq!(stale.status, 302);
    let to = stale.header("location").unwrap();
    assert!(to.starts_with("/_vestibule/login/second-factor?rd="), "{to}");
    let program = browser.clone().request("GET", "/vault", "Sec-Fetch-Mode: cors\r\n", "");
    assert_eq!(program.status, 401);
    assert!(program.text().contains("second_factor_required"));
    assert_eq!(browser.open("/wiki").status, 200, "the rest goes on");

    let page = browser.follow(stale);
    assert_eq!(browser.submit(&page, &[("code", "000000")]).status, 401);
    let code = code_after(&bob.secret, 1);
    let answer = browser.submit(&page, &[("code", &code)]);
    assert_eq!(answer.header("location"), Some("/vault?x=1"), "{}", answer.text());
    assert_ne!(browser.cookies["vestibule"], old, "a new token at each step up");
    let mut thief = browser.clone();
    thief.cookies.insert("vestibule".into(), old);
    let reply = thief.request("GET", "/wiki", "Sec-Fetch-Mode: navigate\r\n", "");
    assert_eq!(reply.status, 302, "the old token is gone");
    assert_eq!(browser.open("/wiki").status, 200);
}

#[test]
fn a_form_that_a_sign_in_interrupted_is_not_lost_without_a_word() {
    let house = house();
    let mut browser = Browser::new(house.gateway.address);
    let fields = format!(
        "Referer: http://{}/wiki/edit?page=1\r\nSec-Fetch-Mode: navigate\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n",
        browser.host
    );
    house.app.take_received();
    let reply = browser.request("POST", "/wiki/save", &fields, "text=hello");
    assert_eq!(reply.status, 303);
    let page = browser.follow(reply);
    assert!(page.text().contains("What you sent did not arrive"), "{}", page.text());
    assert_eq!(house.app.received(), "");
    let answer = browser.submit(&page, &[("username", "ann"), ("password", ADMIN_PASSWORD)]);
    assert!(answer.header("location").unwrap().contains("edit"), "back to the form");
}

/// What an obliging server makes of a path: everything undone that any of them undoes.
fn obliging(target: &str) -> String {
    let path = target.split(['?', '#']).next().unwrap();
    let mut bytes = path.as_bytes().to_vec();
    for _ in 0..4 {
        let mut decoded = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let hex = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
            let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
            match byte.filter(|_| bytes[at] == b'%') {
                Some(byte) => {
                    decoded.push(byte);
                    at += 3;
                }
                None => {
                    decoded.push(bytes[at]);
                    at += 1;
                }
            }
        }
        bytes = decoded;
    }
    let text = String::from_utf8_lossy(&bytes).replace('\\', "/");
    let mut segments: Vec<&str> = Vec::new();
    for segment in text.split('/') {
        match segment.split(';').next().unwrap() {
            "" | "." => {}
            ".." => drop(segments.pop()),
            name => segments.push(name),
        }
    }
    format!("/{}", segments.join("/"))
}

#[test]
fn whatever_the_target_what_passes_without_a_session_lies_below_a_rule_that_opens() {
    const PIECES: [&str; 26] = [
        "/",
        "health",
        "wiki",
        "closed",
        "..",
        ".",
        "%2e",
        "%2E%2e",
        "%2f",
        "%5c",
        "\\",
        ";",
        "//",
        "%00",
        "?",
        "#",
        "%25",
        "%252e",
        "HEALTH",
        "%68ealth",
        "health/",
        "/health/",
        "/../",
        "x",
        "@",
        "http://a.test",
    ];
    let house = house();
    let mut chance = Chance::new();
    let mut passed = 0;
    for round in 0..1500 {
        let count = 1 + chance.below(6);
        let start = if round % 3 == 0 { "" } else { "/health" };
        let rest: String = (0..count).map(|_| PIECES[chance.below(PIECES.len())]).collect();
        let target = format!("{start}{rest}");
        let request = format!("GET {target} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
        send_raw(house.gateway.address, request.as_bytes());
        let received = house.app.take_received();
        if received.is_empty() {
            continue;
        }
        passed += 1;
        let got = received.split(' ').nth(1).unwrap();
        assert_eq!(got, target, "what was judged is what the app receives");
        let read = obliging(got);
        assert!(read == "/health" || read.starts_with("/health/"), "{target} is read as {read}");
    }
    // Targets of which none passed would prove nothing.
    assert!(passed > 20, "{passed} passed");
}
