//! Forms that other sites, other programs or nobody's browser sends, and addresses to return to
//! that lead elsewhere.

use crate::harness::{
    ADMIN_PASSWORD, Behind, Browser, Gateway, Person, Reply, Shared, attribute, filled_in,
};
use std::sync::Arc;
use url::Url;

/// A gateway at which a password is enough for whoever has nothing more.
fn lenient() -> Arc<Behind> {
    static GATEWAY: Shared = Shared::new();
    GATEWAY.get("[access]\ndefault_policy = \"one_factor\"\n")
}

/// Adds somebody who has a password alone.
fn plain(gateway: &Gateway, name: &str) {
    gateway.json(&["user", "add", name, "--password-stdin"], ADMIN_PASSWORD);
}

fn sign_in(gateway: &Gateway, name: &str) -> Browser {
    let mut browser = Browser::new(gateway.address);
    let page = browser.open("/_vestibule/login");
    let fields = [("username", name), ("password", ADMIN_PASSWORD)];
    assert_eq!(browser.submit(&page, &fields).status, 303);
    browser
}

fn is_signed_in(browser: &Browser) -> bool {
    browser.clone().request("GET", "/app", "Sec-Fetch-Mode: navigate\r\n", "").status == 200
}

/// A form filled in so that it would be taken.
struct Filled<'g> {
    browser: Browser,
    target: &'static str,
    body: String,
    /// Whether what the form would do has not happened.
    is_undone: Box<dyn Fn() -> bool + 'g>,
}

fn login_form(gateway: &Gateway) -> Filled<'_> {
    plain(gateway, "ann-foreign");
    let mut browser = Browser::new(gateway.address);
    let page = browser.open("/_vestibule/login");
    let fields = [("username", "ann-foreign"), ("password", ADMIN_PASSWORD)];
    let body = filled_in(&page.text(), &fields).1;
    let is_undone = Box::new(|| {
        let listed = gateway.json(&["session", "list", "--user", "ann-foreign"], "");
        listed.as_array().unwrap().is_empty()
    });
    Filled { browser, target: "/_vestibule/login", body, is_undone }
}

fn invitation_form(gateway: &Gateway) -> Filled<'_> {
    let invited = gateway.json(&["user", "add", "bob-foreign"], "");
    let link = invited["invite_url"].as_str().unwrap();
    let mut browser = Browser::new(gateway.address);
    let page = browser.open(link.strip_prefix(&browser.origin()).unwrap());
    let fields = [("password", ADMIN_PASSWORD), ("password_again", ADMIN_PASSWORD)];
    let body = filled_in(&page.text(), &fields).1;
    let is_undone =
        Box::new(|| gateway.json(&["user", "show", "bob-foreign"], "")["has_password"] == false);
    Filled { browser, target: "/_vestibule/invite", body, is_undone }
}

fn second_factor_form(gateway: &Gateway) -> Filled<'_> {
    let cat = Person::add(gateway, "cat-foreign");
    let mut browser = Browser::new(gateway.address);
    let reply = cat.give_password(&mut browser, "/app");
    let page = browser.follow(reply);
    let code = cat.recovery_codes[0].as_str();
    let body = filled_in(&page.text(), &[("recovery_code", code)]).1;
    let is_undone = Box::new(|| {
        gateway.json(&["user", "show", "cat-foreign"], "")["recovery_codes_remaining"] == 10
    });
    Filled { browser, target: "/_vestibule/login/second-factor", body, is_undone }
}

fn logout_form(gateway: &Gateway) -> Filled<'_> {
    plain(gateway, "dan-foreign");
    let mut browser = sign_in(gateway, "dan-foreign");
    let page = browser.open("/_vestibule/logout");
    let body = filled_in(&page.text(), &[]).1;
    let stays = browser.clone();
    let is_undone = Box::new(move || is_signed_in(&stays));
    Filled { browser, target: "/_vestibule/logout", body, is_undone }
}

