//! Reading hashes as other programs write them, and refusing what costs too much.

use super::{Digest, ForeignError, ForeignHash, Method, price};
use crate::types::Secret;
use argon2::Algorithm;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, Engine as _};

/// Salts and keys end where a byte does, whatever the last digit says beyond it.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_encode_padding(false)
    .with_decode_padding_mode(DecodePaddingMode::RequireNone)
    .with_decode_allow_trailing_bits(true);
const B64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
/// The digits of bcrypt.
pub(super) const BCRYPT64: GeneralPurpose = GeneralPurpose::new(&alphabet::BCRYPT, LENIENT);

/// How many bytes of its key bcrypt writes down.
pub(super) const BCRYPT_KEY: usize = 23;
const BCRYPT_SALT_DIGITS: usize = 22;

/// A key of which less is left would soon fit some other password.
const SHORTEST_KEY: usize = 16;
/// No program makes longer ones.
const LONGEST_KEY: usize = 64;
const LONGEST_SALT: usize = 64;

type Read = Result<(Method, Vec<u8>, Vec<u8>), ForeignError>;

impl ForeignHash {
    /// Takes a hash as it stands in a user file, if a sign-in can bear what it takes.
    pub(in crate::crypto) fn take(written: &str) -> Result<Self, ForeignError> {
        let hash = Self::read(written)?;
        hash.price().within(price::TAKEN)?;
        if hash.key.len() < SHORTEST_KEY {
            return Err(ForeignError::Unknown);
        }
        // The checker of SHA-crypt does not even look at a password where the key's last digit says
        // more than a byte has bits left.
        let ends: &[u8] = match hash.method {
            Method::ShaCrypt { long: true, .. } => b"./01",
            Method::ShaCrypt { long: false, .. } => b"./0123456789ABCD",
            _ => return Ok(hash),
        };
        let ends_well = hash.key.last().is_some_and(|last| ends.contains(last));
        if ends_well { Ok(hash) } else { Err(ForeignError::Unknown) }
    }

    /// Reads a hash that was taken, also by an earlier version.
    pub(in crate::crypto) fn read(written: &str) -> Result<Self, ForeignError> {
        // LDAP's marks, which some files have taken over.
        let text = written.strip_prefix("{CRYPT}").or(written.strip_prefix("{ARGON2}"));
        let text = text.unwrap_or(written);
        let fields: Vec<&str> = text.strip_prefix('$').unwrap_or_default().split('$').collect();
        let (method, salt, key) = match fields.as_slice() {
            [kind, "v=19", costs, salt, key] => argon2(kind, costs, salt, key),
            ["scrypt", costs, salt, key] => scrypt(costs, salt, key),
            ["bcrypt-sha256", costs, salt, key] => bcrypt_of_hmac(costs, salt, key),
            ["2a" | "2b" | "2y", cost, rest] => bcrypt(cost, rest),
            [kind @ ("5" | "6"), rounds, salt, key] => sha_crypt(kind, rounds, salt, key),
            [kind @ ("5" | "6"), salt, key] => sha_crypt(kind, "rounds=5000", salt, key),
            [kind, rounds, salt, key] => pbkdf2(kind, rounds, salt, key),
            _ => Err(ForeignError::Unknown),
        }?;
        let text = Secret::new(text.to_owned());
        let hash = Self { text, method, salt, key, is_decoy: false };
        hash.price().within(price::KEPT)?;
        if hash.can_be_checked() { Ok(hash) } else { Err(ForeignError::Unknown) }
    }

    /// Whether checking it does not fail before any password is looked at.
    fn can_be_checked(&self) -> bool {
        let is_key = !self.key.is_empty() && self.key.len() <= LONGEST_KEY;
        match self.method {
            Method::Scrypt { log_n, r, p } => is_key && scrypt::Params::new(log_n, r, p).is_ok(),
            Method::Pbkdf2(_, rounds) => is_key && rounds > 0,
            Method::ShaCrypt { .. } => true,
            Method::Argon2(..) | Method::Bcrypt(_) | Method::BcryptOfHmac(_) => is_key,
        }
    }
}

fn argon2(kind: &str, costs: &str, salt: &str, key: &str) -> Read {
    let kind = match kind {
        "argon2id" => Algorithm::Argon2id,
        "argon2i" => Algorithm::Argon2i,
        "argon2d" => Algorithm::Argon2d,
        _ => return Err(ForeignError::Unknown),
    };
    let memory: u32 = number(cost(costs, "m")?)?;
    let (passes, lanes) = (number(cost(costs, "t")?)?, number(cost(costs, "p")?)?);
    let (salt, key) = (bytes_of(salt)?, bytes_of(key)?);
    // What it insists on, so that it does not fail when somebody signs in.
    let params = argon2::Params::new(memory, passes, lanes, Some(key.len()));
    let params = params.ok().filter(|_| salt.len() >= argon2::MIN_SALT_LEN);
    Ok((Method::Argon2(kind, params.ok_or(ForeignError::Unknown)?), salt, key))
}

