//! From a frame to what it says of TCP.

use std::net::{IpAddr, SocketAddr};

use handclasp_wire::frame::Medium;
use handclasp_wire::icmpv4::{self, Icmpv4};
use handclasp_wire::icmpv6::Icmpv6;
use handclasp_wire::ip::Ecn;
use handclasp_wire::packet::{Net, Packet, Transport};
use handclasp_wire::quote::Quoted;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::{Header, TcpView};
use handclasp_wire::time::Instant;

use super::fragments::{Fragments, Id, Piece};
use super::link::{Network, strip};
use super::{Frame, tunnel};

/// Tunnels within tunnels that are looked into.
const MAX_DEPTH: usize = 4;

/// A TCP segment as a capture shows it.
#[derive(Clone, Debug)]
pub struct Segment<'a> {
    /// The number of the frame in which it was complete.
    pub number: u64,
    /// When that was.
    pub at: Instant,
    /// The network within the link.
    pub network: Network,
    /// Who sent it.
    pub src: SocketAddr,
    /// Who it is for.
    pub dst: SocketAddr,
    /// What the IP header says beside that.
    pub ip: Ip,
    /// The header.
    pub header: Header,
    /// The three bits between data offset and flags.
    pub reserved: u8,
    /// The options' bytes, as far as they were kept.
    pub options: &'a [u8],
    /// Bytes of payload that were sent, as the lengths say.
    pub len: u32,
    /// What of them was kept.
    pub payload: &'a [u8],
    /// Whether its checksum fits; `None` if too little was kept to tell.
    pub checksum_ok: Option<bool>,
}

/// What an IP header tells of its sender and its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ip {
    /// Time to live, or hop limit.
    pub ttl: u8,
    /// IPv4's identification.
    pub id: Option<u16>,
    /// Congestion marks.
    pub ecn: Ecn,
    /// Whether routers must not fragment it; IPv6's never do.
    pub dont_fragment: bool,
}

/// An ICMP error about a TCP segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The number of its frame.
    pub number: u64,
    /// When it was seen.
    pub at: Instant,
    /// The network within the link.
    pub network: Network,
    /// Who complains.
    pub from: IpAddr,
    /// Who sent the segment.
    pub src: SocketAddr,
    /// Who it was for.
    pub dst: SocketAddr,
    /// Its sequence number.
    pub seq: SeqNumber,
    /// What was wrong with it.
    pub about: About,
}

/// Why a segment did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum About {
    /// No route, no such host, or no such protocol.
    Unreachable,
    /// Nobody listens at the port.
    PortUnreachable,
    /// An administrator forbids it.
    Prohibited,
    /// It is larger than the next hop takes.
    TooBig {
        /// What the next hop takes, in bytes with IP's header; zero if it does not say.
        mtu: u32,
    },
    /// It passed too many routers.
    TimeExceeded,
    /// Something else.
    Other,
}

/// What a frame says of TCP.
#[derive(Clone, Debug)]
pub enum Found<'a> {
    /// A segment.
    Segment(Segment<'a>),
    /// An ICMP error about one.
    Complaint(Complaint),
    /// Nothing.
    Nothing,
}

/// Finds TCP in frames. It remembers fragments, and nothing else.
#[derive(Debug, Default)]
pub struct Dissector {
    fragments: Fragments,
}

impl Dissector {
    /// What `frame` says of TCP.
    pub fn dissect<'a>(&'a mut self, frame: &Frame<'a>) -> Found<'a> {
        let Some(stripped) = strip(frame.link, frame.bytes) else { return Found::Nothing };
        // Where IP has no length of its own (a large send), the link's counts.
        let cut = (frame.len as usize).saturating_sub(frame.bytes.len());
        let place = Place { number: frame.number, at: frame.at, network: stripped.network, cut };
        let Some((packet, bytes)) = innermost(stripped.ip) else { return Found::Nothing };
        let Some((id, piece)) = piece(&packet, frame.at) else { return place.read(&packet, bytes) };
        let Some(whole) = self.fragments.add(id, &piece) else { return Found::Nothing };
        match innermost(whole) {
            Some((packet, bytes)) => Place { cut: 0, ..place }.read(&packet, bytes),
            None => Found::Nothing,
        }
    }
}

/// The IP packet that no other one is in, with its bytes.
fn innermost(mut ip: &[u8]) -> Option<(Packet<'_>, &[u8])> {
    for _ in 0..MAX_DEPTH {
        let (packet, _) = Packet::dissect(Medium::Ip, ip);
        match tunnel::inside(&packet, ip) {
            Some(inside) => ip = inside,
            None => return Some((packet, ip)),
        }
    }
    None
}

/// The fragment that a packet is, if it is one and whole.
fn piece<'a>(packet: &Packet<'a>, at: Instant) -> Option<(Id, Piece<'a>)> {
    let Transport::Fragment { protocol } = packet.transport else { return None };
    let (src, dst) = packet.addresses()?;
    match packet.net {
        Net::Ipv4(ip) => {
            let ip = ip.whole().ok()?;
            let id = Id { src, dst, protocol, identification: ip.identification().into() };
            let (offset, more) = (ip.fragment_offset().into(), ip.more_fragments());
            Some((id, Piece { at, offset, more, ttl: ip.ttl(), data: ip.payload() }))
        }
        Net::Ipv6(ip) => {
            let upper = ip.whole().ok()?.upper().ok()?;
            let fragment = upper.fragment?;
            let id = Id { src, dst, protocol, identification: fragment.identification };
            let (offset, more) = (fragment.offset.into(), fragment.more);
            Some((id, Piece { at, offset, more, ttl: ip.hop_limit(), data: upper.payload }))
        }
        Net::Arp(_) | Net::None => None,
    }
}

