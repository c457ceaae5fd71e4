//! Looking a hash up among lines that are sorted by it.
//!
//! The public list has tens of gigabytes, and no pass over it is quick enough for a form. Whether
//! a file is in order cannot be proven without such a pass, so it is asked in two ways: at many
//! places all over the file, its very end among them, where people add lines of their own; and at
//! each line that is met on the way to the hash. A line that is no hash, has another length than
//! the others or is out of order sends us back to reading all of it.

use super::line;
use super::list::{List, WINDOW};
use crate::crypto::Spelling;
use crate::types::Secret;
use std::cmp::Ordering;
use std::io;

/// Places at which the order is looked at. Always the same, so that the disk is asked once.
const SAMPLES: u64 = 256;

/// Bytes that are looked at there, except at the end.
const SAMPLE: usize = 4 * 1024;

/// More than a hash, the largest count and the end of a line.
const LONGEST: usize = 128;

/// The last hash that was met, in upper case. Those of one list have one length.
#[derive(Default)]
struct Order(Vec<u8>);

impl Order {
    /// Goes on to the next line; false where it cannot be the next.
    fn takes(&mut self, line: &[u8]) -> bool {
        let Some(hash) = line::hash(line).map(<[u8]>::to_ascii_uppercase) else { return false };
        let is_next = self.0.is_empty() || hash.len() == self.0.len() && self.0 <= hash;
        self.0 = hash;
        is_next
    }
}

/// The lines that begin at or behind a place, as far as they were read.
struct Lines<'b> {
    begin: u64,
    text: &'b [u8],
}

impl<'b> Lines<'b> {
    fn read(list: &List, at: u64, count: usize, buffer: &'b mut [u8]) -> io::Result<Self> {
        // With the byte before: a line begins here if that one ends another.
        let from = at.saturating_sub(1);
        let window = list.read(from, count, buffer)?;
        let is_last = from + window.len() as u64 == list.length;
        let behind = |newline: Option<usize>, otherwise| newline.map_or(otherwise, |n| n + 1);
        let begin = if at == 0 { 0 } else { behind(memchr::memchr(b'\n', window), window.len()) };
        let end = if is_last { window.len() } else { behind(memchr::memrchr(b'\n', window), 0) };
        let text = window.get(begin..end).unwrap_or_default();
        Ok(Self { begin: from + begin as u64, text })
    }

    fn iter(&self) -> impl Iterator<Item = &'b [u8]> {
        self.text.strip_suffix(b"\n").unwrap_or(self.text).split(|byte| *byte == b'\n')
    }

    fn end(&self) -> u64 {
        self.begin + self.text.len() as u64
    }
}

/// Whether every line at many places is a hash and in order.
pub(super) fn looks_sorted(list: &List) -> io::Result<bool> {
    let (mut order, mut buffer, mut reached) = (Order::default(), vec![0; WINDOW], 0);
    for place in 0..SAMPLES {
        let at = list.length / SAMPLES * place;
        let lines = Lines::read(list, at.max(reached), SAMPLE, &mut buffer)?;
        if !lines.iter().all(|line| order.takes(line)) {
            return Ok(false);
        }
        reached = lines.end();
    }
    let at = list.length.saturating_sub(WINDOW as u64).max(reached);
    let lines = Lines::read(list, at, WINDOW, &mut buffer)?;
    Ok(lines.iter().all(|line| order.takes(line)))
}

/// Whether one of these is in a sorted list; nothing where it turns out not to be sorted.
pub(super) fn knows(list: &List, spellings: &[Spelling]) -> io::Result<Option<bool>> {
    let mut buffer = vec![0; WINDOW];
    let first = Lines::read(list, 0, LONGEST, &mut buffer)?;
    let Some(digits) = first.iter().next().and_then(line::hash).map(<[u8]>::len) else {
        return Ok(None);
    };
    for spelling in spellings {
        let sha1 = spelling.sha1().as_bytes().get(..digits);
        // A password that is made of such digits itself stands among the hashes in plain.
        let plain = line::hash(spelling.plain()).filter(|plain| plain.len() == digits);
        for wanted in [sha1, plain].into_iter().flatten() {
            let wanted = Secret::new(wanted.to_ascii_uppercase());
            match find(list, wanted.reveal(), &mut buffer)? {
                Some(false) => {}
                answer => return Ok(answer),
            }
        }
    }
    Ok(Some(false))
}

/// Halves the file until what is left can be read at once.
fn find(list: &List, wanted: &[u8], buffer: &mut [u8]) -> io::Result<Option<bool>> {
    // A line begins at `low`; all before it are smaller, and all that begin at `high` or behind
    // are larger, as far as the file is in order.
    let (mut low, mut high) = (0, list.length);
    let (mut below, mut above) = (Order::default(), None);
    while high - low > WINDOW as u64 {
        let lines = Lines::read(list, low + (high - low) / 2, 2 * LONGEST, buffer)?;
        let mut met = Order(below.0.clone());
        let fits = lines.iter().next().is_some_and(|line| met.takes(line));
        let Order(hash) = &met;
        if !fits || hash.len() != wanted.len() || above.as_ref().is_some_and(|above| hash > above) {
            return Ok(None);
        }
        match hash.as_slice().cmp(wanted) {
            Ordering::Equal => return Ok(Some(true)),
            Ordering::Less => (low, below) = (lines.begin, met),
            Ordering::Greater => (high, above) = (lines.begin, Some(met.0)),
        }
    }
    let mut found = false;
    let count = usize::try_from(high - low).unwrap_or(WINDOW);
    let text = list.read(low, count, buffer)?;
    for line in (Lines { begin: low, text }).iter() {
        if !below.takes(line) || below.0.len() != wanted.len() {
            return Ok(None);
        }
        found |= below.0 == wanted;
    }
    let is_sorted = above.is_none_or(|above| below.0 <= above);
    Ok(is_sorted.then_some(found))
}
