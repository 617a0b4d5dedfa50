//! ICMP: echoes, errors that are believed and errors that are not, and path MTU discovery.

mod common;

use bytes::Bytes;
use common::{Net, Node, Segment, echo, ip, millis, seconds, segment, sock, tcp, udp};
use handclasp_stack::HostConfig;
use handclasp_stack::listen::Backlog;
use handclasp_stack::store::Datagram;
use handclasp_tcp::State;
use handclasp_tcp::connection::{Error, PathError};
use handclasp_wire::frame::Medium;
use handclasp_wire::icmpv4::{Icmpv4, unreachable};
use handclasp_wire::icmpv6::Icmpv6;
use handclasp_wire::ip::protocol;
use handclasp_wire::ipv4::Ipv4;
use handclasp_wire::ipv6::Ipv6;
use handclasp_wire::packet::{Packet, Transport};
use handclasp_wire::tcp::{Flags, Header};

const ROUTER: &str = "10.0.0.254";

/// An ICMP error from a router to 10.0.0.1.
fn error(message: Icmpv4<'_>) -> Bytes {
    let (Ok(from), Ok(to)) = (ROUTER.parse(), "10.0.0.1".parse()) else { panic!() };
    let mut bytes = Vec::new();
    Ipv4::new(from, to, protocol::ICMPV4).emit(message.emitted_len(), &mut bytes);
    message.emit(&mut bytes);
    bytes.into()
}

fn error_v6(message: Icmpv6<'_>) -> Bytes {
    let (Ok(from), Ok(to)) = ("fd00::fe".parse(), "fd00::1".parse()) else { panic!() };
    let mut bytes = Vec::new();
    Ipv6::new(from, to, protocol::ICMPV6).emit(message.emitted_len(), &mut bytes);
    message.emit(from, to, &mut bytes);
    bytes.into()
}

fn unreachable(code: u8, next_hop_mtu: u16, quoted: &[u8]) -> Bytes {
    error(Icmpv4::Unreachable { code, next_hop_mtu, quoted })
}

fn node() -> Node {
    Node::on_ip(HostConfig::default())
}

/// A connection in SYN-SENT, and the SYN's packet.
fn opening(node: &mut Node) -> (handclasp_stack::ConnId, Bytes) {
    let client = node.connect("10.0.9.9:80");
    (client, node.transmit().remove(0))
}

/// An open connection with a full segment in flight, and that segment's packet.
fn sending(node: &mut Node, remote: &str) -> (handclasp_stack::ConnId, Bytes) {
    let client = node.connect(remote);
    let syn = segment(Medium::Ip, &node.transmit()[0]).unwrap();
    let Segment { src, dst, header, .. } = syn;
    let mut options = header.options;
    options.timestamps = None;
    let answer = Header {
        ack: header.seq + 1,
        flags: Flags::SYN | Flags::ACK,
        window: 65_000,
        options,
        ..Header::default()
    };
    node.receive(tcp(dst, src, &answer, b""));
    node.transmit();
    let mss = node.store.get(client).unwrap().info().mss;
    node.write(client, &vec![5; usize::from(mss)]);
    let packets = node.transmit();
    assert_eq!((node.state(client), packets.len()), (State::Established, 1));
    (client, packets[0].clone())
}

fn path_mtu(node: &Node, id: handclasp_stack::ConnId) -> u16 {
    node.store.get(id).unwrap().info().path_mtu
}

/// Requirement: RFC1122-R09
#[test]
fn echo_requests_are_answered_with_the_same_data() {
    for (own, peer) in [("10.0.0.1", "10.0.0.2"), ("fd00::1", "fd00::2")] {
        for size in [0, 56, 1452, 4000] {
            let mut node = node();
            let data: Vec<u8> = (0..size).map(|i| i as u8).collect();
            node.receive(echo(ip(peer), ip(own), &data));
            let sent = node.transmit();
            if size == 4000 {
                assert_eq!(sent.len(), 3, "in fragments");
                assert!(sent.iter().all(|packet| packet.len() <= 1500));
                continue;
            }
            let reply = Packet::parse(Medium::Ip, &sent[0]).unwrap();
            assert_eq!(reply.addresses(), Some((ip(own), ip(peer))));
            assert_eq!(reply.checksum_ok(), Some(true));
            assert!(sent[0].ends_with(&data));
        }
    }
}