#[test]
fn a_form_from_another_site_or_without_its_token_does_nothing() {
    let behind = lenient();
    let gateway = &behind.gateway;
    for form in [
        login_form(gateway),
        invitation_form(gateway),
        second_factor_form(gateway),
        logout_form(gateway),
    ] {
        let Filled { mut browser, target, body, is_undone } = form;
        let body = body.as_str();
        let origin = format!("Origin: {}\r\n", browser.origin());
        for (headers, body) in [
            ("Origin: http://evil.test\r\n", body),
            ("Origin: null\r\n", body),
            ("Origin: \r\n", body),
            ("Sec-Fetch-Site: cross-site\r\n", body),
            ("Sec-Fetch-Site: same-site\r\n", body),
            (&format!("{origin}Sec-Fetch-Site: cross-site\r\n"), body),
            (&format!("{origin}Origin: http://evil.test\r\n"), body),
            (&origin, &body.replace("form_token", "no_token")),
            (&origin, &body.replacen("form_token=", "form_token=A", 1)),
        ] {
            let reply = browser.clone().post_with(target, headers, body);
            assert_eq!(reply.status, 403, "{target} {headers}");
            let set: Vec<&str> = reply.headers_named("set-cookie").collect();
            assert!(set.iter().all(|cookie| cookie.starts_with("vestibule-form=")), "{set:?}");
        }
        // The token of one browser is none of another's, or of a browser without any. Where there
        // is nothing to go on with or to sign out of, that is what is said.
        let mut other = Browser::new(gateway.address);
        for _ in 0..2 {
            let reply = other.post_with(target, &origin, body);
            let says_so = reply.text().contains("You are signed out");
            let leads =
                reply.header("location").is_some_and(|to| to.starts_with("/_vestibule/login?"));
            assert!(reply.status == 403 || says_so || leads, "{target} {}", reply.status);
            other.open("/_vestibule/login");
        }
        assert!(is_undone(), "{target}");
        // It is taken as it is: it was not for something else that it was refused.
        let reply = browser.post(target, body);
        assert!([200, 303].contains(&reply.status), "{target} {}", reply.status);
        assert!(!is_undone(), "{target}");
    }
}

#[test]
fn what_is_not_a_form_of_ours_is_refused_by_its_fault() {
    let behind = lenient();
    plain(&behind.gateway, "ann-strict");
    let mut browser = Browser::new(behind.gateway.address);
    let page = browser.open("/_vestibule/login");
    let fields = [("username", "ann-strict"), ("password", ADMIN_PASSWORD)];
    let body = filled_in(&page.text(), &fields).1;
    let json = format!("{{\"username\":\"ann-strict\",\"password\":\"{ADMIN_PASSWORD}\"}}");
    let form = "application/x-www-form-urlencoded";
    let padded = format!("{body}&padding={}", "x".repeat(64 * 1024));
    for (kind, body, status) in [
        ("application/json", json.as_str(), 415),
        ("text/plain", &body, 415),
        ("multipart/form-data; boundary=x", &body, 415),
        ("application/x-www-form-urlencoded-not", &body, 415),
        (form, &format!("{body}&username=bob"), 400),
        (form, &format!("{body}&%75sername=bob"), 400),
        (form, &format!("{body}&a=%ff"), 400),
        (form, &format!("{body}&unknown=x"), 303),
        (form, &padded, 413),
    ] {
        let mut browser = browser.clone();
        let headers = format!("Content-Type: {kind}\r\n");
        let reply = browser.request("POST", "/_vestibule/login", &headers, body);
        assert_eq!(reply.status, status, "{kind} {}", &body[..body.len().min(200)]);
        assert_eq!(browser.cookies.contains_key("vestibule"), status == 303);
    }
    // In chunks, without a length: refused once there is too much of it.
    let chunks = "2000\r\n".to_owned() + &"x".repeat(0x2000) + "\r\n";
    let request = format!(
        "POST /_vestibule/login HTTP/1.1\r\nHost: {}\r\nContent-Type: {form}\r\n\
         Transfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n",
        browser.host,
        chunks.repeat(9)
    );
    let reply = crate::harness::exchange(behind.gateway.address, request.as_bytes());
    assert_eq!(reply.status, 413);
}

/// Addresses that have fooled somebody's parser. `HERE` stands for our own host and port.
const EVIL: &[&str] = &[
    "//evil.test",
    "//evil.test/app",
    "///evil.test",
    "////evil.test",
    "/\\evil.test",
    "\\/evil.test",
    "\\\\evil.test",
    "/\t/evil.test",
    "/\n/evil.test",
    "/\r\n/evil.test",
    "\t//evil.test",
    " //evil.test",
    "\u{1}//evil.test",
    "/\u{a0}/evil.test",
    "/\u{2003}/evil.test",
    "/.//evil.test",
    "/./\\evil.test",
    "/app/..//evil.test",
    "/app/%2e%2e//evil.test",
    "http://evil.test",
    "https://evil.test",
    "HTTP://EVIL.TEST",
    "http:evil.test",
    "http:/evil.test",
    "http:///evil.test",
    "http:\\\\evil.test",
    "http://HERE@evil.test",
    "http://HERE:pass@evil.test",
    "http://evil.test\\@HERE",
    "http://evil.test#@HERE",
    "http://evil.test?@HERE",
    "http://HERE.evil.test",
    "http://evil.test:80",
    "http://127.0.0.1.evil.test",
    "http://127.0.0.1:1/",
    "http://127.0.0.1:22/",
    "http://[::ffff:127.0.0.1]/",
    "http://①②⑦.⓪.⓪.①.evil.test/",
    "http://evil。test/",
    "http://еvil.test/",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "javascript://HERE/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "ftp://HERE/",
    "blob:http://HERE/x",
    "/app\r\nSet-Cookie: vestibule=x",
    "/app\r\n\r\n<script>",
    "?rd=//evil.test",
    "evil.test",
    "../../evil.test",
];

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Wherever a page or a redirect can send a browser that reads addresses as browsers do.
fn leads(browser: &Browser, reply: &Reply) -> Vec<Url> {
    let base = Url::parse(&format!("{}/_vestibule/login", browser.origin())).unwrap();
    let text = reply.text();
    let mut targets: Vec<String> = reply.headers_named("location").map(str::to_owned).collect();
    for tag in text.split('<') {
        targets.extend(["href", "action", "src"].iter().filter_map(|name| attribute(tag, name)));
        if tag.contains("http-equiv") {
            let content = attribute(tag, "content").unwrap();
            targets.push(content.split_once("url=").unwrap().1.to_owned());
        }
        if attribute(tag, "name").as_deref() == Some("rd") {
            targets.push(attribute(tag, "value").unwrap());
        }
    }
    targets.iter().map(|target| base.join(target).unwrap()).collect()
}

