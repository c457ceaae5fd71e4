//! The one place where a use case's no becomes an answer.

use crate::domain::Next;
use crate::service::Denied;
use crate::types::Timestamp;
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

impl Answer {
    fn new(status: StatusCode, code: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, text: text.into(), about: None, retry_after: None }
    }

    fn about(self, field: &'static str) -> Self {
        Self { about: Some(field), ..self }
    }

    fn after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
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
        let unauthorised = StatusCode::UNAUTHORIZED;
        let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
        match denied {
            Denied::Credentials => {
                let text = "That name and password do not belong together.";
                Self::new(unauthorised, "invalid_credentials", text).about("password")
            }
            Denied::Code => {
                let text = "That code is not right. If it is from your authenticator, type the one \
                            that is shown now.";
                Self::new(unauthorised, "invalid_code", text).about("code")
            }
            Denied::CodeUsed => {
                let text = "That code has been used already. Wait for the next one.";
                Self::new(unauthorised, "code_already_used", text).about("code")
            }
            Denied::Locked(until) => Self::locked(until.since(now).as_secs().max(1)),
            Denied::Expired => {
                let text =
                    "Signing in took too long, or was finished elsewhere. Please begin anew.";
                Self::new(unauthorised, "mfa_expired", text)
            }
            Denied::WrongStep => {
                let text = "Another step comes first.";
                Self::new(StatusCode::CONFLICT, "wrong_step", text)
            }
            Denied::LinkGone => {
                let text = "This link has been used, replaced, or has expired. Ask your \
                            administrator for a new one.";
                Self::new(StatusCode::GONE, "link_gone", text)
            }
            Denied::Weak(weakness) => {
                Self::new(unprocessable, "weak_password", weakness.to_string()).about("password")
            }
            Denied::PasswordUnusable => {
                let text = "Choose a password that is neither empty nor endless.";
                Self::new(unprocessable, "weak_password", text).about("password")
            }
            Denied::Name(error) => {
                let text = format!("That name will not do: {error}.");
                Self::new(unprocessable, "invalid_name", text).about("username")
            }
            Denied::NameTaken => {
                let text = "That name is somebody's already.";
                Self::new(StatusCode::CONFLICT, "already_exists", text).about("username")
            }
            Denied::Breached => {
                let text = "This password is in a list of stolen passwords, which attackers try \
                            first. Please choose another one.";
                Self::new(unprocessable, "breached_password", text).about("password")
            }
            Denied::BreachUnknown(_) => {
                let text = "Whether this password is known to be stolen cannot be found out just \
                            now. Please try again in a moment.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", text).after(BUSY)
            }
            Denied::RateLimited(until) => Self::rate_limited(until.since(now).as_secs().max(1)),
            Denied::RegistrationDisabled => {
                let text = "Nobody can register here by themselves. Ask your administrator.";
                Self::new(StatusCode::FORBIDDEN, "registration_disabled", text)
            }
            Denied::LinkNeeded => {
                let text = "To enrol you need the link that your administrator has for you.";
                Self::new(StatusCode::FORBIDDEN, "enrollment_link_required", text)
            }
            Denied::AlreadyEnabled => {
                let text = "A second factor is enrolled already.";
                Self::new(StatusCode::CONFLICT, "already_enabled", text)
            }
            Denied::MfaEnforced => {
                let text = "A second factor is asked of you, so it cannot be taken away.";
                Self::new(StatusCode::FORBIDDEN, "mfa_enforced", text)
            }
            Denied::SessionRevoked => {
                let text = "This session has ended. Sign in again.";
                Self::new(unauthorised, "session_revoked", text)
            }
            Denied::NeedsBrowser(next) => Self::needs_browser(*next),
            Denied::NoSuchSession => {
                let text = "There is no such session among yours.";
                Self::new(StatusCode::NOT_FOUND, "not_found", text)
            }
            Denied::Busy => {
                let text = "Too many people are signing in at this moment. Please try again.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", text).after(BUSY)
            }
            // What failed is for the operator's log alone.
            Denied::Unavailable(_) => {
                let text = "This is not possible just now. Please try again in a moment.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", text).after(BUSY)
            }
        }
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
