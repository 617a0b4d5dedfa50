//! Whether a packet answers another.

use handclasp_tcp::Tuple;
use handclasp_wire::frame::Medium;
use handclasp_wire::icmpv4::Icmpv4;
use handclasp_wire::icmpv6::Icmpv6;
use handclasp_wire::packet::{Packet, Transport};
use handclasp_wire::quote::Quoted;
use handclasp_wire::tcp::Flags;

use super::carried::Segment;
use crate::dissect::Start;

/// What a packet that arrived is to one that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Relation {
    /// Its answer: the peer's, or an ICMP error about it.
    Answer,
    /// Something else of the same connection, as data that crossed it on the way.
    Related,
    /// Nothing of this connection.
    Foreign,
}

/// What `arrived` is to `sent`, both from their IP headers on.
///
/// A SYN, and a segment that uses up no sequence number, is answered by whatever comes next of
/// its connection. Others are answered by what acknowledges all of them, by a reset, and by a
/// bare acknowledgment, as one gets for what cannot be accepted (RFC 9293 §3.10.7.4, RFC 5961).
#[must_use]
pub fn relation(sent: &[u8], arrived: &[u8]) -> Relation {
    let Some(ours) = Segment::read(sent, Start::Ip) else { return Relation::Foreign };
    let Some(theirs) = Segment::read(arrived, Start::Ip) else {
        return if is_error_about(arrived, &ours) { Relation::Answer } else { Relation::Foreign };
    };
    if ours.from.is_none() || theirs.from != ours.from.map(|tuple| tuple.reversed()) {
        return Relation::Foreign;
    }
    let plain = !theirs.flags.intersects(Flags::SYN | Flags::FIN) && theirs.len() == 0;
    let covers = theirs.flags.contains(Flags::ACK) && ours.end().le(theirs.ack);
    let answers = theirs.flags.contains(Flags::RST)
        || ours.flags.contains(Flags::SYN)
        || ours.len() == 0
        || covers
        || plain;
    if answers { Relation::Answer } else { Relation::Related }
}

/// Whether a packet uses up sequence numbers, so that its peer has to answer it.
#[must_use]
pub fn wants_answer(sent: &[u8]) -> bool {
    let segment = Segment::read(sent, Start::Ip);
    segment.is_some_and(|segment| segment.len() > 0 && !segment.flags.contains(Flags::RST))
}

/// Whether a packet is an ICMP error that quotes one of this connection.
fn is_error_about(packet: &[u8], ours: &Segment) -> bool {
    let (packet, _) = Packet::dissect(Medium::Ip, packet);
    let quoted = match packet.transport {
        Transport::Icmpv4(message) => match message.to_repr() {
            Icmpv4::Unreachable { quoted, .. }
            | Icmpv4::TimeExceeded { quoted, .. }
            | Icmpv4::ParameterProblem { quoted, .. } => quoted,
            _ => return false,
        },
        Transport::Icmpv6(message) => match message.to_repr() {
            Icmpv6::Unreachable { quoted, .. }
            | Icmpv6::PacketTooBig { quoted, .. }
            | Icmpv6::TimeExceeded { quoted, .. }
            | Icmpv6::ParameterProblem { quoted, .. } => quoted,
            _ => return false,
        },
        _ => return false,
    };
    let Ok(quoted) = Quoted::parse(quoted) else { return false };
    let Some((local_port, remote_port)) = quoted.ports() else { return false };
    let (local_ip, remote_ip) = (quoted.src, quoted.dst);
    ours.from == Some(Tuple { local_ip, remote_ip, local_port, remote_port })
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
