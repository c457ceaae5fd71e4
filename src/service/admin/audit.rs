//! Reading and checking the audit trail.

use super::desk::{Desk, Reply};
use super::{AdminError, AdminErrorKind, AdminReply, AuditQuestion, HourView};
use crate::domain::{Entry, Filter, Start};
use crate::types::Timestamp;
use std::time::Duration;

/// Entries in one reply.
const MOST: usize = 1000;

/// Hours of a day.
const HOURS: usize = 24;

/// How many times that are looked at for what a day was like.
const PAGES_OF_A_DAY: usize = 100;

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

    /// Looks at a bounded number of entries: on a day with more, the earliest hours show fewer than
    /// there were.
    pub(super) async fn day(&self) -> Reply {
        let now = self.service.clock.now();
        let mut hours = hours_before(now);
        let [earliest, ..] = &hours;
        let since = Timestamp::read(&format!("{}:00:00Z", earliest.hour), now);
        let mut start = Some(Start::Newest);
        for _ in 0..PAGES_OF_A_DAY {
            let Some(from) = start else { break };
            let wanted = Filter { since, ..Filter::default() };
            let excerpt = self.service.excerpt(from, wanted, MOST).await?;
            excerpt.lines.iter().for_each(|line| count(&mut hours, &line.entry));
            start = excerpt.next;
        }
        Ok(AdminReply::Day { hours: hours.into() })
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

/// The last hours, the oldest first.
fn hours_before(now: Timestamp) -> [HourView; HOURS] {
    std::array::from_fn(|at| {
        let ago = u64::try_from(HOURS - 1 - at).unwrap_or_default() * 3600;
        let moment = now.minus(Duration::from_secs(ago)).rfc3339();
        HourView { hour: hour_of(&moment).to_owned(), sign_ins: 0, refused: 0 }
    })
}

/// Day and hour of a moment, as texts of moments begin.
fn hour_of(moment: &str) -> &str {
    moment.get(.."2026-11-21T13".len()).unwrap_or_default()
}

fn count(hours: &mut [HourView], entry: &Entry) {
    let hour = hour_of(&entry.at);
    let Some(hour) = hours.iter_mut().find(|counted| counted.hour == hour) else { return };
    match entry.event.as_str() {
        "signed_in" | "program_signed_in" => hour.sign_ins += 1,
        "sign_in_failed" => hour.refused += 1,
        _ => {}
    }
}
