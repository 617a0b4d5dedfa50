//! A short run: kept inputs, and what chance makes of them.

/// Chance that repeats itself from one seed: Marsaglia's xorshift.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The stream that belongs to `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `n`, which is not zero.
    pub const fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

/// What a byte is often replaced with: where numbers turn over, and what parsers look for.
const TELLING: [u8; 12] = [0, 1, 2, 8, 0x45, 0x60, 0x7f, 0x80, 0xfe, 0xff, b' ', b'<'];

/// A changed copy of `input`, with a piece of `other` in it now and then.
#[must_use]
pub fn changed(dice: &mut Dice, input: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        match dice.below(7) {
            0 | 1 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            2 if at < bytes.len() => bytes[at] = TELLING[dice.below(TELLING.len())],
            3 => bytes.truncate(at),
            4 => bytes.insert(at, dice.below(256) as u8),
            5 if at < bytes.len() => {
                let end = (at + 1 + dice.below(16)).min(bytes.len());
                bytes.drain(at..end);
            }
            _ => {
                let from = dice.below(other.len() + 1);
                let to = (from + dice.below(32)).min(other.len());
                bytes.splice(at..at, other[from..to].iter().copied());
            }
        }
    }
    bytes.truncate(4096);
    bytes
}
