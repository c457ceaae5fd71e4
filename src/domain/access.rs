//! What a request needs, and whether the one who sends it has it.

use super::session::Session;

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

/// Which policy applies where.
#[derive(Clone, Copy, Debug)]
pub struct AccessRules {
    /// Where no rule matches.
    pub default_policy: Policy,
}

impl Default for AccessRules {
    fn default() -> Self {
        Self { default_policy: Policy::TwoFactor }
    }
}

/// Who a request comes from, as far as is known. A session is only ever passed in alive.
#[derive(Clone, Copy, Debug)]
pub enum Known<'a> {
    /// Nobody that is known.
    Nobody,
    /// The person of this session.
    Person(&'a Session),
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It may pass.
    Allow,
    /// It may pass once its sender has signed in.
    SignIn,
    /// It may not pass.
    Forbid,
}

impl AccessRules {
    /// The policy for a request.
    pub const fn policy(&self) -> Policy {
        self.default_policy
    }

    /// Whether some request of this person will ask for a second factor, so that they must have one.
    pub const fn asks_second_factor(&self) -> bool {
        matches!(self.default_policy, Policy::TwoFactor)
    }

    /// Decides.
    pub const fn decide(&self, known: Known<'_>) -> Verdict {
        match (self.policy(), known) {
            (Policy::Deny, _) => Verdict::Forbid,
            (Policy::Bypass, _) | (Policy::OneFactor, Known::Person(_)) => Verdict::Allow,
            (Policy::TwoFactor, Known::Person(session)) if session.second_factor().is_some() => {
                Verdict::Allow
            }
            (Policy::OneFactor | Policy::TwoFactor, _) => Verdict::SignIn,
        }
    }
}
