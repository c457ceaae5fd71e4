//! Which new passwords are taken.

use crate::crypto::Password;
use std::fmt;

/// What a new password must be.
#[derive(Clone, Copy, Debug)]
pub struct PasswordRules {
    /// Characters at least.
    pub min_length: usize,
    /// Upper case, lower case, digit and another.
    pub require_classes: bool,
}

impl Default for PasswordRules {
    fn default() -> Self {
        Self { min_length: 12, require_classes: false }
    }
}

/// What a new password lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordWeakness {
    /// It has fewer characters than this.
    TooShort(usize),
    /// One of the four kinds of characters is missing.
    MissingClass,
    /// It is, or contains nothing but, the person's own name.
    IsTheName,
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
            Self::IsTheName => f.write_str("Choose a password that is not your name."),
        }
    }
}

impl PasswordRules {
    /// Judges a new password for the person of this name.
    pub fn check(&self, password: &Password, username: &str) -> Result<(), PasswordWeakness> {
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
        if password.is_only(username) {
            return Err(PasswordWeakness::IsTheName);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(rules: PasswordRules, text: &str) -> Result<(), PasswordWeakness> {
        rules.check(&Password::new(text).unwrap(), "annabelle")
    }

    #[test]
    fn length_counts_characters_and_no_mixture_is_asked_for() {
        let rules = PasswordRules::default();
        assert_eq!(judge(rules, "short"), Err(PasswordWeakness::TooShort(12)));
        assert_eq!(judge(rules, "ééééééééééé"), Err(PasswordWeakness::TooShort(12)));
        assert_eq!(judge(rules, "correct horse battery"), Ok(()));
        assert_eq!(judge(rules, &"x y".repeat(30)), Ok(()));
    }

    #[test]
    fn classes_are_asked_for_where_the_configuration_says_so() {
        let rules = PasswordRules { require_classes: true, ..PasswordRules::default() };
        assert_eq!(judge(rules, "correct horse battery"), Err(PasswordWeakness::MissingClass));
        assert_eq!(judge(rules, "Correct horse 7 battery"), Ok(()));
    }

    #[test]
    fn a_name_over_and_over_is_no_password() {
        let rules = PasswordRules::default();
        assert_eq!(judge(rules, "AnnabelleAnnabelle"), Err(PasswordWeakness::IsTheName));
    }
}
