//! The packet that an ICMP error is about, as far as the error quotes it.

use core::net::IpAddr;

use crate::error::ParseError;
use crate::ip::{self, protocol};
use crate::ipv4::Ipv4View;
use crate::ipv6::Ipv6View;
use crate::octets::{be16, be32};
use crate::seq::SeqNumber;

/// What a quotation says of the packet: we sent it, so that `src` is our end.
///
/// A router need not quote more than eight bytes behind IPv4's header (RFC 792): ports and
/// sequence number, no more of TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quoted<'a> {
    /// Who sent the packet.
    pub src: IpAddr,
    /// Who it was for.
    pub dst: IpAddr,
    /// The protocol behind IP's headers.
    pub protocol: u8,
    /// What is there of that protocol; nothing, unless it is the packet's first fragment.
    pub transport: &'a [u8],
}

impl<'a> Quoted<'a> {
    /// Reads a quotation.
    ///
    /// # Errors
    /// If not even IP's headers are whole.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        match ip::version(bytes) {
            Some(6) => {
                let packet = Ipv6View::parse_truncated(bytes)?;
                let upper = packet.upper()?;
                let first = upper.fragment.is_none_or(|fragment| fragment.offset == 0);
                Ok(Self {
                    src: IpAddr::V6(packet.src()),
                    dst: IpAddr::V6(packet.dst()),
                    protocol: upper.protocol,
                    transport: if first { upper.payload } else { &[] },
                })
            }
            Some(4) => {
                let packet = Ipv4View::parse_truncated(bytes)?;
                let first = packet.fragment_offset() == 0;
                Ok(Self {
                    src: IpAddr::V4(packet.src()),
                    dst: IpAddr::V4(packet.dst()),
                    protocol: packet.protocol(),
                    transport: if first { packet.payload() } else { &[] },
                })
            }
            version => Err(ip::version_error(version)),
        }
    }

    /// Source and destination port, if the protocol has them and they are quoted.
    #[must_use]
    pub fn ports(&self) -> Option<(u16, u16)> {
        let ports: &[u8; 4] = self.transport.first_chunk()?;
        matches!(self.protocol, protocol::TCP | protocol::UDP)
            .then(|| (be16::<0, _>(ports), be16::<2, _>(ports)))
    }

    /// `seg.seq` of the packet, if it was TCP and quotes that much: what RFC 5927 §4.1 checks.
    #[must_use]
    pub fn tcp_seq(&self) -> Option<SeqNumber> {
        let start: &[u8; 8] = self.transport.first_chunk()?;
        (self.protocol == protocol::TCP).then(|| SeqNumber(be32::<4, _>(start)))
    }
}

#[cfg(test)]
#[path = "quote_tests.rs"]
mod tests;
