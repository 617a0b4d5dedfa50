//! The forwarder: whatever anybody wants to reach, and what becomes of it.

mod common;

use std::sync::Arc;

use bytes::Bytes;
use common::{Net, Node, Segment, millis, seconds, sock, tcp, udp};
use handclasp_stack::HostConfig;
use handclasp_stack::forward::{
    Decision, ForwardConfig, PendingId, PendingTcp, Policy, Rejection, Unreachable,
};
use handclasp_stack::host::TableSizes;
use handclasp_stack::listen::{Backlog, CookieMode};
use handclasp_stack::store::Datagram;
use handclasp_tcp::connection::Error;
use handclasp_tcp::{Context, State, Tuple};
use handclasp_wire::frame::Medium;
use handclasp_wire::packet::{Packet, Transport};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::{Flags, Header};

const FAR: &str = "93.184.216.34:443";
const NEAR: &str = "10.0.0.2:5000";

fn node(config: ForwardConfig, policy: Option<Box<dyn Policy>>) -> Node {
    let mut node = Node::on_ip(HostConfig::default());
    node.host.set_forward(config, policy);
    node
}

fn asking() -> Node {
    node(ForwardConfig::default(), None)
}

fn syn() -> Header {
    Header { seq: SeqNumber(100), flags: Flags::SYN, window: 65_535, ..Header::default() }
}

fn send(node: &mut Node, header: &Header, text: &[u8]) -> Vec<Segment> {
    node.receive(tcp(sock(NEAR), sock(FAR), header, text));
    node.segments()
}

fn ack(syn_ack: &Segment) -> Header {
    let ack = syn_ack.header.seq + 1;
    Header { seq: SeqNumber(101), ack, flags: Flags::ACK, ..syn() }
}

fn pending(node: &mut Node) -> PendingTcp {
    assert_eq!(send(node, &syn(), b"").len(), 0, "nothing is answered before the decision");
    node.host.next_pending().unwrap()
}

fn accept_pending(node: &mut Node, id: PendingId) -> bool {
    let cx = Context::new(node.now, &node.budget);
    node.host.accept_pending(&cx, id, Arc::default())
}

fn accept(node: &mut Node, pending: &PendingTcp) -> Segment {
    assert!(accept_pending(node, pending.id));
    node.segments().remove(0)
}

#[test]
fn a_connection_to_anywhere_opens_once_it_is_accepted() {
    let mut node = asking();
    let pending = pending(&mut node);
    assert_eq!((pending.source, pending.destination), (sock(NEAR), sock(FAR)));
    let syn_ack = accept(&mut node, &pending);
    assert_eq!(syn_ack.src, sock(FAR));
    assert_eq!(syn_ack.header.flags, Flags::SYN | Flags::ACK);
    send(&mut node, &ack(&syn_ack), b"hello far away");
    let (id, connection) = node.store.next_opened().unwrap();
    assert_eq!(id, pending.id);
    assert_eq!(node.read(connection), b"hello far away");
    node.write(connection, b"hello near");
    let reply = node.segments().pop().unwrap();
    assert_eq!((reply.src, reply.text), (sock(FAR), b"hello near".to_vec()));
}

#[test]
fn syns_sent_again_collapse_into_one() {
    let mut node = asking();
    let first = pending(&mut node);
    for _ in 0..5 {
        assert_eq!(send(&mut node, &syn(), b"").len(), 0);
    }
    assert_eq!(node.host.next_pending(), None);
    let latest = Header { seq: SeqNumber(900), ..syn() };
    send(&mut node, &latest, b"");
    assert_eq!(accept(&mut node, &first).header.ack, SeqNumber(901));
}

#[test]
fn a_peer_that_withdraws_is_forgotten() {
    let mut node = asking();
    let pending = pending(&mut node);
    let stray = Header { seq: SeqNumber(77), flags: Flags::RST, ..Header::default() };
    send(&mut node, &stray, b"");
    assert_eq!(node.host.table_sizes().tuples, 1);
    send(&mut node, &Header { seq: SeqNumber(101), ..stray }, b"");
    assert_eq!(node.host.table_sizes(), TableSizes::default());
    assert!(!accept_pending(&mut node, pending.id));
}

