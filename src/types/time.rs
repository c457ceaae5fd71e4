//! Moments, as arguments.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A moment in whole seconds since 1970. Decisions take it as an argument and never ask a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment that many seconds after 1970 began.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs)
    }

    /// Seconds since 1970 began.
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// The moment `after` later; the end of time at the latest.
    #[must_use]
    pub const fn plus(self, after: Duration) -> Self {
        Self(self.0.saturating_add(after.as_secs()))
    }

    /// How long ago `earlier` was; nothing where it lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }

    /// RFC 3339 in UTC, as logs and people read it.
    pub fn rfc3339(self) -> String {
        let (days, rest) = (self.0 / 86_400, self.0 % 86_400);
        let (year, month, day) = civil_from_days(days);
        let mut text = *b"0000-00-00T00:00:00Z";
        let pairs = [year / 100, year % 100, month, day, rest / 3600, rest / 60 % 60, rest % 60];
        for (at, number) in [0, 2, 5, 8, 11, 14, 17].into_iter().zip(pairs) {
            if let Some([tens, ones]) = text.get_mut(at..at + 2) {
                (*tens, *ones) = (digit(number / 10), digit(number));
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The time of day in UTC, to the minute.
    pub fn clock(self) -> String {
        format!("{:02}:{:02} UTC", self.0 / 3600 % 24, self.0 / 60 % 60)
    }
}

/// The last decimal digit.
fn digit(number: u64) -> u8 {
    b'0' + u8::try_from(number % 10).unwrap_or(0)
}

/// The proleptic Gregorian date of a day number counted from 1970-01-01.
///
/// Years are counted from March, so that the leap day is the last of its year and a month's
/// length follows from its number alone.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

/// Where "now" comes from: the operating system in `app`, a hand-set clock in tests.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_as_dates_across_leap_years() {
        for (secs, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_795_219_200, "2026-11-21T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(Timestamp::from_secs(secs).rfc3339(), text);
        }
    }

    #[test]
    fn a_moment_ahead_is_zero_seconds_ago() {
        let (early, late) = (Timestamp::from_secs(5), Timestamp::from_secs(9));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(late.since(early), Duration::from_secs(4));
    }
}
