//! ICMP messages that come in.

use std::net::IpAddr;

use handclasp_wire::icmp::Message;
use handclasp_wire::icmpv4::Icmpv4;
use handclasp_wire::icmpv6::Icmpv6;
use handclasp_wire::ip::protocol;
use handclasp_wire::ipv4::Ipv4;
use handclasp_wire::ipv6::Ipv6;

use super::{Checked, Run};
use crate::script::{About, Icmp, IpInfo};

/// Types of ICMP by name: the number over IPv4 and over IPv6.
const KINDS: [(&str, Option<u8>, Option<u8>); 8] = [
    ("unreachable", Some(3), Some(1)),
    ("packet_too_big", None, Some(2)),
    ("time_exceeded", Some(11), Some(3)),
    ("parameter_problem", Some(12), Some(4)),
    ("source_quench", Some(4), None),
    ("redirect", Some(5), None),
    ("echo_request", Some(8), Some(128)),
    ("echo_reply", Some(0), Some(129)),
];

/// Codes of "unreachable" and "time exceeded", by name, over IPv4 and over IPv6.
const CODES: [(&str, Option<u8>, Option<u8>); 22] = [
    ("net_unreachable", Some(0), None),
    ("host_unreachable", Some(1), None),
    ("protocol_unreachable", Some(2), None),
    ("port_unreachable", Some(3), Some(4)),
    ("frag_needed", Some(4), None),
    ("source_route_failed", Some(5), None),
    ("net_unknown", Some(6), None),
    ("host_unknown", Some(7), None),
    ("source_host_isolated", Some(8), None),
    ("net_prohibited", Some(9), None),
    ("host_prohibited", Some(10), None),
    ("net_unreachable_for_tos", Some(11), None),
    ("host_unreachable_for_tos", Some(12), None),
    ("packet_filtered", Some(13), None),
    ("precedence_violation", Some(14), None),
    ("precedence_cutoff", Some(15), None),
    ("no_route", None, Some(0)),
    ("admin_prohibited", None, Some(1)),
    ("not_neighbour", None, Some(2)),
    ("address_unreachable", None, Some(3)),
    ("ttl_exceeded", Some(0), Some(0)),
    ("frag_reassembly_timeout", Some(1), Some(1)),
];

fn number(table: &[(&str, Option<u8>, Option<u8>)], name: &str, v4: bool) -> Option<u8> {
    let (_, four, six) = table.iter().find(|(known, ..)| *known == name)?;
    if v4 { *four } else { *six }
}

impl Run<'_> {
    pub(super) fn icmp(&self, icmp: &Icmp, ip: IpInfo) -> Checked<Vec<u8>> {
        let v4 = self.setup.local.is_ipv4();
        let Some(kind) = number(&KINDS, &icmp.kind, v4) else {
            return self.fail(format!("there is no ICMP type {} here", icmp.kind));
        };
        let code = match &icmp.code {
            None => 0,
            Some(name) => match number(&CODES, name, v4) {
                Some(code) => code,
                None => return self.fail(format!("there is no ICMP code {name} here")),
            },
        };
        // IPv4 tells an MTU in the lower half; echoes have their identifier in the upper one.
        let field = icmp.mtu.unwrap_or(0) | u32::from(icmp.id.unwrap_or(0)) << 16;
        let about = self.about(icmp.about);
        let message = Message { kind, code, rest: field.to_be_bytes(), body: &about };
        let mut bytes = Vec::new();
        match (self.setup.remote, self.setup.local) {
            (IpAddr::V6(src), IpAddr::V6(dst)) => {
                Icmpv6::Other(message).emit(src, dst, &mut bytes);
                Ok(self.ip_packet(protocol::ICMPV6, &bytes, ip))
            }
            _ => {
                Icmpv4::Other(message).emit(&mut bytes);
                Ok(self.ip_packet(protocol::ICMPV4, &bytes, ip))
            }
        }
    }

    /// The start of the packet that the message is about, as the host sent it.
    fn about(&self, about: About) -> Vec<u8> {
        let ports = self.flow.as_ref().map_or((0, 0), |f| (f.local.port(), f.remote.port()));
        let mut quoted = Vec::new();
        let (number, len) = match about {
            About::Raw(len) => return vec![0; usize::from(len)],
            About::Tcp(_, len) => (protocol::TCP, 20 + usize::from(len)),
            About::Udp(len) => (protocol::UDP, 8 + usize::from(len)),
        };
        match (self.setup.local, self.setup.remote) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                Ipv4::new(src, dst, number).emit(len, &mut quoted);
            }
            (IpAddr::V6(src), IpAddr::V6(dst)) => {
                Ipv6::new(src, dst, number).emit(len, &mut quoted);
            }
            _ => {}
        }
        quoted.extend(ports.0.to_be_bytes());
        quoted.extend(ports.1.to_be_bytes());
        if let About::Tcp(seq, _) = about {
            let base = self.flow.as_ref().map_or(0, super::flow::Flow::local_base);
            quoted.extend(seq.wrapping_add(base).to_be_bytes());
        }
        // What follows nobody reads; IPv6 quotes whole headers.
        quoted.resize(quoted.len() + 12, 0);
        quoted
    }
}
