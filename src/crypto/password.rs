//! Passwords and their Argon2id hashes.

use super::foreign::{ForeignError, ForeignHash};
use super::random::{NoEntropy, random};
use super::spelling::Spelling;
use crate::types::{Secret, UserId};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as B64;
use std::fmt;
use subtle::ConstantTimeEq as _;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// The longest password that is looked at, in bytes. Far beyond what a person types or a manager
/// makes, and short enough that nobody hashes megabytes for free. A longer one is refused, never cut.
const LONGEST: usize = 1024;

/// A password in Unicode's compatibility form: the same on every keyboard.
#[derive(Clone, Debug)]
pub struct Password {
    text: Secret<String>,
    /// As it was typed, for hashes of others, who did not look at its form.
    typed: Secret<String>,
}

impl Password {
    /// Takes a password; nothing where it is empty or beyond all measure.
    pub fn new(typed: &str) -> Option<Self> {
        if typed.is_empty() || typed.len() > LONGEST {
            return None;
        }
        let text = Secret::new(typed.nfkc().collect());
        Some(Self { text, typed: Secret::new(typed.to_owned()) })
    }

    /// Whether it is the same as another.
    pub fn is(&self, other: &Self) -> bool {
        self.text.reveal() == other.text.reveal()
    }

    /// How lists may spell it: in this form, and as it was typed where that is another.
    pub fn spellings(&self, typed: &str) -> Vec<Spelling> {
        let mut all = vec![Spelling::new(self.text.reveal())];
        if typed != self.text.reveal().as_str() {
            all.push(Spelling::new(typed));
        }
        all
    }

    /// How many characters it has.
    pub fn length(&self) -> usize {
        self.text.reveal().chars().count()
    }

    /// Whether some character fits.
    pub fn has(&self, class: impl Fn(char) -> bool) -> bool {
        self.text.reveal().chars().any(class)
    }

    /// How many letters and digits are left of it without these words, in any case; nothing where
    /// none of them is in it. Longer words are to come first.
    pub fn length_without(&self, words: &[&str]) -> Option<usize> {
        let whole = Zeroizing::new(self.text.reveal().to_lowercase());
        let mut left = whole.clone();
        for word in words.iter().filter(|word| !word.is_empty()) {
            // A space keeps what stood on either side from making another of the words.
            let word = word.nfkc().collect::<String>().to_lowercase();
            left = Zeroizing::new(left.replace(&word, " "));
        }
        let count = left.chars().filter(|c| c.is_alphanumeric()).count();
        (left != whole).then_some(count)
    }
}

/// What a hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashParams {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub iterations: u32,
}

impl Default for HashParams {
    fn default() -> Self {
        Self { memory_kib: 19_456, iterations: 2 }
    }
}

impl HashParams {
    fn argon2(self) -> Option<Argon2<'static>> {
        let params = Params::new(self.memory_kib, self.iterations, 1, Some(32)).ok()?;
        Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }

    /// Whether Argon2 can be run with them at all.
    pub fn are_usable(self) -> bool {
        self.argon2().is_some()
    }

    /// Argon2id of any secret under any salt; nothing where the costs make no sense.
    pub(super) fn derive(self, secret: &[u8], salt: &[u8]) -> Option<[u8; 32]> {
        let mut out = [0; 32];
        self.argon2()?.hash_password_into(secret, salt, &mut out).ok()?;
        Some(out)
    }
}

/// A hash of a password.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    Ours(OurHash),
    Foreign(Box<ForeignHash>),
}

/// An Argon2id hash with its salt and costs.
#[derive(Clone, PartialEq, Eq)]
struct OurHash {
    params: HashParams,
    salt: [u8; 16],
    hash: [u8; 32],
}

/// What the text of another program's hash is marked with where it is stored: it may look like one
/// of ours, and is of the password as it was typed.
const FOREIGN: &str = "foreign ";

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Proof that somebody gave this person's password. Made only by [`PasswordHash::verify`].
///
/// ```compile_fail
/// let id = vestibule::types::UserId::from_bytes([0; 16]);
/// let forged = vestibule::crypto::PasswordVerified { user: id };
/// ```
#[must_use]
#[derive(Debug)]
pub struct PasswordVerified {
    user: UserId,
}

impl PasswordVerified {
    /// Whose password it was.
    pub const fn user(&self) -> UserId {
        self.user
    }
}

impl PasswordHash {
    /// Hashes a new password. Takes tens of milliseconds: only ever in the hashing pool.
    pub fn create(password: &Password, params: HashParams) -> Result<Self, NoEntropy> {
        let salt = random()?;
        let hash = params.derive(password.text.reveal().as_bytes(), &salt).ok_or(NoEntropy)?;
        Ok(Self(Kind::Ours(OurHash { params, salt, hash })))
    }

    /// A hash that no password matches, to spend the same time on names that do not exist.
    pub const fn unmatched(params: HashParams) -> Self {
        Self(Kind::Ours(OurHash { params, salt: [0; 16], hash: [0; 32] }))
    }

    /// Takes a hash that another program made, if it is of a known kind and bearable cost.
    pub fn foreign(text: &str) -> Result<Self, ForeignError> {
        ForeignHash::take(text).map(|hash| Self(Kind::Foreign(Box::new(hash))))
    }

