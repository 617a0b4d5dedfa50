//! Explicit congestion notification as RFC 3168 has it.

mod common;

use bytes::Bytes;
use common::*;
use handclasp_tcp::ecn::{Agreed, Carriage, EcnMode};
use handclasp_tcp::{Config, Transmit};
use handclasp_wire::ip::Ecn;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::{Flags, Header};

const ECN_SETUP: Flags = Flags::SYN.union(Flags::ECE).union(Flags::CWR);

fn classic() -> Config {
    let (mut config, _) = only_sack();
    config.ecn = EcnMode::Classic;
    config.nodelay = true;
    config
}

fn field(transmit: &Transmit) -> Ecn {
    Ecn::from_bits(transmit.ip.traffic_class)
}

fn ecn_bits(transmit: &Transmit) -> Flags {
    transmit.header.flags & (Flags::ECE | Flags::CWR | Flags::AE)
}

/// A client whose server agreed with these bits on its SYN-ACK.
fn client(bits: Flags) -> Bench {
    let mut b = Bench::connecting(classic());
    let syn = b.one();
    assert_eq!((syn.header.flags, field(&syn)), (ECN_SETUP, Ecn::NotEct));
    let (_, options) = only_sack();
    let header = Header {
        seq: SeqNumber(IRS),
        ack: SeqNumber(ISS + 1),
        flags: Flags::SYN | Flags::ACK | bits,
        options,
        ..b.blank()
    };
    b.peer_nxt = IRS + 1;
    b.arrive(header, &[]);
    b.drain();
    b
}

fn open() -> Bench {
    client(Flags::ECE)
}

/// The peer sends text in a packet with this field.
fn data(b: &mut Bench, ecn: Ecn, more: Flags, text: &'static [u8]) {
    let mut header = b.ack_header(b.snd_nxt());
    header.flags |= more;
    let carriage = Carriage { ecn, packets: 1 };
    b.with(|c, cx| c.carried_segment_arrives(cx, &header, Bytes::from_static(text), carriage));
    b.peer_nxt += text.len() as u32;
}

/// The peer acknowledges up to `ack` and echoes a mark.
fn echo(b: &mut Bench, ack: u32) {
    let mut header = b.ack_header(ack);
    header.flags |= Flags::ECE;
    b.arrive(header, &[]);
}

fn cwnd(b: &Bench) -> u32 {
    b.conn.info().cwnd
}

/// Requirement: RFC3168-R06
#[test]
fn a_server_that_agrees_is_sent_capable_data() {
    let mut b = open();
    assert_eq!(b.conn.info().ecn, Agreed::Classic);
    b.write(b"hello");
    assert_eq!(field(&b.one()), Ecn::Ect0);
}

#[test]
fn a_server_that_does_not_agree_is_sent_nothing_capable() {
    for bits in [Flags::empty(), Flags::ECE | Flags::CWR, Flags::CWR] {
        let mut b = client(bits);
        assert_eq!(b.conn.info().ecn, Agreed::None);
        b.write(b"hello");
        let sent = b.one();
        assert_eq!((field(&sent), ecn_bits(&sent)), (Ecn::NotEct, Flags::empty()));
    }
}

/// Requirement: RFC3168-R07
#[test]
fn a_syn_that_nobody_answers_is_sent_again_without_ecn() {
    let mut b = Bench::connecting(classic());
    assert_eq!(b.one().header.flags, ECN_SETUP);
    b.until_deadline();
    assert_eq!(b.one().header.flags, Flags::SYN);
}

/// Requirement: RFC3168-R01
#[test]
fn a_syn_ack_agrees_to_what_was_asked_for_and_only_then() {
    let config = plain();
    let syn_ack = |flags| {
        let asked = Header { flags, ..syn(mss(1000)) };
        let cx = cx_at(handclasp_wire::time::Instant::from_millis(1));
        let half = handclasp_tcp::HalfOpen::new(&config, &tuple(), &asked, opening(), &cx);
        half.syn_ack(&config, &tuple(), &cx).flags
    };
    assert_eq!(syn_ack(ECN_SETUP), Flags::SYN | Flags::ACK | Flags::ECE);
    assert_eq!(syn_ack(Flags::SYN), Flags::SYN | Flags::ACK);
}

/// Requirement: RFC3168-R08, RFC3168-R14, RFC3168-R15, RFC3168-R17
#[test]
fn only_new_data_is_capable() {
    let mut b = open();
    data(&mut b, Ecn::NotEct, Flags::empty(), b"hello");
    let ack = b.one();
    assert_eq!((field(&ack), ack.payload_len()), (Ecn::NotEct, 0));
    b.write(&[0; 1000]);
    assert_eq!(field(&b.one()), Ecn::Ect0);
    b.until_deadline();
    let again = b.one();
    assert_eq!((again.header.seq.0, field(&again)), (ISS + 1, Ecn::NotEct));
    b.ack_with_window(ISS + 1001, 0);
    b.write(b"more");
    b.drain();
    b.until_deadline();
    let probe = b.one();
    assert_eq!((field(&probe), ecn_bits(&probe)), (Ecn::NotEct, Flags::empty()));
}

