//! An independent parser reads the same in the same bytes.
//!
//! Where `etherparse` judges differently on purpose, the test says so.

mod common;

use std::net::{IpAddr, Ipv4Addr};

use common::{bytes, damaged, frame, option_list, packet};
use etherparse::{
    ArpPacketSlice, Ethernet2Slice, Ipv4HeaderSlice, Ipv6HeaderSlice, NetSlice, SlicedPacket,
    TcpOptionElement, TcpSlice, TransportSlice, UdpSlice,
};
use handclasp_wire::arp::ArpView;
use handclasp_wire::ethernet::EthernetView;
use handclasp_wire::ipv4::Ipv4View;
use handclasp_wire::ipv6::Ipv6View;
use handclasp_wire::packet::{Packet, Transport};
use handclasp_wire::tcp::{Flags, TcpOption, TcpView};
use handclasp_wire::udp::UdpView;
use proptest::prelude::*;

fn same_tcp(ours: &TcpView<'_>, theirs: &TcpSlice<'_>) -> Result<(), TestCaseError> {
    prop_assert_eq!(ours.src_port(), theirs.source_port());
    prop_assert_eq!(ours.dst_port(), theirs.destination_port());
    prop_assert_eq!(ours.seq().0, theirs.sequence_number());
    prop_assert_eq!(ours.ack().0, theirs.acknowledgment_number());
    prop_assert_eq!(ours.data_offset(), theirs.data_offset());
    let flags = [
        (Flags::FIN, theirs.fin()),
        (Flags::SYN, theirs.syn()),
        (Flags::RST, theirs.rst()),
        (Flags::PSH, theirs.psh()),
        (Flags::ACK, theirs.ack()),
        (Flags::URG, theirs.urg()),
        (Flags::ECE, theirs.ece()),
        (Flags::CWR, theirs.cwr()),
        (Flags::AE, theirs.ns()),
    ];
    for (flag, set) in flags {
        prop_assert_eq!(ours.flags().contains(flag), set);
    }
    prop_assert_eq!(ours.window(), theirs.window_size());
    prop_assert_eq!(ours.checksum(), theirs.checksum());
    prop_assert_eq!(ours.urgent(), theirs.urgent_pointer());
    prop_assert_eq!(ours.option_bytes(), theirs.options());
    prop_assert_eq!(ours.payload(), theirs.payload());
    let (end, octets) = (IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), [10, 0, 0, 1]);
    let fits = theirs.calc_checksum_ipv4(octets, octets) == Ok(theirs.checksum());
    prop_assert_eq!(ours.checksum_ok(end, end), fits);
    Ok(())
}

/// An option as the oracle would tell it, if it knows the kind.
fn known(option: &TcpOption<'_>) -> Option<TcpOptionElement> {
    Some(match option {
        TcpOption::Nop => TcpOptionElement::Noop,
        TcpOption::Mss(mss) => TcpOptionElement::MaximumSegmentSize(*mss),
        TcpOption::WindowScale(shift) => TcpOptionElement::WindowScale(*shift),
        TcpOption::SackPermitted => TcpOptionElement::SelectiveAcknowledgementPermitted,
        TcpOption::Timestamps(ts) => TcpOptionElement::Timestamp(ts.value, ts.echo),
        TcpOption::Sack(blocks) => {
            let mut edges = blocks.as_slice().iter().map(|b| (b.left.0, b.right.0));
            let first = edges.next()?;
            let rest = [edges.next(), edges.next(), edges.next()];
            TcpOptionElement::SelectiveAcknowledgement(first, rest)
        }
        _ => return None,
    })
}

