//! People who sign in.

use super::browser::Browser;
use super::gateway::Gateway;
use super::http::Reply;
use std::time::{SystemTime, UNIX_EPOCH};
use totp_rs::Builder;

pub const ADMIN_PASSWORD: &str = "correct horse battery staple";

/// Somebody with a password and a second factor.
pub struct Person {
    pub name: String,
    pub password: String,
    /// The secret in base32.
    pub secret: String,
    pub recovery_codes: Vec<String>,
}

impl Person {
    /// Adds somebody by command, enrolled at once.
    pub fn add(gateway: &Gateway, name: &str) -> Self {
        Self::add_with(gateway, name, &[])
    }

    /// As [`Person::add`], with further arguments.
    pub fn add_with(gateway: &Gateway, name: &str, more: &[&str]) -> Self {
        let args = [&["user", "add", name, "--password-stdin", "--totp"], more].concat();
        let added = gateway.json(&args, ADMIN_PASSWORD);
        let codes = added["recovery_codes"].as_array().unwrap();
        Self {
            name: name.to_owned(),
            password: ADMIN_PASSWORD.to_owned(),
            secret: added["totp"]["secret"].as_str().unwrap().to_owned(),
            recovery_codes: codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect(),
        }
    }

    /// Gives name and password; the answer before any redirect.
    pub fn give_password(&self, browser: &mut Browser, target: &str) -> Reply {
        let page = browser.open(target);
        assert_eq!(page.status, 200, "{}", page.text());
        browser.submit(&page, &[("username", &self.name), ("password", &self.password)])
    }

    /// Signs in with password and the recovery code of this number. The page they wanted.
    pub fn recover(&self, browser: &mut Browser, target: &str, number: usize) -> Reply {
        let answer = self.give_password(browser, target);
        let page = browser.follow(answer);
        let code = self.recovery_codes[number].as_str();
        browser.submit_and_follow(&page, &[("recovery_code", code)])
    }

    /// Signs in with password and the code that is so many steps from now (-1, 0 or 1; each
    /// works once, and none that is earlier than one that was used). The page they wanted.
    pub fn sign_in(&self, browser: &mut Browser, target: &str, steps: i64) -> Reply {
        let answer = self.give_password(browser, target);
        let page = browser.follow(answer);
        assert!(page.text().contains("one-time-code"), "{} {}", page.status, page.text());
        let code = code_after(&self.secret, steps);
        browser.submit_and_follow(&page, &[("code", &code)])
    }
}

/// The code at this moment.
pub fn code_now(secret: &str) -> String {
    code_after(secret, 0)
}

/// The code so many steps from now.
pub fn code_after(secret: &str, steps: i64) -> String {
    code_at(secret, 30 * step_now().checked_add_signed(steps).unwrap())
}

/// The step at this moment.
#[allow(clippy::disallowed_methods, reason = "the real binary goes by the real clock")]
pub fn step_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 30
}

/// The code at a moment in seconds since 1970.
pub fn code_at(secret: &str, moment: u64) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret.replace(' ', "")).unwrap();
    Builder::new().with_secret(secret).build_noncompliant().generate(moment).to_string()
}
