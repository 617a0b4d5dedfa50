//! A packet on its way between a device and a stack, with what offload left undone.

use bytes::Bytes;
use smallvec::SmallVec;

use crate::checksum::{Sum, sum};
use crate::octets::set_be16;

/// What a device's packets start with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Medium {
    /// An Ethernet header.
    Ethernet,
    /// An IPv4 or IPv6 header.
    Ip,
}

/// What is known of a received packet's transport checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum RxChecksum {
    /// Nothing: verify it.
    #[default]
    Unknown,
    /// The link vouches for the content: either it verified the sum, or the packet never left
    /// the machine and the sum in it is unfinished.
    Trusted,
}

/// A checksum that the device is to finish: the ones' complement sum of everything from
/// `start` on goes to `start + offset`, where the pseudo header's sum already stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartialChecksum {
    /// Byte offset of the first byte that is summed, from the start of the packet.
    pub start: u16,
    /// Byte offset of the checksum field, from `start`.
    pub offset: u16,
}

/// A received packet: from the Ethernet header on, or from the IP header on, as the device's
/// medium has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbound {
    /// The bytes. A coalesced packet (GRO) is one IP packet of up to 65,535 bytes whose total
    /// length field covers all of it.
    pub data: Bytes,
    /// What is known of its transport checksum.
    pub checksum: RxChecksum,
    /// Payload bytes of each original segment, if several were coalesced into this packet.
    pub segment_size: Option<u16>,
}

impl Inbound {
    /// A packet of which nothing but its bytes is known.
    #[must_use]
    pub fn new(data: Bytes) -> Self {
        Self { data, checksum: RxChecksum::Unknown, segment_size: None }
    }
}

/// The most header bytes an [`Outbound`] packet holds without allocating: Ethernet with one
/// VLAN tag (18), IPv6 (40) and a full TCP header (60), rounded up.
pub const INLINE_HEADER: usize = 128;

/// A packet to send: headers, then the payload as slices that are written behind each other.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Outbound {
    /// All headers, link header first if the medium has one.
    pub header: SmallVec<[u8; INLINE_HEADER]>,
    /// The payload, not copied from where the sender keeps it.
    pub payload: SmallVec<[Bytes; 4]>,
    /// What the device must add to the transport checksum; `None` if it is complete.
    pub checksum: Option<PartialChecksum>,
    /// Cut the payload into TCP segments of this many bytes (TSO); `None` sends it as it is.
    pub segment_size: Option<u16>,
}

impl Outbound {
    /// Bytes of payload.
    #[must_use]
    pub fn payload_len(&self) -> usize {
        self.payload.iter().map(Bytes::len).sum()
    }

    /// Bytes in all, headers included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.header.len() + self.payload_len()
    }

    /// Whether there is not one byte in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Finishes the transport checksum where the device does not.
    ///
    /// Returns false, and changes nothing, when `checksum` points outside of the headers.
    #[must_use]
    pub fn finish_checksum(&mut self) -> bool {
        let Some(partial) = self.checksum else { return true };
        let Some(summed) = self.header.get(usize::from(partial.start)..) else { return false };
        let total = self.payload.iter().fold(sum(summed), |total: Sum, part| total + sum(part));
        if !set_be16(&mut self.header, partial.field(), partial.value(total)) {
            return false;
        }
        self.checksum = None;
        true
    }
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