proptest! {
    #[test]
    fn tcp_headers_say_the_same(bytes in prop_oneof![bytes(80), bytes(20)]) {
        match (TcpView::parse(&bytes), TcpSlice::from_slice(&bytes)) {
            (Ok(ours), Ok(theirs)) => same_tcp(&ours, &theirs)?,
            (ours, theirs) => prop_assert_eq!(ours.is_ok(), theirs.is_ok()),
        }
    }

    /// The oracle stops at kinds that it does not know, and at a SACK without blocks.
    #[test]
    fn options_say_the_same_up_to_a_kind_that_the_oracle_does_not_know(
        options in damaged(option_list()),
    ) {
        let mut bytes = vec![0; 20];
        bytes.extend(&options[..options.len() / 4 * 4]);
        bytes[12] = (bytes.len() as u8 / 4) << 4;
        let (ours, theirs) =
            (TcpView::parse(&bytes).unwrap(), TcpSlice::from_slice(&bytes).unwrap());
        let mut theirs = theirs.options_iterator();
        for option in ours.options() {
            match (option.map(|o| (o, known(&o))), theirs.next()) {
                (Ok((_, Some(ours))), Some(Ok(theirs))) => prop_assert_eq!(ours, theirs),
                (Ok((TcpOption::EndOfList { .. }, _)), None) => break,
                (Ok((_, None)) | Err(_), Some(Err(_))) => break,
                (ours, theirs) => prop_assert!(false, "{ours:?} is not {theirs:?}"),
            }
        }
    }

    #[test]
    fn ipv4_headers_say_the_same(
        mut bytes in prop_oneof![bytes(80), damaged(packet())],
        version in 0u8..10,
    ) {
        if let Some(first) = bytes.first_mut().filter(|_| version < 8) {
            *first = 0x40 | *first & 0x0f;
        }
        let ours = Ipv4View::parse_truncated(&bytes);
        match (&ours, Ipv4HeaderSlice::from_slice(&bytes)) {
            (Ok(ours), Ok(theirs)) => {
                prop_assert_eq!(ours.dscp(), theirs.dcp().value());
                prop_assert_eq!(ours.ecn() as u8, theirs.ecn().value());
                prop_assert_eq!(ours.total_len(), theirs.total_len());
                prop_assert_eq!(ours.identification(), theirs.identification());
                prop_assert_eq!(ours.dont_fragment(), theirs.dont_fragment());
                prop_assert_eq!(ours.more_fragments(), theirs.more_fragments());
                let offset = theirs.fragments_offset().byte_offset();
                prop_assert_eq!(ours.fragment_offset(), offset);
                prop_assert_eq!(ours.is_fragment(), theirs.is_fragmenting_payload());
                prop_assert_eq!(ours.ttl(), theirs.ttl());
                prop_assert_eq!(ours.protocol(), theirs.protocol().0);
                prop_assert_eq!(ours.src(), theirs.source_addr());
                prop_assert_eq!(ours.dst(), theirs.destination_addr());
                prop_assert_eq!(ours.options(), theirs.options());
                let expected = theirs.to_header().calc_header_checksum();
                // A sum of zero may be written in two ways; the oracle knows one of them. It
                // also leaves out the reserved flag.
                let known = ours.checksum() != 0xffff && !ours.reserved_flag();
                prop_assert!(!known || ours.checksum_ok() == (ours.checksum() == expected));
                let len = usize::from(ours.total_len());
                let whole = ours.header_len() <= len && len <= bytes.len();
                prop_assert_eq!(Ipv4View::parse(&bytes).is_ok(), whole);
            }
            (ours, theirs) => prop_assert_eq!(ours.is_ok(), theirs.is_ok()),
        }
    }

    #[test]
    fn ipv6_headers_say_the_same(
        mut bytes in prop_oneof![bytes(80), damaged(packet())],
        version in 0u8..10,
    ) {
        if let Some(first) = bytes.first_mut().filter(|_| version < 8) {
            *first = 0x60 | *first & 0x0f;
        }
        match (Ipv6View::parse_truncated(&bytes), Ipv6HeaderSlice::from_slice(&bytes)) {
            (Ok(ours), Ok(theirs)) => {
                prop_assert_eq!(ours.dscp(), theirs.dscp().value());
                prop_assert_eq!(ours.ecn() as u8, theirs.ecn().value());
                prop_assert_eq!(ours.flow_label(), theirs.flow_label().value());
                prop_assert_eq!(ours.payload_len(), theirs.payload_length());
                prop_assert_eq!(ours.next_header(), theirs.next_header().0);
                prop_assert_eq!(ours.hop_limit(), theirs.hop_limit());
                prop_assert_eq!(ours.src(), theirs.source_addr());
                prop_assert_eq!(ours.dst(), theirs.destination_addr());
            }
            (ours, theirs) => prop_assert_eq!(ours.is_ok(), theirs.is_ok()),
        }
    }

    /// A length of zero means to the oracle that the length is elsewhere.
    #[test]
    fn udp_datagrams_say_the_same(mut bytes in bytes(40), len in 1u8..50) {
        if let Some(field) = bytes.get_mut(4..6) {
            field.copy_from_slice(&[0, len]);
        }
        match (UdpView::parse(&bytes), UdpSlice::from_slice(&bytes)) {
            (Ok(ours), Ok(theirs)) => {
                prop_assert_eq!(ours.src_port(), theirs.source_port());
                prop_assert_eq!(ours.dst_port(), theirs.destination_port());
                prop_assert_eq!(ours.len_field(), theirs.length());
                prop_assert_eq!(ours.checksum(), theirs.checksum());
                prop_assert_eq!(ours.payload(), theirs.payload());
            }
            (ours, theirs) => prop_assert_eq!(ours.is_ok(), theirs.is_ok()),
        }
    }

    /// The oracle takes any kind of address; here it must be IPv4 over Ethernet.
    #[test]
    fn arp_packets_say_the_same(mut bytes in bytes(40), like_ours in 0u8..10) {
        if let Some(front) = bytes.get_mut(..6).filter(|_| like_ours < 9) {
            front.copy_from_slice(&[0, 1, 8, 0, 6, 4]);
        }
        if let Ok(ours) = ArpView::parse(&bytes) {
            let theirs = ArpPacketSlice::from_slice(&bytes).unwrap();
            prop_assert_eq!(ours.operation().0, theirs.operation().0);
            prop_assert_eq!(&ours.sender_mac().0, theirs.sender_hw_addr());
            prop_assert_eq!(&ours.sender_ip().octets(), theirs.sender_protocol_addr());
            prop_assert_eq!(&ours.target_mac().0, theirs.target_hw_addr());
            prop_assert_eq!(&ours.target_ip().octets(), theirs.target_protocol_addr());
        }
    }

    #[test]
    fn frames_and_their_tags_say_the_same(bytes in damaged(frame())) {
        if let Ok(ours) = EthernetView::parse(&bytes) {
            let theirs = Ethernet2Slice::from_slice_without_fcs(&bytes).unwrap();
            prop_assert_eq!(ours.dst().0, theirs.destination());
            prop_assert_eq!(ours.src().0, theirs.source());
            // The oracle goes on behind the header and may find fault there.
            if let Ok(sliced) = SlicedPacket::from_ethernet(&bytes) {
                let ids: Vec<_> = ours.tags().map(|tag| tag.id()).collect();
                let theirs: Vec<_> = sliced.vlan_ids().iter().map(|id| id.value()).collect();
                prop_assert!(theirs.starts_with(&ids), "the oracle reads a third tag");
            }
        }
    }

    #[test]
    fn whole_packets_say_the_same(bytes in packet()) {
        let ours = Packet::parse_ip(&bytes).unwrap();
        let theirs = SlicedPacket::from_ip(&bytes).unwrap();
        match (ours.transport, theirs.transport) {
            (Transport::Tcp(ours), Some(TransportSlice::Tcp(theirs))) => {
                same_tcp(&ours, &theirs)?;
            }
            (Transport::Udp(ours), Some(TransportSlice::Udp(theirs))) => {
                prop_assert_eq!(ours.payload(), theirs.payload());
            }
            (ours, theirs) => prop_assert!(false, "{ours:?} is not {theirs:?}"),
        }
    }

    /// Judged alone, each layer agrees (see above); together, the packets that the oracle takes
    /// and that are TCP to it are TCP here, with the same bytes.
    #[test]
    fn damaged_packets_that_both_take_say_the_same(bytes in damaged(packet())) {
        let (Ok(ours), Ok(theirs)) = (Packet::parse_ip(&bytes), SlicedPacket::from_ip(&bytes))
        else {
            return Ok(());
        };
        // A payload length of zero means to the oracle that the length is elsewhere.
        let jumbo = match &theirs.net {
            Some(NetSlice::Ipv6(ip)) => ip.header().payload_length() == 0,
            _ => false,
        };
        if let Some(TransportSlice::Tcp(theirs)) = theirs.transport.filter(|_| !jumbo) {
            let Transport::Tcp(ours) = ours.transport else {
                return Err(TestCaseError::fail(format!("{:?} instead of TCP", ours.transport)));
            };
            same_tcp(&ours, &theirs)?;
        }
    }
}
