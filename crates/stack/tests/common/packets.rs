//! Packets by hand, and what was sent in readable form.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use handclasp_wire::checksum::{self, Sum};
use handclasp_wire::frame::Medium;
use handclasp_wire::icmp::Echo;
use handclasp_wire::icmpv4::Icmpv4;
use handclasp_wire::icmpv6::Icmpv6;
use handclasp_wire::ip::protocol;
use handclasp_wire::ipv4::Ipv4;
use handclasp_wire::ipv6::{self, Ipv6};
use handclasp_wire::packet::{Packet, Transport};
use handclasp_wire::tcp::Header;
use handclasp_wire::udp::Udp;

/// A TCP segment that was sent.
#[derive(Clone, Debug)]
pub struct Segment {
    pub src: SocketAddr,
    pub dst: SocketAddr,
    pub header: Header,
    pub text: Vec<u8>,
}

/// The segment in a packet, if there is one.
pub fn segment(medium: Medium, packet: &[u8]) -> Option<Segment> {
    let packet = Packet::parse(medium, packet).unwrap();
    let Transport::Tcp(view) = packet.transport else { return None };
    assert_eq!(packet.checksum_ok(), Some(true));
    let (src, dst) = packet.addresses()?;
    Some(Segment {
        src: SocketAddr::new(src, view.src_port()),
        dst: SocketAddr::new(dst, view.dst_port()),
        header: view.to_header(),
        text: view.payload().to_vec(),
    })
}

/// An IP packet without options or extension headers.
fn packet(src: IpAddr, dst: IpAddr, protocol: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            Ipv4::new(src, dst, protocol).emit(body.len(), &mut bytes);
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            Ipv6::new(src, dst, protocol).emit(body.len(), &mut bytes);
        }
        _ => panic!("{src} and {dst} are of two families"),
    }
    bytes.extend_from_slice(body);
    bytes
}

fn with_checksum(src: IpAddr, dst: IpAddr, protocol: u8, mut body: Vec<u8>, at: usize) -> Bytes {
    let sum: Sum =
        checksum::pseudo_header(src, dst, protocol, body.len() as u32) + checksum::sum(&body);
    body[at..at + 2].copy_from_slice(&sum.finish().to_be_bytes());
    packet(src, dst, protocol, &body).into()
}

/// A TCP segment; the ports in `header` are overwritten.
pub fn tcp(src: SocketAddr, dst: SocketAddr, header: &Header, text: &[u8]) -> Bytes {
    let header = Header { src_port: src.port(), dst_port: dst.port(), ..header.clone() };
    let mut body = Vec::new();
    header.emit(&mut body);
    body.extend_from_slice(text);
    with_checksum(src.ip(), dst.ip(), protocol::TCP, body, 16)
}

pub fn udp(src: SocketAddr, dst: SocketAddr, payload: &[u8]) -> Bytes {
    let mut body = Vec::new();
    Udp { src_port: src.port(), dst_port: dst.port() }.emit(payload.len(), 0, &mut body);
    body.extend_from_slice(payload);
    with_checksum(src.ip(), dst.ip(), protocol::UDP, body, 6)
}

/// An echo request.
pub fn echo(src: IpAddr, dst: IpAddr, data: &[u8]) -> Bytes {
    let echo = Echo { identifier: 7, sequence: 1, data };
    let mut body = Vec::new();
    match (src, dst) {
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            Icmpv6::EchoRequest(echo).emit(from, to, &mut body);
            packet(src, dst, protocol::ICMPV6, &body).into()
        }
        _ => {
            Icmpv4::EchoRequest(echo).emit(&mut body);
            packet(src, dst, protocol::ICMPV4, &body).into()
        }
    }
}

/// The part `from..to` of a whole packet's body as a fragment.
pub fn fragment(whole: &[u8], from: usize, to: usize) -> Bytes {
    let whole = Packet::parse(Medium::Ip, whole).unwrap();
    let mut bytes = Vec::new();
    match whole.net {
        handclasp_wire::packet::Net::Ipv4(view) => {
            let body = view.payload();
            let header = Ipv4 {
                identification: 99,
                dont_fragment: false,
                more_fragments: to < body.len(),
                fragment_offset: from as u16,
                ..view.to_repr()
            };
            header.emit(to - from, &mut bytes);
            bytes.extend_from_slice(&body[from..to]);
        }
        handclasp_wire::packet::Net::Ipv6(view) => {
            let body = view.payload();
            let header = Ipv6 { next_header: protocol::FRAGMENT, ..view.to_repr() };
            header.emit(ipv6::Fragment::LEN + to - from, &mut bytes);
            let fragment = ipv6::Fragment {
                next_header: view.next_header(),
                offset: from as u16,
                more: to < body.len(),
                identification: 99,
            };
            fragment.emit(&mut bytes);
            bytes.extend_from_slice(&body[from..to]);
        }
        _ => panic!("no IP packet"),
    }
    bytes.into()
}
