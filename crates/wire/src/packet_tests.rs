use std::string::ToString;
use std::vec::Vec;

use super::*;
use crate::ethernet::{Ethernet, MacAddr, VlanTag};
use crate::ipv4::Ipv4;
use crate::ipv6::Fragment;
use crate::tcp::{Flags, Header};

fn tcp() -> Vec<u8> {
    let mut bytes = Vec::new();
    Header { src_port: 1, dst_port: 2, flags: Flags::ACK, ..Header::default() }.emit(&mut bytes);
    bytes
}

fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let header = Ipv4::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), protocol);
    header.emit(payload.len(), &mut bytes);
    bytes.extend(payload);
    bytes
}

fn ipv6(next_header: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (src, dst) = ("fd00::1".parse().unwrap(), "fd00::2".parse().unwrap());
    Ipv6::new(src, dst, next_header).emit(payload.len(), &mut bytes);
    bytes.extend(payload);
    bytes
}

fn ethernet(ethertype: EtherType, tags: [Option<VlanTag>; 2], payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (dst, src) = (MacAddr([2; 6]), MacAddr([4; 6]));
    Ethernet { dst, src, tags, ethertype }.emit(&mut bytes);
    bytes.extend(payload);
    bytes
}

#[test]
fn a_tagged_frame_is_cut_into_its_layers() {
    let segment = [&tcp()[..], b"hello"].concat();
    let tag = VlanTag { tpid: EtherType::VLAN, tci: 9 };
    let mut bytes = ethernet(EtherType::IPV4, [Some(tag), None], &ipv4(6, &segment));
    bytes.extend([0; 3]);
    let packet = Packet::parse_ethernet(&bytes).unwrap();
    let layout = packet.layout;
    assert_eq!((layout.link(), layout.net()), (0..18, 18..38));
    assert_eq!((layout.transport(), layout.payload()), (38..58, 58..63));
    assert!(matches!(packet.transport, Transport::Tcp(tcp) if tcp.payload() == b"hello"));
}

#[test]
fn extension_headers_belong_to_the_network_header() {
    let routing = [protocol::TCP, 0, 0, 0, 0, 0, 0, 0];
    let bytes = ipv6(protocol::ROUTING, &[&routing[..], &tcp()].concat());
    let packet = Packet::parse_ip(&bytes).unwrap();
    assert_eq!(packet.layout, Layout { net: 0, transport: 48, payload: 68, end: 68 });
}

#[test]
fn an_error_counts_bytes_from_the_start_of_the_frame() {
    let mut segment = tcp();
    segment[12] = 0x30;
    let bytes = ethernet(EtherType::IPV4, [None; 2], &ipv4(6, &segment));
    let error = Packet::parse_ethernet(&bytes).unwrap_err();
    assert_eq!(error.to_string(), "TCP at byte 46: data offset 3 is below the minimum of 5");
    let (packet, _) = Packet::dissect(Medium::Ethernet, &bytes);
    assert_eq!(packet.layout.transport..packet.layout.end, 34..54);
    assert!(matches!((packet.net, packet.transport), (Net::Ipv4(_), Transport::None)));
}

#[test]
fn a_packet_cut_short_is_read_to_its_last_layer() {
    let bytes = ipv4(6, &[&tcp()[..], &[7; 100]].concat());
    let (packet, error) = Packet::dissect(Medium::Ip, &bytes[..50]);
    assert_eq!(
        error.unwrap().to_string(),
        "IPv4 at byte 2: total length of 140 bytes exceeds the 50 that are there"
    );
    assert!(matches!(packet.transport, Transport::Tcp(_)));
    assert_eq!((packet.layout.payload(), packet.checksum_ok()), (40..50, None));
}

#[test]
fn a_segment_cut_within_its_options_keeps_its_fields() {
    let mut segment = tcp();
    segment[12] = 0xa0;
    segment.extend([2, 4, 5, 0xb4]);
    let bytes = ipv4(6, &segment);
    let (packet, error) = Packet::dissect(Medium::Ip, &bytes);
    assert_eq!(
        error.unwrap().to_string(),
        "TCP at byte 32: data offset of 40 bytes exceeds the 24 that are there"
    );
    let Transport::Tcp(tcp) = packet.transport else { panic!("{packet:?}") };
    assert_eq!((tcp.dst_port(), tcp.to_header().options.mss), (2, Some(1460)));
    assert_eq!((packet.layout.transport(), packet.checksum_ok()), (20..44, None));
}

