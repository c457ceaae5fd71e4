//! The letters that some server reads in the bytes of a path.
//!
//! Decoders differ: some undo escapes twice, know `%u` for sixteen bits, take what was spelled in
//! more bytes than it needs, or put a letter that their own set of characters lacks in place of one
//! that looks like it. Here all of that is undone, so that rules are asked about what any of them
//! might see. Nothing here is ever sent to an app.

use super::super::percent::unescaped;
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Without any escapes, also of escapes, in the letters that some server takes them for.
pub(super) fn decoded(raw: &str) -> String {
    let mut path = raw.as_bytes().to_vec();
    // No server undoes more layers of escapes than this; a bound keeps the work linear.
    for _ in 0..8 {
        let plainer = wide(unescaped(&path));
        if plainer.len() == path.len() {
            break;
        }
        path = plainer;
    }
    let text = String::from_utf8_lossy(&shortest(&path)).into_owned();
    text.nfkc().filter(|c| !is_ignorable(*c)).map(alike).collect()
}

/// What some servers do not see at all: signs without a width, and what is no letter in any spelling.
const fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fff8}' | char::REPLACEMENT_CHARACTER | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a letter is no sign that a set without it might turn into one that means something.
pub(super) fn is_plain(c: char) -> bool {
    c.is_ascii() || c.is_alphanumeric() || is_combining_mark(c)
}

/// What stands for a slash or a backslash where those are not to be had, and comes out as one where
/// the lookalike itself is not: the signs for yen and won do so in the sets of their countries.
const fn alike(c: char) -> char {
    match c {
        '\u{2044}' | '\u{2215}' | '\u{29f8}' => '/',
        '\u{2216}' | '\u{29f5}' | '\u{a5}' | '\u{20a9}' => '\\',
        _ => c,
    }
}

/// Undoes escapes for sixteen bits: `%u` and four digits.
fn wide(path: Vec<u8>) -> Vec<u8> {
    if !path.windows(2).any(|two| two.eq_ignore_ascii_case(b"%u")) {
        return path;
    }
    let mut plain = Vec::with_capacity(path.len());
    let mut rest = path.as_slice();
    while let Some((first, after)) = rest.split_first() {
        rest = match split_wide(rest) {
            Some((letter, after)) => {
                push(&mut plain, letter);
                after
            }
            None => {
                plain.push(*first);
                after
            }
        };
    }
    plain
}

/// The letter that such an escape at the very beginning stands for, and what follows it.
fn split_wide(text: &[u8]) -> Option<(char, &[u8])> {
    let (head, after) = text.split_at_checked(6)?;
    let (mark, digits) = head.split_at_checked(2)?;
    let is_wide = mark.eq_ignore_ascii_case(b"%u") && digits.iter().all(u8::is_ascii_hexdigit);
    let digits = is_wide.then(|| std::str::from_utf8(digits).ok())??;
    Some((char::from_u32(u32::from_str_radix(digits, 16).ok()?)?, after))
}

/// Letters that were spelled in more bytes than they need, as no encoder does and some decoders
/// read, in as many as they need.
fn shortest(path: &[u8]) -> Cow<'_, [u8]> {
    if !path.iter().any(|c| matches!(c, 0xc0 | 0xc1 | 0xe0 | 0xf0)) {
        return Cow::Borrowed(path);
    }
    let mut short = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((first, after)) = rest.split_first() {
        rest = match split_long(rest) {
            Some((letter, after)) => {
                push(&mut short, letter);
                after
            }
            None => {
                short.push(*first);
                after
            }
        };
    }
    Cow::Owned(short)
}

/// The letter that is spelled in too many bytes at the very beginning, and what follows it.
fn split_long(text: &[u8]) -> Option<(char, &[u8])> {
    let (first, length) = match text {
        [first @ (0xc0 | 0xc1), ..] => (first & 0x01, 2),
        [0xe0, 0x80..=0x9f, ..] => (0, 3),
        [0xf0, 0x80..=0x8f, ..] => (0, 4),
        _ => return None,
    };
    let (spelled, after) = text.split_at_checked(length)?;
    let letter = spelled.iter().skip(1).try_fold(u32::from(first), |letter, byte| {
        matches!(byte, 0x80..=0xbf).then_some(letter << 6 | u32::from(byte & 0x3f))
    })?;
    Some((char::from_u32(letter)?, after))
}

fn push(text: &mut Vec<u8>, letter: char) {
    text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
}
