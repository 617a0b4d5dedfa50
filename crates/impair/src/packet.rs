//! What a link carries.

use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};
use handclasp_wire::frame::Medium;
use handclasp_wire::ip::Ecn;

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

    /// Marks an ECN-capable packet as having met congestion (RFC 3168 §5). Returns whether it
    /// was one, and had no mark yet.
    fn mark(&mut self, medium: Medium) -> bool;
}

/// Where the IP header begins.
fn network_header(bytes: &[u8], medium: Medium) -> usize {
    let mut at = match medium {
        Medium::Ip => return 0,
        Medium::Ethernet => 12,
    };
    // VLAN tags (IEEE 802.1Q).
    while let Some([0x81, 0x00] | [0x88, 0xa8]) = bytes.get(at..at + 2) {
        at += 4;
    }
    at + 2
}

/// The bytes of a packet with a mark; `None` if it cannot have one.
fn marked(bytes: &[u8], medium: Medium) -> Option<BytesMut> {
    let at = network_header(bytes, medium);
    let first = u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?);
    // The traffic class of IPv6 stands four bits further left.
    let shift = match first >> 12 {
        4 => 0,
        6 => 4,
        _ => return None,
    };
    if !matches!(Ecn::from_bits((first >> shift) as u8), Ecn::Ect0 | Ecn::Ect1) {
        return None;
    }
    let now = first | (Ecn::Ce as u16) << shift;
    let mut own = BytesMut::from(bytes);
    own.get_mut(at..at + 2)?.copy_from_slice(&now.to_be_bytes());
    if shift == 0 {
        // RFC 1624 §3: what the header's sum becomes.
        let sum = own.get_mut(at + 10..at + 12)?;
        let before = u16::from_be_bytes([sum[0], sum[1]]);
        let total = u32::from(!before) + u32::from(!first) + u32::from(now);
        let folded = (total & 0xffff) + (total >> 16);
        sum.copy_from_slice(&(!((folded + (folded >> 16)) as u16)).to_be_bytes());
    }
    Some(own)
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

    fn mark(&mut self, medium: Medium) -> bool {
        let marked = marked(self, medium);
        marked.map(|bytes| *self = bytes.to_vec()).is_some()
    }

    fn corrupt(&mut self, bit: usize) {
        flip(self, bit);
    }
}

impl Packet for BytesMut {
    fn len(&self) -> usize {
        self.as_ref().len()
    }

    fn mark(&mut self, medium: Medium) -> bool {
        marked(self, medium).map(|bytes| *self = bytes).is_some()
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

    fn mark(&mut self, medium: Medium) -> bool {
        marked(self, medium).map(|bytes| *self = bytes.freeze()).is_some()
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
