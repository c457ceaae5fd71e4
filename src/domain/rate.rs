//! How often something may be tried.
//!
//! A window opens with the first try and lets so many through until it closes; the next try after
//! that opens another. So the moment from which it is worth trying again is always known.

use crate::types::Timestamp;
use std::fmt;
use std::time::Duration;

/// So many times in so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// So many times.
    pub times: u32,
    /// In so long.
    pub per: Duration,
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}s", self.times, self.per.as_secs())
    }
}

/// A window, and how many tries it has let through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    closes: u64,
    tries: u32,
}

impl Rate {
    /// Lets a try through, or says from when on it is worth trying again.
    pub fn admit(&self, window: &mut Window, now: Timestamp) -> Result<(), Timestamp> {
        let latest = now.plus(self.per).as_secs();
        // A clock that was set back must not keep a window open for longer than it would be.
        let is_open = now.as_secs() < window.closes && window.closes <= latest;
        if !is_open {
            *window = Window { closes: latest, tries: 1 };
            return Ok(());
        }
        if window.tries >= self.times {
            return Err(Timestamp::from_secs(window.closes));
        }
        window.tries += 1;
        Ok(())
    }
}

impl Window {
    /// How much it would lose to forget it: nothing once it is closed.
    pub fn weight(self, now: Timestamp) -> u32 {
        if now.as_secs() < self.closes { self.tries } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn so_many_tries_pass_and_the_next_is_told_when_to_come_back() {
        let rate = Rate { times: 3, per: Duration::from_secs(60) };
        let mut window = Window::default();
        for second in [100, 110, 159] {
            assert_eq!(rate.admit(&mut window, at(second)), Ok(()));
        }
        for second in [159, 159] {
            assert_eq!(rate.admit(&mut window, at(second)), Err(at(160)));
        }
        assert_eq!(rate.admit(&mut window, at(160)), Ok(()));
        assert_eq!(window.weight(at(160)), 1);
        assert_eq!(window.weight(at(220)), 0);
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out_for_long() {
        let rate = Rate { times: 1, per: Duration::from_secs(60) };
        let mut window = Window::default();
        assert_eq!(rate.admit(&mut window, at(1_000_000)), Ok(()));
        assert_eq!(rate.admit(&mut window, at(500)), Ok(()));
        assert_eq!(rate.admit(&mut window, at(501)), Err(at(560)));
    }
}
