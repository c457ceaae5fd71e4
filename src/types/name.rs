//! The names of people and groups.
//!
//! They end up in headers, logs and comparisons, so each is brought into one spelling when it is
//! read: Unicode's compatibility form, lower case where case does not matter, no control bytes.

use serde::{Deserialize, Serialize};
use std::fmt;
use unicode_normalization::UnicodeNormalization as _;

/// Why a text is not such a name. Reads as a part of a sentence for the person who typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// A username is empty or too long.
    UsernameLength,
    /// A username has characters that none has.
    UsernameCharacters,
    /// A username could be taken for an e-mail address.
    UsernameIsAddress,
    /// An e-mail address is none.
    Email,
    /// A display name is empty, too long or unprintable.
    DisplayName,
    /// A group is empty, too long or unprintable, or has a comma.
    Group,
    /// What somebody signs in with is empty or too long.
    Login,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UsernameLength => "a username has 1 to 64 characters",
            Self::UsernameCharacters => {
                "a username begins with a letter or digit and has only letters, digits and . _ @ + -"
            }
            Self::UsernameIsAddress => "choose a username without an @",
            Self::Email => "an e-mail address looks like ann@example.com",
            Self::DisplayName => "a display name has 1 to 128 printable characters",
            Self::Group => "a group has 1 to 64 printable characters and no comma",
            Self::Login => "a username or an e-mail address has 1 to 254 characters",
        })
    }
}

impl std::error::Error for NameError {}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $parse:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Brings the text into its one spelling, or says what is wrong with it.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                $parse(text).map(Self)
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::parse(&text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::parse(text)
            }
        }
    };
}

name!(
    /// The name a person signs in with: lower-case ASCII letters, digits and `. _ @ + -`.
    Username,
    username
);
name!(
    /// An e-mail address, in lower case.
    Email,
    email
);
name!(
    /// A person's name as they write it.
    DisplayName,
    display_name
);
name!(
    /// A group; the app receives a person's groups joined by commas, so it has none itself.
    GroupName,
    group_name
);
name!(
    /// What somebody typed where a username or an e-mail address is asked for, in the spelling
    /// that both are stored in. It may name nobody.
    Login,
    login
);

/// Longer than any name may be, and short enough to be folded for anybody who asks.
const LONGEST: usize = 1024;

fn fold(text: &str) -> String {
    if text.len() > LONGEST {
        return String::new();
    }
    // Trimmed last: some characters are composed with a space of their own.
    let folded: String = text.nfkc().flat_map(char::to_lowercase).nfkc().collect();
    folded.trim().to_owned()
}

fn username(text: &str) -> Result<String, NameError> {
    let name = fold(text);
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._@+-".contains(c);
    if name.is_empty() || name.len() > 64 {
        return Err(NameError::UsernameLength);
    }
    if !name.chars().all(fits) || !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(NameError::UsernameCharacters);
    }
    Ok(name)
}

fn email(text: &str) -> Result<String, NameError> {
    let address = fold(text);
    let fits = |c: char| c.is_ascii_graphic() && !",;:<>()[]\\\"@".contains(c);
    let valid = address.len() <= 254
        && address.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && local.chars().chain(domain.chars()).all(fits)
        });
    if valid { Ok(address) } else { Err(NameError::Email) }
}

fn display_name(text: &str) -> Result<String, NameError> {
    printable(text, 128).ok_or(NameError::DisplayName)
}

fn group_name(text: &str) -> Result<String, NameError> {
    printable(text, 64).filter(|name| !name.contains(',')).ok_or(NameError::Group)
}

fn login(text: &str) -> Result<String, NameError> {
    let name = fold(text);
    if name.is_empty() || name.len() > 254 {
        return Err(NameError::Login);
    }
    Ok(name)
}

/// Trimmed and composed, if it has neither control characters nor too many others.
fn printable(text: &str, most: usize) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    let name: String = text.trim().nfc().collect();
    let length = name.chars().count();
    (1..=most).contains(&length).then_some(()).filter(|()| !name.chars().any(is_unprintable))?;
    Some(name)
}

/// Control characters, and the invisible ones that reorder or break the text around them.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_account_has_one_spelling() {
        for text in ["ann", " Ann ", "ＡＮＮ", "aNN"] {
            assert_eq!(Username::parse(text).unwrap().as_str(), "ann");
            assert_eq!(Login::parse(text).unwrap().as_str(), "ann");
        }
        assert_eq!(Email::parse("Ann@Example.COM").unwrap().as_str(), "ann@example.com");
    }

    #[test]
    fn a_spelling_is_its_own_spelling() {
        for text in ["\u{2da}\n\t", "\u{1f1}\u{301}", "\u{130}\u{307}", " \u{fdfa} ", "K\u{c5}"] {
            let once = Login::parse(text).unwrap();
            assert_eq!(Login::parse(once.as_str()).unwrap(), once, "{text:?}");
        }
    }

    #[test]
    fn a_name_that_could_break_a_header_or_a_list_is_refused() {
        for bad in ["", "a b", "a,b", "ann\r\nX: y", "-ann", "анн", &"a".repeat(65)] {
            assert!(Username::parse(bad).is_err(), "{bad:?}");
        }
        for bad in ["ann", "@b", "a@", "a@b@c", "a b@c", "a,b@c", "a@b\nc"] {
            assert!(Email::parse(bad).is_err(), "{bad:?}");
        }
        for bad in ["", "a,b", "a\nb", "a\u{202e}b"] {
            assert!(GroupName::parse(bad).is_err(), "{bad:?}");
        }
        assert!(DisplayName::parse("Zoë Müller, Dr.").is_ok());
        assert!(DisplayName::parse("Zoë\r\nX: y").is_err());
    }
}
