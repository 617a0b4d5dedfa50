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
        if let Some(why) = view.extensions().filter_map(Result::ok).find_map(refusal) {
            if let Some(complaint) = why {
                self.complain_about(&received, complaint, cx);
            }
            return Err(Discard::BadExtension);
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

/// Why an extension header forbids us to take the packet in, if it does, and what its sender is
/// to be told, if anything.
fn refusal(extension: Extension<'_>) -> Option<Option<Complaint>> {
    match extension.kind {
        protocol::ROUTING => {
            // It asks us to send the packet on. RFC 5095 forbids that for type 0, and no other
            // is known here (RFC 8200 §4.4).
            let left = *extension.bytes.get(SEGMENTS_LEFT_AT)?;
            let pointer = extension.offset as u32 + 2;
            (left > 0).then_some(Some(Complaint::BadField { pointer }))
        }
        protocol::HOP_BY_HOP | protocol::DESTINATION_OPTIONS => unknown_option(extension),
        _ => None,
    }
}

/// The first option that must not be passed over: the two highest bits of the type of one that
/// is unknown say what is to be done (RFC 8200 §4.2). None needs to be known here.
fn unknown_option(extension: Extension<'_>) -> Option<Option<Complaint>> {
    let mut at = 2;
    while let Some(kind) = extension.bytes.get(at) {
        let pointer = (extension.offset + at) as u32;
        match kind >> 6 {
            0b00 => {}
            0b01 => return Some(None),
            _ => return Some(Some(Complaint::UnknownOption { pointer })),
        }
        // Pad1 is one byte without a length.
        let len = extension.bytes.get(at + 1).map_or(0, |len| 2 + usize::from(*len));
        at += if *kind == 0 { 1 } else { len.max(2) };
    }
    None
}
