//! Moments, as people read them.
//!
//! They are written in UTC, and say so; the script puts them into the visitor's own time.

use crate::types::Timestamp;
use maud::{Markup, html};

/// A moment, given as logs have it: `2026-11-21T13:05:00Z`.
pub(crate) fn moment(at: &str) -> Markup {
    let plain = at.replace('T', " ").replace('Z', " UTC");
    html! { time datetime=(at) { (plain) } }
}

/// A sentence in which a moment stands as the time of its day.
pub(super) fn with_clock(sentence: &str, at: Timestamp) -> Markup {
    let clock = at.clock();
    html! {
        @match sentence.split_once(&clock) {
            Some((before, after)) => {
                (before) time datetime=(at.rfc3339()) data-clock { (clock) } (after)
            },
            None => (sentence),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_says_where_it_is_that_time() {
        let at = Timestamp::from_secs(1_795_266_300);
        let shown = "<time datetime=\"2026-11-21T13:05:00Z\">2026-11-21 13:05:00 UTC</time>";
        assert_eq!(moment(&at.rfc3339()).into_string(), shown);
        let shown =
            "Not before <time datetime=\"2026-11-21T13:05:00Z\" data-clock>13:05 UTC</time>.";
        assert_eq!(with_clock("Not before 13:05 UTC.", at).into_string(), shown);
    }
}
