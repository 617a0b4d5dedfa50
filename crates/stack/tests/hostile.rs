//! Whatever comes in: nothing panics, and every table stays within its limits.

mod common;

use bytes::Bytes;
use common::{Node, millis, sock, tcp, udp};
use handclasp_stack::forward::ForwardConfig;
use handclasp_stack::listen::Backlog;
use handclasp_stack::{Host, HostConfig, Interface};
use handclasp_wire::ethernet::{EtherType, Ethernet, MacAddr};
use handclasp_wire::frame::{Inbound, RxChecksum};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::Timestamps;
use handclasp_wire::tcp::{Flags, Header, Options};
use proptest::prelude::*;

const OWN: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);

/// A host with small limits: a listener, a forwarder, a UDP socket, a connection being opened.
fn node(ethernet: bool) -> Node {
    let mut config = HostConfig::default();
    config.time_wait_max = 4;
    config.replies_max = 16;
    let interface = if ethernet { Interface::ethernet(OWN, 1500) } else { Interface::ip(1500) };
    let mut node = Node::new(config, interface, 1);
    node.add("10.0.0.1/24");
    node.add("fd00::1/64");
    node.via("10.0.0.254");
    let mut forward = ForwardConfig::default();
    (forward.pending, forward.flows) = (8, 8);
    node.host.set_forward(forward, None);
    node.listen("0.0.0.0:80", Backlog { accept: 4, syn: 4, ..Backlog::default() });
    node.host.bind_udp(&mut node.store, sock("0.0.0.0:53")).unwrap();
    node.connect("10.0.0.2:80");
    node
}

fn check(node: &Node) {
    let sizes = node.host.table_sizes();
    // What the listener accepted, and the connection that we open.
    assert!(sizes.connections <= 5, "{sizes:?}");
    assert!(sizes.half_open <= 4, "{sizes:?}");
    assert!(sizes.time_wait <= 4, "{sizes:?}");
    assert!(sizes.flows <= 8, "{sizes:?}");
    assert!(sizes.reassembly <= 128, "{sizes:?}");
    assert!(sizes.neighbours <= 1024, "{sizes:?}");
    assert!(sizes.tuples <= 5 + 4 + 4 + 8, "{sizes:?}");
}

/// Bytes that look like a packet to some depth.
fn packet() -> impl Strategy<Value = Vec<u8>> {
    let noise = prop::collection::vec(any::<u8>(), 0..200);
    let segment = (any::<u16>(), 0..4u8, any::<[u32; 2]>(), 0..0x200u16, any::<bool>(), 0..50usize)
        .prop_map(|(port, host, [seq, ack], flags, timestamps, len)| {
            let options = Options {
                mss: Some(port),
                timestamps: timestamps.then_some(Timestamps { value: seq, echo: ack }),
                ..Options::default()
            };
            let header = Header {
                seq: SeqNumber(seq),
                ack: SeqNumber(ack),
                flags: Flags::from_bits_truncate(flags),
                window: port,
                options,
                ..Header::default()
            };
            let src = sock(&format!("10.0.0.{}:{}", host + 2, port % 16));
            let dst =
                sock(["10.0.0.1:80", "10.0.0.1:81", "9.9.9.9:80", "10.0.0.1:80"][host as usize]);
            tcp(src, dst, &header, &vec![0; len]).to_vec()
        });
    let datagram = (any::<u16>(), 0..4u8, 0..50usize).prop_map(|(port, host, len)| {
        let src = sock(&format!("10.0.0.2:{}", port % 32));
        let dst =
            sock(["10.0.0.1:53", "10.0.0.1:54", "9.9.9.9:53", "10.0.0.255:53"][host as usize]);
        udp(src, dst, &vec![0; len]).to_vec()
    });
    prop_oneof![noise, segment, datagram]
}

