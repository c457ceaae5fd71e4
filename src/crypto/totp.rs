//! Time-based one-time codes (RFC 6238).
//!
//! A code that matches is not yet a second factor: it yields a [`CodeMatched`] that names the
//! step, and only the store, which lets each step through once, turns that into a proof.

use super::random::{NoEntropy, random};
use crate::types::{Secret, Timestamp, UserId, Username};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::time::Duration;
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use totp_rs::{Algorithm, Builder, Totp};

/// The hash below the code. Many authenticator apps know SHA-1 alone, whatever they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TotpAlgorithm {
    /// HMAC-SHA-1
    #[serde(rename = "SHA1")]
    Sha1,
    /// HMAC-SHA-256
    #[serde(rename = "SHA256")]
    Sha256,
    /// HMAC-SHA-512
    #[serde(rename = "SHA512")]
    Sha512,
}

/// How codes are made. Kept beside each secret, so that changing the configuration does not
/// lock out those who enrolled before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotpParams {
    /// The hash.
    pub algorithm: TotpAlgorithm,
    /// Six, seven or eight.
    pub digits: u8,
    /// Seconds a code lasts.
    pub period: u32,
}

impl Default for TotpParams {
    fn default() -> Self {
        Self { algorithm: TotpAlgorithm::Sha1, digits: 6, period: 30 }
    }
}

/// The 160 bits an authenticator and the gateway share.
#[derive(Clone, Debug)]
pub struct TotpSecret {
    bytes: Secret<Vec<u8>>,
    params: TotpParams,
}

/// A code that matches a step of this person's secret. Made only by [`TotpSecret::check`].
#[must_use]
#[derive(Debug)]
pub struct CodeMatched {
    user: UserId,
    step: u64,
}

impl CodeMatched {
    /// Whose code it was.
    pub const fn user(&self) -> UserId {
        self.user
    }

    /// The step it belongs to.
    pub const fn step(&self) -> u64 {
        self.step
    }
}

/// How far away from now a code is that is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Distance {
    /// The step it belongs to.
    pub step: u64,
    /// How many steps that is from now; back, where it is negative.
    pub steps: i64,
    period: u32,
}

impl Distance {
    /// The same in seconds, whichever way.
    pub fn seconds(self) -> u64 {
        self.steps.unsigned_abs().saturating_mul(self.period.into())
    }
}

/// Why a code is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeError {
    /// It belongs to no step in reach.
    Wrong,
    /// It was right, but its step, or a later one, has been used.
    AlreadyUsed,
}

impl TotpSecret {
    /// The shortest secret that is taken: RFC 4226 demands 128 bits.
    const SHORTEST: usize = 16;

    /// Makes a new secret of 160 bits.
    pub fn generate(params: TotpParams) -> Result<Self, NoEntropy> {
        let bytes: [u8; 20] = random()?;
        Ok(Self { bytes: Secret::new(bytes.to_vec()), params })
    }

    /// Takes a stored secret; nothing where it is too short or the parameters make no sense.
    pub fn from_parts(bytes: Vec<u8>, params: TotpParams) -> Option<Self> {
        let usable =
            bytes.len() >= Self::SHORTEST && (6..=8).contains(&params.digits) && params.period > 0;
        usable.then(|| Self { bytes: Secret::new(bytes), params })
    }

