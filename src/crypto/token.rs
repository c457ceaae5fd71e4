//! Bearer tokens and their digests.

use super::random::{NoEntropy, random};
use crate::types::{Bearer, SessionId, TokenDigest, TokenId, UserId};
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
    /// A program's access to what its person may see.
    Access,
    /// The half of a refresh token that its family is found under.
    Family,
    /// A whole refresh token.
    Refresh,
    /// An access token that an administrator made.
    Token,
    /// A browser that somebody has signed in with before.
    Browser,
}

impl TokenKind {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Session => b"vestibule session token\0",
            Self::Pending => b"vestibule pending token\0",
            Self::Link => b"vestibule link token\0",
            Self::Access => b"vestibule access token\0",
            Self::Family => b"vestibule token family\0",
            Self::Refresh => b"vestibule refresh token\0",
            Self::Token => b"vestibule program token\0",
            Self::Browser => b"vestibule known browser\0",
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

/// A fresh name for an access token.
pub fn new_token_id() -> Result<TokenId, NoEntropy> {
    random().map(TokenId::from_bytes)
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

/// What the family of a refresh token is found under: an image of its first half, which all of
/// the family share.
pub fn family(refresh: &Bearer) -> TokenDigest {
    let mut half = [0; 32];
    half.iter_mut().zip(refresh.bytes()).take(16).for_each(|(to, from)| *to = *from);
    digest(TokenKind::Family, &Bearer::from_bytes(half))
}

/// The refresh token that comes after this one: of the same family, and otherwise new.
pub fn successor(refresh: &Bearer) -> Result<Bearer, NoEntropy> {
    let mut bytes: [u8; 32] = random()?;
    bytes.iter_mut().zip(refresh.bytes()).take(16).for_each(|(to, from)| *to = *from);
    Ok(Bearer::from_bytes(bytes))
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

    #[test]
    fn a_successor_is_another_token_of_the_same_family() {
        let first = new_bearer().unwrap();
        let second = successor(&first).unwrap();
        assert_eq!(family(&first), family(&second));
        assert_ne!(digest(TokenKind::Refresh, &first), digest(TokenKind::Refresh, &second));
        assert_ne!(family(&first), family(&new_bearer().unwrap()));
    }
}
