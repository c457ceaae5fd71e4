//! A strict reading of the chunked coding. It validates and counts; it never changes a byte.

use crate::proxy::hygiene::{Refusal, check_name, check_value};

/// Digits of a chunk size: sixteen hold any size there is.
const MAX_DIGITS: u8 = 16;
/// Bytes of chunk extension: nobody uses them, so a little is much.
const MAX_EXTENSION: usize = 256;
/// Bytes of the trailer section.
const MAX_TRAILER: usize = 8 * 1024;
/// Fields of the trailer section.
const MAX_TRAILER_FIELDS: usize = 32;

/// Where in the coding the next byte stands.
#[derive(Debug)]
enum At {
    /// In the size, with so many digits seen.
    Size(u8),
    /// In an extension.
    Extension(usize),
    /// After the CR of the size line.
    SizeLf,
    /// In the data.
    Data,
    /// After the data.
    DataCr,
    /// After the CR behind the data.
    DataLf,
    /// In the trailer section, which is collected line by line.
    Trailer,
    /// Behind the last byte.
    End,
}

/// The state of one chunked body.
#[derive(Debug)]
pub(super) struct Chunked {
    at: At,
    left: u64,
    line: Vec<u8>,
    trailer_bytes: usize,
    trailer_fields: usize,
}

impl Chunked {
    pub(super) const fn new() -> Self {
        Self { at: At::Size(0), left: 0, line: Vec::new(), trailer_bytes: 0, trailer_fields: 0 }
    }

    /// Whether the whole body has been seen.
    pub(super) const fn is_done(&self) -> bool {
        matches!(self.at, At::End)
    }

    /// How many of the bytes belong to this body.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        let mut rest = bytes;
        while let Some((&byte, tail)) = rest.split_first() {
            match self.at {
                At::End => break,
                At::Data => {
                    let here = usize::try_from(self.left).unwrap_or(usize::MAX).min(rest.len());
                    self.left -= here as u64;
                    rest = rest.get(here..).unwrap_or_default();
                    if self.left == 0 {
                        self.at = At::DataCr;
                    }
                }
                _ => {
                    self.step(byte)?;
                    rest = tail;
                }
            }
        }
        Ok(bytes.len() - rest.len())
    }

    fn step(&mut self, byte: u8) -> Result<(), Refusal> {
        self.at = match (&self.at, byte) {
            (At::Size(digits), b'\r') if *digits > 0 => At::SizeLf,
            (At::Size(digits), b';') if *digits > 0 => At::Extension(1),
            (At::Size(digits), _) if *digits < MAX_DIGITS => {
                let digit = (byte as char).to_digit(16).ok_or(Refusal::BadChunk)?;
                // The engine counts with a sign.
                if self.left >> 59 != 0 {
                    return Err(Refusal::BadChunk);
                }
                self.left = (self.left << 4) | u64::from(digit);
                At::Size(digits + 1)
            }
            (At::Extension(_), b'\r') => At::SizeLf,
            (At::Extension(n), b' '..=b'~' | b'\t') if *n < MAX_EXTENSION => At::Extension(n + 1),
            (At::SizeLf, b'\n') if self.left > 0 => At::Data,
            (At::SizeLf, b'\n') => At::Trailer,
            (At::DataCr, b'\r') => At::DataLf,
            (At::DataLf, b'\n') => At::Size(0),
            (At::Trailer, _) => return self.trailer(byte),
            _ => return Err(Refusal::BadChunk),
        };
        Ok(())
    }

    fn trailer(&mut self, byte: u8) -> Result<(), Refusal> {
        self.trailer_bytes += 1;
        if self.trailer_bytes > MAX_TRAILER {
            return Err(Refusal::HeadTooLarge);
        }
        if byte != b'\n' {
            self.line.push(byte);
            return Ok(());
        }
        let Some((b'\r', line)) = self.line.split_last() else {
            return Err(Refusal::BadLineEnding);
        };
        if line.is_empty() {
            self.at = At::End;
            return Ok(());
        }
        self.trailer_fields += 1;
        if self.trailer_fields > MAX_TRAILER_FIELDS {
            return Err(Refusal::TooManyFields);
        }
        let mut parts = line.splitn(2, |b| *b == b':');
        let (Some(name), Some(value)) = (parts.next(), parts.next()) else {
            return Err(Refusal::BadTrailer);
        };
        if check_name(name).is_err() || check_value(value, false).is_err() {
            return Err(Refusal::BadTrailer);
        }
        self.line.clear();
        Ok(())
    }
}
