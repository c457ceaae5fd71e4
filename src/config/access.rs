//! `[access]` and `[[rule]]`: what is asked of whom, where.

use super::apps::host_pattern;
use super::fault::Wrong;
use super::kinds::{duration, one_of, optional};
use super::reader::{Reader, Section};
use crate::domain::{AccessRules, Policy, Rule};
use crate::types::{GroupName, Network, PathView, Username};

const POLICIES: &[(&str, Policy)] = &[
    ("bypass", Policy::Bypass),
    ("one_factor", Policy::OneFactor),
    ("two_factor", Policy::TwoFactor),
    ("deny", Policy::Deny),
];

pub(super) fn read(reader: &mut Reader) -> Option<AccessRules> {
    let default_policy =
        reader.section("access", |s| s.read("default_policy", "two_factor", one_of(POLICIES)));
    let rules = reader.each("rule", rule);
    Some(AccessRules::new(rules?, default_policy?))
}

fn rule(s: &mut Section<'_>) -> Option<Rule> {
    let host = s.read("host", "*", host_pattern);
    let path = s.read("path", "/", path);
    let methods = s.list("methods", "", method);
    let networks = s.list("networks", "", network);
    let users = s.list("users", "", |name| Username::parse(name).map_err(|why| named(name, why)));
    let groups =
        s.list("groups", "", |name| GroupName::parse(name).map_err(|why| named(name, why)));
    let policy = s.read("policy", None, one_of(POLICIES));
    let fresh = s.read("fresh", "", optional(duration));
    let rule = Rule {
        host: host?,
        path: path?,
        methods: methods?,
        networks: networks?,
        users: users?,
        groups: groups?,
        policy: policy?,
        fresh: fresh?,
    };
    check(s, &rule);
    Some(rule)
}

/// What each key says by itself is right, and what they say together is not.
fn check(s: &mut Section<'_>, rule: &Rule) {
    if rule.fresh.is_some() && rule.policy != Policy::TwoFactor {
        let wrong = Wrong::new("asks for a fresh second factor where none is asked for")
            .advise("set policy = \"two_factor\", or leave fresh out");
        s.blame(&["fresh", "policy"], wrong);
    }
    if rule.policy == Policy::Bypass && !(rule.users.is_empty() && rule.groups.is_empty()) {
        let wrong = Wrong::new("bypass asks nobody who they are, so it cannot be for some")
            .advise("set policy = \"one_factor\", or leave users and groups out");
        s.blame(&["policy"], wrong);
    }
}

fn named(name: &str, why: crate::types::NameError) -> Wrong {
    Wrong::new(format!("{name:?}: {why}"))
}

fn path(text: String) -> Result<String, Wrong> {
    let path = PathView::of(&text);
    if !path.is_canonical() || !text.is_ascii() || text.contains('?') {
        return Err(Wrong::new(format!("{text:?} is not a path with only one reading"))
            .advise("write /api: a slash first, no dots, doubled slashes or query, é as %C3%A9"));
    }
    Ok(text)
}

fn method(text: &str) -> Result<String, Wrong> {
    if text.is_empty() || !text.bytes().all(|c| c.is_ascii_uppercase() || c == b'-') {
        return Err(Wrong::new(format!("{text:?} is not a method")).advise("write GET or POST"));
    }
    Ok(text.to_owned())
}

fn network(text: &str) -> Result<Network, Wrong> {
    Network::parse(text).ok_or_else(|| {
        Wrong::new(format!("{text:?} is not a network")).advise("write 10.0.0.0/8 or 192.0.2.1")
    })
}
