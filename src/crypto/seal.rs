//! Secrets at rest: XChaCha20-Poly1305, bound to the record and the field they belong to.

use super::keys::Keyring;
use super::random::{NoEntropy, random};
use crate::types::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A sealed secret, as text: nonce and ciphertext in base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(…)")
    }
}

/// A sealed secret that does not open: another key sealed it, or it was moved or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenError;

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sealed secret does not open: another key sealed it, or it was changed")
    }
}

impl std::error::Error for OpenError {}

impl Keyring {
    /// Seals a secret so that it opens only as this field of this record.
    pub fn seal(&self, record: &[u8], field: &str, secret: &[u8]) -> Result<Sealed, NoEntropy> {
        let nonce: [u8; 24] = random()?;
        let aad = bound_to(record, field);
        let sealed = self
            .cipher()
            .encrypt(&XNonce::from(nonce), Payload { msg: secret, aad: &aad })
            .map_err(|_| NoEntropy)?;
        Ok(Sealed(STANDARD_NO_PAD.encode([nonce.as_slice(), &sealed].concat())))
    }

    /// Opens what [`Keyring::seal`] sealed for the same field of the same record.
    pub fn open(
        &self,
        record: &[u8],
        field: &str,
        sealed: &Sealed,
    ) -> Result<Secret<Vec<u8>>, OpenError> {
        let bytes = STANDARD_NO_PAD.decode(&sealed.0).map_err(|_| OpenError)?;
        let (nonce, ciphertext) = bytes.split_first_chunk::<24>().ok_or(OpenError)?;
        let aad = bound_to(record, field);
        self.cipher()
            .decrypt(&XNonce::from(*nonce), Payload { msg: ciphertext, aad: &aad })
            .map(Secret::new)
            .map_err(|_| OpenError)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.sealing.reveal().into())
    }
}

/// Field first and length before, so that no two pairs make the same bytes.
fn bound_to(record: &[u8], field: &str) -> Vec<u8> {
    [&field.len().to_be_bytes(), field.as_bytes(), record].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(first: u8) -> Keyring {
        Keyring::from_master(&(0..32).map(|i| first ^ i).collect::<Vec<u8>>()).unwrap()
    }

    #[test]
    fn a_sealed_secret_opens_only_in_its_place_and_with_its_key() {
        let sealed = keys(0).seal(b"u1", "totp", b"secret").unwrap();
        assert_eq!(keys(0).open(b"u1", "totp", &sealed).unwrap().reveal(), b"secret");
        assert!(keys(0).open(b"u2", "totp", &sealed).is_err());
        assert!(keys(0).open(b"u1", "password", &sealed).is_err());
        assert!(keys(0).open(b"1", "totpu", &sealed).is_err());
        assert!(keys(9).open(b"u1", "totp", &sealed).is_err());
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let Sealed(text) = keys(0).seal(b"u1", "totp", b"secret").unwrap();
        for (at, _) in text.char_indices() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = Sealed(String::from_utf8(bytes).unwrap());
            assert!(keys(0).open(b"u1", "totp", &changed).is_err(), "byte {at}");
        }
        assert!(keys(0).open(b"u1", "totp", &Sealed(String::from("AAAA"))).is_err());
    }

    #[test]
    fn the_same_secret_never_seals_to_the_same_text() {
        assert_ne!(keys(0).seal(b"r", "f", b"s").unwrap(), keys(0).seal(b"r", "f", b"s").unwrap());
    }
}
