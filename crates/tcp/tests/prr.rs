//! How much leaves while losses are repaired: proportional rate reduction on a connection
//! (RFC 9937).

mod common;

use std::time::Duration;

use common::*;
use handclasp_tcp::Config;

const RTT: Duration = Duration::from_millis(100);

/// `n` segments in flight for a round trip, and more to send.
fn flying(n: u8, sack: bool) -> Bench {
    let (mut config, options): (Config, _) = if sack { only_sack() } else { (plain(), mss(1000)) };
    config.initial_window = n;
    config.send_buffer_start = 1 << 20;
    let mut b = Bench::open_over(RTT, config, options);
    b.write(&[0; 500_000]);
    assert_eq!(b.drain().len(), usize::from(n));
    b.advance(RTT);
    b
}

/// What is believed to be under way.
fn inflight(b: &Bench) -> u32 {
    let info = b.conn.info();
    info.in_flight - info.sacked - info.lost
}

/// Of the segments from `una` on, twenty or more, the first is lost and the others arrive one by
/// one; returns how many leave after each.
fn recover_from_one_loss(b: &mut Bench) -> Vec<usize> {
    let una = b.una();
    let end = b.snd_nxt();
    let mut left = Vec::new();
    let mut at = una + 2000;
    while at <= end {
        b.sack(una, &[(una + 1000, at)]);
        left.push(b.drain().len());
        at += 1000;
    }
    left
}

/// Requirement: RFC9937-R01, RFC9937-P04, RFC9937-P08, RFC9937-P11, RFC9937-R03
///
/// Two segments were reported before the third began recovery, and let two out: what counts as
/// in flight then is twenty, of which ten are to be left.
#[test]
fn one_segment_leaves_for_every_second_that_arrives() {
    let mut b = flying(20, true);
    let first = recover_from_one_loss(&mut b);
    assert_eq!(b.conn.info().ssthresh, 10_000);
    assert_eq!(first[..3], [1, 1, 1], "limited transmit twice, and the fast retransmit");
    let expected: Vec<usize> = (2..=15).map(|n| usize::from(n % 2 == 0 && n > 2)).collect();
    assert_eq!(first[3..17], expected, "{first:?}");
}

/// Requirement: RFC9937-R03, RFC9937-P13
#[test]
fn each_recovery_begins_anew_and_ends_with_the_threshold() {
    let mut b = flying(20, true);
    for _ in 0..3 {
        let sent = recover_from_one_loss(&mut b);
        let info = b.conn.info();
        assert!(sent[..5].iter().sum::<usize>() <= 5, "{sent:?}");
        b.advance(RTT);
        b.ack(b.snd_nxt());
        let after = b.conn.info();
        assert_eq!((after.cwnd, after.ssthresh), (info.ssthresh, info.ssthresh));
        b.drain();
        b.advance(RTT);
        for _ in 0..40 {
            // It grows again, to be reduced again.
            b.ack(b.una() + 1000);
            b.drain();
        }
    }
    assert_eq!(b.conn.info().recovery.sack_recoveries, 3);
}

/// Requirement: RFC9937-R05, RFC9937-P12, RFC9937-P07
#[test]
fn the_window_is_what_is_under_way_and_what_may_leave() {
    let mut b = flying(20, true);
    // 0 and 7 are missing. Seventeen arrive of those that were in flight.
    let mut held: Vec<(u32, u32)> = Vec::new();
    let (mut delivered, mut out) = (0, 0);
    for n in (1..20).filter(|n| *n != 7) {
        match held.first_mut() {
            Some(run) if run.1 == nth(n) => run.1 = nth(n + 1),
            _ => held.insert(0, (nth(n), nth(n + 1))),
        }
        b.sack(nth(0), &held);
        if n < 3 {
            b.drain();
            continue;
        }
        delivered += 1000;
        let (cwnd, pipe) = (b.conn.info().cwnd, inflight(&b));
        let share = (delivered * 10_000u32).div_ceil(20_000).saturating_sub(out);
        let expected = match pipe > 10_000 {
            true => share,
            false => 10_000 - pipe,
        };
        let expected = if out == 0 { expected.max(1000) } else { expected };
        assert_eq!(cwnd - pipe, expected, "segment {n}");
        out += 1000 * b.drain().len() as u32;
    }
}

/// Twelve of twenty are lost: what is left is less than the threshold, and slow start brings it
/// there while ACKs are safe.
/// Requirement: RFC9937-P09, RFC9937-P10, RFC9937-P15
#[test]
fn after_heavy_loss_a_segment_more_leaves_for_each_safe_ack_and_none_more_for_others() {
    let mut b = flying(20, true);
    b.sack(nth(0), &[(nth(12), nth(20))]);
    assert_eq!(b.conn.info().lost, 12_000);
    // Eight arrived and eight may leave, from an empty path.
    let first = b.drain().len();
    assert_eq!(first, 8);
    assert_eq!(inflight(&b), 8000);
    b.advance(RTT);
    b.ack(nth(1));
    assert_eq!(b.drain().len(), 2, "one arrived, and the ACK is safe");
    b.ack(nth(2));
    assert_eq!(b.drain().len(), 2);
    b.ack(nth(3));
    assert_eq!(b.drain().len(), 1, "the threshold is reached");
    assert_eq!(inflight(&b), 10_000);
}

/// Where ACKs are read together, nothing is sent between them: the flight is not as small as it
/// looks to the last of them.
#[test]
fn a_loss_that_a_bunch_of_acks_shows_halves_the_flight_before_the_bunch() {
    let mut b = flying(20, true);
    for n in 1..=14 {
        b.ack(nth(n));
    }
    for n in 16..=18 {
        b.sack(nth(14), &[(nth(15), nth(n))]);
    }
    assert_eq!(b.conn.info().ssthresh, 10_000);
    let sent = numbers(&b.drain());
    assert_eq!(sent[0], 14);
    assert!((6..=8).contains(&sent.len()), "{sent:?}");
    assert!(inflight(&b) <= 10_000);
}

/// Requirement: RFC9937-R06
#[test]
fn without_sack_duplicates_beyond_what_was_in_flight_let_nothing_out() {
    let mut b = flying(20, false);
    let mut left = 0;
    for _ in 0..200 {
        b.ack(nth(0));
        left += b.drain().len();
    }
    // Two by limited transmit, the retransmission, and ten in the end.
    assert!(left <= 2 + 1 + 22, "{left}");
    for _ in 0..200 {
        b.ack(nth(0));
        b.silent();
    }
}
