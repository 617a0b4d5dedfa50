//! What a sender makes of SACK: what it counts as under way, what as lost, and until when
//! (RFC 6675), where RACK does not find it.

mod common;

use common::*;
use handclasp_wire::tcp::Flags;

/// `n` segments of 1,000 bytes in flight, and more to send; each octet tells its place.
fn flying(n: u8) -> Bench {
    let (mut config, options) = only_sack();
    config.initial_window = n;
    config.rack = false;
    config.f_rto = false;
    let mut b = Bench::open_with(config, options);
    let data: Vec<u8> = (0..80_000u32).map(|i| (i / 7) as u8).collect();
    b.write(&data);
    assert_eq!(b.drain().len(), usize::from(n));
    b.advance(50 * MS);
    b
}

/// The peer holds the segments `from..to`.
fn hold(b: &mut Bench, from: u32, to: u32) -> Vec<u32> {
    b.sack(nth(0), &[(nth(from), nth(to))]);
    numbers(&b.drain())
}

/// Requirement: RFC6675-R01
#[test]
fn what_was_only_selectively_acknowledged_is_still_there_to_be_sent_again() {
    let mut b = flying(10);
    hold(&mut b, 1, 10);
    // The peer got the first again, and threw the others away.
    b.ack(nth(1));
    b.until_deadline();
    let again = b.next().unwrap();
    assert_eq!(numbers(std::slice::from_ref(&again)), [1]);
    let expected: Vec<u8> = (1000..2000u32).map(|i| (i / 7) as u8).collect();
    assert_eq!(text(&again), expected);
}

/// A peer that misses some segments and says so for each it gets; what it is sent again is lost
/// too. Nothing leaves that the window has no room for, and nothing stays that it has room for.
/// Requirement: RFC6675-R02, RFC6675-R11
#[test]
fn the_congestion_window_bounds_and_fills_what_is_believed_under_way() {
    let mut b = flying(14);
    let missing = [0, 4];
    let mut resent = 0;
    let mut held: Vec<u32> = Vec::new();
    for arrives in (1..14).filter(|n| !missing.contains(n)) {
        held.push(arrives);
        let first = held.iter().rev().scan(arrives + 1, |above, n| {
            *above -= 1;
            (*n == *above).then_some(*n)
        });
        let from = first.last().unwrap();
        let blocks = [(nth(from), nth(arrives + 1)), (nth(1), nth(4))];
        b.sack(nth(0), &blocks[..1 + usize::from(from > 1)]);
        let sent = numbers(&b.drain());
        resent += sent.iter().filter(|n| missing.contains(n)).count() as u32;
        // More than two segments above it make a segment lost.
        let above = |n: u32| held.iter().filter(|held| **held > n).count();
        let lost = missing.iter().filter(|n| above(**n) > 2).count() as u32;
        let info = b.conn.info();
        let under_way = info.in_flight - 1000 * (held.len() as u32 + lost - resent);
        let free = sent.is_empty() || sent == [0];
        assert!(under_way <= info.cwnd || free, "{arrives}: {sent:?} {under_way} {info:?}");
        assert!(under_way + 1000 > info.cwnd, "{arrives}: {under_way} {info:?}");
    }
    assert_eq!(resent, 2);
}

/// Requirement: RFC6675-P03
#[test]
fn three_islands_above_a_hole_make_it_lost_however_small_they_are() {
    let mut b = flying(10);
    let island = |n: u32| (nth(n), nth(n) + 1);
    b.sack(nth(0), &[island(3), island(5)]);
    assert!(!numbers(&b.drain()).contains(&0), "two do not");
    b.sack(nth(0), &[island(7), island(3), island(5)]);
    assert_eq!(numbers(&b.drain())[..1], [0], "and three do");
    assert_eq!(b.conn.info().statistics.timeouts, 0);
}

/// Requirement: RFC6675-P03
#[test]
fn two_segments_above_a_hole_are_no_loss_and_a_byte_more_is() {
    let mut b = flying(10);
    assert!(!hold(&mut b, 1, 3).contains(&0));
    b.sack(nth(0), &[(nth(1), nth(3) + 1)]);
    assert_eq!(numbers(&b.drain())[..1], [0]);
}

/// Requirement: RFC6675-R12
#[test]
fn the_first_two_duplicates_let_a_new_segment_out_each() {
    let mut b = flying(10);
    let cwnd = b.conn.info().cwnd;
    assert_eq!(hold(&mut b, 1, 2), [10]);
    assert_eq!(hold(&mut b, 1, 3), [11]);
    assert_eq!(b.conn.info().cwnd, cwnd);
}

/// Requirement: RFC6675-P16, RFC6675-R07
#[test]
fn news_counts_on_segments_with_text_and_with_another_window_too() {
    let mut b = flying(10);
    for n in 2..=4 {
        let mut header = b.ack_header(nth(0));
        header.options.sack = sack_blocks(&[(nth(1), nth(n))]);
        header.flags |= Flags::PSH;
        header.window = 60_000 + n as u16;
        b.arrive(header, b"text");
        b.peer_nxt += 4;
        let resent = numbers(&b.drain()).contains(&0);
        assert_eq!(resent, n == 4);
    }
}

/// Requirement: RFC6675-R07
#[test]
fn what_is_reported_during_recovery_is_not_sent_again() {
    let mut b = flying(10);
    // 0 and 5 are missing.
    hold(&mut b, 1, 5);
    b.sack(nth(0), &[(nth(6), nth(10)), (nth(1), nth(5))]);
    b.drain();
    b.ack(nth(5));
    b.sack(nth(5), &[(nth(6), nth(12))]);
    let mut later = numbers(&b.drain());
    later.retain(|n| *n < 12);
    assert!(later.is_empty(), "{later:?} was reported or is on its way");
}

