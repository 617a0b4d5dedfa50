//! Chance that repeats itself from one seed.

use std::ops::RangeInclusive;
use std::time::Duration;

use rand_core::Rng;
use rand_pcg::Pcg64Mcg;

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Dice(Pcg64Mcg);

impl Dice {
    /// The stream that belongs to `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        // The generator's first numbers show how close two seeds are; hashed seeds are not.
        let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self(Pcg64Mcg::new(u128::from(z) << 64 | u128::from(seed)))
    }

    /// Any number: a seed for something that is to be independent.
    pub fn seed(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`; zero if that is zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// One of the numbers in `range`.
    pub fn within(&mut self, range: RangeInclusive<u64>) -> u64 {
        range.start() + self.below((range.end() - range.start()).saturating_add(1))
    }

    /// A number in `range`, small ones being as likely as large ones are by their number of
    /// digits.
    pub fn scaled(&mut self, range: RangeInclusive<u64>) -> u64 {
        let bits = |n: u64| u64::from(64 - n.leading_zeros());
        let width = self.within(bits(*range.start())..=bits(*range.end()));
        let most = (1u64 << width.min(63)) - 1;
        self.within(most / 2..=most).clamp(*range.start(), *range.end())
    }

    /// True `percent` times in a hundred.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A time of so many microseconds.
    pub fn micros(&mut self, range: RangeInclusive<u64>) -> Duration {
        Duration::from_micros(self.scaled(range))
    }

    /// One of `choices`, which are some.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// 32 random bytes: a host's secret.
    pub fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}
