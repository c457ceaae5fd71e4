//! The operating system's clock.

use crate::types::{Clock, Timestamp};
use rustix::time::{ClockId, clock_gettime};

/// The operating system's clock.
pub(super) struct SystemClock;

impl Clock for SystemClock {
    /// As of the last tick, a few milliseconds ago: decisions count in seconds, and every piece of
    /// every body asks.
    fn now(&self) -> Timestamp {
        let now = clock_gettime(ClockId::RealtimeCoarse);
        // A clock set before 1970 reads as 1970, when no session has begun and no code fits.
        Timestamp::from_secs(u64::try_from(now.tv_sec).unwrap_or_default())
    }
}
