//! SACK blocks that we report (RFC 2018), duplicates among them (RFC 2883).

mod common;

use common::*;
use handclasp_tcp::{Config, Transmit};

fn open() -> Bench {
    let (config, options) = only_sack();
    Bench::open_with(config, options)
}

/// The numbers of the `n`th segment of 100 bytes.
fn nth(n: u32) -> (u32, u32) {
    (IRS + 1 + n * 100, IRS + 1 + n * 100 + 100)
}

/// Segments `n` arrive one by one; what is sent in answer to the last.
fn arrive(b: &mut Bench, n: &[u32]) -> Transmit {
    let mut last = None;
    for n in n {
        b.data_at(nth(*n).0, &[*n as u8; 100]);
        last = Some(b.one());
    }
    last.unwrap()
}

/// Requirement: RFC2018-R02
#[test]
fn without_permission_no_block_is_sent() {
    for (ours, theirs) in [(false, true), (true, false), (false, false)] {
        let (mut config, mut options) = only_sack();
        config.sack = ours;
        options.sack_permitted = theirs;
        let mut b = Bench::open_with(config, options);
        assert!(blocks(&arrive(&mut b, &[2])).is_empty());
        assert!(blocks(&arrive(&mut b, &[2])).is_empty());
    }
}

/// Requirement: RFC2018-R03, RFC2018-R04, RFC2018-R05, RFC2018-P08
#[test]
fn every_segment_beyond_a_gap_is_reported_at_once_and_first() {
    let mut b = open();
    assert_eq!(blocks(&arrive(&mut b, &[5])), [nth(5)]);
    assert_eq!(blocks(&arrive(&mut b, &[3])), [nth(3), nth(5)]);
    assert_eq!(blocks(&arrive(&mut b, &[6])), [(nth(5).0, nth(6).1), nth(3)]);
    assert_eq!(blocks(&arrive(&mut b, &[4])), [(nth(3).0, nth(6).1)]);
}

/// Requirement: RFC2018-R06, RFC2018-R07
#[test]
fn four_blocks_are_reported_the_latest_first_and_three_beside_timestamps() {
    let mut b = open();
    let last = arrive(&mut b, &[2, 4, 6, 8, 10, 12]);
    assert_eq!(blocks(&last), [nth(12), nth(10), nth(8), nth(6)]);
    let mut b = Bench::open_with(Config::default(), modern());
    let last = arrive(&mut b, &[2, 4, 6, 8, 10, 12]);
    assert_eq!(blocks(&last), [nth(12), nth(10), nth(8)]);
}

/// Requirement: RFC2018-R06
#[test]
fn blocks_long_reported_fill_the_places_of_those_that_are_gone() {
    let mut b = open();
    arrive(&mut b, &[12, 10, 8, 6, 4, 2]);
    let ack = arrive(&mut b, &[0]);
    assert_eq!(ack.header.ack.0, nth(1).0);
    let ack = arrive(&mut b, &[1]);
    assert_eq!(ack.header.ack.0, nth(3).0);
    let mut reported = blocks(&ack);
    assert_eq!(&reported[..3], [nth(4), nth(6), nth(8)]);
    assert!([nth(10), nth(12)].contains(&reported.remove(3)));
}

/// Requirement: RFC2018-R05, RFC2018-R03
#[test]
fn an_ack_that_moves_on_still_reports_what_lies_beyond() {
    let mut b = open();
    arrive(&mut b, &[2, 4]);
    let ack = arrive(&mut b, &[0]);
    assert_eq!((ack.header.ack.0, blocks(&ack)), (nth(1).0, vec![nth(4), nth(2)]));
    let ack = arrive(&mut b, &[1]);
    assert_eq!((ack.header.ack.0, blocks(&ack)), (nth(3).0, vec![nth(4)]));
    let ack = arrive(&mut b, &[3]);
    assert_eq!((ack.header.ack.0, blocks(&ack)), (nth(5).0, vec![]));
}

/// Requirement: RFC2018-P08, RFC9293-P05
#[test]
fn blocks_wrap_with_their_numbers() {
    let (config, options) = only_sack();
    let mut b = Bench::connecting(config);
    b.drain();
    let irs = u32::MAX - 149;
    let header = handclasp_wire::tcp::Header {
        seq: handclasp_wire::seq::SeqNumber(irs),
        ack: handclasp_wire::seq::SeqNumber(ISS + 1),
        flags: handclasp_wire::tcp::Flags::SYN | handclasp_wire::tcp::Flags::ACK,
        options,
        ..b.blank()
    };
    b.arrive(header, &[]);
    b.drain();
    b.data_at(irs.wrapping_add(101), &[0; 100]);
    assert_eq!(blocks(&b.one()), [(irs.wrapping_add(101), 51)]);
}

