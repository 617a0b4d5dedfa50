//! Accurate ECN (RFC 9768).

mod common;

use bytes::Bytes;
use common::*;
use handclasp_tcp::ecn::{Agreed, Carriage, EcnMode};
use handclasp_tcp::{Config, HalfOpen, Transmit};
use handclasp_wire::ip::Ecn;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::{AccEcn, AccEcnOrder};
use handclasp_wire::tcp::{Flags, Header, Options};

const ALL: Flags = Flags::AE.union(Flags::CWR).union(Flags::ECE);

fn accurate() -> Config {
    let (mut config, _) = only_sack();
    config.ecn = EcnMode::Accurate;
    config.nodelay = true;
    config
}

fn field(transmit: &Transmit) -> Ecn {
    Ecn::from_bits(transmit.ip.traffic_class)
}

/// AE, CWR and ECE as a number.
fn ace(flags: Flags) -> u8 {
    let bit = |flag, value| if flags.contains(flag) { value } else { 0 };
    bit(Flags::AE, 4) + bit(Flags::CWR, 2) + bit(Flags::ECE, 1)
}

fn bits(ace: u8) -> Flags {
    let mut flags = Flags::empty();
    flags.set(Flags::AE, ace & 4 != 0);
    flags.set(Flags::CWR, ace & 2 != 0);
    flags.set(Flags::ECE, ace & 1 != 0);
    flags
}

/// A client whose SYN-ACK had these bits, in a packet with this field.
fn client(code: u8, ecn: Ecn) -> Bench {
    let mut b = Bench::connecting(accurate());
    let syn = b.one();
    assert_eq!((syn.header.flags, field(&syn)), (Flags::SYN | ALL, Ecn::NotEct));
    assert_eq!(syn.header.options.acc_ecn, None);
    let (_, options) = only_sack();
    let header = Header {
        seq: SeqNumber(IRS),
        ack: SeqNumber(ISS + 1),
        flags: Flags::SYN | Flags::ACK | bits(code),
        options,
        ..b.blank()
    };
    b.peer_nxt = IRS + 1;
    let carriage = Carriage { ecn, packets: 1 };
    b.with(|c, cx| c.carried_segment_arrives(cx, &header, Bytes::new(), carriage));
    b
}

fn open() -> Bench {
    let mut b = client(0b010, Ecn::NotEct);
    b.drain();
    assert_eq!(b.conn.info().ecn, Agreed::Accurate);
    b
}

fn data(b: &mut Bench, ecn: Ecn, packets: u16, text: &'static [u8]) {
    let mut header = b.ack_header(b.snd_nxt());
    header.flags |= bits(5);
    let carriage = Carriage { ecn, packets };
    b.with(|c, cx| c.carried_segment_arrives(cx, &header, Bytes::from_static(text), carriage));
    b.peer_nxt += text.len() as u32;
}

/// The peer acknowledges up to `ack`, and has this for a count.
fn counted(b: &mut Bench, ack: u32, code: u8) {
    let mut header = b.ack_header(ack);
    header.flags |= bits(code);
    b.arrive(header, &[]);
}

fn cwnd(b: &Bench) -> u32 {
    b.conn.info().cwnd
}

/// Requirement: RFC9768-R01, RFC9768-R04, RFC9768-R22
#[test]
fn a_syn_asks_with_all_three_bits_and_no_option() {
    let mut b = Bench::connecting(accurate());
    assert_eq!(b.one().header.flags, Flags::SYN | ALL);
    assert_eq!(b.conn.info().ecn, Agreed::None, "nothing is agreed on yet");
}

/// Requirement: RFC9768-R09
#[test]
fn a_syn_that_nobody_answers_asks_once_more_and_then_no_longer() {
    let mut b = Bench::connecting(accurate());
    b.drain();
    b.until_deadline();
    assert_eq!(b.one().header.flags, Flags::SYN | ALL);
    b.until_deadline();
    assert_eq!(b.one().header.flags, Flags::SYN);
}

/// Requirement: RFC9768-R02, RFC9768-R03, RFC9768-R23
#[test]
fn a_syn_ack_says_how_the_syn_came() {
    let config = plain();
    let cx = cx_at(handclasp_wire::time::Instant::from_millis(1));
    let answer = |flags, ecn| {
        let syn = Header { flags: Flags::SYN | flags, ..syn(mss(1000)) };
        let half = HalfOpen::new(&config, &tuple(), &syn, opening(), &cx).carried(ecn);
        half.syn_ack(&config, &tuple(), &cx)
    };
    let fields = [(Ecn::NotEct, 2), (Ecn::Ect1, 3), (Ecn::Ect0, 4), (Ecn::Ce, 6)];
    for (ecn, code) in fields {
        assert_eq!(ace(answer(ALL, ecn).flags), code);
        assert!(answer(ALL, ecn).options.acc_ecn.is_some());
        assert_eq!(ace(answer(Flags::empty(), ecn).flags), 0);
        assert_eq!(ace(answer(Flags::ECE | Flags::CWR, ecn).flags), 1);
        assert_eq!(answer(Flags::ECE | Flags::CWR, ecn).options.acc_ecn, None);
    }
}

