//! HTTP/2 by hand, frame by frame, for a client that keeps to no rule.

use crate::harness::{PATIENCE, connect};
use std::io::{BufReader, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;
/// Head and message end with this frame.
pub const WHOLE: u8 = END_STREAM | END_HEADERS;

/// What came back.
#[derive(Debug)]
pub struct Frame {
    pub kind: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer with this status.
    Answered(u16),
    /// Its stream was reset.
    Reset,
    /// Its connection was ended.
    Ended,
}

impl Outcome {
    /// Whether it was let in, or sent somewhere.
    pub const fn is_let_in(self) -> bool {
        matches!(self, Self::Answered(100..=399))
    }
}

/// The bytes of a frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A block of fields, each written out: nothing is indexed, nothing compressed.
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in fields {
        bytes.push(0);
        for text in [name, value] {
            length(&mut bytes, text.len());
            bytes.extend(text.as_bytes());
        }
    }
    bytes
}

/// A length in seven bits, and as many more bytes as it takes.
fn length(bytes: &mut Vec<u8>, length: usize) {
    let Some(mut rest) = length.checked_sub(127) else {
        bytes.push(u8::try_from(length).unwrap());
        return;
    };
    bytes.push(127);
    while rest >= 128 {
        bytes.push(u8::try_from(rest % 128).unwrap() | 128);
        rest /= 128;
    }
    bytes.push(u8::try_from(rest).unwrap());
}

/// A connection.
pub struct Frames(BufReader<TcpStream>);

impl Frames {
    /// Opens one, and says what has to be said first.
    pub fn open(address: SocketAddr) -> Self {
        let mut frames = Self(BufReader::new(connect(address)));
        frames.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        frames.send(&frame(SETTINGS, 0, 0, &[]));
        frames
    }

    /// Sends bytes; whether the other side still took them.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.get_mut().write_all(bytes).is_ok()
    }

    /// Another hold of the connection, to read while somebody else writes.
    pub fn reader(&self) -> Self {
        Self(BufReader::new(self.0.get_ref().try_clone().unwrap()))
    }

    /// Leaves without a word.
    pub fn leave(&self) {
        let _ = self.0.get_ref().shutdown(std::net::Shutdown::Both);
    }

    /// The next frame; none where the connection has ended.
    pub fn read(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.take(&mut head)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        self.take(&mut payload)?;
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        Some(Frame { kind: head[3], stream, payload })
    }

    fn take(&mut self, buffer: &mut [u8]) -> Option<()> {
        match self.0.read_exact(buffer) {
            Ok(()) => Some(()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("nothing for {PATIENCE:?}")
            }
            Err(_) => None,
        }
    }

    /// Reads until the end of the connection; whether it was said why.
    pub fn read_to_its_end(&mut self) -> bool {
        let mut said = false;
        while let Some(frame) = self.read() {
            said |= frame.kind == GOAWAY;
        }
        said
    }

    /// Whether the connection is ended before a ping that says this is answered.
    pub fn ends_before(&mut self, last: &[u8]) -> bool {
        loop {
            match self.read() {
                None | Some(Frame { kind: GOAWAY, .. }) => return true,
                Some(Frame { kind: PING, payload, .. }) if payload == last => return false,
                Some(_) => {}
            }
        }
    }

    /// What becomes of the request on this stream, the first one that is answered here.
    pub fn outcome(&mut self, stream: u32) -> Outcome {
        loop {
            match self.read() {
                None => return Outcome::Ended,
                Some(Frame { kind: GOAWAY, .. }) => return Outcome::Ended,
                Some(Frame { kind: RST_STREAM, stream: of, .. }) if of == stream => {
                    return Outcome::Reset;
                }
                Some(Frame { kind: HEADERS, stream: of, payload }) if of == stream => {
                    return Outcome::Answered(status(&payload));
                }
                Some(_) => {}
            }
        }
    }
}

/// The status in the first block of a connection, where nothing was said before that could be
/// referred to.
fn status(block: &[u8]) -> u16 {
    let mut rest = block;
    // A table that is made smaller first.
    while rest[0] & 0xe0 == 0x20 {
        let more = if rest[0] & 0x1f == 0x1f {
            1 + rest[1..].iter().position(|byte| byte & 0x80 == 0).unwrap() + 1
        } else {
            1
        };
        rest = &rest[more..];
    }
    match rest[0] {
        0x88 => 200,
        0x89 => 204,
        0x8a => 206,
        0x8b => 304,
        0x8c => 400,
        0x8d => 404,
        0x8e => 500,
        0x48 | 0x08 => literal(&rest[1..]),
        other => panic!("no status begins with {other:#x}"),
    }
}

/// Three digits, by Huffman's code or plain.
fn literal(text: &[u8]) -> u16 {
    let (length, coded) = (usize::from(text[0] & 0x7f), text[0] & 0x80 != 0);
    let bytes = &text[1..=length];
    if !coded {
        return std::str::from_utf8(bytes).unwrap().parse().unwrap();
    }
    let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let (mut number, mut at) = (0, 0);
    for _ in 0..3 {
        let (digit, used) = match &bits[at..at + 5] {
            "00000" => (0, 5),
            "00001" => (1, 5),
            "00010" => (2, 5),
            // From here on six bits, in order.
            _ => (u16::from_str_radix(&bits[at..at + 6], 2).unwrap() - 0b01_1001 + 3, 6),
        };
        number = number * 10 + digit;
        at += used;
    }
    number
}
