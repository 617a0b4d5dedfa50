//! Bytes that tell where in a stream they belong.
//!
//! A transfer is compared byte by byte with what was to be sent, without keeping either, and a
//! difference is known by its offset: lost, doubled, swapped or altered bytes all show.

use std::io;

/// An endless stream of bytes that a seed determines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pattern {
    seed: u64,
}

impl Pattern {
    /// The stream of `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Writes the stream's bytes from `offset` on.
    pub fn fill(self, offset: u64, out: &mut [u8]) {
        let (start, skip) = (offset / WORD, (offset % WORD) as usize);
        let head = out.len().min((WORD as usize - skip) % WORD as usize);
        let (head, rest) = out.split_at_mut(head);
        head.copy_from_slice(&self.word(start)[skip..][..head.len()]);
        let mut next = start + u64::from(skip > 0);
        let mut words = rest.chunks_exact_mut(WORD as usize);
        for word in &mut words {
            word.copy_from_slice(&self.word(next));
            next = next.wrapping_add(1);
        }
        let tail = words.into_remainder();
        tail.copy_from_slice(&self.word(next)[..tail.len()]);
    }

    /// Compares `bytes` with the stream from `offset` on.
    ///
    /// # Errors
    ///
    /// The offset in the stream of the first byte that differs.
    pub fn check(self, offset: u64, bytes: &[u8]) -> Result<(), u64> {
        let mut expected = [0; 4096];
        let mut at = offset;
        for chunk in bytes.chunks(expected.len()) {
            let expected = &mut expected[..chunk.len()];
            self.fill(at, expected);
            if expected != chunk {
                let same = expected.iter().zip(chunk).take_while(|(a, b)| a == b).count();
                return Err(at + same as u64);
            }
            at += chunk.len() as u64;
        }
        Ok(())
    }

    /// The first `len` bytes, to be read.
    #[must_use]
    pub const fn reader(self, len: u64) -> PatternReader {
        PatternReader { pattern: self, offset: 0, len }
    }

    /// Word `index` of the stream: the finishing step of SplitMix64.
    fn word(self, index: u64) -> [u8; WORD as usize] {
        let mut z = self.seed.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)).to_le_bytes()
    }
}

/// Bytes that are made together.
const WORD: u64 = 8;

/// The beginning of a [`Pattern`], to be read.
#[derive(Clone, Debug)]
pub struct PatternReader {
    pattern: Pattern,
    offset: u64,
    len: u64,
}

impl io::Read for PatternReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.len - self.offset).unwrap_or(usize::MAX);
        let count = buffer.len().min(left);
        self.pattern.fill(self.offset, &mut buffer[..count]);
        self.offset += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
#[path = "pattern_tests.rs"]
mod tests;
