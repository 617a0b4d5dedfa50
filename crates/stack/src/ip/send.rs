//! From a transport's segment to a packet on the link.

use alloc::collections::VecDeque;
use core::net::{IpAddr, Ipv6Addr};

use bytes::{Bytes, BytesMut};
use handclasp_wire::ethernet::{EtherType, Ethernet, MacAddr};
use handclasp_wire::frame::{INLINE_HEADER, Inbound, Outbound, PartialChecksum, RxChecksum};
use handclasp_wire::ip::{Ecn, protocol};
use handclasp_wire::ipv4::Ipv4;
use handclasp_wire::ipv6::{self, Ipv6};
use handclasp_wire::time::Instant;
use smallvec::SmallVec;

use super::addresses::Addresses;
use super::neighbour::Neighbours;
use super::path_mtu::PathMtus;
use super::reassembly::{Limits, Reassembly};
use super::route::Routes;
use crate::interface::{Interface, Link};
use crate::secret::{Message, Prf, Purpose, Secret};

type Header = SmallVec<[u8; INLINE_HEADER]>;

/// The fields of an IP header that a transport chooses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Envelope {
    pub(crate) src: IpAddr,
    pub(crate) dst: IpAddr,
    pub(crate) protocol: u8,
    /// Differentiated services and ECN bits.
    pub(crate) traffic_class: u8,
    /// Time to live or hop limit.
    pub(crate) ttl: u8,
    /// Whether what the path does not carry whole may go in fragments.
    pub(crate) may_fragment: bool,
}

impl Envelope {
    pub(crate) const fn new(src: IpAddr, dst: IpAddr, protocol: u8) -> Self {
        Self { src, dst, protocol, traffic_class: 0, ttl: 64, may_fragment: true }
    }
}

/// There is no way to the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRoute;

/// Where on the link a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hop {
    /// Nowhere: it is for ourselves.
    Own,
    /// To whoever is at the other end.
    Peer,
    /// To this station, or group of stations.
    Station(MacAddr),
    /// To the neighbour with this address.
    Neighbour(IpAddr),
}

/// A fragment's place in its packet.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    offset: u16,
    more: bool,
    identification: u32,
}

/// What the host knows of its interface, its link and the networks beyond.
#[derive(Clone)]
pub(crate) struct Ip {
    pub(crate) interface: Interface,
    pub(crate) addresses: Addresses,
    pub(crate) routes: Routes,
    pub(crate) neighbours: Neighbours,
    pub(crate) path_mtus: PathMtus,
    pub(crate) reassembly: Reassembly,
    /// Packets for the device.
    pub(crate) outbox: VecDeque<Outbound>,
    /// Packets from us to ourselves.
    pub(crate) loopback: VecDeque<Inbound>,
    identification: Prf,
    identified: u32,
}

impl Ip {
    pub(crate) fn new(interface: Interface, limits: Limits, secret: &Secret) -> Self {
        Self {
            interface,
            addresses: Addresses::default(),
            routes: Routes::default(),
            neighbours: Neighbours::new(secret.table_hash()),
            path_mtus: PathMtus::new(secret.table_hash()),
            reassembly: Reassembly::new(limits),
            outbox: VecDeque::new(),
            loopback: VecDeque::new(),
            identification: secret.prf(Purpose::Identification),
            identified: 0,
        }
    }

    /// The address to speak from to `peer`, if there is a way to it.
    pub(crate) fn source_for(&self, peer: IpAddr) -> Option<IpAddr> {
        if self.addresses.is_own(peer) {
            return Some(peer);
        }
        if self.is_group(peer) {
            return self.addresses.closest_to(peer);
        }
        let route = self.routes.to(peer)?;
        route.source.or_else(|| self.addresses.closest_to(route.gateway.unwrap_or(peer)))
    }

    /// The largest packet that the way to `destination` is believed to carry, in bytes.
    pub(crate) fn path_mtu(&self, destination: IpAddr) -> u16 {
        let link = self.interface.mtu;
        self.path_mtus.to(destination).map_or(link, |known| known.min(link))
    }