fn assert_stays(browser: &Browser, reply: &Reply, evil: &str) {
    let origin = Url::parse(&browser.origin()).unwrap().origin();
    assert!(reply.status < 400, "{evil:?}: {}", reply.status);
    for url in leads(browser, reply) {
        // The empty picture that keeps browsers from asking for an icon.
        if url.as_str() != "data:," {
            assert_eq!(url.origin(), origin, "{evil:?} leads to {url}");
            assert!(!url.path().starts_with("//"), "{evil:?} leads to {url}");
        }
    }
    assert_eq!(reply.text().matches("<script").count(), usize::from(!reply.body.is_empty()));
    assert!(!reply.headers_named("set-cookie").any(|cookie| cookie == "vestibule=x"), "{evil:?}");
}

#[test]
fn no_address_leads_elsewhere_after_the_password_or_for_whoever_is_signed_in_already() {
    let behind = lenient();
    plain(&behind.gateway, "ann-returns");
    let signed_in = sign_in(&behind.gateway, "ann-returns");
    let mut form = Browser::new(behind.gateway.address);
    let page = form.open("/_vestibule/login");
    for evil in EVIL {
        let evil = evil.replace("HERE", &form.host);
        let query = encoded(&evil);
        let asked = form.clone().open(&format!("/_vestibule/login?rd={query}"));
        assert_stays(&form, &asked, &evil);
        for page in ["login", "logout", "account", "recovery-codes"] {
            let target = format!("/_vestibule/{page}?rd={query}");
            let reply = signed_in.clone().request("GET", &target, "", "");
            assert_stays(&signed_in, &reply, &evil);
        }
        let fields =
            [("username", "ann-returns"), ("password", ADMIN_PASSWORD), ("rd", evil.as_str())];
        let body = filled_in(&page.text(), &fields).1;
        let reply = form.clone().post(&format!("/_vestibule/login?rd={query}"), &body);
        assert_eq!(reply.header("location"), Some("/_vestibule/account"), "{evil:?}");
    }
}

#[test]
fn no_address_leads_elsewhere_after_the_second_factor_or_at_signing_out() {
    let behind = lenient();
    let ann = Person::add(&behind.gateway, "ann-exits");
    let worst = ["//evil.test", "/\\evil.test", "/\t/evil.test", "http://HERE@evil.test", "/.//x"];
    for (number, evil) in worst.into_iter().enumerate() {
        let mut browser = Browser::new(behind.gateway.address);
        let evil = evil.replace("HERE", &browser.host);
        let page = browser.open("/_vestibule/login?rd=/app");
        let fields = [("username", ann.name.as_str()), ("password", ADMIN_PASSWORD)];
        let page = browser.submit_and_follow(&page, &fields);
        let code = ann.recovery_codes[number].as_str();
        let body = filled_in(&page.text(), &[("recovery_code", code), ("rd", &evil)]).1;
        let target = format!("/_vestibule/login/second-factor?rd={}", encoded(&evil));
        let reply = browser.post(&target, &body);
        assert_eq!(reply.header("location"), Some("/app"), "{evil:?}");

        let page = browser.open("/_vestibule/logout");
        let body = filled_in(&page.text(), &[("rd", &evil)]).1;
        let reply = browser.post(&format!("/_vestibule/logout?rd={}", encoded(&evil)), &body);
        assert_eq!(reply.status, 200);
        assert_stays(&browser, &reply, &evil);
    }
}

#[test]
fn an_address_on_this_host_is_followed() {
    let behind = lenient();
    plain(&behind.gateway, "ann-honest");
    let here = behind.gateway.address;
    for (wish, followed) in [
        ("/app?x=1&y=%2F#z", "/app?x=1&y=%2F#z".to_owned()),
        ("/", "/".into()),
        (&format!("http://{here}/app"), format!("http://{here}/app")),
    ] {
        let mut browser = Browser::new(here);
        let page = browser.open(&format!("/_vestibule/login?rd={}", encoded(wish)));
        let fields = [("username", "ann-honest"), ("password", ADMIN_PASSWORD)];
        let reply = browser.submit(&page, &fields);
        assert_eq!(reply.header("location"), Some(followed.as_str()));
    }
}