/// Requirement: RFC9768-R24
#[test]
fn a_syn_ack_that_timed_out_is_sent_again_without_the_option() {
    let config = plain();
    let syn = Header { flags: Flags::SYN | ALL, ..syn(mss(1000)) };
    let now = handclasp_wire::time::Instant::from_millis(1);
    let mut half = HalfOpen::new(&config, &tuple(), &syn, opening(), &cx_at(now));
    let later = cx_at(half.deadline());
    half.deadline_passed(&config, &tuple(), &later);
    let again = half.syn_ack(&config, &tuple(), &later);
    assert_eq!((ace(again.flags), again.options.acc_ecn), (2, None));
}

/// Requirement: RFC9768-R15, RFC9768-R17
#[test]
fn the_ack_of_the_syn_ack_says_how_that_came() {
    for (ecn, code, count) in
        [(Ecn::NotEct, 2, 5), (Ecn::Ect1, 3, 5), (Ecn::Ect0, 4, 5), (Ecn::Ce, 6, 6)]
    {
        let mut b = client(0b010, ecn);
        let ack = b.one();
        assert_eq!(ace(ack.header.flags), code);
        b.write(b"hello");
        assert_eq!(ace(b.one().header.flags), count, "then the count begins");
    }
}

/// Requirement: RFC9768-P13, RFC9768-R12, RFC9768-R14
#[test]
fn every_packet_with_a_mark_is_counted() {
    let mut b = open();
    data(&mut b, Ecn::Ect0, 1, b"one");
    assert_eq!(ace(b.one().header.flags), 5);
    data(&mut b, Ecn::Ce, 1, b"two");
    assert_eq!(ace(b.one().header.flags), 6);
    data(&mut b, Ecn::Ce, 4, b"four packets joined");
    assert_eq!(ace(b.one().header.flags), (5 + 5) % 8);
    data(&mut b, Ecn::Ce, 1, b"");
    b.write(b"hello");
    assert_eq!(ace(b.one().header.flags), (5 + 6) % 8, "a bare ACK's mark counts too");
}

/// Requirement: RFC9768-R21
#[test]
fn the_option_has_the_bytes() {
    let mut b = open();
    data(&mut b, Ecn::Ect0, 1, b"12345");
    data(&mut b, Ecn::Ce, 1, b"1234567");
    let counters = b.drain().last().unwrap().header.options.acc_ecn.unwrap().counters;
    assert_eq!(counters, [Some(6), Some(7), Some(1)], "ECT(0) from 1, CE from 0, ECT(1) from 1");
}

/// Requirement: RFC9768-R18, RFC9768-R19
#[test]
fn marks_are_acknowledged_soon() {
    let mut config = accurate();
    config.quick_acks = 0;
    let mut b = Bench::connecting(config);
    b.drain();
    let header = Header {
        seq: SeqNumber(IRS),
        ack: SeqNumber(ISS + 1),
        flags: Flags::SYN | Flags::ACK | bits(2),
        options: only_sack().1,
        ..b.blank()
    };
    b.peer_nxt = IRS + 1;
    b.arrive(header, &[]);
    b.drain();
    data(&mut b, Ecn::Ect0, 1, b"1");
    b.silent();
    data(&mut b, Ecn::Ce, 1, b"2");
    b.one();
    data(&mut b, Ecn::Ce, 1, b"3");
    b.silent();
    data(&mut b, Ecn::Ce, 1, b"4");
    b.one();
}

/// Requirement: RFC9768-R25
#[test]
fn sack_blocks_come_before_the_option() {
    let mut b = open();
    data(&mut b, Ecn::Ce, 1, b"1");
    b.drain();
    b.peer_nxt += 100;
    data(&mut b, Ecn::Ce, 1, b"beyond");
    let ack = b.one();
    assert_eq!(blocks(&ack).len(), 1);
    assert_eq!(ack.header.options.acc_ecn, None);
}

#[test]
fn a_counted_mark_slows_down_once_for_a_window() {
    let mut b = open();
    b.write(&[0; 40_000]);
    b.drain();
    let before = cwnd(&b);
    counted(&mut b, ISS + 1001, 6);
    let after = cwnd(&b);
    assert!(after < before);
    counted(&mut b, ISS + 2001, 7);
    assert_eq!(cwnd(&b), after);
    assert_eq!(b.conn.statistics().marks_reported, 2);
}

