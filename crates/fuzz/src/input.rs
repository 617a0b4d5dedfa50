//! Bytes as decisions.

use handclasp_wire::seq::SeqNumber;

/// What is left of the bytes. Where nothing is left everything is zero.
#[derive(Clone, Debug)]
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// Decisions from these bytes.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next `most` bytes, or those that are left.
    pub fn take(&mut self, most: usize) -> &'a [u8] {
        let (front, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        front
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// A number of one byte.
    pub fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    /// A number of two.
    pub fn short(&mut self) -> u16 {
        u16::from(self.byte()) << 8 | u16::from(self.byte())
    }

    /// A number of four.
    pub fn long(&mut self) -> u32 {
        u32::from(self.short()) << 16 | u32::from(self.short())
    }

    /// One of `n`.
    pub fn below(&mut self, n: u8) -> u8 {
        self.byte() % n.max(1)
    }

    /// Once in `n`.
    pub fn one_in(&mut self, n: u8) -> bool {
        self.below(n) == n - 1
    }

    /// A sequence number at `base`, near it, or anywhere.
    pub fn near(&mut self, base: SeqNumber) -> SeqNumber {
        match self.byte() {
            0..=127 => base,
            n @ 128..=183 => base + u32::from(n - 127),
            n @ 184..=223 => base - u32::from(n - 183),
            224..=239 => base + u32::from(self.short()),
            240..=247 => base - u32::from(self.short()),
            _ => SeqNumber(self.long()),
        }
    }
}
