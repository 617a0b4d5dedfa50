//! Neighbour discovery: IPv6's counterpart of ARP (RFC 4861).

use core::net::{IpAddr, Ipv6Addr};

use handclasp_tcp::Context;
use handclasp_wire::ndp::{HOP_LIMIT, NdpMessage, NdpView, NeighbourFlags};

use super::Received;
use crate::discard::Discard;
use crate::host::Host;
use crate::interface::Link;
use crate::ip::addresses::Destination;
use crate::ip::neighbour::Evidence;

impl Host {
    /// Neighbour discovery (RFC 4861 §7.1, §7.2); nothing of it comes from beyond the link.
    pub(super) fn ndp_arrives(
        &mut self,
        cx: &Context<'_>,
        received: &Received,
        src: Ipv6Addr,
    ) -> Result<(), Discard> {
        let ndp = NdpView::parse(&received.payload)?.to_repr()?;
        let Link::Ethernet(own) = self.ip.interface.link else {
            return Err(Discard::NeighbourIgnored);
        };
        if received.ttl != HOP_LIMIT {
            return Err(Discard::NeighbourIgnored);
        }
        let link_address = ndp.link_address().filter(|mac| mac.is_unicast());
        match ndp.message {
            NdpMessage::NeighbourSolicitation { target }
                if self.ip.addresses.is_own(IpAddr::V6(target)) =>
            {
                if let Some(mac) = link_address.filter(|_| !src.is_unspecified()) {
                    self.neighbour_found(IpAddr::V6(src), mac, Evidence::AskedUs, cx);
                }
                if self.may_reply() {
                    self.ip.advertise(own, target, src, cx.now);
                }
                Ok(())
            }
            NdpMessage::NeighbourAdvertisement { flags, target } => {
                let target = IpAddr::V6(target);
                let known = self.ip.neighbours.known(target);
                let mac = link_address.or(known).ok_or(Discard::NeighbourIgnored)?;
                let contradicts = known.is_some_and(|known| known != mac);
                if self.ip.addresses.is_own(target)
                    || contradicts && !flags.contains(NeighbourFlags::OVERRIDE)
                {
                    return Err(Discard::NeighbourIgnored);
                }
                let asked = flags.contains(NeighbourFlags::SOLICITED)
                    && received.destination == Destination::Own;
                let evidence = if asked { Evidence::Answer } else { Evidence::Announcement };
                self.neighbour_found(target, mac, evidence, cx);
                Ok(())
            }
            _ => Err(Discard::NeighbourIgnored),
        }
    }
}
