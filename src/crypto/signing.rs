//! Signed statements about people, for apps that do not take a header's word: ES256, the one
//! algorithm that every library for web tokens has.
//!
//! Keys follow from the master key and the calendar, so that none has to be kept, handed from
//! replica to replica, or made in time: whoever has the master key knows next month's already.

use crate::types::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hkdf::Hkdf;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// A public key as verifiers read it (RFC 7517).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublicKey {
    kty: &'static str,
    crv: &'static str,
    x: String,
    y: String,
    alg: &'static str,
    #[serde(rename = "use")]
    purpose: &'static str,
    kid: String,
}

/// What the keys of all periods follow from.
#[derive(Clone, Debug)]
pub struct StatementRoot(Secret<[u8; 32]>);

impl StatementRoot {
    /// As it was kept.
    pub const fn of(secret: Secret<[u8; 32]>) -> Self {
        Self(secret)
    }

    /// To be sealed and kept.
    pub fn bytes(&self) -> &[u8; 32] {
        self.0.reveal()
    }

    /// The key that signs in this period, counted from 1970.
    pub fn key(&self, period: u64) -> Option<StatementKey> {
        let root = Hkdf::<Sha256>::from_prk(self.0.reveal()).ok()?;
        let attempt = |attempt: u8| {
            let label = [period.to_be_bytes().as_slice(), &[attempt]].concat();
            let mut secret = Zeroizing::new([0; 32]);
            root.expand(&label, secret.as_mut()).ok()?;
            StatementKey::of(&secret)
        };
        // The first will do, but for one in four thousand million.
        (0..=u8::MAX).find_map(attempt)
    }
}

/// A key that signs for a while.
pub struct StatementKey {
    key: SigningKey,
    public: PublicKey,
    /// What every text that it signs begins with.
    head: String,
}

impl StatementKey {
    /// The key with this secret; one in four thousand million secrets has none.
    fn of(secret: &[u8; 32]) -> Option<Self> {
        let key = SigningKey::from_slice(secret).ok()?;
        let point = key.verifying_key().to_sec1_point(false);
        let (x, y) = (BASE64.encode(point.x()?), BASE64.encode(point.y()?));
        let kid = thumbprint(&x, &y);
        let head = BASE64.encode(format!(r#"{{"alg":"ES256","kid":"{kid}","typ":"JWT"}}"#));
        let public = PublicKey { kty: "EC", crv: "P-256", x, y, alg: "ES256", purpose: "sig", kid };
        Some(Self { key, public, head })
    }

    /// What verifiers need.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs claims, written as JSON, into a web token (RFC 7515, compact).
    pub fn sign(&self, claims: &[u8]) -> String {
        let mut text = format!("{}.", self.head);
        BASE64.encode_string(claims, &mut text);
        // Without randomness of its own (RFC 6979): none that is bad can give the key away.
        let signature: Signature = self.key.sign(text.as_bytes());
        text.push('.');
        BASE64.encode_string(signature.to_bytes(), &mut text);
        text
    }
}

impl fmt::Debug for StatementKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatementKey").field("kid", &self.public.kid).finish_non_exhaustive()
    }
}

/// A key's name: the digest of what it is (RFC 7638), so that no two share one.
fn thumbprint(x: &str, y: &str) -> String {
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    BASE64.encode(Sha256::digest(canonical))
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::signature::Verifier as _;

    #[test]
    fn what_was_signed_is_what_verifies_and_nothing_else() {
        let key = StatementKey::of(&[7; 32]).unwrap();
        let token = key.sign(br#"{"sub":"ann"}"#);
        let (text, signature) = token.rsplit_once('.').unwrap();
        let signature = Signature::from_slice(&BASE64.decode(signature).unwrap()).unwrap();
        let public = key.key.verifying_key();
        assert!(public.verify(text.as_bytes(), &signature).is_ok());
        assert!(public.verify(text.replace('.', "..").as_bytes(), &signature).is_err());
        assert_eq!(token, key.sign(br#"{"sub":"ann"}"#), "no randomness takes part");
    }

    #[test]
    fn a_secret_that_is_no_key_is_noticed() {
        assert!(StatementKey::of(&[0; 32]).is_none());
        assert!(StatementKey::of(&[0xFF; 32]).is_none());
    }

    #[test]
    fn a_key_shows_nothing_but_its_name() {
        let key = StatementKey::of(&[7; 32]).unwrap();
        assert_eq!(format!("{key:?}"), format!("StatementKey {{ kid: {:?}, .. }}", key.public.kid));
    }
}
