//! What checking a hash takes, and what a sign-in can bear.
//!
//! Times are those of one core of a server of these years, as they were measured, rounded up. They
//! are what people wait for; whoever has a slower machine waits longer.

use super::{Digest, ForeignError, ForeignHash, Method};

/// The most memory, in bytes.
const MOST_MEMORY: u64 = 256 << 20;

/// The longest that a hash may take which is taken from elsewhere, in nanoseconds.
pub(super) const TAKEN: u64 = 1_250_000_000;

/// The same for those that are here: earlier versions took some that are slower.
pub(super) const KEPT: u64 = 4 * TAKEN;

/// What checking takes.
#[derive(Clone, Copy, Debug)]
pub(in crate::crypto) struct Price {
    /// Bytes at one time.
    pub(in crate::crypto) memory: u64,
    /// Nanoseconds, about.
    pub(in crate::crypto) time: u64,
}

impl Price {
    pub(super) const fn within(self, time: u64) -> Result<(), ForeignError> {
        if self.memory > MOST_MEMORY {
            return Err(ForeignError::Memory);
        }
        if self.time > time { Err(ForeignError::Time) } else { Ok(()) }
    }
}

impl ForeignHash {
    /// What checking it takes.
    pub(in crate::crypto) fn price(&self) -> Price {
        let product =
            |factors: &[u64]| factors.iter().fold(1_u64, |all, one| all.saturating_mul(*one));
        let two_to = |power: u32| 1_u64.checked_shl(power).unwrap_or(u64::MAX);
        let (memory, time) = match &self.method {
            Method::Argon2(_, params) => {
                let kib = u64::from(params.m_cost());
                (product(&[kib, 1024]), product(&[kib, params.t_cost().into(), 1_000]))
            }
            Method::Scrypt { log_n, r, p } => {
                let (r, p) = (u64::from(*r), u64::from(*p));
                let table = product(&[two_to((*log_n).into()), r, 128]);
                // What goes into the tables and comes out of them is hashed as well, which is most
                // of it where they are tiny.
                let hashed = product(&[r, p, 2_000]);
                let time = (product(&[table, p, 2_300]) >> 10).saturating_add(hashed);
                (table.max(product(&[r, p, 128])), time)
            }
            Method::Pbkdf2(digest, rounds) => {
                let (bytes, time) = match digest {
                    Digest::Sha1 => (20, 150),
                    Digest::Sha224 => (28, 150),
                    Digest::Sha256 => (32, 150),
                    Digest::Sha384 => (48, 450),
                    Digest::Sha512 => (64, 450),
                };
                let blocks = self.key.len().div_ceil(bytes) as u64;
                (0, product(&[(*rounds).into(), blocks, time]))
            }
            // Each round reads the password: the longest.
            Method::ShaCrypt { rounds, .. } => (0, product(&[(*rounds).into(), 1_900])),
            Method::Bcrypt(cost) | Method::BcryptOfHmac(cost) => {
                (0, product(&[two_to(*cost), 58_000]))
            }
        };
        Price { memory, time }
    }
}
