//! The Internet checksum (RFC 1071): whole, in pieces, and left unfinished for a device.

use core::net::IpAddr;
use core::ops::Add;

use crate::frame::PartialChecksum;
use crate::octets::set_be16;

/// A ones' complement sum of bytes, not complemented yet.
///
/// Sums add up in the order in which their bytes stand: behind an odd number of bytes the next
/// piece's bytes fall into the other half of the 16-bit words.
///
/// ```
/// use handclasp_wire::checksum::sum;
/// let whole = sum(b"hello, how are you ?");
/// assert_eq!((sum(b"hello") + sum(b", how are you ?")).finish(), whole.finish());
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct Sum {
    value: u16,
    odd: bool,
}

/// The sum of `bytes`.
pub fn sum(bytes: &[u8]) -> Sum {
    // A ones' complement sum is the same in either byte order but for a swap at the end
    // (RFC 1071 §2(B)), so native words do. Eight independent lanes let the compiler use
    // vector registers; a lane takes 2³² words before it could overflow.
    let mut lanes = [0u64; 8];
    let (blocks, rest) = bytes.as_chunks::<32>();
    for block in blocks {
        for (lane, word) in lanes.iter_mut().zip(block.as_chunks::<4>().0) {
            *lane += u64::from(u32::from_ne_bytes(*word));
        }
    }
    let (words, tail) = rest.as_chunks::<4>();
    let mut total: u64 = lanes.iter().map(|lane| (lane & 0xffff_ffff) + (lane >> 32)).sum();
    total += words.iter().map(|word| u64::from(u32::from_ne_bytes(*word))).sum::<u64>();
    let mut last = [0; 4];
    for (to, from) in last.iter_mut().zip(tail) {
        *to = *from;
    }
    total += u64::from(u32::from_ne_bytes(last));
    Sum { value: u16::from_be(fold(total)), odd: bytes.len() % 2 == 1 }
}

/// Adds the upper halves to the lower until 16 bits are left: carries go around the end.
const fn fold(mut total: u64) -> u16 {
    total = (total & 0xffff_ffff) + (total >> 32);
    total = (total & 0xffff) + ((total >> 16) & 0xffff) + (total >> 32);
    total = (total & 0xffff) + (total >> 16);
    total = (total & 0xffff) + (total >> 16);
    total as u16
}

/// The pseudo header's sum: addresses, protocol number and the length of transport header and
/// payload in bytes (RFC 9293 §3.1, RFC 8200 §8.1).
///
/// Zero bytes add nothing, so that one formula serves both families.
pub fn pseudo_header(src: IpAddr, dst: IpAddr, protocol: u8, len: u32) -> Sum {
    let address = |ip| match ip {
        IpAddr::V4(ip) => sum(&ip.octets()),
        IpAddr::V6(ip) => sum(&ip.octets()),
    };
    address(src) + address(dst) + word(u16::from(protocol)) + sum(&len.to_be_bytes())
}

/// Whether a transport header and its payload carry the checksum that fits them.
#[must_use]
pub fn verify(src: IpAddr, dst: IpAddr, protocol: u8, segment: &[u8]) -> bool {
    (pseudo_header(src, dst, protocol, segment.len() as u32) + sum(segment)).verifies()
}

const fn word(value: u16) -> Sum {
    Sum { value, odd: false }
}

impl Sum {
    /// The checksum: the complement, as it goes into the header.
    #[must_use]
    pub const fn finish(self) -> u16 {
        !self.value
    }

    /// The sum itself: what a checksum field holds when a device is to finish it.
    #[must_use]
    pub const fn partial(self) -> u16 {
        self.value
    }

    /// Whether a sum over bytes that include their checksum comes out right.
    #[must_use]
    pub const fn verifies(self) -> bool {
        self.value == 0xffff
    }
}

/// The sum of the left bytes followed by the right ones.
impl Add for Sum {
    type Output = Self;
    fn add(self, next: Self) -> Self {
        let aligned = if self.odd { next.value.swap_bytes() } else { next.value };
        let (value, carry) = self.value.overflowing_add(aligned);
        Self { value: value + u16::from(carry), odd: self.odd != next.odd }
    }
}

impl PartialChecksum {
    /// Byte offset of the checksum field from the start of the packet.
    #[must_use]
    pub const fn field(&self) -> usize {
        self.start as usize + self.offset as usize
    }

    /// What belongs into the field when everything from `start` on sums up to `sum`.
    ///
    /// A UDP checksum that comes out as zero is sent as its other form, all ones: zero says
    /// that there is none (RFC 768). UDP is told by where its field stands, as devices do.
    #[must_use]
    pub const fn value(&self, sum: Sum) -> u16 {
        match sum.finish() {
            0 if self.offset as usize == crate::udp::CHECKSUM_AT => 0xffff,
            value => value,
        }
    }
}

/// Does what a device was to do: finishes the checksum of a whole packet in place.
///
/// Returns false, and leaves the packet alone, when `partial` points outside of it.
#[must_use]
pub fn finish(packet: &mut [u8], partial: PartialChecksum) -> bool {
    let Some(summed) = packet.get(usize::from(partial.start)..) else { return false };
    let value = partial.value(sum(summed));
    set_be16(packet, partial.field(), value)
}

#[cfg(test)]
#[path = "checksum_tests.rs"]
mod tests;
