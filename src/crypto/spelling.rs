//! A password as lists of stolen ones spell it.

use crate::types::Secret;
use sha1::{Digest as _, Sha1};

/// One way to write a password down, in plain and as SHA-1. The hash is no protection, it is the
/// language of the lists; so it is kept as secret as the password.
#[derive(Clone, Debug)]
pub struct Spelling {
    plain: Secret<String>,
    sha1: Secret<String>,
}

impl Spelling {
    pub(super) fn new(plain: &str) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        let digit = |value: u8| DIGITS.get(usize::from(value)).copied().map(char::from);
        let hash = Sha1::digest(plain.as_bytes());
        // Made at its full length at once: a string that grows leaves copies behind.
        let mut sha1 = String::with_capacity(40);
        sha1.extend(hash.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(digit));
        Self { plain: Secret::new(plain.to_owned()), sha1: Secret::new(sha1) }
    }

    /// Itself, to be compared.
    pub fn plain(&self) -> &[u8] {
        self.plain.reveal().as_bytes()
    }

    /// Its hash: forty digits of hex, in upper case.
    pub fn sha1(&self) -> &str {
        self.sha1.reveal()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Password;
    use super::*;

    #[test]
    fn the_hash_is_the_one_that_lists_hold() {
        let spelling = Spelling::new("password");
        assert_eq!(spelling.sha1(), "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8");
        assert!(!format!("{spelling:?}").contains("5BAA6"));
        assert!(!format!("{spelling:?}").contains("password"));
    }

    #[test]
    fn what_was_typed_in_another_form_has_two_spellings() {
        let spellings = |typed| Password::new(typed).unwrap().spellings(typed);
        assert_eq!(spellings("Zo\u{eb}").len(), 1);
        let both = spellings("Zoe\u{308}");
        let plain: Vec<&[u8]> = both.iter().map(Spelling::plain).collect();
        assert_eq!(plain, ["Zo\u{eb}".as_bytes(), "Zoe\u{308}".as_bytes()]);
    }
}
