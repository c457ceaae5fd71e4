//! Enrolling where a second factor is asked for and there is none yet.

use super::{is_signed_in, key_on, patient, recovery_codes_on};
use crate::harness::{ADMIN_PASSWORD, Browser, Gateway, Reply, TempDir, code_now};
use std::process::Command;

/// Somebody with a password and nothing else, who has just given it.
fn at_enrolment(gateway: &Gateway, name: &str) -> (Browser, Reply) {
    gateway.json(&["user", "add", name, "--password-stdin"], ADMIN_PASSWORD);
    password_given(gateway, name)
}

fn password_given(gateway: &Gateway, name: &str) -> (Browser, Reply) {
    let mut browser = Browser::new(gateway.address);
    let page = browser.open("/app");
    let fields = [("username", name), ("password", ADMIN_PASSWORD)];
    let page = browser.submit_and_follow(&page, &fields);
    assert!(browser.path.starts_with("/_vestibule/enroll"), "{}", browser.path);
    (browser, page)
}

#[test]
fn a_wrong_code_keeps_the_secret_and_the_right_one_shows_ten_recovery_codes_once() {
    let behind = patient();
    let (mut browser, page) = at_enrolment(&behind.gateway, "ann-enrols");
    let key = key_on(&page);
    assert_eq!(key.replace(' ', "").len(), 32, "160 bits in base32");
    for wrong in ["000000", "", "12345"] {
        let reply = browser.submit(&page, &[("code", wrong)]);
        assert!([401, 422].contains(&reply.status), "{}", reply.status);
        assert_eq!(key_on(&reply), key, "after {wrong:?}");
    }
    assert_eq!(key_on(&browser.open("/_vestibule/enroll")), key, "after a reload");
    assert!(!is_signed_in(&browser));

    let first = code_now(&key);
    let shown = browser.submit_and_follow(&page, &[("code", &first)]);
    let codes = recovery_codes_on(&shown);
    assert_eq!(codes.len(), 10);
    for code in &codes {
        let groups: Vec<&str> = code.split('-').collect();
        let fits = |group: &&str| group.len() == 4 && group.chars().all(char::is_alphanumeric);
        assert!(groups.len() == 4 && groups.iter().all(fits), "{code}");
    }
    assert_eq!(shown.header("cache-control"), Some("no-store"));
    assert!(shown.text().contains("href=\"/app\""), "{}", shown.text());
    let again = browser.open("/_vestibule/recovery-codes");
    assert_eq!(again.status, 200);
    assert!(recovery_codes_on(&again).is_empty(), "{}", again.text());
    assert!(is_signed_in(&browser));

    // The code that enrolled is used up; a recovery code that was shown is good.
    let mut other = Browser::new(behind.gateway.address);
    let page = other.open("/app");
    let fields = [("username", "ann-enrols"), ("password", ADMIN_PASSWORD)];
    let page = other.submit_and_follow(&page, &fields);
    assert!(other.path.starts_with("/_vestibule/login/second-factor"), "{}", other.path);
    assert_eq!(other.submit(&page, &[("code", &first)]).status, 401);
    assert_eq!(other.submit(&page, &[("recovery_code", &codes[9])]).status, 303);
    assert!(is_signed_in(&other));
}

#[test]
fn who_enrols_in_two_windows_has_one_second_factor_and_it_is_the_first_confirmed() {
    let behind = patient();
    let name = "ann-windows";
    let (mut first, first_page) = at_enrolment(&behind.gateway, name);
    let (mut second, second_page) = password_given(&behind.gateway, name);
    let (key, other_key) = (key_on(&first_page), key_on(&second_page));
    assert_ne!(key, other_key);
    assert_eq!(first.submit(&first_page, &[("code", &code_now(&key))]).status, 303);
    assert!(is_signed_in(&first));
    // An active secret is neither shown nor overwritten by whoever knows the password alone.
    let late = second.submit_and_follow(&second_page, &[("code", &code_now(&other_key))]);
    assert!(second.path.starts_with("/_vestibule/login?"), "{} {}", second.path, late.status);
    assert!(!is_signed_in(&second));
    let page = second.open("/_vestibule/enroll");
    assert!(!page.text().contains("<code>"), "{}", page.text());
}

#[test]
fn a_head_request_leaves_the_recovery_codes_to_be_shown() {
    let behind = patient();
    let (mut browser, page) = at_enrolment(&behind.gateway, "ann-head");
    assert_eq!(browser.submit(&page, &[("code", &code_now(&key_on(&page)))]).status, 303);
    let head = browser.request("HEAD", "/_vestibule/recovery-codes", "", "");
    assert_eq!((head.status, head.body.len()), (200, 0));
    // Nor does a script of the app on the same host get them.
    let fetch = "Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\nSec-Fetch-Site: same-origin\r\n";
    let fetched = browser.request("GET", "/_vestibule/recovery-codes", fetch, "");
    assert_eq!(fetched.status, 403);
    assert!(recovery_codes_on(&fetched).is_empty());
    assert_eq!(recovery_codes_on(&browser.open("/_vestibule/recovery-codes")).len(), 10);
}

/// What zbarimg reads from a picture in a page.
fn scanned(page: &Reply) -> String {
    let text = page.text();
    let from = text.find("<svg").expect("a picture");
    let until = text.find("</svg>").unwrap() + "</svg>".len();
    let folder = TempDir::new();
    let (svg, png) = (folder.join("qr.svg"), folder.join("qr.png"));
    std::fs::write(&svg, &text[from..until]).unwrap();
    let mut draw = Command::new("rsvg-convert");
    let drawn = draw.args(["-w", "600", "-b", "white", "-o"]).arg(&png).arg(&svg).status();
    assert!(drawn.expect("rsvg-convert (librsvg2-bin) is installed").success());
    let read = Command::new("zbarimg").args(["--quiet", "--raw"]).arg(&png).output();
    let read = read.expect("zbarimg (zbar-tools) is installed");
    String::from_utf8(read.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_phone_that_scans_the_picture_gets_the_key_that_stands_beside_it() {
    let behind = patient();
    let (mut browser, page) = at_enrolment(&behind.gateway, "ann-scans");
    let address = url::Url::parse(&scanned(&page)).unwrap();
    assert_eq!((address.scheme(), address.host_str()), ("otpauth", Some("totp")));
    let label = address.path().replace("%3A", ":");
    assert_eq!(label, "/vestibule:ann-scans");
    let fields: std::collections::BTreeMap<_, _> = address.query_pairs().collect();
    assert_eq!(fields["secret"], key_on(&page).replace(' ', ""));
    assert_eq!(fields["issuer"], "vestibule");
    // Authenticators take these for granted where they are left out.
    for (name, usual) in [("algorithm", "SHA1"), ("digits", "6"), ("period", "30")] {
        assert!(fields.get(name).is_none_or(|value| value == usual), "{name}: {fields:?}");
    }
    let shown = Command::new("oathtool").args(["--totp", "--base32", &fields["secret"]]).output();
    let shown = String::from_utf8(shown.expect("oathtool is installed").stdout).unwrap();
    assert_eq!(browser.submit(&page, &[("code", shown.trim())]).status, 303);
}
