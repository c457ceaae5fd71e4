//! One request, one now.

use super::{ClientAddr, Timestamp};
use std::fmt;

/// The name of one request, in the access log and in `X-Request-Id`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId([u8; 16]);

impl RequestId {
    /// Wraps 128 bits that no other request has.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// What the process that named it is called by, and the request's number within it.
    pub fn parts(self) -> (u64, u64) {
        let (process, number) = self.0.split_at(8);
        let half = |bytes: &[u8]| u64::from_be_bytes(bytes.try_into().unwrap_or_default());
        (half(process), half(number))
    }

    /// Thirty-two lower-case hexadecimal digits, on the stack.
    pub fn hex(self) -> [u8; 32] {
        let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
        let mut text = [0; 32];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            if let [high, low] = pair {
                (*high, *low) = (digit(byte >> 4), digit(byte & 15));
            }
        }
        text
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.hex()).unwrap_or_default())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What every decision about a request is told besides the request itself.
#[derive(Clone, Copy, Debug)]
pub struct RequestCx {
    /// The request's name.
    pub id: RequestId,
    /// The moment it arrived; nothing that serves it looks at a clock again.
    pub now: Timestamp,
    /// Who sent it, as far as the trusted proxies say.
    pub client: ClientAddr,
}
