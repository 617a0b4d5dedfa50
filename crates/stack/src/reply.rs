//! What the host answers by itself: RSTs, SYN-ACKs and ICMP.

use core::net::IpAddr;

use handclasp_tcp::half_open::reset_for;
use handclasp_tcp::transmit::{IpFields, Slices};
use handclasp_tcp::{Config, Tuple};
use handclasp_wire::frame::Outbound;
use handclasp_wire::icmpv4::{self, Icmpv4};
use handclasp_wire::icmpv6::{self, Icmpv6};
use handclasp_wire::ip::protocol;
use handclasp_wire::tcp::{Flags, Header};
use handclasp_wire::time::Instant;

use crate::forward::Unreachable;
use crate::host::Host;
use crate::ip::{Envelope, NoRoute};
use crate::tcp;

/// The most that an ICMP error over IPv4 has in all (RFC 1812 §4.3.2.3).
const IPV4_ERROR: usize = 576;
/// The same for IPv6 (RFC 4443 §2.4 (c)).
const IPV6_ERROR: usize = 1280;
/// Bytes in front of what an error quotes, behind the IP header.
const ICMP_HEADER: usize = 8;

/// IP header fields of segments that belong to no connection.
const NOBODY: IpFields = IpFields { traffic_class: 0, ttl: 64 };

/// What an ICMP error tells of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Complaint {
    Unreachable(Unreachable),
    /// Its protocol is not spoken here; in IPv6, the field at `pointer` says so.
    UnknownProtocol {
        pointer: u32,
    },
    /// A field of it, at `pointer`, cannot be followed.
    BadField {
        pointer: u32,
    },
    /// It has an IPv6 option at `pointer` that is unknown here and must not be passed over.
    UnknownOption {
        pointer: u32,
    },
    /// Its fragments did not come in time.
    ReassemblyTimeout,
}

/// IP header fields of a connection with these settings.
pub(crate) const fn ip_fields(config: &Config) -> IpFields {
    IpFields { traffic_class: config.dscp << 2, ttl: config.ttl }
}

impl Host {
    /// Sends a segment of `tuple`.
    pub(crate) fn send_segment(
        &mut self,
        tuple: &Tuple,
        ip: IpFields,
        segment: Outbound,
        now: Instant,
    ) -> Result<(), NoRoute> {
        let envelope = Envelope {
            traffic_class: ip.traffic_class,
            ttl: ip.ttl,
            // TCP finds out what the path carries; it is not to be helped.
            may_fragment: false,
            ..Envelope::new(tuple.local_ip, tuple.remote_ip, protocol::TCP)
        };
        self.counters.ip_out_requests += 1;
        let sent = self.ip.send(&envelope, segment, now);
        if sent.is_err() {
            self.counters.ip_out_no_routes += 1;
        }
        sent
    }

    /// Answers for what is no connection yet, or none any more.
    pub(crate) fn reply(&mut self, tuple: &Tuple, ip: IpFields, header: &Header, now: Instant) {
        if self.may_reply() {
            self.counters.tcp_out_segs += 1;
            self.counters.tcp_out_rsts += u64::from(header.flags.contains(Flags::RST));
            let segment = tcp::emit(tuple, header, Slices::new());
            // Where no route leads back the answer is lost, as it would be on the way.
            let _ = self.send_segment(tuple, ip, segment, now);
        }
    }

    /// Answers a segment that belongs to nothing with a RST, unless it is one itself
    /// (RFC 9293 §3.5.2, §3.10.7.1).
    pub(crate) fn reset(&mut self, tuple: &Tuple, header: &Header, text: usize, now: Instant) {
        if !header.flags.contains(Flags::RST) && self.tcp.resets.allows(now) {
            self.reply(tuple, NOBODY, &reset_for(header, text), now);
        }
    }