fn scrypt(costs: &str, salt: &str, key: &str) -> Read {
    let log_n: u8 = number(cost(costs, "ln")?)?;
    let (r, p): (u32, u32) = (number(cost(costs, "r")?)?, number(cost(costs, "p")?)?);
    Ok((Method::Scrypt { log_n, r, p }, bytes_of(salt)?, bytes_of(key)?))
}

fn pbkdf2(kind: &str, rounds: &str, salt: &str, key: &str) -> Read {
    let digest = match kind {
        "pbkdf2" | "pbkdf2-sha1" => Digest::Sha1,
        "pbkdf2-sha224" => Digest::Sha224,
        "pbkdf2-sha256" => Digest::Sha256,
        "pbkdf2-sha384" => Digest::Sha384,
        "pbkdf2-sha512" => Digest::Sha512,
        _ => return Err(ForeignError::Unknown),
    };
    // Written in digits of its own, with a dot where others have a plus.
    let (salt, key) = (salt.replace('.', "+"), key.replace('.', "+"));
    Ok((Method::Pbkdf2(digest, number(rounds)?), bytes_of(&salt)?, bytes_of(&key)?))
}

fn sha_crypt(kind: &str, rounds: &str, salt: &str, key: &str) -> Read {
    let rounds = number(rounds.strip_prefix("rounds=").ok_or(ForeignError::Unknown)?)?;
    let method = Method::ShaCrypt { long: kind == "6", rounds };
    let are_digits =
        |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"./".contains(&b));
    let fits = rounds >= sha_crypt::Params::ROUNDS_MIN
        && (1..=16).contains(&salt.len())
        && key.len() == if kind == "6" { 86 } else { 43 }
        && are_digits(salt)
        && are_digits(key);
    if !fits {
        return Err(ForeignError::Unknown);
    }
    Ok((method, salt.as_bytes().to_vec(), key.as_bytes().to_vec()))
}

fn bcrypt(cost: &str, rest: &str) -> Read {
    let (salt, key) = rest.split_at_checked(BCRYPT_SALT_DIGITS).ok_or(ForeignError::Unknown)?;
    let (cost, salt, key) = bcrypt_parts(cost, salt, key)?;
    Ok((Method::Bcrypt(cost), salt, key))
}

fn bcrypt_of_hmac(costs: &str, salt: &str, key: &str) -> Read {
    if cost(costs, "v")? != "2" {
        return Err(ForeignError::Unknown);
    }
    let (cost, salt, key) = bcrypt_parts(cost(costs, "r")?, salt, key)?;
    Ok((Method::BcryptOfHmac(cost), salt, key))
}

fn bcrypt_parts(
    cost: &str,
    salt: &str,
    key: &str,
) -> Result<(u32, Vec<u8>, Vec<u8>), ForeignError> {
    let cost = number(cost)?;
    let decode = |text: &str| BCRYPT64.decode(text).map_err(|_| ForeignError::Unknown);
    let (salt, key) = (decode(salt)?, decode(key)?);
    let fits = (4..=31).contains(&cost) && salt.len() == 16 && key.len() == BCRYPT_KEY;
    if fits { Ok((cost, salt, key)) } else { Err(ForeignError::Unknown) }
}

/// One of the costs, like `t` in `m=65536,t=3,p=4`.
fn cost<'c>(costs: &'c str, name: &str) -> Result<&'c str, ForeignError> {
    let mut pairs = costs.split(',').filter_map(|pair| pair.split_once('='));
    let value = pairs.find(|(key, _)| *key == name).map(|(_, value)| value);
    value.ok_or(ForeignError::Unknown)
}

/// A number; one too large for its type is large, not unknown.
fn number<N: std::str::FromStr>(text: &str) -> Result<N, ForeignError> {
    let are_digits =
        !text.is_empty() && text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit());
    let parsed = are_digits.then(|| text.parse()).ok_or(ForeignError::Unknown)?;
    parsed.map_err(|_| ForeignError::Time)
}

fn bytes_of(text: &str) -> Result<Vec<u8>, ForeignError> {
    let bytes = B64.decode(text).map_err(|_| ForeignError::Unknown)?;
    if bytes.len() <= LONGEST_SALT { Ok(bytes) } else { Err(ForeignError::Unknown) }
}
