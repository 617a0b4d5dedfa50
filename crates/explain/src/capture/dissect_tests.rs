use std::net::Ipv4Addr;

use handclasp_wire::checksum::{pseudo_header, sum};
use handclasp_wire::icmpv4::Icmpv4;
use handclasp_wire::ip::protocol;
use handclasp_wire::ipv4::Ipv4;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::{Flags, Header};
use handclasp_wire::time::Instant;

use super::{About, Dissector, Found};
use crate::capture::Frame;
use crate::capture::link::LinkType;

const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

fn segment(data: &[u8]) -> Vec<u8> {
    let header = Header {
        src_port: 5000,
        dst_port: 80,
        seq: SeqNumber(7),
        flags: Flags::ACK,
        ..Header::default()
    };
    let mut bytes = Vec::new();
    header.emit(&mut bytes);
    bytes.extend(data);
    let whole = pseudo_header(A.into(), B.into(), protocol::TCP, bytes.len() as u32) + sum(&bytes);
    bytes[16..18].copy_from_slice(&whole.finish().to_be_bytes());
    bytes
}

fn packet(ip: Ipv4<'_>, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    ip.emit(payload.len(), &mut bytes);
    bytes.extend(payload);
    bytes
}

fn frame(bytes: &[u8], len: usize) -> Frame<'_> {
    let (at, link) = (Instant::ZERO, LinkType::RAW);
    Frame { number: 1, at, link, interface: 0, len: len as u32, bytes }
}

#[test]
fn a_segment_cut_by_the_capture_keeps_its_length() {
    let bytes = packet(Ipv4::new(A, B, protocol::TCP), &segment(b"hello, world"));
    let mut dissector = Dissector::default();
    let cut = frame(&bytes[..bytes.len() - 7], bytes.len());
    let Found::Segment(segment) = dissector.dissect(&cut) else { panic!("a segment") };
    assert_eq!((segment.len, segment.payload), (12, &b"hello"[..]));
    assert_eq!(segment.checksum_ok, None);
    assert_eq!(segment.src, "10.0.0.1:5000".parse().unwrap());
}

#[test]
fn a_large_send_without_a_length_has_the_frames() {
    let mut bytes = packet(Ipv4::new(A, B, protocol::TCP), &segment(b"hello"));
    bytes[2..4].fill(0);
    let mut dissector = Dissector::default();
    let cut = frame(&bytes, bytes.len() + 70_000);
    let Found::Segment(segment) = dissector.dissect(&cut) else { panic!("a segment") };
    assert_eq!(segment.len, 70_005);
}

#[test]
fn fragments_are_a_segment_when_the_last_has_come() {
    let whole = segment(b"hello, world");
    let ip = Ipv4 { dont_fragment: false, ..Ipv4::new(A, B, protocol::TCP) };
    let first = packet(Ipv4 { more_fragments: true, ..ip }, &whole[..16]);
    let second = packet(Ipv4 { fragment_offset: 16, ..ip }, &whole[16..]);
    let mut dissector = Dissector::default();
    assert!(matches!(dissector.dissect(&frame(&first, first.len())), Found::Nothing));
    let Found::Segment(segment) = dissector.dissect(&frame(&second, second.len())) else {
        panic!("a segment")
    };
    assert_eq!((segment.payload, segment.checksum_ok), (&b"hello, world"[..], Some(true)));
}

#[test]
fn a_segment_in_a_tunnel_is_found() {
    let inner = packet(Ipv4::new(A, B, protocol::TCP), &segment(b"hello"));
    let outer = packet(Ipv4::new(B, A, 4), &inner);
    let mut dissector = Dissector::default();
    let Found::Segment(segment) = dissector.dissect(&frame(&outer, outer.len())) else {
        panic!("a segment")
    };
    assert_eq!(segment.src.ip(), A);
}

#[test]
fn an_icmp_error_tells_which_segment_it_is_about() {
    let quoted = packet(Ipv4::new(A, B, protocol::TCP), &segment(b"hello"));
    let error = Icmpv4::Unreachable { code: 3, next_hop_mtu: 0, quoted: &quoted[..28] };
    let mut icmp = Vec::new();
    error.emit(&mut icmp);
    let bytes = packet(Ipv4::new(B, A, protocol::ICMPV4), &icmp);
    let mut dissector = Dissector::default();
    let Found::Complaint(complaint) = dissector.dissect(&frame(&bytes, bytes.len())) else {
        panic!("a complaint")
    };
    assert_eq!(complaint.about, About::PortUnreachable);
    assert_eq!((complaint.seq, complaint.src.port()), (SeqNumber(7), 5000));
}
