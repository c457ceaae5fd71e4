//! The workers' notes, held against a gateway that was started again.

use super::load::{Cookies, Member, Part, Role, give_password};
use crate::harness::{ADMIN_PASSWORD, Browser, Gateway, code_at, step_now};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::mpsc::channel;

/// What the gateway lists.
pub struct Listed {
    /// People by name, as it shows them.
    pub people: BTreeMap<String, Value>,
    /// Whose session or token it is, by its name.
    pub sessions: BTreeMap<String, String>,
    pub tokens: BTreeMap<String, String>,
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

pub fn listed(gateway: &Gateway) -> Listed {
    let list = |what| match gateway.json(&[what, "list"], "") {
        Value::Array(list) => list,
        other => panic!("{other}"),
    };
    let owners = |what| list(what).iter().map(|o| (text(&o["id"]), text(&o["username"]))).collect();
    Listed {
        people: list("user").into_iter().map(|one| (text(&one["username"]), one)).collect(),
        sessions: owners("session"),
        tokens: owners("token"),
    }
}

/// What a page answers to somebody with these cookies.
fn status(gateway: &Gateway, cookies: &Cookies, target: &str) -> u16 {
    let mut browser = Browser::new(gateway.address);
    browser.cookies.clone_from(cookies);
    browser.request("GET", target, "Sec-Fetch-Mode: navigate\r\n", "").status
}

impl Part {
    /// What is not as it was acknowledged: of what is new since the last time, or of everything.
    pub fn check(&mut self, gateway: &Gateway, listed: &Listed, everything: bool) -> Vec<String> {
        if everything {
            self.seen = [0; 3];
            self.members.iter_mut().for_each(|member| {
                member.seen_dead = 0;
                member.seen_in = false;
            });
        }
        let mut lost = Vec::new();
        let mut expect = |found: u16, wanted: u16, what: &dyn Fn() -> String| {
            if found != wanted {
                lost.push(format!("{}: {found} instead of {wanted}", what()));
            }
        };
        let [sessions, ended, links] = self.seen;
        for (name, cookies) in &self.sessions[sessions..] {
            expect(status(gateway, cookies, "/"), 200, &|| format!("a session of {name}"));
        }
        for cookies in &self.ended[ended..] {
            expect(status(gateway, cookies, "/"), 302, &|| String::from("an ended session"));
        }
        for link in &self.used_links[links..] {
            expect(status(gateway, &Cookies::new(), link), 410, &|| String::from("a used link"));
        }
        for link in &self.open_links {
            expect(status(gateway, &Cookies::new(), link), 200, &|| String::from("a fresh link"));
        }
        self.seen = [self.sessions.len(), self.ended.len(), self.used_links.len()];
        let there = |name: &String| listed.people.contains_key(name);
        lost.extend(self.added.iter().filter(|name| !there(name)).map(|name| format!("no {name}")));
        let removed = self.removed.iter().filter(|name| there(name));
        lost.extend(removed.map(|name| format!("{name}, who was removed")));
        let tokens = self.tokens.iter().filter(|(_, id)| !listed.tokens.contains_key(id));
        lost.extend(tokens.map(|(owner, _)| format!("a token of {owner}")));
        let revoked = self.revoked_tokens.iter().filter(|id| listed.tokens.contains_key(*id));
        lost.extend(revoked.map(|id| format!("the token {id}, which was revoked")));
        for member in &self.members {
            let found = listed.people.get(&member.name).map(|found| &found["email"]);
            let found = found.and_then(|email| email.as_str().map(str::to_owned));
            if !member.emails.contains(&found) {
                lost.push(format!("{}: {found:?} is none of {:?}", member.name, member.emails));
            }
        }
        if self.role == Role::Guesses {
            // Signing in would clear the counters that are to be seen.
            lost.extend(self.members.iter().filter_map(|member| check_lock(member, gateway)));
            return lost;
        }
        for at in 0..self.members.len() {
            self.check_codes(at, gateway, &mut lost);
        }
        lost
    }

    /// Codes that were used are dead, and those that were not let somebody in.
    fn check_codes(&mut self, at: usize, gateway: &Gateway, lost: &mut Vec<String>) {
        let member = &mut self.members[at];
        let spent = member.used_step.take().filter(|step| step + 1 >= step_now());
        if member.seen_dead < member.used.len() || spent.is_some() || member.secret.is_none() {
            check_dead(member, spent, gateway, lost);
        }
        if member.seen_in || member.secret.is_none() {
            return;
        }
        let acks = channel().0;
        let entered = if member.has_fresh_step() {
            self.sign_in_by_totp(at, gateway, &acks)
        } else if !member.unused.is_empty() {
            self.sign_in_by_recovery_code(at, gateway, &acks)
        } else {
            return;
        };
        entered.expect("it answers");
        self.members[at].seen_in = true;
    }
}

/// Whoever was locked out is so with the right password, too.
fn check_lock(member: &Member, gateway: &Gateway) -> Option<String> {
    let mut browser = Browser::new(gateway.address);
    let page = member.is_locked.then(|| browser.open("/"))?;
    let fields = [("username", member.name.as_str()), ("password", ADMIN_PASSWORD)];
    let status = browser.submit(&page, &fields).status;
    (status != 423).then(|| format!("{}: {status} instead of locked", member.name))
}

fn check_dead(member: &mut Member, spent: Option<u64>, gateway: &Gateway, lost: &mut Vec<String>) {
    let mut browser = Browser::new(gateway.address);
    let page = give_password(&member.name, &mut browser).expect("it answers");
    let Some(secret) = &member.secret else {
        if !browser.path.starts_with("/_vestibule/enroll") {
            lost.push(format!("{} should enrol, and is at {}", member.name, browser.path));
        }
        return;
    };
    for code in &member.used[member.seen_dead..] {
        let answer = browser.submit(&page, &[("recovery_code", code)]);
        if answer.status != 401 {
            lost.push(format!("{}: a used recovery code: {}", member.name, answer.status));
        }
    }
    member.seen_dead = member.used.len();
    if let Some(step) = spent {
        let is_current = step >= step_now();
        let answer = browser.submit(&page, &[("code", &code_at(secret, step * 30))]);
        let for_good_reason = !is_current || answer.text().contains("used already");
        if answer.status != 401 || !for_good_reason {
            lost.push(format!("{}: a used code: {}", member.name, answer.status));
        }
    }
}
