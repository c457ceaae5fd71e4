//! A range of hashes: what stands behind the five digits they have in common, one a line, with how
//! often each was found stolen.

/// The digits of a SHA-1 that are asked for. They stand for a million passwords at least.
pub(super) const PREFIX: usize = 5;

/// Whether the rest of a hash is in a range. Nothing where the text is no range: no service has
/// an empty one, and a single line that is none makes all others doubtful.
pub(super) fn holds(text: &[u8], rest: &str) -> Option<bool> {
    let (mut found, mut is_range) = (false, false);
    for line in std::str::from_utf8(text).ok()?.lines() {
        let (hash, count) = line.split_once(':')?;
        let is_hash = hash.len() == rest.len() && hash.bytes().all(|c| c.is_ascii_hexdigit());
        let is_count = !count.is_empty() && count.bytes().all(|c| c.is_ascii_digit());
        if !is_hash || !is_count {
            return None;
        }
        // Lines that only hide how long the answer is are counted zero times.
        let is_padding = count.bytes().all(|c| c == b'0');
        found |= !is_padding && hash.eq_ignore_ascii_case(rest);
        is_range = true;
    }
    is_range.then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: &str = "1E4C9B93F3F0682250B6CF8331B7EE68FD8";
    const OTHER: &str = "0018A45C4D1DEF81644B54AB7F969B88D65";

    fn range(text: &str) -> Option<bool> {
        holds(text.as_bytes(), REST)
    }

    #[test]
    fn a_hash_is_in_the_range_that_counts_it() {
        assert_eq!(range(&format!("{OTHER}:1\r\n{REST}:9659365\r\n")), Some(true));
        assert_eq!(range(&format!("{}:1", REST.to_lowercase())), Some(true));
        assert_eq!(range(&format!("{OTHER}:10\n")), Some(false));
    }

    #[test]
    fn padding_does_not_count() {
        assert_eq!(range(&format!("{OTHER}:3\r\n{REST}:0\r\n")), Some(false));
        assert_eq!(range(&format!("{REST}:00")), Some(false));
        assert_eq!(range(&format!("{REST}:0\n{REST}:1")), Some(true));
    }

    #[test]
    fn what_is_no_range_is_no_answer() {
        for text in [
            String::new(),
            String::from("<html>sign in to the network</html>"),
            format!("{OTHER}:1\n\n"),
            format!("{REST}:1\nmore to come"),
            format!("{REST}:1\n{OTHER}"),
            format!("{REST}:1\n{OTHER}:"),
            format!("{REST}:-1"),
            format!("5BAA6{REST}:1"),
            format!("{OTHER}:1\n\u{feff}{REST}:1"),
        ] {
            assert_eq!(range(&text), None, "{text:?}");
        }
        assert_eq!(holds(b"\xff\xfe", REST), None);
    }
}
