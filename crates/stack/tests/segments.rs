//! TCP segments byte by byte: checksums, odd lengths, options in every shape, headers that
//! cannot be.

mod common;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use common::{Net, Node, Segment, millis, seconds, sock, tcp};
use handclasp_stack::listen::{Backlog, ListenerId};
use handclasp_stack::{ConnId, HostConfig};
use handclasp_tcp::ecn::EcnMode;
use handclasp_tcp::{Config, State};
use handclasp_wire::ip::protocol;
use handclasp_wire::ipv4::Ipv4;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::{Flags, Header, Options};

const CLIENT: &str = "10.0.0.2:9";
const SERVER: &str = "10.0.0.1:80";
const ISS: SeqNumber = SeqNumber(5000);

/// The sum of a segment and its pseudo header, word by word as RFC 1071 has it.
fn by_the_book(src: IpAddr, dst: IpAddr, segment: &[u8]) -> u16 {
    let octets = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let mut all = [octets(src), octets(dst)].concat();
    all.extend((segment.len() as u32).to_be_bytes());
    all.extend([0, 0, 0, protocol::TCP]);
    all.extend(segment);
    if all.len() % 2 == 1 {
        all.push(0);
    }
    let mut sum = 0u32;
    for word in all.chunks(2) {
        sum += u32::from(word[0]) << 8 | u32::from(word[1]);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// The TCP segment in an IP packet without IP options, and its addresses.
fn inside(packet: &[u8]) -> (IpAddr, IpAddr, &[u8]) {
    let octets4 = |at: usize| IpAddr::from(<[u8; 4]>::try_from(&packet[at..at + 4]).unwrap());
    let octets6 = |at: usize| IpAddr::from(<[u8; 16]>::try_from(&packet[at..at + 16]).unwrap());
    match packet[0] >> 4 {
        4 => (octets4(12), octets4(16), &packet[20..]),
        _ => (octets6(8), octets6(24), &packet[40..]),
    }
}

/// A segment from the client with options and data offset as given.
fn raw(header: &Header, words: u8, options: &[u8], text: &[u8]) -> Bytes {
    let (IpAddr::V4(src), IpAddr::V4(dst)) = (sock(CLIENT).ip(), sock(SERVER).ip()) else {
        panic!()
    };
    let mut segment = Vec::new();
    let ports = Header { src_port: sock(CLIENT).port(), dst_port: 80, ..header.clone() };
    ports.emit(&mut segment);
    segment[12] = words << 4;
    segment.extend(options);
    segment.extend(text);
    let sum = !by_the_book(src.into(), dst.into(), &segment);
    segment[16..18].copy_from_slice(&sum.to_be_bytes());
    let mut packet = Vec::new();
    Ipv4::new(src, dst, protocol::TCP).emit(segment.len(), &mut packet);
    packet.extend(segment);
    packet.into()
}

fn with_options(header: &Header, options: &[u8], text: &[u8]) -> Bytes {
    let mut padded = options.to_vec();
    padded.resize(options.len().next_multiple_of(4), 0);
    raw(header, 5 + (padded.len() / 4) as u8, &padded, text)
}

fn server() -> (Node, ListenerId) {
    let mut node = Node::on_ip(HostConfig::default());
    let listener = node.listen("0.0.0.0:80", Backlog::default());
    (node, listener)
}

fn syn() -> Header {
    Header { seq: ISS, flags: Flags::SYN, window: 64_240, ..Header::default() }
}

/// What follows the SYN, acknowledging all that `answer` holds.
fn next(answer: &Segment, flags: Flags) -> Header {
    let ack = answer.header.seq + answer.header.seg_len(answer.text.len());
    Header { seq: ISS + 1, ack, flags, window: 64_240, ..Header::default() }
}

/// Opens a connection with a SYN that carries these options; returns it with its SYN-ACK.
fn open(node: &mut Node, listener: ListenerId, options: &[u8]) -> (ConnId, Segment) {
    node.receive(with_options(&syn(), options, b""));
    let syn_ack = node.segments().remove(0);
    assert_eq!(syn_ack.header.flags, Flags::SYN | Flags::ACK, "{options:?}");
    node.receive(raw(&next(&syn_ack, Flags::ACK), 5, &[], b""));
    (node.host.accept(listener).expect("it is open").id, syn_ack)
}

/// Requirement: RFC9293-MUST-2, RFC9293-P04
#[test]
fn every_segment_sent_sums_up_by_the_book_and_is_no_longer_than_it_must_be() {
    let mut net = Net::ip();
    net.nodes[1].listen("[::]:80", Backlog::default());
    let (client, server) = net.open();
    let v6 = net.nodes[0].connect("[fd00::2]:80");
    net.run(millis(10));
    for (from, id) in [(0, client), (1, server), (0, v6)] {
        for len in [1, 2, 777, 4001] {
            net.nodes[from].write(id, &vec![len as u8; len]);
            net.run(millis(10));
        }
    }
    for (at, id) in [(1, server), (0, client)] {
        assert_eq!(net.nodes[at].read(id).len(), 4781);
    }
    net.nodes[0].connect("10.0.0.2:81");
    net.nodes[0].close(client);
    net.run(seconds(1));
    net.nodes[1].close(server);
    net.run(seconds(1));
    let mut kinds = Flags::empty();
    let mut lens = [0; 2];
    for sent in &net.sent {
        let (src, dst, segment) = inside(&sent.data);
        assert_eq!(by_the_book(src, dst, segment), 0xffff, "{segment:?}");
        kinds |= Flags::from_bits_truncate(segment[13].into());
        lens[segment.len() % 2] += usize::from(src.is_ipv6());
    }
    assert_eq!(kinds, Flags::SYN | Flags::ACK | Flags::PSH | Flags::FIN | Flags::RST);
    assert!(lens[0] > 0 && lens[1] > 0, "{lens:?}");
}

/// Gives the node this packet with each of its segment's bytes changed in turn, and with
/// another sender; nothing must come of any. Then gives it the packet itself.
fn only_whole(node: &mut Node, packet: &Bytes) -> Vec<Segment> {
    let errors = node.host.counters().tcp_in_errs;
    for at in 20..packet.len() {
        let mut damaged = packet.to_vec();
        damaged[at] ^= 0x10;
        node.receive(damaged);
    }
    // Both addresses changed alike leave IP's own checksum right: swap two of their words.
    let mut moved = packet.to_vec();
    moved[15] += 1;
    let sum = u16::from_be_bytes([moved[10], moved[11]]) - 1;
    moved[10..12].copy_from_slice(&sum.to_be_bytes());
    node.receive(moved);
    assert_eq!(node.segments().len(), 0, "silence");
    let seen = node.host.counters().tcp_in_errs - errors;
    assert_eq!(seen, packet.len() as u64 - 20 + 1, "all are counted");
    node.receive(packet.clone());
    node.segments()
}

/// Requirement: RFC9293-MUST-3
#[test]
fn a_damaged_segment_does_nothing_from_listen_to_the_peer_s_close() {
    let (mut node, listener) = server();
    let send = |header: &Header, text: &[u8]| tcp(sock(CLIENT), sock(SERVER), header, text);
    let syn_ack = only_whole(&mut node, &send(&syn(), b"")).remove(0);
    only_whole(&mut node, &send(&next(&syn_ack, Flags::ACK), b""));
    let id = node.host.accept(listener).unwrap().id;
    only_whole(&mut node, &send(&next(&syn_ack, Flags::ACK | Flags::PSH), b"odd"));
    assert_eq!(node.read(id), b"odd");
    let fin = Header { seq: ISS + 4, ..next(&syn_ack, Flags::ACK | Flags::FIN) };
    only_whole(&mut node, &send(&fin, b""));
    assert_eq!(node.state(id), State::CloseWait);
    node.with(id, handclasp_tcp::Connection::shutdown);
    let ours = node.segments().pop().unwrap();
    assert_eq!(node.state(id), State::LastAck);
    let last = Header { seq: ISS + 5, ..next(&ours, Flags::ACK) };
    only_whole(&mut node, &send(&last, b""));
    assert_eq!(node.state(id), State::Closed);
    let late = only_whole(&mut node, &send(&last, b"")).remove(0);
    assert_eq!(late.header.flags, Flags::RST, "a closed port");
}

/// Requirement: RFC9293-MUST-3
#[test]
fn a_damaged_segment_does_nothing_from_syn_sent_to_time_wait() {
    let mut node = Node::on_ip(HostConfig::default());
    let id = node.connect(CLIENT);
    let syn = node.segments().remove(0);
    let to = syn.src;
    let send = |header: &Header| tcp(sock(CLIENT), to, header, b"");
    let answer = |seq, to: &Segment, flags| Header { seq, ..next(to, flags) };
    only_whole(&mut node, &send(&answer(ISS, &syn, Flags::SYN | Flags::ACK)));
    assert_eq!(node.state(id), State::Established);
    node.close(id);
    let fin = node.segments().remove(0);
    only_whole(&mut node, &send(&answer(ISS + 1, &fin, Flags::ACK)));
    assert_eq!(node.state(id), State::FinWait2);
    only_whole(&mut node, &send(&answer(ISS + 1, &fin, Flags::ACK | Flags::FIN)));
    assert_eq!(node.host.table_sizes().time_wait, 1);
    only_whole(&mut node, &send(&answer(ISS + 2, &fin, Flags::RST)));
    assert_eq!(node.host.table_sizes().time_wait, 0);
}

/// Requirement: RFC9293-MUST-4, RFC9293-MUST-64
#[test]
fn options_are_understood_in_any_order_and_at_any_place() {
    let mss: &[u8] = &[2, 4, 0x02, 0x58];
    let scale: &[u8] = &[3, 3, 7];
    let stamps: &[u8] = &[8, 10, 0, 0, 0, 9, 0, 0, 0, 0];
    let nop: &[u8] = &[1];
    let end: &[u8] = &[0];
    for list in [
        vec![mss, end],
        vec![nop, nop, mss, end],
        vec![nop, mss, scale],
        vec![scale, mss, stamps],
        vec![nop, stamps, scale, nop, mss],
        vec![scale, stamps, nop, nop, nop, mss, nop, end],
    ] {
        let (mut node, _) = server();
        node.receive(with_options(&syn(), &list.concat(), b""));
        let answer = node.segments().remove(0).header.options;
        assert_eq!(answer.mss, Some(1460), "ours is produced");
        assert_eq!(answer.timestamps.map(|t| t.echo), list.contains(&stamps).then_some(9));
        assert_eq!(answer.window_scale.is_some(), list.contains(&scale));
        if !list.contains(&stamps) {
            let (mut node, listener) = server();
            let (id, _) = open(&mut node, listener, &list.concat());
            node.write(id, &[0; 2000]);
            assert_eq!(node.segments()[0].text.len(), 600, "{list:?}");
        }
    }
}

/// Requirement: RFC9293-MUST-5, RFC9293-MUST-6, RFC9293-MUST-68
#[test]
fn an_unknown_option_is_skipped_by_its_length_on_any_segment() {
    for (kind, len) in (100..=253).zip((2..=20).cycle()) {
        if [172, 174].contains(&kind) {
            continue;
        }
        let mut unknown = vec![kind, len];
        unknown.resize(len.into(), 0xaa);
        let (mut node, listener) = server();
        let (id, syn_ack) =
            open(&mut node, listener, &[&unknown[..], &[2, 4, 2, 88], &unknown[..2]].concat());
        let options = &[&unknown[..], &[1, 1], &unknown[..]].concat()[..2 * unknown.len() + 2];
        let options = if options.len() > 40 { &unknown[..] } else { options };
        let send = |header: &Header, text: &[u8]| with_options(header, options, text);
        node.receive(send(&next(&syn_ack, Flags::ACK), b""));
        node.receive(send(&next(&syn_ack, Flags::ACK | Flags::PSH), b"text"));
        assert_eq!(node.read(id), b"text", "{options:?}");
        node.write(id, &[0; 1000]);
        assert_eq!(node.segments()[0].text.len(), 600, "the option behind it counts");
        let after = |n, flags| Header { seq: ISS + n, ..next(&syn_ack, flags) };
        node.receive(send(&after(5, Flags::ACK | Flags::FIN), b""));
        assert_eq!(node.state(id), State::CloseWait);
        node.receive(send(&after(6, Flags::RST), b""));
        assert_eq!(node.state(id), State::Closed);
    }
}

/// The list ends at the malformed one; what stands before it counts.
/// Requirement: RFC9293-MUST-7
#[test]
fn a_malformed_option_ends_the_list_and_harms_nothing() {
    let bad: [&[u8]; 7] =
        [&[3, 0], &[3, 1], &[99, 0, 0, 0], &[99, 1], &[99, 41], &[99, 255, 0, 0], &[8, 4, 0, 0]];
    for bad in bad {
        let (mut node, listener) = server();
        let mut options = [&[2, 4, 2, 88][..], bad].concat();
        options.resize(12, 1);
        let (id, syn_ack) = open(&mut node, listener, &options);
        let mut options = bad.to_vec();
        options.resize(8, 1);
        let push = next(&syn_ack, Flags::ACK | Flags::PSH);
        node.receive(with_options(&push, &options, b"text"));
        assert_eq!(node.read(id), b"text", "{bad:?}");
        node.write(id, &[0; 1000]);
        assert_eq!(node.segments()[0].text.len(), 600, "{bad:?}");
    }
}

/// Requirement: RFC9293-P01
#[test]
fn a_header_length_that_cannot_be_is_met_with_silence() {
    for words in [0, 1, 2, 3, 4, 11, 15] {
        let (mut node, listener) = server();
        let (id, syn_ack) = open(&mut node, listener, &[]);
        let before = node.host.counters().tcp_in_errs;
        let push = next(&syn_ack, Flags::ACK | Flags::PSH);
        // Twenty bytes of header and as many of text: ten words are there.
        node.receive(raw(&push, words, &[], &[7; 20]));
        let elsewhere = Header { seq: SeqNumber(1), ..syn() };
        node.receive(raw(&elsewhere, words, &[], &[7; 20]));
        node.receive(raw(&Header { flags: Flags::RST, ..push }, words, &[], &[7; 20]));
        assert!(node.segments().is_empty(), "no answer");
        assert_eq!(node.state(id), State::Established);
        assert!(node.read(id).is_empty());
        assert_eq!(node.host.counters().tcp_in_errs - before, 3);
    }
}

/// Requirement: RFC9293-P02
#[test]
fn reserved_bits_are_sent_as_zeros_and_passed_over() {
    let reserved = |packet: Bytes| {
        let mut packet = packet.to_vec();
        packet[32] |= 0b1110;
        let sum = u16::from_be_bytes([packet[36], packet[37]]);
        let (sum, borrowed) = sum.overflowing_sub(0b1110 << 8);
        packet[36..38].copy_from_slice(&(sum - u16::from(borrowed)).to_be_bytes());
        packet
    };
    let (mut node, listener) = server();
    let mut sent = Vec::new();
    node.receive(reserved(raw(&syn(), 5, &[], b"")));
    sent.extend(node.transmit());
    let syn_ack = common::segment(node.medium(), &sent[0]).unwrap();
    node.receive(reserved(raw(&next(&syn_ack, Flags::ACK | Flags::PSH), 5, &[], b"text")));
    let id = node.host.accept(listener).unwrap().id;
    assert_eq!(node.read(id), b"text");
    node.write(id, &[0; 1000]);
    node.close(id);
    sent.extend(node.transmit());
    node.receive(reserved(raw(&Header { seq: SeqNumber(7), ..syn() }, 5, &[], b"")));
    sent.extend(node.transmit());
    assert!(sent.len() > 3);
    assert!(sent.iter().all(|packet| packet[32] & 0b1110 == 0));
}

/// Whether anything of ECN stands on this packet of IPv4 and TCP.
fn speaks_of_congestion(packet: &Bytes) -> bool {
    packet[1] & 0b11 != 0 || packet[33] & 0b1100_0000 != 0
}

/// Requirement: RFC3168-R02, RFC3168-R03, RFC3168-R05
#[test]
fn where_congestion_notification_was_not_agreed_on_nothing_is_marked() {
    let mut config = handclasp_tcp::Config::default();
    config.dscp = 0x2e;
    let marks = [Flags::empty(), Flags::ECE, Flags::CWR, Flags::ECE | Flags::CWR];
    for mark in marks {
        let mut node = Node::on_ip(HostConfig::default());
        let id = node.connect_from(None, CLIENT, config.clone()).unwrap();
        let mut sent = node.transmit();
        let syn = common::segment(node.medium(), &sent[0]).unwrap();
        let flags = Flags::SYN | Flags::ACK | mark;
        let answer = Header { seq: ISS, ..next(&syn, flags) };
        node.receive(tcp(sock(CLIENT), syn.src, &answer, b""));
        assert_eq!(node.state(id), State::Established, "{mark:?}");
        node.write(id, &[0; 3000]);
        sent.extend(node.transmit());
        // Retransmissions too.
        sent.extend(node.pass(seconds(1)).into_iter().map(|(_, packet)| packet));
        let answer = Header { ack: answer.ack + 3000, ..next(&syn, Flags::ACK | mark) };
        node.receive(tcp(sock(CLIENT), syn.src, &answer, b"text"));
        node.close(id);
        sent.extend(node.transmit());
        assert!(sent.len() > 5);
        assert!(!sent.iter().any(speaks_of_congestion), "{mark:?}");
        assert!(sent.iter().all(|packet| packet[1] >> 2 == 0x2e));
    }
}

/// Requirement: RFC3168-R02, RFC3168-R05
#[test]
fn a_listener_without_congestion_notification_answers_an_offer_of_it_plainly() {
    for mark in [Flags::ECE | Flags::CWR, Flags::CWR, Flags::ECE] {
        let mut node = Node::on_ip(HostConfig::default());
        let mut config = Config::default();
        config.ecn = EcnMode::Off;
        let (at, backlog) = (sock("0.0.0.0:80"), Backlog::default());
        let listener = node.host.listen(at, backlog, Arc::new(config)).unwrap();
        node.receive(raw(&Header { flags: Flags::SYN | mark, ..syn() }, 5, &[], b""));
        let mut sent = node.transmit();
        let syn_ack = common::segment(node.medium(), &sent[0]).unwrap();
        node.receive(raw(&next(&syn_ack, Flags::ACK), 5, &[], b""));
        let id = node.host.accept(listener).unwrap().id;
        node.write(id, &[0; 3000]);
        sent.extend(node.transmit());
        assert!(sent.len() > 3);
        assert!(!sent.iter().any(speaks_of_congestion), "{mark:?}");
    }
}

/// Requirement: RFC9293-MUST-53, RFC9293-MUST-50
#[test]
fn a_source_route_that_a_syn_recorded_is_passed_over() {
    let (mut node, _) = server();
    let plain = raw(&syn(), 5, &[], b"");
    let (IpAddr::V4(src), IpAddr::V4(dst)) = (sock(CLIENT).ip(), sock(SERVER).ip()) else {
        panic!()
    };
    // Loose, through one router, which it has passed.
    let options = &[131, 7, 8, 10, 0, 0, 77, 0];
    let mut packet = Vec::new();
    Ipv4 { options, ..Ipv4::new(src, dst, protocol::TCP) }.emit(20, &mut packet);
    packet.extend(&plain[20..]);
    node.receive(packet);
    let answer = node.transmit().remove(0);
    assert_eq!(answer[0], 0x45, "no options of IP");
    assert_eq!(answer[16..20], src.octets());
}

/// Requirement: RFC1122-R04
#[test]
fn nothing_leaves_with_a_time_to_live_of_zero() {
    let mut config = handclasp_tcp::Config::default();
    config.ttl = 0;
    let mut node = Node::on_ip(HostConfig::default());
    let id = node.connect_from(None, CLIENT, config).unwrap();
    assert_eq!(node.transmit()[0][8], 1);
    node.with(id, |connection, _| connection.set_ttl(0));
    node.pass(seconds(1)).iter().for_each(|(_, packet)| assert_eq!(packet[8], 1));
    let answers: Vec<SocketAddr> = node.segments().iter().map(|s| s.dst).collect();
    assert!(answers.is_empty());
    let refused = Header { options: Options::default(), ..syn() };
    node.receive(tcp(sock(CLIENT), sock("10.0.0.1:81"), &refused, b""));
    assert_ne!(node.transmit()[0][8], 0, "a RST");
}
