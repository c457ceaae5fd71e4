//! Codes work once: in the step, in parallel, at another sign-in, after a crash.

use super::{after_password, is_signed_in, patient};
use crate::harness::{App, Browser, Gateway, Options, Person, code_after, code_now, filled_in};
use std::process::Command;

const SECOND_FACTOR: &str = "/_vestibule/login/second-factor";

#[test]
fn a_used_code_is_refused_at_once_at_another_sign_in_and_after_a_crash() {
    let app = App::start();
    let gateway = Gateway::start(Options::upstream(&app.url()));
    let ann = Person::add(&gateway, "ann");
    let mut browser = Browser::new(gateway.address);
    let code = code_now(&ann.secret);
    let page = after_password(&ann, &mut browser);
    assert_eq!(browser.submit(&page, &[("code", &code)]).status, 303);
    assert!(is_signed_in(&browser));

    let mut other = Browser::new(gateway.address);
    let page = after_password(&ann, &mut other);
    let refused = other.submit(&page, &[("code", &code)]);
    assert_eq!(refused.status, 401);
    assert!(refused.text().contains("used already") && !refused.text().contains(&code));
    assert!(!is_signed_in(&other));

    let gateway = gateway.kill_and_restart();
    let mut later = Browser::new(gateway.address);
    let page = after_password(&ann, &mut later);
    assert_eq!(later.submit(&page, &[("code", &code)]).status, 401);
    assert!(!is_signed_in(&later));
    // The session that began with it outlives the crash.
    later.cookies = browser.cookies;
    assert!(is_signed_in(&later));
}

#[test]
fn an_earlier_step_is_refused_after_a_later_one() {
    let behind = patient();
    let ann = Person::add(&behind.gateway, "ann-steps");
    let (now, next) = (code_now(&ann.secret), code_after(&ann.secret, 1));
    let mut browser = Browser::new(behind.gateway.address);
    let page = after_password(&ann, &mut browser);
    assert_eq!(browser.submit(&page, &[("code", &next)]).status, 303);
    let mut other = Browser::new(behind.gateway.address);
    let page = after_password(&ann, &mut other);
    assert_eq!(other.submit(&page, &[("code", &now)]).status, 401);
    assert!(!is_signed_in(&other));
}

#[test]
fn a_code_that_is_used_for_one_person_is_none_for_another() {
    let behind = patient();
    let ann = Person::add(&behind.gateway, "ann-own");
    let bob = Person::add(&behind.gateway, "bob-own");
    let mut browser = Browser::new(behind.gateway.address);
    let page = after_password(&ann, &mut browser);
    let theirs = code_now(&bob.secret);
    for wrong in [
        ("code", theirs.as_str()),
        ("recovery_code", bob.recovery_codes[0].as_str()),
        ("code", bob.recovery_codes[0].as_str()),
        ("code", "１２３４５６"),
        ("code", "-1"),
        ("code", "000000000000000000000000"),
    ] {
        assert_eq!(browser.submit(&page, &[wrong]).status, 401, "{wrong:?}");
    }
    assert!(!is_signed_in(&browser));
    // Nothing of bob's was used up by that.
    let mut browser = Browser::new(behind.gateway.address);
    assert_eq!(bob.recover(&mut browser, "/app", 0).status, 200);
}

#[test]
fn a_recovery_code_works_once() {
    let behind = patient();
    let ann = Person::add(&behind.gateway, "ann-recovers");
    let mut browser = Browser::new(behind.gateway.address);
    assert_eq!(ann.recover(&mut browser, "/app", 3).status, 200);
    let mut other = Browser::new(behind.gateway.address);
    assert_eq!(ann.recover(&mut other, "/app", 3).status, 401);
    assert!(!is_signed_in(&other));
    let shown = behind.gateway.json(&["user", "show", &ann.name], "");
    assert_eq!(shown["recovery_codes_remaining"], 9);
    // As people type them.
    let typed = ann.recovery_codes[4].replace('-', " ").to_lowercase();
    let page = other.open(SECOND_FACTOR);
    assert_eq!(other.submit(&page, &[("recovery_code", &typed)]).status, 303);
    assert!(is_signed_in(&other));
}

