//! Ethernet frames and ARP.

use core::net::IpAddr;

use handclasp_tcp::Context;
use handclasp_wire::arp::{Arp, ArpView, Operation};
use handclasp_wire::ethernet::{EtherType, EthernetView, MacAddr};
use handclasp_wire::ip::is_unicast;

use super::Arrived;
use crate::discard::Discard;
use crate::host::Host;
use crate::ip::neighbour::Evidence;
use crate::store::Store;

impl Host {
    pub(super) fn frame_arrives<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        own: MacAddr,
        arrived: Arrived,
    ) -> Result<(), Discard> {
        let frame = EthernetView::parse(&arrived.data)?;
        let (dst, ethertype, header_len) = (frame.dst(), frame.ethertype(), frame.header_len());
        // A tag is another network's. Packet sockets show what is for others, too.
        if frame.tags().len() > 0 || (dst != own && !dst.is_multicast()) {
            return Err(Discard::OtherHost);
        }
        match ethertype {
            EtherType::ARP => {
                let arp = ArpView::parse(frame.payload()).map_err(|e| e.behind(header_len))?;
                self.arp_arrives(cx, own, &arp.to_repr())
            }
            EtherType::IPV4 | EtherType::IPV6 => {
                let data = arrived.data.slice(header_len..);
                let to_group = dst.is_multicast();
                self.packet_arrives(store, cx, Arrived { data, to_group, ..arrived })
            }
            _ => Err(Discard::UnknownProtocol),
        }
    }

    /// RFC 826's reception, but that strangers are learnt only if they ask for us: others'
    /// conversations are none of our business, and no room for them either.
    fn arp_arrives(&mut self, cx: &Context<'_>, own: MacAddr, arp: &Arp) -> Result<(), Discard> {
        let sender = IpAddr::V4(arp.sender_ip);
        let for_us = self.ip.addresses.is_own(IpAddr::V4(arp.target_ip));
        // A probe has no sender yet (RFC 5227 §2.1.1): it is answered, not learnt.
        let probe = arp.sender_ip.is_unspecified();
        let believable = is_unicast(sender) && !self.ip.addresses.is_own(sender);
        if !arp.sender_mac.is_unicast() || !(probe || believable) {
            return Err(Discard::NeighbourIgnored);
        }
        if !probe {
            let evidence = match arp.operation {
                Operation::REQUEST if for_us => Evidence::AskedUs,
                Operation::REPLY if for_us => Evidence::Answer,
                _ => Evidence::Announcement,
            };
            self.neighbour_found(sender, arp.sender_mac, evidence, cx);
        }
        if for_us && arp.operation == Operation::REQUEST && self.may_reply() {
            self.ip.answer_arp(own, arp);
        }
        Ok(())
    }

    pub(super) fn neighbour_found(
        &mut self,
        ip: IpAddr,
        mac: MacAddr,
        evidence: Evidence,
        cx: &Context<'_>,
    ) {
        let waiting = self.ip.neighbours.learn(ip, mac, evidence, cx.now);
        self.ip.send_waiting(waiting, mac);
    }
}
