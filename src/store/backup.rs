//! A backup: every row of a store, sealed, in one file.
//!
//! ```text
//!   {"vestibule_backup":1,"made_at":…,"key":"…","format":2,"salt":"…"}⏎     in the clear
//!   length ‖ piece      length ‖ piece      …      length ‖ last piece     sealed, in order
//!   └─ the pieces hold:  row  row  row  …  the number of rows
//!      a row: length of the key, length of the value, key, value
//! ```
//!
//! The first line tells by whom the rest can be read, and is bound to each piece. Lengths have four
//! bytes, big-endian; the highest bit of a piece's says that it is the last. A row without a key
//! is the end, and its value the number of rows before it. The inventory is among the rows, so
//! that what is read is also held against what the store knew there must be. Whoever changes any
//! of this raises [`VERSION`], and goes on reading the older ones.

use super::inventory::Inventory;
use super::kv::Row;
use super::{StoreError, layout, records, sled};
use crate::crypto::{Keyring, NoEntropy, Pieces, random};
use crate::types::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::{self, Read, Write};

/// The version this file writes.
const VERSION: u32 = 1;

/// The text of a piece.
const PIECE: usize = 64 << 10;

/// What sealing adds to a piece.
const TAG: usize = 16;

/// The bit that says that a piece is the last.
const LAST: u32 = 1 << 31;

/// More than the first line ever has.
const LONGEST_HEAD: usize = 1024;

/// What a backup says of itself in the clear.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BackupHead {
    #[serde(rename = "vestibule_backup")]
    version: u32,
    /// When it was made.
    pub made_at: Timestamp,
    /// The name of the master key that opens it.
    pub key: String,
    /// What the rows are and where they lie.
    format: u64,
    salt: String,
}

/// All that is asked of a head before anything else: later versions may change the rest.
#[derive(Deserialize)]
struct AnyVersion {
    vestibule_backup: u32,
}

/// What a backup holds.
#[derive(Clone, Debug, Serialize)]
pub struct BackupSummary {
    /// Its version.
    pub version: u32,
    /// When it was made.
    pub made_at: Timestamp,
    /// All of its rows.
    pub rows: u64,
    /// People among them.
    pub users: u64,
    /// Sessions among them.
    pub sessions: u64,
}

/// Why a backup is not read.
#[derive(Debug)]
pub enum BackupError {
    /// It does not begin as one does.
    NotABackup,
    /// A later version of vestibule wrote it.
    Newer(u32),
    /// It is of a store that only a later version of vestibule reads.
    NewerStore(u64),
    /// Another master key sealed it: this one.
    OtherKey(String),
    /// It ends too early.
    Cut,
    /// It is not what was written.
    Changed,
    /// It goes on after its end.
    Longer,
    /// Its rows are not those that must be there.
    Incomplete,
    /// It cannot be read at all.
    Io(io::Error),
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotABackup => f.write_str("this is no backup of vestibule"),
            Self::Newer(version) => write!(
                f,
                "a newer version of vestibule made this backup (version {version}; this one reads \
                 {VERSION} and older): use that version"
            ),
            Self::NewerStore(format) => write!(
                f,
                "this backup is of a store of a newer version of vestibule (format {format}; this \
                 one reads {} and older): use that version",
                sled::FORMAT
            ),
            Self::OtherKey(key) => {
                write!(f, "this backup opens with another master key, whose name is {key}")
            }
            Self::Cut => f.write_str("this backup is cut short: take another one"),
            Self::Changed => {
                f.write_str("this backup is damaged, or was changed: take another one")
            }
            Self::Longer => f.write_str(
                "this backup goes on after its end, so it is not what was written: take another one",
            ),
            Self::Incomplete => f.write_str(
                "this backup does not hold the rows that must be there: take another one",
            ),
            Self::Io(error) => write!(f, "this backup cannot be read: {error}"),
        }
    }
}

impl std::error::Error for BackupError {}

