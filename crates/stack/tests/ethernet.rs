//! An Ethernet link: ARP, neighbour discovery, frames that are not for us.

mod common;

use std::net::IpAddr;

use common::{Net, Node, echo, ip, millis, seconds, sock, tcp};
use handclasp_stack::host::TableSizes;
use handclasp_stack::listen::Backlog;
use handclasp_stack::{HostConfig, Interface};
use handclasp_tcp::State;
use handclasp_tcp::connection::{Error, PathError};
use handclasp_wire::arp::{Arp, Operation};
use handclasp_wire::ethernet::{EtherType, Ethernet, MacAddr, VlanTag};
use handclasp_wire::frame::Medium;
use handclasp_wire::ip::protocol;
use handclasp_wire::ipv6::Ipv6;
use handclasp_wire::ndp::{Ndp, NdpMessage, NdpOption, NdpView, NeighbourFlags, solicited_node};
use handclasp_wire::packet::{self, Packet, Transport};
use handclasp_wire::tcp::{Flags, Header};

const OWN: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
const PEER: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);

/// 10.0.0.1 and fd00::1; what it announced of itself is taken away.
fn node() -> Node {
    let mut node = Node::new(HostConfig::default(), Interface::ethernet(OWN, 1500), 1);
    node.add("10.0.0.1/24");
    node.add("fd00::1/64");
    node.via("10.0.0.254");
    node.transmit();
    node
}

fn frame(dst: MacAddr, ethertype: EtherType, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Ethernet::new(dst, PEER, ethertype).emit(&mut bytes);
    bytes.extend_from_slice(payload);
    bytes
}

fn arp(node: &mut Node, arp: Arp) {
    let mut payload = Vec::new();
    arp.emit(&mut payload);
    node.receive(frame(MacAddr::BROADCAST, EtherType::ARP, &payload));
}

fn v4(text: &str) -> std::net::Ipv4Addr {
    text.parse().unwrap()
}

fn v6(text: &str) -> std::net::Ipv6Addr {
    text.parse().unwrap()
}

/// The ARP packets that it sends, and where to.
fn asked(node: &mut Node) -> Vec<(MacAddr, Arp)> {
    let arp = |frame: &bytes::Bytes| {
        let packet = Packet::parse(Medium::Ethernet, frame).unwrap();
        match packet.net {
            packet::Net::Arp(view) => Some((packet.link.unwrap().dst(), view.to_repr())),
            _ => None,
        }
    };
    node.transmit().iter().filter_map(arp).collect()
}

fn ping(node: &mut Node) -> usize {
    let request = echo(ip("10.0.0.2"), ip("10.0.0.1"), b"ping");
    node.receive(frame(OWN, EtherType::IPV4, &request));
    node.transmit().len()
}

#[test]
fn who_asks_for_us_is_answered_and_known_from_then_on() {
    let mut node = node();
    arp(&mut node, Arp::request(PEER, v4("10.0.0.2"), v4("10.0.0.1")));
    let sent = asked(&mut node);
    assert_eq!(sent.len(), 1);
    let (to, reply) = sent[0];
    assert_eq!((to, reply.operation, reply.sender_mac), (PEER, Operation::REPLY, OWN));
    assert_eq!(node.host.neighbours().collect::<Vec<_>>(), [(ip("10.0.0.2"), PEER)]);
}

#[test]
fn who_asks_for_another_is_neither_answered_nor_known() {
    let mut node = node();
    arp(&mut node, Arp::request(PEER, v4("10.0.0.2"), v4("10.0.0.3")));
    assert_eq!(asked(&mut node), []);
    assert_eq!(node.host.neighbours().count(), 0);
}

#[test]
fn a_probe_for_our_address_is_defended() {
    let mut node = node();
    arp(&mut node, Arp::request(PEER, v4("0.0.0.0"), v4("10.0.0.1")));
    assert_eq!(asked(&mut node).len(), 1);
    assert_eq!(node.host.neighbours().count(), 0);
}

#[test]
fn claims_to_our_own_address_are_not_believed() {
    let mut node = node();
    arp(&mut node, Arp::request(PEER, v4("10.0.0.1"), v4("10.0.0.1")));
    arp(&mut node, Arp::request(MacAddr::BROADCAST, v4("10.0.0.2"), v4("10.0.0.1")));
    assert_eq!(asked(&mut node), []);
    assert_eq!(node.host.neighbours().count(), 0);
}

