//! TIME-WAIT: how long, who may come in its place, and how many there may be.

mod common;

use common::{Net, Node, Segment, millis, seconds, sock, tcp};
use handclasp_stack::HostConfig;
use handclasp_stack::listen::{Backlog, ListenerId};
use handclasp_tcp::{Config, State};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::Timestamps;
use handclasp_wire::tcp::{Flags, Header, Options};

const ISS: SeqNumber = SeqNumber(5000);

fn syn(timestamp: Option<u32>) -> Header {
    let timestamps = timestamp.map(|value| Timestamps { value, echo: 0 });
    let options = Options { timestamps, ..Options::default() };
    Header { seq: ISS, flags: Flags::SYN, window: 64_240, options, ..Header::default() }
}

fn server() -> (Node, ListenerId) {
    let mut node = Node::on_ip(HostConfig::default());
    let listener = node.listen("0.0.0.0:80", Backlog::default());
    (node, listener)
}

fn send(node: &mut Node, port: u16, header: &Header) -> Vec<Segment> {
    let client = sock(&format!("10.0.0.2:{port}"));
    node.receive(tcp(client, sock("10.0.0.1:80"), header, b""));
    node.segments()
}

/// Opens a connection from this port, closes it from our side, and returns the peer's FIN,
/// which has been sent once.
fn close_actively(
    node: &mut Node,
    listener: ListenerId,
    port: u16,
    timestamp: Option<u32>,
) -> Header {
    let syn_ack = send(node, port, &syn(timestamp)).remove(0);
    let answer = |to: &Segment, seq: SeqNumber, flags| {
        let echo = to.header.options.timestamps.map_or(0, |t| t.value);
        let timestamps = timestamp.map(|value| Timestamps { value, echo });
        let options = Options { timestamps, ..Options::default() };
        let ack = to.header.seq + to.header.seg_len(to.text.len());
        Header { seq, ack, flags, window: 64_240, options, ..Header::default() }
    };
    send(node, port, &answer(&syn_ack, ISS + 1, Flags::ACK));
    let id = node.host.accept(listener).unwrap().id;
    node.close(id);
    let fin = node.segments().remove(0);
    let last = answer(&fin, ISS + 1, Flags::ACK | Flags::FIN);
    send(node, port, &last);
    last
}

fn waiting(node: &Node) -> usize {
    node.host.table_sizes().time_wait
}

/// Whether a SYN with this number and timestamp is taken for a new connection.
fn reopens(old: Option<u32>, seq: SeqNumber, new: Option<u32>) -> bool {
    let (mut node, listener) = server();
    let last = close_actively(&mut node, listener, 1, old);
    node.now += seconds(2);
    let answer = send(&mut node, 1, &Header { seq, ..syn(new) }).remove(0);
    let reopened = answer.header.flags == Flags::SYN | Flags::ACK;
    assert_eq!(waiting(&node), usize::from(!reopened));
    if reopened {
        assert!(answer.header.seq.gt(last.ack), "it starts beyond the old numbers");
    }
    reopened
}

const OLD_NUMBER: SeqNumber = SeqNumber(4000);
const NEW_NUMBER: SeqNumber = SeqNumber(9000);

/// Requirement: RFC6191-R01
/// Requirement: RFC6191-P07
#[test]
fn a_syn_with_a_later_timestamp_reopens_whatever_its_number() {
    assert!(reopens(Some(1000), OLD_NUMBER, Some(1001)));
}

/// Requirement: RFC6191-R02
#[test]
fn a_syn_with_the_same_timestamp_reopens_if_its_number_is_later() {
    assert!(reopens(Some(1000), NEW_NUMBER, Some(1000)));
    assert!(!reopens(Some(1000), OLD_NUMBER, Some(1000)));
}

/// Requirement: RFC6191-R03
#[test]
fn a_syn_without_timestamp_reopens_if_its_number_is_later() {
    assert!(reopens(Some(1000), NEW_NUMBER, None));
    assert!(!reopens(Some(1000), OLD_NUMBER, None));
}

