//! One-time codes: whoever can use one twice, guess one, or go round it.

use crate::api::one_factor;
use crate::harness::{ADMIN_PASSWORD, World, code_at};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use vestibule::domain::FailureRules;
use vestibule::service::{AdminRequest, Settings};

/// A world with Ann, who has a second factor; its secret, and her recovery codes.
fn world() -> (Arc<World>, String, Vec<String>) {
    let rules = FailureRules { lockout_after: 10_000, lockout_for: Duration::from_secs(600) };
    let world = World::new(Settings { failures: rules, ..Settings::default() });
    let (secret, codes) = world.add_enrolled("ann");
    (world, secret, codes)
}

/// The token of a step, for whoever has given Ann's password.
fn step(world: &Arc<World>) -> String {
    let body = json!({"username": "ann", "password": ADMIN_PASSWORD});
    world.browser().call("POST", "/auth/login", body).text("mfa_token")
}

/// CVE-2015-7225, CVE-2021-43177: a code that was used is used everywhere, whichever door saw it
/// first.
#[test]
fn a_code_that_one_door_has_seen_is_used_up_at_every_other() {
    // No rule asks for the second factor here, so that it can be taken away.
    let world = World::new(one_factor());
    let (secret, _) = world.add_enrolled("ann");
    let signed_in = {
        let mut browser = world.browser();
        let code = code_at(&secret, world.now());
        let body = json!({"username": "ann", "password": ADMIN_PASSWORD, "totp_code": code});
        assert_eq!(browser.call("POST", "/auth/login", body).status, 200);
        browser
    };
    let give = |door: &str, code: &str| {
        let with = json!({"username": "ann", "password": ADMIN_PASSWORD, "totp_code": code});
        let proof = json!({"password": ADMIN_PASSWORD, "code": code});
        match door {
            "login" => world.browser().call("POST", "/auth/login", with),
            "token" => world.browser().call("POST", "/auth/token", with),
            "verify" => {
                let body = json!({"mfa_token": step(&world), "code": code});
                world.browser().call("POST", "/auth/totp/verify", body)
            }
            "codes" => {
                let path = "/auth/totp/regenerate-recovery-codes";
                signed_in.clone().call("POST", path, proof)
            }
            _ => signed_in.clone().call("DELETE", "/auth/totp/disable", proof),
        }
    };
    let used = (401, "code_already_used");
    let doors = ["login", "token", "verify", "codes", "disable"];
    // The last of them comes first at the very end: nothing is left after it to use a code for.
    for first in &doors[..4] {
        world.pass(60);
        let code = code_at(&secret, world.now());
        assert_eq!(give(first, &code).status, 200, "{first}");
        for second in doors {
            assert_eq!(give(second, &code).outcome(), used, "{first}, then {second}");
        }
        // And what is older is no better.
        let older = code_at(&secret, world.now() - 30);
        assert_eq!(give("login", &older).outcome(), used, "after {first}");
    }
    world.pass(60);
    assert_eq!(give("disable", &code_at(&secret, world.now())).status, 200);
}

/// CVE-2025-6014, CVE-2024-45160: what is not quite a code, and a secret that is not there.
#[test]
fn what_is_not_quite_a_code_is_none() {
    let (world, secret, codes) = world();
    let code = code_at(&secret, world.now());
    let wide: String = code.chars().map(|c| char::from_u32(c as u32 + 0xfee0).unwrap()).collect();
    let arabic: String = code.chars().map(|c| char::from_u32(c as u32 + 0x630).unwrap()).collect();
    for wrong in [
        json!(""),
        json!("0"),
        json!(format!("{code}0")),
        json!(format!("0{code}")),
        json!(code[1..]),
        json!(format!("+{code}")),
        json!(format!("-{code}")),
        json!(format!("{code}.0")),
        json!(format!("0x{code}")),
        json!(wide),
        json!(arabic),
        json!(format!("{code}\0")),
        json!(format!("{code};")),
        json!("true"),
        json!("null"),
        json!("000000"),
        json!("      "),
        json!(format!("{code},{code}")),
        json!(code.parse::<u32>().unwrap()),
        json!([code]),
        json!({"code": code}),
        json!(true),
        Value::Null,
        json!(secret),
    ] {
        let body = json!({"mfa_token": step(&world), "code": wrong});
        let called = world.browser().call("POST", "/auth/totp/verify", body);
        assert!([401, 422].contains(&called.status), "{wrong}: {}", called.json);
    }
    for wrong in ["", "-", "AAAA", "AAAA-AAAA-AAAA-AAAA", &codes[0][1..], &format!("{}A", codes[0])]
    {
        let body = json!({"mfa_token": step(&world), "recovery_code": wrong});
        let called = world.browser().call("POST", "/auth/totp/verify", body);
        assert!([401, 422].contains(&called.status), "{wrong}: {}", called.json);
    }
    // It was for nothing else that they were refused.
    let body = json!({"mfa_token": step(&world), "code": code});
    assert_eq!(world.browser().call("POST", "/auth/totp/verify", body).status, 200);
}

