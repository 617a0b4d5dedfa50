//! Emitting what was parsed gives the same bytes; parsing what was emitted, the same meaning.

mod common;

use common::{bytes, damaged, ethernet, flags, header, ipv4, ipv6, option_list, packet};
use handclasp_wire::arp::{Arp, ArpView, Operation};
use handclasp_wire::ethernet::{EthernetView, MacAddr};
use handclasp_wire::icmp::Message;
use handclasp_wire::icmpv4::{Icmpv4, Icmpv4View};
use handclasp_wire::icmpv6::{Icmpv6, Icmpv6View};
use handclasp_wire::ipv4::{Ipv4, Ipv4View};
use handclasp_wire::ipv6::{Fragment, Ipv6View};
use handclasp_wire::ndp::NdpView;
use handclasp_wire::notation::{Base, Segment};
use handclasp_wire::packet::{Net, Packet};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::TcpView;
use handclasp_wire::udp::{Udp, UdpView};
use proptest::prelude::*;

/// A TCP header of 20 arbitrary bytes and these options.
fn tcp_bytes(fixed: [u8; 20], options: &[u8]) -> Vec<u8> {
    let mut bytes = [&fixed[..], options].concat();
    bytes[12] = (bytes.len() as u8 / 4) << 4 | fixed[12] & 0x0f;
    bytes
}

