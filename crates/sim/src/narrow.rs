//! A place on the way that carries less than the links on both sides of it.

use std::net::IpAddr;

use bytes::Bytes;
use handclasp_wire::ethernet::Ethernet;
use handclasp_wire::frame::Medium;
use handclasp_wire::icmpv4::{Icmpv4, unreachable};
use handclasp_wire::icmpv6::Icmpv6;
use handclasp_wire::ip::protocol;
use handclasp_wire::ipv4::Ipv4;
use handclasp_wire::ipv6::Ipv6;
use handclasp_wire::packet::Packet;

/// What an ICMP error quotes: with its headers it fits everywhere (RFC 1812 §4.3.2.3,
/// RFC 4443 §2.4 (c)).
const QUOTED_V4: usize = 576 - 20 - 8;
const QUOTED_V6: usize = 1280 - 40 - 8;

/// The place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Narrow {
    /// Bytes of the largest IP packet.
    pub(crate) mtu: u16,
    /// Who tells senders; nobody does if the place is a black hole.
    pub(crate) router: Option<IpAddr>,
}

impl Narrow {
    /// Whether a packet of so many bytes passes.
    pub(crate) fn carries(&self, ip_len: usize) -> bool {
        ip_len <= usize::from(self.mtu)
    }

    /// What the router answers to the sender of a packet that does not pass.
    pub(crate) fn complaint(&self, packet: &[u8], medium: Medium) -> Option<Bytes> {
        let link_len = link_len(medium);
        let (link, ip) = packet.split_at_checked(link_len)?;
        let (sender, _) = Packet::parse_ip(ip).ok()?.addresses()?;
        let mut body: Vec<u8> = Vec::new();
        let mut answer: Vec<u8> = Vec::new();
        if let (Some(to), Some(from)) = (link.get(6..12), link.get(..6)) {
            answer.extend([to, from, &link[12..]].concat());
        }
        match (self.router?, sender) {
            (IpAddr::V4(router), IpAddr::V4(sender)) => {
                let quoted = ip.get(..QUOTED_V4).unwrap_or(ip);
                let code = unreachable::FRAGMENTATION_NEEDED;
                Icmpv4::Unreachable { code, next_hop_mtu: self.mtu, quoted }.emit(&mut body);
                Ipv4::new(router, sender, protocol::ICMPV4).emit(body.len(), &mut answer);
            }
            (IpAddr::V6(router), IpAddr::V6(sender)) => {
                let quoted = ip.get(..QUOTED_V6).unwrap_or(ip);
                let mtu = self.mtu.into();
                Icmpv6::PacketTooBig { mtu, quoted }.emit(router, sender, &mut body);
                Ipv6::new(router, sender, protocol::ICMPV6).emit(body.len(), &mut answer);
            }
            _ => return None,
        }
        answer.extend_from_slice(&body);
        Some(answer.into())
    }
}

/// Bytes in front of the IP header.
pub(crate) const fn link_len(medium: Medium) -> usize {
    match medium {
        Medium::Ethernet => Ethernet::HEADER_LEN,
        Medium::Ip => 0,
    }
}