/// Where and when a packet was seen.
#[derive(Clone, Copy)]
struct Place {
    number: u64,
    at: Instant,
    network: Network,
    /// Bytes of the frame that were not kept.
    cut: usize,
}

impl Place {
    fn read<'a>(self, packet: &Packet<'a>, bytes: &'a [u8]) -> Found<'a> {
        match packet.transport {
            Transport::Tcp(tcp) => self.segment(packet, &tcp, bytes).map(Found::Segment),
            Transport::Icmpv4(icmp) => {
                self.complaint(packet, icmpv4_error(icmp.to_repr())).map(Found::Complaint)
            }
            Transport::Icmpv6(icmp) => {
                self.complaint(packet, icmpv6_error(icmp.to_repr())).map(Found::Complaint)
            }
            _ => None,
        }
        .unwrap_or(Found::Nothing)
    }

    fn segment<'a>(
        self,
        packet: &Packet<'a>,
        tcp: &TcpView<'a>,
        bytes: &'a [u8],
    ) -> Option<Segment<'a>> {
        let (src, dst) = packet.addresses()?;
        let (ip, missing) = match packet.net {
            Net::Ipv4(ip) => {
                let says_nothing = usize::from(ip.total_len()) < ip.header_len();
                let id = Some(ip.identification());
                let (ttl, ecn, dont_fragment) = (ip.ttl(), ip.ecn(), ip.dont_fragment());
                let missing = if says_nothing { self.cut } else { ip.missing() };
                (Ip { ttl, id, ecn, dont_fragment }, missing)
            }
            Net::Ipv6(ip) => {
                let (ttl, ecn) = (ip.hop_limit(), ip.ecn());
                (Ip { ttl, id: None, ecn, dont_fragment: true }, ip.missing())
            }
            Net::Arp(_) | Net::None => return None,
        };
        let sent = packet.layout.end + missing - packet.layout.transport;
        Some(Segment {
            number: self.number,
            at: self.at,
            network: self.network,
            src: SocketAddr::new(src, tcp.src_port()),
            dst: SocketAddr::new(dst, tcp.dst_port()),
            ip,
            header: tcp.to_header(),
            reserved: tcp.reserved(),
            options: tcp.option_bytes(),
            len: sent.saturating_sub(4 * usize::from(tcp.data_offset())) as u32,
            payload: bytes.get(packet.layout.payload()).unwrap_or_default(),
            checksum_ok: packet.checksum_ok(),
        })
    }

    fn complaint(self, packet: &Packet<'_>, error: Option<(About, &[u8])>) -> Option<Complaint> {
        let (from, _) = packet.addresses()?;
        let (about, quoted) = error?;
        let quoted = Quoted::parse(quoted).ok()?;
        let seq = quoted.tcp_seq()?;
        let (src, dst) = quoted.ports()?;
        Some(Complaint {
            number: self.number,
            at: self.at,
            network: self.network,
            from,
            src: SocketAddr::new(quoted.src, src),
            dst: SocketAddr::new(quoted.dst, dst),
            seq,
            about,
        })
    }
}

fn icmpv4_error(message: Icmpv4<'_>) -> Option<(About, &[u8])> {
    use icmpv4::unreachable as code;
    Some(match message {
        Icmpv4::Unreachable { code, next_hop_mtu, quoted } => {
            let about = match code {
                code::PORT => About::PortUnreachable,
                code::FRAGMENTATION_NEEDED => About::TooBig { mtu: next_hop_mtu.into() },
                code::NET_PROHIBITED | code::HOST_PROHIBITED | code::FILTERED => About::Prohibited,
                _ => About::Unreachable,
            };
            (about, quoted)
        }
        Icmpv4::TimeExceeded { quoted, .. } => (About::TimeExceeded, quoted),
        Icmpv4::SourceQuench { quoted } | Icmpv4::ParameterProblem { quoted, .. } => {
            (About::Other, quoted)
        }
        _ => return None,
    })
}

fn icmpv6_error(message: Icmpv6<'_>) -> Option<(About, &[u8])> {
    /// Nobody listens at the port, and an administrator forbids it (RFC 4443 §3.1).
    const PORT: u8 = 4;
    const PROHIBITED: [u8; 3] = [1, 5, 6];
    Some(match message {
        Icmpv6::Unreachable { code: PORT, quoted } => (About::PortUnreachable, quoted),
        Icmpv6::Unreachable { code, quoted } if PROHIBITED.contains(&code) => {
            (About::Prohibited, quoted)
        }
        Icmpv6::Unreachable { quoted, .. } => (About::Unreachable, quoted),
        Icmpv6::PacketTooBig { mtu, quoted } => (About::TooBig { mtu }, quoted),
        Icmpv6::TimeExceeded { quoted, .. } => (About::TimeExceeded, quoted),
        Icmpv6::ParameterProblem { quoted, .. } => (About::Other, quoted),
        _ => return None,
    })
}

#[cfg(test)]
#[path = "dissect_tests.rs"]
mod tests;