#[test]
fn nobody_waits_for_a_decision_for_ever() {
    let mut node = asking();
    let pending = pending(&mut node);
    node.pass(seconds(75));
    assert_eq!(node.host.table_sizes(), TableSizes::default());
    assert!(!node.host.reject_pending(pending.id, Rejection::Reset, node.now));
}

#[test]
fn a_rejection_by_reset_refuses() {
    let mut node = asking();
    let pending = pending(&mut node);
    assert!(node.host.reject_pending(pending.id, Rejection::Reset, node.now));
    let rst = node.segments().remove(0);
    assert_eq!((rst.header.flags, rst.header.ack), (Flags::RST | Flags::ACK, SeqNumber(101)));
    assert_eq!(node.host.table_sizes(), TableSizes::default());
}

#[test]
fn a_rejection_by_icmp_quotes_the_syn() {
    let mut node = asking();
    let pending = pending(&mut node);
    let how = Rejection::Unreachable(Unreachable::Host);
    assert!(node.host.reject_pending(pending.id, how, node.now));
    let sent = node.transmit();
    let packet = Packet::parse(Medium::Ip, &sent[0]).unwrap();
    assert_eq!(packet.addresses(), Some((common::ip("10.0.0.1"), sock(NEAR).ip())));
    let Transport::Icmpv4(view) = packet.transport else { panic!("{packet:?}") };
    let quoted = handclasp_wire::quote::Quoted::parse(view.message().body).unwrap();
    assert_eq!((quoted.src, quoted.dst), (sock(NEAR).ip(), sock(FAR).ip()));
    assert_eq!(quoted.ports(), Some((5000, 443)));
    assert_eq!(quoted.tcp_seq(), Some(SeqNumber(100)));
}

#[test]
fn a_silent_rejection_stays_silent_for_a_while_and_asks_nobody() {
    let mut node = asking();
    let pending = pending(&mut node);
    assert!(node.host.reject_pending(pending.id, Rejection::Silent, node.now));
    for _ in 0..6 {
        node.pass(seconds(10));
        assert_eq!(send(&mut node, &syn(), b"").len(), 0);
        assert_eq!(node.host.next_pending(), None);
    }
    node.pass(seconds(20));
    send(&mut node, &syn(), b"");
    assert!(node.host.next_pending().is_some());
}

#[test]
fn an_accepted_peer_that_never_acknowledges_is_reported() {
    let mut node = asking();
    let pending = pending(&mut node);
    accept(&mut node, &pending);
    node.pass(seconds(63));
    assert_eq!(node.store.next_failed(), Some(pending.id));
    assert_eq!(node.host.table_sizes(), TableSizes::default());
}

#[test]
fn a_flood_of_syns_takes_bounded_room() {
    let mut config = ForwardConfig::default();
    config.pending = 50;
    let mut node = node(config, None);
    for port in 1..5000 {
        let near = sock(&format!("10.0.0.2:{port}"));
        node.receive(tcp(near, sock(FAR), &syn(), b""));
    }
    assert_eq!(node.host.table_sizes().tuples, 50);
}

/// Takes in what goes to port 443, refuses 80, and leaves the rest to the application.
struct ByPort;

impl Policy for ByPort {
    fn decide(&mut self, tuple: &Tuple) -> Decision {
        match tuple.local_port {
            443 => Decision::Accept(Arc::default()),
            80 => Decision::Reject(Rejection::Reset),
            _ => Decision::Ask,
        }
    }
}

