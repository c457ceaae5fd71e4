//! What is written down of what happens.
//!
//! Whoever is answered can be found in the trail: the store writes the entry of an act with the
//! act, before the answer goes out, and where one cannot be written, neither is the other. So
//! nothing is told here but what left nothing else behind.
//!
//! What did not change anything and comes by the thousand, tries that were refused before anything
//! of them was judged, is in the log each time and in the trail once a quarter of an hour for each
//! address or account. What was judged is in the trail each time, so the trail is bounded by the
//! number of its entries as well as by their age: nobody can fill a disk with either.

use super::{Denied, Service};
use crate::domain::{
    Actor, AuditEvent, Broken, Entry, Filter, Happening, Occasion, Rate, SignInFailure, Start, Tip,
};
use crate::observe::Level;
use crate::store::{Excerpt, StoreError};
use crate::types::{RequestCx, Timestamp, UserId};
use std::hash::Hash;
use std::time::Duration;

/// How often tries that are turned away are told once more.
const TURNED_AWAY: Rate = Rate { times: 1, per: Duration::from_secs(900) };

/// Entries are forgotten a day's worth at a time, not one by one.
const DAY: Duration = Duration::from_secs(86_400);

/// How often entries are forgotten for their age.
const FORGOTTEN: Rate = Rate { times: 1, per: DAY };

/// How often it is told that the trail is full, or will be soon, while that goes on.
const WARNED: Rate = Rate { times: 1, per: DAY };

impl Service {
    /// Writes down that a try was turned away before it was judged, and says so. `whose` is what it
    /// was counted under, which names that are nobody's have as well: were they told apart here,
    /// the time it takes would tell them apart outside.
    pub(super) async fn turned_away(
        &self,
        whose: impl Hash,
        user: Option<UserId>,
        why: SignInFailure,
        cx: &RequestCx,
        denied: Denied,
    ) -> Denied {
        let (event, on) = (AuditEvent::SignInFailed { user, why }, cx.into());
        if self.windows.admit(&TURNED_AWAY, ("turned away", whose), cx.now).is_err() {
            self.log.audit(&Happening { event, on });
            return denied;
        }
        self.store.append(vec![event], on).await.map_or_else(Denied::from, |()| denied)
    }

    /// Some entries of the trail.
    pub async fn excerpt(
        &self,
        start: Start,
        wanted: Filter,
        most: usize,
    ) -> Result<Excerpt, StoreError> {
        self.store.excerpt(start, wanted, most).await
    }

    /// Where the trail begins and ends.
    pub async fn trail_tip(&self) -> Result<Tip, StoreError> {
        self.store.tip().await
    }

    /// Checks the whole trail.
    pub async fn verify_trail(&self) -> Result<Result<Tip, Broken>, StoreError> {
        self.store.verify_trail().await
    }

    /// Forgets what is older than it must be kept, and what is more than may be kept.
    pub async fn prune_trail(&self) -> Result<(), StoreError> {
        let at = self.clock.now();
        // Also where the oldest entry cannot be read: nothing else keeps the disk from filling.
        let old = self.forget_old(at).await;
        self.forget_excess(at).await?;
        old
    }

    async fn forget_old(&self, now: Timestamp) -> Result<(), StoreError> {
        let Some(keep) = self.settings.trail_keep else { return Ok(()) };
        let bound = now.minus(keep.saturating_add(DAY)).rfc3339();
        let Some(oldest) = self.oldest_entry().await?.filter(|oldest| oldest.at < bound) else {
            return Ok(());
        };
        // A day's worth a day, so that a clock that leaps ahead does not take everything with it.
        let begun = Timestamp::read(&oldest.at, now);
        let until = begun.map_or(now.minus(keep), |begun| begun.plus(DAY).min(now.minus(keep)));
        if self.windows.admit(&FORGOTTEN, "the trail is old", now).is_err() {
            return Ok(());
        }
        self.forget(until, u64::MAX, now).await.map(drop)
    }

    /// A hundredth at a time, not one by one; and says so, from a tenth before it comes to that.
    async fn forget_excess(&self, now: Timestamp) -> Result<(), StoreError> {
        let (most, held) = (self.settings.trail_most, self.store.tip().await?.len());
        if held > most {
            self.forget(Timestamp::from_secs(0), most - most / 100, now).await?;
        }
        let what = if held > most {
            "has forgotten its oldest before their time"
        } else if held > most - most / 10 {
            "will soon forget its oldest before their time"
        } else {
            return Ok(());
        };
        if self.windows.admit(&WARNED, what, now).is_ok() {
            let since = self.oldest_entry().await?.map_or_else(String::new, |oldest| oldest.at);
            let warning = format!(
                "the audit trail had {held} entries of audit.max_entries = {most}, and {what}: it \
                 reaches back to {since}. Somebody may be flooding it: see `vestibule audit list`; \
                 if not, raise audit.max_entries. `vestibule audit export` keeps a copy"
            );
            self.log.say(now, Level::Warn, &warning);
        }
        Ok(())
    }

    async fn oldest_entry(&self) -> Result<Option<Entry>, StoreError> {
        let oldest = self.store.excerpt(Start::After(0), Filter::default(), 1).await?;
        Ok(oldest.lines.into_iter().next().map(|line| line.entry))
    }

    async fn forget(
        &self,
        older_than: Timestamp,
        most: u64,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let on = Occasion::here(Actor::Gateway, now);
        let mut count = 0;
        loop {
            match self.store.prune_trail(older_than, most, on).await? {
                0 => return Ok(count),
                some => count += some,
            }
        }
    }
}
