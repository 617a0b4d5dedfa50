use std::vec::Vec;

use super::*;
use crate::error::Layer;
use crate::ipv4::Ipv4;
use crate::ipv6::{Fragment, Ipv6};

const TCP_START: [u8; 8] = [0xc3, 0x50, 0, 80, 0x11, 0x22, 0x33, 0x44];

fn v4(protocol: u8) -> Ipv4<'static> {
    Ipv4::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), protocol)
}

fn quotation(header: Ipv4<'_>, transport: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    // As routers do: the length is still the whole packet's.
    header.emit(1480, &mut bytes);
    bytes.extend(transport);
    bytes
}

#[test]
fn eight_bytes_of_tcp_tell_ports_and_sequence_number() {
    let bytes = quotation(v4(protocol::TCP), &TCP_START);
    let quoted = Quoted::parse(&bytes).unwrap();
    assert_eq!((quoted.src, quoted.dst), ([10, 0, 0, 1].into(), [10, 0, 0, 2].into()));
    assert_eq!(quoted.ports(), Some((50_000, 80)));
    assert_eq!(quoted.tcp_seq(), Some(SeqNumber(0x1122_3344)));
}

#[test]
fn four_bytes_of_tcp_tell_the_ports_only() {
    let bytes = quotation(v4(protocol::TCP), &TCP_START[..4]);
    let quoted = Quoted::parse(&bytes).unwrap();
    assert_eq!((quoted.ports(), quoted.tcp_seq()), (Some((50_000, 80)), None));
}

#[test]
fn udp_has_ports_and_no_sequence_number() {
    let bytes = quotation(v4(protocol::UDP), &TCP_START);
    let quoted = Quoted::parse(&bytes).unwrap();
    assert_eq!((quoted.ports(), quoted.tcp_seq()), (Some((50_000, 80)), None));
}

#[test]
fn a_later_fragment_has_no_ports() {
    let bytes = quotation(Ipv4 { fragment_offset: 8, ..v4(protocol::TCP) }, &TCP_START);
    assert_eq!(Quoted::parse(&bytes).unwrap().ports(), None);
}

#[test]
fn a_first_fragment_of_ipv6_tells_its_ports() {
    let mut bytes = Vec::new();
    let (src, dst) = ("fd00::1".parse().unwrap(), "fd00::2".parse().unwrap());
    Ipv6::new(src, dst, protocol::FRAGMENT).emit(1232, &mut bytes);
    Fragment { next_header: protocol::TCP, offset: 0, more: true, identification: 1 }
        .emit(&mut bytes);
    bytes.extend(TCP_START);
    let quoted = Quoted::parse(&bytes).unwrap();
    assert_eq!((quoted.protocol, quoted.ports()), (protocol::TCP, Some((50_000, 80))));
}

#[test]
fn a_quotation_of_another_protocol_than_ip_is_refused() {
    assert_eq!(Quoted::parse(&[0x50; 40]).unwrap_err().layer, Layer::Ip);
    assert_eq!(Quoted::parse(&[]).unwrap_err().layer, Layer::Ip);
}
