//! A list in a file, read and never loaded.
//!
//! The file is opened for each look, so that one that was replaced is the one that counts, and
//! read through a bounded window. A memory map would be no faster for twenty reads or for one pass
//! from start to end, asks for `unsafe` in us or in the crate that would hide it, and kills the
//! process (SIGBUS) when the file is cut short under it. A read that finds less than it should is
//! an error like any other.
//!
//! A file is read from start to end unless it is large and its lines are hashes in order: then it
//! is halved again and again. Small and medium files are always read whole, whatever their order;
//! for a large one the order is looked at first, and again at every line met on the way.

use super::{line, sorted};
use crate::crypto::Spelling;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// Bytes that are held at one time. A line that is longer is no password.
pub(super) const WINDOW: usize = 64 * 1024;

/// Up to this size a file is read whole: a tenth of a second, and a million and a half of hashes.
const READ_WHOLE: u64 = 64 << 20;

/// A file and how long it was when it was opened.
pub(super) struct List {
    file: File,
    pub length: u64,
}

/// Whether it is a file that can be read, with something in it.
pub(super) fn check(path: &Path) -> io::Result<()> {
    let list = List::open(path)?;
    if list.length == 0 {
        return Err(io::Error::other("it is empty"));
    }
    list.read(0, 1, &mut [0]).map(|_| ())
}

/// Whether a list has a line that means the password. Waits for the disk.
pub(super) fn knows(path: &Path, spellings: &[Spelling]) -> io::Result<bool> {
    let list = List::open(path)?;
    if list.length > READ_WHOLE && sorted::looks_sorted(&list)? {
        let found = sorted::knows(&list, spellings)?;
        return found.map_or_else(|| list.scan(spellings), Ok);
    }
    list.scan(spellings)
}

impl List {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        // Looked at first: opening a pipe would wait for somebody to write.
        let is_file = std::fs::metadata(path)?.is_file();
        if !is_file {
            return Err(io::Error::other("it is not a file"));
        }
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self { file, length })
    }

    /// Reads so many bytes from here, or those up to the end.
    pub(super) fn read<'b>(
        &self,
        at: u64,
        count: usize,
        buffer: &'b mut [u8],
    ) -> io::Result<&'b [u8]> {
        let left = usize::try_from(self.length.saturating_sub(at)).unwrap_or(usize::MAX);
        let count = count.min(left).min(buffer.len());
        let (window, _) = buffer.split_at_mut(count);
        self.file.read_exact_at(window, at).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::other("it became shorter while it was read"),
            _ => error,
        })?;
        Ok(window)
    }

    /// Reads every line.
    pub(super) fn scan(&self, spellings: &[Spelling]) -> io::Result<bool> {
        const MARK: &[u8] = b"\xEF\xBB\xBF";
        let is_meant = |line: &[u8]| spellings.iter().any(|spelling| line::means(line, spelling));
        let mut buffer = vec![0; WINDOW];
        // Whether we stand in a line that did not fit into the window.
        let (mut at, mut is_inside) = (0, false);
        if self.read(0, MARK.len(), &mut buffer)? == MARK {
            at = MARK.len() as u64;
        }
        while at < self.length {
            let window = self.read(at, WINDOW, &mut buffer)?;
            let is_last = at + window.len() as u64 == self.length;
            let newline = memchr::memrchr(b'\n', window);
            let end = newline.map_or(window.len(), |newline| newline + 1);
            let whole = if is_last { window } else { window.get(..end).unwrap_or(window) };
            let mut lines = whole.split(|byte| *byte == b'\n');
            if is_inside {
                lines.next();
            }
            if lines.any(is_meant) {
                return Ok(true);
            }
            is_inside = newline.is_none();
            at += whole.len() as u64;
        }
        Ok(false)
    }
}
