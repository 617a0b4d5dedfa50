use core::net::{Ipv4Addr, Ipv6Addr};
use std::vec::Vec;

use bytes::Bytes;
use smallvec::{SmallVec, smallvec};

use super::*;
use crate::checksum::pseudo_header;
use crate::ethernet::{EtherType, Ethernet, MacAddr, VlanTag};
use crate::frame::{Inbound, Medium, Outbound, PartialChecksum, RxChecksum};
use crate::ip::{Ecn, protocol};
use crate::ipv4::Ipv4;
use crate::ipv6::Ipv6;
use crate::packet::{Net, Packet, Transport};
use crate::seq::SeqNumber;
use crate::tcp::{Flags, Header, TcpView};
use crate::udp::Udp;

const V4: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2)];
const DATA: Flags = Flags::ACK;

fn payload(len: usize) -> Bytes {
    (0..len).map(|i| (i * 7 + i / 256) as u8).collect()
}

fn tcp(flags: Flags) -> Header {
    let seq = SeqNumber(u32::MAX - 1500);
    Header {
        src_port: 40_000,
        dst_port: 80,
        seq,
        ack: SeqNumber(9),
        flags,
        window: 502,
        ..<_>::default()
    }
}

fn ipv4() -> Ipv4<'static> {
    Ipv4 { identification: 0xffff, ..Ipv4::new(V4[0], V4[1], protocol::TCP) }
}

/// A packet whose checksum a device is to finish.
fn unfinished(ip: Ipv4<'_>, tcp: &Header, payload: Bytes, size: Option<u16>) -> Outbound {
    let mut header = SmallVec::new();
    let len = tcp.emitted_len() + payload.len();
    ip.emit(len, &mut header);
    let (start, offset) = (header.len() as u16, 16);
    let seed = pseudo_header(V4[0].into(), V4[1].into(), 6, len as u32).partial();
    tcp.emit_with_checksum(seed, &mut header);
    let checksum = Some(PartialChecksum { start, offset });
    Outbound { header, payload: smallvec![payload], checksum, segment_size: size }
}

fn segment(seq: u32, flags: Flags, len: usize) -> Inbound {
    let tcp = Header { seq: SeqNumber(seq), ..tcp(flags) };
    let packet = unfinished(ipv4(), &tcp, payload(len), None);
    Inbound::new(split(&packet, Medium::Ip).next().unwrap().into())
}

fn joined(medium: Medium, packets: impl IntoIterator<Item = Inbound>) -> Vec<Inbound> {
    let mut join = Join::new(medium);
    let mut out: Vec<_> = packets.into_iter().filter_map(|packet| join.push(packet)).collect();
    out.extend(join.flush());
    out
}