/// Requirement: RFC3168-P13, RFC3168-R04
#[test]
fn a_mark_is_echoed_until_the_sender_says_that_it_slowed_down() {
    let mut b = open();
    data(&mut b, Ecn::Ce, Flags::empty(), b"one");
    assert_eq!(ecn_bits(&b.one()), Flags::ECE);
    data(&mut b, Ecn::Ect0, Flags::empty(), b"two");
    assert_eq!(ecn_bits(&b.one()), Flags::ECE);
    data(&mut b, Ecn::Ect0, Flags::CWR, b"three");
    assert_eq!(ecn_bits(&b.one()), Flags::empty());
    data(&mut b, Ecn::Ce, Flags::CWR, b"four");
    assert_eq!(ecn_bits(&b.one()), Flags::ECE, "a mark on the very segment counts");
}

/// Requirement: RFC3168-R16
#[test]
fn a_mark_outside_the_window_is_ignored() {
    let mut b = open();
    b.peer_nxt -= 100;
    data(&mut b, Ecn::Ce, Flags::empty(), b"old");
    assert_eq!(ecn_bits(&b.one()), Flags::empty());
    assert_eq!(b.conn.statistics().marks_in, 0);
}

/// Requirement: RFC3168-R18
#[test]
fn a_mark_on_a_probe_of_our_closed_window_counts() {
    let mut config = classic();
    config.receive_buffer_max = 2000;
    config.receive_buffer_start = 2000;
    let mut b = Bench::open_with(classic(), only_sack().1);
    assert_eq!(b.conn.info().ecn, Agreed::None);
    b = open_with(config);
    b.data(&[0; 2000]);
    assert_eq!(b.drain().last().unwrap().header.window, 0);
    data(&mut b, Ecn::Ce, Flags::empty(), b"p");
    assert_eq!(ecn_bits(&b.one()), Flags::ECE);
}

fn open_with(config: Config) -> Bench {
    let mut b = Bench::connecting(config);
    b.drain();
    let (_, options) = only_sack();
    let header = Header {
        seq: SeqNumber(IRS),
        ack: SeqNumber(ISS + 1),
        flags: Flags::SYN | Flags::ACK | Flags::ECE,
        options,
        ..b.blank()
    };
    b.peer_nxt = IRS + 1;
    b.arrive(header, &[]);
    b.drain();
    b
}

/// Requirement: RFC3168-P09, RFC3168-R19
#[test]
fn an_echo_slows_down_as_a_loss_does_and_once_for_a_window() {
    let mut b = open();
    b.write(&[0; 40_000]);
    b.drain();
    let before = cwnd(&b);
    echo(&mut b, ISS + 1001);
    let after = cwnd(&b);
    assert!(after < before && after >= before / 2 - 1000, "{before} → {after}");
    b.drain();
    echo(&mut b, ISS + 2001);
    echo(&mut b, ISS + 3001);
    assert_eq!(cwnd(&b), after, "of the same window");
    assert_eq!(b.conn.statistics().marks_reported, 3);
}

/// Requirement: RFC3168-R10
#[test]
fn an_echo_does_not_open_the_window() {
    let mut b = open();
    b.write(&[0; 40_000]);
    b.drain();
    echo(&mut b, ISS + 1001);
    let after = cwnd(&b);
    (2..=10).for_each(|n| echo(&mut b, ISS + 1 + n * 1000));
    assert!(cwnd(&b) <= after);
}

/// Requirement: RFC3168-R12
#[test]
fn the_first_new_data_after_a_reduction_says_so() {
    let mut b = open();
    b.write(&[0; 60_000]);
    b.drain();
    echo(&mut b, ISS + 9001);
    let sent = b.drain();
    assert_eq!(ecn_bits(&sent[0]), Flags::CWR);
    assert!(sent[1..].iter().all(|t| ecn_bits(t).is_empty()));
}

#[test]
fn the_segment_that_says_so_leaves_alone() {
    let mut b = open();
    b.burst = 60_000;
    b.write(&[0; 60_000]);
    b.drain();
    echo(&mut b, ISS + 9001);
    let sent = b.drain();
    let speaks = sent.iter().position(|t| !ecn_bits(t).is_empty()).unwrap();
    assert_eq!(sent[speaks].segment_size, None, "what cuts bursts would repeat or lose it");
}

#[test]
fn a_loss_answers_the_marks_of_its_window_too() {
    let mut b = open();
    b.write(&[0; 40_000]);
    b.drain();
    for n in 2..=5 {
        b.sack(ISS + 1, &[(ISS + 1001, ISS + 1 + n * 1000)]);
    }
    let after = b.conn.info().ssthresh;
    echo(&mut b, ISS + 6001);
    assert_eq!(b.conn.info().ssthresh, after);
    let sent = b.drain();
    let new = sent.iter().find(|t| t.header.seq.gt(SeqNumber(ISS + 10_000)));
    assert!(new.is_none_or(|t| ecn_bits(t) == Flags::CWR));
}
