//! The escapes of addresses, as `%2f` for a slash.

/// The byte that an escape at the very beginning stands for, and what follows it.
pub fn split_escape(text: &[u8]) -> Option<(u8, &[u8])> {
    let (hex, after) = text.strip_prefix(b"%")?.split_at_checked(2)?;
    match hex {
        [high, low] => Some((digit(*high)? << 4 | digit(*low)?, after)),
        _ => None,
    }
}

/// One layer of escapes undone; a `%` that begins none stands for itself.
pub fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let (byte, after) = split_escape(rest).unwrap_or((*first, after));
        plain.push(byte);
        rest = after;
    }
    plain
}

fn digit(c: u8) -> Option<u8> {
    char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_digits_stand_for_a_byte_and_all_else_for_itself() {
        assert_eq!(split_escape(b"%2fa"), Some((b'/', &b"a"[..])));
        assert_eq!(split_escape(b"%C3"), Some((0xc3, &b""[..])));
        for text in ["", "a%2f", "%", "%2", "%2g", "%+1", "%%2f"] {
            assert_eq!(split_escape(text.as_bytes()), None, "{text}");
        }
        assert_eq!(unescaped(b"a%2Fb%252f%2%+1"), b"a/b%2f%2%+1");
    }
}
