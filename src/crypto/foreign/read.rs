//! Reading hashes as other programs write them, and refusing what costs too much.

use super::{Digest, ForeignError, ForeignHash, Method};
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

/// The most memory that checking may take, in bytes.
const MOST_MEMORY: u64 = 256 << 20;
/// How many bytes Argon2 and scrypt may write: seconds, not minutes.
const MOST_WRITTEN: u64 = 4 << 30;
/// The same for the others, in their own rounds.
const MOST_PBKDF2: u32 = 2_000_000;
const MOST_SHA_CRYPT: u32 = 1_000_000;
const MOST_BCRYPT: u32 = 15;
/// No program makes longer ones.
const LONGEST_KEY: usize = 64;
const LONGEST_SALT: usize = 64;

type Read = Result<(Method, Vec<u8>, Vec<u8>), ForeignError>;

impl ForeignHash {
    /// Reads a hash as it stands in a user file.
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
        if key.is_empty() || key.len() > LONGEST_KEY.max(method.digits()) {
            return Err(ForeignError::Unknown);
        }
        Ok(Self { text: Secret::new(text.to_owned()), method, salt, key, is_decoy: false })
    }
}

impl Method {
    /// How long a key is that is kept as it is written.
    const fn digits(&self) -> usize {
        match self {
            Self::ShaCrypt { long: true, .. } => 86,
            Self::ShaCrypt { long: false, .. } => 43,
            _ => 0,
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
    let bytes = u64::from(memory) << 10;
    bounded(bytes, bytes.saturating_mul(u64::from(passes)))?;
    let (salt, key) = (bytes_of(salt)?, bytes_of(key)?);
    // What it insists on, so that it does not fail when somebody signs in.
    let params = argon2::Params::new(memory, passes, lanes, Some(key.len()));
    let params = params.ok().filter(|_| salt.len() >= argon2::MIN_SALT_LEN);
    Ok((Method::Argon2(kind, params.ok_or(ForeignError::Unknown)?), salt, key))
}

fn scrypt(costs: &str, salt: &str, key: &str) -> Read {
    let log_n: u8 = number(cost(costs, "ln")?)?;
    let (r, p): (u32, u32) = (number(cost(costs, "r")?)?, number(cost(costs, "p")?)?);
    let n = 1_u64.checked_shl(log_n.into()).ok_or(ForeignError::Memory)?;
    let memory = n.saturating_mul(128 * u64::from(r));
    // It writes and reads all of it, once for each p.
    bounded(
        memory.max(128 * u64::from(r) * u64::from(p)),
        memory.saturating_mul(2 * u64::from(p)),
    )?;
    scrypt::Params::new(log_n, r, p).map_err(|_| ForeignError::Unknown)?;
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
    let rounds = at_most(MOST_PBKDF2, number(rounds)?)?;
    if rounds == 0 {
        return Err(ForeignError::Unknown);
    }
    // Written in digits of its own, with a dot where others have a plus.
    let (salt, key) = (salt.replace('.', "+"), key.replace('.', "+"));
    Ok((Method::Pbkdf2(digest, rounds), bytes_of(&salt)?, bytes_of(&key)?))
}

fn sha_crypt(kind: &str, rounds: &str, salt: &str, key: &str) -> Read {
    let rounds = number(rounds.strip_prefix("rounds=").ok_or(ForeignError::Unknown)?)?;
    let method = Method::ShaCrypt { long: kind == "6", rounds: at_most(MOST_SHA_CRYPT, rounds)? };
    let are_digits =
        |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"./".contains(&b));
    let fits = rounds >= sha_crypt::Params::ROUNDS_MIN
        && (1..=16).contains(&salt.len())
        && key.len() == method.digits()
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
    let cost = at_most(MOST_BCRYPT, number(cost)?)?;
    let decode = |text: &str| BCRYPT64.decode(text).map_err(|_| ForeignError::Unknown);
    let (salt, key) = (decode(salt)?, decode(key)?);
    let fits = cost >= 4 && salt.len() == 16 && key.len() == BCRYPT_KEY;
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

const fn at_most(most: u32, rounds: u32) -> Result<u32, ForeignError> {
    if rounds <= most { Ok(rounds) } else { Err(ForeignError::Time) }
}

const fn bounded(memory: u64, written: u64) -> Result<(), ForeignError> {
    match (memory > MOST_MEMORY, written > MOST_WRITTEN) {
        (true, _) => Err(ForeignError::Memory),
        (_, true) => Err(ForeignError::Time),
        _ => Ok(()),
    }
}
