//! Chance that can be repeated.

use std::time::{SystemTime, UNIX_EPOCH};

/// Numbers from `IT_SEED` or else from the clock; it says which.
pub struct Chance(u64);

impl Chance {
    #[allow(clippy::disallowed_methods, reason = "another seed at each run, unless one is given")]
    pub fn new() -> Self {
        let given = std::env::var("IT_SEED").ok().map(|seed| seed.parse().expect("a number"));
        let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos().into();
        let seed: u64 = given.unwrap_or_else(clock);
        println!("IT_SEED={seed}");
        Self(seed | 1 << 40)
    }

    /// The next number below a bound (xorshift).
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}
