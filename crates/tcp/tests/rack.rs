//! Losses told by time (RACK, RFC 8985 §6).

mod common;

use std::time::Duration;

use common::*;
use handclasp_tcp::Config;
use handclasp_wire::tcp::Options;

/// The path's round trip in all of these.
const RTT: Duration = Duration::from_millis(100);

/// Both sides speak SACK; only losses told by time are of interest here.
fn settings() -> (Config, Options) {
    let (mut config, options) = only_sack();
    config.tail_loss_probes = false;
    config.initial_window = 20;
    (config, options)
}

fn open() -> Bench {
    let (config, options) = settings();
    Bench::open_over(RTT, config, options)
}

/// The same with timestamps.
fn open_stamped() -> Bench {
    let (mut config, mut options) = settings();
    config.timestamps = true;
    options.timestamps = modern().timestamps;
    Bench::open_over(RTT, config, options)
}

/// Sends `n` more segments, all at once.
fn send(b: &mut Bench, n: usize) {
    assert_eq!(b.write(&vec![0; 1000 * n]), 1000 * n);
    let sent = b.drain();
    assert_eq!(sent.iter().map(|t| t.payload_len()).sum::<usize>(), 1000 * n);
}

/// `n` segments in flight for a round trip.
fn flying(n: usize) -> Bench {
    let mut b = open();
    send(&mut b, n);
    b.advance(RTT);
    b
}

/// Two segments leave and only the second arrives; returns how long the first is waited for
/// beyond a round trip before it is sent again.
fn patience(b: &mut Bench) -> Duration {
    let una = b.una();
    send(b, 2);
    b.advance(RTT);
    b.sack(una, &[(una + 1000, una + 2000)]);
    b.silent();
    let waited = b.until_deadline();
    let again = ranges(&b.drain());
    assert_eq!(again, [(una, 1000)], "after {waited:?}");
    waited
}

/// As [`patience`]; then the first turns out to have arrived twice.
fn patience_in_vain(b: &mut Bench) -> Duration {
    let waited = patience(b);
    b.advance(RTT);
    let end = b.snd_nxt();
    b.sack(end, &[(end - 2000, end - 1000)]);
    b.silent();
    waited
}

/// As [`patience`]; then the first arrives once.
fn patience_rewarded(b: &mut Bench) -> Duration {
    let waited = patience(b);
    b.advance(RTT);
    b.ack(b.snd_nxt());
    b.silent();
    waited
}

/// Requirement: RFC8985-R01, RFC8985-P09, RFC8985-R12
#[test]
fn a_hole_below_little_is_waited_for_a_quarter_of_the_least_round_trip() {
    let mut b = open();
    assert_eq!(patience(&mut b), RTT / 4);
    assert_eq!(b.conn.info().recovery.sack_recoveries, 1);
    assert_eq!(b.conn.info().statistics.timeouts, 0);
}

/// Requirement: RFC8985-R01, RFC8985-P09
#[test]
fn a_hole_below_three_segments_is_lost_at_once_where_no_reordering_was_seen() {
    let mut b = flying(10);
    b.sack(nth(0), &[(nth(1), nth(3))]);
    b.silent();
    b.sack(nth(0), &[(nth(1), nth(4))]);
    assert_eq!(numbers(&b.drain()), [0]);
}

/// Small segments count as those they are.
/// Requirement: RFC8985-R01
#[test]
fn three_small_segments_beyond_a_hole_are_three() {
    let (mut config, options) = settings();
    config.nodelay = true;
    let mut b = Bench::open_over(RTT, config, options);
    for _ in 0..4 {
        b.write(&[0; 100]);
        b.drain();
    }
    b.advance(RTT);
    for (n, sent) in [(200, 0), (300, 0), (400, 1)] {
        b.sack(nth(0), &[(nth(0) + 100, nth(0) + n)]);
        assert_eq!(b.drain().len(), sent, "{n}");
    }
}

/// Requirement: RFC8985-R01
#[test]
fn during_recovery_no_hole_is_waited_for() {
    let mut b = flying(10);
    b.sack(nth(0), &[(nth(1), nth(4))]);
    assert_eq!(numbers(&b.drain()), [0]);
    b.sack(nth(0), &[(nth(5), nth(6)), (nth(1), nth(4))]);
    assert_eq!(b.conn.info().lost, 1000, "one segment beyond it is enough");
    b.sack(nth(0), &[(nth(5), nth(7)), (nth(1), nth(4))]);
    assert_eq!(numbers(&b.drain()), [4]);
}

