//! Which new passwords are taken.

use crate::crypto::Password;
use std::cmp::Reverse;
use std::fmt;

/// What a new password must be.
#[derive(Clone, Debug)]
pub struct PasswordRules {
    /// Characters at least.
    pub min_length: usize,
    /// Upper case, lower case, digit and another.
    pub require_classes: bool,
    /// Texts with words that anybody would try here.
    pub words: Vec<String>,
}

/// What a password must have beside words that anybody would try, in letters and digits.
const OF_ITS_OWN: usize = 8;

/// Shorter ones are part of too many others, as `com` is.
const WORD: usize = 4;

/// The same for somebody's name, which is what is tried first.
const NAME: usize = 3;

impl Default for PasswordRules {
    fn default() -> Self {
        Self { min_length: 12, require_classes: false, words: Vec::new() }
    }
}

/// What a new password lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordWeakness {
    /// It has fewer characters than this.
    TooShort(usize),
    /// One of the four kinds of characters is missing.
    MissingClass,
    /// It is made of the person's name, or of words that anybody would try here.
    Obvious,
    /// It is the one that was to be replaced.
    Unchanged,
}

impl fmt::Display for PasswordWeakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort(least) => write!(f, "Choose a password of at least {least} characters."),
            Self::MissingClass => f.write_str(
                "Choose a password with upper case, lower case, a digit and another character.",
            ),
            Self::Unchanged => f.write_str("Choose a password other than the one you have."),
            Self::Obvious => f.write_str(
                "Choose a password with more in it than your name or the name of this site.",
            ),
        }
    }
}

fn words_in(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| word.chars().count() >= WORD)
}

impl PasswordRules {
    /// Whether there is a word in a text that would be looked for.
    pub fn is_word(text: &str) -> bool {
        words_in(text).next().is_some()
    }

    /// Judges a new password for the person of this name, at a place that goes by these texts.
    pub fn check(
        &self,
        password: &Password,
        username: &str,
        here: &[&str],
    ) -> Result<(), PasswordWeakness> {
        if password.length() < self.min_length {
            return Err(PasswordWeakness::TooShort(self.min_length));
        }
        let has_all = password.has(char::is_uppercase)
            && password.has(char::is_lowercase)
            && password.has(char::is_numeric)
            && password.has(|c| !c.is_alphanumeric());
        if self.require_classes && !has_all {
            return Err(PasswordWeakness::MissingClass);
        }
        let texts = here.iter().copied().chain(self.words.iter().map(String::as_str));
        let name = Some(username).filter(|name| name.chars().count() >= NAME);
        let mut obvious: Vec<_> = texts.flat_map(words_in).chain(name).collect();
        obvious.sort_by_key(|word| Reverse(word.len()));
        let is_obvious = password.length_without(&obvious).is_some_and(|own| own < OF_ITS_OWN)
            || password.length_without(&[username]) == Some(0);
        if is_obvious { Err(PasswordWeakness::Obvious) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(rules: &PasswordRules, text: &str) -> Result<(), PasswordWeakness> {
        rules.check(&Password::new(text).unwrap(), "annabelle", &["https://login.acme.test:8443"])
    }

    #[test]
    fn length_counts_characters_and_no_mixture_is_asked_for() {
        let rules = PasswordRules::default();
        assert_eq!(judge(&rules, "short"), Err(PasswordWeakness::TooShort(12)));
        assert_eq!(judge(&rules, "ééééééééééé"), Err(PasswordWeakness::TooShort(12)));
        assert_eq!(judge(&rules, "correct horse battery"), Ok(()));
        assert_eq!(judge(&rules, &"x y".repeat(30)), Ok(()));
    }

    #[test]
    fn classes_are_asked_for_where_the_configuration_says_so() {
        let rules = PasswordRules { require_classes: true, ..PasswordRules::default() };
        assert_eq!(judge(&rules, "correct horse battery"), Err(PasswordWeakness::MissingClass));
        assert_eq!(judge(&rules, "Correct horse 7 battery"), Ok(()));
    }

    #[test]
    fn a_name_over_and_over_is_no_password() {
        let rules = PasswordRules::default();
        for obvious in ["AnnabelleAnnabelle", "Annabelle2026!", "!!!-annabelle-!!!"] {
            assert_eq!(judge(&rules, obvious), Err(PasswordWeakness::Obvious), "{obvious}");
        }
        assert_eq!(judge(&rules, "annabelle likes the sea"), Ok(()));
        // Also where the name is no longer than what is left in its place.
        let over = Password::new("aaaaaaaaaaaa").unwrap();
        assert_eq!(rules.check(&over, "a", &[]), Err(PasswordWeakness::Obvious));
    }

    #[test]
    fn words_of_the_place_make_no_password_whatever_stands_between_them() {
        let words = vec!["ACME Dashboards".into(), "Zürich-Works".into()];
        let rules = PasswordRules { words, ..PasswordRules::default() };
        for obvious in
            ["AcmeDashboards2026", "works-at-ACME!", "login login login", "zürich.zürich.1"]
        {
            assert_eq!(judge(&rules, obvious), Err(PasswordWeakness::Obvious), "{obvious}");
        }
        // Words that are too short to stand for anything, and words beside others.
        for good in ["a comical test 8", "my acme dog eats shoes", "q7$Vn2!xLp0z"] {
            assert_eq!(judge(&rules, good), Ok(()), "{good}");
        }
    }
}
