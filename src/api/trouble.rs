//! Why a call is not answered with what it asks for.

pub(super) use crate::http::Trouble;

use crate::http::{Answer, BadJson};
use crate::service::Denied;
use http::StatusCode;
use std::borrow::Cow;

/// The code of whoever has to sign in first.
pub(super) const UNAUTHENTICATED: &str = "unauthenticated";

impl From<BadJson> for Trouble {
    fn from(bad: BadJson) -> Self {
        Self::Answer(bad.into())
    }
}

impl Trouble {
    /// A browser says that another site's page sent it.
    pub fn cross_site() -> Self {
        let text = "Calls are taken from programs and from pages of this very site.";
        Self::new(StatusCode::FORBIDDEN, "cross_site", text)
    }

    /// A browser says that a page sent it, which might be an app's on this very host.
    pub fn of_a_script() -> Self {
        let text = "This is taken from programs alone, and from pages of ours by their forms.";
        Self::new(StatusCode::FORBIDDEN, "script_refused", text)
    }

    /// Nobody who is signed in sent it.
    pub fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, UNAUTHENTICATED, "Sign in to go on.")
    }

    /// Who sent it may not.
    pub fn forbidden() -> Self {
        let text = "That is for administrators who are signed in with a second factor.";
        Self::new(StatusCode::FORBIDDEN, "forbidden", text)
    }

    /// It was asked for with an access token, which is not for that.
    pub fn not_by_token() -> Self {
        let text = "An access token is for apps. Sign in as the person for this.";
        Self::new(StatusCode::FORBIDDEN, "forbidden", text)
    }

    /// There is no such thing.
    pub fn not_found(text: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", text)
    }

    /// A no of this status, code and sentence.
    pub fn new(status: StatusCode, code: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        Self::Answer(Answer::new(status, code, text))
    }

    /// As it is told to somebody who was signed in when the call began: what has ended meanwhile
    /// is the session.
    #[must_use]
    pub fn of_session(self) -> Self {
        match self {
            Self::Denied(Denied::Expired | Denied::SessionRevoked) => Self::unauthenticated(),
            other => other,
        }
    }
}
