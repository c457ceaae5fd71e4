//! Just enough of the answers going out to know whether one is under way, and which are `101`.

/// Bytes up to and including the status code.
const STATUS_LINE: usize = 12;

/// Where in the answer the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// In the status line.
    Status(usize),
    /// In the head of an interim answer, with so many bytes of the blank line matched.
    Interim(usize),
    /// In a final answer: nothing more to learn until the next session.
    Final,
}

/// The watch over one connection's answers.
#[derive(Debug)]
pub(super) struct ResponseWatch {
    at: At,
    status: [u8; STATUS_LINE],
}

impl ResponseWatch {
    pub(super) const fn new() -> Self {
        Self { at: At::Status(0), status: [0; STATUS_LINE] }
    }

    /// The next request begins; so will its answer.
    pub(super) fn reset(&mut self) {
        self.at = At::Status(0);
    }

    /// Whether a final answer has begun, as far as the engine goes.
    pub(super) const fn is_final(&self) -> bool {
        matches!(self.at, At::Final)
    }

    /// Whether an answer of our own would stand alone on the wire.
    pub(super) const fn may_answer(&self) -> bool {
        matches!(self.at, At::Status(0))
    }

    /// Takes bytes that were written; true once when they say `101`.
    pub(super) fn written(&mut self, bytes: &[u8]) -> bool {
        for &byte in bytes {
            match self.at {
                At::Final => return false,
                At::Status(n) => {
                    if let Some(slot) = self.status.get_mut(n) {
                        *slot = byte;
                    }
                    self.at = At::Status(n + 1);
                    if n + 1 == STATUS_LINE {
                        let interim = self.status.get(8..10) == Some(b" 1");
                        let switched = self.status.get(8..) == Some(b" 101");
                        self.at = if interim && !switched { At::Interim(0) } else { At::Final };
                        if switched {
                            return true;
                        }
                    }
                }
                At::Interim(matched) => {
                    let wanted = if matched % 2 == 0 { b'\r' } else { b'\n' };
                    let matched = match byte {
                        _ if byte == wanted => matched + 1,
                        b'\r' => 1,
                        _ => 0,
                    };
                    self.at = if matched == 4 { At::Status(0) } else { At::Interim(matched) };
                }
            }
        }
        false
    }
}
