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
        if view.src().is_unspecified() && upper.protocol != protocol::ICMPV6 {
            return Err(Discard::InvalidSource);
        }
        let last = view.extensions().filter_map(Result::ok).last();
        let judged = view.extensions().filter_map(Result::ok).try_for_each(check);
        let (offset, fragment, protocol) = (upper.offset, upper.fragment, upper.protocol);
        let protocol_at = last.map_or(NEXT_HEADER_AT, |extension| extension.offset) as u32;
        let (ttl, ecn) = (view.hop_limit(), view.ecn());
        let end = Ipv6::HEADER_LEN + view.payload().len();
        let mut packet = arrived.data;
        packet.truncate(end);
        let received = Received {
            src,
            dst,
            protocol,
            protocol_at,
            ttl,
            ecn,
            payload: packet.slice(offset..),
            packet,
            destination,
            trusted: arrived.trusted,
            segment_size: arrived.segment_size,
        };
        if let Err(complaint) = judged {
            if let Some(complaint) = complaint {
                self.complain_about(&received, complaint, cx);
            }
            return Err(Discard::BadExtension);
        }
        // One that is whole in itself has nothing to do with other fragments (RFC 6946).
        let Some(header) = fragment.filter(|header| header.offset > 0 || header.more) else {
            return Ok(Some(received));
        };
        let fragment = Fragment {
            key: Key { src, dst, protocol: 0, identification: header.identification },
            protocol,
            offset: header.offset,
            more: header.more,
            data: &received.payload,
        };
        self.reassemble(cx, &fragment, &received)
    }
}

/// Whether an extension header lets us take the packet in. If not, the error is what its sender
/// is to be told, if anything.
fn check(extension: Extension<'_>) -> Result<(), Option<Complaint>> {
    match extension.kind {
        protocol::ROUTING => match extension.bytes.get(SEGMENTS_LEFT_AT) {
            // It asks us to send the packet on. RFC 5095 forbids that for type 0, and no other
            // is known here (RFC 8200 §4.4).
            Some(left) if *left > 0 => {
                Err(Some(Complaint::BadField { pointer: extension.offset as u32 + 2 }))
            }
            _ => Ok(()),
        },
        protocol::HOP_BY_HOP | protocol::DESTINATION_OPTIONS => check_options(extension),
        _ => Ok(()),
    }
}

/// The two highest bits of an option's type say what to do where it is unknown (RFC 8200
/// §4.2). None needs to be known here.
fn check_options(extension: Extension<'_>) -> Result<(), Option<Complaint>> {
    let mut at = 2;
    while let Some(kind) = extension.bytes.get(at) {
        let pointer = (extension.offset + at) as u32;
        match kind >> 6 {
            0b00 => {}
            0b01 => return Err(None),
            _ => return Err(Some(Complaint::UnknownOption { pointer })),
        }
        // Pad1 alone has no length octet.
        let len = extension.bytes.get(at + 1).map_or(0, |len| usize::from(*len));
        at += if *kind == 0 { 1 } else { 2 + len };
    }
    Ok(())
}