#[test]
fn echo_requests_to_groups_are_not_answered() {
    let mut node = node();
    for group in ["10.0.0.255", "255.255.255.255", "224.0.0.1"] {
        node.receive(echo(ip("10.0.0.2"), ip(group), b"smurf"));
        assert!(node.transmit().is_empty(), "{group}");
    }
}

/// Requirement: RFC5927-P03
#[test]
fn an_error_about_one_connection_is_none_about_its_neighbour() {
    let mut node = node();
    let (one, syn) = opening(&mut node);
    let (other, _) = opening(&mut node);
    node.receive(unreachable(unreachable::PORT, 0, &syn[..28]));
    assert_eq!(node.error(one), Some(Error::Refused));
    assert_eq!(node.state(other), State::SynSent);
}

/// Requirement: RFC1122-R08
/// Requirement: RFC9293-SHLD-26
#[test]
fn a_hard_error_ends_an_attempt_to_open() {
    let mut node = node();
    let (client, syn) = opening(&mut node);
    node.receive(unreachable(unreachable::PORT, 0, &syn[..28]));
    assert_eq!(node.error(client), Some(Error::Refused));
    node.transmit();
    assert_eq!(node.host.table_sizes().tuples, 0);
}

/// Requirement: RFC9293-MUST-56
/// Requirement: RFC9293-SHLD-25
#[test]
fn a_soft_error_ends_nothing_but_is_remembered() {
    for code in [unreachable::NET, unreachable::HOST, unreachable::SOURCE_ROUTE_FAILED] {
        let mut node = node();
        let (client, syn) = opening(&mut node);
        node.receive(unreachable(code, 0, &syn[..28]));
        assert_eq!(node.state(client), State::SynSent);
        assert!(node.store.get(client).unwrap().info().soft_error.is_some());
    }
    let mut node = node();
    let (client, syn) = opening(&mut node);
    node.receive(error(Icmpv4::TimeExceeded { code: 0, quoted: &syn[..28] }));
    let expected = Some(PathError::TimeExceeded);
    assert_eq!(node.store.get(client).unwrap().info().soft_error, expected);
}

/// Requirement: RFC5927-P02
#[test]
fn a_hard_error_does_not_end_an_open_connection() {
    let mut node = node();
    let (client, data) = sending(&mut node, "10.0.9.9:80");
    for code in [unreachable::PORT, unreachable::PROTOCOL, unreachable::FILTERED] {
        node.receive(unreachable(code, 0, &data[..28]));
    }
    assert_eq!(node.state(client), State::Established);
}

/// Requirement: RFC5927-P01
/// Requirement: RFC9293-MUST-54
#[test]
fn a_forged_error_is_ignored() {
    let mut node = node();
    let (client, syn) = opening(&mut node);
    let forged = |change: fn(&mut [u8])| {
        let mut quoted = syn[..28].to_vec();
        change(&mut quoted);
        unreachable(unreachable::PORT, 0, &quoted)
    };
    node.receive(forged(|quoted| quoted[24] ^= 0x80));
    assert_eq!(node.host.counters().tcp_ext_out_of_window_icmps, 1);
    node.receive(forged(|quoted| quoted[21] ^= 1));
    node.receive(forged(|quoted| quoted[19] ^= 1));
    node.receive(forged(|quoted| quoted[9] = protocol::UDP));
    node.receive(unreachable(unreachable::PORT, 0, &syn[..20]));
    assert_eq!(node.state(client), State::SynSent);
}

/// Requirement: RFC9293-MUST-55
/// Requirement: RFC6633-R02
/// Requirement: RFC5927-P04
#[test]
fn source_quench_changes_nothing() {
    let mut node = node();
    let (client, data) = sending(&mut node, "10.0.9.9:80");
    let before = node.store.get(client).unwrap().info();
    node.receive(error(Icmpv4::SourceQuench { quoted: &data[..28] }));
    assert_eq!(node.store.get(client).unwrap().info(), before);
}