proptest! {
    #[test]
    fn any_tcp_header_is_emitted_byte_for_byte(
        fixed: [u8; 20],
        options in option_list(),
        payload in bytes(50),
    ) {
        let header = tcp_bytes(fixed, &options);
        let segment = [&header[..], &payload].concat();
        let view = TcpView::parse(&segment).unwrap();
        prop_assert_eq!(view.payload(), payload);
        let mut emitted = Vec::new();
        view.to_raw().unwrap().emit(&mut emitted);
        prop_assert_eq!(emitted, header);
    }

    #[test]
    fn options_are_lost_to_a_malformed_one_only(
        fixed: [u8; 20],
        options in damaged(option_list()),
    ) {
        let whole = &options[..options.len() / 4 * 4];
        let bytes = tcp_bytes(fixed, whole);
        let view = TcpView::parse(&bytes).unwrap();
        let mut emitted = Vec::new();
        view.options().map_while(Result::ok).for_each(|option| option.emit(&mut emitted));
        prop_assert!(whole.starts_with(&emitted));
        prop_assert_eq!(view.option_error().is_none(), emitted.len() == whole.len());
    }

    #[test]
    fn a_tcp_header_comes_back_as_it_was_emitted(header in header(), checksum: u16) {
        let mut bytes = Vec::new();
        header.emit_with_checksum(checksum, &mut bytes);
        prop_assert_eq!(bytes.len(), header.emitted_len());
        prop_assert!(bytes.len() <= 60 && bytes.len() % 4 == 0);
        let view = TcpView::parse(&bytes).unwrap();
        prop_assert_eq!(view.header_len(), bytes.len());
        prop_assert_eq!(view.checksum(), checksum);
        prop_assert_eq!(view.option_error(), None);
        let back = view.to_header();
        // What was left out for want of room is not there; nothing else may differ.
        let mut expected = header.clone();
        let (given, got) = (&mut expected.options, &back.options);
        given.sack = given.sack.first(got.sack.len());
        given.fast_open = given.fast_open.filter(|_| got.fast_open.is_some());
        given.user_timeout = given.user_timeout.filter(|_| got.user_timeout.is_some());
        given.acc_ecn = given.acc_ecn.filter(|_| got.acc_ecn.is_some());
        prop_assert_eq!(&back, &expected);
        let complete = expected.options == header.options;
        prop_assert!(complete || bytes.len() > 60 - 20, "left out although there was room");
    }

    #[test]
    fn an_ipv4_header_comes_back_as_it_was_emitted(
        header in ipv4(false),
        words in 0usize..=10,
        options: [u8; 40],
        payload in bytes(50),
    ) {
        let header = Ipv4 { options: &options[..4 * words], ..header };
        let mut bytes = Vec::new();
        header.emit(payload.len(), &mut bytes);
        prop_assert_eq!(bytes.len(), header.emitted_len());
        bytes.extend(&payload);
        let view = Ipv4View::parse(&bytes).unwrap();
        prop_assert_eq!(view.to_repr(), header);
        prop_assert_eq!(view.payload(), payload);
        prop_assert!(view.checksum_ok());
        let mut again = Vec::new();
        view.to_repr().emit(view.payload().len(), &mut again);
        prop_assert_eq!(&again[..], &bytes[..view.header_len()]);
    }

    #[test]
    fn an_ipv6_header_comes_back_as_it_was_emitted(header in ipv6(), payload in bytes(50)) {
        let mut bytes = Vec::new();
        header.emit(payload.len(), &mut bytes);
        bytes.extend(&payload);
        let view = Ipv6View::parse(&bytes).unwrap();
        prop_assert_eq!(view.to_repr(), header);
        prop_assert_eq!(view.payload(), payload);
    }

    #[test]
    fn extension_headers_and_payload_are_all_there_is(
        header in ipv6(),
        payload in damaged(Just(vec![0; 60])),
    ) {
        let mut bytes = Vec::new();
        header.emit(payload.len(), &mut bytes);
        bytes.extend(&payload);
        let view = Ipv6View::parse(&bytes).unwrap();
        if let Ok(upper) = view.upper() {
            let mut whole: Vec<u8> = Vec::new();
            for extension in view.extensions() {
                let extension = extension.unwrap();
                prop_assert_eq!(extension.offset, 40 + whole.len());
                whole.extend(extension.bytes);
            }
            prop_assert_eq!(upper.offset, 40 + whole.len());
            whole.extend(upper.payload);
            prop_assert_eq!(whole, payload);
        }
    }

    #[test]
    fn a_fragment_header_comes_back_as_it_was_emitted(
        next_header: u8,
        offset in 0u16..0x2000,
        more: bool,
        identification: u32,
        mut header in ipv6(),
    ) {
        header.next_header = 44;
        let fragment = Fragment { next_header, offset: 8 * offset, more, identification };
        let mut bytes = Vec::new();
        header.emit(Fragment::LEN, &mut bytes);
        fragment.emit(&mut bytes);
        let first = Ipv6View::parse(&bytes).unwrap().extensions().next().unwrap().unwrap();
        prop_assert_eq!(first.fragment(), Some(fragment));
    }

    #[test]
    fn an_ethernet_header_comes_back_as_it_was_emitted(header in ethernet(), payload in bytes(50)) {
        let mut bytes = Vec::new();
        header.emit(&mut bytes);
        prop_assert_eq!(bytes.len(), header.emitted_len());
        bytes.extend(&payload);
        let view = EthernetView::parse(&bytes).unwrap();
        prop_assert_eq!(view.to_repr(), header);
        prop_assert_eq!(view.payload(), payload);
    }

    #[test]
    fn any_frame_is_emitted_byte_for_byte(bytes in bytes(40)) {
        if let Ok(view) = EthernetView::parse(&bytes) {
            let mut emitted = Vec::new();
            view.to_repr().emit(&mut emitted);
            emitted.extend(view.payload());
            prop_assert_eq!(emitted, bytes);
        }
    }

    #[test]
    fn an_arp_packet_comes_back_as_it_was_emitted(
        operation: u16,
        macs: [[u8; 6]; 2],
        ips: [u32; 2],
    ) {
        let packet = Arp {
            operation: Operation(operation),
            sender_mac: MacAddr(macs[0]),
            sender_ip: ips[0].into(),
            target_mac: MacAddr(macs[1]),
            target_ip: ips[1].into(),
        };
        let mut bytes = Vec::new();
        packet.emit(&mut bytes);
        prop_assert_eq!(ArpView::parse(&bytes).unwrap().to_repr(), packet);
    }

    #[test]
    fn a_udp_header_comes_back_as_it_was_emitted(
        src_port: u16,
        dst_port: u16,
        checksum: u16,
        payload in bytes(50),
    ) {
        let header = Udp { src_port, dst_port };
        let mut bytes = Vec::new();
        header.emit(payload.len(), checksum, &mut bytes);
        bytes.extend(&payload);
        let view = UdpView::parse(&bytes).unwrap();
        prop_assert_eq!((view.to_repr(), view.checksum()), (header, checksum));
        prop_assert_eq!(view.payload(), payload);
    }

    #[test]
    fn any_icmp_message_is_emitted_byte_for_byte_but_for_its_checksum(
        kind in prop_oneof![0u8..20, any::<u8>()],
        code: u8,
        rest: [u8; 4],
        body in bytes(60),
        end in ipv6(),
    ) {
        let message = Message { kind, code, rest, body: &body };
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        Icmpv4::Other(message).emit(&mut v4);
        Icmpv6::Other(message).emit(end.src, end.dst, &mut v6);
        let (v4, v6) = (Icmpv4View::parse(&v4).unwrap(), Icmpv6View::parse(&v6).unwrap());
        prop_assert_eq!((v4.message(), v6.message()), (message, message));
        prop_assert!(v4.checksum_ok() && v6.checksum_ok(end.src, end.dst));
    }

    #[test]
    fn an_icmp_message_keeps_its_meaning(
        kind in prop_oneof![0u8..20, any::<u8>()],
        code in 0u8..3,
        rest: [u8; 4],
        body in bytes(60),
        end in ipv6(),
    ) {
        let message = Message { kind, code, rest, body: &body };
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        Icmpv4::Other(message).emit(&mut v4);
        Icmpv6::Other(message).emit(end.src, end.dst, &mut v6);
        let (v4, v6) =
            (Icmpv4View::parse(&v4).unwrap().to_repr(), Icmpv6View::parse(&v6).unwrap().to_repr());
        let (mut again4, mut again6) = (Vec::new(), Vec::new());
        v4.emit(&mut again4);
        v6.emit(end.src, end.dst, &mut again6);
        prop_assert_eq!(Icmpv4View::parse(&again4).unwrap().to_repr(), v4);
        prop_assert_eq!(Icmpv6View::parse(&again6).unwrap().to_repr(), v6);
    }

    #[test]
    fn a_neighbour_discovery_message_keeps_its_meaning(
        kind in 133u8..137,
        head: [u8; 3],
        body in bytes(80),
        end in ipv6(),
    ) {
        let message = [&[kind, 0, 0, 0, head[0], head[1], head[2], 0], &body[..]].concat();
        if let Ok(ndp) = NdpView::parse(&message).and_then(|view| view.to_repr()) {
            let mut emitted = Vec::new();
            ndp.emit(end.src, end.dst, &mut emitted);
            let back = NdpView::parse(&emitted).unwrap().to_repr().unwrap();
            prop_assert_eq!(back.message, ndp.message);
            prop_assert_eq!(&back.options[..], &ndp.options[..]);
        }
    }

    #[test]
    fn a_packets_layers_cover_it_without_a_gap(packet in packet()) {
        let parsed = Packet::parse_ip(&packet).unwrap();
        let layout = parsed.layout;
        prop_assert_eq!((layout.link(), layout.end), (0..0, packet.len()));
        let options = match parsed.net {
            Net::Ipv4(ip) => ip.header_len(),
            _ => 40,
        };
        prop_assert_eq!(layout.net(), 0..options);
        prop_assert_eq!(parsed.checksum_ok(), Some(true));
    }

    #[test]
    fn a_line_of_text_is_read_back_as_the_same_segment(
        flags in flags(),
        numbers: (u32, u32, u16, u16, u32),
        options in damaged(option_list()),
        base: (u32, u32),
    ) {
        let (seq, ack, window, urgent, len) = numbers;
        let base = Base { seq: SeqNumber(base.0), ack: SeqNumber(base.1) };
        let (seq, ack) = (SeqNumber(seq), SeqNumber(ack));
        let segment =
            Segment { flags, seq, ack, window, urgent, options: options[..].into(), len };
        let line = segment.display(base).to_string();
        prop_assert_eq!(Segment::read(&line, base), Ok(segment), "{}", line);
    }
}
