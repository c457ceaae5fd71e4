//! The JSON API, call by call, as the contract has it.

mod account;
mod admin;
mod bad_input;
mod browsers;
mod login;
mod password;
mod programs;
mod register;
mod totp;
mod wire;

use crate::harness::{ADMIN_PASSWORD, Browser, Called, World, code_at};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use vestibule::domain::{AccessRules, FailureRules, Policy, Rate};
use vestibule::service::{AdminReply, AdminRequest, NewUser, RateRules, Settings};
use vestibule::types::{Email, GroupName, Username};

/// Settings under which nobody is turned away for trying often.
fn patient() -> Settings {
    let rate = Rate { times: 100_000, per: Duration::from_secs(60) };
    Settings {
        rates: RateRules { per_address: rate, per_account: rate },
        failures: FailureRules { lockout_after: 1000, ..FailureRules::default() },
        ..Settings::default()
    }
}

/// The same where a password is enough for those who have nothing else.
pub fn one_factor() -> Settings {
    Settings { access: AccessRules::new(Vec::new(), Policy::OneFactor), ..patient() }
}

/// Somebody with an authenticator.
struct Enrolled {
    world: Arc<World>,
    name: String,
    secret: String,
    recovery_codes: Vec<String>,
}

impl Enrolled {
    /// Ann, in a world of her own.
    fn ann(settings: Settings) -> Self {
        Self::add(&World::with_rates(settings), "ann", &[])
    }

    fn add(world: &Arc<World>, name: &str, groups: &[&str]) -> Self {
        let new = NewUser { totp: true, groups: groups_named(groups), ..person(name) };
        let AdminReply::Added { totp, recovery_codes, .. } =
            world.admin(AdminRequest::UserAdd(new))
        else {
            panic!("not added")
        };
        Self {
            world: Arc::clone(world),
            name: name.into(),
            secret: totp.unwrap().secret,
            recovery_codes: recovery_codes.unwrap(),
        }
    }

    /// A code that has not been used: the next step's.
    fn code(&self) -> String {
        self.world.pass(30);
        code_at(&self.secret, self.world.now())
    }

    /// Name and password, and what else is said.
    fn login(&self, browser: &mut Browser, more: Value) -> Called {
        login(browser, &self.name, more)
    }

    /// A browser with a session of theirs.
    fn signed_in(&self) -> Browser {
        let mut browser = self.world.browser();
        let done = self.login(&mut browser, json!({"totp_code": self.code()}));
        assert_eq!(done.json["status"], "authenticated", "{}", done.json);
        browser
    }

    /// A token of theirs for the second factor.
    fn at_second_factor(&self) -> String {
        let step = self.login(&mut self.world.browser(), json!({}));
        assert_eq!(step.json["status"], "totp_required", "{}", step.json);
        step.text("mfa_token")
    }
}

/// A record to add: somebody with a password and nothing else.
fn person(name: &str) -> NewUser {
    NewUser {
        username: Username::parse(name).unwrap(),
        email: Some(Email::parse(&format!("{name}@example.com")).unwrap()),
        display_name: None,
        groups: Vec::new(),
        password: Some(ADMIN_PASSWORD.into()),
        totp: false,
        must_change_password: false,
    }
}

fn groups_named(names: &[&str]) -> Vec<GroupName> {
    names.iter().map(|name| GroupName::parse(name).unwrap()).collect()
}

/// Gives a name and the usual password, and what else is said.
fn login(browser: &mut Browser, name: &str, more: Value) -> Called {
    let mut body = json!({"username": name, "password": ADMIN_PASSWORD});
    let fields = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    browser.call("POST", "/auth/login", body)
}

/// Somebody with a password alone who has just given it; and the token of the step.
fn at_enrolment(world: &Arc<World>, name: &str) -> (Browser, String) {
    world.admin(AdminRequest::UserAdd(person(name)));
    let mut browser = world.browser();
    let step = login(&mut browser, name, json!({}));
    assert_eq!(step.json["status"], "enrollment_required", "{}", step.json);
    let token = step.text("mfa_token");
    (browser, token)
}

/// Whether this browser, or this program, is signed in.
fn is_signed_in(browser: &Browser) -> bool {
    match browser.clone().call("GET", "/auth/me", Value::Null).outcome() {
        (200, _) => true,
        (401, "unauthenticated") => false,
        other => panic!("neither in nor out: {other:?}"),
    }
}
