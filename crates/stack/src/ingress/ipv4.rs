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
        let end = usize::from(view.total_len());
        let whole = Received {
            src,
            dst,
            protocol: view.protocol(),
            protocol_at: PROTOCOL_AT,
            ttl: view.ttl(),
            payload: arrived.data.slice(view.header_len()..end),
            packet: arrived.data.slice(..end),
            destination,
            trusted: arrived.trusted,
            segment_size: arrived.segment_size,
        };
        if !view.is_fragment() {
            return Ok(Some(whole));
        }
        let fragment = Fragment {
            key: Key {
                src,
                dst,
                protocol: view.protocol(),
                identification: view.identification().into(),
            },
            protocol: view.protocol(),
            offset: view.fragment_offset(),
            more: view.more_fragments(),
            data: view.payload(),
            packet: &whole.packet,
        };
        self.reassemble(cx, &fragment, &whole)
    }

    /// Adds a fragment; gives the packet, if it is whole now, with `last`'s header.
    pub(super) fn reassemble(
        &mut self,
        cx: &Context<'_>,
        fragment: &Fragment<'_>,
        last: &Received,
    ) -> Result<Option<Received>, Discard> {
        self.counters.ip_reasm_reqds += 1;
        let Some(whole) = self.ip.reassembly.add(fragment, cx.now)? else { return Ok(None) };
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