impl From<io::Error> for BackupError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof { Self::Cut } else { Self::Io(error) }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let mut bytes = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// A length as it is written. There is no row of two thousand million bytes.
fn length(bytes: &[u8]) -> io::Result<u32> {
    let length = u32::try_from(bytes.len()).ok().filter(|length| length & LAST == 0);
    length.ok_or_else(|| io::Error::other("a row is too long for a backup"))
}

/// A backup being written.
pub(super) struct Writing<W> {
    out: W,
    pieces: Pieces,
    waiting: Vec<u8>,
    rows: u64,
}

impl<W: Write> Writing<W> {
    pub(super) fn begin(mut out: W, keys: &Keyring, made_at: Timestamp) -> io::Result<Self> {
        let salt: [u8; 32] = random().map_err(|error: NoEntropy| io::Error::other(error))?;
        let (key, format) = (keys.name(), sled::FORMAT);
        let head = BackupHead { version: VERSION, made_at, key, format, salt: hex(&salt) };
        let mut line = serde_json::to_vec(&head)?;
        line.push(b'\n');
        out.write_all(&line)?;
        Ok(Self { out, pieces: keys.pieces(&salt, &line), waiting: Vec::new(), rows: 0 })
    }

    pub(super) fn row(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        self.rows += 1;
        self.text(key, value)
    }

    fn text(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        self.waiting.extend(length(key)?.to_be_bytes());
        self.waiting.extend(length(value)?.to_be_bytes());
        self.waiting.extend(key);
        self.waiting.extend(value);
        while self.waiting.len() > PIECE {
            let rest = self.waiting.split_off(PIECE);
            let piece = std::mem::replace(&mut self.waiting, rest);
            self.piece(&piece, false)?;
        }
        Ok(())
    }

    pub(super) fn piece(&mut self, text: &[u8], is_last: bool) -> io::Result<()> {
        let sealed = self.pieces.seal(text, is_last).map_err(io::Error::other)?;
        let last = if is_last { LAST } else { 0 };
        self.out.write_all(&(length(&sealed)? | last).to_be_bytes())?;
        self.out.write_all(&sealed)
    }

    /// Writes the end; how many rows there are.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        self.text(&[], &self.rows.to_be_bytes())?;
        let piece = std::mem::take(&mut self.waiting);
        self.piece(&piece, true)?;
        self.out.flush()?;
        Ok(self.rows)
    }
}

/// Looks at one row.
pub(super) type Look<'l> = dyn FnMut(&[u8], &[u8]) -> super::Result<()> + 'l;

/// A backup whose first line was read.
pub struct Backup<R> {
    from: R,
    line: Vec<u8>,
    head: BackupHead,
}

impl<R: Read> Backup<R> {
    /// Reads the first line.
    pub fn begin(mut from: R) -> Result<Self, BackupError> {
        let mut line = Vec::new();
        while line.last() != Some(&b'\n') {
            let mut byte = [0];
            let is_more = line.len() < LONGEST_HEAD && from.read(&mut byte)? == 1;
            if !is_more {
                return Err(BackupError::NotABackup);
            }
            line.extend(byte);
        }
        let no = |_| BackupError::NotABackup;
        let AnyVersion { vestibule_backup: version } = serde_json::from_slice(&line).map_err(no)?;
        if version > VERSION {
            return Err(BackupError::Newer(version));
        }
        let head: BackupHead = serde_json::from_slice(&line).map_err(no)?;
        Ok(Self { from, line, head })
    }

    /// What it says of itself. That it is true shows when the rest opens.
    pub const fn head(&self) -> &BackupHead {
        &self.head
    }

    /// Reads the rest, and holds all of it against what must be there.
    pub fn check(self, keys: &Keyring) -> Result<BackupSummary, BackupError> {
        self.each(keys, &mut |_, _| Ok(())).map_err(|error| match error {
            Unread::Backup(error) => error,
            Unread::Store(_) => BackupError::Changed,
        })
    }