/// Requirement: RFC8985-P08, RFC8985-R23, RFC8985-R01
#[test]
fn what_arrives_below_the_highest_shows_that_the_path_reorders() {
    let mut b = flying(10);
    assert!(!b.conn.info().reorders);
    b.sack(nth(0), &[(nth(2), nth(3))]);
    assert!(!b.conn.info().reorders, "a hole alone does not");
    b.sack(nth(0), &[(nth(1), nth(3))]);
    assert!(b.conn.info().reorders);
    assert_eq!(b.conn.info().recovery.reorderings, 1);
    // From now on no number of segments beyond a hole makes it lost before its time.
    b.sack(nth(0), &[(nth(1), nth(9))]);
    b.silent();
    assert_eq!(b.until_deadline(), RTT / 4);
    assert_eq!(numbers(&b.drain()), [0]);
}

/// Requirement: RFC8985-P08
#[test]
fn a_hole_that_a_retransmission_filled_shows_no_reordering() {
    let mut b = flying(10);
    b.sack(nth(0), &[(nth(1), nth(5))]);
    assert_eq!(numbers(&b.drain()), [0]);
    b.advance(RTT);
    b.ack(nth(5));
    b.ack(nth(10));
    assert!(!b.conn.info().reorders);
}

/// Requirement: RFC8985-R02, RFC8985-R06, RFC8985-R03
#[test]
fn each_round_with_a_duplicate_widens_the_window_up_to_the_smoothed_round_trip() {
    let mut b = open();
    for expected in [25, 50, 75, 100, 100, 100] {
        assert_eq!(patience_in_vain(&mut b), expected * MS);
    }
    assert_eq!(b.conn.info().recovery.dsacks_received, 6);
}

/// Requirement: RFC8985-R02
#[test]
fn several_duplicates_of_one_round_trip_widen_the_window_once() {
    let mut b = flying(6);
    b.sack(nth(0), &[(nth(3), nth(6))]);
    assert_eq!(numbers(&b.drain())[..2], [0, 1]);
    b.drain();
    // They had only been late, and arrive twice.
    b.sack(nth(1), &[(nth(0), nth(1)), (nth(3), nth(6))]);
    b.sack(nth(2), &[(nth(1), nth(2)), (nth(3), nth(6))]);
    b.drain();
    b.ack(b.snd_nxt());
    b.drain();
    while b.conn.info().in_flight > 0 {
        b.ack(b.snd_nxt());
        b.drain();
    }
    assert_eq!(patience(&mut b), 50 * MS);
}

/// Requirement: RFC8985-P13
#[test]
fn the_window_narrows_again_after_sixteen_recoveries_without_a_duplicate() {
    let mut b = open();
    patience_in_vain(&mut b);
    patience_in_vain(&mut b);
    for recovery in 0..16 {
        assert_eq!(patience_rewarded(&mut b), 75 * MS, "recovery {recovery}");
    }
    assert_eq!(patience_rewarded(&mut b), 25 * MS);
}

/// Requirement: RFC8985-R04
#[test]
fn without_sack_nothing_is_lost_by_time() {
    let mut b = Bench::open_over(RTT, plain(), mss(1000));
    send(&mut b, 4);
    b.advance(RTT);
    b.ack(nth(0));
    b.ack(nth(0));
    assert_eq!(b.until_deadline(), b.conn.info().rto / 2 - RTT, "only the timeout is set");
    assert_eq!(b.conn.info().statistics.timeouts, 1);
}

/// Requirement: RFC8985-R05, RFC8985-R23
#[test]
fn where_the_clock_is_coarse_losses_are_told_by_sack_blocks() {
    for (tick, by_time) in [(24, true), (25, true), (26, false), (200, false)] {
        let (mut config, options) = settings();
        config.clock_granularity = tick * MS;
        let mut b = Bench::open_over(RTT, config, options);
        send(&mut b, 4);
        b.advance(RTT);
        b.sack(nth(0), &[(nth(1), nth(2))]);
        b.until_deadline();
        assert_eq!(b.conn.info().statistics.timeouts, u64::from(!by_time), "{tick} ms");
    }
}

/// A segment that left 40 ms before a retransmission must not look as if it had been overtaken
/// by that one, when in truth the ACK was for the original.
/// Requirement: RFC8985-P07
#[test]
fn an_ack_to_the_original_says_nothing_about_the_retransmission() {
    for stamps in [false, true] {
        let mut b = if stamps { open_stamped() } else { open() };
        send(&mut b, 5);
        b.advance(60 * MS);
        send(&mut b, 1);
        b.advance(40 * MS);
        b.ack_for(RTT, nth(0), &[(nth(1), nth(5))]);
        assert_eq!(numbers(&b.drain()), [0]);
        b.advance(5 * MS);
        // Too soon, and with an echo of the first time.
        b.ack_for(RTT + 5 * MS, nth(5), &[]);
        b.silent();
        assert_eq!(b.conn.info().lost, 0, "stamps: {stamps}");
    }
}

