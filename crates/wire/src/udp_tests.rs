use std::string::ToString;
use std::vec::Vec;

use super::*;
use crate::checksum::{pseudo_header, sum};

const PORTS: Udp = Udp { src_port: 5353, dst_port: 53 };

fn datagram(payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    PORTS.emit(payload.len(), 0, &mut bytes);
    bytes.extend(payload);
    bytes
}

#[test]
fn a_datagram_comes_back_as_it_was_emitted() {
    let mut bytes = datagram(b"query");
    bytes.extend([0; 3]);
    let view = UdpView::parse(&bytes).unwrap();
    assert_eq!((view.to_repr(), view.payload()), (PORTS, &b"query"[..]));
}

#[test]
fn a_missing_checksum_is_right_over_ipv4_only() {
    let bytes = datagram(b"query");
    let view = UdpView::parse(&bytes).unwrap();
    let (v4, v6) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([1u16; 8]));
    assert!(view.checksum_ok(v4, v4));
    assert!(!view.checksum_ok(v6, v6));
}

#[test]
fn a_checksum_covers_the_datagram_and_not_the_links_padding() {
    let (src, dst) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
    let mut bytes = datagram(b"query");
    let checksum = pseudo_header(src, dst, protocol::UDP, bytes.len() as u32) + sum(&bytes);
    bytes[6..8].copy_from_slice(&checksum.finish().to_be_bytes());
    bytes.extend([0xaa; 7]);
    assert!(UdpView::parse(&bytes).unwrap().checksum_ok(src, dst));
    bytes[9] ^= 1;
    assert!(!UdpView::parse(&bytes).unwrap().checksum_ok(src, dst));
}

#[test]
fn a_length_below_the_header_is_refused() {
    let mut bytes = datagram(b"");
    bytes[5] = 7;
    let error = UdpView::parse(&bytes).unwrap_err();
    assert_eq!(error.to_string(), "UDP at byte 4: length 7 is below the minimum of 8");
}

#[test]
fn a_length_beyond_the_bytes_is_refused() {
    let bytes = datagram(b"query");
    let error = UdpView::parse(&bytes[..10]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "UDP at byte 4: length of 13 bytes exceeds the 10 that are there"
    );
    assert_eq!(UdpView::parse_truncated(&bytes[..10]).unwrap().payload(), b"qu");
}
