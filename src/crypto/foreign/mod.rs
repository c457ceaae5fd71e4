//! Hashes of passwords that other programs made.
//!
//! They are kept as they are and checked until their owner signs in; from then on there is one of
//! ours. What checking costs was chosen elsewhere, so it is bounded where a hash is read, and no
//! sign-in takes more than a quarter of a GiB or about a second on account of one.

mod price;
mod read;

use crate::types::Secret;
use argon2::{Algorithm, Argon2, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as B64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use pbkdf2::pbkdf2_hmac;
use sha_crypt::{PasswordVerifier as _, ShaCrypt};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use std::fmt;
use subtle::ConstantTimeEq as _;

/// Why a hash is not taken. Reads as a part of a sentence, and holds nothing of the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignError {
    /// It is none of those that are known, or damaged.
    Unknown,
    /// Checking it takes more memory than a sign-in may.
    Memory,
    /// Checking it takes longer than a sign-in may.
    Time,
}

impl fmt::Display for ForeignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => {
                "the password hash is damaged, or none of argon2, bcrypt, scrypt, sha512-crypt, \
                 sha256-crypt and pbkdf2"
            }
            Self::Memory => {
                "the password hash takes more than 256 MiB to check, which no sign-in may"
            }
            Self::Time => {
                "the password hash takes more than a second to check, which no sign-in may"
            }
        })
    }
}

/// How a password becomes a key, and what that costs.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Method {
    Argon2(Algorithm, argon2::Params),
    Scrypt {
        log_n: u8,
        r: u32,
        p: u32,
    },
    Pbkdf2(Digest, u32),
    /// SHA-256-crypt and SHA-512-crypt, which are checked from their text.
    ShaCrypt {
        long: bool,
        rounds: u32,
    },
    Bcrypt(u32),
    /// bcrypt of an HMAC of the password, which has no longest password.
    BcryptOfHmac(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Digest {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// What bcrypt looks at.
const LONGEST_BCRYPT: usize = 72;
/// What other checkers of SHA-crypt look at; each of its rounds reads the whole password.
const LONGEST_SHA_CRYPT: usize = 512;

/// A hash that another program made.
#[derive(Clone)]
pub(super) struct ForeignHash {
    text: Secret<String>,
    method: Method,
    salt: Vec<u8>,
    key: Vec<u8>,
    /// Whether no password is to match.
    is_decoy: bool,
}

impl PartialEq for ForeignHash {
    fn eq(&self, other: &Self) -> bool {
        self.text.reveal() == other.text.reveal() && self.is_decoy == other.is_decoy
    }
}

impl Eq for ForeignHash {}

impl ForeignHash {
    /// As it was written.
    pub(super) const fn text(&self) -> &Secret<String> {
        &self.text
    }

    /// One that costs the same and that no password matches.
    pub(super) fn decoy(&self) -> Self {
        Self { is_decoy: true, ..self.clone() }
    }

    /// Whether it takes as long.
    pub(super) fn costs_like(&self, other: &Self) -> bool {
        self.method == other.method
            && self.key.len() == other.key.len()
            && self.salt.len() == other.salt.len()
    }

    /// Whether this is the password, as it was typed. Takes up to its price.
    pub(super) fn fits(&self, password: &[u8]) -> bool {
        let fits = match self.method {
            Method::ShaCrypt { .. } => {
                let text = self.text.reveal().as_str();
                password.len() <= LONGEST_SHA_CRYPT
                    && ShaCrypt::default().verify_password(password, text).is_ok()
            }
            _ => self.derive(password).is_some_and(|key| bool::from(key.ct_eq(&self.key))),
        };
        fits && !self.is_decoy
    }

    fn derive(&self, password: &[u8]) -> Option<Vec<u8>> {
        let mut key = vec![0; self.key.len()];
        match &self.method {
            Method::Argon2(variant, params) => {
                let argon2 = Argon2::new(*variant, Version::V0x13, params.clone());
                argon2.hash_password_into(password, &self.salt, &mut key).ok()?;
            }
            Method::Scrypt { log_n, r, p } => {
                let params = scrypt::Params::new(*log_n, *r, *p).ok()?;
                scrypt::scrypt(password, &self.salt, &params, &mut key).ok()?;
            }
            Method::Pbkdf2(digest, rounds) => {
                let derive = match digest {
                    Digest::Sha1 => pbkdf2_hmac::<Sha1>,
                    Digest::Sha224 => pbkdf2_hmac::<Sha224>,
                    Digest::Sha256 => pbkdf2_hmac::<Sha256>,
                    Digest::Sha384 => pbkdf2_hmac::<Sha384>,
                    Digest::Sha512 => pbkdf2_hmac::<Sha512>,
                };
                derive(password, &self.salt, *rounds, &mut key);
            }
            Method::Bcrypt(cost) => return bcrypt(*cost, &self.salt, password),
            Method::BcryptOfHmac(cost) => {
                let keyed = read::BCRYPT64.encode(&self.salt);
                let mac = Hmac::<Sha256>::new_from_slice(keyed.as_bytes()).ok()?;
                let image =
                    Secret::new(B64.encode(mac.chain_update(password).finalize().into_bytes()));
                return bcrypt(*cost, &self.salt, image.reveal().as_bytes());
            }
            Method::ShaCrypt { .. } => return None,
        }
        Some(key)
    }
}

/// The bytes of a bcrypt hash that are written down. bcrypt repeats a password up to its length,
/// with a NUL after each: one that has a NUL in it would stand for another that has none, and one
/// that is cut for all that begin like it.
fn bcrypt(cost: u32, salt: &[u8], password: &[u8]) -> Option<Vec<u8>> {
    if password.len() > LONGEST_BCRYPT || password.contains(&0) {
        return None;
    }
    let mut repeated = [password, &[0]].concat();
    repeated.truncate(LONGEST_BCRYPT);
    let repeated = Secret::new(repeated);
    let key = bcrypt::bcrypt(cost, salt.try_into().ok()?, repeated.reveal());
    key.get(..read::BCRYPT_KEY).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests;
