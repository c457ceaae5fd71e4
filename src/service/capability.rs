//! Who may administer.

use super::LiveSession;
use crate::domain::{Actor, Occasion};
use crate::types::{ClientAddr, RequestCx, RequestId, Timestamp};
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
/// let forged = vestibule::service::AdminCap { by: todo!(), from: None };
/// ```
#[must_use]
#[derive(Debug)]
pub struct AdminCap {
    by: Actor,
    /// Where and in which request they ask, if they do so over the network.
    from: Option<(ClientAddr, RequestId)>,
}

impl AdminCap {
    /// For whoever can open the administration socket or the store itself, which is as good as
    /// holding the master key. `tests/architecture.rs` sees to it that `app` alone says so.
    pub const fn of_command_line() -> Self {
        Self { by: Actor::CommandLine, from: None }
    }

    /// For an administrator who is signed in with a second factor; nothing for anybody else, and
    /// nothing for an access token: it could make others without its limits.
    pub fn of(live: &LiveSession, cx: &RequestCx) -> Option<Self> {
        let is_sure = live.session().second_factor().is_some() && !live.is_token();
        let may = live.is_administrator() && is_sure;
        let by = Actor::Administrator(live.session().user());
        may.then_some(Self { by, from: Some((cx.client, cx.id)) })
    }

    /// The same for a person at our pages, who can show the second factor once more: there it must
    /// have been shown a short while ago. A program could not, so it is not asked.
    pub fn freshly(live: &LiveSession, cx: &RequestCx) -> Result<Self, NoLeave> {
        let is_fresh = |(_, at): (_, Timestamp)| cx.now.since(at) <= FRESH;
        match Self::of(live, cx) {
            Some(leave) if live.session().second_factor().is_some_and(is_fresh) => Ok(leave),
            _ if live.is_administrator() && !live.is_token() => Err(NoLeave::ShowFactor),
            _ => Err(NoLeave::Never),
        }
    }

    /// What is done by it at this moment.
    pub(super) fn occasion(&self, at: Timestamp) -> Occasion {
        let (from, request) = self.from.unzip();
        Occasion { by: self.by, from, request, at }
    }
}