#[test]
fn of_two_hundred_parallel_tries_of_one_code_exactly_one_is_let_in() {
    const TRIES: usize = 200;
    // One of its own: whoever shared it would find the queue for hashing full.
    let app = App::start();
    let options = Options::upstream(&app.url()).config("[limits]\nlockout_after = 100\n");
    let gateway = Gateway::start(options);
    let ann = Person::add(&gateway, "ann");
    let mut waiting: Vec<(Browser, String)> = (0..=TRIES)
        .map(|_| {
            let mut browser = Browser::new(gateway.address);
            let page = after_password(&ann, &mut browser);
            (browser, page.text())
        })
        .collect();
    let code = code_now(&ann.secret);
    for given in [("code", code.as_str()), ("recovery_code", ann.recovery_codes[0].as_str())] {
        let done: Vec<Browser> = std::thread::scope(|scope| {
            let tries: Vec<_> = waiting[..TRIES]
                .iter()
                .map(|(browser, page)| {
                    let (mut browser, body) = (browser.clone(), filled_in(page, &[given]).1);
                    scope.spawn(move || {
                        let status = browser.post(SECOND_FACTOR, &body).status;
                        // Wrong, one too many for the account, or one too many to be hashed.
                        assert!([303, 401, 423, 503].contains(&status), "{status}");
                        browser
                    })
                })
                .collect();
            tries.into_iter().map(|each| each.join().unwrap()).collect()
        });
        assert_eq!(done.iter().filter(|browser| is_signed_in(browser)).count(), 1, "{}", given.0);
        let listed = gateway.json(&["session", "list", "--user", &ann.name], "");
        assert_eq!(listed.as_array().unwrap().len(), 1, "{}", given.0);
        gateway.json(&["session", "revoke", "--user", &ann.name], "");
        gateway.json(&["user", "unlock", &ann.name], "");
        // Whoever got in has left the queue.
        let was_first = done.iter().position(|b| b.cookies.contains_key("vestibule")).unwrap();
        waiting.remove(was_first);
    }
}

/// What a program prints.
fn printed(program: &str, args: &[&str]) -> String {
    let run = Command::new(program).args(args).output();
    let run = run.unwrap_or_else(|error| panic!("{program}: {error}: tests/run installs it"));
    assert!(run.status.success(), "{program}: {}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap().trim().to_owned()
}

#[test]
fn the_codes_that_oathtool_and_pyotp_show_are_taken_whatever_the_parameters() {
    for (algorithm, digits, period) in [("SHA1", 6, 30), ("SHA256", 8, 60), ("SHA512", 7, 30)] {
        let config =
            format!("[totp]\nalgorithm = \"{algorithm}\"\ndigits = {digits}\nperiod = {period}\n");
        let app = App::start();
        let gateway = Gateway::start(Options::upstream(&app.url()).config(&config));
        let (ann, bob) = (Person::add(&gateway, "ann"), Person::add(&gateway, "bob"));
        let totp = format!("--totp={}", algorithm.to_ascii_lowercase());
        let (length, step) = (format!("--digits={digits}"), format!("--time-step-size={period}s"));
        let of_oathtool = printed("oathtool", &[&totp, &length, &step, "--base32", &ann.secret]);
        let script = format!(
            "import hashlib, pyotp; print(pyotp.TOTP('{}', digits={digits}, interval={period}, \
             digest=hashlib.{}).now())",
            bob.secret,
            algorithm.to_ascii_lowercase()
        );
        let of_pyotp = printed("/usr/bin/python3", &["-c", &script]);
        for (person, code) in [(ann, of_oathtool), (bob, of_pyotp)] {
            assert_eq!(code.len(), digits);
            let mut browser = Browser::new(gateway.address);
            let page = after_password(&person, &mut browser);
            assert_eq!(browser.submit(&page, &[("code", &code)]).status, 303, "{algorithm} {code}");
            assert!(is_signed_in(&browser));
        }
    }
}