/// Damages some bytes, as a link would, or an enemy.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let damage = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    (packet(), damage, any::<prop::sample::Index>(), any::<bool>()).prop_map(
        |(mut packet, damage, cut, cutting)| {
            if !packet.is_empty() {
                for (at, byte) in damage {
                    let at = at.index(packet.len());
                    packet[at] = byte;
                }
                if cutting {
                    packet.truncate(cut.index(packet.len()));
                }
            }
            packet
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_comes_in_panics_or_piles_up(
        ethernet in any::<bool>(),
        packets in prop::collection::vec((damaged(), any::<bool>(), 0..5000u64), 0..100),
    ) {
        let mut node = node(ethernet);
        for (packet, trusted, wait) in packets {
            let mut data = Vec::new();
            if ethernet {
                let ethertype = match packet.first() {
                    Some(0x40..0x50) => EtherType::IPV4,
                    Some(0x60..0x70) => EtherType::IPV6,
                    _ => EtherType::ARP,
                };
                Ethernet::new(OWN, MacAddr([2, 0, 0, 0, 0, 2]), ethertype).emit(&mut data);
            }
            data.extend_from_slice(&packet);
            let checksum = if trusted { RxChecksum::Trusted } else { RxChecksum::Unknown };
            let inbound = Inbound { data: Bytes::from(data), checksum, segment_size: None };
            let cx = handclasp_tcp::Context::new(node.now, &node.budget);
            node.host.receive(&mut node.store, &cx, inbound);
            check(&node);
            node.pass(millis(wait));
            check(&node);
        }
    }

    #[test]
    fn icmp_about_anything_does_no_harm(
        kind in any::<u8>(),
        code in any::<u8>(),
        rest in any::<[u8; 4]>(),
        quoted in damaged(),
        family in any::<bool>(),
    ) {
        let mut node = node(false);
        let message = handclasp_wire::icmp::Message { kind, code, rest, body: &quoted };
        let mut packet = Vec::new();
        if family {
            let (src, dst) = ("10.0.0.9".parse().unwrap(), "10.0.0.1".parse().unwrap());
            let message = handclasp_wire::icmpv4::Icmpv4::Other(message);
            handclasp_wire::ipv4::Ipv4::new(src, dst, 1).emit(message.emitted_len(), &mut packet);
            message.emit(&mut packet);
        } else {
            let (src, dst) = ("fd00::9".parse().unwrap(), "fd00::1".parse().unwrap());
            let message = handclasp_wire::icmpv6::Icmpv6::Other(message);
            handclasp_wire::ipv6::Ipv6::new(src, dst, 58).emit(message.emitted_len(), &mut packet);
            message.emit(src, dst, &mut packet);
        }
        node.receive(packet);
        node.transmit();
        check(&node);
    }
}

#[test]
fn a_host_may_move_between_threads() {
    const fn movable<T: Send>() {}
    movable::<Host>();
    movable::<handclasp_stack::SlabStore>();
}

#[test]
fn every_drop_has_its_reason() {
    use std::sync::{Arc, Mutex};

    use handclasp_stack::discard::{Discard, Observer};
    use handclasp_wire::time::Instant;

    #[derive(Default)]
    struct Reasons(Mutex<Vec<(Discard, usize)>>);
    impl Observer for Reasons {
        fn dropped(&self, _: Instant, packet: &[u8], why: &Discard) {
            self.0.lock().unwrap().push((*why, packet.len()));
        }
    }

    let mut node = Node::on_ip(HostConfig::default());
    let reasons = Arc::new(Reasons::default());
    node.host.set_observer(Some(reasons.clone()));
    let good = udp(sock("10.0.0.2:9"), sock("10.0.0.1:53"), b"x");
    node.receive(good.slice(..25));
    node.receive(good);
    node.receive(udp(sock("10.0.0.2:9"), sock("10.0.0.7:53"), b"x"));
    let reasons = reasons.0.lock().unwrap();
    assert!(matches!(reasons[0], (Discard::Malformed(_), 25)), "{reasons:?}");
    assert_eq!(reasons[1..], [(Discard::ClosedPort, 29), (Discard::OtherHost, 29)]);
    assert_eq!(reasons[1].0.to_string(), "nobody has the port");
}

/// Requirement: RFC6633-R03, RFC6633-R04
#[test]
fn a_source_quench_is_dropped_before_tcp_hears_of_it_and_its_drop_is_told() {
    use std::sync::{Arc, Mutex};

    use handclasp_stack::discard::{Discard, Observer};
    use handclasp_wire::icmpv4::Icmpv4;
    use handclasp_wire::ipv4::Ipv4;
    use handclasp_wire::time::Instant;

    #[derive(Default)]
    struct Reasons(Mutex<Vec<Discard>>);
    impl Observer for Reasons {
        fn dropped(&self, _: Instant, _: &[u8], why: &Discard) {
            self.0.lock().unwrap().push(*why);
        }
    }

    let mut node = Node::on_ip(HostConfig::default());
    let reasons = Arc::new(Reasons::default());
    node.host.set_observer(Some(reasons.clone()));
    let client = node.connect("10.0.0.2:80");
    let syn = node.transmit().remove(0);
    let before = node.store.get(client).unwrap().info();
    let quench = Icmpv4::SourceQuench { quoted: &syn[..28] };
    let (Ok(from), Ok(to)) = ("10.0.0.254".parse(), "10.0.0.1".parse()) else { panic!() };
    let mut packet = Vec::new();
    Ipv4::new(from, to, 1).emit(quench.emitted_len(), &mut packet);
    quench.emit(&mut packet);
    node.receive(packet);
    assert_eq!(*reasons.0.lock().unwrap(), [Discard::IcmpIgnored]);
    assert_eq!(node.store.get(client).unwrap().info(), before);
}