/// CVE-2024-21500: guesses are counted for the account, not for the try: not by beginning anew, not
/// from elsewhere, not by another door.
#[test]
fn guesses_at_a_code_are_counted_for_the_account_wherever_they_come_from() {
    let rules = FailureRules { lockout_after: 6, lockout_for: Duration::from_secs(600) };
    let world = World::new(Settings { failures: rules, ..Settings::default() });
    let (secret, codes) = world.add_enrolled("ann");
    let password = json!({"username": "ann", "password": ADMIN_PASSWORD});
    let mut answers = Vec::new();
    for number in 0..7 {
        let mut browser = world.browser_from(&format!("198.51.100.{number}"));
        let with = |field: &str, text: &str| {
            let mut body = password.clone();
            body[field] = json!(text);
            body
        };
        let called = match number % 4 {
            0 => browser.call("POST", "/auth/login", with("totp_code", "000000")),
            1 => browser.call("POST", "/auth/login", with("recovery_code", "AAAA-AAAA-AAAA-AAAA")),
            2 => browser.call("POST", "/auth/token", with("totp_code", "000000")),
            _ => {
                let page = browser.open("/_vestibule/login");
                let page = browser
                    .submit_and_follow(&page, &[("username", "ann"), ("password", ADMIN_PASSWORD)]);
                answers.push(browser.submit(&page, &[("code", "000000")]).status);
                continue;
            }
        };
        answers.push(called.status);
    }
    // Whoever has the number right after that is told no more than anybody.
    assert_eq!(answers[..6], [401; 6], "{answers:?}");
    assert_eq!(answers[6..], [423], "{answers:?}");
    for right in
        [json!({"totp_code": code_at(&secret, world.now())}), json!({"recovery_code": codes[0]})]
    {
        let mut body = password.clone();
        body.as_object_mut().unwrap().extend(right.as_object().unwrap().clone());
        assert_eq!(world.browser().call("POST", "/auth/login", body).status, 423);
    }
}

/// CVE-2026-32246, CVE-2022-36071: whoever has shown a password alone comes to nothing that is
/// behind the second factor, and has nothing to show it by.
#[test]
fn a_password_alone_opens_no_call_and_no_page_of_somebody_with_a_second_factor() {
    let (world, _, _) = world();
    let mut browser = world.browser();
    let page = browser.open("/_vestibule/login");
    browser.submit(&page, &[("username", "ann"), ("password", ADMIN_PASSWORD)]);
    let token = browser.cookies["vestibule-step"].clone();
    for path in ["/account", "/password", "/recovery-codes", "/enroll", "/admin", "/admin/users"] {
        let reply = browser.clone().request(
            "GET",
            &format!("/_vestibule{path}"),
            "Sec-Fetch-Mode: navigate\r\n",
            "",
        );
        assert!(reply.status >= 300, "{path}: {}", reply.status);
        assert!(!reply.text().contains("otpauth"), "{path}");
    }
    for (method, path, body) in [
        ("GET", "/auth/me", Value::Null),
        ("GET", "/auth/sessions", Value::Null),
        ("GET", "/auth/totp/status", Value::Null),
        ("POST", "/auth/totp/enroll", json!({})),
        ("POST", "/auth/totp/enroll", json!({"mfa_token": token})),
        ("POST", "/auth/totp/verify-enrollment", json!({"mfa_token": token, "code": "000000"})),
        ("DELETE", "/auth/totp/disable", json!({"password": ADMIN_PASSWORD, "code": "000000"})),
        (
            "POST",
            "/auth/totp/regenerate-recovery-codes",
            json!({"password": ADMIN_PASSWORD, "code": "000000"}),
        ),
        (
            "POST",
            "/auth/change-password",
            json!({"current_password": ADMIN_PASSWORD, "new_password": "another long password"}),
        ),
        (
            "POST",
            "/auth/change-password",
            json!({"mfa_token": token, "new_password": "another long password"}),
        ),
        ("POST", "/auth/refresh", json!({"refresh_token": token})),
        ("GET", "/admin/users", Value::Null),
    ] {
        let called = browser.clone().call(method, path, body);
        assert!(called.status >= 400, "{method} {path}: {}", called.json);
        assert!(called.json.get("secret").is_none() && called.json.get("recovery_codes").is_none());
    }
    assert!(!browser.cookies.contains_key("vestibule"));
}

/// No advisory of its own: a step that outlives what it stood on.
#[test]
fn a_step_under_way_ends_with_its_account_its_password_and_its_time() {
    let (world, secret, _) = world();
    let verify = |token: &str| {
        let body = json!({"mfa_token": token, "code": code_at(&secret, world.now())});
        world.browser().call("POST", "/auth/totp/verify", body).status
    };
    let token = step(&world);
    world.pass(301);
    assert_eq!(verify(&token), 401, "too late");
    let token = step(&world);
    world.admin(AdminRequest::UserDisable { name: "ann".into() });
    assert_eq!(verify(&token), 401, "disabled");
    world.admin(AdminRequest::UserEnable { name: "ann".into() });
    assert_eq!(verify(&token), 401, "and enabled again");
    let token = step(&world);
    world.admin(AdminRequest::UserResetPassword { name: "ann".into() });
    assert_eq!(verify(&token), 401, "its password is gone");
}
