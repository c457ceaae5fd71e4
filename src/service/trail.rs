//! What is written down of what happens.
//!
//! Whoever is answered can be found in the trail: the store writes the entry of an act with the
//! act, before the answer goes out, and where one cannot be written, neither is the other. So
//! nothing is told here but what left nothing else behind.
//!
//! What did not change anything and comes by the thousand, tries that were refused before anything
//! of them was judged, is in the log each time and in the trail once a quarter of an hour for each
//! address or account, so that nobody can fill a disk with it.

use super::{Denied, Service};
use crate::domain::{
    Actor, AuditEvent, Broken, Filter, Happening, Occasion, Rate, SignInFailure, Start, Tip,
};
use crate::store::{Excerpt, StoreError};
use crate::types::{RequestCx, UserId};
use std::hash::Hash;
use std::time::Duration;

/// How often tries that are turned away are told once more.
const TURNED_AWAY: Rate = Rate { times: 1, per: Duration::from_secs(900) };

/// Entries are forgotten a day's worth at a time, not one by one.
const DAY: Duration = Duration::from_secs(86_400);

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

    /// Forgets what is older than it must be kept.
    pub async fn prune_trail(&self) -> Result<(), StoreError> {
        let Some(keep) = self.settings.trail_keep else { return Ok(()) };
        let at = self.clock.now();
        let oldest = self.store.excerpt(Start::After(0), Filter::default(), 1).await?;
        let bound = at.minus(keep.saturating_add(DAY)).rfc3339();
        if oldest.lines.first().is_none_or(|line| line.entry.at >= bound) {
            return Ok(());
        }
        let on = Occasion::here(Actor::Gateway, at);
        while self.store.prune_trail(at.minus(keep), on).await? > 0 {}
        Ok(())
    }
}
