//! The bytes of a connection that have arrived and are not released yet.

/// What a connection starts with; most heads fit.
const INITIAL: usize = 4 * 1024;

/// A growing buffer that is initialised once and never again.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Buffer {
    /// What has arrived.
    pub(super) fn unread(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Gives up the first `n` bytes.
    pub(super) fn consume(&mut self, n: usize) {
        self.start = self.start.saturating_add(n).min(self.end);
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            // A large head is rare; its memory is not kept for an idle connection.
            if self.bytes.len() > 4 * INITIAL {
                self.bytes = Vec::new();
            }
        }
    }

    /// Room to read into, never empty.
    pub(super) fn spare(&mut self) -> &mut [u8] {
        if self.end == self.bytes.len() {
            if self.start > 0 {
                self.bytes.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            }
            if self.end == self.bytes.len() {
                let grown = (self.bytes.len() * 2).max(INITIAL);
                self.bytes.resize(grown, 0);
            }
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// `n` bytes of the room were filled.
    pub(super) fn commit(&mut self, n: usize) {
        self.end = self.end.saturating_add(n).min(self.bytes.len());
    }

    /// Keeps bytes that were read past the end of a message.
    pub(super) fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = self.spare();
            let n = room.len().min(bytes.len());
            let (now, later) = bytes.split_at(n);
            if let Some(room) = room.get_mut(..n) {
                room.copy_from_slice(now);
            }
            self.commit(n);
            bytes = later;
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.consume(usize::MAX);
    }
}
