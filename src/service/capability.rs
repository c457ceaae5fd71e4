//! Who may administer.

use super::LiveSession;
use crate::observe::Actor;
use crate::types::ClientAddr;

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

    pub(super) const fn actor(&self) -> Actor {
        self.actor
    }

    pub(super) const fn from(&self) -> Option<ClientAddr> {
        self.from
    }
}
