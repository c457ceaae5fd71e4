//! What calls are sent and answered with, where several have it in common.

use crate::domain::{Next, Session, User};
use crate::service::{LiveSession, Progress};
use crate::types::{Secret, Timestamp};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;

/// A password, a code or a token that was sent: wiped when dropped, and not to be printed.
#[derive(Debug)]
pub(super) struct Hidden(Secret<String>);

impl Hidden {
    /// The text.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }
}

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self(Secret::new(text)))
    }
}

impl JsonSchema for Hidden {
    fn schema_name() -> Cow<'static, str> {
        "Hidden".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "password", "writeOnly": true })
    }
}

/// The first of two codes that was sent and is not empty.
pub(super) fn either<'h>(code: Option<&'h Hidden>, other: Option<&'h Hidden>) -> Option<&'h str> {
    let mut sent = code.into_iter().chain(other).map(Hidden::reveal);
    sent.find(|text| !text.is_empty())
}

/// A call without a body.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct Nothing {}

/// It is done.
#[derive(Serialize, JsonSchema)]
pub(super) struct Done {
    status: DoneStatus,
    /// A sentence that says what, where there is more to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum DoneStatus {
    Done,
}

impl Done {
    pub const fn new() -> Self {
        Self { status: DoneStatus::Done, message: None }
    }

    pub const fn saying(message: String) -> Self {
        Self { status: DoneStatus::Done, message: Some(message) }
    }
}

/// A person, as they see themselves.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "User")]
pub(super) struct UserRecord {
    /// The record's own name; stays when the username changes.
    id: String,
    /// What they sign in with.
    username: String,
    /// Also good for signing in.
    email: Option<String>,
    /// How they write their name.
    display_name: Option<String>,
    /// Their groups.
    groups: Vec<String>,
    /// Whether they have a second factor.
    second_factor: bool,
}

impl From<User> for UserRecord {
    fn from(user: User) -> Self {
        Self {
            id: user.id.to_string(),
            username: user.username.into(),
            email: user.email.map(Into::into),
            display_name: user.display_name.map(Into::into),
            groups: user.groups.into_iter().map(Into::into).collect(),
            second_factor: user.totp.is_some(),
        }
    }
}

/// A session, as the person whose it is sees it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Session")]
pub(super) struct SessionRecord {
    /// Its name. It opens nothing.
    id: String,
    /// When it began: RFC 3339, in UTC.
    created_at: String,
    /// When it was last used, give or take some seconds.
    last_seen_at: String,
    /// Where it began.
    ip: String,
    /// What the browser or the program called itself.
    user_agent: String,
    /// Whether this very call was made under it.
    current: bool,
}

impl SessionRecord {
    pub fn of(session: &Session, asked_by: &LiveSession) -> Self {
        Self {
            id: session.id().to_string(),
            created_at: session.created_at().rfc3339(),
            last_seen_at: session.last_seen_at().rfc3339(),
            ip: session.client().to_string(),
            user_agent: session.user_agent().to_owned(),
            current: session.id() == asked_by.session().id(),
        }
    }
}

/// How far somebody has come.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(super) enum SignIn {
    /// They are signed in; the session is in the cookie.
    Authenticated(SignedIn),
    /// A code from the authenticator or a recovery code comes next.
    TotpRequired(Step),
    /// Enrolling a second factor comes next.
    EnrollmentRequired(Step),
    /// Choosing a new password comes next.
    PasswordChangeRequired(Step),
}

/// Somebody who is signed in.
#[derive(Serialize, JsonSchema)]
pub(super) struct SignedIn {
    user: UserRecord,
    /// When the session ends, however busy it is: RFC 3339, in UTC.
    expires_at: String,
    /// How many recovery codes are left, where one was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_codes_remaining: Option<usize>,
}

/// A step that comes next.
#[derive(Serialize, JsonSchema)]
pub(super) struct Step {
    /// Grants that step and nothing else. Browsers have it in a cookie as well.
    mfa_token: String,
}

impl SignIn {
    /// Where a step led.
    pub fn after(progress: Progress) -> Self {
        match progress {
            Progress::SignedIn(done) => {
                let left = done.recovery_codes_left;
                Self::authenticated(done.user, done.session.expires_at(), left)
            }
            Progress::Waits(underway) => {
                let step = Step { mfa_token: underway.token.reveal() };
                match underway.next {
                    Next::SecondFactor => Self::TotpRequired(step),
                    Next::NewPassword => Self::PasswordChangeRequired(step),
                    Next::Enrolment | Next::EnrolmentLink => Self::EnrollmentRequired(step),
                }
            }
        }
    }

    /// Somebody is signed in.
    pub fn authenticated(user: User, expires_at: Timestamp, codes_left: Option<usize>) -> Self {
        Self::Authenticated(SignedIn {
            user: user.into(),
            expires_at: expires_at.rfc3339(),
            recovery_codes_remaining: codes_left,
        })
    }
}
