//! Reading and writing big-endian fields without an index that can fail.

use alloc::vec::Vec;

use bytes::BytesMut;
use smallvec::SmallVec;

use crate::error::{Cause, Layer, ParseError};

/// Where emitted bytes go, each piece behind the one before.
pub trait Put {
    /// Appends `bytes`.
    fn put(&mut self, bytes: &[u8]);
}

impl Put for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

impl<const N: usize> Put for SmallVec<[u8; N]> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

impl Put for BytesMut {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// The fixed part of a header, and what stands behind it.
pub(crate) fn split<const N: usize>(
    bytes: &[u8],
    layer: Layer,
) -> Result<(&[u8; N], &[u8]), ParseError> {
    bytes.split_first_chunk().ok_or_else(|| truncated(layer, N, bytes.len()))
}

/// The error of a header that needs more bytes than there are. It points behind the last one.
pub(crate) const fn truncated(layer: Layer, needed: usize, available: usize) -> ParseError {
    ParseError::new(layer, available, Cause::Truncated { needed, available })
}

/// `N` bytes of a fixed header from `AT` on. Reading past its end does not compile.
pub(crate) const fn part<const AT: usize, const N: usize, const L: usize>(
    bytes: &[u8; L],
) -> [u8; N] {
    const { assert!(AT + N <= L) };
    let mut part = [0; N];
    let mut i = 0;
    while i < N {
        part[i] = bytes[AT + i];
        i += 1;
    }
    part
}

/// The 16-bit field at `AT`.
pub(crate) const fn be16<const AT: usize, const L: usize>(bytes: &[u8; L]) -> u16 {
    u16::from_be_bytes(part::<AT, 2, L>(bytes))
}

/// The 32-bit field at `AT`.
pub(crate) const fn be32<const AT: usize, const L: usize>(bytes: &[u8; L]) -> u32 {
    u32::from_be_bytes(part::<AT, 4, L>(bytes))
}

/// Writes a 16-bit field into bytes that may be too few for it; returns whether they were not.
pub(crate) fn set_be16(bytes: &mut [u8], at: usize, value: u16) -> bool {
    let Some(field) = bytes.get_mut(at..).and_then(|b| b.first_chunk_mut()) else { return false };
    *field = value.to_be_bytes();
    true
}

/// The same for a 32-bit field.
pub(crate) fn set_be32(bytes: &mut [u8], at: usize, value: u32) -> bool {
    let Some(field) = bytes.get_mut(at..).and_then(|b| b.first_chunk_mut()) else { return false };
    *field = value.to_be_bytes();
    true
}
