//! Passive opens: queues, cookies, schedules, TIME-WAIT, ports that are closed.

mod common;

use std::sync::Arc;

use common::{Node, Segment, seconds, sock, tcp};
use handclasp_stack::HostConfig;
use handclasp_stack::host::TableSizes;
use handclasp_stack::listen::{Backlog, CookieMode, ListenerId};
use handclasp_tcp::connection::Error;
use handclasp_tcp::{Config, State};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::Timestamps;
use handclasp_wire::tcp::{Flags, Header, Options};

const ISS: SeqNumber = SeqNumber(5000);

fn server(backlog: Backlog) -> (Node, ListenerId) {
    let mut node = Node::on_ip(HostConfig::default());
    let listener = node.listen("0.0.0.0:80", backlog);
    (node, listener)
}

fn client(port: u16) -> std::net::SocketAddr {
    sock(&format!("10.0.0.2:{port}"))
}

fn syn() -> Header {
    let options = Options {
        mss: Some(1460),
        window_scale: Some(7),
        sack_permitted: true,
        timestamps: Some(Timestamps { value: 1000, echo: 0 }),
        ..Options::default()
    };
    Header { seq: ISS, flags: Flags::SYN, window: 64_240, options, ..Header::default() }
}

/// The ACK of a SYN-ACK.
fn ack(syn_ack: &Segment) -> Header {
    let timestamps =
        syn_ack.header.options.timestamps.map(|t| Timestamps { value: 1001, echo: t.value });
    Header {
        seq: ISS + 1,
        ack: syn_ack.header.seq + 1,
        flags: Flags::ACK,
        window: 502,
        options: Options { timestamps, ..Options::default() },
        ..Header::default()
    }
}

fn send(node: &mut Node, port: u16, header: &Header, text: &[u8]) -> Vec<Segment> {
    node.receive(tcp(client(port), sock("10.0.0.1:80"), header, text));
    node.segments()
}

fn one(mut segments: Vec<Segment>) -> Segment {
    assert_eq!(segments.len(), 1, "{segments:?}");
    segments.remove(0)
}

/// Sends a SYN and returns its SYN-ACK.
fn knock(node: &mut Node, port: u16) -> Segment {
    let answer = one(send(node, port, &syn(), b""));
    assert_eq!(answer.header.flags, Flags::SYN | Flags::ACK);
    assert_eq!(answer.header.ack, ISS + 1);
    answer
}

#[test]
fn data_in_the_third_packet_is_delivered() {
    let (mut node, listener) = server(Backlog::default());
    let syn_ack = knock(&mut node, 1);
    send(&mut node, 1, &ack(&syn_ack), b"early");
    let accepted = node.host.accept(listener).unwrap();
    assert_eq!(accepted.tuple.remote(), client(1));
    assert_eq!(node.read(accepted.id), b"early");
    assert_eq!(node.host.accept(listener), None);
    assert_eq!(node.host.counters().tcp_passive_opens, 1);
}

/// The lost last ACK: the data behind it does its work, and when it comes late it harms nobody.
#[test]
fn data_completes_a_handshake_whose_last_ack_was_lost() {
    let (mut node, listener) = server(Backlog::default());
    let syn_ack = knock(&mut node, 1);
    send(&mut node, 1, &Header { flags: Flags::ACK | Flags::PSH, ..ack(&syn_ack) }, b"data");
    send(&mut node, 1, &ack(&syn_ack), b"");
    let accepted = node.host.accept(listener).unwrap();
    assert_eq!(node.read(accepted.id), b"data");
    assert_eq!(node.state(accepted.id), State::Established);
}

/// Requirement: RFC9293-P36
#[test]
fn data_in_a_syn_is_left_to_be_sent_again() {
    let (mut node, listener) = server(Backlog::default());
    let syn_ack = one(send(&mut node, 1, &syn(), b"too early"));
    assert_eq!(syn_ack.header.ack, ISS + 1);
    send(&mut node, 1, &ack(&syn_ack), b"too early");
    let accepted = node.host.accept(listener).unwrap();
    assert_eq!(node.read(accepted.id), b"too early");
}