    /// Sends what stands behind an IP header: `body`'s header is the transport's, and its
    /// checksum counts from there and is still to be finished.
    pub(crate) fn send(
        &mut self,
        envelope: &Envelope,
        mut body: Outbound,
        now: Instant,
    ) -> Result<(), NoRoute> {
        let hop = self.hop(envelope.dst)?;
        let room = usize::from(self.path_mtu(envelope.dst));
        if envelope.may_fragment && header_len(envelope.dst) + body.len() > room {
            self.send_fragments(envelope, hop, body, room, now);
            return Ok(());
        }
        if !self.interface.tx_checksum && hop != Hop::Own {
            finish(&mut body);
        }
        self.send_packet(envelope, hop, body, None, now);
        Ok(())
    }

    /// Whether several hosts on the link are meant: they need no route.
    fn is_group(&self, dst: IpAddr) -> bool {
        let limited = matches!(dst, IpAddr::V4(dst) if dst.is_broadcast());
        limited || dst.is_multicast() || self.addresses.is_broadcast(dst)
    }

    pub(super) fn hop(&self, dst: IpAddr) -> Result<Hop, NoRoute> {
        if self.addresses.is_own(dst) {
            return Ok(Hop::Own);
        }
        match self.interface.link {
            // There is only one who could get it. Routes say whom we speak to of our own accord
            // (`source_for`); an answer, as the forwarder's to somebody on no network of ours,
            // goes back to where the question came from.
            Link::Ip => Ok(Hop::Peer),
            Link::Ethernet(_) if self.is_group(dst) => Ok(Hop::Station(group_mac(dst))),
            Link::Ethernet(_) => {
                let gateway = self.routes.to(dst).ok_or(NoRoute)?.gateway;
                Ok(Hop::Neighbour(gateway.unwrap_or(dst)))
            }
        }
    }

    /// A destination does not answer: the neighbour on the way to it is asked whether it is
    /// there.
    pub(crate) fn doubt(&mut self, destination: IpAddr, now: Instant) {
        if let Ok(Hop::Neighbour(neighbour)) = self.hop(destination) {
            self.neighbours.doubt(neighbour, now);
        }
    }

    /// Cuts `body` so that no packet exceeds `room` (RFC 791 §3.2, RFC 8200 §4.5).
    fn send_fragments(
        &mut self,
        envelope: &Envelope,
        hop: Hop,
        mut body: Outbound,
        room: usize,
        now: Instant,
    ) {
        finish(&mut body);
        let whole = flatten(&body);
        let identification = self.identify(envelope.dst);
        let extension = if envelope.dst.is_ipv4() { 0 } else { ipv6::Fragment::LEN };
        let overhead = header_len(envelope.dst) + extension;
        let most = (room.saturating_sub(overhead) & !7).max(8);
        for offset in (0..whole.len()).step_by(most) {
            let end = (offset + most).min(whole.len());
            let mut piece = Outbound::default();
            piece.payload.push(whole.slice(offset..end));
            let place = Place { offset: offset as u16, more: end < whole.len(), identification };
            self.send_packet(envelope, hop, piece, Some(place), now);
        }
    }

    /// Puts headers in front of `body` and sends it on its way.
    pub(super) fn send_packet(
        &mut self,
        envelope: &Envelope,
        hop: Hop,
        mut body: Outbound,
        place: Option<Place>,
        now: Instant,
    ) {
        let len = body.len();
        let mut header = Header::new();
        if let (Link::Ethernet(own), true) = (self.interface.link, hop != Hop::Own) {
            let ethertype = if envelope.dst.is_ipv4() { EtherType::IPV4 } else { EtherType::IPV6 };
            // A neighbour's address is filled in when it is known.
            let dst = if let Hop::Station(mac) = hop { mac } else { MacAddr::default() };
            Ethernet::new(dst, own, ethertype).emit(&mut header);
        }
        emit_ip(envelope, len, place, &mut header);
        let start = header.len() as u16;
        header.extend_from_slice(&body.header);
        body.header = header;
        body.checksum = body.checksum.map(|unfinished| PartialChecksum { start, ..unfinished });
        match hop {
            Hop::Own => self.loopback.push_back(Inbound {
                data: flatten(&body),
                checksum: RxChecksum::Trusted,
                segment_size: body.segment_size,
            }),
            Hop::Peer | Hop::Station(_) => self.outbox.push_back(body),
            Hop::Neighbour(neighbour) => self.send_to(neighbour, body, now),
        }
    }

