//! The one place where a use case's no becomes an answer.

use super::Language;
use crate::domain::{Next, PasswordWeakness};
use crate::service::Denied;
use crate::types::{NameError, Timestamp};
use http::StatusCode;
use std::borrow::Cow;

/// How soon somebody who was turned away as one too many may try again, in seconds.
const BUSY: u64 = 2;

/// A no: what the visitor is told, and what a program can rely on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// A stable word for it.
    pub code: &'static str,
    /// A sentence in English, for programs. It never says why we could not, only what to do.
    pub text: Cow<'static, str>,
    /// What the sentence says, for pages, which say it in the visitor's language; none where no
    /// page ever does.
    pub says: Option<Says>,
    /// The name of the field it is about.
    pub about: Option<&'static str>,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u64>,
}

/// What an answer says, apart from any language: with what its words are made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// Name and password do not belong together.
    Credentials,
    /// The current password is another.
    NotCurrentPassword,
    /// The code is wrong.
    Code,
    /// The code has been used.
    CodeUsed,
    /// The code was left empty.
    CodeMissing,
    /// Too many failures.
    Locked {
        /// For so many seconds.
        seconds: u64,
        /// Which end then.
        until: Timestamp,
    },
    /// The code is one of a time that far away, in seconds: the authenticator's clock is off.
    ClockOff(u64),
    /// Too many tries; again after so many seconds.
    RateLimited(u64),
    /// The sign-in took too long.
    Expired,
    /// The session has ended.
    SessionRevoked,
    /// Another step comes first.
    WrongStep,
    /// A second factor is enrolled already.
    AlreadyEnabled,
    /// The link is good for nothing any more.
    LinkGone,
    /// Enrolling takes a link.
    LinkNeeded,
    /// The second factor has to stay.
    MfaEnforced,
    /// Nobody may register.
    RegistrationDisabled,
    /// The session is not among the person's own.
    NoSuchSession,
    /// The new password lacks something.
    Weak(PasswordWeakness),
    /// The new password is empty or beyond all measure.
    PasswordUnusable,
    /// The new password was typed twice, differently.
    Mismatch,
    /// The new password has been stolen.
    Breached,
    /// Whether the new password has been stolen is not known.
    BreachUnknown,
    /// The name will not do.
    Name(NameError),
    /// The name is somebody's.
    NameTaken,
    /// Too many people at once.
    Busy,
    /// Not possible just now.
    Unavailable,
    /// A form did not reach its app.
    Unsent,
    /// A form was too old, or came without its cookie.
    StaleForm,
    /// A program's person has to do this in a browser.
    NeedsBrowser(Next),
}

/// Why a request is not answered with what it asks for.
#[derive(Debug)]
pub enum Trouble {
    /// The use case said no.
    Denied(Denied),
    /// The request itself will not do.
    Answer(Answer),
}

impl From<Denied> for Trouble {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<Answer> for Trouble {
    fn from(answer: Answer) -> Self {
        Self::Answer(answer)
    }
}

impl Answer {
    /// A no that no use case says, and no page.
    pub fn new(status: StatusCode, code: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, text: text.into(), says: None, about: None, retry_after: None }
    }

    /// A no that pages say, too.
    fn saying(status: StatusCode, code: &'static str, says: Says) -> Self {
        let text = Language::English.words().say(says);
        Self { says: Some(says), ..Self::new(status, code, text) }
    }

    fn unfit(code: &'static str, says: Says) -> Self {
        Self::saying(StatusCode::UNPROCESSABLE_ENTITY, code, says)
    }

    fn about(self, field: &'static str) -> Self {
        Self { about: Some(field), ..self }
    }

    fn after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// What somebody is told whose form did not reach its app, since they had to sign in.
    pub fn unsent() -> Self {
        Self::saying(StatusCode::OK, "unsent", Says::Unsent)
    }

    /// The answer to a form whose token is missing or of another time.
    pub fn stale_form() -> Self {
        Self::saying(StatusCode::FORBIDDEN, "stale_form", Says::StaleForm)
    }

    /// The answer to a form whose code was left empty.
    pub fn missing_code() -> Self {
        Self::unfit("missing", Says::CodeMissing).about("code")
    }

    /// The answer to a call that was sent what it does not take.
    pub fn invalid(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", text)
    }

    /// The answer to two passwords that should be one.
    pub fn mismatch() -> Self {
        Self::unfit("mismatch", Says::Mismatch).about("password_again")
    }

    /// The answer to a wrong password in a form that asks for the current one beside a new one.
    pub fn not_current_password() -> Self {
        let (status, says) = (StatusCode::UNAUTHORIZED, Says::NotCurrentPassword);
        Self::saying(status, "invalid_credentials", says).about("current_password")
    }
}

