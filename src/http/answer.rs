//! The one place where a use case's no becomes an answer.

use crate::domain::Next;
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
    /// A sentence for the visitor. It never says why we could not, only what to do.
    pub text: Cow<'static, str>,
    /// The name of the field it is about.
    pub about: Option<&'static str>,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u64>,
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
    /// A no that no use case says.
    pub fn new(status: StatusCode, code: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, text: text.into(), about: None, retry_after: None }
    }

    fn about(self, field: &'static str) -> Self {
        Self { about: Some(field), ..self }
    }

    fn after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// What somebody is told whose form did not reach its app, since they had to sign in.
    pub fn unsent() -> Self {
        const TEXT: &str = "What you sent did not arrive, since you have to prove who you are \
                            first. You come back to the page you sent it from: please send it again.";
        Self::new(StatusCode::OK, "unsent", TEXT)
    }

    /// The answer to a form whose token is missing or of another time.
    pub fn stale_form() -> Self {
        const TEXT: &str = "Nothing was sent: the page had been open for too long, or your \
                            browser keeps no cookies for this site. Please try again.";
        Self::new(StatusCode::FORBIDDEN, "stale_form", TEXT)
    }

    /// The answer to a field that was left empty.
    pub fn missing(field: &'static str, text: &'static str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "missing", text).about(field)
    }

    /// The answer to a call that was sent what it does not take.
    pub fn invalid(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", text)
    }

    /// The answer to two passwords that should be one.
    pub fn mismatch() -> Self {
        let text = "The two passwords are not the same. Please type both again.";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "mismatch", text).about("password_again")
    }
}

/// How a use case's no is answered.
impl Answer {
    /// Finds the words.
    pub fn to(denied: &Denied, now: Timestamp) -> Self {
        use text as say;
        let refused = |code, text| Self::new(StatusCode::UNAUTHORIZED, code, text);
        let unfit = |code, text| Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, text);
        let forbidden = |code, text| Self::new(StatusCode::FORBIDDEN, code, text);
        let conflict = |code, text| Self::new(StatusCode::CONFLICT, code, text);
        let unable =
            |code, text| Self::new(StatusCode::SERVICE_UNAVAILABLE, code, text).after(BUSY);
        match denied {
            Denied::Credentials => {
                refused("invalid_credentials", say::CREDENTIALS).about("password")
            }
            Denied::Code => refused("invalid_code", say::CODE).about("code"),
            Denied::CodeUsed => refused("code_already_used", say::CODE_USED).about("code"),
            Denied::Locked(until) => Self::locked(until.since(now).as_secs().max(1)),
            Denied::RateLimited(until) => Self::rate_limited(until.since(now).as_secs().max(1)),
            Denied::Expired => refused("mfa_expired", say::EXPIRED),
            Denied::SessionRevoked => refused("session_revoked", say::SESSION_REVOKED),
            Denied::WrongStep => conflict("wrong_step", say::WRONG_STEP),
            Denied::AlreadyEnabled => conflict("already_enabled", say::ALREADY_ENABLED),
            Denied::LinkGone => Self::new(StatusCode::GONE, "link_gone", say::LINK_GONE),
            Denied::LinkNeeded => forbidden("enrollment_link_required", say::LINK_NEEDED),
            Denied::MfaEnforced => forbidden("mfa_enforced", say::MFA_ENFORCED),
            Denied::RegistrationDisabled => {
                forbidden("registration_disabled", say::REGISTRATION_DISABLED)
            }
            Denied::NeedsBrowser(next) => Self::needs_browser(*next),
            Denied::NoSuchSession => {
                Self::new(StatusCode::NOT_FOUND, "not_found", say::NO_SUCH_SESSION)
            }
            Denied::Weak(weakness) => Self::weak(weakness.to_string()),
            Denied::PasswordUnusable => Self::weak(say::PASSWORD_UNUSABLE),
            Denied::Breached => unfit("breached_password", say::BREACHED).about("password"),
            Denied::Name(error) => Self::bad_name(error),
            Denied::NameTaken => conflict("already_exists", say::NAME_TAKEN).about("username"),
            Denied::Busy => unable("busy", say::BUSY),
            // What failed is for the operator's log alone.
            Denied::BreachUnknown(_) => unable("unavailable", say::BREACH_UNKNOWN),
            Denied::Unavailable(_) => unable("unavailable", say::UNAVAILABLE),
        }
    }

    fn weak(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "weak_password", text).about("password")
    }

    fn bad_name(error: &NameError) -> Self {
        let text = format!("That name will not do: {error}.");
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_name", text).about("username")
    }

    fn locked(seconds: u64) -> Self {
        let text = format!("Too many tries that were not right. Try again in {}.", wait(seconds));
        Self::new(StatusCode::LOCKED, "locked", text).after(seconds)
    }

    fn rate_limited(seconds: u64) -> Self {
        let text = format!("Too many tries in a short time. Try again in {}.", wait(seconds));
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", text).after(seconds)
    }

    /// What a program is told whose person has something to do first.
    fn needs_browser(next: Next) -> Self {
        let (code, text) = match next {
            Next::SecondFactor => ("totp_required", "A code from the authenticator is needed."),
            Next::NewPassword => (
                "password_change_required",
                "Sign in in a browser and choose a new password first.",
            ),
            Next::Enrolment | Next::EnrolmentLink => {
                ("enrollment_required", "Sign in in a browser and enrol a second factor first.")
            }
        };
        Self::new(StatusCode::FORBIDDEN, code, text)
    }
}

