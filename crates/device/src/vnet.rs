//! The virtio-net header that stands before each packet of a TUN interface or packet socket.
//!
//! It tells what offload left undone: a checksum to finish, a large segment to cut. This is the
//! ten-byte form that both use by default, in the byte order of the machine ("legacy" in the
//! words of virtio 1.2 §5.1.6.1).

use handclasp_wire::frame::{Inbound, Medium, Outbound, RxChecksum};

use bytes::Bytes;

/// Bytes of the header.
pub const LEN: usize = 10;

const NEEDS_CSUM: u8 = 1;
const DATA_VALID: u8 = 2;

const GSO_NONE: u8 = 0;
const GSO_TCPV4: u8 = 1;
const GSO_TCPV6: u8 = 4;
const GSO_UDP_L4: u8 = 5;
/// Set beside a TCP kind when the segment has CWR, which only the first piece may keep.
const GSO_ECN: u8 = 0x80;

/// What a large packet is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gso {
    /// It is not large.
    None,
    /// TCP segments over IPv4.
    TcpV4,
    /// TCP segments over IPv6.
    TcpV6,
    /// UDP datagrams, over either.
    Udp,
    /// Something that this crate never asked for.
    Other(u8),
}

/// A virtio-net header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The transport checksum is to be finished: from `csum_start` to the end of the packet,
    /// into the two bytes at `csum_start + csum_offset`.
    pub needs_checksum: bool,
    /// The transport checksum was found to be right.
    pub checksum_valid: bool,
    /// What a large packet is made of.
    pub gso: Gso,
    /// The large TCP segment carries CWR.
    pub ecn: bool,
    /// Bytes of all headers: a hint.
    pub header_len: u16,
    /// Bytes of payload in each piece of a large packet.
    pub gso_size: u16,
    /// Where the checksum begins.
    pub csum_start: u16,
    /// Where the checksum goes, counted from `csum_start`.
    pub csum_offset: u16,
}

impl Header {
    /// The header of a packet that is complete as it is.
    pub const PLAIN: Self = Self {
        needs_checksum: false,
        checksum_valid: false,
        gso: Gso::None,
        ecn: false,
        header_len: 0,
        gso_size: 0,
        csum_start: 0,
        csum_offset: 0,
    };

    /// Reads a header.
    #[must_use]
    pub fn parse(bytes: [u8; LEN]) -> Self {
        let field = |at: usize| u16::from_ne_bytes([bytes[at], bytes[at + 1]]);
        let gso = match bytes[1] & !GSO_ECN {
            GSO_NONE => Gso::None,
            GSO_TCPV4 => Gso::TcpV4,
            GSO_TCPV6 => Gso::TcpV6,
            GSO_UDP_L4 => Gso::Udp,
            other => Gso::Other(other),
        };
        Self {
            needs_checksum: bytes[0] & NEEDS_CSUM != 0,
            checksum_valid: bytes[0] & DATA_VALID != 0,
            gso,
            ecn: bytes[1] & GSO_ECN != 0,
            header_len: field(2),
            gso_size: field(4),
            csum_start: field(6),
            csum_offset: field(8),
        }
    }

    /// Writes the header.
    #[must_use]
    pub fn emit(&self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        bytes[0] |= if self.needs_checksum { NEEDS_CSUM } else { 0 };
        bytes[0] |= if self.checksum_valid { DATA_VALID } else { 0 };
        bytes[1] = match self.gso {
            Gso::None => GSO_NONE,
            Gso::TcpV4 => GSO_TCPV4,
            Gso::TcpV6 => GSO_TCPV6,
            Gso::Udp => GSO_UDP_L4,
            Gso::Other(kind) => kind & !GSO_ECN,
        };
        bytes[1] |= if self.ecn { GSO_ECN } else { 0 };
        bytes[2..4].copy_from_slice(&self.header_len.to_ne_bytes());
        bytes[4..6].copy_from_slice(&self.gso_size.to_ne_bytes());
        bytes[6..8].copy_from_slice(&self.csum_start.to_ne_bytes());
        bytes[8..10].copy_from_slice(&self.csum_offset.to_ne_bytes());
        bytes
    }

    /// The header that has the kernel do what `packet` leaves undone; `None` if it asks for
    /// what no header can say: to be cut without being TCP over IP, or to be cut while its
    /// checksum is complete (the pieces' would be wrong).
    #[must_use]
    pub fn for_packet(packet: &Outbound, medium: Medium) -> Option<Self> {
        let Some(partial) = packet.checksum else {
            return packet.segment_size.is_none().then_some(Self::PLAIN);
        };
        let mut header = Self {
            needs_checksum: true,
            csum_start: partial.start,
            csum_offset: partial.offset,
            ..Self::PLAIN
        };
        // A packet that fits in one piece is not large, whatever was asked, and the kernel
        // refuses one that says it is.
        let Some(size) = packet.segment_size.filter(|&s| packet.payload_len() > s.into()) else {
            return Some(header);
        };
        header.gso = match ip_version(&packet.header, medium)? {
            4 => Gso::TcpV4,
            6 => Gso::TcpV6,
            _ => return None,
        };
        header.gso_size = size;
        header.header_len = u16::try_from(packet.header.len()).ok()?;
        // The flags of a TCP header stand in its byte 13; CWR is the highest of them.
        header.ecn = *packet.header.get(usize::from(partial.start) + 13)? & 0x80 != 0;
        Some(header)
    }

    /// The packet `data`, with what this header says of it.
    #[must_use]
    pub fn annotate(&self, data: Bytes) -> Inbound {
        let checksum = if self.needs_checksum || self.checksum_valid {
            RxChecksum::Trusted
        } else {
            RxChecksum::Unknown
        };
        let segment_size = (self.gso != Gso::None).then_some(self.gso_size).filter(|&s| s > 0);
        Inbound { data, checksum, segment_size }
    }
}

/// The version field of the IP header in `header`, whatever VLAN tags stand before it.
fn ip_version(header: &[u8], medium: Medium) -> Option<u8> {
    let at = match medium {
        Medium::Ip => 0,
        Medium::Ethernet => {
            let mut at = 14;
            while let [0x81, 0x00] | [0x88, 0xa8] = *header.get(at - 2..at)? {
                at += 4;
            }
            at
        }
    };
    header.get(at).map(|first| first >> 4)
}

#[cfg(test)]
#[path = "vnet_tests.rs"]
mod tests;