/// Requirement: RFC6191-R04
#[test]
fn a_syn_with_an_earlier_timestamp_does_not_reopen() {
    assert!(!reopens(Some(1000), NEW_NUMBER, Some(999)));
}

/// Requirement: RFC6191-R06
/// Requirement: RFC9293-MAY-2
#[test]
fn without_timestamps_the_number_alone_decides() {
    assert!(reopens(None, NEW_NUMBER, None));
    assert!(!reopens(None, OLD_NUMBER, None));
}

/// Requirement: RFC9293-P49
#[test]
fn a_fin_sent_again_is_acknowledged_and_time_wait_begins_anew() {
    let (mut node, listener) = server();
    let fin = close_actively(&mut node, listener, 1, Some(1000));
    node.pass(seconds(45));
    let answer = send(&mut node, 1, &fin);
    assert_eq!((answer.len(), answer[0].header.ack), (1, fin.seq + 1));
    node.pass(seconds(59));
    assert_eq!(waiting(&node), 1);
    node.pass(seconds(1));
    assert_eq!(waiting(&node), 0);
    let rst = send(&mut node, 1, &fin);
    assert!(rst[0].header.flags.contains(Flags::RST), "nothing is remembered");
}

/// Opens a connection from the first to the second, closes it from the first, and returns its
/// client's port.
fn leave_in_time_wait(net: &mut Net) -> u16 {
    let (client, server) = net.open();
    let port = net.nodes[0].store.get(client).unwrap().tuple().local_port;
    net.nodes[0].close(client);
    net.run(millis(10));
    net.nodes[1].close(server);
    net.run(millis(10));
    assert_eq!(net.nodes[0].host.table_sizes().time_wait, 1);
    port
}

/// Requirement: RFC9293-SHLD-4
#[test]
fn a_new_syn_reopens_what_is_in_time_wait() {
    let mut net = Net::ip();
    // The server closes first, and so is the one in TIME-WAIT.
    let (client, server) = net.open();
    let local = net.nodes[0].store.get(client).unwrap().tuple().local();
    net.nodes[1].close(server);
    net.run(millis(10));
    net.nodes[0].close(client);
    net.run(millis(10));
    assert_eq!(net.nodes[1].host.table_sizes().time_wait, 1);
    let again = net.nodes[0].connect_from(Some(local), "10.0.0.2:80", Config::default()).unwrap();
    net.run(millis(10));
    assert_eq!(net.nodes[0].state(again), State::Established);
    assert_eq!(net.nodes[1].host.table_sizes().time_wait, 0);
    assert_eq!(net.nodes[1].host.counters().tcp_ext_tw_recycled, 1);
}

#[test]
fn an_active_open_takes_over_time_wait_after_a_second() {
    let mut net = Net::ip();
    let local = sock(&format!("10.0.0.1:{}", leave_in_time_wait(&mut net)));
    let again =
        |net: &mut Net| net.nodes[0].connect_from(Some(local), "10.0.0.2:80", Config::default());
    assert!(again(&mut net).is_err(), "the clock of timestamps has not moved on yet");
    net.run(seconds(1));
    let client = again(&mut net).unwrap();
    net.run(millis(10));
    assert_eq!(net.nodes[0].state(client), State::Established);
}

#[test]
fn the_table_of_time_wait_is_bounded() {
    let mut config = HostConfig::default();
    config.time_wait_max = 3;
    let mut node = Node::on_ip(config);
    let listener = node.listen("0.0.0.0:80", Backlog::default());
    for port in 1..=5 {
        close_actively(&mut node, listener, port, None);
    }
    assert_eq!(node.host.table_sizes().time_wait, 3);
    assert_eq!(node.host.table_sizes().tuples, 3);
    assert_eq!(node.host.counters().tcp_ext_time_wait_overflow, 2);
}
