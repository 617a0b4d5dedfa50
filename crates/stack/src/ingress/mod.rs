//! The way in: link, network, and then whom it is for.

mod ethernet;
mod fast_open;
mod handshake;
mod icmp;
mod ipv4;
mod ipv6;
mod ndp;
mod path;
mod tcp;
mod udp;

use core::net::IpAddr;

use bytes::Bytes;
use handclasp_tcp::Context;
use handclasp_wire::frame::{Inbound, RxChecksum};
use handclasp_wire::ip::{self, Ecn, protocol};
use handclasp_wire::ipv4::Ipv4View;

use crate::discard::Discard;
use crate::host::Host;
use crate::interface::Link;
use crate::ip::addresses::Destination;
use crate::reply::Complaint;
use crate::store::Store;

/// A packet from its IP header on, and what the link says of it.
struct Arrived {
    data: Bytes,
    /// Its transport checksum need not be verified.
    trusted: bool,
    /// Payload bytes of each segment, if it is several in one.
    segment_size: Option<u16>,
    /// The link addressed it to several stations.
    to_group: bool,
    /// We sent it ourselves.
    own: bool,
}

/// What an IP packet carries, and for whom.
struct Received {
    src: IpAddr,
    dst: IpAddr,
    protocol: u8,
    /// Where in the packet the protocol's number stands.
    protocol_at: u32,
    /// Time to live or hop limit.
    ttl: u8,
    ecn: Ecn,
    /// Behind the IP headers.
    payload: Bytes,
    /// From the IP header on; of a packet that came in fragments, the last one.
    packet: Bytes,
    destination: Destination,
    trusted: bool,
    segment_size: Option<u16>,
}

impl Host {
    /// Takes a packet in, as the device's medium has it. What it leads to is ready in the
    /// store, or at [`Host::poll_transmit`], when this returns.
    pub fn receive<S: Store>(&mut self, store: &mut S, cx: &Context<'_>, packet: Inbound) {
        let shown = self.observer.is_some().then(|| packet.data.clone());
        let arrived = Arrived {
            data: packet.data,
            trusted: packet.checksum == RxChecksum::Trusted,
            segment_size: packet.segment_size,
            to_group: false,
            own: false,
        };
        let taken = match self.ip.interface.link {
            Link::Ethernet(own) => self.frame_arrives(store, cx, own, arrived),
            Link::Ip => self.packet_arrives(store, cx, arrived),
        };
        if let Err(why) = taken {
            self.discarded(cx, &why, shown.as_deref());
        }
    }

    /// Takes in one packet that we sent to ourselves; returns whether there was one.
    pub(crate) fn receive_own<S: Store>(&mut self, store: &mut S, cx: &Context<'_>) -> bool {
        let Some(packet) = self.ip.loopback.pop_front() else { return false };
        let shown = self.observer.is_some().then(|| packet.data.clone());
        let arrived = Arrived {
            data: packet.data,
            trusted: true,
            segment_size: packet.segment_size,
            to_group: false,
            own: true,
        };
        if let Err(why) = self.packet_arrives(store, cx, arrived) {
            self.discarded(cx, &why, shown.as_deref());
        }
        true
    }

    fn discarded(&mut self, cx: &Context<'_>, why: &Discard, packet: Option<&[u8]>) {
        why.count(&mut self.counters);
        if let (Some(observer), Some(packet)) = (&self.observer, packet) {
            observer.dropped(cx.now, packet, why);
        }
    }

    fn packet_arrives<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        arrived: Arrived,
    ) -> Result<(), Discard> {
        self.counters.ip_in_receives += 1;
        let received = match ip::version(&arrived.data) {
            Some(4) => self.ipv4_arrives(cx, arrived)?,
            Some(6) => self.ipv6_arrives(cx, arrived)?,
            // Its error says which version that is instead.
            _ => {
                return Err(Ipv4View::parse(&arrived.data)
                    .err()
                    .map_or(Discard::UnknownProtocol, Discard::Malformed));
            }
        };
        let Some(received) = received else { return Ok(()) };
        self.counters.ip_in_delivers += 1;
        match (received.protocol, received.dst) {
            (protocol::TCP, _) => self.tcp_arrives(store, cx, received),
            (protocol::UDP, _) => self.udp_arrives(store, cx, &received),
            (protocol::ICMPV4, IpAddr::V4(_)) => self.icmpv4_arrives(store, cx, &received),
            (protocol::ICMPV6, IpAddr::V6(_)) => self.icmpv6_arrives(store, cx, &received),
            (protocol::NO_NEXT_HEADER, IpAddr::V6(_)) => Ok(()),
            _ => {
                let complaint = Complaint::UnknownProtocol { pointer: received.protocol_at };
                self.complain_about(&received, complaint, cx);
                Err(Discard::UnknownProtocol)
            }
        }
    }

    /// Who a packet is for, if it may be taken in at all.
    fn check_addresses(
        &self,
        arrived: &Arrived,
        src: IpAddr,
        dst: IpAddr,
    ) -> Result<Destination, Discard> {
        let destination = match self.ip.addresses.destination(dst) {
            Destination::Own if arrived.to_group => Destination::Group,
            Destination::Other if !self.forward.was_used() || !ip::is_unicast(dst) => {
                return Err(Discard::OtherHost);
            }
            destination => destination,
        };
        // Who looks for an address of its own has none yet (RFC 4862 §5.4.2); only neighbour
        // discovery takes what comes from nobody.
        let nobody = matches!(src, IpAddr::V6(src) if src.is_unspecified());
        if arrived.own || nobody || self.ip.addresses.is_valid_source(src) {
            Ok(destination)
        } else {
            Err(Discard::InvalidSource)
        }
    }

    /// Whether what nobody has is for us to answer: it was for us, or we take in everything.
    pub(crate) fn answers_for(&self, destination: Destination) -> bool {
        match destination {
            Destination::Own => true,
            Destination::Other => self.forward.is_active(),
            Destination::Group => false,
        }
    }

    /// Tells the sender of a packet that it went wrong, if that is allowed: never about what
    /// was for several hosts, or came from nobody (RFC 1122 §3.2.2, RFC 4443 §2.4 (e)).
    fn complain_about(&mut self, received: &Received, complaint: Complaint, cx: &Context<'_>) {
        if self.answers_for(received.destination) && ip::is_unicast(received.src) {
            let (at, to) = (received.dst, received.src);
            self.complain(complaint, at, to, &received.packet, cx.now);
        }
    }
}