#[test]
fn a_policy_decides_at_once() {
    let mut node = node(ForwardConfig::default(), Some(Box::new(ByPort)));
    let syn_ack = send(&mut node, &syn(), b"").remove(0);
    send(&mut node, &ack(&syn_ack), b"hello");
    let accepted = node.host.accept_forwarded().unwrap();
    assert_eq!(accepted.tuple.local(), sock(FAR));
    assert_eq!(node.read(accepted.id), b"hello");

    node.receive(tcp(sock(NEAR), sock("93.184.216.34:80"), &syn(), b""));
    assert!(node.segments()[0].header.flags.contains(Flags::RST));
    node.receive(tcp(sock(NEAR), sock("93.184.216.34:22"), &syn(), b""));
    assert_eq!(node.host.next_pending().unwrap().destination, sock("93.184.216.34:22"));
}

#[test]
fn a_policy_s_connections_may_use_cookies_and_it_is_asked_again() {
    let mut config = ForwardConfig::default();
    config.cookies = CookieMode::Always;
    let mut node = node(config, Some(Box::new(ByPort)));
    let syn_ack = send(&mut node, &syn(), b"").remove(0);
    assert_eq!(node.host.table_sizes(), TableSizes::default());
    send(&mut node, &ack(&syn_ack), b"hello");
    let accepted = node.host.accept_forwarded().unwrap();
    assert_eq!(node.read(accepted.id), b"hello");
    let other = sock("93.184.216.34:80");
    node.receive(tcp(sock(NEAR), other, &ack(&syn_ack), b""));
    assert!(node.segments()[0].header.flags.contains(Flags::RST), "refused on the ACK, too");
}

#[test]
fn own_listeners_come_first() {
    let mut node = asking();
    node.listen("0.0.0.0:80", Backlog::default());
    node.receive(tcp(sock(NEAR), sock("10.0.0.1:80"), &syn(), b""));
    assert_eq!(node.segments().len(), 1);
    node.receive(tcp(sock(NEAR), sock("93.184.216.34:80"), &syn(), b""));
    assert_eq!(node.segments().len(), 0, "a listener at any address means any of ours");
    assert!(node.host.next_pending().is_some());
}

#[test]
fn without_a_forwarder_what_is_for_others_is_dropped() {
    let mut node = Node::on_ip(HostConfig::default());
    assert_eq!(send(&mut node, &syn(), b"").len(), 0);
    assert_eq!(node.host.counters().ip_in_addr_errors, 1);
}

#[test]
fn a_udp_flow_speaks_from_where_its_peer_wanted_to() {
    let mut node = asking();
    node.receive(udp(sock(NEAR), sock("9.9.9.9:53"), b"question"));
    let flow = node.host.next_flow().unwrap();
    assert_eq!((flow.source, flow.destination), (sock(NEAR), sock("9.9.9.9:53")));
    assert_eq!(node.store.receive(flow.id).unwrap().payload, &b"question"[..]);
    node.receive(udp(sock(NEAR), sock("9.9.9.9:53"), b"another"));
    assert_eq!(node.host.next_flow(), None);
    assert_eq!(node.store.receive(flow.id).unwrap().payload, &b"another"[..]);
    let payload = Bytes::from_static(b"answer");
    let answer = Datagram { local: flow.destination, remote: flow.source, payload };
    node.store.send(flow.id, answer);
    node.host.touched_udp(flow.id);
    let sent = node.transmit();
    let packet = Packet::parse(Medium::Ip, &sent[0]).unwrap();
    assert_eq!(packet.addresses(), Some((common::ip("9.9.9.9"), sock(NEAR).ip())));
}

#[test]
fn an_idle_udp_flow_ends_and_a_busy_one_does_not() {
    let mut node = asking();
    let busy = udp(sock("10.0.0.2:1"), sock("9.9.9.9:53"), b"x");
    node.receive(udp(sock("10.0.0.2:2"), sock("9.9.9.9:53"), b"x"));
    for _ in 0..10 {
        node.receive(busy.clone());
        node.pass(seconds(30));
    }
    assert_eq!(node.host.table_sizes().flows, 1);
    node.pass(seconds(60));
    assert_eq!(node.host.table_sizes().flows, 0);
    assert_eq!(node.host.next_flow(), None, "nobody is told of what is over");
}

