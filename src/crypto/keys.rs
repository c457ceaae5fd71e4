//! One master key, a subkey for each purpose.

use super::signing::StatementRoot;
use crate::types::{Login, Secret, TokenDigest, UserId};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fmt;

/// The shortest master key that is taken, in bytes.
const SHORTEST: usize = 32;

/// Why a master key is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// It has fewer bytes than this.
    TooShort,
    /// It is one byte over and over.
    Constant,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooShort => "the master key is shorter than 32 bytes",
            Self::Constant => "the master key is one byte over and over",
        })
    }
}

/// A key as long as the hash's block, which is how HMAC takes it without a question.
type MacKey = Secret<[u8; 64]>;

/// The subkeys, each derived from the master key under its own label.
#[derive(Clone, Debug)]
pub struct Keyring {
    pub(super) sealing: Secret<[u8; 32]>,
    forms: MacKey,
    names: MacKey,
    rows: MacKey,
    statements: StatementRoot,
    backups: MacKey,
    id: [u8; 8],
}

impl Keyring {
    /// Derives the subkeys from a master key file's bytes.
    pub fn from_master(master: &[u8]) -> Result<Self, KeyError> {
        if master.len() < SHORTEST {
            return Err(KeyError::TooShort);
        }
        if master.windows(2).all(|pair| pair.first() == pair.last()) {
            return Err(KeyError::Constant);
        }
        let root = Hkdf::<Sha256>::new(Some(b"vestibule"), master);
        Ok(Self {
            sealing: subkey(&root, "sealing")?,
            forms: subkey(&root, "form tokens")?,
            names: subkey(&root, "failure counters")?,
            rows: subkey(&root, "row integrity")?,
            statements: StatementRoot::of(subkey(&root, "signed statements")?),
            backups: subkey(&root, "backups")?,
            id: *subkey(&root, "key id")?.reveal(),
        })
    }

    /// Names the master key without giving it away, in hexadecimal: kept beside what it sealed.
    pub fn name(&self) -> String {
        self.id.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The token that a form carries for the browser that holds this cookie.
    pub fn form_token(&self, cookie: &[u8; 32]) -> [u8; 32] {
        mac(&self.forms, cookie)
    }

    /// What all failures of a person are counted under: the beginning of each such key.
    pub fn counters_of(&self, user: UserId) -> [u8; 16] {
        half(mac(&self.names, user.as_bytes()))
    }

    /// What failures from a browser are counted under: the end of each such key.
    pub fn browser_counter(&self, browser: &TokenDigest) -> [u8; 16] {
        half(mac(&self.names, browser.as_bytes()))
    }

    /// What failures of a person are counted under, from a browser they are known by or from all
    /// others.
    pub fn counter_key(&self, user: UserId, browser: Option<&TokenDigest>) -> [u8; 32] {
        let mut key = [0; 32];
        let (person, own) = key.split_at_mut(16);
        person.copy_from_slice(&self.counters_of(user));
        if let Some(browser) = browser {
            own.copy_from_slice(&self.browser_counter(browser));
        }
        key
    }

    /// What failures for a name are counted under that is nobody's. There are sixteen million such
    /// counters and no more, so that made-up names cannot fill a disk.
    pub fn stranger_key(&self, login: &Login) -> [u8; 32] {
        let mut key = [0; 32];
        let image = mac(&self.names, login.as_str().as_bytes());
        key.iter_mut().zip(image).take(3).for_each(|(to, from)| *to = from);
        key
    }

    /// What the keys follow from that sign statements about people.
    pub const fn statements(&self) -> &StatementRoot {
        &self.statements
    }

    /// The key of one backup, which no other has.
    pub(super) fn backup_key(&self, salt: &[u8; 32]) -> Secret<[u8; 32]> {
        Secret::new(mac(&self.backups, salt))
    }

    /// A keyed image of one stored row, for the store's own inventory.
    pub fn row_mark(&self, row: &[u8]) -> [u8; 32] {
        mac(&self.rows, row)
    }
}

fn subkey<const N: usize>(root: &Hkdf<Sha256>, label: &str) -> Result<Secret<[u8; N]>, KeyError> {
    let mut key = [0; N];
    root.expand(label.as_bytes(), &mut key).map_err(|_| KeyError::TooShort)?;
    Ok(Secret::new(key))
}

fn half(image: [u8; 32]) -> [u8; 16] {
    image.first_chunk().copied().unwrap_or_default()
}

fn mac(key: &MacKey, message: &[u8]) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new(key.reveal().into());
    mac.chain_update(message).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weak_master_key_is_refused() {
        assert_eq!(Keyring::from_master(&[1; 31]).err(), Some(KeyError::TooShort));
        assert_eq!(Keyring::from_master(&[0; 32]).err(), Some(KeyError::Constant));
    }

    #[test]
    fn every_purpose_has_a_key_of_its_own() {
        let keys = Keyring::from_master(&(0..32).collect::<Vec<u8>>()).unwrap();
        let same = [5; 32];
        assert_ne!(keys.form_token(&same), keys.row_mark(&same));
        assert_ne!(keys.sealing.reveal(), &keys.rows.reveal()[..32]);
    }

    #[test]
    fn every_period_signs_with_a_key_of_its_own_that_the_master_key_alone_knows() {
        let keys = Keyring::from_master(&(0..32).collect::<Vec<u8>>()).unwrap();
        let others = Keyring::from_master(&(1..33).collect::<Vec<u8>>()).unwrap();
        let public =
            |keys: &Keyring, period| keys.statements().key(period).unwrap().public().clone();
        assert_eq!(public(&keys, 1), public(&keys, 1));
        assert_ne!(public(&keys, 1), public(&keys, 2));
        assert_ne!(public(&keys, 1), public(&others, 1));
    }
}