/// Requirement: RFC1191-R01
/// Requirement: RFC9293-P22
/// Requirement: RFC7323-R34
/// Requirement: RFC5927-P08
/// Requirement: RFC8201-P03
/// Requirement: RFC8201-P07
#[test]
fn packets_become_as_small_as_the_path_needs() {
    let mut v4 = node();
    let (client, data) = sending(&mut v4, "10.0.9.9:80");
    assert_eq!(data.len(), 1500);
    assert_eq!(data[6] & 0x40, 0x40, "routers must not fragment it");
    v4.receive(unreachable(unreachable::FRAGMENTATION_NEEDED, 1400, &data[..28]));
    let sent = v4.transmit();
    assert!(!sent.is_empty(), "it is sent again at once");
    assert!(sent.iter().all(|packet| packet.len() <= 1400));
    assert_eq!(path_mtu(&v4, client), 1400);

    let mut v6 = node();
    let (client, data) = sending(&mut v6, "[fd09::9]:80");
    v6.receive(error_v6(Icmpv6::PacketTooBig { mtu: 1300, quoted: &data[..60] }));
    assert!(v6.transmit().iter().all(|packet| packet.len() <= 1300));
    assert_eq!(path_mtu(&v6, client), 1300);
}

/// Requirement: RFC8201-P02
/// Requirement: RFC5927-P05
/// Requirement: RFC8899-R01
/// Requirement: RFC8899-R02
#[test]
fn reports_that_cannot_be_true_do_not_shrink_packets() {
    let mut node = node();
    let (client, data) = sending(&mut node, "10.0.9.9:80");
    let mut forged = data[..28].to_vec();
    forged[24] ^= 0x80;
    node.receive(unreachable(unreachable::FRAGMENTATION_NEEDED, 600, &forged));
    node.receive(unreachable(unreachable::FRAGMENTATION_NEEDED, 1500, &data[..28]));
    node.receive(unreachable(unreachable::FRAGMENTATION_NEEDED, 9000, &data[..28]));
    assert_eq!(path_mtu(&node, client), 1500);
}

/// Requirement: RFC9040-P01
#[test]
fn what_one_connection_found_out_others_to_there_begin_with() {
    let mut node = node();
    let (before, data) = sending(&mut node, "10.0.9.9:80");
    let other = node.connect("10.0.9.9:81");
    let elsewhere = node.connect("10.0.9.10:80");
    node.receive(unreachable(unreachable::FRAGMENTATION_NEEDED, 1400, &data[..28]));
    let after = node.connect("10.0.9.9:82");
    for id in [before, other, after] {
        assert_eq!(path_mtu(&node, id), 1400);
    }
    assert_eq!(path_mtu(&node, elsewhere), 1500);
}

/// Requirement: RFC1191-P09
#[test]
fn the_mss_that_we_announce_is_our_link_s_whatever_the_path() {
    let mut node = node();
    let (_, data) = sending(&mut node, "10.0.9.9:80");
    node.receive(unreachable(unreachable::FRAGMENTATION_NEEDED, 1400, &data[..28]));
    node.transmit();
    node.connect("10.0.9.9:81");
    let syn = node.segments().pop().unwrap();
    assert_eq!(syn.header.options.mss, Some(1460));
}

/// Requirement: RFC9040-P05, RFC1191-P10
#[test]
fn larger_packets_are_tried_again_after_ten_minutes() {
    let mut node = node();
    let (client, data) = sending(&mut node, "10.0.9.9:80");
    node.receive(unreachable(unreachable::FRAGMENTATION_NEEDED, 1400, &data[..28]));
    node.transmit();
    node.with(client, |connection, _| connection.set_retries(u8::MAX));
    node.pass(seconds(599));
    assert_eq!(path_mtu(&node, client), 1400);
    let other = node.connect("10.0.9.9:81");
    assert_eq!(path_mtu(&node, other), 1400);
    node.pass(seconds(1));
    assert_eq!((path_mtu(&node, client), path_mtu(&node, other)), (1500, 1500));
}