    /// What checking it takes: bytes and nanoseconds, where another program chose.
    #[cfg(feature = "fuzzing")]
    pub(super) fn price(&self) -> Option<(u64, u64)> {
        match &self.0 {
            Kind::Ours(_) => None,
            Kind::Foreign(hash) => Some((hash.price().memory, hash.price().time)),
        }
    }

    /// Whether another program made it.
    pub const fn is_foreign(&self) -> bool {
        matches!(self.0, Kind::Foreign(_))
    }

    /// One that costs the same and that no password matches.
    #[must_use]
    pub fn decoy(&self) -> Self {
        match &self.0 {
            Kind::Ours(ours) => Self::unmatched(ours.params),
            Kind::Foreign(hash) => Self(Kind::Foreign(Box::new(hash.decoy()))),
        }
    }

    /// Whether both cost the same.
    pub fn costs_like(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Kind::Foreign(own), Kind::Foreign(other)) => own.costs_like(other),
            (Kind::Ours(own), Kind::Ours(other)) => own.params == other.params,
            _ => false,
        }
    }

    /// Checks a password for a person. Takes as long as [`PasswordHash::create`], or as the
    /// program that made it saw fit.
    pub fn verify(&self, user: UserId, password: &Password) -> Option<PasswordVerified> {
        let matches = match &self.0 {
            Kind::Ours(ours) => ours.fits(password)?,
            Kind::Foreign(hash) => hash.fits(password.typed.reveal().as_bytes()),
        };
        matches.then_some(PasswordVerified { user })
    }

    /// Whether it is what a new hash would be.
    pub fn is_current(&self, params: HashParams) -> bool {
        matches!(&self.0, Kind::Ours(ours) if ours.params == params)
    }

    /// The PHC string, to be sealed and stored.
    pub fn to_phc(&self) -> Secret<String> {
        match &self.0 {
            Kind::Ours(ours) => ours.to_phc(),
            Kind::Foreign(hash) => Secret::new(format!("{FOREIGN}{}", hash.text().reveal())),
        }
    }

    /// Reads what [`PasswordHash::to_phc`] wrote.
    pub fn from_phc(text: &str) -> Option<Self> {
        match text.strip_prefix(FOREIGN) {
            Some(foreign) => {
                let hash = ForeignHash::read(foreign).ok()?;
                Some(Self(Kind::Foreign(Box::new(hash))))
            }
            None => OurHash::from_phc(text).map(|ours| Self(Kind::Ours(ours))),
        }
    }
}

impl OurHash {
    fn fits(&self, password: &Password) -> Option<bool> {
        let hash = self.params.derive(password.text.reveal().as_bytes(), &self.salt)?;
        Some(bool::from(hash.ct_eq(&self.hash)) && self.hash != [0; 32])
    }

    fn to_phc(&self) -> Secret<String> {
        let HashParams { memory_kib, iterations } = self.params;
        let (salt, hash) = (B64.encode(self.salt), B64.encode(self.hash));
        Secret::new(format!("$argon2id$v=19$m={memory_kib},t={iterations},p=1${salt}${hash}"))
    }

    fn from_phc(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("$argon2id$v=19$m=")?;
        let (memory, rest) = rest.split_once(",t=")?;
        let (iterations, rest) = rest.split_once(",p=1$")?;
        let (salt, hash) = rest.split_once('$')?;
        Some(Self {
            params: HashParams {
                memory_kib: memory.parse().ok()?,
                iterations: iterations.parse().ok()?,
            },
            salt: B64.decode(salt).ok()?.try_into().ok()?,
            hash: B64.decode(hash).ok()?.try_into().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: HashParams = HashParams { memory_kib: 64, iterations: 1 };
    const ANN: UserId = UserId::from_bytes([1; 16]);

    fn password(text: &str) -> Password {
        Password::new(text).unwrap()
    }

    #[test]
    fn a_hash_matches_its_password_and_no_other() {
        let hash = PasswordHash::create(&password("correct horse"), CHEAP).unwrap();
        assert_eq!(hash.verify(ANN, &password("correct horse")).unwrap().user(), ANN);
        assert!(hash.verify(ANN, &password("correct horsf")).is_none());
        assert!(hash.verify(ANN, &password("correct horse ")).is_none());
        assert!(PasswordHash::unmatched(CHEAP).verify(ANN, &password("x")).is_none());
    }

    #[test]
    fn a_hash_survives_being_written_and_read() {
        let hash = PasswordHash::create(&password("p"), CHEAP).unwrap();
        assert!(PasswordHash::from_phc(hash.to_phc().reveal()).unwrap() == hash);
        assert!(PasswordHash::from_phc("$argon2i$v=19$m=64,t=1,p=1$AA$AA").is_none());
        assert!(hash.is_current(CHEAP) && !hash.is_current(HashParams::default()));
    }

    #[test]
    fn a_long_password_counts_to_its_last_character_and_a_boundless_one_is_refused() {
        let long = "x".repeat(200);
        let hash = PasswordHash::create(&password(&long), CHEAP).unwrap();
        assert!(hash.verify(ANN, &password(&format!("{}y", &long[..199]))).is_none());
        assert!(Password::new(&"x".repeat(LONGEST + 1)).is_none());
        assert!(Password::new("").is_none());
    }

    #[test]
    fn a_password_is_the_same_on_every_keyboard() {
        let hash = PasswordHash::create(&password("Zo\u{eb}"), CHEAP).unwrap();
        assert!(hash.verify(ANN, &password("Zoe\u{308}")).is_some());
    }
}