fn tcp_of(packet: &[u8]) -> TcpView<'_> {
    match Packet::parse_ip(packet).unwrap().transport {
        Transport::Tcp(tcp) => tcp,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_counts_up_counts_up_and_what_ends_stays_at_the_end() {
    let flags = Flags::CWR | Flags::ECE | Flags::ACK | Flags::PSH | Flags::FIN;
    let packet = unfinished(ipv4(), &tcp(flags), payload(2500), Some(1000));
    let pieces: Vec<_> = split(&packet, Medium::Ip).collect();
    let told: Vec<_> = pieces
        .iter()
        .map(|piece| {
            let parsed = Packet::parse_ip(piece).unwrap();
            assert_eq!(parsed.checksum_ok(), Some(true));
            let Net::Ipv4(ip) = parsed.net else { panic!() };
            assert!(ip.checksum_ok());
            let tcp = tcp_of(piece);
            (ip.identification(), tcp.seq() - SeqNumber(0), tcp.flags(), tcp.payload().len())
        })
        .collect();
    let start = u32::MAX - 1500;
    let kept = Flags::ECE | Flags::ACK;
    assert_eq!(
        told,
        [
            (0xffff, start, kept | Flags::CWR, 1000),
            (0, start.wrapping_add(1000), kept, 1000),
            (1, start.wrapping_add(2000), kept | Flags::PSH | Flags::FIN, 500),
        ]
    );
    let bytes: Vec<u8> = pieces.iter().flat_map(|p| tcp_of(p).payload().to_vec()).collect();
    assert_eq!(bytes, payload(2500));
}

#[test]
fn a_payload_in_odd_slices_is_cut_across_them() {
    let whole = payload(3000);
    let mut packet = unfinished(ipv4(), &tcp(DATA), whole.clone(), Some(999));
    packet.payload =
        smallvec![whole.slice(..1), whole.slice(1..1), whole.slice(1..1001), whole.slice(1001..)];
    let bytes: Vec<u8> =
        split(&packet, Medium::Ip).flat_map(|p| tcp_of(&p).payload().to_vec()).collect();
    assert_eq!(bytes, whole);
}

#[test]
fn a_tagged_frame_of_ipv6_is_cut_behind_its_headers() {
    let [src, dst]: [Ipv6Addr; 2] = ["fd00::1".parse().unwrap(), "fd00::2".parse().unwrap()];
    let tag = Some(VlanTag { tpid: EtherType::VLAN, tci: 5 });
    let mut header = SmallVec::new();
    let (to, from) = (MacAddr([2; 6]), MacAddr([4; 6]));
    Ethernet { dst: to, src: from, tags: [tag, None], ethertype: EtherType::IPV6 }
        .emit(&mut header);
    Ipv6::new(src, dst, protocol::TCP).emit(20 + 2000, &mut header);
    tcp(DATA).emit(&mut header);
    let payload = smallvec![payload(2000)];
    let packet = Outbound { header, payload, checksum: None, segment_size: Some(1400) };
    let lens: Vec<_> = split(&packet, Medium::Ethernet)
        .map(|piece| {
            let parsed = Packet::parse_ethernet(&piece).unwrap();
            assert_eq!(parsed.checksum_ok(), Some(true));
            parsed.layout.payload().len()
        })
        .collect();
    assert_eq!(lens, [1400, 600]);
}

#[test]
fn a_packet_that_need_not_be_cut_has_its_checksum_finished() {
    let packet = unfinished(ipv4(), &tcp(Flags::SYN), Bytes::new(), None);
    let pieces: Vec<_> = split(&packet, Medium::Ip).collect();
    assert_eq!(pieces.len(), 1);
    assert_eq!(Packet::parse_ip(&pieces[0]).unwrap().checksum_ok(), Some(true));
}

#[test]
fn a_finished_packet_stays_as_it_is() {
    let mut packet = unfinished(ipv4(), &tcp(DATA), payload(10), None);
    packet.checksum = None;
    let expected = [&packet.header[..], &payload(10)].concat();
    assert_eq!(split(&packet, Medium::Ip).collect::<Vec<_>>(), [expected]);
}

#[test]
fn a_segment_size_of_zero_does_not_cut() {
    let packet = unfinished(ipv4(), &tcp(DATA), payload(100), Some(0));
    assert_eq!(split(&packet, Medium::Ip).count(), 1);
}

#[test]
fn a_bare_ack_with_a_segment_size_is_one_packet() {
    let packet = unfinished(ipv4(), &tcp(DATA), Bytes::new(), Some(1000));
    assert_eq!(split(&packet, Medium::Ip).count(), 1);
}

#[test]
fn a_buffer_serves_for_every_piece() {
    let packet = unfinished(ipv4(), &tcp(DATA), payload(2500), Some(1000));
    let (mut pieces, mut buffer) = (split(&packet, Medium::Ip), Vec::new());
    for piece in split(&packet, Medium::Ip) {
        assert!(pieces.next_into(&mut buffer));
        assert_eq!(buffer, piece);
    }
    assert!(!pieces.next_into(&mut buffer));
}

#[test]
fn what_no_layer_can_read_is_passed_on_whole() {
    let header = SmallVec::from_slice(b"noise");
    let packet = Outbound { header, segment_size: Some(2), ..Outbound::default() };
    assert_eq!(split(&packet, Medium::Ip).collect::<Vec<_>>(), [b"noise"]);
}

#[test]
fn a_header_that_ends_within_its_options_is_passed_on_whole() {
    let mut packet = unfinished(ipv4(), &tcp(DATA), payload(100), Some(10));
    packet.header[32] = 0xa0;
    assert_eq!(split(&packet, Medium::Ip).count(), 1);
}

#[test]
fn an_unverified_packet_is_not_repaired_on_its_way() {
    let mut data = segment(0, DATA, 100).data.to_vec();
    data[60] ^= 1;
    let packet = Inbound::new(data.clone().into());
    assert_eq!(split_inbound(&packet, Medium::Ip).collect::<Vec<_>>(), [data]);
}

#[test]
fn an_unfinished_checksum_that_the_link_vouches_for_is_finished() {
    let mut datagram = SmallVec::new();
    Ipv4::new(V4[0], V4[1], protocol::UDP).emit(13, &mut datagram);
    Udp { src_port: 1, dst_port: 2 }.emit(5, 0x1234, &mut datagram);
    datagram.extend_from_slice(b"hello");
    let segment = unfinished(ipv4(), &tcp(DATA), Bytes::new(), None).header;
    for bytes in [datagram, segment] {
        let mut packet = Inbound::new(Bytes::copy_from_slice(&bytes));
        packet.checksum = RxChecksum::Trusted;
        let piece = split_inbound(&packet, Medium::Ip).next().unwrap();
        assert_eq!(Packet::parse_ip(&piece).unwrap().checksum_ok(), Some(true));
    }
}

#[test]
fn datagrams_that_a_device_joined_are_cut_apart() {
    let ip = Ipv4::new(V4[0], V4[1], protocol::UDP);
    let mut joined = Vec::new();
    ip.emit(Udp::HEADER_LEN + 2500, &mut joined);
    Udp { src_port: 1, dst_port: 2 }.emit(2500, 0x1234, &mut joined);
    joined.extend_from_slice(&payload(2500));
    let packet =
        Inbound { data: joined.into(), checksum: RxChecksum::Trusted, segment_size: Some(1200) };
    let mut got = Vec::new();
    for (piece, len) in split_inbound(&packet, Medium::Ip).zip([1200, 1200, 100]) {
        let datagram = Packet::parse_ip(&piece).unwrap();
        assert_eq!(datagram.checksum_ok(), Some(true));
        let Transport::Udp(udp) = datagram.transport else { panic!("{datagram:?}") };
        assert_eq!(udp.payload().len(), len);
        got.extend_from_slice(udp.payload());
    }
    assert_eq!(got, payload(2500));
}

#[test]
fn segments_behind_each_other_become_one_packet() {
    let big = unfinished(ipv4(), &tcp(DATA | Flags::PSH), payload(3500), Some(1000));
    let pieces: Vec<_> = split(&big, Medium::Ip).collect();
    let packets = joined(Medium::Ip, pieces.iter().map(|p| Inbound::new(p.clone().into())));
    let [one] = &packets[..] else { panic!("{packets:?}") };
    assert_eq!((one.segment_size, one.checksum), (Some(1000), RxChecksum::Trusted));
    let Net::Ipv4(ip) = Packet::parse_ip(&one.data).unwrap().net else { panic!() };
    assert!(ip.checksum_ok());
    assert_eq!(tcp_of(&one.data).payload(), payload(3500));
    assert_eq!(tcp_of(&one.data).flags(), DATA | Flags::PSH);
    assert_eq!(split_inbound(one, Medium::Ip).collect::<Vec<_>>(), pieces);
}

/// How many packets two segments become when the second one is changed.
fn after(change: impl FnOnce(&mut Ipv4<'_>, &mut Header, &mut Bytes)) -> usize {
    let (mut ip, mut second, mut data) = (ipv4(), tcp(DATA), payload(1000));
    second.seq += 1000;
    ip.identification = 0;
    change(&mut ip, &mut second, &mut data);
    let first = unfinished(ipv4(), &tcp(DATA), payload(1000), None);
    let packets = [first, unfinished(ip, &second, data, None)]
        .map(|p| Inbound::new(split(&p, Medium::Ip).next().unwrap().into()));
    joined(Medium::Ip, packets).len()
}

#[test]
fn only_segments_that_can_be_cut_apart_again_are_joined() {
    assert_eq!(after(|_, _, _| {}), 1);
    assert_eq!(after(|_, _, data| data.truncate(1)), 1);
    assert_eq!(after(|_, tcp, _| tcp.flags |= Flags::FIN), 1);
    assert_eq!(after(|_, tcp, _| tcp.seq += 1), 2, "a gap");
    assert_eq!(after(|_, tcp, _| tcp.ack += 1), 2, "another acknowledgment");
    assert_eq!(after(|_, tcp, _| tcp.window += 1), 2, "another window");
    assert_eq!(after(|_, tcp, _| tcp.src_port += 1), 2, "another connection");
    assert_eq!(after(|_, tcp, _| tcp.options.mss = Some(1)), 2, "other options");
    assert_eq!(after(|ip, _, _| ip.ecn = Ecn::Ce), 2, "a mark of congestion");
    assert_eq!(after(|ip, _, _| ip.ttl -= 1), 2, "another way through the network");
    assert_eq!(after(|_, _, data| *data = payload(1001)), 2, "a larger segment");
    assert_eq!(after(|_, _, data| data.clear()), 2, "no payload");
    for flag in [Flags::SYN, Flags::RST, Flags::URG, Flags::CWR, Flags::ECE] {
        assert_eq!(after(|_, tcp, _| tcp.flags |= flag), 2, "{flag:?}");
    }
}

#[test]
fn identifications_must_count_up_where_they_have_a_meaning() {
    let pair = |dont_fragment, second| {
        let ip = Ipv4 { dont_fragment, ..ipv4() };
        let next = Header { seq: tcp(DATA).seq + 10, ..tcp(DATA) };
        let packets = [(ip, tcp(DATA)), (Ipv4 { identification: second, ..ip }, next)]
            .map(|(ip, tcp)| unfinished(ip, &tcp, payload(10), None))
            .map(|p| Inbound::new(split(&p, Medium::Ip).next().unwrap().into()));
        joined(Medium::Ip, packets).len()
    };
    assert_eq!(pair(false, 0), 1);
    assert_eq!(pair(false, 0xffff), 2);
    assert_eq!(pair(true, 0xffff), 1);
}

#[test]
fn psh_or_a_short_segment_ends_the_packet() {
    let psh = [segment(0, DATA | Flags::PSH, 100), segment(100, DATA, 100)];
    assert_eq!(joined(Medium::Ip, psh).len(), 2);
    let short = [segment(0, DATA, 100), segment(100, DATA, 50), segment(150, DATA, 50)];
    assert_eq!(joined(Medium::Ip, short).len(), 2);
}

#[test]
fn a_segment_with_a_wrong_checksum_is_passed_on_alone() {
    let mut data = segment(100, DATA, 100).data.to_vec();
    data[70] ^= 1;
    let broken = Inbound::new(data.into());
    let packets = joined(Medium::Ip, [segment(0, DATA, 100), broken.clone()]);
    assert_eq!(packets[1], broken);
}

#[test]
fn a_packet_never_outgrows_its_length_field() {
    let segments = (0..50).map(|i| segment(i * 1460, DATA, 1460));
    let packets = joined(Medium::Ip, segments);
    assert_eq!(packets.len(), 2);
    assert!(packets.iter().all(|p| Packet::parse_ip(&p.data).is_ok()));
    assert_eq!(tcp_of(&packets[0].data).payload().len(), 44 * 1460);
}

#[test]
fn packets_come_out_in_the_order_in_which_they_went_in() {
    let other = Inbound::new(Bytes::from_static(b"noise"));
    let packets = [segment(0, DATA, 10), other.clone(), segment(10, DATA, 10)];
    let out = joined(Medium::Ip, packets.clone());
    let bytes = |packets: &[Inbound]| packets.iter().map(|p| p.data.clone()).collect::<Vec<_>>();
    assert_eq!(bytes(&out), bytes(&packets));
}

#[test]
fn a_links_padding_is_not_joined() {
    let mut frames = Vec::new();
    for (seq, len) in [(0, 4), (4, 3)] {
        let mut frame = Vec::new();
        Ethernet::new(MacAddr([2; 6]), MacAddr([4; 6]), EtherType::IPV4).emit(&mut frame);
        frame.extend(segment(seq, DATA, len).data);
        frame.resize(60, 0);
        frames.push(Inbound::new(frame.into()));
    }
    let out = joined(Medium::Ethernet, frames);
    let packet = Packet::parse_ethernet(&out[0].data).unwrap();
    assert_eq!((out.len(), packet.layout.payload()), (1, 54..61));
    assert_eq!(packet.layout.end, out[0].data.len());
}
