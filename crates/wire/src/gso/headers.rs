//! The fields that change when a packet's payload is cut or grows.

use core::net::IpAddr;

use smallvec::SmallVec;

use crate::checksum::{self, pseudo_header, sum};
use crate::frame::{INLINE_HEADER, PartialChecksum};
use crate::ip::protocol;
use crate::octets::{set_be16, set_be32};
use crate::packet::{Layout, Net, Packet, Transport};
use crate::tcp::header::Flags;
use crate::{tcp, udp};

/// Byte offsets in the IPv4 header.
mod ipv4 {
    pub(super) const TOTAL_LENGTH: usize = 2;
    pub(super) const IDENTIFICATION: usize = 4;
    pub(super) const CHECKSUM: usize = 10;
}

/// Byte offset of the payload length in the IPv6 header.
const IPV6_PAYLOAD_LENGTH: usize = 4;
/// Bytes of the IPv6 header, which its payload length does not count.
const IPV6_HEADER: usize = crate::ipv6::Ipv6::HEADER_LEN;

/// Byte offset of the length in the UDP header, which counts that header.
const UDP_LENGTH: usize = 4;

/// Byte offset of the sequence number in the TCP header.
pub(super) const SEQ_AT: usize = 4;
/// Byte offset of the data offset and the flags in the TCP header.
const FLAGS_AT: usize = 12;

/// Replaces the flags of the TCP header that starts at `transport`.
pub(super) fn set_flags(packet: &mut [u8], transport: usize, flags: Flags) {
    if let Some([high, low]) =
        packet.get_mut(transport + FLAGS_AT..).and_then(<[u8]>::first_chunk_mut)
    {
        let [ae, others] = flags.bits().to_be_bytes();
        (*high, *low) = (*high & !1 | ae, others);
    }
}

/// What of a packet's headers depends on its length, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Headers {
    pub(super) layout: Layout,
    src: IpAddr,
    dst: IpAddr,
    protocol: u8,
    checksum: PartialChecksum,
    /// IPv4's identification.
    pub(super) identification: u16,
}

impl Headers {
    /// Those of a TCP or UDP packet.
    pub(super) fn of(packet: &Packet<'_>) -> Option<Self> {
        let (protocol, checksum_at) = match packet.transport {
            Transport::Tcp(tcp) if tcp.whole().is_ok() => (protocol::TCP, tcp::view::CHECKSUM_AT),
            Transport::Udp(udp) if udp.checksum() != 0 => (protocol::UDP, udp::CHECKSUM_AT),
            _ => return None,
        };
        let identification = match packet.net {
            Net::Ipv4(ip) => ip.identification(),
            _ => 0,
        };
        let (src, dst) = packet.addresses()?;
        let start = u16::try_from(packet.layout.transport).ok()?;
        let checksum = PartialChecksum { start, offset: checksum_at as u16 };
        Some(Self { layout: packet.layout, src, dst, protocol, checksum, identification })
    }

    /// Makes the IP and UDP headers fit a packet of this length that is the `nth` of several,
    /// and puts the pseudo header's sum where the transport checksum belongs.
    pub(super) fn fit(&self, packet: &mut [u8], nth: u16) {
        let net = self.layout.net;
        // A length field that cannot hold the length stays at its most, as when emitting.
        let ip_len = packet.len().saturating_sub(net);
        if self.src.is_ipv4() {
            set_be16(packet, net + ipv4::TOTAL_LENGTH, ip_len.min(0xffff) as u16);
            let identification = self.identification.wrapping_add(nth);
            set_be16(packet, net + ipv4::IDENTIFICATION, identification);
            set_be16(packet, net + ipv4::CHECKSUM, 0);
            let header = packet.get(self.layout.net()).unwrap_or_default();
            let checksum = sum(header).finish();
            set_be16(packet, net + ipv4::CHECKSUM, checksum);
        } else {
            let payload = ip_len.saturating_sub(IPV6_HEADER);
            set_be16(packet, net + IPV6_PAYLOAD_LENGTH, payload.min(0xffff) as u16);
        }
        let transport_len = packet.len().saturating_sub(self.layout.transport) as u32;
        if self.protocol == protocol::UDP {
            set_be16(packet, self.layout.transport + UDP_LENGTH, transport_len as u16);
        }
        let seed = pseudo_header(self.src, self.dst, self.protocol, transport_len).partial();
        set_be16(packet, self.checksum.field(), seed);
    }

    /// Copies the headers with zeros in place of what may differ between segments that are to be
    /// joined.
    pub(super) fn blank(&self, packet: &[u8]) -> SmallVec<[u8; INLINE_HEADER]> {
        let mut headers =
            SmallVec::from_slice(packet.get(..self.layout.payload).unwrap_or_default());
        let (net, transport) = (self.layout.net, self.layout.transport);
        if self.src.is_ipv4() {
            for field in [ipv4::TOTAL_LENGTH, ipv4::IDENTIFICATION, ipv4::CHECKSUM] {
                set_be16(&mut headers, net + field, 0);
            }
        } else {
            set_be16(&mut headers, net + IPV6_PAYLOAD_LENGTH, 0);
        }
        set_be32(&mut headers, transport + SEQ_AT, 0);
        set_be16(&mut headers, self.checksum.field(), 0);
        headers
    }

    /// Finishes the transport checksum of a packet that was made to [`fit`](Self::fit).
    pub(super) fn finish(&self, packet: &mut [u8]) {
        // The checksum field is within the headers that were parsed.
        let _within = checksum::finish(packet, self.checksum);
    }
}
