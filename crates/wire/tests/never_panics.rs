//! Whatever the bytes are, reading them gives an answer.

mod common;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::Bytes;
use common::{bytes, damaged, frame, option_list, packet};
use handclasp_wire::arp::ArpView;
use handclasp_wire::checksum;
use handclasp_wire::ethernet::EthernetView;
use handclasp_wire::frame::{Inbound, Medium, Outbound, PartialChecksum, RxChecksum};
use handclasp_wire::gso::{Join, split, split_inbound};
use handclasp_wire::icmpv4::Icmpv4View;
use handclasp_wire::icmpv6::Icmpv6View;
use handclasp_wire::ipv4::Ipv4View;
use handclasp_wire::ipv6::Ipv6View;
use handclasp_wire::ndp::NdpView;
use handclasp_wire::notation::{Base, Segment};
use handclasp_wire::packet::{Net, Packet, Transport};
use handclasp_wire::quote::Quoted;
use handclasp_wire::tcp::TcpView;
use handclasp_wire::udp::UdpView;
use proptest::prelude::*;

fn read_tcp(tcp: &TcpView<'_>) {
    let end = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let _ = (tcp.to_header(), tcp.option_error(), tcp.checksum_ok(end, end));
    if let Ok(raw) = tcp.to_raw() {
        raw.emit(&mut Vec::new());
    }
    let _ = Segment::of(tcp).display(Base::ABSOLUTE).to_string();
}

fn read_layers(medium: Medium, bytes: &[u8]) {
    let (packet, error) = Packet::dissect(medium, bytes);
    let layout = packet.layout;
    assert!(layout.net <= layout.transport && layout.transport <= layout.payload);
    assert!(layout.payload <= layout.end && layout.end <= bytes.len());
    assert!(error.is_none_or(|error| error.offset <= bytes.len()));
    let _ = (packet.checksum_ok(), packet.addresses(), error.map(|error| error.to_string()));
    match packet.net {
        Net::Ipv4(ip) => ip.to_repr().emit(ip.payload().len(), &mut Vec::new()),
        Net::Ipv6(ip) => ip.to_repr().emit(ip.payload().len(), &mut Vec::new()),
        Net::Arp(arp) => arp.to_repr().emit(&mut Vec::new()),
        Net::None => {}
    }
    if let Transport::Tcp(tcp) = packet.transport {
        read_tcp(&tcp);
    }
}

fn read_as_everything(bytes: &[u8]) {
    read_layers(Medium::Ethernet, bytes);
    read_layers(Medium::Ip, bytes);
    let any = Ipv6Addr::UNSPECIFIED;
    if let Ok(view) = EthernetView::parse(bytes) {
        view.to_repr().emit(&mut Vec::new());
    }
    if let Ok(view) = Ipv4View::parse(bytes) {
        let _ = view.checksum_ok();
    }
    if let Ok(view) = Ipv6View::parse(bytes) {
        assert!(view.extensions().count() < 10);
        let _ = view.upper();
    }
    if let Ok(view) = TcpView::parse_truncated(bytes) {
        read_tcp(&view);
    }
    if let Ok(view) = Icmpv4View::parse(bytes) {
        let _ = (view.checksum_ok(), view.to_repr().emit(&mut Vec::new()));
    }
    if let Ok(view) = Icmpv6View::parse(bytes) {
        let _ = (view.checksum_ok(any, any), view.to_repr().emit(any, any, &mut Vec::new()));
    }
    if let Ok(ndp) = NdpView::parse(bytes).and_then(|view| view.to_repr()) {
        let _ = (ndp.link_address(), ndp.emit(any, any, &mut Vec::new()));
    }
    if let Ok(view) = UdpView::parse(bytes) {
        let _ = view.checksum_ok(any.into(), any.into());
    }
    if let Ok(quoted) = Quoted::parse(bytes) {
        let _ = (quoted.ports(), quoted.tcp_seq());
    }
    let _ = ArpView::parse(bytes).map(|view| view.to_repr());
}

fn pass_through_gso(medium: Medium, bytes: &[u8], size: Option<u16>, vouched: bool) {
    let data = Bytes::copy_from_slice(bytes);
    let checksum = if vouched { RxChecksum::Trusted } else { RxChecksum::Unknown };
    let packet = Inbound { data: data.clone(), checksum, segment_size: size };
    assert!(split_inbound(&packet, medium).take(70_000).count() < 70_000);
    let mut join = Join::new(medium);
    let handed_out = [join.push(packet.clone()), join.push(packet), join.flush(), join.flush()];
    assert!(handed_out.iter().flatten().count() >= 1);
    let header = bytes.into();
    let packet =
        Outbound { header, segment_size: size, payload: [data][..].into(), checksum: None };
    assert!(split(&packet, medium).take(70_000).count() < 70_000);
}

proptest! {
    #[test]
    fn noise_is_read_as_everything(bytes in bytes(200)) {
        read_as_everything(&bytes);
    }

    #[test]
    fn damaged_packets_are_read_as_everything(bytes in damaged(packet())) {
        read_as_everything(&bytes);
    }

    #[test]
    fn damaged_frames_are_read_as_everything(bytes in damaged(frame())) {
        read_as_everything(&bytes);
    }

    #[test]
    fn damaged_options_are_read(options in damaged(option_list())) {
        let mut segment = vec![0; 20];
        segment[12] = (5 + options.len() as u8 / 4) << 4;
        segment.extend(options);
        read_as_everything(&segment);
    }

    #[test]
    fn damaged_packets_pass_through_gso(
        packet in damaged(packet()),
        frame in damaged(frame()),
        size in proptest::option::of(0u16..100),
        vouched: bool,
    ) {
        pass_through_gso(Medium::Ip, &packet, size, vouched);
        pass_through_gso(Medium::Ethernet, &frame, size, vouched);
    }

    #[test]
    fn a_partial_checksum_may_point_anywhere(
        mut bytes in bytes(100),
        start in 0u16..120,
        offset in 0u16..120,
    ) {
        let partial = PartialChecksum { start, offset };
        let mut packet = Outbound { header: bytes[..].into(), ..Outbound::default() };
        packet.checksum = Some(partial);
        prop_assert_eq!(checksum::finish(&mut bytes, partial), packet.finish_checksum());
        prop_assert_eq!(&bytes[..], &packet.header[..]);
    }

    #[test]
    fn any_text_is_read_as_a_segment(
        text in "\\PC{0,60}",
        line in "\\[[SF.]{0,3}\\]( (seq|ack|win|len|<mss|<sack 1|<bad) [0-9a-f{:},>é ]{0,9}){0,4}",
    ) {
        let _ = Segment::read(&text, Base::ABSOLUTE);
        let _ = Segment::read(&line, Base::ABSOLUTE);
    }
}