/// A SYN-ACK that nobody acknowledges is sent again after 1, 2, 4, 8 and 16 s, and after
/// another 32, 63 s in all, the attempt is forgotten.
#[test]
fn the_syn_ack_waits_1_2_4_8_16_and_32_seconds() {
    let (mut node, _) = server(Backlog::default());
    knock(&mut node, 1);
    let start = node.now;
    let sent = node.pass(seconds(62));
    let waits: Vec<_> = sent.iter().map(|(at, _)| (*at - start).as_secs()).collect();
    assert_eq!(waits, [1, 3, 7, 15, 31]);
    assert_eq!(node.host.table_sizes().half_open, 1);
    assert_eq!(node.pass(seconds(1)), []);
    assert_eq!(node.host.table_sizes(), TableSizes::default());
    assert_eq!(node.host.counters().tcp_attempt_fails, 1);
    assert_eq!(node.host.next_deadline(), None);
}

/// Requirement: RFC9293-P09
#[test]
fn an_old_duplicate_syn_is_undone_by_the_peer_s_rst() {
    let (mut node, listener) = server(Backlog::default());
    let stale = one(send(&mut node, 1, &Header { seq: SeqNumber(90), ..syn() }, b""));
    let rst = Header { seq: stale.header.ack, flags: Flags::RST, ..Header::default() };
    assert!(send(&mut node, 1, &rst, b"").is_empty());
    assert_eq!(node.host.table_sizes(), TableSizes::default());
    let syn_ack = knock(&mut node, 1);
    send(&mut node, 1, &ack(&syn_ack), b"");
    assert!(node.host.accept(listener).is_some());
}

/// The same, but the real SYN overtakes the RST that the stale one's answer provokes.
#[test]
fn the_real_syn_may_come_before_the_rst_for_the_old_one() {
    let (mut node, listener) = server(Backlog::default());
    let stale = one(send(&mut node, 1, &Header { seq: SeqNumber(90), ..syn() }, b""));
    send(&mut node, 1, &syn(), b"");
    let rst = Header { seq: stale.header.ack, flags: Flags::RST, ..Header::default() };
    send(&mut node, 1, &rst, b"");
    // The client's SYN is sent again, and now there is nothing in its way.
    let syn_ack = knock(&mut node, 1);
    send(&mut node, 1, &ack(&syn_ack), b"");
    assert!(node.host.accept(listener).is_some());
}

#[test]
fn a_repeated_syn_gets_the_same_answer() {
    let (mut node, _) = server(Backlog::default());
    let first = knock(&mut node, 1);
    let second = knock(&mut node, 1);
    assert_eq!(first.header.seq, second.header.seq);
    assert_eq!(node.host.table_sizes().half_open, 1);
}

/// Requirement: RFC9293-P35
/// Requirement: RFC9293-P13
/// Requirement: RFC9293-P51
#[test]
fn a_listener_answers_acks_with_rst_and_else_syns_only() {
    let (mut node, _) = server(Backlog::default());
    let stray = |flags| Header { seq: ISS, ack: SeqNumber(777), flags, ..Header::default() };
    for flags in [Flags::ACK, Flags::ACK | Flags::SYN, Flags::ACK | Flags::FIN] {
        let rst = one(send(&mut node, 1, &stray(flags), b""));
        assert_eq!((rst.header.flags, rst.header.seq), (Flags::RST, SeqNumber(777)));
    }
    let silent = [
        Flags::RST,
        Flags::RST | Flags::ACK,
        Flags::RST | Flags::SYN,
        Flags::FIN,
        Flags::empty(),
        Flags::PSH | Flags::URG,
    ];
    for flags in silent {
        assert!(send(&mut node, 1, &stray(flags), b"x").is_empty(), "{flags:?}");
    }
    assert_eq!(node.host.table_sizes(), TableSizes::default());
}

/// Requirement: RFC9293-P12
/// Requirement: RFC9293-P34
#[test]
fn a_closed_port_answers_as_the_rfc_says() {
    let mut node = Node::on_ip(HostConfig::default());
    let rst = one(send(&mut node, 1, &syn(), b"abc"));
    assert_eq!(rst.header.flags, Flags::RST | Flags::ACK);
    assert_eq!((rst.header.seq, rst.header.ack), (SeqNumber(0), ISS + 4));
    let data = Header { flags: Flags::ACK, ack: SeqNumber(9), ..syn() };
    let rst = one(send(&mut node, 1, &data, b"abc"));
    assert_eq!((rst.header.flags, rst.header.seq), (Flags::RST, SeqNumber(9)));
    assert!(send(&mut node, 1, &Header { flags: Flags::RST, ..syn() }, b"").is_empty());
    assert_eq!(node.host.counters().tcp_out_rsts, 2);
}

#[test]
fn rsts_for_closed_ports_are_limited() {
    let mut config = HostConfig::default();
    config.resets_per_second = 10;
    let mut node = Node::on_ip(config);
    let answers: usize = (1..100).map(|port| send(&mut node, port, &syn(), b"").len()).sum();
    assert_eq!(answers, 10);
}

