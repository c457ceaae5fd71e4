//! One line a request.

use super::writer::REQUEST;
use super::{Level, Log, RouteMeter};
use crate::types::{RequestId, Timestamp};

/// What the gate said, or why it was not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Passed to an app.
    Allowed,
    /// Sent to sign in.
    Challenged,
    /// Refused by a rule.
    Forbidden,
    /// One of our own pages.
    Portal,
    /// Malformed or ambiguous; nothing looked at it further.
    Malformed,
    /// No app is there for it.
    NoRoute,
    /// Something failed on our side or the app's.
    Failed,
}

impl Outcome {
    /// All of them, in order.
    pub const ALL: [Self; 7] = [
        Self::Allowed,
        Self::Challenged,
        Self::Forbidden,
        Self::Portal,
        Self::Malformed,
        Self::NoRoute,
        Self::Failed,
    ];

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Challenged => "challenged",
            Self::Forbidden => "forbidden",
            Self::Portal => "portal",
            Self::Malformed => "malformed",
            Self::NoRoute => "no_route",
            Self::Failed => "failed",
        }
    }
}

/// What is told of a request. The path comes without its query.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// What it is counted under: the route of the app it was for.
    pub route: Option<&'a RouteMeter>,
    /// When it arrived.
    pub at: Timestamp,
    /// Its name; none where it never became a request.
    pub id: Option<RequestId>,
    /// Who sent it.
    pub client: Option<&'a str>,
    /// Its method.
    pub method: &'a str,
    /// The host it named.
    pub host: &'a str,
    /// Its path.
    pub path: &'a str,
    /// Who was signed in.
    pub user: Option<&'a str>,
    /// What became of it.
    pub outcome: Outcome,
    /// The status that was answered.
    pub status: u16,
    /// How long it took.
    pub micros: u64,
    /// Why it failed or was refused, as a stable word.
    pub reason: Option<&'a str>,
}

impl Log {
    /// Counts a request and writes its line.
    pub fn access(&self, access: &Access<'_>) {
        self.meters().request(access.route, access.outcome, access.micros);
        self.line(access.at, Level::Info, REQUEST, |line| {
            if let Some(id) = access.id {
                line.word("id", std::str::from_utf8(&id.hex()).unwrap_or_default());
            }
            if let Some(client) = access.client {
                line.word("client", client);
            }
            line.word("method", access.method);
            line.word("host", access.host);
            line.text("path", access.path);
            line.maybe("user", access.user);
            line.word("outcome", access.outcome.name());
            line.number("status", access.status.into());
            line.number("micros", access.micros);
            line.maybe("reason", access.reason);
        });
    }
}
