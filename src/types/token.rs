//! What a browser carries, and what the store keeps of it.

use super::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// 256 random bits that open something: a session, a sign-in under way, a one-time link, an app to
/// a program.
///
/// It exists in a cookie or a link and in memory while a request is judged, never in the store.
#[derive(Clone, Debug)]
pub struct Bearer(Secret<[u8; 32]>);

impl Bearer {
    /// Wraps random bits.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// Reads the 43 characters that [`Bearer::reveal`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_bytes(text.as_bytes())
    }

    /// As [`Bearer::parse`], from a header's bytes. Allocates nothing.
    pub fn parse_bytes(text: &[u8]) -> Option<Self> {
        // The decoder asks for room for whole groups, which is one byte more than the token.
        let mut bytes = [0; 33];
        if text.len() != 43 {
            return None;
        }
        let written = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        let token: [u8; 32] = bytes.get(..written)?.try_into().ok()?;
        Some(Self::from_bytes(token))
    }

    /// The text for a cookie or a link.
    pub fn reveal(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.reveal())
    }

    /// The text with its prefix, for a program.
    pub fn reveal_as(&self, prefix: Prefix) -> String {
        format!("{}{}", prefix.as_str(), self.reveal())
    }

    /// Reads what [`Bearer::reveal_as`] wrote.
    pub fn parse_as(prefix: Prefix, text: &[u8]) -> Option<Self> {
        Self::parse_bytes(text.strip_prefix(prefix.as_str().as_bytes())?)
    }

    /// The bits, for hashing.
    pub fn bytes(&self) -> &[u8; 32] {
        self.0.reveal()
    }
}

/// What the tokens of programs begin with, so that they are known for what they are: by us, and by
/// those who look for secrets where none should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefix {
    /// Of a program that has signed in, for minutes.
    Access,
    /// To go on with, once.
    Refresh,
    /// Made by an administrator.
    Token,
}

impl Prefix {
    /// The text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "vsa_",
            Self::Refresh => "vsr_",
            Self::Token => "vst_",
        }
    }
}

/// A one-way image of a [`Bearer`]: enough to find a record, not enough to use it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// Wraps a digest, as computed by `crypto::digest` or read from the store.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest's bytes, for keys in the store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenDigest(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_what_it_wrote_and_nothing_else() {
        let token = Bearer::from_bytes([7; 32]);
        let text = token.reveal();
        assert_eq!(Bearer::parse(&text).unwrap().bytes(), token.bytes());
        let longer = format!("{text}A");
        let padded = format!("{}=", &text[..42]);
        for bad in ["", "short", &longer, &padded, &text.replace(&text[..1], "+")] {
            assert!(Bearer::parse(bad).is_none(), "{bad:?}");
        }
        assert!(!format!("{token:?}").contains(&text));
    }
}
