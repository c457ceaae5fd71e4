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

    /// The moment `before` earlier; the beginning of 1970 at the earliest.
    #[must_use]
    pub const fn minus(self, before: Duration) -> Self {
        Self(self.0.saturating_sub(before.as_secs()))
    }

    /// How long ago `earlier` was; nothing where it lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }

    /// A moment as people write it: `2026-11-26`, `2026-11-26T07:30:00Z`, or how long before `now`
    /// it was: `30m`, `12h`, `7d`.
    pub fn read(text: &str, now: Self) -> Option<Self> {
        const UNITS: [(char, u64); 4] = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];
        for (unit, secs) in UNITS {
            if let Some(count) = text.strip_suffix(unit).and_then(digits) {
                return Some(now.minus(Duration::from_secs(count.checked_mul(secs)?)));
            }
        }
        let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
        let [year, month, day] = parts(date, '-')?;
        let [hour, minute, second] = parts(time.strip_suffix('Z')?, ':')?;
        let fits = (1970..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        let days = days_from_civil(year, month, day);
        let read = Self(days * 86_400 + hour * 3600 + minute * 60 + second);
        // The thirty-first of a month that has none would be another day.
        (fits && read.rfc3339().starts_with(date)).then_some(read)
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

/// Digits alone.
fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|c| c.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Three numbers, the latter two of two digits.
fn parts(text: &str, between: char) -> Option<[u64; 3]> {
    let mut parts = text.split(between);
    let three = [digits(parts.next()?)?, two(parts.next()?)?, two(parts.next()?)?];
    parts.next().is_none().then_some(three)
}

fn two(text: &str) -> Option<u64> {
    digits(text).filter(|_| text.len() == 2)
}

/// The day number, counted from 1970-01-01, of a date: [`civil_from_days`] the other way.
fn days_from_civil(year: u64, month: u64, day: u64) -> u64 {
    let years = if month > 2 { year } else { year.saturating_sub(1) };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day.saturating_sub(1);
    (years * 365 + years / 4 - years / 100 + years / 400 + day_of_year).saturating_sub(719_468)
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
    fn moments_are_read_as_people_write_them() {
        let now = Timestamp::from_secs(1_795_219_200);
        for (text, secs) in [
            ("1970-01-01", 0),
            ("2000-02-29", 951_782_400),
            ("2024-02-29T23:59:59Z", 1_709_251_199),
            ("2026-11-21", 1_795_219_200),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
            ("30m", 1_795_217_400),
            ("7d", 1_794_614_400),
        ] {
            assert_eq!(Timestamp::read(text, now), Some(Timestamp::from_secs(secs)), "{text}");
        }
        for text in [
            "",
            "d",
            "-1d",
            "1.5h",
            "yesterday",
            "2026",
            "2026-1-1",
            "2026-02-30",
            "2026-13-01",
            "2026-00-01",
            "1969-12-31",
            "2026-11-21T24:00:00Z",
            "2026-11-21T10:00:00",
            "99999999999999999999d",
            "18446744073709551615d",
            "2026-11-21T10:00:00+01:00",
        ] {
            assert_eq!(Timestamp::read(text, now), None, "{text}");
        }
    }

    #[test]
    fn a_moment_ahead_is_zero_seconds_ago() {
        let (early, late) = (Timestamp::from_secs(5), Timestamp::from_secs(9));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(late.since(early), Duration::from_secs(4));
    }
}
