//! The options whose meaning the stack uses, as values.

use crate::seq::SeqNumber;

/// A range of sequence numbers, left edge included, right edge not (RFC 2018 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct SackBlock {
    /// First sequence number of the block.
    pub left: SeqNumber,
    /// The sequence number behind the block's last.
    pub right: SeqNumber,
}

/// Up to four SACK blocks, as many as fit a header.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct SackBlocks {
    blocks: [SackBlock; 4],
    len: u8,
}

impl SackBlocks {
    /// No blocks.
    #[must_use]
    pub const fn new() -> Self {
        let zero = SackBlock { left: SeqNumber(0), right: SeqNumber(0) };
        Self { blocks: [zero; 4], len: 0 }
    }

    /// Adds a block; returns false, and leaves it out, when there are four already.
    pub fn push(&mut self, block: SackBlock) -> bool {
        let Some(place) = self.blocks.get_mut(usize::from(self.len)) else { return false };
        *place = block;
        self.len += 1;
        true
    }

    /// The blocks in the order in which they stand.
    #[must_use]
    pub fn as_slice(&self) -> &[SackBlock] {
        &self.blocks[..usize::from(self.len)]
    }

    /// The first `n` of them, or all if there are fewer.
    #[must_use]
    pub fn first(&self, n: usize) -> Self {
        let mut first = Self::new();
        for block in self.as_slice().iter().take(n) {
            first.push(*block);
        }
        first
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl core::fmt::Debug for SackBlocks {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}

/// The timestamps option (RFC 7323 §3.2), both fields in the sender's and the echoer's ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Timestamps {
    /// TSval.
    pub value: u32,
    /// TSecr: meaningful only on a segment with ACK.
    pub echo: u32,
}

/// A Fast Open cookie (RFC 7413 §4.1.1): 4 to 16 bytes, an even number; empty in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct FastOpen {
    /// The cookie's bytes; those from `len` on are zero.
    pub cookie: [u8; 16],
    /// How many bytes of `cookie` count; 0 asks for a cookie.
    pub len: u8,
    /// Sent with the experimental option (kind 254, magic 0xF989) instead of kind 34.
    pub experimental: bool,
}

impl FastOpen {
    /// A cookie of 4 to 16 bytes and an even number of them, or a request if there are none;
    /// `None` for any other number (RFC 7413 §4.1.1).
    #[must_use]
    pub fn new(bytes: &[u8], experimental: bool) -> Option<Self> {
        let allowed = bytes.is_empty() || bytes.len() >= 4 && bytes.len().is_multiple_of(2);
        let mut cookie = [0; 16];
        cookie.get_mut(..bytes.len())?.copy_from_slice(bytes);
        allowed.then_some(Self { cookie, len: bytes.len() as u8, experimental })
    }

    /// The cookie's bytes; none in a request.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.cookie.get(..usize::from(self.len)).unwrap_or(&self.cookie)
    }
}

/// How the byte counters of [`AccEcn`] are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccEcnOrder {
    /// Kind 172: ECT(0), CE, ECT(1).
    Ect0First,
    /// Kind 174: ECT(1), CE, ECT(0).
    Ect1First,
}

/// Accurate ECN's byte counters (RFC 9768 §3.2.3), each of 24 bits, in the order in which they
/// stand. Those at the end may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AccEcn {
    /// Which counter is which.
    pub order: AccEcnOrder,
    /// The counters; behind a `None` there are no more.
    pub counters: [Option<u32>; 3],
}

/// The options of one header that this stack acts upon.
///
/// Others (MD5, AO, MPTCP, unknown kinds) are skipped here by their length octet and stay to
/// be seen in the raw header.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Options {
    /// Maximum segment size, in bytes.
    pub mss: Option<u16>,
    /// Window scale as sent, which may exceed the 14 that RFC 7323 §2.3 allows.
    pub window_scale: Option<u8>,
    /// Whether SACK is permitted.
    pub sack_permitted: bool,
    /// SACK blocks, a D-SACK first if there is one.
    pub sack: SackBlocks,
    /// Timestamps.
    pub timestamps: Option<Timestamps>,
    /// Fast Open cookie or request.
    pub fast_open: Option<FastOpen>,
    /// User timeout, the raw field: granularity bit and 15 bits (RFC 5482 §3).
    pub user_timeout: Option<u16>,
    /// Accurate ECN's byte counters.
    pub acc_ecn: Option<AccEcn>,
}

#[cfg(test)]
#[path = "options_tests.rs"]
mod tests;
