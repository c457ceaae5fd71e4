//! Floor 3: what operators see.
//!
//! One line a request, one line an event, written by a thread of its own: whoever logs writes its
//! line onto a page in memory and goes on. When too much waits, the line is dropped and counted; a
//! slow disk never slows a request. No query string, cookie, code, token or password
//! is ever handed to this module, and its types have no place for one.

mod access;
mod copies;
mod line;
mod meters;
pub mod traces;
mod writer;

pub use access::{Access, Outcome};
pub use copies::{Copies, Syslog, add_lines, last_line};
pub use line::{Format, Level};
pub use meters::{Durations, Fetch, Measured, Meters, RouteMeter};
pub use writer::{Log, LogThread};

use crate::domain::{Happening, Occasion};

impl Log {
    /// Counts an audit event and writes its line.
    pub fn audit(&self, happening: &Happening) {
        let Happening { event, on: Occasion { by, from, request, at } } = happening;
        self.meters().event(event);
        let user = event.user().map(|user| user.to_string());
        let from = from.map(|addr| addr.to_string());
        let request = request.map(|request| request.to_string());
        self.line(*at, Level::Info, "audit", |line| {
            line.text("event", event.name());
            line.text("by", by.name());
            if let Some(id) = by.administrator() {
                line.text("administrator", &id.to_string());
            }
            line.maybe("user", user.as_deref());
            line.maybe("from", from.as_deref());
            line.maybe("detail", Some(event.detail().as_str()).filter(|text| !text.is_empty()));
            line.maybe("request", request.as_deref());
        });
    }
}
