//! Recovery codes: what gets a person in who lost the authenticator.

use super::password::HashParams;
use super::random::{NoEntropy, random};
use crate::types::Secret;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Crockford's alphabet: no letter that is read as a digit.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// One code: 80 random bits, sixteen characters in four groups.
#[derive(Clone, Debug)]
pub struct RecoveryCode(Secret<String>);

impl RecoveryCode {
    fn generate() -> Result<Self, NoEntropy> {
        let bytes: [u8; 10] = random()?;
        let bits = bytes.iter().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        let symbol = |at: u32| {
            let index = usize::try_from(bits >> (75 - 5 * at) & 31).unwrap_or_default();
            char::from(ALPHABET.get(index).copied().unwrap_or(b'0'))
        };
        Ok(Self(Secret::new((0..16).map(symbol).collect())))
    }

    /// Reads what a person typed: case, dashes and spaces do not matter, nor do letters that look
    /// like digits. Nothing where it cannot be a code.
    pub fn parse(typed: &str) -> Option<Self> {
        let canonical: String = typed
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                c => c,
            })
            .collect();
        let fits = canonical.len() == 16 && canonical.bytes().all(|c| ALPHABET.contains(&c));
        fits.then(|| Self(Secret::new(canonical)))
    }

    /// `XXXX-XXXX-XXXX-XXXX`, to be shown once.
    pub fn reveal(&self) -> String {
        let groups: Vec<&str> =
            (0..4).filter_map(|g| self.0.reveal().get(g * 4..g * 4 + 4)).collect();
        groups.join("-")
    }
}

/// What the store keeps of one code.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecoveryDigest([u8; 32]);

impl RecoveryDigest {
    /// The bytes, for keys in the store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for RecoveryDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryDigest(…)")
    }
}

/// A person's codes as the store keeps them: one salt for all, so that a try costs one computation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoverySet {
    salt: [u8; 16],
    memory_kib: u32,
    iterations: u32,
    /// The codes that have not been used.
    pub digests: Vec<RecoveryDigest>,
}

impl RecoverySet {
    /// How many codes a set has when it is new.
    pub const SIZE: usize = 10;

    /// Makes new codes. Costs ten hashes: only ever in the hashing pool.
    pub fn generate(params: HashParams) -> Result<(Self, Vec<RecoveryCode>), NoEntropy> {
        let HashParams { memory_kib, iterations } = params;
        let mut set = Self { salt: random()?, memory_kib, iterations, digests: Vec::new() };
        let mut codes = Vec::with_capacity(Self::SIZE);
        for _ in 0..Self::SIZE {
            let code = RecoveryCode::generate()?;
            set.digests.push(set.digest(&code).ok_or(NoEntropy)?);
            codes.push(code);
        }
        Ok((set, codes))
    }

    /// The image of a typed code under this set's salt. Takes as long as hashing a password.
    pub fn digest(&self, code: &RecoveryCode) -> Option<RecoveryDigest> {
        let params = HashParams { memory_kib: self.memory_kib, iterations: self.iterations };
        params.derive(code.0.reveal().as_bytes(), &self.salt).map(RecoveryDigest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: HashParams = HashParams { memory_kib: 64, iterations: 1 };

    #[test]
    fn every_new_code_is_in_its_set_and_no_two_are_alike() {
        let (set, codes) = RecoverySet::generate(CHEAP).unwrap();
        assert_eq!(codes.len(), RecoverySet::SIZE);
        for code in &codes {
            let typed = RecoveryCode::parse(&code.reveal()).unwrap();
            assert!(set.digests.contains(&set.digest(&typed).unwrap()));
        }
        let mut texts: Vec<_> = codes.iter().map(RecoveryCode::reveal).collect();
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), RecoverySet::SIZE);
    }

    #[test]
    fn case_dashes_and_look_alikes_are_forgiven() {
        let code = RecoveryCode::parse("0123-4567-89AB-CDEF").unwrap();
        assert_eq!(code.reveal(), "0123-4567-89AB-CDEF");
        for typed in [
            "0123456789abcdef",
            " o1 23-4567-89ab-cdef",
            "Oi23 4567 89AB CDEF",
            "0l23-4567-89AB-CDEF",
        ] {
            assert_eq!(RecoveryCode::parse(typed).unwrap().reveal(), code.reveal(), "{typed}");
        }
        for bad in ["", "0123-4567-89AB-CDE", "0123-4567-89AB-CDEFF", "U123-4567-89AB-CDEF"] {
            assert!(RecoveryCode::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_code_of_another_person_is_in_no_other_set() {
        let (_, codes) = RecoverySet::generate(CHEAP).unwrap();
        let (other, _) = RecoverySet::generate(CHEAP).unwrap();
        assert!(codes.iter().all(|code| !other.digests.contains(&other.digest(code).unwrap())));
    }
}
