//! Floor 3: what operators see.
//!
//! One line a request, one line an event, written by a thread of its own: whoever logs writes its
//! line onto a page in memory and goes on. When too much waits, the line is dropped and counted; a
//! slow disk never slows a request. No query string, cookie, code, token or password
//! is ever handed to this module, and its types have no place for one.

mod access;
mod line;
mod writer;

pub use access::{Access, Outcome};
pub use line::{Format, Level};
pub use writer::{Log, LogThread};

use crate::domain::AuditEvent;
use crate::types::{ClientAddr, Timestamp, UserId};

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The person the event is about, or somebody claiming to be.
    Person,
    /// Whoever can reach the administration socket.
    CommandLine,
    /// An administrator who is signed in.
    Administrator(UserId),
}

impl Actor {
    const fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::CommandLine => "command_line",
            Self::Administrator(_) => "administrator",
        }
    }
}

impl Log {
    /// Writes an audit event.
    pub fn audit(&self, event: &AuditEvent, actor: Actor, from: Option<ClientAddr>, at: Timestamp) {
        let user = event.user().map(|user| user.to_string());
        let from = from.map(|addr| addr.to_string());
        self.line(at, Level::Info, "audit", |line| {
            line.text("event", event.name());
            line.text("by", actor.name());
            if let Actor::Administrator(id) = actor {
                line.text("administrator", &id.to_string());
            }
            line.maybe("user", user.as_deref());
            line.maybe("from", from.as_deref());
            line.maybe("detail", Some(event.detail().as_str()).filter(|text| !text.is_empty()));
        });
    }
}
