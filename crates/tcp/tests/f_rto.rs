//! Whether a timeout was for nothing (F-RTO, RFC 5682), without timestamps, which would tell at
//! once.

mod common;

use std::time::Duration;

use common::*;
use handclasp_tcp::Config;
use handclasp_wire::tcp::Options;

const RTT: Duration = Duration::from_millis(100);

/// `n` segments in flight and more to send; the peer speaks SACK or not.
fn flying(n: u8, sack: bool) -> Bench {
    let (mut config, options): (Config, Options) =
        if sack { only_sack() } else { (plain(), mss(1000)) };
    config.initial_window = n;
    config.tail_loss_probes = false;
    let mut b = Bench::open_over(RTT, config, options);
    b.write(&[0; 80_000]);
    assert_eq!(b.drain().len(), usize::from(n));
    b
}

/// The same after its retransmission timer fired.
fn timed_out(n: u8, sack: bool) -> Bench {
    let mut b = flying(n, sack);
    b.until_deadline();
    assert_eq!(numbers(&b.drain()), [0]);
    assert_eq!(b.conn.info().cwnd, 1000);
    b
}

/// Requirement: RFC5682-R01, RFC5682-P02
#[test]
fn the_first_ack_after_a_timeout_lets_two_new_segments_out_and_nothing_old() {
    for sack in [false, true] {
        let mut b = timed_out(10, sack);
        b.ack(nth(1));
        assert_eq!(numbers(&b.drain()), [10, 11], "sack: {sack}");
    }
}

/// Requirement: RFC5682-P03, RFC5682-R06, RFC5682-R08
///
/// The response is that of RFC 4015: everything as it was.
#[test]
fn a_second_ack_that_moves_on_proves_the_timeout_spurious() {
    for sack in [false, true] {
        let mut b = flying(10, sack);
        let before = b.conn.info();
        b.until_deadline();
        b.drain();
        b.ack(nth(1));
        b.drain();
        b.ack(nth(2));
        let info = b.conn.info();
        assert_eq!(info.recovery.spurious_timeouts, 1, "sack: {sack}");
        assert_eq!((info.ssthresh, info.lost), (before.ssthresh, 0));
        assert!(info.cwnd >= before.cwnd, "{info:?}");
        let sent = numbers(&b.drain());
        assert!(sent.iter().all(|n| *n >= 12), "nothing is sent again: {sent:?}");
        for n in 3..10 {
            b.ack(nth(n));
            assert!(numbers(&b.drain()).iter().all(|n| *n >= 12));
        }
        assert_eq!(b.conn.info().statistics.segments_resent, 1);
    }
}

/// Requirement: RFC5682-R06
#[test]
fn a_block_of_what_was_not_sent_again_proves_the_timeout_spurious_too() {
    let mut b = timed_out(10, true);
    b.ack(nth(1));
    b.drain();
    b.sack(nth(1), &[(nth(2), nth(3))]);
    let info = b.conn.info();
    assert_eq!((info.recovery.spurious_timeouts, info.ssthresh), (1, u32::MAX));
}

/// Requirement: RFC5682-R06, RFC5682-P04
#[test]
fn a_block_of_the_new_data_alone_proves_nothing() {
    let mut b = timed_out(10, true);
    b.ack(nth(1));
    assert_eq!(numbers(&b.drain()), [10, 11]);
    b.sack(nth(1), &[(nth(10), nth(11))]);
    assert_eq!(numbers(&b.drain())[0], 1, "what was lost goes again");
    let info = b.conn.info();
    assert_eq!((info.recovery.spurious_timeouts, info.ssthresh), (0, 5000));
    assert!(info.cwnd <= 3000, "{info:?}");
}

