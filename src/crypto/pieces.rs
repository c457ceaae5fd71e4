//! A long text, sealed piece by piece: the STREAM construction over ChaCha20-Poly1305.
//!
//! Each text has a key of its own, so pieces are counted from nought and the count is the nonce,
//! together with whether the piece is the last. A piece that is missing, doubled, moved or taken
//! from another text does not open, and neither does the last one that is left of a text that was
//! cut. What stands before the pieces in the clear is bound to each of them.

use super::keys::Keyring;
use super::seal::OpenError;
use crate::types::Secret;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};

/// One text on its way, to be sealed or to be opened.
pub struct Pieces {
    cipher: ChaCha20Poly1305,
    head: Vec<u8>,
    next: u32,
    is_over: bool,
}

impl Keyring {
    /// Begins a text. The salt must be new for each that is sealed.
    pub fn pieces(&self, salt: &[u8; 32], head: &[u8]) -> Pieces {
        let cipher = ChaCha20Poly1305::new(self.backup_key(salt).reveal().into());
        Pieces { cipher, head: head.to_vec(), next: 0, is_over: false }
    }
}

impl Pieces {
    /// Seals the next piece. After the last there is none.
    pub fn seal(&mut self, plain: &[u8], is_last: bool) -> Result<Vec<u8>, OpenError> {
        let nonce = self.nonce(is_last)?;
        let payload = Payload { msg: plain, aad: &self.head };
        self.cipher.encrypt(&nonce, payload).map_err(|_| OpenError)
    }

    /// Opens the next piece.
    pub fn open(&mut self, sealed: &[u8], is_last: bool) -> Result<Secret<Vec<u8>>, OpenError> {
        let nonce = self.nonce(is_last)?;
        let payload = Payload { msg: sealed, aad: &self.head };
        self.cipher.decrypt(&nonce, payload).map(Secret::new).map_err(|_| OpenError)
    }

    fn nonce(&mut self, is_last: bool) -> Result<Nonce, OpenError> {
        if self.is_over {
            return Err(OpenError);
        }
        let mut nonce = [0; 12];
        let (count, last) = (self.next.to_be_bytes(), [u8::from(is_last)]);
        nonce.iter_mut().skip(7).zip(count.into_iter().chain(last)).for_each(|(to, b)| *to = b);
        // A count that came round would use a nonce twice.
        self.is_over = is_last || self.next == u32::MAX;
        self.next = self.next.wrapping_add(1);
        Ok(Nonce::from(nonce))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: [u8; 32] = [7; 32];

    fn pieces(salt: &[u8; 32], head: &[u8]) -> Pieces {
        Keyring::from_master(&(0..32).collect::<Vec<u8>>()).unwrap().pieces(salt, head)
    }

    fn sealed() -> [Vec<u8>; 3] {
        let mut pieces = pieces(&SALT, b"head");
        [(0, false), (1, false), (2, true)]
            .map(|(piece, last)| pieces.seal(&[piece; 5], last).unwrap())
    }

    #[test]
    fn a_text_opens_in_its_order_and_to_its_end() {
        let mut opening = pieces(&SALT, b"head");
        for (number, piece) in sealed().iter().enumerate() {
            let opened = opening.open(piece, number == 2).unwrap();
            assert_eq!(opened.reveal(), &[number as u8; 5]);
        }
        assert!(opening.open(b"more", true).is_err(), "nothing comes after the last");
    }

    #[test]
    fn a_piece_that_is_moved_cut_off_or_of_another_text_does_not_open() {
        let [first, second, third] = sealed();
        assert!(pieces(&SALT, b"head").open(&second, false).is_err(), "moved");
        assert!(pieces(&SALT, b"head").open(&first, true).is_err(), "not the last");
        assert!(pieces(&SALT, b"Head").open(&first, false).is_err(), "another head");
        assert!(pieces(&[8; 32], b"head").open(&first, false).is_err(), "another text");
        let mut opening = pieces(&SALT, b"head");
        opening.open(&first, false).unwrap();
        assert!(opening.open(&third, true).is_err(), "one is missing");
    }
}