/// Requirement: RFC9293-MUST-57
#[test]
fn a_syn_to_a_group_is_met_with_silence() {
    let (mut node, _) = server(Backlog::default());
    for group in ["10.0.0.255:80", "255.255.255.255:80", "224.0.0.1:80", "10.0.0.255:81"] {
        node.receive(tcp(client(1), sock(group), &syn(), b""));
        assert!(node.transmit().is_empty(), "{group}");
    }
}

/// Requirement: RFC9293-MUST-63
#[test]
fn a_syn_from_nobody_is_met_with_silence() {
    let (mut node, _) = server(Backlog::default());
    for source in ["0.0.0.0:9", "127.0.0.1:9", "10.0.0.255:9", "224.0.0.1:9", "10.0.0.1:9"] {
        for port in ["10.0.0.1:80", "10.0.0.1:81"] {
            node.receive(tcp(sock(source), sock(port), &syn(), b""));
            assert!(node.transmit().is_empty(), "{source}");
        }
    }
    node.receive(tcp(sock("[::]:9"), sock("[fd00::1]:81"), &syn(), b""));
    assert!(node.transmit().is_empty());
    assert_eq!(node.host.table_sizes(), TableSizes::default());
}

#[test]
fn where_nobody_accepts_the_last_ack_waits_for_room() {
    let (mut node, listener) = server(Backlog { accept: 1, ..Backlog::default() });
    let answers = [knock(&mut node, 1), knock(&mut node, 2)];
    send(&mut node, 1, &ack(&answers[0]), b"");
    send(&mut node, 2, &ack(&answers[1]), b"");
    assert_eq!(node.host.counters().tcp_ext_listen_overflows, 1);
    assert_eq!(node.host.table_sizes().half_open, 1, "the second stays to be retried");
    assert!(send(&mut node, 3, &syn(), b"").is_empty(), "and a third is not let in");
    assert_eq!(node.host.counters().tcp_ext_listen_drops, 2);
    assert!(node.host.accept(listener).is_some());
    let again = node.pass(seconds(1));
    assert_eq!(again.len(), 1, "its SYN-ACK is sent again");
    send(&mut node, 2, &ack(&answers[1]), b"");
    assert_eq!(node.host.accept(listener).unwrap().tuple.remote(), client(2));
}

/// Requirement: RFC4987-P04
#[test]
fn a_burst_of_syns_overflows_into_cookies_and_all_of_them_complete() {
    let (mut node, listener) = server(Backlog { syn: 10, ..Backlog::default() });
    let answers: Vec<_> = (1..=100).map(|port| (port, knock(&mut node, port))).collect();
    assert_eq!(node.host.table_sizes().half_open, 10);
    assert_eq!(node.host.counters().tcp_ext_syncookies_sent, 90);
    for (port, answer) in answers.iter().rev() {
        send(&mut node, *port, &ack(answer), &port.to_be_bytes());
    }
    assert_eq!(node.host.counters().tcp_ext_syncookies_recv, 90);
    assert_eq!(node.host.table_sizes().half_open, 0);
    for (port, _) in answers.iter().rev() {
        let accepted = node.host.accept(listener).unwrap();
        assert_eq!(node.read(accepted.id), port.to_be_bytes());
        assert_eq!(node.state(accepted.id), State::Established);
        let negotiated = node.store.get(accepted.id).unwrap().info().negotiated;
        assert!(negotiated.sack && negotiated.scaling && negotiated.timestamps);
        assert_eq!((negotiated.peer_mss, negotiated.snd_scale), (1460, 7));
    }
}

/// Requirement: RFC4987-P08
#[test]
fn with_a_cookie_too_data_completes_what_the_lost_ack_did_not() {
    let (mut node, listener) =
        server(Backlog { cookies: CookieMode::Always, ..Backlog::default() });
    let syn_ack = knock(&mut node, 1);
    assert_eq!(node.host.table_sizes(), TableSizes::default());
    let data = Header { flags: Flags::ACK | Flags::PSH, ..ack(&syn_ack) };
    send(&mut node, 1, &data, b"first");
    let accepted = node.host.accept(listener).unwrap();
    assert_eq!(node.read(accepted.id), b"first");
}