#[test]
fn a_new_address_is_announced() {
    let mut node = node();
    node.add("10.0.0.7/24");
    let (to, announcement) = asked(&mut node)[0];
    assert_eq!(to, MacAddr::BROADCAST);
    assert_eq!((announcement.sender_ip, announcement.target_ip), (v4("10.0.0.7"), v4("10.0.0.7")));
}

#[test]
fn a_connection_to_a_silent_neighbour_fails_after_three_questions() {
    let mut node = node();
    let client = node.connect("10.0.0.2:80");
    let mut questions = asked(&mut node).len();
    for _ in 0..3 {
        assert_eq!(node.state(client), State::SynSent);
        questions += node.pass(seconds(1)).len();
    }
    assert_eq!(questions, 3);
    let unreachable = Error::Unreachable(PathError::HostUnreachable);
    assert_eq!(node.error(client), Some(unreachable));
    assert_eq!(node.host.table_sizes(), TableSizes::default());
}

#[test]
fn beyond_the_link_the_gateway_is_asked_for() {
    let mut node = node();
    node.connect("192.0.2.1:80");
    let (_, question) = asked(&mut node)[0];
    assert_eq!(question.target_ip, v4("10.0.0.254"));
}

#[test]
fn an_open_connection_survives_its_neighbour_s_absence() {
    let mut net = Net::ethernet();
    let (client, server) = net.open();
    net.run(seconds(60));
    net.filter = Box::new(|_, _| false);
    net.nodes[0].write(client, b"are you there?");
    net.run(seconds(20));
    assert_eq!(net.nodes[0].state(client), State::Established);
    let soft = net.nodes[0].store.get(client).unwrap().info().soft_error;
    assert_eq!(soft, Some(PathError::HostUnreachable));
    net.filter = Box::new(|_, _| true);
    net.run(seconds(30));
    assert_eq!(net.nodes[1].read(server), b"are you there?");
}

/// Requirement: RFC9293-MUST-20
#[test]
fn when_a_peer_is_in_doubt_its_neighbour_is_asked_for() {
    let mut net = Net::ethernet();
    let (client, _) = net.open();
    net.filter = Box::new(|_, _| false);
    net.sent.clear();
    net.nodes[0].write(client, b"are you there?");
    // A probe after 200 ms, timeouts after 400, 800 and 1600: the third is R1.
    net.run(millis(1500));
    let questions = |net: &Net| net.sent.iter().filter(|s| s.data[12..14] == [8, 6]).count();
    assert_eq!(questions(&net), 0, "what was confirmed a second ago is not asked for");
    net.run(millis(200));
    assert_eq!(questions(&net), 1);
    let question = net.sent.iter().find(|s| s.data[12..14] == [8, 6]).unwrap();
    assert_eq!(question.data[..6], PEER.0, "and nobody else need hear of it");
}

#[test]
fn frames_for_other_stations_or_networks_are_not_ours() {
    let mut node = node();
    arp(&mut node, Arp::request(PEER, v4("10.0.0.2"), v4("10.0.0.1")));
    node.transmit();
    assert!(ping(&mut node) > 0);
    let request = echo(ip("10.0.0.2"), ip("10.0.0.1"), b"ping");
    node.receive(frame(MacAddr([2, 0, 0, 0, 0, 9]), EtherType::IPV4, &request));
    let mut tagged = Vec::new();
    let tag = VlanTag { tpid: EtherType::VLAN, tci: 5 };
    let header = Ethernet::new(OWN, PEER, EtherType::IPV4);
    Ethernet { tags: [Some(tag), None], ..header }.emit(&mut tagged);
    tagged.extend_from_slice(&request);
    node.receive(tagged);
    assert_eq!(node.transmit(), Vec::<bytes::Bytes>::new());
}

#[test]
fn a_segment_to_all_stations_opens_nothing() {
    let mut node = node();
    node.listen("0.0.0.0:80", Backlog::default());
    let syn = Header { flags: Flags::SYN, ..Header::default() };
    let packet = tcp(sock("10.0.0.2:9"), sock("10.0.0.1:80"), &syn, b"");
    node.receive(frame(MacAddr::BROADCAST, EtherType::IPV4, &packet));
    assert_eq!(node.host.table_sizes(), TableSizes::default());
}

