//! The workers' notes, held against a gateway that was started again.

use super::load::{Cookies, Member, Part, Role, give_password};
use crate::harness::{ADMIN_PASSWORD, Browser, Gateway, code_at, step_now};
use std::collections::BTreeMap;
use std::sync::mpsc::channel;

/// Everyone the gateway knows, with their e-mail addresses.
pub type Listed = BTreeMap<String, Option<String>>;

pub fn listed(gateway: &Gateway) -> Listed {
    let people = gateway.json(&["user", "list"], "");
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let people = people.as_array().unwrap().iter();
    people.map(|one| (text(&one["username"]).unwrap(), text(&one["email"]))).collect()
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
        for name in self.added.iter().filter(|name| !listed.contains_key(*name)) {
            lost.push(format!("{name} is not there any more"));
        }
        for member in &self.members {
            let found = &listed[&member.name];
            if !member.emails.contains(found) {
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

/// Which entries of the audit trail tell of what was acknowledged.
const TOLD_BY: [(&str, &[&str]); 6] = [
    ("signed_in", &["signed in by recovery code", "signed in by TOTP", "enrolled"]),
    ("signed_out", &["signed out"]),
    ("user_added", &["added by command", "invited"]),
    ("link_used", &["used a link"]),
    ("enrolled", &["enrolled"]),
    ("recovery_code_used", &["signed in by recovery code"]),
];

/// What was acknowledged and is not told in the audit trail, which must be whole.
pub fn untold(gateway: &Gateway, tally: &BTreeMap<&'static str, u32>) -> Vec<String> {
    gateway.json(&["audit", "verify"], "");
    let export = gateway.command(&["audit", "export"]);
    let export = String::from_utf8(export.stdout).unwrap();
    let told = |event: &str| export.matches(&format!("\"event\":\"{event}\"")).count();
    let missing = TOLD_BY.into_iter().filter_map(|(event, kinds)| {
        let done: u32 = kinds.iter().filter_map(|kind| tally.get(kind)).sum();
        let told = told(event);
        (told < done as usize).then(|| format!("{event}: told {told} times, done {done} times"))
    });
    missing.collect()
}