    fn send_to(&mut self, neighbour: IpAddr, mut packet: Outbound, now: Instant) {
        if let Some(mac) = self.neighbours.lookup(neighbour, now) {
            address(&mut packet, mac);
            self.outbox.push_back(packet);
        } else {
            // What has to make room is lost, as on any full queue.
            drop(self.neighbours.wait(neighbour, packet));
        }
        self.ask_neighbours(now);
    }

    /// Sends what waited for a neighbour whose address is known now.
    pub(crate) fn send_waiting(&mut self, waiting: VecDeque<Outbound>, mac: MacAddr) {
        for mut packet in waiting {
            address(&mut packet, mac);
            self.outbox.push_back(packet);
        }
    }

    /// A number that no other packet has had for long and nobody can guess: the PRF of a
    /// counter (RFC 7739 §5.3).
    fn identify(&mut self, dst: IpAddr) -> u32 {
        self.identified = self.identified.wrapping_add(1);
        self.identification.of(&Message::new().ip(dst).number(self.identified)) as u32
    }
}

/// Bytes of an IP header without options.
pub(crate) fn header_len(ip: IpAddr) -> usize {
    if ip.is_ipv4() { Ipv4::HEADER_LEN } else { Ipv6::HEADER_LEN }
}

pub(super) fn group_mac(dst: IpAddr) -> MacAddr {
    match dst {
        IpAddr::V4(group) if group.is_multicast() => MacAddr::from_multicast_v4(group),
        IpAddr::V4(_) => MacAddr::BROADCAST,
        IpAddr::V6(group) => MacAddr::from_multicast_v6(group),
    }
}

/// Fills in the Ethernet destination of a packet of ours.
fn address(packet: &mut Outbound, mac: MacAddr) {
    if let Some(field) = packet.header.first_chunk_mut() {
        *field = mac.0;
    }
}

/// Finishes the transport's checksum in software.
fn finish(body: &mut Outbound) {
    let finished = body.finish_checksum();
    debug_assert!(finished, "transports write their checksum fields into their headers");
}

fn flatten(packet: &Outbound) -> Bytes {
    let mut bytes = BytesMut::with_capacity(packet.len());
    bytes.extend_from_slice(&packet.header);
    for part in &packet.payload {
        bytes.extend_from_slice(part);
    }
    bytes.freeze()
}

/// Writes the IP header of a packet with `len` bytes behind it, or of a fragment of one.
///
/// A whole packet has DF set and so needs no identification (RFC 6864 §4.1).
pub(crate) fn emit_ip(envelope: &Envelope, len: usize, place: Option<Place>, out: &mut Header) {
    let (dscp, ecn) = (envelope.traffic_class >> 2, Ecn::from_bits(envelope.traffic_class));
    match (envelope.src, envelope.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let whole =
                Ipv4 { ttl: envelope.ttl, dscp, ecn, ..Ipv4::new(src, dst, envelope.protocol) };
            let header = place.map_or(whole, |place| Ipv4 {
                dont_fragment: false,
                more_fragments: place.more,
                fragment_offset: place.offset,
                identification: place.identification as u16,
                ..whole
            });
            header.emit(len, out);
        }
        (src, dst) => {
            let (src, dst) = (to_v6(src), to_v6(dst));
            let fragment = place.map(|place| ipv6::Fragment {
                next_header: envelope.protocol,
                offset: place.offset,
                more: place.more,
                identification: place.identification,
            });
            let next_header = fragment.map_or(envelope.protocol, |_| protocol::FRAGMENT);
            let extension = fragment.map_or(0, |_| ipv6::Fragment::LEN);
            let header =
                Ipv6 { hop_limit: envelope.ttl, dscp, ecn, ..Ipv6::new(src, dst, next_header) };
            header.emit(extension + len, out);
            if let Some(fragment) = fragment {
                fragment.emit(out);
            }
        }
    }
}

fn to_v6(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}
