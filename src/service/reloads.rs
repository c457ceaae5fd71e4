//! What is written down of reloads.

use super::Service;
use crate::domain::{Actor, AuditEvent, Occasion};
use crate::store::StoreError;

impl Service {
    /// Writes down that the configuration was read anew, at a signal or since a file changed: its
    /// short name, where it was not refused.
    pub async fn note_reload(
        &self,
        at_signal: bool,
        digest: Option<String>,
    ) -> Result<(), StoreError> {
        // Whoever sends signals to the process could as well use its administration socket.
        let by = if at_signal { Actor::CommandLine } else { Actor::Gateway };
        let on = Occasion { by, from: None, request: None, at: self.clock.now() };
        self.store.append(vec![AuditEvent::Reloaded { at_signal, digest }], on).await
    }
}