/// Requirement: RFC2018-R14
#[test]
fn only_what_is_held_is_reported() {
    let (mut config, options) = only_sack();
    config.reassembly_ranges = 1;
    let mut b = Bench::open_with(config, options);
    arrive(&mut b, &[3]);
    assert_eq!(blocks(&arrive(&mut b, &[6])), [nth(3)]);
}

/// Requirement: RFC2883-P01, RFC2883-P02, RFC2883-P03
#[test]
fn a_segment_received_twice_is_reported_once_each_time() {
    let mut b = open();
    arrive(&mut b, &[0]);
    let ack = arrive(&mut b, &[0]);
    assert_eq!((ack.header.ack.0, blocks(&ack)), (nth(1).0, vec![nth(0)]));
    assert_eq!(blocks(&arrive(&mut b, &[0])), [nth(0)]);
    assert_eq!(blocks(&arrive(&mut b, &[2])), [nth(2)]);
}

/// Requirement: RFC2883-P03
#[test]
fn the_doubled_part_of_a_segment_is_reported_to_the_octet() {
    let mut b = open();
    arrive(&mut b, &[0]);
    b.data_at(nth(0).0 + 60, &[0; 100]);
    let ack = b.one();
    assert_eq!(ack.header.ack.0, nth(1).0 + 60);
    assert_eq!(blocks(&ack), [(nth(0).0 + 60, nth(0).1)]);
}

/// Requirement: RFC2883-P04, RFC2883-P01
#[test]
fn a_duplicate_beyond_a_gap_is_reported_with_the_block_around_it() {
    let mut b = open();
    arrive(&mut b, &[2, 3, 4]);
    let again = arrive(&mut b, &[3]);
    assert_eq!(blocks(&again), [nth(3), (nth(2).0, nth(4).1)]);
}

/// Requirement: RFC2883-P05
#[test]
fn of_several_doubled_parts_the_first_is_reported() {
    let mut b = open();
    arrive(&mut b, &[2, 4]);
    b.data_at(nth(1).0, &[0; 500]);
    assert_eq!(blocks(&b.one()), [nth(2), (nth(1).0, nth(5).1)]);
}

/// Requirement: RFC2883-P07
#[test]
fn a_duplicate_that_paws_drops_is_reported() {
    let mut b = Bench::open_modern();
    b.peer_ts = Some(200);
    b.data(&[0; 100]);
    b.drain();
    b.peer_ts = Some(150);
    b.data_at(nth(0).0, &[0; 100]);
    assert_eq!(blocks(&b.one()), [nth(0)]);
}

/// A full data segment has no room for blocks: they follow in a bare ACK, once.
/// Requirement: RFC9293-MUST-16, RFC2018-R03
#[test]
fn blocks_that_do_not_fit_beside_data_follow_by_themselves_once() {
    let mut b = open();
    b.data_at(nth(2).0, &[2; 100]);
    b.write(&[1; 3000]);
    let all = b.drain();
    assert_eq!(all.len(), 4, "{:?}", ranges(&all));
    for t in &all[..3] {
        assert_eq!((t.payload_len(), blocks(t).len()), (1000, 0));
    }
    assert_eq!(blocks(&all[3]), [nth(2)]);
    // The gap is still there, but nothing new is to be told about it.
    b.ack(ISS + 3001);
    b.write(&[1; 1000]);
    assert_eq!(ranges(&b.drain()), [(ISS + 3001, 1000)]);
}

/// Requirement: RFC2883-P01, RFC9293-MUST-16
#[test]
fn a_duplicate_report_that_does_not_fit_beside_data_is_not_lost() {
    let mut b = open();
    arrive(&mut b, &[0]);
    b.data_at(nth(0).0, &[0; 100]);
    b.write(&[1; 1000]);
    let all = b.drain();
    assert_eq!(all.len(), 2);
    assert_eq!(blocks(&all[1]), [nth(0)]);
}

/// Requirement: RFC2018-R03
#[test]
fn blocks_ride_on_data_where_they_fit() {
    let mut b = open();
    b.data_at(nth(2).0, &[2; 100]);
    b.write(b"small");
    let t = b.one();
    assert_eq!((t.payload_len(), blocks(&t)), (5, vec![nth(2)]));
}
