//! Rules: which requests each is for, and finding the first that is for a request.

use super::access::{Known, Policy};
use super::user::User;
use crate::types::{ClientAddr, GroupName, Host, HostPattern, Network, PathView, Username};
use std::collections::HashMap;
use std::time::Duration;

/// A request, as rules see it. The query takes no part.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The host, without port.
    pub host: &'a Host,
    /// The path, in both readings.
    pub path: &'a PathView<'a>,
    /// The method.
    pub method: &'a str,
    /// Who asks.
    pub client: ClientAddr,
}

/// One rule. What is not said fits everything.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Which hosts.
    pub host: HostPattern,
    /// This path and all below it.
    pub path: String,
    /// Which methods.
    pub methods: Vec<String>,
    /// Where the client is.
    pub networks: Vec<Network>,
    /// Who asks, by name; or ...
    pub users: Vec<Username>,
    /// ... by group.
    pub groups: Vec<GroupName>,
    /// What is asked of them.
    pub policy: Policy,
    /// How old their second factor may be.
    pub fresh: Option<Duration>,
}

/// Whether a rule is for a request, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It is.
    Fits,
    /// It is for certain people, and nobody knows yet who this is.
    IfPerson,
    /// It is for another host.
    OtherHost,
    /// It is for another path.
    OtherPath,
    /// It loosens, and the path can be read in more than one way.
    OddPath,
    /// It is for another method.
    OtherMethod,
    /// It is for other networks.
    OtherNetwork,
    /// It is for other people.
    OtherPerson,
}

impl Fit {
    /// Whether the rule decides.
    pub const fn decides(self) -> bool {
        matches!(self, Self::Fits | Self::IfPerson)
    }

    /// In words.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Fits => "it is for this request",
            Self::IfPerson => "it is for certain people, and nobody is signed in",
            Self::OtherHost => "it is for another host",
            Self::OtherPath => "it is for another path",
            Self::OddPath => "it asks for less, and the path can be read in more than one way",
            Self::OtherMethod => "it is for another method",
            Self::OtherNetwork => "it is for other networks",
            Self::OtherPerson => "it is for other people",
        }
    }
}

impl Rule {
    /// Whether it is for a request.
    pub fn fit(&self, asked: &Asked<'_>, known: Known<'_>) -> Fit {
        let any = |is_empty: bool, fits: bool| is_empty || fits;
        if !self.host.matches(asked.host) {
            return Fit::OtherHost;
        }
        if let Some(unfit) = self.path_unfit(asked.path) {
            return unfit;
        }
        // HEAD asks for what GET does.
        let method = if asked.method == "HEAD" { "GET" } else { asked.method };
        let named = self.methods.iter().any(|name| name == method || name == asked.method);
        if !any(self.methods.is_empty(), named) {
            return Fit::OtherMethod;
        }
        let is_there = self.networks.iter().any(|network| network.contains(asked.client));
        if !any(self.networks.is_empty(), is_there) {
            return Fit::OtherNetwork;
        }
        self.person_fit(known)
    }

    fn path_unfit(&self, path: &PathView<'_>) -> Option<Fit> {
        if !self.policy.loosens() {
            return (!path.may_be_below(&self.path)).then_some(Fit::OtherPath);
        }
        if !path.is_below(&self.path) {
            return Some(Fit::OtherPath);
        }
        (!path.is_canonical()).then_some(Fit::OddPath)
    }

    fn person_fit(&self, known: Known<'_>) -> Fit {
        if self.users.is_empty() && self.groups.is_empty() {
            return Fit::Fits;
        }
        let Known::Person { username, groups, all_groups, .. } = known else {
            return Fit::IfPerson;
        };
        // Whoever has laid groups aside has not got out of what is forbidden to them.
        let groups = if self.policy == Policy::Deny { all_groups } else { groups };
        if self.is_for(username, groups) { Fit::Fits } else { Fit::OtherPerson }
    }

    fn is_for(&self, username: &str, groups: &[GroupName]) -> bool {
        self.users.iter().any(|user| user.as_str() == username)
            || self.groups.iter().any(|group| groups.contains(group))
    }

    /// Whether it may be for some request of this person.
    pub(super) fn may_be_for(&self, user: &User) -> bool {
        let anybody = self.users.is_empty() && self.groups.is_empty();
        anybody || self.is_for(user.username.as_str(), &user.groups)
    }
}

/// Rules by what they are for, so that a decision looks at few of many.
///
/// Each rule is entered under its hosts, and there under its paths. A request looks where its own
/// host, the domains above it and "any host" are entered, and there where each beginning of its
/// path is: a handful of look-ups, however many rules there are.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    all: Vec<Rule>,
    exact: HashMap<String, ByPath>,
    below: HashMap<String, ByPath>,
    any: ByPath,
}

/// Numbers of rules by path, in lower case and without a slash at the end.
type ByPath = HashMap<String, Vec<usize>>;

impl Rules {
    pub(super) fn new(rules: Vec<Rule>) -> Self {
        let mut compiled = Self::default();
        for (number, rule) in rules.iter().enumerate() {
            let by_path = match &rule.host {
                HostPattern::Any => &mut compiled.any,
                HostPattern::Below(parent) => compiled.below.entry(parent.to_string()).or_default(),
                HostPattern::Exact(host) => compiled.exact.entry(host.to_string()).or_default(),
            };
            let path = PathView::of(&rule.path);
            let path = path.folded().trim_end_matches('/').to_owned();
            by_path.entry(path).or_default().push(number);
        }
        Self { all: rules, ..compiled }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.all.iter()
    }

    /// The first rule that decides, its number from one, and whether it hangs on who asks.
    pub(super) fn first(
        &self,
        asked: &Asked<'_>,
        known: Known<'_>,
    ) -> Option<(usize, &Rule, bool)> {
        if self.all.is_empty() {
            return None;
        }
        let path = asked.path.folded();
        let mut first: Option<(usize, &Rule, bool)> = None;
        // Where it leads is anybody's guess, so that every rule has its say.
        let all = if asked.path.climbs() { 0..self.all.len() } else { 0..0 };
        for number in self.candidates(asked.host, path).chain(all) {
            if first.is_some_and(|(found, ..)| found <= number + 1) {
                continue;
            }
            let Some(rule) = self.all.get(number) else { continue };
            let fit = rule.fit(asked, known);
            if fit.decides() {
                first = Some((number + 1, rule, fit == Fit::IfPerson));
            }
        }
        first
    }

    /// The numbers of all rules that might be for this host and path, in no order.
    fn candidates<'r>(&'r self, host: &'r Host, path: &'r str) -> impl Iterator<Item = usize> + 'r {
        let name = host.as_str();
        let parents = name.match_indices('.').filter_map(|(dot, _)| name.get(dot + 1..));
        let above = parents.filter_map(|parent| self.below.get(parent));
        let tables = self.exact.get(name).into_iter().chain(above).chain(Some(&self.any));
        tables.flat_map(move |by_path| {
            beginnings(path).filter_map(|path| by_path.get(path)).flatten().copied()
        })
    }
}

/// The beginnings of a path that end on a segment border: "", "/a", "/a/b" of "/a/b".
fn beginnings(path: &str) -> impl Iterator<Item = &str> {
    let borders = path.match_indices('/').map(|(at, _)| at);
    borders.chain(Some(path.len())).filter_map(|end| path.get(..end))
}

#[cfg(test)]
#[path = "rules/tests.rs"]
mod tests;
