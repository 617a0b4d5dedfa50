//! ICMP messages: echoes, errors about what we sent, and neighbours.

use core::net::{IpAddr, Ipv6Addr, SocketAddr};

use handclasp_tcp::connection::PathError;
use handclasp_tcp::{Context, Tuple};
use handclasp_wire::error::Layer;
use handclasp_wire::frame::Outbound;
use handclasp_wire::icmpv4::{self, Icmpv4, Icmpv4View};
use handclasp_wire::icmpv6::{self, Icmpv6, Icmpv6View};
use handclasp_wire::ip::{is_unicast, protocol};
use handclasp_wire::ipv4::Ipv4View;
use handclasp_wire::ipv6::{Ipv6, Ipv6View};
use handclasp_wire::ndp::{HOP_LIMIT, NdpMessage, NdpView, NeighbourFlags};
use handclasp_wire::quote::Quoted;

use super::Received;
use crate::discard::Discard;
use crate::host::Host;
use crate::interface::Link;
use crate::ip::addresses::Destination;
use crate::ip::neighbour::Evidence;
use crate::ip::path_mtu::believable;
use crate::store::{ConnId, Store, UdpId};
use crate::tcp::demux::Owner;

impl Host {
    pub(super) fn icmpv4_arrives<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        received: &Received,
    ) -> Result<(), Discard> {
        self.counters.icmp_in_msgs += 1;
        let view = Icmpv4View::parse(&received.payload)?;
        if !view.checksum_ok() {
            return Err(Discard::BadChecksum(Layer::Icmpv4));
        }
        match view.to_repr() {
            // A broadcast is not answered: that would make us a stranger's amplifier
            // (RFC 1122 §3.2.2.6 leaves it open).
            Icmpv4::EchoRequest(echo) if received.destination == Destination::Own => {
                let mut body = Outbound::default();
                Icmpv4::EchoReply(echo).emit(&mut body.header);
                self.echo(received, protocol::ICMPV4, body, cx);
                Ok(())
            }
            Icmpv4::Unreachable { code, next_hop_mtu, quoted } => {
                let error = unreachable_v4(code, next_hop_mtu).ok_or(Discard::IcmpIgnored)?;
                self.path_failed(store, cx, quoted, error)
            }
            Icmpv4::TimeExceeded { quoted, .. } => {
                self.path_failed(store, cx, quoted, Failure::Error(PathError::TimeExceeded))
            }
            Icmpv4::ParameterProblem { quoted, .. } => {
                self.path_failed(store, cx, quoted, Failure::Error(PathError::ParameterProblem))
            }
            // Source quench above all (RFC 6633 §3).
            _ => Err(Discard::IcmpIgnored),
        }
    }

    pub(super) fn icmpv6_arrives<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        received: &Received,
    ) -> Result<(), Discard> {
        let (IpAddr::V6(src), IpAddr::V6(dst)) = (received.src, received.dst) else {
            return Err(Discard::IcmpIgnored);
        };
        self.counters.icmp_in_msgs += 1;
        let view = Icmpv6View::parse(&received.payload)?;
        if !view.checksum_ok(src, dst) {
            return Err(Discard::BadChecksum(Layer::Icmpv6));
        }
        match view.to_repr() {
            Icmpv6::EchoRequest(echo) if received.destination == Destination::Own => {
                let (IpAddr::V6(from), to) = (received.dst, src) else { return Ok(()) };
                let mut body = Outbound::default();
                Icmpv6::EchoReply(echo).emit(from, to, &mut body.header);
                self.echo(received, protocol::ICMPV6, body, cx);
                Ok(())
            }
            Icmpv6::Unreachable { code, quoted } => {
                self.path_failed(store, cx, quoted, Failure::Error(unreachable_v6(code)))
            }
            Icmpv6::PacketTooBig { mtu, quoted } => {
                self.path_failed(store, cx, quoted, Failure::TooBig { mtu })
            }
            Icmpv6::TimeExceeded { quoted, .. } => {
                self.path_failed(store, cx, quoted, Failure::Error(PathError::TimeExceeded))
            }
            Icmpv6::ParameterProblem { code, quoted, .. } => {
                let error = match code {
                    1 => PathError::ProtocolUnreachable,
                    _ => PathError::ParameterProblem,
                };
                self.path_failed(store, cx, quoted, Failure::Error(error))
            }
            Icmpv6::Other(_) => self.ndp_arrives(cx, received, src),
            Icmpv6::EchoRequest(_) | Icmpv6::EchoReply(_) => Err(Discard::IcmpIgnored),
        }
    }

    /// RFC 1122 §3.2.2.6, RFC 4443 §4.2: the same data comes back.
    fn echo(&mut self, received: &Received, protocol: u8, body: Outbound, cx: &Context<'_>) {
        if self.may_reply() && is_unicast(received.src) {
            self.send_icmp(received.dst, received.src, protocol, body, cx.now);
        }
    }

    /// Somebody on the way could not deliver what `quoted` is the start of. Only whoever sent
    /// it knows whether to believe that.
    fn path_failed<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        quoted: &[u8],
        failure: Failure,
    ) -> Result<(), Discard> {
        let packet_len = packet_len(quoted);
        let quoted = Quoted::parse(quoted)?;
        let error = match failure {
            Failure::Error(error) => error,
            Failure::TooBig { mtu } => {
                let mtu = believable(quoted.dst, mtu, packet_len).ok_or(Discard::IcmpIgnored)?;
                PathError::PacketTooBig { mtu }
            }
        };
        if let Some((id, remote)) = self.quoted_socket(&quoted) {
            if let PathError::PacketTooBig { mtu } = error {
                self.ip.path_mtus.learn(remote.ip(), mtu, cx.now);
            }
            store.udp_failed(id, remote, error);
            return Ok(());
        }
        let (tuple, owner) = self.quoted_tuple(&quoted).ok_or(Discard::IcmpIgnored)?;
        let believed = match owner {
            Owner::Connection(id) => self.connection_fails(store, cx, id, &tuple, &quoted, error),
            Owner::HalfOpen(slot) => self.half_open_fails(store, slot, &quoted, error),
            Owner::TimeWait(_) | Owner::Pending(_) => false,
        };
        if believed {
            return Ok(());
        }
        self.counters.tcp_ext_out_of_window_icmps += 1;
        Err(Discard::IcmpIgnored)
    }

    /// The connection itself checks that it has such a segment in flight (RFC 5927 §4.1).
    fn connection_fails<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        id: ConnId,
        tuple: &Tuple,
        quoted: &Quoted<'_>,
        error: PathError,
    ) -> bool {
        let Some(seq) = quoted.tcp_seq() else { return false };
        let believed = store.with(id, |connection| connection.path_error(cx, error, seq));
        if believed != Some(true) {
            return false;
        }
        self.touched(id);
        if let PathError::PacketTooBig { mtu } = error {
            self.ip.path_mtus.learn(tuple.remote_ip, mtu, cx.now);
            self.apply_path_mtus(store, cx);
        }
        true
    }

    /// A hard error about our SYN-ACK ends the attempt.
    fn half_open_fails<S: Store>(
        &mut self,
        store: &mut S,
        slot: u32,
        quoted: &Quoted<'_>,
        error: PathError,
    ) -> bool {
        let iss = self.tcp.half_opens.get_mut(slot).map(|entry| entry.half.iss());
        let ours = iss.is_some() && quoted.tcp_seq() == iss;
        if ours && error.is_hard() {
            self.abandon(store, slot);
        }
        ours
    }

    fn quoted_tuple(&self, quoted: &Quoted<'_>) -> Option<(Tuple, Owner)> {
        let (local, remote) = sockets(quoted, protocol::TCP)?;
        let tuple = Tuple::new(local, remote);
        Some((tuple, self.tcp.demux.get(&tuple)?))
    }

    /// The connection that sent what is quoted.
    pub(crate) fn quoted_connection(&self, quoted: &Quoted<'_>) -> Option<ConnId> {
        match self.quoted_tuple(quoted)?.1 {
            Owner::Connection(id) => Some(id),
            _ => None,
        }
    }

    /// The UDP socket that sent what is quoted, and to whom.
    pub(crate) fn quoted_socket(&self, quoted: &Quoted<'_>) -> Option<(UdpId, SocketAddr)> {
        let (local, remote) = sockets(quoted, protocol::UDP)?;
        Some((self.udp.find(local, remote)?, remote))
    }

    /// Neighbour discovery (RFC 4861 §7.1, §7.2); nothing of it comes from beyond the link.
    fn ndp_arrives(
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

/// What an ICMP error says.
enum Failure {
    Error(PathError),
    /// `mtu` is what the next hop takes, 0 where the router does not say.
    TooBig {
        mtu: u32,
    },
}

/// RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1.
fn unreachable_v4(code: u8, next_hop_mtu: u16) -> Option<Failure> {
    use icmpv4::unreachable as codes;
    Some(Failure::Error(match code {
        codes::FRAGMENTATION_NEEDED => {
            return Some(Failure::TooBig { mtu: next_hop_mtu.into() });
        }
        // 6, 8 and 11: network unknown, source isolated, network refuses the type of service.
        codes::NET | codes::SOURCE_ROUTE_FAILED | 6 | 8 | 11 => PathError::NoRoute,
        // 7 and 12: host unknown, host refuses the type of service.
        codes::HOST | 7 | 12 => PathError::HostUnreachable,
        codes::PROTOCOL => PathError::ProtocolUnreachable,
        codes::PORT => PathError::PortUnreachable,
        codes::NET_PROHIBITED | codes::HOST_PROHIBITED | codes::FILTERED => PathError::Prohibited,
        _ => return None,
    }))
}

/// RFC 4443 §3.1.
const fn unreachable_v6(code: u8) -> PathError {
    use icmpv6::unreachable as codes;
    match code {
        codes::NO_ROUTE => PathError::NoRoute,
        codes::PORT => PathError::PortUnreachable,
        codes::PROHIBITED | codes::SOURCE_REFUSED | codes::ROUTE_REJECTS => PathError::Prohibited,
        _ => PathError::HostUnreachable,
    }
}

/// Our socket and the peer's of a quoted packet of this protocol.
fn sockets(quoted: &Quoted<'_>, protocol: u8) -> Option<(SocketAddr, SocketAddr)> {
    let (local, remote) = quoted.ports().filter(|_| quoted.protocol == protocol)?;
    Some((SocketAddr::new(quoted.src, local), SocketAddr::new(quoted.dst, remote)))
}

/// How long the quoted packet was, by its own header; 0 if that cannot be read.
fn packet_len(quoted: &[u8]) -> u16 {
    let v4 = Ipv4View::parse_truncated(quoted).map(|view| view.total_len());
    let v6 = || Ipv6View::parse_truncated(quoted).map(|view| view.payload_len());
    v4.or_else(|_| v6().map(|len| len.saturating_add(Ipv6::HEADER_LEN as u16))).unwrap_or(0)
}