/// Requirement: RFC8985-P10, RFC8985-R25, RFC5681-R28, RFC9937-R02
///
/// Reductions count, not how often something is lost: proportional rate reduction needs none
/// for what is lost again.
#[test]
fn a_retransmission_that_is_lost_again_is_found_out_by_time_too() {
    let mut b = open();
    b.write(&[0; 40_000]);
    b.drain();
    b.advance(RTT);
    b.sack(nth(0), &[(nth(1), nth(15))]);
    let sent = numbers(&b.drain());
    assert_eq!(sent[0], 0);
    assert!(sent.len() > 1, "new data left behind it: {sent:?}");
    let ssthresh = b.conn.info().ssthresh;
    b.advance(MS);
    b.sack(nth(0), &[(nth(1), nth(20))]);
    let new = b.drain();
    assert!(!new.is_empty());
    b.advance(RTT);
    b.sack(nth(0), &[(nth(1), nth(20 + sent.len() as u32))]);
    assert_eq!(numbers(&b.drain())[0], 0, "again");
    let info = b.conn.info();
    assert_eq!((info.recovery.lost_retransmits, info.statistics.timeouts), (1, 0));
    assert_eq!(info.ssthresh, ssthresh, "the window was reduced for this flight");
}

/// Requirement: RFC8985-P14
#[test]
fn a_timeout_makes_the_first_segment_lost_and_what_had_time_to_arrive() {
    let mut b = open();
    send(&mut b, 2);
    b.advance(250 * MS);
    send(&mut b, 1);
    assert_eq!(b.until_deadline(), 50 * MS);
    assert_eq!(numbers(&b.drain()), [0]);
    let info = b.conn.info();
    assert_eq!((info.statistics.timeouts, info.lost, info.in_flight), (1, 1000, 3000));
}

/// Requirement: RFC8985-P14
#[test]
fn a_timeout_makes_the_first_segment_lost_however_lately_it_left() {
    let mut b = open();
    send(&mut b, 2);
    b.advance(RTT);
    b.sack(nth(0), &[(nth(1), nth(2))]);
    b.until_deadline();
    assert_eq!(numbers(&b.drain()), [0]);
    b.until_deadline();
    assert_eq!(numbers(&b.drain()), [0]);
    assert_eq!(b.conn.info().statistics.timeouts, 1);
}

/// Requirement: RFC8985-R22
#[test]
fn the_reordering_timer_takes_the_place_of_the_timeout_and_gives_it_back() {
    let mut b = flying(2);
    let rto = b.conn.info().rto;
    b.sack(nth(0), &[(nth(1), nth(2))]);
    assert_eq!(b.conn.next_deadline(), Some(b.now + RTT / 4));
    assert_eq!(b.until_deadline(), RTT / 4);
    assert_eq!(numbers(&b.drain()), [0]);
    assert!(b.conn.next_deadline() >= Some(b.now + rto.min(b.conn.info().rto)));
    assert_eq!(b.conn.next_deadline(), Some(b.now + b.conn.info().rto));
}

/// Requirement: RFC8985-R24
#[test]
fn much_that_is_lost_at_once_is_sent_again_bit_by_bit() {
    let mut b = flying(20);
    b.sack(nth(0), &[(nth(17), nth(20))]);
    let info = b.conn.info();
    assert_eq!(info.lost, 17_000);
    let mut again = b.drain().len();
    assert!(again <= 3, "no more than arrived: {again}");
    for n in 1..=10 {
        b.advance(MS);
        b.sack(nth(n), &[(nth(17), nth(20))]);
        let sent = b.drain().len();
        assert!(sent <= 2, "{sent} after ACK {n}");
        again += sent;
    }
    assert!(again <= 3 + 2 * 10);
}

/// What was lost goes again once each, in one round trip, whatever its number.
/// Requirement: RFC2018-R10
#[test]
fn every_hole_is_filled_once_and_nothing_else_is_sent_again() {
    let mut b = flying(20);
    let missing = [0, 3, 4, 9, 15];
    let mut again = Vec::new();
    let mut blocks: Vec<(u32, u32)> = Vec::new();
    for n in (0..20).filter(|n| !missing.contains(n)) {
        match blocks.first_mut() {
            Some(last) if last.1 == nth(n) => last.1 = nth(n + 1),
            _ => blocks.insert(0, (nth(n), nth(n + 1))),
        }
        b.sack(nth(0), &blocks[..blocks.len().min(4)]);
        again.extend(numbers(&b.drain()));
    }
    again.retain(|n| *n < 20);
    again.sort_unstable();
    assert_eq!(again, missing);
}

/// Requirement: RFC8985-R05
#[test]
fn pieces_of_one_burst_are_told_apart_by_their_place() {
    let mut b = open();
    b.burst = 60_000;
    b.write(&[0; 10_000]);
    assert_eq!(b.drain().len(), 1, "one burst");
    b.advance(RTT);
    b.sack(nth(0), &[(nth(1), nth(4))]);
    let again = ranges(&b.drain());
    assert_eq!(again, [(nth(0), 1000)], "what lies behind the newest is under way");
}