#[test]
fn the_link_s_mtu_may_change_while_it_is_in_use() {
    let mut net = Net::ip();
    let (client, _) = net.open();
    let node = &mut net.nodes[0];
    let cx = handclasp_tcp::Context::new(node.now, &node.budget);
    node.host.set_mtu(&mut node.store, &cx, 600);
    node.write(client, &[0; 5000]);
    assert!(node.transmit().iter().all(|packet| packet.len() <= 600));
}

#[test]
fn a_closed_udp_port_is_reported() {
    let mut node = node();
    node.receive(udp(sock("10.0.0.2:9"), sock("10.0.0.1:5353"), b"anybody?"));
    let sent = node.transmit();
    let packet = Packet::parse(Medium::Ip, &sent[0]).unwrap();
    let Transport::Icmpv4(view) = packet.transport else { panic!("{packet:?}") };
    let Icmpv4::Unreachable { code, quoted, .. } = view.to_repr() else { panic!() };
    assert_eq!(code, unreachable::PORT);
    assert!(quoted.ends_with(b"anybody?"));

    node.receive(udp(sock("[fd00::2]:9"), sock("[fd00::1]:5353"), b"anybody?"));
    let sent = node.transmit();
    let packet = Packet::parse(Medium::Ip, &sent[0]).unwrap();
    assert!(matches!(packet.transport, Transport::Icmpv6(_)));
    assert_eq!(packet.checksum_ok(), Some(true));
}

/// Requirement: RFC1122-R06
#[test]
fn no_error_is_sent_about_errors_groups_or_later_fragments() {
    let mut node = node();
    let stray = udp(sock("10.0.0.2:9"), sock("10.0.0.1:5353"), b"x");
    node.receive(udp(sock("10.0.0.2:9"), sock("10.0.0.255:5353"), b"x"));
    node.receive(udp(sock("10.0.0.2:9"), sock("224.0.0.1:5353"), b"x"));
    node.receive(udp(sock("10.0.0.255:9"), sock("10.0.0.1:5353"), b"x"));
    node.receive(unreachable(unreachable::PORT, 0, &stray));
    let large = udp(sock("10.0.0.2:9"), sock("10.0.0.1:5353"), &[0; 64]);
    node.receive(common::fragment(&large, 32, 72));
    assert!(node.transmit().is_empty());
    assert!(node.pass(seconds(31)).is_empty());
}

/// An IPv6 packet with an extension header of eight bytes in front of a UDP datagram.
fn extended(kind: u8, body: [u8; 6]) -> Bytes {
    let plain = udp(sock("[fd00::2]:9"), sock("[fd00::1]:5353"), b"x");
    let (Ok(from), Ok(to)) = ("fd00::2".parse(), "fd00::1".parse()) else { panic!() };
    let mut bytes = Vec::new();
    Ipv6::new(from, to, kind).emit(8 + plain.len() - 40, &mut bytes);
    bytes.extend_from_slice(&[protocol::UDP, 0]);
    bytes.extend_from_slice(&body);
    bytes.extend_from_slice(&plain[40..]);
    bytes.into()
}

/// The ICMPv6 type and code, and the pointer, of what is answered.
fn answer_to(packet: Bytes) -> Option<(u8, u8, u32)> {
    let mut node = node();
    node.receive(packet);
    let sent = node.transmit().pop()?;
    let packet = Packet::parse(Medium::Ip, &sent).unwrap();
    let Transport::Icmpv6(view) = packet.transport else { panic!("{packet:?}") };
    let message = view.message();
    Some((message.kind, message.code, u32::from_be_bytes(message.rest)))
}

