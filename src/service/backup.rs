//! Handing out a backup.

use super::{AdminCap, Service};
use crate::domain::AuditEvent;
use crate::store::StoreError;
use std::io::Write;

impl Service {
    /// Writes a backup of everything; how many rows it has. That it was asked for is in the trail
    /// before the first byte goes out, and so in the backup itself.
    pub async fn backup(
        &self,
        out: Box<dyn Write + Send>,
        by: &AdminCap,
    ) -> Result<u64, StoreError> {
        let at = self.clock.now();
        self.store.append(vec![AuditEvent::BackupMade], by.occasion(at)).await?;
        self.save_uses().await?;
        self.store.write_backup(at, out).await
    }
}
