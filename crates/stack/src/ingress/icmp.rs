//! ICMP messages: echoes are answered here, the others handed on.

use core::net::IpAddr;

use handclasp_tcp::Context;
use handclasp_tcp::connection::PathError;
use handclasp_wire::error::Layer;
use handclasp_wire::frame::Outbound;
use handclasp_wire::icmpv4::{self, Icmpv4, Icmpv4View};
use handclasp_wire::icmpv6::{self, Icmpv6, Icmpv6View};
use handclasp_wire::ip::{is_unicast, protocol};

use super::Received;
use super::path::Failure;
use crate::discard::Discard;
use crate::host::Host;
use crate::ip::addresses::Destination;
use crate::store::Store;

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
                let mut body = Outbound::default();
                Icmpv6::EchoReply(echo).emit(dst, src, &mut body.header);
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
