//! Fast Open between two hosts: cookies, and the limit on what is not done yet.

mod common;

use std::sync::Arc;

use bytes::Bytes;
use common::{Net, Node, Segment, millis, sock, tcp};
use handclasp_stack::HostConfig;
use handclasp_stack::listen::{Backlog, ListenerId};
use handclasp_tcp::{Config, State};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::FastOpen;
use handclasp_wire::tcp::{Flags, Header, Options};

fn server(limit: usize) -> (Node, ListenerId) {
    let mut node = Node::on_ip(HostConfig::default());
    let backlog = Backlog { fast_open: limit, ..Backlog::default() };
    let listener = node.listen("0.0.0.0:80", backlog);
    (node, listener)
}

fn knock(node: &mut Node, port: u16, cookie: Option<&[u8]>, text: &[u8]) -> Segment {
    let fast_open = cookie.map(|bytes| FastOpen::new(bytes, false).unwrap());
    let options = Options { mss: Some(1460), fast_open, ..Options::default() };
    let seq = SeqNumber(5000);
    let syn = Header { seq, flags: Flags::SYN, window: 64_000, options, ..Header::default() };
    let client = sock(&format!("10.0.0.2:{port}"));
    node.receive(tcp(client, sock("10.0.0.1:80"), &syn, text));
    node.segments().remove(0)
}

fn cookie_of(syn_ack: &Segment) -> Vec<u8> {
    syn_ack.header.options.fast_open.expect("a cookie").as_slice().to_vec()
}

fn taken(syn_ack: &Segment) -> u32 {
    syn_ack.header.ack - SeqNumber(5001)
}

#[test]
fn a_cookie_that_was_asked_for_opens_fast_the_next_time() {
    let (mut node, listener) = server(8);
    let first = knock(&mut node, 1, Some(&[]), b"");
    assert_eq!(node.host.accept(listener), None, "an ordinary handshake");
    let second = knock(&mut node, 2, Some(&cookie_of(&first)), b"hello");
    assert_eq!(taken(&second), 5);
    let accepted = node.host.accept(listener).expect("before the handshake is over");
    assert_eq!(node.state(accepted.id), State::SynReceived);
    assert_eq!(node.read(accepted.id), b"hello");
}

/// Requirement: RFC7413-P13
#[test]
fn a_wrong_cookie_gets_a_right_one_and_an_ordinary_handshake() {
    let (mut node, listener) = server(8);
    let answer = knock(&mut node, 1, Some(b"whatever"), b"hello");
    assert_eq!(taken(&answer), 0, "the data has to come again");
    assert_eq!(cookie_of(&answer).len(), 8);
    assert_eq!(node.host.accept(listener), None);
    assert_eq!(node.host.counters().tcp_ext_fast_open_passive_fail, 1);
}

/// Requirement: RFC7413-R08
#[test]
fn beyond_the_limit_the_handshake_comes_first_until_another_is_done() {
    let (mut node, listener) = server(1);
    let cookie = cookie_of(&knock(&mut node, 1, Some(&[]), b""));
    let first = knock(&mut node, 2, Some(&cookie), b"hello");
    assert_eq!(taken(&first), 5);
    let second = knock(&mut node, 3, Some(&cookie), b"hello");
    assert_eq!((taken(&second), second.header.options.fast_open), (0, None));
    assert_eq!(node.host.counters().tcp_ext_fast_open_listen_overflow, 1);
    let ack = Header {
        seq: SeqNumber(5006),
        ack: first.header.seq + 1,
        flags: Flags::ACK,
        window: 64_000,
        ..Header::default()
    };
    node.receive(tcp(sock("10.0.0.2:2"), sock("10.0.0.1:80"), &ack, b""));
    node.segments();
    let id = node.host.accept(listener).unwrap().id;
    assert_eq!(node.state(id), State::Established);
    assert_eq!(taken(&knock(&mut node, 4, Some(&cookie), b"hello")), 5);
}

#[test]
fn one_that_came_to_nothing_makes_room_too() {
    let (mut node, _) = server(1);
    let cookie = cookie_of(&knock(&mut node, 1, Some(&[]), b""));
    knock(&mut node, 2, Some(&cookie), b"hello");
    let reset = Header { seq: SeqNumber(5006), flags: Flags::RST, ..Header::default() };
    node.receive(tcp(sock("10.0.0.2:2"), sock("10.0.0.1:80"), &reset, b""));
    node.segments();
    assert_eq!(taken(&knock(&mut node, 3, Some(&cookie), b"hello")), 5);
}

/// Requirement: RFC7413-R02
#[test]
fn the_option_means_nothing_on_a_segment_that_is_no_syn() {
    let (mut node, listener) = server(8);
    let cookie = cookie_of(&knock(&mut node, 1, Some(&[]), b""));
    let fast_open = FastOpen::new(&cookie, false);
    let options = Options { fast_open, ..Options::default() };
    let seq = SeqNumber(5001);
    let ack = Header { seq, flags: Flags::ACK, window: 64_000, options, ..Header::default() };
    node.receive(tcp(sock("10.0.0.2:9"), sock("10.0.0.1:80"), &ack, b"hello"));
    assert_eq!(node.segments().remove(0).header.flags, Flags::RST);
    assert_eq!(node.host.accept(listener), None);
}

fn ask(net: &mut Net, text: &'static [u8]) -> usize {
    let mut first = Bytes::from_static(text);
    let node = &mut net.nodes[0];
    let cx = handclasp_tcp::Context::new(node.now, &node.budget);
    let remote = sock("10.0.0.2:80");
    let config = Arc::new(Config::default());
    node.host.connect_fast(&mut node.store, &cx, config, None, remote, &mut first).unwrap();
    assert!(first.is_empty());
    let before = net.sent.len();
    net.run(millis(10));
    let syn = net.segments()[before..].iter().find(|(from, _)| *from == 0).unwrap().1.clone();
    syn.text.len()
}

/// Requirement: RFC7413-R04, RFC7413-R10
#[test]
fn a_host_remembers_the_cookie_and_says_at_once_what_it_has_to_say() {
    let mut net = Net::ip();
    let backlog = Backlog { fast_open: 8, ..Backlog::default() };
    let listener = net.nodes[1].listen("0.0.0.0:80", backlog);
    assert_eq!(ask(&mut net, b"hello"), 0, "there is no cookie yet");
    assert_eq!(ask(&mut net, b"hello"), 5);
    for _ in 0..2 {
        let id = net.nodes[1].host.accept(listener).unwrap().id;
        assert_eq!(net.nodes[1].read(id), b"hello");
    }
    assert_eq!(net.nodes[0].host.counters().tcp_ext_fast_open_active, 1);
}

/// Requirement: RFC7413-R05, RFC7413-R06
#[test]
fn a_host_that_was_refused_opens_as_usual_for_a_while() {
    let mut net = Net::ip();
    net.nodes[1].listen("0.0.0.0:80", Backlog::default());
    let option = |net: &Net| {
        let mut syns = net.segments().into_iter().filter(|(_, s)| s.header.flags == Flags::SYN);
        syns.next_back().unwrap().1.header.options.fast_open.is_some()
    };
    ask(&mut net, b"hello");
    assert!(option(&net));
    ask(&mut net, b"hello");
    assert!(!option(&net));
    assert_eq!(net.nodes[0].host.counters().tcp_ext_fast_open_active_fail, 1);
}
