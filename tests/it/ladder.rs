//! No sequence of calls reaches a session without every factor that account and rule ask for.
//!
//! Random walks over everything that leads on from one step to another, by people who know some
//! secrets and not others, with tokens of any earlier step, their own or somebody else's. Beside
//! them a model keeps what was really proven on the way to each token.

use crate::harness::{ADMIN_PASSWORD, Chance, World, code_at};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use vestibule::domain::{AccessRules, FailureRules, Next, Policy, SecondFactor};
use vestibule::service::{AdminReply, AdminRequest, Denied, Progress, Settings, Visitor};
use vestibule::types::{Bearer, ClientAddr, RequestCx, RequestId, Timestamp};

const NAMES: [&str; 4] = ["ann", "bob", "carol", "dave"];

/// What was proven on the way to a token.
#[derive(Clone)]
struct Way {
    name: &'static str,
    code: bool,
}

struct Walk {
    world: Arc<World>,
    chance: Chance,
    /// Everybody's authenticator.
    secrets: BTreeMap<&'static str, String>,
    passwords: BTreeMap<&'static str, String>,
    must_change: BTreeSet<&'static str>,
    disabled: BTreeSet<&'static str>,
    /// Tokens of steps, however old, and what led there.
    tokens: Vec<(Bearer, Way, Option<String>)>,
    /// Links that were handed out, however old.
    links: Vec<(Bearer, &'static str)>,
    /// Recovery codes, used or not.
    recovery_codes: BTreeMap<&'static str, Vec<String>>,
    /// Codes that have let somebody in.
    used: BTreeSet<(&'static str, String)>,
    asks: bool,
    sessions: usize,
}

impl Walk {
    fn new(seed: u32) -> Self {
        let asks = seed.is_multiple_of(2);
        let default_policy = if asks { Policy::TwoFactor } else { Policy::OneFactor };
        let failures = FailureRules { lockout_after: 100, ..FailureRules::default() };
        let access = AccessRules::new(Vec::new(), default_policy);
        let world = World::new(Settings { access, failures, ..Settings::default() });
        let enrolled = ["ann", "dave"].map(|name| (name, world.add_enrolled(name)));
        let secrets = enrolled.clone().map(|(name, (secret, _))| (name, secret));
        let recovery_codes = enrolled.map(|(name, (_, codes))| (name, codes));
        world.add("bob", false);
        world.add_who_must_change("carol");
        Self {
            world,
            chance: Chance::new(),
            secrets: secrets.into(),
            passwords: NAMES.map(|name| (name, ADMIN_PASSWORD.to_owned())).into(),
            must_change: ["carol"].into(),
            disabled: BTreeSet::new(),
            tokens: Vec::new(),
            used: BTreeSet::new(),
            links: Vec::new(),
            recovery_codes: recovery_codes.into(),
            asks,
            sessions: 0,
        }
    }

    fn cx(&self) -> RequestCx {
        RequestCx {
            id: RequestId::from_bytes([1; 16]),
            now: Timestamp::from_secs(self.world.now()),
            client: ClientAddr::from(std::net::IpAddr::from([192, 0, 2, 7])),
        }
    }

    fn name(&mut self) -> &'static str {
        NAMES[self.chance.below(NAMES.len())]
    }

    /// A code: right for this person, right for another, of another time, or made up.
    fn code(&mut self, name: &str) -> String {
        let now = self.world.now();
        let (own, foreign) = (self.secrets.get(name), self.secrets.values().next());
        let recovery = self.recovery_codes.get(name);
        match self.chance.below(7) {
            6 => recovery.map_or("000000".into(), |codes| codes[self.chance.below(10)].clone()),
            0..=2 => own.map_or("000000".into(), |secret| code_at(secret, now)),
            3 => foreign.map_or("000000".into(), |secret| code_at(secret, now)),
            4 => own.map_or("000000".into(), |secret| code_at(secret, now - 30)),
            _ => String::from("123456"),
        }
    }

    /// Takes one step, whichever it is.
    fn step(&mut self) {
        match self.chance.below(12) {
            0..=2 => self.give_password(),
            3..=5 => self.give_code(),
            6 => self.enrol(),
            7 => self.choose_password(),
            8 => self.world.pass(30),
            9 => self.sign_a_program_in(),
            10 => self.follow_a_link(),
            _ => self.interfere(),
        }
    }

    fn give_password(&mut self) {
        let (name, right) = (self.name(), self.chance.below(3) > 0);
        let password = if right { self.passwords[name].clone() } else { "a wrong one".into() };
        let cx = self.cx();
        let visitor = Visitor { cx: &cx, user_agent: "", browser: None, keeps_cookies: false };
        let service = &self.world.service;
        let outcome = self.world.run(service.sign_in(name, &password, false, None, visitor));
        assert!(outcome.is_err() || right, "{name} came on without the password");
        self.led(outcome, Way { name, code: false });
    }

    /// A token of any step so far.
    fn token(&mut self) -> Option<(Bearer, Way, Option<String>)> {
        let count = self.tokens.len();
        (count > 0).then(|| self.tokens[self.chance.below(count)].clone())
    }

    fn give_code(&mut self) {
        let Some((token, mut way, _)) = self.token() else { return };
        let code = self.code(way.name);
        let cx = self.cx();
        let visitor = Visitor { cx: &cx, user_agent: "", browser: None, keeps_cookies: false };
        let outcome = self.world.run(self.world.service.second_factor(&token, &code, visitor));
        if outcome.is_ok() {
            let secret = &self.secrets[way.name];
            let now = cx.now.as_secs();
            let of_totp = [now - 30, now, now + 30].iter().any(|at| code_at(secret, *at) == code);
            let recovery = self.recovery_codes.get(way.name);
            let is_recovery = recovery.is_some_and(|codes| codes.contains(&code));
            assert!(of_totp || is_recovery, "a code that is not theirs");
            assert!(self.used.insert((way.name, code)), "the same code twice");
            way.code = true;
        }
        self.led(outcome, way);
    }

    fn enrol(&mut self) {
        let Some((token, mut way, shown)) = self.token() else { return };
        let (cx, world) = (self.cx(), Arc::clone(&self.world));
        let service = &world.service;
        let Some(key) = shown else {
            if let Ok(enrolment) = world.run(service.enrolment(&token, false, &cx)) {
                assert!(!self.secrets.contains_key(way.name), "a second one shown");
                let key = enrolment.secret.reveal().clone();
                self.tokens.push((token, way, Some(key)));
            }
            return;
        };
        let code = match self.chance.below(2) {
            0 => code_at(&key, cx.now.as_secs()),
            _ => self.code(way.name),
        };
        let visitor = Visitor { cx: &cx, user_agent: "", browser: None, keeps_cookies: false };
        let outcome = world.run(service.confirm_enrolment(&token, &code, visitor));
        if outcome.is_ok() {
            assert!(self.secrets.insert(way.name, key).is_none(), "an active secret was replaced");
            assert!(self.used.insert((way.name, code)));
            way.code = true;
        }
        self.led(outcome, way);
    }

    fn choose_password(&mut self) {
        let Some((token, way, _)) = self.token() else { return };
        let new = format!("another long password {}", self.chance.below(3));
        let cx = self.cx();
        let visitor = Visitor { cx: &cx, user_agent: "", browser: None, keeps_cookies: false };
        let outcome = self.world.run(self.world.service.new_password(&token, &new, visitor));
        if outcome.is_ok() {
            assert!(self.must_change.remove(way.name), "nobody asked {} to", way.name);
            assert!(way.code || !self.secrets.contains_key(way.name));
            self.passwords.insert(way.name, new);
        }
        self.led(outcome, way);
    }

    fn follow_a_link(&mut self) {
        let count = self.links.len();
        if count == 0 {
            return;
        }
        let (token, name) = self.links[self.chance.below(count)].clone();
        let new = format!("a password by link {}", self.chance.below(1000));
        let cx = self.cx();
        let visitor = Visitor { cx: &cx, user_agent: "", browser: None, keeps_cookies: false };
        let service = &self.world.service;
        let outcome = self.world.run(service.use_password_link(&token, &new, visitor));
        if outcome.is_ok() {
            self.passwords.insert(name, new);
            self.must_change.remove(name);
        }
        self.led(outcome, Way { name, code: false });
    }

    fn sign_a_program_in(&mut self) {
        let (name, right) = (self.name(), self.chance.below(4) > 0);
        let password = if right { self.passwords[name].clone() } else { "a wrong one".into() };
        let code = self.code(name);
        let cx = self.cx();
        let visitor = Visitor { cx: &cx, user_agent: "", browser: None, keeps_cookies: false };
        let service = &self.world.service;
        if self.world.run(service.issue_tokens(name, &password, &code, visitor)).is_err() {
            return;
        }
        self.sessions += 1;
        let has_factor = self.secrets.contains_key(name);
        assert!(right && !self.disabled.contains(name) && !self.must_change.contains(name));
        assert!(has_factor || !self.asks, "{name} without a second factor");
        assert!(!has_factor || self.used.insert((name, code)), "the same code twice");
    }

    /// An administrator does something meanwhile.
    fn interfere(&mut self) {
        let name = self.name();
        if self.chance.below(3) == 0 {
            let reset = AdminRequest::UserResetPassword { name: name.into() };
            if let AdminReply::Link { url, .. } = self.world.admin(reset) {
                let token = Bearer::parse(url.split("token=").nth(1).unwrap()).unwrap();
                self.links.push((token, name));
                // Until the link is used, there is no password that anybody could give.
                self.passwords.insert(name, String::from("none that anybody has"));
            }
            return;
        }
        let request = if self.disabled.remove(name) {
            AdminRequest::UserEnable { name: name.into() }
        } else if self.chance.below(3) == 0 {
            self.disabled.insert(name);
            AdminRequest::UserDisable { name: name.into() }
        } else {
            return;
        };
        self.world.admin(request);
    }

    /// Where a step led, held against what was proven on the way.
    fn led(&mut self, outcome: Result<Progress, Denied>, way: Way) {
        let Ok(progress) = outcome else { return };
        assert!(!self.disabled.contains(way.name), "{} is kept out", way.name);
        let has_factor = self.secrets.contains_key(way.name);
        match progress {
            Progress::Waits(underway) => {
                match underway.next {
                    Next::SecondFactor => assert!(has_factor && !way.code),
                    Next::NewPassword => assert!(self.must_change.contains(way.name)),
                    Next::Enrolment => assert!(!has_factor && self.asks),
                    Next::EnrolmentLink => panic!("no second factor was reset here"),
                }
                self.tokens.push((underway.token, way, None));
            }
            Progress::SignedIn(done) => {
                self.sessions += 1;
                assert_eq!(done.user.username.as_str(), way.name);
                assert!(!self.must_change.contains(way.name));
                assert!(way.code || !has_factor, "{} without the second factor", way.name);
                assert!(way.code || !self.asks, "{} without a second factor", way.name);
                let shown = done.session.second_factor().map(|(factor, _)| factor);
                assert_eq!(shown.is_some(), way.code, "{} {shown:?}", way.name);
                assert_ne!(shown, Some(SecondFactor::Token));
            }
        }
    }
}

#[test]
fn no_sequence_of_calls_reaches_a_session_without_every_factor_that_is_asked_for() {
    let mut sessions = 0;
    for seed in 0..40 {
        let mut walk = Walk::new(seed);
        for _ in 0..120 {
            walk.step();
        }
        sessions += walk.sessions;
    }
    // Walks that never arrive would prove nothing.
    assert!(sessions > 100, "{sessions} sessions");
}