/// Requirement: RFC9768-R11
#[test]
fn nobody_is_told_of_a_reduction() {
    let mut b = open();
    b.write(&[0; 60_000]);
    b.drain();
    counted(&mut b, ISS + 9001, 6);
    assert!(b.drain().iter().all(|t| ace(t.header.flags) == 5));
}

#[test]
fn an_old_ack_with_an_old_count_says_nothing() {
    let mut b = open();
    b.write(&[0; 40_000]);
    b.drain();
    counted(&mut b, ISS + 2001, 6);
    counted(&mut b, ISS + 1001, 5);
    counted(&mut b, ISS + 3001, 6);
    assert_eq!(b.conn.statistics().marks_reported, 1);
}

/// A server whose handshake ends with these bits on the ACK.
fn server(code: u8, text: &'static [u8]) -> Bench {
    let mut b = Bench::connecting(accurate());
    let syn = Header { flags: Flags::SYN | ALL, ..syn(only_sack().1) };
    let config = std::sync::Arc::new(accurate());
    let half = HalfOpen::new(&config, &tuple(), &syn, opening(), &cx_at(b.now));
    b.conn = b.with(|_, cx| half.complete(config, tuple(), cx));
    b.peer_nxt = IRS + 1;
    let mut header = b.ack_header(ISS + 1);
    header.flags |= bits(code);
    b.arrive(header, text);
    b.peer_nxt += text.len() as u32;
    b.drain();
    b
}

/// Requirement: RFC9768-R16, RFC9768-R26
#[test]
fn a_server_whose_client_lost_the_bits_sends_nothing_capable_but_goes_on_counting() {
    for (code, text, capable) in [
        (0, &b""[..], Ecn::NotEct),
        (0, b"hello", Ecn::NotEct),
        (2, b"", Ecn::Ect0),
        (7, b"", Ecn::Ect0),
        (5, b"hello", Ecn::Ect0),
    ] {
        let mut b = server(code, if text.is_empty() { b"" } else { b"hello" });
        b.write(b"answer");
        assert_eq!(field(&b.one()), capable, "after {code}");
        data(&mut b, Ecn::Ce, 1, b"more");
        assert_eq!(ace(b.one().header.flags), 6);
    }
}

#[test]
fn a_path_that_alters_the_field_of_our_syn_gets_nothing_capable() {
    let mut b = client(0b100, Ecn::NotEct);
    b.drain();
    b.write(b"hello");
    assert_eq!(field(&b.one()), Ecn::NotEct);
}

/// Requirement: RFC9768-R10
#[test]
fn the_way_of_feedback_never_changes() {
    let mut b = open();
    let header = Header {
        seq: SeqNumber(IRS),
        ack: SeqNumber(ISS + 1),
        flags: Flags::SYN | Flags::ACK | Flags::ECE,
        options: Options::default(),
        ..b.blank()
    };
    b.arrive(header, &[]);
    assert_eq!(b.conn.info().ecn, Agreed::Accurate);
}

#[test]
fn a_count_that_looks_like_a_reduction_is_not_cut_by_a_device() {
    let mut b = open();
    b.burst = 60_000;
    b.write(&[0; 5000]);
    assert!(b.drain().iter().any(|t| t.segment_size.is_some()));
    data(&mut b, Ecn::Ce, 1, b"1");
    b.drain();
    b.write(&[0; 5000]);
    let sent = b.drain();
    assert!(sent.iter().all(|t| t.segment_size.is_none() && ace(t.header.flags) == 6));
}

/// Requirement: RFC9768-R05
#[test]
fn duplicates_are_reported_beside_the_counts() {
    let mut b = open();
    data(&mut b, Ecn::Ect0, 1, b"12345");
    b.drain();
    b.data_at(IRS + 1, b"12345");
    assert_eq!(blocks(&b.one()), [(IRS + 1, IRS + 6)]);
}

#[test]
fn an_option_of_any_length_is_read() {
    for some in 0..=3 {
        let mut b = open();
        b.write(&[0; 40_000]);
        b.drain();
        let mut header = b.ack_header(ISS + 1001);
        header.flags |= bits(6);
        let mut counters = [Some(1001), Some(1000), Some(1)];
        counters[some..].fill(None);
        header.options.acc_ecn = Some(AccEcn { order: AccEcnOrder::Ect0First, counters });
        b.arrive(header, &[]);
        assert_eq!(b.conn.statistics().marks_reported, 1);
    }
}
