//! How hard a new password is to guess, beside the input for it.
//!
//! Said after a try that was refused; and while somebody types, where the script asks for it. The
//! script finds everything that it writes here already, in the language of the page.

use crate::crypto::Strength;
use crate::http::{Location, Words};
use maud::{Markup, html};
use serde::Serialize;

/// The meter and the words beside it. `asks` is where the script asks.
pub(crate) fn meter(words: &Words, asks: &Location, strength: Option<Strength>) -> Markup {
    let said = strength.map(|strength| say(words, strength)).unwrap_or_default();
    let score = strength.map_or(0, |strength| strength.score);
    html! {
        div .strength data-weighs="password" data-asks=(asks.as_str()) hidden[strength.is_none()] {
            meter min="0" max="4" low="2" high="3" optimum="4" value=(score)
                aria-label=(words.strength.label) {}
            p role="status" { strong { (said.level) } " " span { (said.text) } }
        }
    }
}

/// A strength in words.
#[derive(Default, Serialize)]
pub(crate) struct Said {
    score: u8,
    level: &'static str,
    /// Why, and what to do; nothing where it is hard to guess.
    text: String,
}

/// Puts a strength into words.
pub(crate) fn say(words: &Words, Strength { score, guess }: Strength) -> Said {
    let words = &words.strength;
    let level = words.levels.get(usize::from(score)).copied().unwrap_or_default();
    let text = guess.map(|guess| format!("{} {}", (words.why)(guess), words.advice));
    Said { score, level, text: text.unwrap_or_default() }
}