/// Requirement: RFC4987-P05
#[test]
fn an_old_cookie_is_answered_with_rst() {
    let (mut node, listener) =
        server(Backlog { cookies: CookieMode::Always, ..Backlog::default() });
    let syn_ack = knock(&mut node, 1);
    node.now += seconds(129);
    knock(&mut node, 2);
    let rst = one(send(&mut node, 1, &ack(&syn_ack), b""));
    assert!(rst.header.flags.contains(Flags::RST));
    assert_eq!(node.host.counters().tcp_ext_syncookies_failed, 1);
    assert_eq!(node.host.accept(listener), None);
}

#[test]
fn without_cookies_a_full_syn_queue_drops() {
    let (mut node, _) = server(Backlog { syn: 1, cookies: CookieMode::Off, ..Backlog::default() });
    knock(&mut node, 1);
    assert!(send(&mut node, 2, &syn(), b"").is_empty());
    let counters = node.host.counters();
    assert_eq!((counters.tcp_ext_req_q_full_drop, counters.tcp_ext_listen_drops), (1, 1));
    node.pass(seconds(63));
    knock(&mut node, 2);
}

/// Requirement: RFC4987-P01
/// Requirement: RFC4987-P03
#[test]
fn a_flood_takes_bounded_room_and_leaves_an_honest_client_his_way() {
    let mut config = HostConfig::default();
    config.replies_max = 64;
    let mut node = Node::on_ip(config);
    let listener = node.listen("0.0.0.0:80", Backlog { syn: 100, ..Backlog::default() });
    for n in 0..20_000_u32 {
        let [a, b, c, d] = n.to_be_bytes();
        let source = std::net::SocketAddr::from(([20 + a, b, c, d], 1000));
        node.receive(tcp(source, sock("10.0.0.1:80"), &syn(), b""));
    }
    assert_eq!(node.host.table_sizes().half_open, 100);
    assert_eq!(node.host.table_sizes().tuples, 100);
    assert_eq!(node.transmit().len(), 64, "answers that the device did not take are not kept");
    let syn_ack = knock(&mut node, 1);
    send(&mut node, 1, &ack(&syn_ack), b"honest");
    let accepted = node.host.accept(listener).unwrap();
    assert_eq!(node.read(accepted.id), b"honest");
}

#[test]
fn a_closed_listener_forgets_the_half_open() {
    let (mut node, listener) = server(Backlog::default());
    let syn_ack = knock(&mut node, 1);
    let cx = handclasp_tcp::Context::new(node.now, &node.budget);
    node.host.close_listener(&mut node.store, &cx, listener);
    assert_eq!(node.host.table_sizes(), TableSizes::default());
    let rst = one(send(&mut node, 1, &ack(&syn_ack), b""));
    assert!(rst.header.flags.contains(Flags::RST));
}

/// Requirement: RFC9293-MUST-49
/// Requirement: RFC9293-SHLD-22
#[test]
fn settings_of_the_ip_header_hold_from_the_syn_ack_on() {
    let mut node = Node::on_ip(HostConfig::default());
    let mut config = Config::default();
    (config.ttl, config.dscp) = (7, 0b10_1110);
    node.host.listen(sock("0.0.0.0:80"), Backlog::default(), Arc::new(config)).unwrap();
    node.receive(tcp(client(1), sock("10.0.0.1:80"), &syn(), b""));
    let packets = node.transmit();
    assert_eq!((packets[0][8], packets[0][1]), (7, 0b10_1110 << 2));
}

/// Requirement: RFC7413-R01
/// Requirement: RFC7413-R07
#[test]
fn fast_open_is_not_spoken_here() {
    let (mut node, listener) = server(Backlog::default());
    let mut header = syn();
    let mut fast_open = handclasp_wire::tcp::options::FastOpen::default();
    fast_open.cookie[..8].fill(7);
    fast_open.len = 8;
    header.options.fast_open = Some(fast_open);
    let syn_ack = one(send(&mut node, 1, &header, b"data"));
    assert_eq!((syn_ack.header.ack, syn_ack.header.options.fast_open), (ISS + 1, None));
    send(&mut node, 1, &ack(&syn_ack), b"data");
    let accepted = node.host.accept(listener).unwrap();
    assert_eq!(node.read(accepted.id), b"data");
}

#[test]
fn a_silent_peer_fails_the_attempt() {
    let mut node = Node::on_ip(HostConfig::default());
    let client = node.connect("10.0.0.2:80");
    assert_eq!(node.segments().len(), 1);
    assert!(node.pass(seconds(600)).len() >= 7, "it is sent again and again");
    assert_eq!(node.error(client), Some(Error::HandshakeTimedOut));
    assert_eq!(node.host.table_sizes(), TableSizes::default());
    assert_eq!(node.host.counters().tcp_attempt_fails, 1);
}