/// What visitors are told.
mod text {
    pub(super) const CREDENTIALS: &str = "That name and password do not belong together.";
    pub(super) const CODE: &str = "That code is not right. If it is from your authenticator, type \
        the one that is shown now.";
    pub(super) const CODE_USED: &str = "That code has been used already. Wait for the next one.";
    pub(super) const EXPIRED: &str =
        "Signing in took too long, or was finished elsewhere. Please begin anew.";
    pub(super) const SESSION_REVOKED: &str = "This session has ended. Sign in again.";
    pub(super) const WRONG_STEP: &str = "Another step comes first.";
    pub(super) const ALREADY_ENABLED: &str = "A second factor is enrolled already.";
    pub(super) const LINK_GONE: &str = "This link has been used, replaced, or has expired. Ask \
        your administrator for a new one.";
    pub(super) const LINK_NEEDED: &str =
        "To enrol you need the link that your administrator has for you.";
    pub(super) const MFA_ENFORCED: &str =
        "A second factor is asked of you, so it cannot be taken away.";
    pub(super) const REGISTRATION_DISABLED: &str =
        "Nobody can register here by themselves. Ask your administrator.";
    pub(super) const NO_SUCH_SESSION: &str = "There is no such session among yours.";
    pub(super) const PASSWORD_UNUSABLE: &str =
        "Choose a password that is neither empty nor endless.";
    pub(super) const BREACHED: &str = "This password is in a list of stolen passwords, which \
        attackers try first. Please choose another one.";
    pub(super) const NAME_TAKEN: &str = "That name is somebody's already.";
    pub(super) const BUSY: &str =
        "Too many people are signing in at this moment. Please try again.";
    pub(super) const BREACH_UNKNOWN: &str = "Whether this password is known to be stolen cannot be \
        found out just now. Please try again in a moment.";
    pub(super) const UNAVAILABLE: &str =
        "This is not possible just now. Please try again in a moment.";
}

/// A time to wait, as people say it.
fn wait(seconds: u64) -> String {
    match seconds.div_ceil(60) {
        _ if seconds < 60 => format!("{seconds} seconds"),
        1 => String::from("a minute"),
        minutes => format!("{minutes} minutes"),
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
