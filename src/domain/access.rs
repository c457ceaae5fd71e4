//! What a request needs, and whether the one who sends it has it.
//!
//! ```text
//!   rules in their order ──first that fits──► its policy ──► allow
//!          │ none fits                            ▲          sign in
//!          └──► the default policy ───────────────┘          show the second factor again
//!                                                            forbid
//! ```
//!
//! Three things a rule must never do. One that *loosens* never fits a path that could be read in
//! more than one way, for the app may read it as another. One that *tightens* fits whatever the
//! most obliging server would take for its path, also in another case. And one that is for certain
//! people is never passed over for want of knowing who asks: it asks them to sign in.

use super::rules::{Asked, Fit, Rule, Rules};
use super::user::User;
use crate::types::{GroupName, Timestamp};
use std::time::Duration;

/// What is asked of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Nothing.
    Bypass,
    /// To be signed in.
    OneFactor,
    /// To be signed in with a second factor.
    TwoFactor,
    /// Nobody passes.
    Deny,
}

impl Policy {
    /// Its name in configurations and explanations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bypass => "bypass",
            Self::OneFactor => "one_factor",
            Self::TwoFactor => "two_factor",
            Self::Deny => "deny",
        }
    }

    /// Whether less is asked than by the strictest that lets anybody in.
    pub const fn loosens(self) -> bool {
        matches!(self, Self::Bypass | Self::OneFactor)
    }
}

/// Which policy applies where.
#[derive(Clone, Debug)]
pub struct AccessRules {
    rules: Rules,
    default_policy: Policy,
}

impl Default for AccessRules {
    fn default() -> Self {
        Self::new(Vec::new(), Policy::TwoFactor)
    }
}

/// Who a request comes from, as far as is known. Whoever asks has seen to it that the session is
/// alive.
#[derive(Clone, Copy, Debug)]
pub enum Known<'a> {
    /// Nobody that is known.
    Nobody,
    /// Somebody who is signed in.
    Person {
        /// The username.
        username: &'a str,
        /// The groups that count for this session.
        groups: &'a [GroupName],
        /// All they are in.
        all_groups: &'a [GroupName],
        /// Whether they have a second factor that they could show.
        has_factor: bool,
        /// When they showed it, if they have in this session.
        shown_at: Option<Timestamp>,
    },
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It may pass.
    Allow,
    /// It may pass once its sender has signed in.
    SignIn,
    /// It may pass once its sender, who is signed in, has shown the second factor again.
    ShowFactor,
    /// It may not pass.
    Forbid,
}

/// What decided, by its number in the configuration, and what it asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// Which rule, from one; none where the default policy decides.
    pub rule: Option<usize>,
    /// What it asks.
    pub policy: Policy,
    /// How old the second factor may be.
    pub fresh: Option<Duration>,
    /// Whether it may be for this person alone, which nobody knows before they sign in.
    pub is_unknown: bool,
}

impl AccessRules {
    /// Compiles the rules.
    pub fn new(rules: Vec<Rule>, default_policy: Policy) -> Self {
        Self { rules: Rules::new(rules), default_policy }
    }

    /// Whether some request of this person may ask for a second factor, so that they must have one.
    pub fn ask_second_factor_of(&self, user: &User) -> bool {
        let asks = |rule: &Rule| rule.policy == Policy::TwoFactor && rule.may_be_for(user);
        self.default_policy == Policy::TwoFactor || self.rules.iter().any(asks)
    }

    /// Which rule decides about a request.
    pub fn ruling(&self, asked: &Asked<'_>, known: Known<'_>) -> Ruling {
        let found = self.rules.first(asked, known);
        found.map_or(self.default(), |(number, rule, is_unknown)| Ruling {
            rule: Some(number),
            policy: rule.policy,
            fresh: rule.fresh,
            is_unknown,
        })
    }

    const fn default(&self) -> Ruling {
        Ruling { rule: None, policy: self.default_policy, fresh: None, is_unknown: false }
    }

    /// How each rule judges a request, in their order, up to the one that decides.
    pub fn explain<'r>(
        &'r self,
        asked: &'r Asked<'r>,
        known: Known<'r>,
    ) -> impl Iterator<Item = (usize, &'r Rule, Fit)> {
        let mut is_decided = false;
        self.rules.iter().enumerate().map_while(move |(at, rule)| {
            let fit = rule.fit(asked, known);
            let goes_on = !is_decided;
            is_decided = fit.decides();
            goes_on.then_some((at + 1, rule, fit))
        })
    }

    /// Decides.
    pub fn decide(&self, asked: &Asked<'_>, known: Known<'_>, now: Timestamp) -> Verdict {
        self.ruling(asked, known).verdict(known, now)
    }
}

impl Ruling {
    /// What becomes of a request of somebody under this ruling.
    pub fn verdict(&self, known: Known<'_>, now: Timestamp) -> Verdict {
        let Known::Person { has_factor, shown_at, .. } = known else {
            return match self.policy {
                _ if self.is_unknown => Verdict::SignIn,
                Policy::Deny => Verdict::Forbid,
                Policy::Bypass => Verdict::Allow,
                Policy::OneFactor | Policy::TwoFactor => Verdict::SignIn,
            };
        };
        match (self.policy, shown_at) {
            (Policy::Deny, _) => Verdict::Forbid,
            (Policy::Bypass | Policy::OneFactor, _) => Verdict::Allow,
            (Policy::TwoFactor, Some(shown_at)) => match self.fresh {
                Some(fresh) if now.since(shown_at) > fresh => Verdict::ShowFactor,
                _ => Verdict::Allow,
            },
            // Who enrolled since they signed in shows the code alone; who has none signs in anew,
            // and enrols on the way.
            (Policy::TwoFactor, None) if has_factor => Verdict::ShowFactor,
            (Policy::TwoFactor, None) => Verdict::SignIn,
        }
    }
}
