//! Asking neighbours for their hardware addresses, and answering those who ask us.

use core::net::{IpAddr, Ipv6Addr};

use handclasp_wire::arp::Arp;
use handclasp_wire::ethernet::{EtherType, Ethernet, MacAddr};
use handclasp_wire::frame::Outbound;
use handclasp_wire::ip::protocol;
use handclasp_wire::ndp::{
    ALL_NODES, HOP_LIMIT, Ndp, NdpMessage, NdpOption, NeighbourFlags, solicited_node,
};
use handclasp_wire::time::Instant;
use smallvec::smallvec;

use super::send::{Envelope, Hop, Ip, group_mac};
use crate::interface::Link;

impl Ip {
    /// Sends the requests for hardware addresses that are due.
    pub(crate) fn ask_neighbours(&mut self, now: Instant) {
        while let Some(question) = self.neighbours.next_question() {
            let (Link::Ethernet(own), Some(source)) =
                (self.interface.link, self.addresses.closest_to(question.target))
            else {
                return;
            };
            match (source, question.target) {
                (IpAddr::V4(source), IpAddr::V4(target)) => {
                    let to = question.ask.unwrap_or(MacAddr::BROADCAST);
                    self.send_arp(to, own, Arp::request(own, source, target));
                }
                (IpAddr::V6(source), IpAddr::V6(target)) => {
                    self.solicit(question.ask, own, source, target, now);
                }
                _ => {}
            }
        }
    }

    /// A neighbour solicitation (RFC 4861 §7.2.2).
    fn solicit(
        &mut self,
        ask: Option<MacAddr>,
        own: MacAddr,
        source: Ipv6Addr,
        target: Ipv6Addr,
        now: Instant,
    ) {
        let dst = if ask.is_some() { target } else { solicited_node(target) };
        let hop = Hop::Station(ask.unwrap_or_else(|| group_mac(dst.into())));
        let message = Ndp {
            message: NdpMessage::NeighbourSolicitation { target },
            options: smallvec![NdpOption::SourceLinkAddress(own)],
        };
        let mut body = Outbound::default();
        message.emit(source, dst, &mut body.header);
        self.send_packet(&link_local(source, dst), hop, body, None, now);
    }

    /// The answer to a neighbour solicitation for `target`, which is ours (RFC 4861 §7.2.4).
    /// Who has no address yet is answered through everyone.
    pub(crate) fn advertise(
        &mut self,
        own: MacAddr,
        target: Ipv6Addr,
        asker: Ipv6Addr,
        now: Instant,
    ) {
        let unspecified = asker.is_unspecified();
        let dst = if unspecified { ALL_NODES } else { asker };
        let mut flags = NeighbourFlags::OVERRIDE;
        flags.set(NeighbourFlags::SOLICITED, !unspecified);
        let message = Ndp {
            message: NdpMessage::NeighbourAdvertisement { flags, target },
            options: smallvec![NdpOption::TargetLinkAddress(own)],
        };
        let mut body = Outbound::default();
        message.emit(target, dst, &mut body.header);
        let hop = self.hop(dst.into()).unwrap_or(Hop::Neighbour(dst.into()));
        self.send_packet(&link_local(target, dst), hop, body, None, now);
    }

    /// The answer to an ARP request for an address of ours.
    pub(crate) fn answer_arp(&mut self, own: MacAddr, request: &Arp) {
        self.send_arp(request.sender_mac, own, request.reply(own));
    }

    /// Tells the link that an address is ours, for those who remember another owner
    /// (RFC 5227 §3).
    pub(crate) fn announce(&mut self, address: IpAddr, now: Instant) {
        let Link::Ethernet(own) = self.interface.link else { return };
        match address {
            IpAddr::V4(ip) => {
                self.send_arp(MacAddr::BROADCAST, own, Arp::request(own, ip, ip));
            }
            IpAddr::V6(ip) => self.advertise(own, ip, Ipv6Addr::UNSPECIFIED, now),
        }
    }

    fn send_arp(&mut self, to: MacAddr, own: MacAddr, arp: Arp) {
        let mut packet = Outbound::default();
        Ethernet::new(to, own, EtherType::ARP).emit(&mut packet.header);
        arp.emit(&mut packet.header);
        self.outbox.push_back(packet);
    }
}

/// Neighbour discovery does not leave the link: its hop limit shows that (RFC 4861 §3.1).
fn link_local(src: Ipv6Addr, dst: Ipv6Addr) -> Envelope {
    Envelope { ttl: HOP_LIMIT, ..Envelope::new(IpAddr::V6(src), IpAddr::V6(dst), protocol::ICMPV6) }
}
