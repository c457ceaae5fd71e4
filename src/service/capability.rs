//! Who may administer.

use super::LiveSession;
use crate::domain::Actor;
use crate::types::{ClientAddr, Timestamp};
use std::time::Duration;

/// How long ago a person at our pages may have shown the second factor. Long enough to get
/// something done, too short for whoever finds the browser open in the evening.
const FRESH: Duration = Duration::from_secs(30 * 60);

/// Why somebody at our pages has no leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoLeave {
    /// They have to show the second factor once more.
    ShowFactor,
    /// They are no administrator.
    Never,
}

/// Leave to administer, and in whose name.
///
/// ```compile_fail
/// let forged = vestibule::service::AdminCap { actor: todo!(), from: None };
/// ```
#[must_use]
#[derive(Debug)]
pub struct AdminCap {
    actor: Actor,
    from: Option<ClientAddr>,
}

impl AdminCap {
    /// For whoever can open the administration socket or the store itself, which is as good as
    /// holding the master key. `tests/architecture.rs` sees to it that `app` alone says so.
    pub const fn of_command_line() -> Self {
        Self { actor: Actor::CommandLine, from: None }
    }

    /// For an administrator who is signed in with a second factor; nothing for anybody else, and
    /// nothing for an access token: it could make others without its limits.
    pub fn of(live: &LiveSession, from: ClientAddr) -> Option<Self> {
        let is_sure = live.session().second_factor().is_some() && !live.is_token();
        let may = live.is_administrator() && is_sure;
        may.then(|| Self { actor: Actor::Administrator(live.session().user()), from: Some(from) })
    }

    /// The same for a person at our pages, who can show the second factor once more: there it must
    /// have been shown a short while ago. A program could not, so it is not asked.
    pub fn freshly(live: &LiveSession, from: ClientAddr, now: Timestamp) -> Result<Self, NoLeave> {
        let is_fresh = |(_, at): (_, Timestamp)| now.since(at) <= FRESH;
        match Self::of(live, from) {
            Some(leave) if live.session().second_factor().is_some_and(is_fresh) => Ok(leave),
            _ if live.is_administrator() && !live.is_token() => Err(NoLeave::ShowFactor),
            _ => Err(NoLeave::Never),
        }
    }

    pub(super) const fn actor(&self) -> Actor {
        self.actor
    }

    pub(super) const fn from(&self) -> Option<ClientAddr> {
        self.from
    }
}