/// Requirement: RFC6675-R08
#[test]
fn an_acknowledgment_that_moves_on_begins_the_count_anew() {
    let mut b = flying(10);
    hold(&mut b, 1, 3);
    b.ack(nth(3));
    b.drain();
    b.sack(nth(3), &[(nth(4), nth(5))]);
    assert!(!numbers(&b.drain()).contains(&3), "the first, not the third");
}

/// Requirement: RFC6675-R09, RFC6675-R10
#[test]
fn recovery_halves_once_and_lasts_until_all_that_was_under_way_is_acknowledged() {
    let mut b = flying(10);
    // 0, 4 and 9 are missing; two new segments leave meanwhile.
    hold(&mut b, 1, 2);
    hold(&mut b, 1, 3);
    assert_eq!(hold(&mut b, 1, 4), [0], "at once");
    assert_eq!(b.conn.info().ssthresh, 5000, "half of ten");
    b.sack(nth(0), &[(nth(5), nth(9)), (nth(1), nth(4))]);
    b.drain();
    b.ack(nth(4));
    b.drain();
    b.ack(nth(9));
    b.drain();
    for n in 11..=12 {
        b.sack(nth(9), &[(nth(10), nth(n))]);
        b.drain();
    }
    let info = b.conn.info();
    assert_eq!((info.ssthresh, info.statistics.timeouts), (5000, 0), "no second reduction");
    b.ack(b.snd_nxt());
    assert_eq!(b.conn.info().cwnd, 5000);
    b.drain();
    // A loss after that is another one.
    let una = b.snd_nxt() - b.conn.info().in_flight;
    b.sack(una, &[(una + 1000, una + 4000)]);
    assert!(b.conn.info().ssthresh < 5000);
}

/// Requirement: RFC6675-R13
#[test]
fn after_a_timeout_losses_of_the_same_flight_are_no_second_signal() {
    let mut b = flying(10);
    b.until_deadline();
    assert_eq!(numbers(&b.drain()), [0]);
    let ssthresh = b.conn.info().ssthresh;
    b.ack(nth(1));
    b.drain();
    b.sack(nth(1), &[(nth(2), nth(6))]);
    b.drain();
    b.ack(nth(8));
    b.drain();
    let info = b.conn.info();
    assert_eq!(info.ssthresh, ssthresh);
    assert!(info.cwnd <= ssthresh, "slow start goes on: {info:?}");
}

/// Requirement: RFC6675-R14
#[test]
fn after_a_timeout_what_the_peer_reports_is_not_sent_again() {
    let mut b = flying(10);
    b.until_deadline();
    b.drain();
    b.sack(nth(1), &[(nth(2), nth(9))]);
    let mut again = numbers(&b.drain());
    for _ in 0..3 {
        b.ack(nth(2).max(b.snd_nxt() - b.conn.info().in_flight));
        again.extend(numbers(&b.drain()));
    }
    assert!(again.contains(&1), "{again:?}");
    assert!(!again.iter().any(|n| (2..9).contains(n)), "{again:?}");
}

/// All that was written is in flight: nothing new can be sent.
fn flying_to_the_end(n: u8) -> Bench {
    let (mut config, options) = only_sack();
    config.initial_window = n;
    config.rack = false;
    let mut b = Bench::open_with(config, options);
    b.write(&vec![0; 1000 * usize::from(n)]);
    assert_eq!(b.drain().len(), usize::from(n));
    b.advance(50 * MS);
    b
}

/// Requirement: RFC6675-R04, RFC6675-R05
#[test]
fn when_nothing_else_is_left_holes_go_again_though_they_are_not_known_to_be_lost() {
    let mut b = flying_to_the_end(14);
    // Two segments beyond 8 and 9 are too little to know them as lost.
    b.sack(nth(0), &[(nth(10), nth(12)), (nth(1), nth(8))]);
    let mut again = numbers(&b.drain());
    for n in 1..4 {
        b.sack(nth(n), &[(nth(10), nth(12)), (nth(1), nth(8))]);
        again.extend(numbers(&b.drain()));
    }
    assert_eq!(again[..3], [0, 8, 9], "before the timer");
}

/// Requirement: RFC6675-R04, RFC6675-R06
#[test]
fn once_in_a_recovery_the_last_segment_goes_again_to_keep_acks_coming() {
    let mut b = flying_to_the_end(10);
    b.sack(nth(0), &[(nth(1), nth(4))]);
    assert_eq!(numbers(&b.drain()), [0]);
    let mut again = Vec::new();
    for n in 5..=8 {
        b.sack(nth(0), &[(nth(1), nth(n))]);
        again.extend(numbers(&b.drain()));
    }
    assert_eq!(again, [9], "the rescue, once");
    b.ack(nth(8));
    assert_eq!(numbers(&b.drain()), [0; 0]);
    assert_eq!(b.conn.info().statistics.timeouts, 0);
}

/// What was resent has as much time to be acknowledged as what is sent for the first time.
/// Requirement: RFC6675-R15
#[test]
fn the_first_of_the_flight_sent_again_starts_the_timer_anew() {
    let mut b = flying(10);
    b.advance(100 * MS);
    assert_eq!(hold(&mut b, 1, 4), [0]);
    assert_eq!(b.conn.next_deadline(), Some(b.now + b.conn.info().rto));
}