#[test]
fn udp_flows_take_bounded_room() {
    let mut config = ForwardConfig::default();
    config.flows = 10;
    let mut node = node(config, None);
    for port in 1..1000 {
        node.receive(udp(sock(&format!("10.0.0.2:{port}")), sock("9.9.9.9:53"), b"x"));
    }
    assert_eq!(node.host.table_sizes().flows, 10);
    let told = core::iter::from_fn(|| node.host.next_flow()).count();
    assert_eq!(told, 10);
}

#[test]
fn what_was_taken_in_outlives_the_forwarder() {
    let mut node = asking();
    let first = pending(&mut node);
    let syn_ack = accept(&mut node, &first);
    send(&mut node, &ack(&syn_ack), b"");
    let (_, connection) = node.store.next_opened().unwrap();
    node.receive(udp(sock(NEAR), sock("9.9.9.9:53"), b"x"));
    let flow = node.host.next_flow().unwrap();
    node.receive(tcp(sock("10.0.0.2:5001"), sock(FAR), &syn(), b""));

    let cx = Context::new(node.now, &node.budget);
    node.host.stop_forwarding(&mut node.store, &cx);
    assert!(node.segments()[0].header.flags.contains(Flags::RST), "the undecided one is refused");
    send(&mut node, &Header { flags: Flags::ACK | Flags::PSH, ..ack(&syn_ack) }, b"on and on");
    assert_eq!(node.read(connection), b"on and on");
    node.receive(udp(sock(NEAR), sock("9.9.9.9:53"), b"y"));
    assert_eq!(core::iter::from_fn(|| node.store.receive(flow.id)).count(), 2);

    node.transmit();
    node.receive(tcp(sock("10.0.0.2:5002"), sock(FAR), &syn(), b""));
    node.receive(udp(sock("10.0.0.2:5002"), sock("9.9.9.9:53"), b"z"));
    assert!(node.transmit().is_empty(), "what is new is for others again");
}

#[test]
fn changed_settings_leave_alone_what_waits() {
    let mut node = asking();
    let waiting = pending(&mut node);
    node.host.set_forward(ForwardConfig::default(), Some(Box::new(ByPort)));
    assert_eq!(accept(&mut node, &waiting).header.ack, SeqNumber(101));
}

#[test]
fn a_name_from_before_a_restart_means_nothing_after_it() {
    let mut node = asking();
    let before = pending(&mut node);
    let cx = Context::new(node.now, &node.budget);
    node.host.stop_forwarding(&mut node.store, &cx);
    assert!(node.segments()[0].header.flags.contains(Flags::RST));
    node.host.set_forward(ForwardConfig::default(), None);
    let after = pending(&mut node);
    assert_ne!(before.id, after.id);
    assert!(!accept_pending(&mut node, before.id));
    assert!(accept_pending(&mut node, after.id));
}

#[test]
fn through_a_forwarder_two_hosts_speak_as_if_it_were_not_there() {
    let mut net = Net::ip();
    net.nodes[1].host.set_forward(ForwardConfig::default(), Some(Box::new(ByPort)));
    net.nodes[0].via("10.0.0.2");
    let client = net.nodes[0].connect(FAR);
    let refused = net.nodes[0].connect("93.184.216.34:80");
    net.run(millis(10));
    assert_eq!(net.nodes[0].state(client), State::Established);
    assert_eq!(net.nodes[0].error(refused), Some(Error::Refused));
    let server = net.nodes[1].host.accept_forwarded().unwrap().id;
    net.nodes[0].write(client, &[1; 50_000]);
    let mut received = 0;
    for _ in 0..50 {
        net.run(millis(5));
        received += net.nodes[1].read(server).len();
    }
    assert_eq!(received, 50_000);
}