/// How a use case's no is answered.
impl Answer {
    /// Finds the status, the code and what to say.
    pub fn to(denied: &Denied, now: Timestamp) -> Self {
        let refused = |code, says| Self::saying(StatusCode::UNAUTHORIZED, code, says);
        let forbidden = |code, says| Self::saying(StatusCode::FORBIDDEN, code, says);
        let conflict = |code, says| Self::saying(StatusCode::CONFLICT, code, says);
        let unable =
            |code, says| Self::saying(StatusCode::SERVICE_UNAVAILABLE, code, says).after(BUSY);
        match denied {
            Denied::Credentials => {
                refused("invalid_credentials", Says::Credentials).about("password")
            }
            Denied::Code => refused("invalid_code", Says::Code).about("code"),
            Denied::CodeUsed => refused("code_already_used", Says::CodeUsed).about("code"),
            // A program is told no more than of any wrong code.
            Denied::ClockOff(seconds) => {
                Self { says: Some(Says::ClockOff(*seconds)), ..Self::to(&Denied::Code, now) }
            }
            Denied::Locked(until) => Self::locked(*until, now),
            Denied::RateLimited(until) => Self::rate_limited(until.since(now).as_secs().max(1)),
            Denied::Expired => refused("mfa_expired", Says::Expired),
            Denied::SessionRevoked => refused("session_revoked", Says::SessionRevoked),
            Denied::WrongStep => conflict("wrong_step", Says::WrongStep),
            Denied::AlreadyEnabled => conflict("already_enabled", Says::AlreadyEnabled),
            Denied::LinkGone => Self::saying(StatusCode::GONE, "link_gone", Says::LinkGone),
            Denied::LinkNeeded => forbidden("enrollment_link_required", Says::LinkNeeded),
            Denied::MfaEnforced => forbidden("mfa_enforced", Says::MfaEnforced),
            Denied::RegistrationDisabled => {
                forbidden("registration_disabled", Says::RegistrationDisabled)
            }
            Denied::NeedsBrowser(next) => Self::needs_browser(*next),
            Denied::NoSuchSession => {
                Self::saying(StatusCode::NOT_FOUND, "not_found", Says::NoSuchSession)
            }
            Denied::Weak(weakness) => Self::weak(Says::Weak(*weakness)),
            Denied::PasswordUnusable => Self::weak(Says::PasswordUnusable),
            Denied::Breached => Self::unfit("breached_password", Says::Breached).about("password"),
            Denied::Name(error) => {
                Self::unfit("invalid_name", Says::Name(*error)).about(match error {
                    NameError::Email => "email",
                    NameError::DisplayName => "display_name",
                    _ => "username",
                })
            }
            Denied::NameTaken => conflict("already_exists", Says::NameTaken).about("username"),
            Denied::Busy => unable("busy", Says::Busy),
            // What failed is for the operator's log alone.
            Denied::BreachUnknown(_) => unable("unavailable", Says::BreachUnknown),
            Denied::Unavailable(_) => unable("unavailable", Says::Unavailable),
        }
    }

    fn weak(says: Says) -> Self {
        Self::unfit("weak_password", says).about("password")
    }

    fn locked(until: Timestamp, now: Timestamp) -> Self {
        let seconds = until.since(now).as_secs().max(1);
        // To the minute, and never too early.
        let until = Timestamp::from_secs(until.as_secs().div_ceil(60).saturating_mul(60));
        let says = Says::Locked { seconds, until };
        Self::saying(StatusCode::LOCKED, "locked", says).after(seconds)
    }

    fn rate_limited(seconds: u64) -> Self {
        let (status, says) = (StatusCode::TOO_MANY_REQUESTS, Says::RateLimited(seconds));
        Self::saying(status, "rate_limited", says).after(seconds)
    }

    /// What a program is told whose person has something to do first.
    fn needs_browser(next: Next) -> Self {
        let code = match next {
            Next::SecondFactor => "totp_required",
            Next::NewPassword => "password_change_required",
            Next::Enrolment | Next::EnrolmentLink => "enrollment_required",
        };
        Self::saying(StatusCode::FORBIDDEN, code, Says::NeedsBrowser(next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_of_a_failure_is_told_to_nobody() {
        let cause = "the store is not available: /srv/secret/path";
        let answer = Answer::to(&Denied::Unavailable(cause.into()), Timestamp::from_secs(0));
        assert_eq!(answer.status, 503);
        assert!(!format!("{answer:?}").contains("store"));
        assert!(!format!("{answer:?}").contains("path"));
    }

    #[test]
    fn whoever_is_locked_out_is_told_for_how_long() {
        let until = Timestamp::from_secs(1090);
        let answer = Answer::to(&Denied::Locked(until), Timestamp::from_secs(1000));
        assert_eq!((answer.status.as_u16(), answer.retry_after), (423, Some(90)));
        assert!(answer.text.contains("2 minutes"));
        let past = Answer::to(&Denied::Locked(until), Timestamp::from_secs(1090));
        assert_eq!(past.retry_after, Some(1));
    }

    #[test]
    fn codes_are_the_promised_words() {
        for (denied, status, code) in [
            (Denied::Credentials, 401, "invalid_credentials"),
            (Denied::Code, 401, "invalid_code"),
            (Denied::CodeUsed, 401, "code_already_used"),
            (Denied::Expired, 401, "mfa_expired"),
            (Denied::Busy, 503, "busy"),
            (Denied::PasswordUnusable, 422, "weak_password"),
            (Denied::NameTaken, 409, "already_exists"),
            (Denied::Breached, 422, "breached_password"),
            (Denied::BreachUnknown(String::new()), 503, "unavailable"),
            (Denied::LinkGone, 410, "link_gone"),
        ] {
            let answer = Answer::to(&denied, Timestamp::from_secs(0));
            assert_eq!((answer.status.as_u16(), answer.code), (status, code));
        }
    }
}
