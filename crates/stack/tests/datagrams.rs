//! UDP and fragments.

mod common;

use bytes::Bytes;
use common::{Net, Node, fragment, millis, seconds, sock, tcp, udp};
use handclasp_stack::listen::Backlog;
use handclasp_stack::store::Datagram;
use handclasp_stack::udp::BindError;
use handclasp_stack::{HostConfig, Store, UdpId};
use handclasp_tcp::connection::PathError;
use handclasp_wire::frame::{Inbound, Medium, RxChecksum};
use handclasp_wire::packet::{Packet, Transport};
use handclasp_wire::tcp::{Flags, Header};

fn bind(node: &mut Node, local: &str) -> UdpId {
    node.host.bind_udp(&mut node.store, sock(local)).unwrap()
}

fn send(node: &mut Node, id: UdpId, remote: &str, payload: &[u8]) {
    let local = node.host.bound_to(id).unwrap();
    let payload = Bytes::copy_from_slice(payload);
    assert!(node.store.send(id, Datagram { local, remote: sock(remote), payload }));
    node.host.touched_udp(id);
}

fn payload(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

#[test]
fn a_datagram_and_its_answer_find_their_sockets() {
    for (own, peer) in [("10.0.0.1:700", "10.0.0.2:53"), ("[fd00::1]:700", "[fd00::2]:53")] {
        let mut net = Net::ethernet();
        let any = if sock(own).is_ipv4() { "0.0.0.0:53" } else { "[::]:53" };
        let client = bind(&mut net.nodes[0], own);
        let server = bind(&mut net.nodes[1], any);
        send(&mut net.nodes[0], client, peer, b"question");
        net.run(millis(10));
        let question = net.nodes[1].store.receive(server).unwrap();
        assert_eq!(question.payload, &b"question"[..]);
        assert_eq!((question.local, question.remote), (sock(peer), sock(own)));
        let answer = Datagram { payload: Bytes::from_static(b"answer"), ..question };
        net.nodes[1].store.send(server, answer);
        net.nodes[1].host.touched_udp(server);
        net.run(millis(10));
        assert_eq!(net.nodes[0].store.receive(client).unwrap().payload, &b"answer"[..]);
    }
}

/// Requirement: RFC1122-R10
#[test]
fn a_large_datagram_goes_in_fragments() {
    for peer in ["10.0.0.2:53", "[fd00::2]:53"] {
        let mut net = Net::ip();
        let (any, len) = if sock(peer).is_ipv4() {
            (["0.0.0.0:700", "0.0.0.0:53"], 65_507)
        } else {
            (["[::]:700", "[::]:53"], 65_527)
        };
        let client = bind(&mut net.nodes[0], any[0]);
        let server = bind(&mut net.nodes[1], any[1]);
        send(&mut net.nodes[0], client, peer, &payload(len));
        net.run(millis(10));
        assert!(net.sent.iter().all(|sent| sent.data.len() <= 1500));
        assert!(net.nodes[1].store.receive(server).unwrap().payload == payload(len));
        let counters = net.nodes[1].host.counters();
        assert_eq!(counters.ip_reasm_oks, 1);
        assert_eq!(counters.ip_reasm_reqds, net.sent.len() as u64);
    }
}

#[test]
fn a_datagram_that_is_too_large_for_ip_is_reported() {
    let mut node = Node::on_ip(HostConfig::default());
    let socket = bind(&mut node, "0.0.0.0:700");
    send(&mut node, socket, "10.0.0.2:53", &payload(65_508));
    assert!(node.transmit().is_empty());
    let error = node.store.take_error(socket);
    assert_eq!(error, Some((sock("10.0.0.2:53"), PathError::PacketTooBig { mtu: 65_535 })));
}

#[test]
fn a_datagram_without_a_route_is_reported() {
    let mut node = Node::on_ip(HostConfig::default());
    node.host.remove_route(&common::read("0.0.0.0/0"));
    let socket = bind(&mut node, "0.0.0.0:700");
    send(&mut node, socket, "192.0.2.1:53", b"x");
    node.transmit();
    let error = node.store.take_error(socket);
    assert_eq!(error, Some((sock("192.0.2.1:53"), PathError::NoRoute)));
}

#[test]
fn ports_are_bound_once_and_only_to_our_addresses() {
    let mut node = Node::on_ip(HostConfig::default());
    let first = bind(&mut node, "0.0.0.0:700");
    let again = |node: &mut Node, local| node.host.bind_udp(&mut node.store, sock(local));
    assert_eq!(again(&mut node, "10.0.0.1:700"), Err(BindError::InUse));
    assert_eq!(again(&mut node, "10.0.0.9:701"), Err(BindError::NotOurs));
    node.host.close_udp(&mut node.store, first, node.now);
    assert!(again(&mut node, "10.0.0.1:700").is_ok());
    let chosen = bind(&mut node, "0.0.0.0:0");
    assert!(node.host.bound_to(chosen).unwrap().port() >= 1024);
}

#[test]
fn a_full_queue_drops_and_counts() {
    let mut node = Node::on_ip(HostConfig::default());
    let socket = bind(&mut node, "0.0.0.0:700");
    for _ in 0..300 {
        node.receive(udp(sock("10.0.0.2:9"), sock("10.0.0.1:700"), b"x"));
    }
    let counters = node.host.counters();
    assert_eq!((counters.udp_in_datagrams, counters.udp_rcvbuf_errors), (256, 44));
    assert!(node.store.receive(socket).is_some());
}

#[test]
fn broadcasts_come_to_the_socket_that_has_the_port() {
    let mut node = Node::on_ip(HostConfig::default());
    let socket = bind(&mut node, "0.0.0.0:700");
    node.receive(udp(sock("10.0.0.2:9"), sock("10.0.0.255:700"), b"everyone"));
    assert_eq!(node.store.receive(socket).unwrap().payload, &b"everyone"[..]);
}

#[test]
fn datagrams_that_a_device_joined_come_apart_again() {
    let mut node = Node::on_ip(HostConfig::default());
    let socket = bind(&mut node, "0.0.0.0:700");
    let data = udp(sock("10.0.0.2:9"), sock("10.0.0.1:700"), &payload(2500));
    let joined = Inbound { data, checksum: RxChecksum::Trusted, segment_size: Some(1000) };
    let cx = handclasp_tcp::Context::new(node.now, &node.budget);
    node.host.receive(&mut node.store, &cx, joined);
    let sizes: Vec<_> =
        core::iter::from_fn(|| node.store.receive(socket)).map(|d| d.payload.len()).collect();
    assert_eq!(sizes, [1000, 1000, 500]);
}

#[test]
fn an_empty_datagram_is_a_datagram() {
    let mut node = Node::on_ip(HostConfig::default());
    let socket = bind(&mut node, "0.0.0.0:700");
    node.receive(udp(sock("10.0.0.2:9"), sock("10.0.0.1:700"), b""));
    assert!(node.store.receive(socket).is_some());
    assert!(node.store.receive(socket).is_none());
}

#[test]
fn closing_a_socket_sends_what_it_still_had_to_send() {
    let mut node = Node::on_ip(HostConfig::default());
    let socket = bind(&mut node, "0.0.0.0:700");
    send(&mut node, socket, "10.0.0.2:53", b"goodbye");
    node.host.close_udp(&mut node.store, socket, node.now);
    assert_eq!(node.transmit().len(), 1);
    node.store.release_udp(socket);
    assert!(!node.store.deliver(
        socket,
        Datagram {
            local: sock("10.0.0.1:700"),
            remote: sock("10.0.0.2:53"),
            payload: Bytes::new()
        }
    ));
}

/// Requirement: RFC1122-R10
#[test]
fn a_segment_in_fragments_arrives_in_any_order() {
    let own = [("10.0.0.2:9", "10.0.0.1:80"), ("[fd00::2]:9", "[fd00::1]:80")];
    for (peer, own) in own {
        for order in [[0, 1, 2], [2, 0, 1], [2, 1, 0]] {
            let mut node = Node::on_ip(HostConfig::default());
            let any = if sock(own).is_ipv4() { "0.0.0.0:80" } else { "[::]:80" };
            node.listen(any, Backlog::default());
            let syn = Header { flags: Flags::SYN, ..Header::default() };
            let whole = tcp(sock(peer), sock(own), &syn, &[0; 20]);
            let cuts = [(0, 16), (16, 32), (32, 40)];
            for piece in order {
                assert_eq!(node.host.table_sizes().half_open, 0);
                let (from, to) = cuts[piece];
                node.receive(fragment(&whole, from, to));
            }
            assert_eq!(node.host.table_sizes().half_open, 1);
            assert_eq!(node.host.table_sizes().reassembly, 0);
        }
    }
}

#[test]
fn overlapping_fragments_come_to_nothing() {
    for (peer, own) in [("10.0.0.2:9", "10.0.0.1:700"), ("[fd00::2]:9", "[fd00::1]:700")] {
        let mut node = Node::on_ip(HostConfig::default());
        let any = if sock(own).is_ipv4() { "0.0.0.0:700" } else { "[::]:700" };
        let socket = bind(&mut node, any);
        let whole = udp(sock(peer), sock(own), &payload(40));
        for (from, to) in [(0, 16), (8, 32), (16, 32), (32, 48)] {
            node.receive(fragment(&whole, from, to));
        }
        assert!(node.store.receive(socket).is_none());
        assert_eq!(node.host.counters().ip_reasm_fails, 3);
    }
}

#[test]
fn fragments_that_never_complete_are_reported_and_forgotten() {
    for (peer, own, wait) in
        [("10.0.0.2:9", "10.0.0.1:700", 30), ("[fd00::2]:9", "[fd00::1]:700", 60)]
    {
        let mut node = Node::on_ip(HostConfig::default());
        let whole = udp(sock(peer), sock(own), &payload(40));
        node.receive(fragment(&whole, 0, 16));
        assert_eq!(node.pass(seconds(wait - 1)), []);
        let sent = node.pass(seconds(1));
        assert_eq!(sent.len(), 1);
        let packet = Packet::parse(Medium::Ip, &sent[0].1).unwrap();
        let kind = match packet.transport {
            Transport::Icmpv4(view) => view.message().kind,
            Transport::Icmpv6(view) => view.message().kind,
            _ => panic!("{packet:?}"),
        };
        assert_eq!(kind, if sock(own).is_ipv4() { 11 } else { 3 });
        assert_eq!(node.host.table_sizes().reassembly, 0);
        assert_eq!(node.host.counters().ip_reasm_timeout, 1);
    }
}

/// Requirement: RFC1122-R02
/// Requirement: RFC1122-R01
/// Requirement: RFC1122-R03
#[test]
fn what_is_damaged_or_not_for_us_is_dropped_and_counted() {
    let mut node = Node::on_ip(HostConfig::default());
    let socket = bind(&mut node, "0.0.0.0:700");
    let good = udp(sock("10.0.0.2:9"), sock("10.0.0.1:700"), b"data");
    let damaged = |at: usize| {
        let mut packet = good.to_vec();
        packet[at] ^= 0x40;
        packet
    };
    node.receive(damaged(8));
    node.receive(damaged(0));
    node.receive(damaged(29));
    node.receive(udp(sock("10.0.0.2:9"), sock("10.0.0.3:700"), b"data"));
    node.receive(Bytes::new());
    assert!(node.store.receive(socket).is_none());
    let counters = node.host.counters();
    assert_eq!(counters.ip_in_hdr_errors, 3);
    assert_eq!(counters.ip_in_addr_errors, 1);
    assert_eq!((counters.udp_in_csum_errors, counters.udp_in_errors), (1, 1));
}

/// Requirement: RFC9293-MUST-50
/// Requirement: RFC9293-MAY-10
/// Requirement: RFC9293-MAY-11
/// Requirement: RFC1122-R05
#[test]
fn ip_options_are_passed_over() {
    let mut node = Node::on_ip(HostConfig::default());
    let socket = bind(&mut node, "0.0.0.0:700");
    let good = udp(sock("10.0.0.2:9"), sock("10.0.0.1:700"), b"data");
    let packet = Packet::parse(Medium::Ip, &good).unwrap();
    let handclasp_wire::packet::Net::Ipv4(view) = packet.net else { panic!() };
    for options in [&[1, 1, 1][..], &[7, 7, 4, 0, 0, 0, 0], &[68, 8, 5, 0, 0, 0, 0, 0], &[0xff]] {
        let mut bytes = Vec::new();
        let header = handclasp_wire::ipv4::Ipv4 { options, ..view.to_repr() };
        header.emit(view.payload().len(), &mut bytes);
        bytes.extend_from_slice(view.payload());
        node.receive(bytes);
        assert!(node.store.receive(socket).is_some(), "{options:?}");
    }
}

/// Requirement: RFC1122-R04
#[test]
fn a_low_ttl_on_arrival_is_no_reason_to_drop() {
    let mut node = Node::on_ip(HostConfig::default());
    let socket = bind(&mut node, "0.0.0.0:700");
    let good = udp(sock("10.0.0.2:9"), sock("10.0.0.1:700"), b"data");
    let packet = Packet::parse(Medium::Ip, &good).unwrap();
    let handclasp_wire::packet::Net::Ipv4(view) = packet.net else { panic!() };
    for ttl in [0, 1] {
        let mut bytes = Vec::new();
        let header = handclasp_wire::ipv4::Ipv4 { ttl, ..view.to_repr() };
        header.emit(view.payload().len(), &mut bytes);
        bytes.extend_from_slice(view.payload());
        node.receive(bytes);
        assert!(node.store.receive(socket).is_some());
    }
}
