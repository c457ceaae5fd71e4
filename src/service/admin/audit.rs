//! Reading and checking the audit trail.

use super::desk::{Desk, Reply};
use super::{AdminError, AdminErrorKind, AdminReply, AuditQuestion};
use crate::domain::Filter;
use crate::types::Timestamp;

/// Entries in one reply.
const MOST: usize = 1000;

impl Desk<'_> {
    pub(super) async fn read_trail(&self, question: AuditQuestion) -> Reply {
        let AuditQuestion { user, event, from, since, until, start, most } = question;
        let (since, until) = (self.moment(since)?, self.moment(until)?);
        let wanted = Filter { user, event, from, since, until };
        let excerpt = self.service.excerpt(start, wanted, most.clamp(1, MOST)).await?;
        Ok(AdminReply::Audit { lines: excerpt.lines, next: excerpt.next })
    }

    pub(super) async fn verify_trail(&self) -> Reply {
        Ok(match self.service.verify_trail().await? {
            Ok(tip) => AdminReply::Verified { tip },
            Err(broken) => AdminReply::Broken { broken },
        })
    }

    fn moment(&self, text: Option<String>) -> Result<Option<Timestamp>, AdminError> {
        let Some(text) = text else { return Ok(None) };
        let read = Timestamp::read(&text, self.service.clock.now());
        let error = || {
            let sentence = format!(
                "{text:?} is no moment: write 2026-11-26, 2026-11-26T07:30:00Z, or how long ago: 12h"
            );
            AdminError::new(AdminErrorKind::Invalid, sentence)
        };
        read.ok_or_else(error).map(Some)
    }
}
