//! Marker secrets: used in every way there is, then looked for in everything that is kept.

use crate::harness::{
    ADMIN_PASSWORD, App, Browser, Gateway, Options, Person, Reply, TempDir, code_now, exchange,
    send_raw,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const PASSWORD: &str = "marker Pass-phrase of Somebody";
const WRONG: &str = "marker wrong phrase typed by mistake";
const QUERY: &str = "markerquerystring";
const HEADER: &str = "markerauthorization";

/// Everything that must be found nowhere, each under what it is.
#[derive(Default)]
struct Markers(Vec<(String, Vec<u8>)>);

impl Markers {
    fn text(&mut self, what: &str, text: &str) {
        assert!(text.len() >= 10, "{what} is too short to be looked for: {text}");
        self.0.push((what.to_owned(), text.as_bytes().to_vec()));
    }

    /// A token as text, and the bits it stands for.
    fn token(&mut self, what: &str, text: &str) {
        self.text(what, text);
        self.0.push((format!("bits of {what}"), URL_SAFE_NO_PAD.decode(text).unwrap()));
    }

    /// An authenticator's key as text, and its bits.
    fn key(&mut self, what: &str, base32: &str) {
        let plain = base32.replace(' ', "");
        self.text(what, &plain);
        let bits = totp_rs::Secret::try_from_base32(&plain).unwrap();
        self.0.push((format!("bits of {what}"), bits.as_bytes().to_vec()));
        self.text(&format!("{what} in groups"), base32);
    }

    fn recovery_codes(&mut self, what: &str, codes: &[String]) {
        for code in codes {
            self.text(what, code);
            self.text(&format!("{what} without dashes"), &code.replace('-', ""));
        }
    }

    fn cookies(&mut self, what: &str, browser: &Browser) {
        for (name, value) in &browser.cookies {
            self.token(&format!("{name} of {what}"), value);
        }
    }

    /// What of these stands in some bytes, in any writing.
    fn found_in(&self, bytes: &[u8]) -> BTreeSet<String> {
        // By their first two bytes: there are hundreds to look for in megabytes.
        let mut needles = vec![Vec::new(); 1 << 16];
        for (what, plain) in &self.0 {
            for (how, needle) in writings(plain) {
                needles[pair(&needle)].push((format!("{what}, {how}"), needle));
            }
        }
        let mut found = BTreeSet::new();
        for (at, start) in bytes.windows(2).enumerate() {
            for (what, needle) in &needles[pair(start)] {
                if bytes[at..].starts_with(needle) {
                    found.insert(what.clone());
                }
            }
        }
        found
    }
}

fn pair(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}

/// The ways in which bytes are written down.
fn writings(plain: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let hex: String = plain.iter().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = form_urlencoded::byte_serialize(plain).collect();
    let list: Vec<String> = plain.iter().map(u8::to_string).collect();
    let mut all = vec![
        ("plain", plain.to_vec()),
        ("reversed", plain.iter().rev().copied().collect()),
        ("upper-case hex", hex.to_uppercase().into_bytes()),
        ("hex", hex.into_bytes()),
        ("percent", percent.into_bytes()),
        ("a JSON list", list.join(",").into_bytes()),
        ("base32", totp_rs::Secret::from(plain).to_base32().into_bytes()),
    ];
    // Within something larger, base64 begins at any of three places; what is sure are the
    // characters that depend on the marker alone.
    for shift in 0..3 {
        let shifted = [&[0; 2][..shift], plain].concat();
        let whole = shifted.len() / 3 * 4;
        let sure = if shift == 0 { 0 } else { 4 }..whole;
        let standard = STANDARD_NO_PAD.encode(&shifted)[sure.clone()].to_owned();
        let url_safe = URL_SAFE_NO_PAD.encode(&shifted)[sure].to_owned();
        all.extend([("base64", standard.into_bytes()), ("base64url", url_safe.into_bytes())]);
    }
    all
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(files(&entry.path()));
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    found
}

fn assert_nowhere(markers: &Markers, folder: &TempDir, log: &str) {
    let mut searched = 0;
    for file in files(folder.path()) {
        let bytes = std::fs::read(&file).unwrap();
        searched += bytes.len();
        assert_eq!(markers.found_in(&bytes), BTreeSet::new(), "in {}", file.display());
    }
    assert!(searched > 10_000, "only {searched} bytes were searched");
    assert_eq!(markers.found_in(log.as_bytes()), BTreeSet::new(), "in the log:\n{log}");
}

fn token_in(url: &str) -> &str {
    url.split("token=").nth(1).unwrap().split_whitespace().next().unwrap()
}

fn key_on(page: &Reply) -> String {
    page.text().split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned()
}

/// The first administrator: the setup link, an enrolment, a session, a query, a header.
fn set_up(gateway: &Gateway, markers: &mut Markers) -> Browser {
    // What every signed statement to an app begins with.
    markers.text("a signed statement", "eyJhbGciOiJFUzI1NiIs");
    let link = token_in(&gateway.greeting()).to_owned();
    markers.token("the setup link", &link);
    let mut browser = Browser::new(gateway.address);
    let page = browser.open(&format!("/_vestibule/setup?token={link}"));
    let form = [("username", "zelda"), ("password", PASSWORD), ("password_again", PASSWORD)];
    let page = browser.submit_and_follow(&page, &form);
    markers.cookies("an enrolment", &browser);
    let key = key_on(&page);
    markers.key("a key that was enrolled", &key);
    let page = browser.submit_and_follow(&page, &[("code", &code_now(&key))]);
    let text = page.text();
    let codes = text.split("<li>").skip(1).map(|item| item.split('<').next().unwrap().to_owned());
    let codes: Vec<String> = codes.collect();
    assert_eq!(codes.len(), 10);
    markers.recovery_codes("a recovery code that was shown", &codes);
    markers.cookies("a session", &browser);
    let headers = format!("Authorization: Bearer {HEADER}\r\nReferer: http://x/?{QUERY}\r\n");
    assert_eq!(browser.request("GET", &format!("/app?{QUERY}=1"), &headers, "").status, 200);
    browser
}

/// Somebody added by command signs in, badly first; and what nobody signed in asks for.
fn sign_in(gateway: &Gateway, markers: &mut Markers) {
    let args = ["user", "add", "yoric", "--password-stdin", "--totp", "--json"];
    let added = gateway.command_with(&args, PASSWORD);
    let added: serde_json::Value = serde_json::from_slice(&added.stdout).unwrap();
    let secret = added["totp"]["secret"].as_str().unwrap().to_owned();
    markers.key("a key that a command made", &secret);
    let codes = added["recovery_codes"].as_array().unwrap();
    let recovery_codes = codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    let yoric = Person { name: "yoric".into(), password: PASSWORD.into(), secret, recovery_codes };
    markers.recovery_codes("a recovery code that a command made", &yoric.recovery_codes);

    let mut browser = Browser::new(gateway.address);
    let wanted = format!("/app?{QUERY}=2");
    let page = browser.open(&wanted);
    markers.cookies("a visitor", &browser);
    let wrong = [("username", "yoric"), ("password", WRONG)];
    assert_eq!(browser.submit(&page, &wrong).status, 401);
    let reply = yoric.give_password(&mut browser, &wanted);
    let page = browser.follow(reply);
    markers.cookies("a sign-in under way", &browser);
    let mistyped = "0123-4567-89AB-CDEF";
    markers.text("a code that is none", mistyped);
    assert_eq!(browser.submit(&page, &[("recovery_code", mistyped)]).status, 401);
    let code = ("recovery_code", yoric.recovery_codes[0].as_str());
    assert_eq!(browser.submit_and_follow(&page, &[code]).status, 200);
    markers.cookies("another session", &browser);
    // A password where the name belongs, as it happens to people.
    let mut hasty = Browser::new(gateway.address);
    let page = hasty.open("/_vestibule/login");
    assert_eq!(hasty.submit(&page, &[("username", PASSWORD), ("password", "x")]).status, 401);
    markers.cookies("whoever was hasty", &hasty);
}

/// Programs: an access token, tokens of one that signed in, and a step by calls.
fn programs(gateway: &Gateway, markers: &mut Markers) {
    let made = gateway.json(&["token", "add", "ci", "--user", "yoric"], "");
    let token = made["token"].as_str().unwrap();
    markers.token("an access token", token.strip_prefix("vst_").unwrap());
    let yoric = Person::add(gateway, "walter");
    let mut program = Browser::new(gateway.address);
    program.bear(token);
    assert_eq!(program.call("GET", "/auth/me", Value::Null).status, 200);
    let mut browser = Browser::new(gateway.address);
    let body = json!({"username": "walter", "password": ADMIN_PASSWORD});
    let step = browser.call("POST", "/auth/login", body);
    markers.token("the token of a step", &step.text("mfa_token"));
    let body = json!({
        "username": "walter", "password": ADMIN_PASSWORD, "totp_code": code_now(&yoric.secret)
    });
    let issued = Browser::new(gateway.address).call("POST", "/auth/token", body);
    for (what, field, prefix) in [
        ("a program's access", "access_token", "vsa_"),
        ("a program's refresh", "refresh_token", "vsr_"),
    ] {
        markers.token(what, issued.text(field).strip_prefix(prefix).unwrap());
    }
    let body = json!({"refresh_token": issued.text("refresh_token")});
    let renewed = Browser::new(gateway.address).call("POST", "/auth/refresh", body.clone());
    let next = renewed.text("refresh_token");
    markers.token("the next refresh", next.strip_prefix("vsr_").unwrap());
    let reused = Browser::new(gateway.address).call("POST", "/auth/refresh", body);
    assert_eq!(reused.outcome(), (401, "session_revoked"));
}

fn provoke(gateway: &Gateway, markers: &mut Markers) {
    for (user, command) in [("yoric", "reset-password"), ("zelda", "reset-mfa")] {
        let reset = gateway.json(&["user", command, user], "");
        markers.token(&format!("the link of {command}"), token_in(reset["url"].as_str().unwrap()));
    }
    let invited = gateway.json(&["user", "add", "xenia"], "");
    let link = invited["invite_url"].as_str().unwrap();
    markers.token("an invitation", token_in(link));
    let mut browser = Browser::new(gateway.address);
    browser.open(link.strip_prefix(&browser.origin()).unwrap());
    markers.cookies("whoever was invited", &browser);
    // Refused before it became a request, and refused as one.
    for request in [
        format!("GET /?{QUERY} HTTP/1.1\r\n\r\n"),
        format!("GET /?{QUERY} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        format!("GET /{}?{QUERY} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(9000)),
        format!("GET /?{QUERY} HTTP/1.1\r\nHost: a\r\nAuthorization : {HEADER}\r\n\r\n"),
        format!("BREW /?{QUERY} HTTP/1.1\r\nHost: a\r\nCookie: vestibule={HEADER}\r\n\r\n"),
    ] {
        let answer = send_raw(gateway.address, request.as_bytes());
        assert!(markers.found_in(&answer).is_empty());
    }
    let foreign = format!(
        "POST /_vestibule/login?rd=/{QUERY} HTTP/1.1\r\nHost: {}\r\nOrigin: http://{HEADER}.test\r\n\
         Content-Length: 0\r\n\r\n",
        gateway.address
    );
    assert_eq!(exchange(gateway.address, foreign.as_bytes()).status, 403);
}

#[test]
fn no_secret_is_kept_or_logged_in_any_writing() {
    let app = App::start();
    let mut gateway = Gateway::start(Options::upstream(&app.url()));
    let mut markers = Markers::default();
    markers.text("the password", PASSWORD);
    markers.text("a wrong password", WRONG);
    markers.text("a query string", QUERY);
    markers.text("a header", HEADER);
    let browser = set_up(&gateway, &mut markers);
    sign_in(&gateway, &mut markers);
    programs(&gateway, &mut markers);
    provoke(&gateway, &mut markers);
    assert_eq!(browser.cookies.len(), 3, "{:?}", browser.cookies);

    // What was printed is the setup link, once, and no other secret.
    let greeting = gateway.greeting();
    let link = token_in(&greeting);
    assert_eq!(greeting.matches(link).count(), 1);
    let rest = greeting.replace(link, "");
    assert_eq!(markers.found_in(rest.as_bytes()), BTreeSet::new());

    // As a crash leaves it, and as an orderly end does.
    let folder = std::sync::Arc::clone(&gateway.data);
    gateway.kill();
    assert_nowhere(&markers, &folder, &gateway.log());
    let mut gateway = gateway.kill_and_restart();
    assert_nowhere(&markers, &folder, &gateway.log());
    gateway.stop();
    assert_nowhere(&markers, &folder, &gateway.log());

    // The search would have found them: names, which are kept in the clear, are there.
    let mut names = Markers::default();
    names.0.extend(["zelda", "yoric", "xenia"].map(|name| (name.to_owned(), name.into())));
    let store: Vec<u8> =
        files(folder.path()).iter().flat_map(|file| std::fs::read(file).unwrap()).collect();
    let found = names.found_in(&store);
    assert!(found.iter().filter(|what| what.ends_with(", plain")).count() == 3, "{found:?}");
}

#[test]
fn the_search_finds_a_marker_in_every_writing() {
    let mut markers = Markers::default();
    markers.text("a marker", "somebody's marker");
    let shown = [
        "xx somebody's marker",
        "736f6d65626f64792773206d61726b6572",
        "somebody%27s+marker",
        "c29tZWJvZHkncyBtYXJrZXI=",
        // Behind one byte, and behind two.
        "eHNvbWVib2R5J3MgbWFya2Vy",
        "eHhzb21lYm9keSdzIG1hcmtlcg==",
    ];
    for text in shown {
        assert!(!markers.found_in(text.as_bytes()).is_empty(), "{text}");
    }
    assert!(markers.found_in(b"somebody's other marker").is_empty());
}
