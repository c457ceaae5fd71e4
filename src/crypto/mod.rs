//! Floor 1: the primitives, synchronous and free of input and output.
//!
//! Passwords, codes, sealing and tokens. Whoever wants to say "this password was right" needs a
//! value that only this module makes: [`PasswordVerified`] and [`CodeMatched`]. Nothing here may
//! read a clock, touch a file or decide what a proof is good for.

mod chain;
mod foreign;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod keys;
mod password;
mod pieces;
mod random;
mod recovery;
mod seal;
mod signing;
mod spelling;
mod strength;
mod token;
mod totp;

pub use chain::ChainHash;
pub use foreign::ForeignError;
pub use keys::{KeyError, Keyring};
pub use password::{HashParams, Password, PasswordHash, PasswordVerified};
pub use pieces::Pieces;
pub use random::{NoEntropy, random};
pub use recovery::{RecoveryCode, RecoveryDigest, RecoverySet};
pub use seal::{OpenError, Sealed};
pub use signing::{PublicKey, StatementKey, StatementRoot};
pub use spelling::Spelling;
pub use strength::{Guess, Strength};
pub use token::{
    TokenKind, digest, family, new_bearer, new_session_id, new_token_id, new_user_id, successor,
};
pub use totp::{CodeError, CodeMatched, Distance, TotpAlgorithm, TotpParams, TotpSecret};
