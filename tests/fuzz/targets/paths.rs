//! Paths, and the rules that are asked about them.

use super::lines;
use std::net::{IpAddr, Ipv4Addr};
use vestibule::domain::{AccessRules, Asked, Fit, Known, Policy, Rule};
use vestibule::types::{ClientAddr, GroupName, Host, HostPattern, Network, PathView, Username};

/// The first line is a path, each other a rule: policy, host, path and perhaps a name.
pub fn paths(bytes: &[u8]) {
    let mut lines = lines(bytes);
    let Some(raw) = lines.next().filter(|raw| raw.starts_with('/')) else { return };
    let path = PathView::of(raw);
    assert_eq!(path.raw(), raw);
    assert!(path.canonical().starts_with('/') && path.folded().starts_with('/'));
    if path.is_canonical() {
        assert_eq!(decoded(raw), path.canonical().as_bytes(), "two readings");
        is_plain(path.canonical());
    }
    let rules: Vec<Rule> = lines.filter_map(rule).take(8).collect();
    for rule in &rules {
        below(&path, &rule.path);
    }
    judge(&path, rules);
}

/// One layer of escapes undone.
fn decoded(raw: &str) -> Vec<u8> {
    let (mut plain, bytes, mut at) = (Vec::new(), raw.as_bytes(), 0);
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        let byte =
            hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| bytes[at] == b'%');
        plain.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    plain
}

/// Nothing that some server takes for something else.
fn is_plain(path: &str) {
    for piece in ["/../", "/./", "//", "\\", ";", "%", "#", "?", "\0"] {
        assert!(!path.contains(piece), "canonical, with {piece:?} in it");
    }
    assert!(!path.ends_with("/..") && !path.ends_with("/."));
}

fn rule(line: &str) -> Option<Rule> {
    let mut words = line.split(' ');
    let policy = match words.next()? {
        "b" => Policy::Bypass,
        "1" => Policy::OneFactor,
        "2" => Policy::TwoFactor,
        "d" => Policy::Deny,
        _ => return None,
    };
    let host = HostPattern::parse(words.next()?).ok()?;
    let path = words.next().filter(|path| path.starts_with('/'))?.to_owned();
    // As the configuration has it: a path that can be read in one way alone.
    let path = PathView::of(&path).is_canonical().then_some(path)?;
    let who = words.next().unwrap_or_default();
    let users = Username::parse(who).into_iter().collect();
    let groups = who.strip_prefix('@').and_then(|name| GroupName::parse(name).ok());
    let methods = if who == "GET" { vec![String::from("GET")] } else { Vec::new() };
    let networks = Network::parse(who).into_iter().collect();
    let groups = groups.into_iter().collect();
    Some(Rule { host, path, methods, networks, users, groups, policy, fresh: None })
}

fn below(path: &PathView<'_>, prefix: &str) {
    if path.is_below(prefix) {
        assert!(path.may_be_below(prefix), "it is below, and may not be");
    }
    let Some(rest) = path.without(prefix) else { return };
    assert!(path.raw().ends_with(rest) || rest == "/", "not what the client sent");
    assert!(!rest.starts_with("//") && !rest.starts_with("/\\"), "it names a host");
    let rest = PathView::of(rest);
    let judged = path.canonical();
    let prefix = PathView::of(prefix);
    let whole = format!("{}{}", prefix.canonical().trim_end_matches('/'), rest.canonical());
    let is_it = whole == judged || whole.trim_end_matches('/') == judged.trim_end_matches('/');
    assert!(is_it || !path.is_canonical(), "judged {judged}, passed on {whole}");
}

/// Which rule decides is found quickly and explained slowly, and is the same one.
fn judge(path: &PathView<'_>, rules: Vec<Rule>) {
    let host = Host::parse("wiki.example.org").expect("a host");
    let client = ClientAddr::from(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)));
    let groups = [GroupName::parse("staff").expect("a group")];
    let person = Known::Person {
        username: "ann",
        groups: &groups,
        all_groups: &groups,
        has_factor: true,
        shown_at: None,
    };
    let access = AccessRules::new(rules, Policy::TwoFactor);
    for method in ["GET", "HEAD", "POST"] {
        let asked = Asked { host: &host, path, method, client };
        for known in [Known::Nobody, person] {
            let ruling = access.ruling(&asked, known);
            let explained = access.explain(&asked, known).find(|(.., fit)| fit.decides());
            assert_eq!(ruling.rule, explained.map(|(number, ..)| number), "explained otherwise");
            let Some((_, rule, fit)) = explained else { continue };
            assert_eq!(ruling.is_unknown, fit == Fit::IfPerson);
            if rule.policy.loosens() {
                assert!(path.is_canonical(), "opened by a path with two readings");
            }
        }
    }
}