    /// The same, with a look at each row.
    pub(super) fn each(self, keys: &Keyring, look: &mut Look<'_>) -> Result<BackupSummary, Unread> {
        let Self { from, line, head } = self;
        if head.key != keys.name() {
            return Err(BackupError::OtherKey(head.key).into());
        }
        if head.format > sled::FORMAT {
            return Err(BackupError::NewerStore(head.format).into());
        }
        let salt = unhex(&head.salt).ok_or(BackupError::Changed)?;
        let pieces = keys.pieces(&salt, &line);
        let mut reading = Reading { from, pieces, text: Vec::new(), taken: 0, is_over: false };
        let BackupHead { version, made_at, .. } = head;
        let mut summary = BackupSummary { version, made_at, rows: 0, users: 0, sessions: 0 };
        let (mut counted, mut kept) = (Inventory::default(), None);
        let total = loop {
            let (key, value) = reading.row()?;
            match key.first() {
                None => break value,
                Some(&layout::USER) => summary.users += 1,
                Some(&layout::SESSION) => summary.sessions += 1,
                _ => {}
            }
            summary.rows += 1;
            if layout::is_inventoried(&key) {
                counted.add(keys, &key, &value);
            }
            if key == layout::INVENTORY {
                kept = Some(records::unpack::<Inventory>("the inventory", &value)?);
            }
            look(&key, &value)?;
        };
        reading.end()?;
        if kept != Some(counted) || total != summary.rows.to_be_bytes() {
            return Err(BackupError::Incomplete.into());
        }
        Ok(summary)
    }
}

/// Why reading went no further: the backup, or whoever looked at it.
pub(super) enum Unread {
    Backup(BackupError),
    Store(StoreError),
}

impl From<BackupError> for Unread {
    fn from(error: BackupError) -> Self {
        Self::Backup(error)
    }
}

impl From<StoreError> for Unread {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The text of a backup as it is opened.
struct Reading<R> {
    from: R,
    pieces: Pieces,
    /// What was opened, and how much of it was taken.
    text: Vec<u8>,
    taken: usize,
    is_over: bool,
}

impl<R: Read> Reading<R> {
    fn row(&mut self) -> Result<Row, BackupError> {
        let lengths = self.take(8)?;
        let length = |bytes: Option<&[u8; 4]>| {
            let length = bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes));
            usize::try_from(length).map_err(|_| BackupError::Changed)
        };
        let (key, value) = (length(lengths.first_chunk())?, length(lengths.last_chunk())?);
        Ok((self.take(key)?, self.take(value)?))
    }

    /// So much of the text.
    fn take(&mut self, most: usize) -> Result<Vec<u8>, BackupError> {
        while self.text.len() - self.taken < most {
            self.next_piece()?;
        }
        let (begin, end) = (self.taken, self.taken + most);
        self.taken = end;
        Ok(self.text.get(begin..end).ok_or(BackupError::Changed)?.to_vec())
    }

    fn next_piece(&mut self) -> Result<(), BackupError> {
        if self.is_over {
            return Err(BackupError::Changed);
        }
        let mut length = [0; 4];
        self.from.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length);
        self.is_over = length & LAST != 0;
        let length = usize::try_from(length & !LAST).map_err(|_| BackupError::Changed)?;
        if length > PIECE + TAG {
            return Err(BackupError::Changed);
        }
        let mut sealed = vec![0; length];
        self.from.read_exact(&mut sealed)?;
        let opened = self.pieces.open(&sealed, self.is_over);
        self.text.drain(..self.taken);
        self.taken = 0;
        self.text.extend(opened.map_err(|_| BackupError::Changed)?.reveal());
        Ok(())
    }

    /// Sees that nothing follows.
    fn end(&mut self) -> Result<(), BackupError> {
        if !self.is_over || self.taken < self.text.len() {
            return Err(BackupError::Changed);
        }
        if self.from.read(&mut [0])? > 0 { Err(BackupError::Longer) } else { Ok(()) }
    }
}
