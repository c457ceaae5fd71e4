//! How hard a new password is to guess for somebody who knows what people choose.

use zxcvbn::feedback::Warning;
use zxcvbn::zxcvbn;

/// So many characters are looked at: the time it takes grows faster than the password.
const LOOKED_AT: usize = 64;

/// What is written for letters, as in `p@$$w0rd`. Each reading of each of them is tried, in every
/// combination: with so many of them, seconds pass for what is a word no more.
const STANDING_FOR_LETTERS: &str = "4@8({[<3690!1|0$5+7%2";
const MOST_STANDING: usize = 6;

/// From this score on there is nothing to say.
const GOOD: u8 = 3;

/// What makes a password easy to guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guess {
    /// Many people have it, or one like it.
    Common,
    /// It is one word.
    Word,
    /// It is made of a name.
    Name,
    /// It is made of what is known of the person.
    Yours,
    /// Its keys are next to each other.
    Keys,
    /// It repeats itself.
    Repeats,
    /// It is a sequence.
    Sequence,
    /// It is made of a date.
    Date,
    /// There is too little of it.
    Short,
}

impl Guess {
    /// All there are.
    pub const ALL: [Self; 9] = [
        Self::Common,
        Self::Word,
        Self::Name,
        Self::Yours,
        Self::Keys,
        Self::Repeats,
        Self::Sequence,
        Self::Date,
        Self::Short,
    ];

    const fn of(warning: Option<Warning>) -> Self {
        match warning {
            None => Self::Short,
            Some(
                Warning::StraightRowsOfKeysAreEasyToGuess
                | Warning::ShortKeyboardPatternsAreEasyToGuess,
            ) => Self::Keys,
            Some(
                Warning::RepeatsLikeAaaAreEasyToGuess
                | Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess,
            ) => Self::Repeats,
            Some(
                Warning::ThisIsATop10Password
                | Warning::ThisIsATop100Password
                | Warning::ThisIsACommonPassword
                | Warning::ThisIsSimilarToACommonlyUsedPassword,
            ) => Self::Common,
            Some(Warning::SequencesLikeAbcAreEasyToGuess) => Self::Sequence,
            Some(Warning::RecentYearsAreEasyToGuess | Warning::DatesAreOftenEasyToGuess) => {
                Self::Date
            }
            Some(Warning::AWordByItselfIsEasyToGuess) => Self::Word,
            Some(
                Warning::NamesAndSurnamesByThemselvesAreEasyToGuess
                | Warning::CommonNamesAndSurnamesAreEasyToGuess,
            ) => Self::Name,
        }
    }
}

/// How hard a password is to guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strength {
    /// From 0, which the first tries find, to 4.
    pub score: u8,
    /// What makes it easy, where it is.
    pub guess: Option<Guess>,
}

impl Strength {
    /// Weighs a password for somebody of whom these words are known. Takes milliseconds: only ever
    /// in the hashing pool.
    pub fn of(password: &str, known: &[String]) -> Self {
        let looked_at = looked_at(password);
        let known: Vec<String> = known.iter().map(|word| word.to_lowercase()).collect();
        let words: Vec<&str> =
            { known.iter() }.filter(|w| w.len() > 2).map(String::as_str).collect();
        let weighed = zxcvbn(&looked_at, &words);
        let score = u8::from(weighed.score());
        let lower = looked_at.to_lowercase();
        let is_theirs = words.iter().any(|word| lower.contains(word));
        let guess = if is_theirs {
            Guess::Yours
        } else {
            Guess::of(weighed.feedback().and_then(zxcvbn::feedback::Feedback::warning))
        };
        Self { score, guess: (score < GOOD).then_some(guess) }
    }
}

/// The part of a password that is looked at, with no more kinds of characters that stand for
/// letters than a word has; the others stand for themselves.
fn looked_at(password: &str) -> String {
    let mut standing: Vec<char> = Vec::with_capacity(MOST_STANDING);
    let mut keep = |c: char| {
        if !STANDING_FOR_LETTERS.contains(c) || standing.contains(&c) {
            return c;
        }
        if standing.len() == MOST_STANDING {
            return '~';
        }
        standing.push(c);
        c
    };
    password.chars().take(LOOKED_AT).map(&mut keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn weigh(password: &str) -> Strength {
        Strength::of(password, &["Annabelle".into(), "x".into()])
    }

    #[test]
    fn what_people_choose_is_told_from_what_nobody_guesses() {
        for (password, guess) in [
            ("password", Guess::Common),
            ("qwertyuiop", Guess::Common),
            ("annabelle2024", Guess::Yours),
            ("zzzzzzzzzzzz", Guess::Repeats),
            ("lmnopqrstu", Guess::Sequence),
        ] {
            let strength = weigh(password);
            assert!(strength.score < GOOD, "{password}: {strength:?}");
            assert_eq!(strength.guess, Some(guess), "{password}");
        }
        let good = weigh("tulip zeppelin moraine sandbag");
        assert_eq!(good, Strength { score: 4, guess: None });
        assert_eq!(weigh("").score, 0);
    }

    #[test]
    fn no_password_takes_long_however_it_is_made() {
        assert_eq!(looked_at("p@$$w0rd(8+7%"), "p@$$w0rd(8+~~");
        // Unbounded, the first of these takes many seconds, and the second grows with its square.
        for made in [STANDING_FOR_LETTERS, "aB3$qwerty!4@sS", "é"] {
            let began = Instant::now();
            weigh(&made.repeat(1000));
            assert!(began.elapsed().as_secs() < 3, "{made}: {:?}", began.elapsed());
        }
    }
}
