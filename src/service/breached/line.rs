//! One line of a list: a password in plain, or its SHA-1 in hex, perhaps with a count behind it.

use crate::crypto::Spelling;

/// The shortest piece of a hash that stands for a password, in digits: forty bits, so that nobody's
/// own password is taken for a stolen one by chance.
const SHORTEST: usize = 10;

/// The digits of a whole SHA-1.
const WHOLE: usize = 40;

/// Whether a line means a password. Where it can be read in two ways, either is enough.
pub(super) fn means(line: &[u8], spelling: &Spelling) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let entry = without_count(line);
    entry == spelling.plain() || line == spelling.plain() || begins(spelling.sha1(), entry)
}

/// A hash or the beginning of one, as a line in plain hex would hold it.
pub(super) fn hash(line: &[u8]) -> Option<&[u8]> {
    let entry = without_count(line.strip_suffix(b"\r").unwrap_or(line));
    let fits = (SHORTEST..=WHOLE).contains(&entry.len());
    (fits && entry.iter().all(u8::is_ascii_hexdigit)).then_some(entry)
}

fn without_count(line: &[u8]) -> &[u8] {
    let digits = line.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (entry, _) = line.split_at_checked(line.len() - digits).unwrap_or((line, b""));
    match entry.strip_suffix(b":") {
        Some(entry) if digits > 0 => entry,
        _ => line,
    }
}

fn begins(sha1: &str, entry: &[u8]) -> bool {
    let start = sha1.as_bytes().get(..entry.len());
    entry.len() >= SHORTEST && start.is_some_and(|start| start.eq_ignore_ascii_case(entry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Password;

    fn is_meant(line: &str, typed: &str) -> bool {
        let spellings = Password::new(typed).unwrap().spellings(typed);
        spellings.iter().any(|spelling| means(line.as_bytes(), spelling))
    }

    #[test]
    fn a_line_is_plain_or_a_hash_in_either_case_or_the_beginning_of_one() {
        for line in [
            "password",
            "password\r",
            "password:3",
            "password:3\r",
            "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8",
            "5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8:9659365\r",
            "5BAA61E4C9",
            "5baa61e4C9b:0",
        ] {
            assert!(is_meant(line, "password"), "{line:?}");
        }
    }

    #[test]
    fn a_line_means_nothing_else() {
        for line in [
            "",
            "\r",
            ":3",
            "Password",
            "password ",
            "passwor",
            "password:",
            "password:x",
            "5BAA61E4C",
            "5BAA61E4C8",
            "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD80",
            "0x5BAA61E4C9",
        ] {
            assert!(!is_meant(line, "password"), "{line:?}");
        }
        assert!(is_meant("pass:12", "pass:12") && is_meant("pass:12", "pass"));
        assert!(is_meant("1234567890", "1234567890"));
    }

    #[test]
    fn either_form_of_a_letter_is_the_same_password() {
        for line in ["Zo\u{eb} and company", "Zoe\u{308} and company"] {
            assert!(is_meant(line, "Zoe\u{308} and company"));
        }
        assert!(is_meant("Zo\u{eb} and company", "Zo\u{eb} and company"));
    }
}
