//! Bearer tokens and their digests.

use super::random::{NoEntropy, random};
use crate::types::{Bearer, SessionId, TokenDigest, UserId};
use sha2::{Digest as _, Sha256};

/// What a token opens. The kind goes into the digest, so that a token of one kind finds no
/// record of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A session.
    Session,
    /// A sign-in between two steps.
    Pending,
    /// A set-up, invitation or reset link.
    Link,
}

impl TokenKind {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Session => b"vestibule session token\0",
            Self::Pending => b"vestibule pending token\0",
            Self::Link => b"vestibule link token\0",
        }
    }
}

/// A fresh token.
pub fn new_bearer() -> Result<Bearer, NoEntropy> {
    random().map(Bearer::from_bytes)
}

/// A fresh name for a session.
pub fn new_session_id() -> Result<SessionId, NoEntropy> {
    random().map(SessionId::from_bytes)
}

/// A fresh name for a person's record.
pub fn new_user_id() -> Result<UserId, NoEntropy> {
    random().map(UserId::from_bytes)
}

/// The image of a token that the store keeps. A token has 256 random bits, so a fast hash is as
/// good as a slow one.
pub fn digest(kind: TokenKind, token: &Bearer) -> TokenDigest {
    let hash = Sha256::new().chain_update(kind.label()).chain_update(token.bytes()).finalize();
    TokenDigest::from_bytes(hash.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_one_kind_finds_no_record_of_another() {
        let token = Bearer::from_bytes([3; 32]);
        assert_ne!(digest(TokenKind::Session, &token), digest(TokenKind::Pending, &token));
        assert_ne!(digest(TokenKind::Pending, &token), digest(TokenKind::Link, &token));
        assert_eq!(digest(TokenKind::Link, &token), digest(TokenKind::Link, &token));
    }
}