#[test]
fn a_datagram_cut_short_is_read_to_its_last_layer() {
    let mut datagram = Vec::new();
    Udp { src_port: 1, dst_port: 2 }.emit(100, 0, &mut datagram);
    datagram.extend([7; 100]);
    let bytes = ipv6(protocol::UDP, &datagram);
    let (packet, error) = Packet::dissect(Medium::Ip, &bytes[..58]);
    assert!(matches!(packet.transport, Transport::Udp(_)));
    assert_eq!((error.unwrap().offset, packet.layout.payload()), (4, 48..58));
}

#[test]
fn a_total_length_of_zero_is_an_error_and_no_obstacle() {
    let mut bytes = ipv4(6, &tcp());
    bytes[2..4].copy_from_slice(&[0, 0]);
    let (packet, error) = Packet::dissect(Medium::Ip, &bytes);
    assert!(error.is_some() && matches!(packet.transport, Transport::Tcp(_)));
}

#[test]
fn fragments_are_not_read_into() {
    for (offset, more) in [(0, true), (8, false)] {
        let mut bytes = Vec::new();
        let header = Ipv4::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), 6);
        Ipv4 { more_fragments: more, fragment_offset: offset, ..header }.emit(20, &mut bytes);
        bytes.extend(tcp());
        let packet = Packet::parse_ip(&bytes).unwrap();
        assert!(matches!(packet.transport, Transport::Fragment { protocol: 6 }));
        assert_eq!(packet.layout.payload(), 20..40);
    }
}

#[test]
fn a_lone_fragment_of_ipv6_is_a_whole_packet() {
    let mut payload = Vec::new();
    let alone = Fragment { next_header: protocol::TCP, offset: 0, more: false, identification: 1 };
    alone.emit(&mut payload);
    payload.extend(tcp());
    let bytes = ipv6(protocol::FRAGMENT, &payload);
    assert!(matches!(Packet::parse_ip(&bytes).unwrap().transport, Transport::Tcp(_)));
}

#[test]
fn an_unknown_protocol_is_payload_and_no_error() {
    let bytes = ethernet(EtherType(0x88cc), [None; 2], b"lldp");
    let packet = Packet::parse_ethernet(&bytes).unwrap();
    assert_eq!((packet.layout.payload(), packet.addresses()), (14..18, None));
    let bytes = ipv4(132, b"sctp");
    let packet = Packet::parse_ip(&bytes).unwrap();
    assert!(matches!(packet.transport, Transport::Other { protocol: 132 }));
    assert_eq!(packet.layout.payload(), 20..24);
}

#[test]
fn arp_has_no_payload() {
    let mut bytes = Vec::new();
    Arp::request(MacAddr([2; 6]), [10, 0, 0, 1].into(), [10, 0, 0, 2].into()).emit(&mut bytes);
    let mut frame = ethernet(EtherType::ARP, [None; 2], &bytes);
    frame.extend([0; 18]);
    let packet = Packet::parse_ethernet(&frame).unwrap();
    assert_eq!((packet.layout.net(), packet.layout.payload()), (14..42, 42..42));
}

#[test]
fn what_is_neither_version_of_ip_is_refused() {
    assert_eq!(
        Packet::parse_ip(&[0x50; 40]).unwrap_err().to_string(),
        "IP at byte 0: version 5 is unknown"
    );
    assert_eq!(
        Packet::parse_ip(&[]).unwrap_err().to_string(),
        "IP at byte 0: cut short, 0 of 1 bytes"
    );
}

#[test]
fn both_families_tell_their_addresses() {
    let bytes = ipv4(6, &tcp());
    let ends = Packet::parse_ip(&bytes).unwrap().addresses();
    assert_eq!(ends, Some(([10, 0, 0, 1].into(), [10, 0, 0, 2].into())));
    let bytes = ipv6(6, &tcp());
    let ends = Packet::parse_ip(&bytes).unwrap().addresses();
    assert_eq!(ends, Some(("fd00::1".parse().unwrap(), "fd00::2".parse().unwrap())));
}

#[test]
fn one_familys_icmp_has_no_meaning_over_the_other() {
    for bytes in [ipv4(protocol::ICMPV6, &[0; 8]), ipv6(protocol::ICMPV4, &[0; 8])] {
        let packet = Packet::parse_ip(&bytes).unwrap();
        assert!(matches!(packet.transport, Transport::Other { .. }));
    }
}
