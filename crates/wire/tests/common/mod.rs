//! What the property tests draw their packets from.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses some of it")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use handclasp_wire::checksum::{pseudo_header, sum};
use handclasp_wire::ethernet::{EtherType, Ethernet, MacAddr, VlanTag};
use handclasp_wire::ip::{Ecn, protocol};
use handclasp_wire::ipv4::Ipv4;
use handclasp_wire::ipv6::Ipv6;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::{
    AccEcn, AccEcnOrder, FastOpen, Options, SackBlock, SackBlocks, Timestamps,
};
use handclasp_wire::tcp::{Flags, Header};
use handclasp_wire::udp::Udp;
use proptest::array::uniform2;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

pub fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..most)
}

/// Options of kinds that have a meaning, of the right shape or not, and of any other.
pub fn option_bytes() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop_oneof![
        4 => prop::sample::select(vec![2u8, 3, 4, 5, 8, 19, 28, 29, 30, 34, 172, 174, 254]),
        1 => 2u8..,
    ];
    let len = prop_oneof![Just(0usize), Just(1), Just(2), Just(8), Just(16), 0usize..20];
    let option =
        (kind, len, any::<[u8; 20]>(), any::<bool>()).prop_map(|(kind, len, data, magic)| {
            let mut option = vec![kind, (2 + len) as u8];
            option.extend(&data[..len]);
            if kind == 254 && magic && len >= 2 {
                option[2..4].copy_from_slice(&[0xf9, 0x89]);
            }
            option
        });
    prop_oneof![2 => option, 1 => Just(vec![1])]
}

/// A header's options: a list that fits, ended or not, padded to whole words.
pub fn option_list() -> impl Strategy<Value = Vec<u8>> {
    (vec(option_bytes(), 0..8), any::<bool>(), any::<[u8; 3]>()).prop_map(|(list, end, padding)| {
        let mut bytes = Vec::new();
        for option in list.iter().filter(|option| option.len() <= 40) {
            if bytes.len() + option.len() <= 40 {
                bytes.extend(option);
            }
        }
        if end && bytes.len() < 40 {
            bytes.push(0);
            let more = bytes.len().next_multiple_of(4) - bytes.len();
            bytes.extend(&padding[..more]);
        }
        bytes.resize(bytes.len().next_multiple_of(4), 1);
        bytes
    })
}

fn sack_blocks() -> impl Strategy<Value = SackBlocks> {
    vec(any::<(u32, u32)>(), 0..=4).prop_map(|edges| {
        let mut blocks = SackBlocks::new();
        for (left, right) in edges {
            blocks.push(SackBlock { left: SeqNumber(left), right: SeqNumber(right) });
        }
        blocks
    })
}

fn fast_open() -> impl Strategy<Value = FastOpen> {
    let len = prop::sample::select(vec![0usize, 4, 6, 8, 10, 12, 14, 16]);
    (len, any::<[u8; 16]>(), any::<bool>()).prop_map(|(len, cookie, experimental)| {
        FastOpen::new(&cookie[..len], experimental).expect("an allowed length")
    })
}

/// Options that together may or may not fit a header.
pub fn options() -> impl Strategy<Value = Options> {
    let timestamps = any::<(u32, u32)>().prop_map(|(value, echo)| Timestamps { value, echo });
    (
        option::of(any::<u16>()),
        option::of(any::<u8>()),
        any::<bool>(),
        prop_oneof![Just(SackBlocks::new()), sack_blocks()],
        option::of(timestamps),
        option::of(fast_open()),
        option::of(any::<u16>()),
        option::of(acc_ecn()),
    )
        .prop_map(
            |(mss, window_scale, sack_permitted, sack, timestamps, fast_open, timeout, acc_ecn)| {
                Options {
                    mss,
                    window_scale,
                    sack_permitted,
                    sack,
                    timestamps,
                    fast_open,
                    user_timeout: timeout,
                    acc_ecn,
                }
            },
        )
}

/// Counters of 24 bits, of which those at the end may be left out.
fn acc_ecn() -> impl Strategy<Value = AccEcn> {
    let order = prop_oneof![Just(AccEcnOrder::Ect0First), Just(AccEcnOrder::Ect1First)];
    (order, vec(0u32..1 << 24, 0..=3)).prop_map(|(order, some)| {
        let mut counters = [None; 3];
        some.into_iter().zip(&mut counters).for_each(|(count, place)| *place = Some(count));
        AccEcn { order, counters }
    })
}

pub fn flags() -> impl Strategy<Value = Flags> {
    (0u16..0x200).prop_map(Flags::from_bits_truncate)
}

pub fn header() -> impl Strategy<Value = Header> {
    let numbers = any::<(u16, u16, u32, u32, u16, u16)>();
    (numbers, flags(), options()).prop_map(|(numbers, flags, options)| {
        let (src_port, dst_port, seq, ack, window, urgent) = numbers;
        let (seq, ack) = (SeqNumber(seq), SeqNumber(ack));
        Header { src_port, dst_port, seq, ack, flags, window, urgent, options }
    })
}

fn ecn() -> impl Strategy<Value = Ecn> {
    any::<u8>().prop_map(Ecn::from_bits)
}

