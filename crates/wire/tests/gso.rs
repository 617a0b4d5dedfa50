//! Cutting and joining are opposites.

mod common;

use bytes::Bytes;
use common::{Ip, bytes, header, ip};
use handclasp_wire::checksum::pseudo_header;
use handclasp_wire::ethernet::{EtherType, Ethernet, MacAddr};
use handclasp_wire::frame::{Inbound, Medium, Outbound, PartialChecksum};
use handclasp_wire::gso::{Join, split, split_inbound};
use handclasp_wire::ip::protocol;
use handclasp_wire::packet::{Net, Packet, Transport};
use handclasp_wire::tcp::{Flags, Header, TcpView};
use proptest::prelude::*;
use smallvec::SmallVec;

/// A packet with many segments in it, its payload in slices.
fn large(medium: Medium, ip: Ip, header: &Header, payload: &[u8], size: u16) -> Outbound {
    let mut out = SmallVec::new();
    if medium == Medium::Ethernet {
        let ethertype = if matches!(ip, Ip::V4(_)) { EtherType::IPV4 } else { EtherType::IPV6 };
        Ethernet::new(MacAddr([2; 6]), MacAddr([4; 6]), ethertype).emit(&mut out);
    }
    let ((src, dst), len) = (ip.ends(), header.emitted_len() + payload.len());
    let with_payload = ip.packet(protocol::TCP, &vec![0; len]);
    out.extend_from_slice(&with_payload[..with_payload.len() - len]);
    let checksum = Some(PartialChecksum { start: out.len() as u16, offset: 16 });
    let seed = pseudo_header(src, dst, protocol::TCP, len as u32).partial();
    header.emit_with_checksum(seed, &mut out);
    let payload = payload.chunks(777).map(Bytes::copy_from_slice).collect();
    Outbound { header: out, payload, checksum, segment_size: Some(size) }
}

fn tcp_of(medium: Medium, packet: &[u8]) -> TcpView<'_> {
    match Packet::parse(medium, packet).expect("a valid packet").transport {
        Transport::Tcp(tcp) => tcp,
        other => panic!("{other:?} instead of TCP"),
    }
}

fn join(medium: Medium, pieces: &[Vec<u8>]) -> Vec<Inbound> {
    let mut join = Join::new(medium);
    let packets = pieces.iter().map(|piece| Inbound::new(Bytes::copy_from_slice(piece)));
    let mut joined: Vec<_> = packets.filter_map(|packet| join.push(packet)).collect();
    joined.extend(join.flush());
    joined
}

fn medium() -> impl Strategy<Value = Medium> {
    prop_oneof![Just(Medium::Ip), Just(Medium::Ethernet)]
}

proptest! {
    #[test]
    fn every_piece_verifies_and_together_they_are_the_whole(
        medium in medium(),
        ip in ip(),
        header in header(),
        payload in bytes(5000),
        size in 1u16..1500,
    ) {
        let packet = large(medium, ip, &header, &payload, size);
        let pieces: Vec<_> = split(&packet, medium).collect();
        prop_assert_eq!(pieces.len(), payload.len().div_ceil(size.into()).max(1));
        let mut sent: Vec<u8> = Vec::new();
        for (nth, piece) in pieces.iter().enumerate() {
            let parsed = Packet::parse(medium, piece).unwrap();
            prop_assert_eq!(parsed.checksum_ok(), Some(true));
            prop_assert_eq!(parsed.layout.end, piece.len());
            if let (Net::Ipv4(ip), Ip::V4(given)) = (parsed.net, ip) {
                prop_assert!(ip.checksum_ok());
                let identification = given.identification.wrapping_add(nth as u16);
                prop_assert_eq!(ip.identification(), identification);
            }
            let tcp = tcp_of(medium, piece);
            prop_assert_eq!(tcp.seq() - header.seq, sent.len() as u32);
            let (first, last) = (nth == 0, nth + 1 == pieces.len());
            let mut flags = header.flags;
            flags.set(Flags::CWR, flags.contains(Flags::CWR) && first);
            flags.set(Flags::FIN, flags.contains(Flags::FIN) && last);
            flags.set(Flags::PSH, flags.contains(Flags::PSH) && last);
            prop_assert_eq!(tcp.flags(), flags);
            sent.extend(tcp.payload());
        }
        prop_assert_eq!(sent, payload);
    }

    #[test]
    fn what_was_cut_is_joined_to_the_same_payload_and_cut_to_the_same_pieces(
        medium in medium(),
        ip in ip(),
        mut header in header(),
        payload in bytes(5000),
        size in 1u16..1500,
    ) {
        header.flags &= Flags::ACK | Flags::PSH | Flags::FIN | Flags::ECE | Flags::AE;
        header.flags |= Flags::ACK;
        let pieces: Vec<_> =
            split(&large(medium, ip, &header, &payload, size), medium).collect();
        let joined = join(medium, &pieces);
        prop_assert_eq!(joined.len(), 1);
        prop_assert_eq!(tcp_of(medium, &joined[0].data).payload(), payload);
        let again: Vec<_> = split_inbound(&joined[0], medium).collect();
        prop_assert_eq!(again, pieces);
    }

    #[test]
    fn whatever_the_flags_joining_keeps_every_byte_in_order(
        ip in ip(),
        parts in prop::collection::vec((header(), bytes(100), any::<bool>()), 1..8),
    ) {
        let mut pieces = Vec::new();
        let mut next = parts[0].0.clone();
        for (other, payload, follows) in &parts {
            // Every other segment or so goes on where the one before ended.
            let header = if *follows { next.clone() } else { other.clone() };
            pieces.extend(split(&large(Medium::Ip, ip, &header, payload, u16::MAX), Medium::Ip));
            next = Header { seq: header.seq + payload.len() as u32, ..header };
        }
        let joined = join(Medium::Ip, &pieces);
        prop_assert!(joined.len() <= pieces.len());
        let told = |pieces: &[Vec<u8>]| -> Vec<(u32, Flags, Vec<u8>)> {
            let tcp = pieces.iter().map(|piece| tcp_of(Medium::Ip, piece));
            tcp.map(|tcp| (tcp.seq().0, tcp.flags(), tcp.payload().to_vec())).collect()
        };
        let again: Vec<_> =
            joined.iter().flat_map(|packet| split_inbound(packet, Medium::Ip)).collect();
        prop_assert_eq!(told(&again), told(&pieces));
    }
}
