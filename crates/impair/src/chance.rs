//! Chance that repeats itself from one seed.

use core::time::Duration;

use rand_core::Rng;
use rand_pcg::Pcg32;

/// One stream of random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Chance(Pcg32);

impl Chance {
    /// The stream of this number that belongs to `seed`.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        // Streams that start from the same state look alike; these start far apart.
        let apart = stream.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self(Pcg32::new(seed.wrapping_add(apart), stream))
    }

    /// True with this probability, from 0 to 1.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        // 53 bits are what a double holds exactly; the quotient is below 1, never 1.
        let drawn = (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        drawn < probability
    }

    /// A number below `bound`, zero if that is zero.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// A duration from `middle - spread` to `middle + spread`, every one being as likely. It is
    /// zero where it would be less.
    pub(crate) fn around(&mut self, middle: Duration, spread: Duration) -> Duration {
        // Half of what the type holds is 292 years.
        let nanos = u64::try_from(spread.as_nanos()).unwrap_or(u64::MAX).min(u64::MAX / 4);
        let offset = self.below(2 * nanos + 1);
        let latest = middle.saturating_add(Duration::from_nanos(offset));
        latest.saturating_sub(Duration::from_nanos(nanos))
    }
}

#[cfg(test)]
#[path = "chance_tests.rs"]
mod tests;