/// A message of neighbour discovery from fd00::2.
fn ndp(node: &mut Node, message: NdpMessage, option: NdpOption<'_>, hop_limit: u8) {
    let dst = match message {
        NdpMessage::NeighbourSolicitation { target } => solicited_node(target),
        _ => v6("fd00::1"),
    };
    let mut body = Vec::new();
    Ndp { message, options: [option].into_iter().collect() }.emit(v6("fd00::2"), dst, &mut body);
    let mut packet = Vec::new();
    let header = Ipv6 { hop_limit, ..Ipv6::new(v6("fd00::2"), dst, protocol::ICMPV6) };
    header.emit(body.len(), &mut packet);
    packet.extend_from_slice(&body);
    let mac = if dst.is_multicast() { MacAddr::from_multicast_v6(dst) } else { OWN };
    node.receive(frame(mac, EtherType::IPV6, &packet));
}

fn solicit(node: &mut Node, target: &str, hop_limit: u8) {
    let message = NdpMessage::NeighbourSolicitation { target: v6(target) };
    ndp(node, message, NdpOption::SourceLinkAddress(PEER), hop_limit);
}

/// The messages of neighbour discovery that it sends.
fn discoveries(node: &mut Node) -> Vec<NdpMessage> {
    let message = |frame: &bytes::Bytes| {
        let packet = Packet::parse(Medium::Ethernet, frame).unwrap();
        let Transport::Icmpv6(_) = packet.transport else { return None };
        assert_eq!(packet.checksum_ok(), Some(true));
        Some(NdpView::parse(&frame[54..]).unwrap().message())
    };
    node.transmit().iter().filter_map(message).collect()
}

#[test]
fn solicitations_for_us_are_answered() {
    let mut node = node();
    solicit(&mut node, "fd00::1", 255);
    let flags = NeighbourFlags::SOLICITED | NeighbourFlags::OVERRIDE;
    let answer = NdpMessage::NeighbourAdvertisement { flags, target: v6("fd00::1") };
    assert_eq!(discoveries(&mut node), [answer]);
    assert_eq!(node.host.neighbours().collect::<Vec<_>>(), [(ip("fd00::2"), PEER)]);
}

#[test]
fn neighbour_discovery_from_beyond_the_link_is_ignored() {
    let mut node = node();
    solicit(&mut node, "fd00::1", 254);
    solicit(&mut node, "fd00::9", 255);
    assert_eq!(discoveries(&mut node), []);
    assert_eq!(node.host.neighbours().count(), 0);
}

#[test]
fn a_neighbour_s_advertisement_lets_waiting_packets_go() {
    let mut node = node();
    node.connect("[fd00::2]:80");
    let question = NdpMessage::NeighbourSolicitation { target: v6("fd00::2") };
    assert_eq!(discoveries(&mut node), [question]);
    let flags = NeighbourFlags::SOLICITED;
    let answer = NdpMessage::NeighbourAdvertisement { flags, target: v6("fd00::2") };
    ndp(&mut node, answer, NdpOption::TargetLinkAddress(PEER), 255);
    let sent = node.segments();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].header.flags, Flags::SYN);
}

#[test]
fn an_advertisement_without_override_does_not_move_a_neighbour() {
    let mut node = node();
    solicit(&mut node, "fd00::1", 255);
    let claim = |node: &mut Node, flags| {
        let message = NdpMessage::NeighbourAdvertisement { flags, target: v6("fd00::2") };
        ndp(node, message, NdpOption::TargetLinkAddress(MacAddr([2, 0, 0, 0, 0, 9])), 255);
        node.host.neighbours().next().map(|(_, mac)| mac)
    };
    assert_eq!(claim(&mut node, NeighbourFlags::empty()), Some(PEER));
    let moved = claim(&mut node, NeighbourFlags::OVERRIDE);
    assert_eq!(moved, Some(MacAddr([2, 0, 0, 0, 0, 9])));
}

#[test]
fn both_ends_find_each_other_by_asking_once() {
    let mut net = Net::ethernet();
    net.nodes.iter_mut().for_each(|node| drop(node.transmit()));
    net.open();
    net.run(millis(100));
    let questions = net
        .sent
        .iter()
        .filter(|sent| matches!(&sent.data[12..14], [0x08, 0x06]))
        .filter(|sent| sent.data[21] == 1)
        .count();
    assert!(questions <= 2, "{questions}");
    let known: Vec<IpAddr> = net.nodes[1].host.neighbours().map(|(ip, _)| ip).collect();
    assert_eq!(known, [ip("10.0.0.1")]);
}
