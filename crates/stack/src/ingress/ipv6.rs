//! IPv6 packets and their extension headers.

use core::net::IpAddr;

use handclasp_tcp::Context;
use handclasp_wire::ip::protocol;
use handclasp_wire::ipv6::{Extension, Ipv6, Ipv6View};

use super::{Arrived, Received};
use crate::discard::Discard;
use crate::host::Host;
use crate::ip::reassembly::{Fragment, Key};
use crate::reply::Complaint;

/// Where the fixed header has the number of what follows it.
const NEXT_HEADER_AT: usize = 6;
/// Where a routing header counts the stops that are left.
const SEGMENTS_LEFT_AT: usize = 3;

impl Host {
    /// Judges a packet; `None` is a fragment whose packet is not whole yet.
    pub(super) fn ipv6_arrives(
        &mut self,
        cx: &Context<'_>,
        arrived: Arrived,
    ) -> Result<Option<Received>, Discard> {
        let view = Ipv6View::parse(&arrived.data)?;
        let (src, dst) = (IpAddr::V6(view.src()), IpAddr::V6(view.dst()));
        let destination = self.check_addresses(&arrived, src, dst)?;
        let upper = view.upper()?;
        let last = view.extensions().filter_map(Result::ok).last();
        let end = Ipv6::HEADER_LEN + view.payload().len();
        let received = Received {
            src,
            dst,
            protocol: upper.protocol,
            protocol_at: last.map_or(NEXT_HEADER_AT, |extension| extension.offset) as u32,
            ttl: view.hop_limit(),
            payload: arrived.data.slice(upper.offset..end),
            packet: arrived.data.slice(..end),
            destination,
            trusted: arrived.trusted,
            segment_size: arrived.segment_size,
        };
        if let Some(at) = view.extensions().filter_map(Result::ok).find_map(unfinished_route) {
            let complaint = Complaint::BadField { pointer: at as u32 };
            self.complain_about(&received, complaint, cx);
            return Err(Discard::OtherHost);
        }
        let Some(header) = upper.fragment else { return Ok(Some(received)) };
        if header.offset == 0 && !header.more {
            // Whole in itself: has nothing to do with other fragments (RFC 6946).
            return Ok(Some(received));
        }
        let key = Key { src, dst, protocol: 0, identification: header.identification };
        let fragment = Fragment {
            key,
            protocol: header.next_header,
            offset: header.offset,
            more: header.more,
            data: upper.payload,
            packet: &received.packet,
        };
        self.reassemble(cx, &fragment, &received)
    }
}

/// Where a routing header asks us to send the packet on, if it does. We do not: RFC 5095
/// forbids it for type 0, and no other is known here (RFC 8200 §4.4).
fn unfinished_route(extension: Extension<'_>) -> Option<usize> {
    let left = *extension.bytes.get(SEGMENTS_LEFT_AT)?;
    (extension.kind == protocol::ROUTING && left > 0).then_some(extension.offset + 2)
}
