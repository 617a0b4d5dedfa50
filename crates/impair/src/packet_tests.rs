use std::vec;

use super::*;

#[test]
fn the_bit_that_is_asked_for_is_flipped() {
    let mut packet = vec![0u8; 3];
    packet.corrupt(0);
    packet.corrupt(17);
    assert_eq!(packet, [1, 0, 2]);
}

#[test]
fn a_bit_behind_the_last_changes_nothing() {
    let mut packet = vec![0u8; 3];
    packet.corrupt(24);
    assert_eq!(packet, [0; 3]);
}

#[test]
fn corrupting_shared_bytes_leaves_the_others_alone() {
    let original = Bytes::from_static(b"\0\0");
    let mut copy = original.clone();
    copy.corrupt(8);
    assert_eq!((&original[..], &copy[..]), (&b"\0\0"[..], &b"\0\x01"[..]));
}

/// An IPv4 header with this ECN field, its sum in order.
fn ipv4(ecn: u8) -> Vec<u8> {
    let mut header = [0x45, ecn, 0, 20, 0, 7, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    let sum = handclasp_wire::checksum::sum(&header).finish();
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    header.to_vec()
}

#[test]
fn a_capable_packet_is_marked_and_its_header_still_sums_up() {
    for field in [1, 2] {
        let mut packet = ipv4(field);
        assert!(packet.mark(Medium::Ip));
        assert_eq!(packet, ipv4(3));
        assert!(!packet.mark(Medium::Ip), "it has its mark");
    }
    let mut packet = ipv4(0);
    assert!(!packet.mark(Medium::Ip));
    assert_eq!(packet, ipv4(0));
}

#[test]
fn a_mark_finds_the_header_behind_ethernet_and_vlan_tags() {
    for tags in [&[][..], &[0x81, 0, 0, 5], &[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6]] {
        let frame = |ecn| [&[2; 12], tags, &[8, 0], &ipv4(ecn)].concat();
        let mut marked = frame(2);
        assert!(marked.mark(Medium::Ethernet));
        assert_eq!(marked, frame(3));
    }
}

#[test]
fn a_mark_on_ipv6_stands_in_its_traffic_class() {
    let mut packet = vec![0x60, 0x2f, 0xff, 0xff];
    packet.resize(40, 0);
    assert!(packet.mark(Medium::Ip));
    assert_eq!(packet[..4], [0x60, 0x3f, 0xff, 0xff]);
}

#[test]
fn what_is_no_whole_header_gets_no_mark() {
    for len in 0..12 {
        let mut packet = ipv4(2)[..len].to_vec();
        assert!(!packet.mark(Medium::Ip));
        assert!(!packet.mark(Medium::Ethernet));
    }
    assert!(!vec![0x81, 0].mark(Medium::Ethernet));
}