/// Requirement: RFC5682-P04
#[test]
fn a_duplicate_as_first_or_second_ack_goes_back_to_repairing() {
    let mut b = timed_out(10, false);
    b.ack(nth(0));
    b.ack(nth(1));
    assert_eq!(numbers(&b.drain()), [1, 2], "slow start");

    let mut b = timed_out(10, false);
    b.ack(nth(1));
    assert_eq!(numbers(&b.drain()), [10, 11]);
    b.ack(nth(1));
    assert_eq!(numbers(&b.drain())[0], 1);
    let info = b.conn.info();
    assert!(info.cwnd <= 3000, "{info:?}");
    assert_eq!((info.recovery.spurious_timeouts, info.ssthresh), (0, 5000));
}

/// Requirement: RFC5682-R01
#[test]
fn another_timeout_begins_it_again() {
    let mut b = timed_out(10, false);
    b.until_deadline();
    assert_eq!(numbers(&b.drain()), [0]);
    b.ack(nth(1));
    assert_eq!(numbers(&b.drain()), [10, 11]);
    b.ack(nth(2));
    let info = b.conn.info();
    assert_eq!((info.recovery.spurious_timeouts, info.ssthresh), (1, u32::MAX));
}

/// Requirement: RFC5682-P02
#[test]
fn an_ack_of_the_whole_flight_decides_nothing() {
    let mut b = timed_out(10, false);
    b.ack(nth(10));
    let info = b.conn.info();
    assert_eq!((info.recovery.spurious_timeouts, info.ssthresh), (0, 5000));
    assert!(numbers(&b.drain()).iter().all(|n| *n >= 10));
}

/// Requirement: RFC5682-P09
#[test]
fn without_new_data_or_room_for_it_repairing_goes_on() {
    // The peer's window is full.
    let mut b = flying(10, false);
    b.peer_wnd = 9000;
    b.until_deadline();
    b.drain();
    b.ack(nth(1));
    assert_eq!(numbers(&b.drain()), [1, 2]);
    // All was sent.
    let mut config = plain();
    config.initial_window = 10;
    let mut b = Bench::open_over(RTT, config, mss(1000));
    b.write(&[0; 10_000]);
    b.drain();
    b.until_deadline();
    b.drain();
    b.ack(nth(1));
    assert_eq!(numbers(&b.drain()), [1, 2]);
}

/// Requirement: RFC5682-R05, RFC5682-R07
#[test]
fn a_timeout_during_fast_recovery_is_taken_for_what_it_seems() {
    for sack in [false, true] {
        let mut b = flying(10, sack);
        b.advance(RTT);
        for n in 2..5 {
            if sack {
                b.sack(nth(0), &[(nth(1), nth(n))]);
            } else {
                b.ack(nth(0));
            }
            b.drain();
        }
        let ssthresh = b.conn.info().ssthresh;
        while b.conn.info().statistics.timeouts == 0 {
            b.until_deadline();
        }
        assert_eq!(numbers(&b.drain()), [0]);
        assert_eq!(b.conn.info().ssthresh, ssthresh, "it was reduced for this flight");
        b.ack(nth(1));
        let next = numbers(&b.drain());
        assert!(next.iter().all(|n| *n < 10), "sack: {sack}, {next:?}");
    }
}

/// Nagle's rule must not keep both what is new and what was lost from leaving.
/// Requirement: RFC5682-P02
#[test]
fn what_is_new_and_small_leaves_all_the_same() {
    let mut config = plain();
    config.initial_window = 10;
    let mut b = Bench::open_over(RTT, config, mss(1000));
    b.write(&[0; 9500]);
    assert_eq!(b.drain().len(), 10);
    b.write(&[0; 100]);
    b.silent();
    b.until_deadline();
    assert_eq!(numbers(&b.drain()), [0]);
    b.ack(nth(1));
    assert_eq!(ranges(&b.drain()), [(nth(9) + 500, 100)]);
}

#[test]
fn it_can_be_switched_off() {
    let mut config = plain();
    config.f_rto = false;
    config.initial_window = 10;
    let mut b = Bench::open_over(RTT, config, mss(1000));
    b.write(&[0; 80_000]);
    b.drain();
    b.until_deadline();
    b.drain();
    b.ack(nth(1));
    assert_eq!(numbers(&b.drain()), [1, 2]);
}
