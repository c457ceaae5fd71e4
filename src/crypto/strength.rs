//! How hard a new password is to guess for somebody who knows what people choose.

use zxcvbn::feedback::Warning;
use zxcvbn::zxcvbn;

/// So many characters are looked at: the time it takes grows faster than the password.
const LOOKED_AT: usize = 72;

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
        let looked_at: String = password.chars().take(LOOKED_AT).collect();
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
    fn a_long_password_takes_no_longer_than_its_beginning() {
        let began = Instant::now();
        assert!(weigh(&"aB3$qwerty!4@sS".repeat(1000)).score > 0);
        assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    }
}
