//! IPv4 packets.

use core::net::IpAddr;

use handclasp_tcp::Context;
use handclasp_wire::error::Layer;
use handclasp_wire::ipv4::Ipv4View;

use super::{Arrived, Received};
use crate::discard::Discard;
use crate::host::Host;
use crate::ip::reassembly::{Fragment, Key};

/// Where an IPv4 header has the protocol's number.
const PROTOCOL_AT: u32 = 9;

impl Host {
    /// Judges a packet; `None` is a fragment whose packet is not whole yet. Options are passed
    /// over, source routes among them (RFC 1122 §3.2.1.8).
    pub(super) fn ipv4_arrives(
        &mut self,
        cx: &Context<'_>,
        arrived: Arrived,
    ) -> Result<Option<Received>, Discard> {
        let view = Ipv4View::parse(&arrived.data)?;
        if !view.checksum_ok() {
            return Err(Discard::BadChecksum(Layer::Ipv4));
        }
        let (src, dst) = (IpAddr::V4(view.src()), IpAddr::V4(view.dst()));
        let destination = self.check_addresses(&arrived, src, dst)?;
        let (header_len, end) = (view.header_len(), usize::from(view.total_len()));
        let (protocol, ttl, ecn) = (view.protocol(), view.ttl(), view.ecn());
        let identification = view.identification().into();
        let (offset, more) = (view.fragment_offset(), view.more_fragments());
        let is_fragment = view.is_fragment();
        let mut packet = arrived.data;
        packet.truncate(end);
        let received = Received {
            src,
            dst,
            protocol,
            protocol_at: PROTOCOL_AT,
            ttl,
            ecn,
            payload: packet.slice(header_len..),
            packet,
            destination,
            trusted: arrived.trusted,
            segment_size: arrived.segment_size,
        };
        if !is_fragment {
            return Ok(Some(received));
        }
        let key = Key { src, dst, protocol, identification };
        let fragment = Fragment { key, protocol, offset, more, data: &received.payload };
        self.reassemble(cx, &fragment, &received)
    }

    /// Adds a fragment; gives the packet, if it is whole now, with `last`'s header.
    pub(super) fn reassemble(
        &mut self,
        cx: &Context<'_>,
        fragment: &Fragment<'_>,
        last: &Received,
    ) -> Result<Option<Received>, Discard> {
        self.counters.ip_reasm_reqds += 1;
        let whole = self.ip.reassembly.add(fragment, &last.packet, cx.now)?;
        let Some(whole) = whole else { return Ok(None) };
        self.counters.ip_reasm_oks += 1;
        Ok(Some(Received {
            protocol: whole.protocol,
            payload: whole.payload,
            packet: last.packet.clone(),
            // Nobody vouches for a sum over pieces.
            trusted: false,
            segment_size: None,
            ..*last
        }))
    }
}
