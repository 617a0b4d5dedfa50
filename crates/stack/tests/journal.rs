//! The log tells a connection's whole life, also while it is half open or in TIME-WAIT.

mod common;

use std::sync::Arc;

use common::{Node, Segment, millis, seconds, sock, tcp};
use handclasp_stack::HostConfig;
use handclasp_stack::listen::{Backlog, CookieMode};
use handclasp_tcp::State::{
    Closed, Established, FinWait1, FinWait2, Listen, SynReceived, SynSent, TimeWait,
};
use handclasp_tcp::{Config, State};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::{Flags, Header};

const ISS: SeqNumber = SeqNumber(5000);

fn server(backlog: Backlog) -> Node {
    let mut node = Node::on_ip(HostConfig::default());
    node.listen("0.0.0.0:80", backlog);
    node
}

fn segment(flags: Flags, ack: SeqNumber) -> Header {
    Header { seq: ISS + 1, ack, flags, window: 65_000, ..Header::default() }
}

fn send(node: &mut Node, header: &Header) -> Vec<Segment> {
    node.receive(tcp(sock("10.0.0.2:1"), sock("10.0.0.1:80"), header, b""));
    node.segments()
}

fn knock(node: &mut Node) -> Segment {
    let syn = Header { seq: ISS, ..segment(Flags::SYN, SeqNumber(0)) };
    send(node, &syn).remove(0)
}

fn states(node: &Node) -> Vec<State> {
    node.journal.states.borrow().clone()
}

fn counts(node: &Node) -> (usize, usize) {
    (node.journal.received.get(), node.journal.sent.get())
}

#[test]
fn a_passive_open_is_told_from_its_syn_on() {
    let mut node = server(Backlog::default());
    let syn_ack = knock(&mut node);
    assert_eq!(states(&node), [Listen, SynReceived]);
    assert_eq!(counts(&node), (1, 1));
    send(&mut node, &segment(Flags::ACK, syn_ack.header.seq + 1));
    assert_eq!(states(&node), [Listen, SynReceived, Established]);
    assert_eq!(counts(&node), (2, 1), "the last ACK is told once");
}

#[test]
fn a_repeated_syn_and_its_answer_are_told() {
    let mut node = server(Backlog::default());
    knock(&mut node);
    knock(&mut node);
    assert_eq!(states(&node), [Listen, SynReceived]);
    assert_eq!(counts(&node), (2, 2));
}

#[test]
fn a_half_open_connection_that_is_reset_or_given_up_is_told_to_be_over() {
    let mut node = server(Backlog::default());
    knock(&mut node);
    send(&mut node, &segment(Flags::RST, SeqNumber(0)));
    assert_eq!(states(&node), [Listen, SynReceived, Closed]);
    node.journal.states.borrow_mut().clear();
    knock(&mut node);
    let sent = node.pass(seconds(100));
    assert_eq!(sent.len(), 5);
    assert_eq!(states(&node), [Listen, SynReceived, Closed]);
    assert_eq!(counts(&node), (3, 7), "every SYN-ACK is told");
}

#[test]
fn a_connection_from_a_cookie_is_told_when_the_cookie_comes_back() {
    let mut node = server(Backlog { cookies: CookieMode::Always, ..Backlog::default() });
    let syn_ack = knock(&mut node);
    assert_eq!(states(&node), []);
    assert_eq!(node.journal.sent.get(), 1, "the SYN-ACK is told");
    send(&mut node, &segment(Flags::ACK, syn_ack.header.seq + 1));
    assert_eq!(states(&node), [Listen, SynReceived, Established]);
}

fn in_time_wait() -> Node {
    let mut node = Node::on_ip(HostConfig::default());
    let local = Some(sock("10.0.0.1:80"));
    let id = node.connect_from(local, "10.0.0.2:1", Config::default()).unwrap();
    let syn = node.segments().remove(0);
    let syn_ack = Header { seq: ISS, ..segment(Flags::SYN | Flags::ACK, syn.header.seq + 1) };
    send(&mut node, &syn_ack);
    node.close(id);
    let fin = node.segments().remove(0);
    send(&mut node, &segment(Flags::ACK, fin.header.seq + 1));
    send(&mut node, &segment(Flags::FIN | Flags::ACK, fin.header.seq + 1));
    node
}

const ACTIVE: [State; 6] = [Closed, SynSent, Established, FinWait1, FinWait2, TimeWait];

#[test]
fn the_end_of_time_wait_is_told() {
    let mut node = in_time_wait();
    assert_eq!(states(&node), ACTIVE);
    node.pass(Config::default().msl * 2 + millis(1));
    assert_eq!(states(&node)[5..], [TimeWait, Closed]);
}

#[test]
fn what_comes_in_time_wait_and_its_answer_are_told() {
    let mut node = in_time_wait();
    let before = counts(&node);
    let old = Header { seq: ISS, ..segment(Flags::FIN | Flags::ACK, SeqNumber(0)) };
    let answers = send(&mut node, &Header { seq: ISS + 1, ..old });
    assert_eq!(answers.len(), 1);
    assert_eq!(counts(&node), (before.0 + 1, before.1 + 1));
}

#[test]
fn a_new_incarnation_ends_the_old_one() {
    let mut node = in_time_wait();
    node.host.listen(sock("0.0.0.0:80"), Backlog::default(), Arc::default()).unwrap();
    let syn = Header { seq: ISS + 100_000, ..segment(Flags::SYN, SeqNumber(0)) };
    assert_eq!(send(&mut node, &syn).len(), 1);
    assert_eq!(states(&node)[5..], [TimeWait, Closed, Listen, SynReceived]);
}
