//! Why a packet was dropped.

use core::fmt;

use handclasp_wire::error::{Layer, ParseError};
use handclasp_wire::time::Instant;

use crate::counters::Counters;
use crate::ip::reassembly::Refusal;

/// Why a packet was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Discard {
    /// It cannot be read.
    Malformed(ParseError),
    /// Its checksum is wrong.
    BadChecksum(Layer),
    /// It is for somebody else.
    OtherHost,
    /// Nobody can have sent it: its source is a group, a loopback address, or ours.
    InvalidSource,
    /// Its protocol is not spoken here.
    UnknownProtocol,
    /// An IPv6 extension header forbids to take it in.
    BadExtension,
    /// A fragment that was refused.
    Fragment(Refusal),
    /// A TCP segment for a group of hosts (RFC 9293 §3.9.2.3).
    NotUnicast,
    /// Nobody has the port; its sender was told, unless too many were.
    ClosedPort,
    /// It means nothing in the state that its connection or listener is in.
    Unexpected,
    /// Too many connections are half-open.
    SynQueueFull,
    /// Too many connections wait to be accepted.
    AcceptQueueFull,
    /// Too many connections or flows wait for the forwarder's decision, or it said to be
    /// silent.
    NotForwarded,
    /// The UDP socket's queue is full.
    SocketQueueFull,
    /// An ICMP error about nothing that we have in flight (RFC 5927 §4.1), or a message that
    /// has no meaning for a host.
    IcmpIgnored,
    /// A neighbour's message that is not to be believed.
    NeighbourIgnored,
}

impl From<ParseError> for Discard {
    fn from(error: ParseError) -> Self {
        Self::Malformed(error)
    }
}

impl From<Refusal> for Discard {
    fn from(refusal: Refusal) -> Self {
        Self::Fragment(refusal)
    }
}

impl fmt::Display for Discard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed(error) => return write!(f, "malformed: {error}"),
            Self::BadChecksum(layer) => return write!(f, "wrong {layer} checksum"),
            Self::OtherHost => "for another host",
            Self::InvalidSource => "from an address that nobody can have",
            Self::UnknownProtocol => "unknown protocol",
            Self::BadExtension => "an extension header forbids to take it in",
            Self::Fragment(Refusal::Overlap) => "fragment overlaps another",
            Self::Fragment(Refusal::Malformed) => "impossible fragment",
            Self::Fragment(Refusal::NoRoom) => "no room for the fragment",
            Self::NotUnicast => "TCP to a group of hosts",
            Self::ClosedPort => "nobody has the port",
            Self::Unexpected => "means nothing in this state",
            Self::SynQueueFull => "SYN queue is full",
            Self::AcceptQueueFull => "accept queue is full",
            Self::NotForwarded => "not forwarded",
            Self::SocketQueueFull => "the socket's queue is full",
            Self::IcmpIgnored => "ICMP about nothing we have in flight",
            Self::NeighbourIgnored => "a neighbour's message that is not to be believed",
        })
    }
}

impl Discard {
    pub(crate) const fn count(&self, counters: &mut Counters) {
        let counter = match self {
            Self::Malformed(error) => malformed(counters, error.layer),
            Self::BadChecksum(Layer::Tcp) => {
                counters.tcp_in_errs += 1;
                &mut counters.tcp_in_csum_errors
            }
            Self::BadChecksum(Layer::Udp) => {
                counters.udp_in_errors += 1;
                &mut counters.udp_in_csum_errors
            }
            Self::BadChecksum(Layer::Icmpv4 | Layer::Icmpv6) => {
                counters.icmp_in_errors += 1;
                &mut counters.icmp_in_csum_errors
            }
            Self::BadChecksum(_) | Self::BadExtension => &mut counters.ip_in_hdr_errors,
            Self::OtherHost | Self::InvalidSource => &mut counters.ip_in_addr_errors,
            Self::UnknownProtocol => &mut counters.ip_in_unknown_protos,
            Self::Fragment(_) => &mut counters.ip_reasm_fails,
            Self::SocketQueueFull => &mut counters.udp_rcvbuf_errors,
            Self::SynQueueFull | Self::AcceptQueueFull => &mut counters.tcp_ext_listen_drops,
            Self::NotUnicast
            | Self::ClosedPort
            | Self::Unexpected
            | Self::NotForwarded
            | Self::IcmpIgnored
            | Self::NeighbourIgnored => return,
        };
        *counter += 1;
    }
}

const fn malformed(counters: &mut Counters, layer: Layer) -> &mut u64 {
    match layer {
        Layer::Tcp => &mut counters.tcp_in_errs,
        Layer::Udp => &mut counters.udp_in_errors,
        Layer::Icmpv4 | Layer::Icmpv6 | Layer::Ndp => &mut counters.icmp_in_errors,
        _ => &mut counters.ip_in_hdr_errors,
    }
}

/// Is told of every packet that a host drops.
pub trait Observer: Send + Sync {
    /// A packet that came in at `at` was dropped. `packet` starts as the device's packets do,
    /// except for one put together from fragments, of which only the last is shown.
    fn dropped(&self, at: Instant, packet: &[u8], why: &Discard);
}