    /// The bytes, to be sealed and stored.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.reveal()
    }

    /// How its codes are made.
    pub const fn params(&self) -> TotpParams {
        self.params
    }

    /// The last step whose code is taken at this moment.
    pub fn last_in_reach(&self, now: Timestamp, skew: u8) -> u64 {
        self.step_at(now).saturating_add(skew.into())
    }

    /// The step a moment lies in.
    fn step_at(&self, now: Timestamp) -> u64 {
        now.as_secs() / u64::from(self.params.period.max(1))
    }

    /// Looks for the step a code belongs to, `skew` steps around now. Every step in reach is
    /// computed and compared in full, whichever matches.
    pub fn check(
        &self,
        user: UserId,
        code: &str,
        now: Timestamp,
        skew: u8,
        last_used: Option<u64>,
    ) -> Result<CodeMatched, CodeError> {
        let typed: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let (totp, centre) = (self.totp(), self.step_at(now));
        let (mut found, mut matched) = (Choice::from(0), 0);
        for step in centre.saturating_sub(skew.into())..=centre.saturating_add(skew.into()) {
            let expected = self.code_of(&totp, step);
            let same = expected.as_bytes().ct_eq(typed.as_bytes());
            matched = u64::conditional_select(&matched, &step, same);
            found |= same;
        }
        if !bool::from(found) {
            return Err(CodeError::Wrong);
        }
        if last_used.is_some_and(|last| matched <= last) {
            return Err(CodeError::AlreadyUsed);
        }
        Ok(CodeMatched { user, step: matched })
    }

    /// Where in time a code belongs that is wrong now, if that is within reach: the nearest, and
    /// found as slowly as not.
    pub fn distance(&self, code: &str, now: Timestamp, reach: Duration) -> Option<Distance> {
        let typed: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let (totp, centre, period) = (self.totp(), self.step_at(now), self.params.period.max(1));
        let most = i64::try_from(reach.as_secs() / u64::from(period)).unwrap_or_default();
        let (mut found, mut nearest) = (Choice::from(0), 0);
        for steps in (1..=most).rev().flat_map(|steps| [-steps, steps]) {
            let expected = self.code_of(&totp, centre.saturating_add_signed(steps));
            let same = expected.as_bytes().ct_eq(typed.as_bytes());
            nearest = i64::conditional_select(&nearest, &steps, same);
            found |= same;
        }
        let step = centre.saturating_add_signed(nearest);
        bool::from(found).then_some(Distance { step, steps: nearest, period })
    }

    fn code_of(&self, totp: &Totp, step: u64) -> String {
        let token = totp.generate(step.saturating_mul(self.params.period.into()));
        let mut code = String::with_capacity(8);
        // Writing to a String does not fail.
        let _ = write!(code, "{token}");
        code
    }

    /// The code at a moment, as an authenticator would show it.
    pub fn code_at(&self, now: Timestamp) -> String {
        self.code_of(&self.totp(), self.step_at(now))
    }

    /// The secret as people type it: base32 in groups of four.
    pub fn as_text(&self) -> Secret<String> {
        let base32 = totp_rs::Secret::from(self.bytes()).to_base32();
        let mut text = String::with_capacity(base32.len() * 5 / 4);
        for (at, c) in base32.chars().enumerate() {
            if at > 0 && at % 4 == 0 {
                text.push(' ');
            }
            text.push(c);
        }
        Secret::new(text)
    }

    /// The `otpauth://` address that an authenticator reads from the picture.
    pub fn provisioning_uri(&self, issuer: &str, account: &Username) -> Secret<String> {
        // A colon separates issuer and account in the address and can be in neither.
        let issuer = issuer.replace(':', " ");
        let totp = self
            .builder()
            .with_issuer(Some(issuer))
            .with_account_name(account.as_str())
            .build_noncompliant();
        Secret::new(totp.to_url().unwrap_or_default())
    }

    fn totp(&self) -> Totp {
        self.builder().build_noncompliant()
    }

    fn builder(&self) -> Builder {
        let algorithm = match self.params.algorithm {
            TotpAlgorithm::Sha1 => Algorithm::SHA1,
            TotpAlgorithm::Sha256 => Algorithm::SHA256,
            TotpAlgorithm::Sha512 => Algorithm::SHA512,
        };
        Builder::new()
            .with_algorithm(algorithm)
            .with_digits(self.params.digits)
            .with_step_duration(self.params.period.into())
            .with_secret(self.bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: UserId = UserId::from_bytes([1; 16]);

    fn rfc_secret() -> TotpSecret {
        let params = TotpParams { digits: 8, ..TotpParams::default() };
        TotpSecret::from_parts(b"12345678901234567890".to_vec(), params).unwrap()
    }

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn the_examples_of_rfc_6238_match() {
        for (secs, code) in
            [(59, "94287082"), (1_111_111_109, "07081804"), (20_000_000_000, "65353130")]
        {
            assert_eq!(rfc_secret().code_at(at(secs)), code);
            assert!(rfc_secret().check(ANN, code, at(secs), 0, None).is_ok());
        }
    }

    #[test]
    fn a_code_is_taken_one_step_early_or_late_and_no_further() {
        let secret = rfc_secret();
        let code = secret.code_at(at(3000));
        for (now, fits) in [(2940, false), (2970, true), (3000, true), (3059, true), (3060, false)]
        {
            assert_eq!(secret.check(ANN, &code, at(now), 1, None).is_ok(), fits, "at {now}");
        }
    }

    #[test]
    fn a_used_step_and_every_earlier_one_is_refused() {
        let secret = rfc_secret();
        let (early, late) = (secret.code_at(at(3000)), secret.code_at(at(3030)));
        let matched = secret.check(ANN, &late, at(3030), 1, None).unwrap();
        let last = Some(matched.step());
        assert_eq!(secret.check(ANN, &late, at(3030), 1, last).err(), Some(CodeError::AlreadyUsed));
        assert_eq!(
            secret.check(ANN, &early, at(3030), 1, last).err(),
            Some(CodeError::AlreadyUsed)
        );
        assert!(secret.check(ANN, &secret.code_at(at(3060)), at(3060), 1, last).is_ok());
    }

    #[test]
    fn how_far_away_a_wrong_code_is_can_be_found_within_reach() {
        let (secret, reach) = (rfc_secret(), Duration::from_secs(600));
        let away = |from: u64| secret.distance(&secret.code_at(at(from)), at(3000), reach);
        for (from, steps, seconds) in [(2700, -10, 300), (3305, 10, 300), (2400, -20, 600)] {
            let found = away(from).unwrap();
            assert_eq!((found.steps, found.seconds()), (steps, seconds), "from {from}");
            assert_eq!(found.step, from / 30);
        }
        assert_eq!((away(2370), away(3630)), (None, None));
        assert_eq!(secret.distance("12345678", at(3000), reach), None);
    }

    #[test]
    fn spaces_are_forgiven_and_other_lengths_are_not() {
        let secret = rfc_secret();
        assert!(secret.check(ANN, " 9428 7082 ", at(59), 0, None).is_ok());
        for bad in ["", "9428708", "942870820", "94287o82", "９４２８７０８２"] {
            assert_eq!(
                secret.check(ANN, bad, at(59), 0, None).err(),
                Some(CodeError::Wrong),
                "{bad}"
            );
        }
    }

    #[test]
    fn an_empty_or_short_secret_is_refused() {
        assert!(TotpSecret::from_parts(Vec::new(), TotpParams::default()).is_none());
        assert!(TotpSecret::from_parts(vec![1; 15], TotpParams::default()).is_none());
    }

    #[test]
    fn the_provisioning_address_names_issuer_and_account() {
        let ann = Username::parse("ann").unwrap();
        let uri = rfc_secret().provisioning_uri("Acme: Ops", &ann);
        assert!(uri.reveal().starts_with("otpauth://totp/"), "{}", uri.reveal());
        assert!(uri.reveal().contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"));
        assert_eq!(rfc_secret().as_text().reveal(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
    }
}
