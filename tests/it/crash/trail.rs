//! The audit trail, held against what there is: whatever was done is told, and whatever is told was
//! done.
//!
//! The trail is read from its beginning, and what must be there by it is compared with what the
//! gateway lists. So nothing has to be known of what was asked and not answered: the moment of the
//! end must not have come between an act and its entry.

use super::load::{Member, Part, Role};
use super::truth::{Listed, text};
use crate::harness::Gateway;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Where the two do not agree.
#[derive(Debug, Default)]
pub struct Gaps {
    pub untold: Vec<String>,
    pub unfounded: Vec<String>,
}

impl Gaps {
    pub fn are_none(&self) -> bool {
        self.untold.is_empty() && self.unfounded.is_empty()
    }

    fn compare<T: PartialOrd + std::fmt::Debug>(&mut self, what: &str, told: T, is: T) {
        let side = match told.partial_cmp(&is) {
            Some(std::cmp::Ordering::Equal) => return,
            Some(std::cmp::Ordering::Less) => &mut self.untold,
            _ => &mut self.unfounded,
        };
        side.push(format!("{what}: told {told:?}, is {is:?}"));
    }

    fn same(&mut self, what: &str, told: &BTreeSet<String>, is: &BTreeSet<String>) {
        let named = |id: &String| format!("{what} {id}");
        self.untold.extend(is.difference(told).map(named));
        self.unfounded.extend(told.difference(is).map(named));
    }
}

/// Somebody, by the trail.
#[derive(Default)]
struct Told {
    name: String,
    has_password: bool,
    has_factor: bool,
    was_set: bool,
    used_codes: u64,
    wrong_passwords: usize,
    is_locked: bool,
    sessions: BTreeSet<String>,
    /// Sessions that were ended one by one: the trail says how many, and not which.
    ended: usize,
    tokens: BTreeSet<String>,
}

type People = BTreeMap<String, Told>;

fn read(gateway: &Gateway) -> People {
    let export = gateway.command(&["audit", "export"]);
    assert!(export.status.success(), "{export:?}");
    let mut people = People::new();
    for line in String::from_utf8(export.stdout).unwrap().lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        let id = text(&entry["user_id"]);
        match entry["event"].as_str().unwrap() {
            "user_added" => {
                let told = Told { name: text(&entry["user"]), ..Told::default() };
                assert!(people.insert(id, told).is_none(), "added twice: {entry}");
            }
            "user_removed" => assert!(people.remove(&id).is_some(), "removed twice: {entry}"),
            event => {
                let detail = entry["detail"].as_str().unwrap_or_default();
                // Whoever was removed may still be told of by what was under way.
                if let Some(told) = people.get_mut(&id) {
                    told.hear(event, detail);
                }
            }
        }
    }
    people
}

impl Told {
    fn hear(&mut self, event: &str, detail: &str) {
        match (event, detail) {
            ("signed_in", session) => drop(self.sessions.insert(session.to_owned())),
            ("signed_out", session) => assert!(self.sessions.remove(session), "{session}: twice"),
            ("sessions_revoked", count) => self.end(count.parse().unwrap()),
            ("password_changed", _) => self.has_password = true,
            ("enrolled", _) => self.has_factor = true,
            ("user_changed", "set") => self.was_set = true,
            ("recovery_code_used", _) => self.used_codes += 1,
            ("sign_in_failed", "credentials") => self.wrong_passwords += 1,
            ("locked_out", _) => self.is_locked = true,
            ("token_added", token) => drop(self.tokens.insert(token.to_owned())),
            ("token_revoked", token) => assert!(self.tokens.remove(token), "{token}: twice"),
            ("sign_in_failed" | "link_used", _) => {}
            other => panic!("nobody does that here: {other:?}"),
        }
    }

    fn end(&mut self, count: usize) {
        self.ended += count;
        if self.ended == self.sessions.len() {
            self.sessions.clear();
            self.ended = 0;
        }
    }

    fn compare(&self, is: &Value, listed: &Listed, is_by_link: bool, gaps: &mut Gaps) {
        let named = |what: &str| format!("{} {what}", self.name);
        let of_them = |all: &BTreeMap<String, String>| -> BTreeSet<String> {
            let theirs = all.iter().filter(|(_, owner)| **owner == self.name);
            theirs.map(|(id, _)| id.clone()).collect()
        };
        gaps.same(&named("token"), &self.tokens, &of_them(&listed.tokens));
        let sessions = of_them(&listed.sessions);
        if self.ended == 0 {
            gaps.same(&named("session"), &self.sessions, &sessions);
        } else {
            let untold = sessions.difference(&self.sessions).map(|id| named(id));
            gaps.untold.extend(untold);
            gaps.compare(&named("sessions"), self.sessions.len() - self.ended, sessions.len());
        }
        gaps.compare(&named("changed"), self.was_set, !is["email"].is_null());
        gaps.compare(&named("locked"), self.is_locked, !is["locked_until"].is_null());
        let has = |what: &str| is[what].as_bool().unwrap();
        if is_by_link {
            gaps.compare(&named("password"), self.has_password, has("has_password"));
            gaps.compare(&named("second factor"), self.has_factor, has("totp"));
        }
        if has("totp") {
            let left = is["recovery_codes_remaining"].as_u64().unwrap();
            gaps.compare(&named("recovery codes used"), self.used_codes, 10 - left);
        }
    }
}

/// Where trail and store do not agree. The trail must be whole, too.
pub fn gaps(gateway: &Gateway, parts: &[Part], listed: &Listed) -> Gaps {
    gateway.json(&["audit", "verify"], "");
    let told = read(gateway);
    let mut gaps = Gaps::default();
    let there = listed.people.values().map(|one| text(&one["id"])).collect();
    gaps.same("person", &told.keys().cloned().collect(), &there);
    let links = parts.iter().find(|part| part.role == Role::Links).unwrap();
    for (id, told) in &told {
        let Some(is) = listed.people.get(&told.name).filter(|is| is["id"] == **id) else {
            continue;
        };
        told.compare(is, listed, told.name.starts_with(&links.prefix()), &mut gaps);
    }
    let by_name: BTreeMap<_, _> = told.values().map(|told| (told.name.as_str(), told)).collect();
    let guesses = parts.iter().filter(|part| part.role == Role::Guesses);
    for Member { name, refused, .. } in guesses.flat_map(|part| &part.members) {
        let told = by_name.get(name.as_str()).map_or(0, |told| told.wrong_passwords);
        if told < *refused {
            gaps.compare(&format!("{name} refused"), told, *refused);
        }
    }
    gaps
}
