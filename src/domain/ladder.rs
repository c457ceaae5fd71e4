//! The way from a password to a session.
//!
//! ```text
//!   password right
//!        │
//!        ▼
//!   has a second factor? ──yes──► second factor ──┐
//!        │ no                                     │
//!        ◄────────────────────────────────────────┘
//!        ▼
//!   must choose a new password? ──yes──► new password ──┐
//!        │ no                                           │
//!        ◄──────────────────────────────────────────────┘
//!        ▼
//!   second factor asked for, none shown? ──yes──► enrolment ──┐
//!        │ no                                                 │
//!        ▼                                                    │
//!     session ◄───────────────────────────────────────────────┘
//! ```
//!
//! A [`PendingSignIn`] is the evidence of how far somebody has come. It begins with a password
//! proof, and each rung takes the proof of that rung. Every exit is [`PendingSignIn::climb`].

use super::link::LinkPurpose;
use super::proof::{FullyAuthenticated, SecondFactor, Spent};
use super::user::User;
use crate::crypto::{CodeMatched, PasswordVerified, TotpSecret};
use crate::types::{Timestamp, UserId};
use std::time::Duration;

/// What somebody has to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Show the second factor they have.
    SecondFactor,
    /// Choose a new password.
    NewPassword,
    /// Enrol a second factor.
    Enrolment,
    /// Ask for the link without which they cannot enrol.
    EnrolmentLink,
}

/// Somebody between the password and the session.
#[derive(Clone, Debug)]
pub struct PendingSignIn {
    user: UserId,
    credentials: u64,
    password_at: Timestamp,
    second_factor: Option<(SecondFactor, Timestamp)>,
    may_enrol: bool,
    expires_at: Timestamp,
    /// Whether to be remembered.
    pub remember: bool,
    /// Where to go afterwards, as asked; judged when it is used.
    pub return_to: Option<String>,
    /// The secret that waits for its first code.
    pub enrolment: Option<TotpSecret>,
}

/// Where the ladder leads from here.
#[derive(Debug)]
pub enum Climbed {
    /// All the way.
    Done(FullyAuthenticated),
    /// To the next rung.
    Waits(Next),
}

impl PendingSignIn {
    /// Begins with a right password.
    pub fn begin(
        password: PasswordVerified,
        user: &User,
        now: Timestamp,
        patience: Duration,
    ) -> Option<Self> {
        (password.user() == user.id).then(|| Self {
            user: user.id,
            credentials: user.credentials,
            password_at: now,
            second_factor: None,
            may_enrol: !user.enrol_by_link,
            expires_at: now.plus(patience),
            remember: false,
            return_to: None,
            enrolment: None,
        })
    }

    /// Reads one back from the store.
    pub(crate) const fn restore(
        user: UserId,
        credentials: u64,
        password_at: Timestamp,
        second_factor: Option<(SecondFactor, Timestamp)>,
        may_enrol: bool,
        expires_at: Timestamp,
    ) -> Self {
        Self {
            user,
            credentials,
            password_at,
            second_factor,
            may_enrol,
            expires_at,
            remember: false,
            return_to: None,
            enrolment: None,
        }
    }

    /// Takes a one-time code that was used up. Nothing where it was another person's.
    pub fn with_second_factor(mut self, spent: Spent, now: Timestamp) -> Option<Self> {
        (spent.user() == self.user).then(|| {
            self.second_factor = Some((spent.factor(), now));
            self
        })
    }

    /// Takes note that it began with a link of this purpose, which this very step uses up. A link
    /// for a second factor opens enrolment to this one sign-in, not to whoever comes next.
    #[must_use]
    pub fn with_link(mut self, purpose: LinkPurpose) -> Self {
        self.may_enrol |= purpose == LinkPurpose::NewSecondFactor;
        self
    }

    /// Takes the first code of a new authenticator; enrolling uses up its step.
    pub fn with_enrolment(mut self, matched: &CodeMatched, now: Timestamp) -> Option<Self> {
        (matched.user() == self.user).then(|| {
            self.second_factor = Some((SecondFactor::Totp, now));
            self.enrolment = None;
            self
        })
    }

    /// Takes note that the person's own step renewed their credentials, which void other
    /// people's proofs but not this one.
    pub fn renew(&mut self, user: &User) {
        if user.id == self.user {
            self.credentials = user.credentials;
        }
    }

    /// Decides what comes next for this person, as they are on record now.
    pub fn climb(&self, user: &User, asks_second_factor: bool) -> Climbed {
        let shown = self.second_factor.is_some();
        if user.totp.is_some() && !shown {
            return Climbed::Waits(Next::SecondFactor);
        }
        if user.must_change_password {
            return Climbed::Waits(Next::NewPassword);
        }
        if asks_second_factor && !shown {
            let may_enrol = self.may_enrol;
            return Climbed::Waits(if may_enrol { Next::Enrolment } else { Next::EnrolmentLink });
        }
        Climbed::Done(FullyAuthenticated::granted(self.user, self.password_at, self.second_factor))
    }

    /// Whether it may still go on for this person, as they are on record now.
    pub fn is_good_for(&self, user: &User, now: Timestamp) -> bool {
        user.id == self.user
            && !user.disabled
            && user.credentials == self.credentials
            && now < self.expires_at
    }

    /// Who it is.
    pub const fn user(&self) -> UserId {
        self.user
    }

    /// The state of the person's credentials it began under.
    pub const fn credentials(&self) -> u64 {
        self.credentials
    }

    /// When the password was given.
    pub const fn password_at(&self) -> Timestamp {
        self.password_at
    }

    /// Which second factor was shown, and when.
    pub const fn second_factor(&self) -> Option<(SecondFactor, Timestamp)> {
        self.second_factor
    }

    /// Whether a second factor may be enrolled on the way.
    pub const fn may_enrol(&self) -> bool {
        self.may_enrol
    }

    /// When patience ends.
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}