    /// Tells `to` that its packet, whose start is `quoted`, went wrong at `at`. The caller sees
    /// to it that the packet was no ICMP error, and for us alone (RFC 1122 §3.2.2,
    /// RFC 4443 §2.4 (e)).
    pub(crate) fn complain(
        &mut self,
        complaint: Complaint,
        at: IpAddr,
        to: IpAddr,
        quoted: &[u8],
        now: Instant,
    ) {
        if !self.may_reply() || !self.icmp_errors.allows(now) {
            return;
        }
        // What was forwarded is refused by us, not by the host that it was for.
        let own = self.ip.addresses.is_own(at);
        let source = if own { at } else { self.ip.source_for(to).unwrap_or(at) };
        let mut body = Outbound::default();
        let protocol = match (source, to) {
            (IpAddr::V4(_), IpAddr::V4(_)) => {
                let quoted = start(quoted, IPV4_ERROR - 20 - ICMP_HEADER);
                complaint_v4(complaint, quoted).emit(&mut body.header);
                protocol::ICMPV4
            }
            (IpAddr::V6(source), IpAddr::V6(to)) => {
                let quoted = start(quoted, IPV6_ERROR - 40 - ICMP_HEADER);
                complaint_v6(complaint, quoted).emit(source, to, &mut body.header);
                protocol::ICMPV6
            }
            _ => return,
        };
        self.send_icmp(source, to, protocol, body, now);
    }

    pub(crate) fn send_icmp(
        &mut self,
        source: IpAddr,
        to: IpAddr,
        protocol: u8,
        body: Outbound,
        now: Instant,
    ) {
        self.counters.icmp_out_msgs += 1;
        self.counters.ip_out_requests += 1;
        if self.ip.send(&Envelope::new(source, to, protocol), body, now).is_err() {
            self.counters.ip_out_no_routes += 1;
        }
    }
}

fn start(packet: &[u8], most: usize) -> &[u8] {
    packet.get(..most).unwrap_or(packet)
}

fn complaint_v4(complaint: Complaint, quoted: &[u8]) -> Icmpv4<'_> {
    use icmpv4::unreachable::{HOST, HOST_PROHIBITED, NET, PORT, PROTOCOL};
    let unreachable = |code| Icmpv4::Unreachable { code, next_hop_mtu: 0, quoted };
    match complaint {
        Complaint::Unreachable(Unreachable::Network) => unreachable(NET),
        Complaint::Unreachable(Unreachable::Host) => unreachable(HOST),
        Complaint::Unreachable(Unreachable::Port) => unreachable(PORT),
        Complaint::Unreachable(Unreachable::Prohibited) => unreachable(HOST_PROHIBITED),
        Complaint::UnknownProtocol { .. } => unreachable(PROTOCOL),
        Complaint::BadField { pointer } | Complaint::UnknownOption { pointer } => {
            Icmpv4::ParameterProblem { code: 0, pointer: pointer as u8, quoted }
        }
        Complaint::ReassemblyTimeout => Icmpv4::TimeExceeded { code: 1, quoted },
    }
}

fn complaint_v6(complaint: Complaint, quoted: &[u8]) -> Icmpv6<'_> {
    use icmpv6::unreachable::{ADDRESS, NO_ROUTE, PORT, PROHIBITED};
    let unreachable = |code| Icmpv6::Unreachable { code, quoted };
    match complaint {
        Complaint::Unreachable(Unreachable::Network) => unreachable(NO_ROUTE),
        Complaint::Unreachable(Unreachable::Host) => unreachable(ADDRESS),
        Complaint::Unreachable(Unreachable::Port) => unreachable(PORT),
        Complaint::Unreachable(Unreachable::Prohibited) => unreachable(PROHIBITED),
        Complaint::UnknownProtocol { pointer } => {
            Icmpv6::ParameterProblem { code: 1, pointer, quoted }
        }
        Complaint::BadField { pointer } => Icmpv6::ParameterProblem { code: 0, pointer, quoted },
        Complaint::UnknownOption { pointer } => {
            Icmpv6::ParameterProblem { code: 2, pointer, quoted }
        }
        Complaint::ReassemblyTimeout => Icmpv6::TimeExceeded { code: 1, quoted },
    }
}
