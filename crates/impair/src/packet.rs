//! What a link carries.

use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

/// A packet, as far as a link is concerned with it.
pub trait Packet: Clone {
    /// Bytes that it takes on the line.
    fn len(&self) -> usize;

    /// Whether it takes none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Flips a bit: number 0 is the first byte's lowest one. A bit behind the last changes
    /// nothing.
    fn corrupt(&mut self, bit: usize);
}

fn flip(bytes: &mut [u8], bit: usize) {
    if let Some(byte) = bytes.get_mut(bit / 8) {
        *byte ^= 1 << (bit % 8);
    }
}

impl Packet for Vec<u8> {
    fn len(&self) -> usize {
        self.as_slice().len()
    }

    fn corrupt(&mut self, bit: usize) {
        flip(self, bit);
    }
}

impl Packet for BytesMut {
    fn len(&self) -> usize {
        self.as_ref().len()
    }

    fn corrupt(&mut self, bit: usize) {
        flip(self, bit);
    }
}

/// Shared bytes are copied first, so that nobody else sees the change.
impl Packet for Bytes {
    fn len(&self) -> usize {
        self.as_ref().len()
    }

    fn corrupt(&mut self, bit: usize) {
        let mut own = BytesMut::from(core::mem::take(self));
        flip(&mut own, bit);
        *self = own.freeze();
    }
}

#[cfg(test)]
#[path = "packet_tests.rs"]
mod tests;