/// An IPv4 header without options, its fragment fields as given.
pub fn ipv4(whole: bool) -> impl Strategy<Value = Ipv4<'static>> {
    let ends = uniform2(any::<u32>().prop_map(Ipv4Addr::from));
    let flags = any::<(bool, bool, bool)>();
    let numbers = (any::<u8>(), any::<u8>(), 0u8..64, any::<u16>(), 0u16..0x2000);
    (ends, numbers, flags, ecn()).prop_map(move |([src, dst], numbers, flags, ecn)| {
        let (protocol, ttl, dscp, identification, offset) = numbers;
        let (reserved_flag, dont_fragment, more) = flags;
        Ipv4 {
            ttl,
            dscp,
            ecn,
            identification,
            reserved_flag,
            dont_fragment,
            more_fragments: more && !whole,
            fragment_offset: if whole { 0 } else { offset * 8 },
            ..Ipv4::new(src, dst, protocol)
        }
    })
}

pub fn ipv6() -> impl Strategy<Value = Ipv6> {
    let ends = uniform2(any::<u128>().prop_map(Ipv6Addr::from));
    let numbers = (any::<u8>(), any::<u8>(), 0u8..64, 0u32..0x10_0000);
    (ends, numbers, ecn()).prop_map(|([src, dst], numbers, ecn)| {
        let (next_header, hop_limit, dscp, flow_label) = numbers;
        Ipv6 { hop_limit, dscp, ecn, flow_label, ..Ipv6::new(src, dst, next_header) }
    })
}

#[derive(Clone, Copy, Debug)]
pub enum Ip {
    V4(Ipv4<'static>),
    V6(Ipv6),
}

impl Ip {
    pub fn ends(&self) -> (IpAddr, IpAddr) {
        match self {
            Self::V4(ip) => (ip.src.into(), ip.dst.into()),
            Self::V6(ip) => (ip.src.into(), ip.dst.into()),
        }
    }

    /// The packet that carries `payload`.
    pub fn packet(&self, protocol: u8, payload: &[u8]) -> Vec<u8> {
        let mut packet = Vec::new();
        match *self {
            Self::V4(ip) => Ipv4 { protocol, ..ip }.emit(payload.len(), &mut packet),
            Self::V6(ip) => Ipv6 { next_header: protocol, ..ip }.emit(payload.len(), &mut packet),
        }
        packet.extend(payload);
        packet
    }
}

pub fn ip() -> impl Strategy<Value = Ip> {
    prop_oneof![ipv4(true).prop_map(Ip::V4), ipv6().prop_map(Ip::V6)]
}

fn finished(
    mut segment: Vec<u8>,
    field: usize,
    (src, dst): (IpAddr, IpAddr),
    protocol: u8,
) -> Vec<u8> {
    let whole = pseudo_header(src, dst, protocol, segment.len() as u32) + sum(&segment);
    segment[field..field + 2].copy_from_slice(&whole.finish().to_be_bytes());
    segment
}

/// An IP packet with TCP or UDP in it and right checksums.
pub fn packet() -> impl Strategy<Value = Vec<u8>> {
    let tcp = (ip(), header(), bytes(100)).prop_map(|(ip, header, payload)| {
        let mut segment = Vec::new();
        header.emit(&mut segment);
        segment.extend(payload);
        ip.packet(protocol::TCP, &finished(segment, 16, ip.ends(), protocol::TCP))
    });
    let udp = (ip(), any::<(u16, u16)>(), bytes(100)).prop_map(|(ip, ports, payload)| {
        let mut datagram = Vec::new();
        Udp { src_port: ports.0, dst_port: ports.1 }.emit(payload.len(), 0, &mut datagram);
        datagram.extend(payload);
        ip.packet(protocol::UDP, &finished(datagram, 6, ip.ends(), protocol::UDP))
    });
    prop_oneof![tcp, udp]
}

pub fn ethernet() -> impl Strategy<Value = Ethernet> {
    let tag = (any::<bool>(), any::<u16>()).prop_map(|(outer, tci)| {
        let tpid = if outer { EtherType::QINQ } else { EtherType::VLAN };
        VlanTag { tpid, tci }
    });
    // An untagged type, so that it cannot announce a tag which is not there.
    let ethertype = (0u16..).prop_map(EtherType).prop_filter("no tag", |t| !t.is_tag());
    (any::<[u8; 6]>(), any::<[u8; 6]>(), vec(tag, 0..=2), ethertype).prop_map(
        |(dst, src, tags, ethertype)| Ethernet {
            dst: MacAddr(dst),
            src: MacAddr(src),
            tags: [tags.first().copied(), tags.get(1).copied()],
            ethertype,
        },
    )
}

/// A frame around [`packet`], with padding or without.
pub fn frame() -> impl Strategy<Value = Vec<u8>> {
    (ethernet(), packet(), 0usize..10).prop_map(|(ethernet, packet, padding)| {
        let v4 = packet[0] >> 4 == 4;
        let ethertype = if v4 { EtherType::IPV4 } else { EtherType::IPV6 };
        let mut frame = Vec::new();
        Ethernet { ethertype, ..ethernet }.emit(&mut frame);
        frame.extend(packet);
        frame.resize(frame.len() + padding, 0);
        frame
    })
}

/// Bytes that are nearly what `strategy` gives: a few changed, and perhaps cut short.
pub fn damaged(strategy: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changes = vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    (strategy, changes, any::<prop::sample::Index>(), any::<bool>()).prop_map(
        |(mut bytes, changes, end, cut)| {
            for (index, value) in changes {
                if !bytes.is_empty() {
                    // Headers are at the front: most changes go there.
                    let most = bytes.len().min(if value % 4 == 0 { usize::MAX } else { 60 });
                    bytes[index.index(most)] = value;
                }
            }
            if cut {
                bytes.truncate(end.index(bytes.len() + 1));
            }
            bytes
        },
    )
}
