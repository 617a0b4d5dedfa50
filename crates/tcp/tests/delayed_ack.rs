//! When an ACK leaves (RFC 9293 §3.8.6.3, RFC 5681 §4.2).

mod common;

use std::time::Duration;

use common::*;
use handclasp_tcp::{Config, State};

/// Without the quick ACKs at the start.
fn open() -> Bench {
    let mut config = plain();
    config.quick_acks = 0;
    let mut b = Bench::open_with(config, mss(1000));
    // What a full segment of this peer carries is known from the first.
    b.data(&[0; 1000]);
    b.advance(SECOND);
    b.drain();
    b
}

/// Requirement: RFC9293-MUST-40, RFC9293-SHLD-18, RFC5681-R25, RFC5681-R26
#[test]
fn a_lone_segment_is_acknowledged_late_but_well_within_half_a_second() {
    let mut b = open();
    b.data(b"lone");
    b.silent();
    let waited = b.until_deadline();
    assert!(waited < 500 * MS && waited > Duration::ZERO);
    assert_eq!(b.one().header.ack.0, b.peer_nxt);
    assert_eq!(b.conn.next_deadline(), None);
}

/// Requirement: RFC9293-MUST-40, RFC5681-R26
#[test]
fn no_setting_delays_an_ack_for_half_a_second() {
    let mut config = plain();
    config.quick_acks = 0;
    config.delayed_ack = Duration::from_secs(3);
    let mut b = Bench::open_with(config, mss(1000));
    b.data(b"x");
    b.drain();
    assert!(b.until_deadline() < 500 * MS);
    b.one();
}

/// Requirement: RFC9293-MUST-40, RFC5681-R26
#[test]
fn more_small_segments_do_not_put_the_ack_off() {
    let mut b = open();
    let start = b.now;
    loop {
        b.data(b"x");
        if !b.drain().is_empty() {
            break;
        }
        b.advance(10 * MS);
        if !b.drain().is_empty() {
            break;
        }
        assert!(b.now - start < 500 * MS);
    }
}

/// Requirement: RFC9293-SHLD-19, RFC5681-R25, RFC5681-R27
#[test]
fn every_second_full_segment_is_acknowledged_at_once() {
    let mut b = open();
    let mut acks = 0;
    for i in 0..20 {
        b.data(&[0; 1000]);
        let sent = b.drain().len();
        assert_eq!(sent, i % 2, "segment {i}");
        acks += sent;
    }
    assert_eq!(acks, 10);
}

/// Requirement: RFC9293-MUST-58, RFC9293-MUST-59, RFC1122-R12
#[test]
fn a_batch_of_segments_is_acknowledged_by_one_ack() {
    let mut b = open();
    for _ in 0..20 {
        b.data(&[0; 1000]);
    }
    let ack = b.one();
    assert_eq!(ack.header.ack.0, b.peer_nxt);
}

/// Requirement: RFC9293-MUST-58, RFC9293-MUST-59
#[test]
fn the_filler_of_a_gap_and_what_follows_share_an_ack() {
    let mut b = open();
    let nxt = b.peer_nxt;
    b.data_at(nxt + 1000, &[0; 1000]);
    b.drain();
    b.data(&[0; 1000]);
    b.peer_nxt += 1000;
    b.data(&[0; 1000]);
    assert_eq!(b.one().header.ack.0, nxt + 3000);
}

/// Requirement: RFC9293-MUST-58
#[test]
fn an_answer_carries_the_ack() {
    let mut b = open();
    b.data(b"question");
    b.write(b"answer");
    let answer = b.one();
    assert_eq!((answer.payload_len(), answer.header.ack.0), (6, b.peer_nxt));
    b.ack(b.snd_nxt());
    assert_eq!(b.conn.next_deadline(), None, "nothing is owed any more");
}

#[test]
fn the_first_segments_are_acknowledged_at_once_for_a_sender_in_slow_start() {
    let mut config = Config::default();
    config.quick_acks = 4;
    let mut b = Bench::open_with(config, modern());
    for _ in 0..4 {
        b.data(b"x");
        b.one();
    }
    b.data(b"x");
    b.silent();
}

/// Requirement: RFC5681-R16, RFC9293-MAY-13
#[test]
fn a_segment_beyond_a_gap_is_answered_at_once() {
    let mut b = open();
    for i in 1..4 {
        b.data_at(b.peer_nxt + 1000 * i, &[0; 1000]);
        assert_eq!(b.one().header.ack.0, b.peer_nxt);
    }
}

/// Requirement: RFC5681-R17, RFC6582-P08
#[test]
fn a_segment_that_fills_part_of_a_gap_is_acknowledged_at_once() {
    let mut b = open();
    let nxt = b.peer_nxt;
    b.data_at(nxt + 2000, &[0; 1000]);
    b.drain();
    b.data(&[0; 1000]);
    assert_eq!(b.one().header.ack.0, nxt + 1000);
    b.data(&[0; 1000]);
    assert_eq!(b.one().header.ack.0, nxt + 3000);
}

/// Requirement: RFC5681-R17
#[test]
fn a_few_bytes_that_close_the_last_gap_are_acknowledged_at_once() {
    let mut b = open();
    b.data_at(b.peer_nxt + 10, b"0123456789");
    b.drain();
    b.data(b"abcdefghij");
    assert_eq!(b.one().header.ack.0, b.peer_nxt + 10);
}

/// Requirement: RFC5681-R27, RFC9293-MUST-58
#[test]
fn reading_from_a_window_that_is_wide_open_sends_no_update() {
    let mut b = open();
    for _ in 0..5 {
        b.data(&[0; 500]);
        b.read(100);
        b.read(400);
        b.silent();
        b.until_deadline();
        b.one();
    }
}

/// Requirement: RFC5681-R27
#[test]
fn no_segment_is_answered_twice() {
    for (config, options) in [(plain(), mss(1000)), (Config::default(), modern())] {
        let mut b = Bench::open_with(config, options);
        let base = b.peer_nxt;
        for offset in [2000, 500, 2000, 0, 4000, 0, 700, 1500, 300, 2500, 3500, 0] {
            b.data_at(base + offset, &[0; 1000]);
            assert!(b.drain().len() <= 1, "at {offset}");
        }
        assert_eq!(b.state(), State::Established);
    }
}

/// For a sender without SACK each counts; in one batch as well.
#[test]
fn a_batch_beyond_a_gap_gets_as_many_duplicate_acks() {
    let mut b = open();
    for i in 1..5 {
        b.data_at(b.peer_nxt + 1000 * i, &[0; 1000]);
    }
    let acks = b.drain();
    assert_eq!(acks.len(), 4);
    assert!(acks.iter().all(|t| t.header.ack.0 == b.peer_nxt));
}

#[test]
fn quick_acks_are_switched_off_and_on() {
    let mut b = Bench::open_with(Config::default(), mss(1000));
    b.data(b"one");
    assert_eq!(b.drain().len(), 1);
    b.conn.set_quick_acks(false);
    b.data(b"two");
    b.silent();
    b.advance(40 * MS);
    assert_eq!(b.drain().len(), 1);
    b.conn.set_quick_acks(true);
    b.data(b"three");
    assert_eq!(b.drain().len(), 1);
}