#[test]
fn extension_headers_are_passed_over_or_refused_as_they_ask() {
    const PORT_UNREACHABLE: Option<(u8, u8, u32)> = Some((1, 4, 0));
    for kind in [protocol::HOP_BY_HOP, protocol::DESTINATION_OPTIONS] {
        assert_eq!(answer_to(extended(kind, [1, 4, 0, 0, 0, 0])), PORT_UNREACHABLE);
        assert_eq!(answer_to(extended(kind, [0, 0, 0x1e, 2, 0, 0])), PORT_UNREACHABLE);
        assert_eq!(answer_to(extended(kind, [0x5e, 4, 0, 0, 0, 0])), None);
        assert_eq!(answer_to(extended(kind, [0, 0x9e, 3, 0, 0, 0])), Some((4, 2, 43)));
        assert_eq!(answer_to(extended(kind, [0xde, 4, 0, 0, 0, 0])), Some((4, 2, 42)));
        assert_eq!(answer_to(extended(kind, [0x1e, 255, 0, 0, 0, 0])), PORT_UNREACHABLE);
    }
    assert_eq!(answer_to(extended(protocol::ROUTING, [0; 6])), PORT_UNREACHABLE);
    assert_eq!(answer_to(extended(protocol::ROUTING, [0, 1, 0, 0, 0, 0])), Some((4, 0, 42)));
}

#[test]
fn errors_are_limited() {
    let mut config = HostConfig::default();
    config.icmp_errors_per_second = 10;
    let mut node = Node::on_ip(config);
    for _ in 0..100 {
        node.receive(udp(sock("10.0.0.2:9"), sock("10.0.0.1:5353"), b"x"));
    }
    assert_eq!(node.transmit().len(), 10);
}

#[test]
fn an_unknown_protocol_is_reported() {
    let mut node = node();
    let mut packet = udp(sock("10.0.0.2:9"), sock("10.0.0.1:5353"), b"x").to_vec();
    let (Ok(from), Ok(to)) = ("10.0.0.2".parse(), "10.0.0.1".parse()) else { panic!() };
    let mut header = Vec::new();
    Ipv4::new(from, to, 132).emit(9, &mut header);
    packet[..20].copy_from_slice(&header);
    node.receive(packet);
    assert_eq!(node.host.counters().ip_in_unknown_protos, 1);
    assert_eq!(node.transmit().len(), 1);
}

/// Requirement: RFC1122-R07
/// Requirement: RFC6633-R01
#[test]
fn unknown_icmp_types_are_dropped_in_silence() {
    let mut node = node();
    let body = handclasp_wire::icmp::Message { kind: 200, code: 0, rest: [0; 4], body: b"?" };
    node.receive(error(Icmpv4::Other(body)));
    assert!(node.transmit().is_empty());
}

#[test]
fn an_error_reaches_the_udp_socket_that_it_is_about() {
    let mut net = Net::ip();
    let node = &mut net.nodes[0];
    let socket = node.host.bind_udp(&mut node.store, sock("0.0.0.0:700")).unwrap();
    let (local, remote) = (sock("0.0.0.0:700"), sock("10.0.0.2:53"));
    node.store.send(socket, Datagram { local, remote, payload: Bytes::from_static(b"q") });
    node.host.touched_udp(socket);
    net.run(millis(10));
    let error = net.nodes[0].store.take_error(socket);
    assert_eq!(error, Some((remote, PathError::PortUnreachable)));
}

#[test]
fn a_hard_error_about_a_syn_ack_ends_the_attempt() {
    let mut node = node();
    node.listen("0.0.0.0:80", Backlog::default());
    let syn = Header { flags: Flags::SYN, ..Header::default() };
    node.receive(tcp(sock("10.0.9.9:5000"), sock("10.0.0.1:80"), &syn, b""));
    let syn_ack = node.transmit().remove(0);
    let mut forged = syn_ack[..28].to_vec();
    forged[27] ^= 1;
    node.receive(unreachable(unreachable::PORT, 0, &forged));
    assert_eq!(node.host.table_sizes().half_open, 1);
    node.receive(unreachable(unreachable::PORT, 0, &syn_ack[..28]));
    assert_eq!(node.host.table_sizes().half_open, 0);
}
