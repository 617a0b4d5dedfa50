//! What is resent before the timer fires (RFC 5681 §3.2, RFC 6582, RFC 6675, RFC 3042), and
//! what SACK blocks are believed (RFC 2018 §5, RFC 2883 §5).

mod common;

use common::*;
use handclasp_tcp::config::Config;
use handclasp_wire::seq::SeqNumber;

/// `n` segments of 1,000 bytes in flight, and more to send.
fn flying(config: Config, options: handclasp_wire::tcp::Options, n: u8) -> Bench {
    let mut config = config;
    config.initial_window = n;
    let mut b = Bench::open_with(config, options);
    b.write(&[0; 80_000]);
    assert_eq!(b.drain().len(), usize::from(n));
    b.advance(50 * MS);
    b
}

fn newreno(n: u8) -> Bench {
    flying(plain(), mss(1000), n)
}

fn sack(n: u8) -> Bench {
    let (config, options) = only_sack();
    flying(config, options, n)
}

/// Requirement: RFC5681-R18, RFC5681-R19, RFC3042-R01, RFC3042-R02
///
/// S3.13: the missing segment goes again before its timer.
#[test]
fn the_third_duplicate_ack_resends_the_missing_segment() {
    let mut b = newreno(10);
    let cwnd = b.conn.info().cwnd;
    for new in [10, 11] {
        b.ack(nth(0));
        assert_eq!(numbers(&b.drain()), [new], "limited transmit");
        assert_eq!(b.conn.info().cwnd, cwnd);
    }
    b.ack(nth(0));
    assert_eq!(numbers(&b.drain()), [0]);
    assert_eq!(b.conn.info().statistics.timeouts, 0);
}

/// Requirement: RFC5681-R21, RFC5681-R22, RFC5681-R23, RFC5681-R08, RFC9937-R06
///
/// S3.14.
#[test]
fn fast_recovery_halves_the_flight_as_duplicates_come_and_ends_with_half_the_window() {
    let mut b = newreno(10);
    for _ in 0..3 {
        b.ack(nth(0));
        b.drain();
    }
    assert_eq!(b.conn.info().ssthresh, 5000, "limited transmit does not count");
    // Twelve were outstanding, and five may be: from then on one leaves for each that arrived.
    for duplicates in 4..=11 {
        b.ack(nth(0));
        assert_eq!(b.drain().len(), usize::from(duplicates > 7), "duplicate {duplicates}");
    }
    b.ack(b.snd_nxt());
    assert_eq!(b.conn.info().cwnd, 5000);
    assert_eq!(b.drain().len(), 5);
}

/// Requirement: RFC3042-P04
#[test]
fn limited_transmit_respects_the_peers_window() {
    let mut b = newreno(10);
    b.peer_wnd = 10_000;
    b.ack(nth(0));
    b.ack(nth(0));
    b.silent();
}

/// Requirement: RFC3042-P05, RFC5681-R19
#[test]
fn a_window_of_three_recovers_without_a_timeout() {
    let mut b = newreno(3);
    b.ack(nth(0));
    b.ack(nth(0));
    assert_eq!(numbers(&b.drain()), [3, 4]);
    b.ack(nth(0));
    assert_eq!(numbers(&b.drain()), [0]);
}

/// Requirement: RFC5681-R20, RFC3042-R03
#[test]
fn with_sack_a_duplicate_without_news_counts_for_nothing() {
    let mut b = sack(10);
    for _ in 0..5 {
        b.ack(nth(0));
        b.silent();
    }
    for _ in 0..5 {
        b.sack(nth(0), &[(nth(1), nth(2))]);
    }
    assert_eq!(numbers(&b.drain()), [10], "one segment left the network, however often said");
}

/// Requirement: RFC5681-R19, RFC5681-R18, RFC2018-R10
#[test]
fn with_sack_three_segments_beyond_a_gap_make_a_loss() {
    let mut b = sack(10);
    for (n, sent) in [(2, vec![10]), (3, vec![11]), (4, vec![0])] {
        b.sack(nth(0), &[(nth(1), nth(n))]);
        assert_eq!(numbers(&b.drain()), sent);
    }
    assert_eq!(b.conn.info().ssthresh, 5000);
    b.sack(nth(0), &[(nth(1), nth(12))]);
    b.ack(nth(12));
    assert!(!b.drain().iter().any(|t| t.header.seq.0 < nth(12)), "only what was lost");
}

/// The peer says itself what left the network: nothing is guessed from the number of ACKs.
/// Requirement: RFC5681-R02
#[test]
fn with_sack_a_partial_ack_lets_out_no_more_than_half_the_flight() {
    let mut b = sack(10);
    b.sack(nth(0), &[(nth(1), nth(4))]);
    assert_eq!(numbers(&b.drain()), [0]);
    assert_eq!(b.conn.info().ssthresh, 5000);
    for (n, sent) in [(4, vec![10]), (5, vec![]), (6, vec![]), (7, vec![11])] {
        b.ack(nth(n));
        assert_eq!(numbers(&b.drain()), sent);
    }
}

/// The ACKs before it were lost: what it reports is enough.
/// Requirement: RFC5681-R18, RFC2018-R10
#[test]
fn with_sack_one_ack_that_reports_three_segments_makes_a_loss() {
    let mut b = sack(10);
    b.sack(nth(0), &[(nth(1), nth(3))]);
    assert!(!numbers(&b.drain()).contains(&0), "two are not enough");
    b.sack(nth(0), &[(nth(1), nth(4))]);
    assert_eq!(numbers(&b.drain())[0], 0);
}

/// Requirement: RFC2018-R10
#[test]
fn with_sack_all_holes_are_filled_in_one_round_trip_and_nothing_else() {
    let mut b = sack(14);
    let held = [(nth(9), nth(14)), (nth(5), nth(7)), (nth(2), nth(4))];
    let mut resent = vec![];
    for i in [2, 1, 0] {
        b.sack(nth(0), &held[i..]);
        resent.extend(numbers(&b.drain()).into_iter().filter(|n| *n < 14));
    }
    resent.sort_unstable();
    assert_eq!(resent, [0, 1, 4, 7, 8]);
}

/// Requirement: RFC6582-P02, RFC6582-P03, RFC6582-P04
#[test]
fn without_sack_partial_acks_repair_one_hole_each_and_cost_one_reduction() {
    let mut b = newreno(10);
    b.ack(nth(3));
    let new = b.drain();
    assert!(!new.is_empty());
    let flight = b.conn.info().in_flight;
    // 3 and 6 are lost.
    for _ in 0..3 {
        b.ack(nth(3));
        b.drain();
    }
    let ssthresh = b.conn.info().ssthresh;
    assert_eq!(ssthresh, flight / 2 / 1000 * 1000 + flight / 2 % 1000);
    b.ack(nth(6));
    let again = numbers(&b.drain());
    assert_eq!(again[0], 6, "at once");
    assert_eq!(again.iter().filter(|n| **n < 10).count(), 1);
    b.ack(b.snd_nxt());
    let info = b.conn.info();
    assert_eq!((info.cwnd, info.ssthresh), (ssthresh, ssthresh));
    assert_eq!(info.statistics.timeouts, 0);
}

/// Most ACKs are lost too, so that no window would let the next hole's segment out.
/// Requirement: RFC6582-P03
#[test]
fn a_partial_ack_resends_at_once_whatever_the_window_says() {
    let mut b = newreno(14);
    for _ in 0..3 {
        b.ack(nth(0));
        b.drain();
    }
    b.ack(nth(1));
    assert_eq!(numbers(&b.drain())[0], 1);
    b.ack(nth(2));
    assert_eq!(numbers(&b.drain())[0], 2);
}

/// Requirement: RFC6582-P06, RFC5681-R23
#[test]
fn recovery_ends_without_a_burst() {
    let mut b = newreno(10);
    for _ in 0..3 {
        b.ack(nth(0));
        b.drain();
    }
    b.ack(b.snd_nxt());
    assert!(b.drain().len() <= 5);
}

/// Requirement: RFC6582-P01, RFC6582-P07
#[test]
fn duplicate_acks_after_a_timeout_are_those_of_our_own_retransmissions() {
    let mut b = newreno(10);
    b.until_deadline();
    assert_eq!(numbers(&b.drain()), [0]);
    let cwnd = b.conn.info().cwnd;
    for _ in 0..5 {
        b.ack(nth(0));
    }
    b.silent();
    assert_eq!(b.conn.info().cwnd, cwnd);
    // All had arrived: what is resent now is doubled at the peer, which says so.
    b.ack(nth(10));
    b.drain();
    let ssthresh = b.conn.info().ssthresh;
    for _ in 0..4 {
        b.ack(nth(10));
    }
    assert!(!numbers(&b.drain()).contains(&10), "no fast retransmit");
    assert_eq!(b.conn.info().ssthresh, ssthresh);
    // Once more is acknowledged, losses are found as ever.
    b.ack(nth(11));
    b.drain();
    for _ in 0..3 {
        b.ack(nth(11));
    }
    assert!(numbers(&b.drain()).contains(&11));
}

/// Requirement: RFC5681-R18
#[test]
fn acks_with_text_or_another_window_are_no_duplicates() {
    let mut b = newreno(4);
    b.drain();
    for i in 0..5 {
        let header = b.ack_header(nth(0));
        b.arrive(header, b"text");
        b.peer_nxt += 4;
        b.ack_with_window(nth(0), 60_000 + i);
    }
    assert!(!numbers(&b.drain()).contains(&0));
    assert_eq!(b.conn.info().statistics.duplicate_acks, 0);
}

/// Requirement: RFC2018-R11, RFC2018-R12, RFC2018-R13
#[test]
fn a_peer_that_throws_away_what_it_acknowledged_selectively_gets_it_again() {
    let mut b = sack(4);
    b.shutdown();
    b.sack(nth(0), &[(nth(1), nth(4))]);
    b.drain();
    b.ack(nth(1));
    let mut got = 1;
    for _ in 0..200 {
        if got == 80 {
            break;
        }
        let mut sent = b.drain();
        if sent.is_empty() {
            b.until_deadline();
            sent = b.drain();
        }
        for t in sent {
            if t.header.seq.0 == nth(got) {
                got += 1;
                b.ack(nth(got));
            }
        }
    }
    assert_eq!(got, 80);
}

/// Requirement: RFC2018-R11
#[test]
fn a_timeout_resends_the_first_segment_though_it_was_selectively_acknowledged() {
    let mut b = sack(4);
    b.sack(nth(0), &[(nth(1), nth(2))]);
    b.drain();
    b.ack(nth(1));
    b.drain();
    b.until_deadline();
    assert_eq!(numbers(&b.drain()), [1]);
}

/// Requirement: RFC2018-P15, RFC2018-P09, RFC2883-R06, RFC2883-P08
#[test]
fn blocks_that_make_no_sense_are_ignored() {
    let mut b = sack(10);
    let before = b.conn.info();
    let end = nth(10);
    let bogus = [
        (nth(0), nth(0)),
        (nth(3), nth(2)),
        (nth(9), end + 1),
        (end, end + 1000),
        (ISS - 500, ISS - 400),
        (ISS, nth(1)),
        (nth(0) - 1, nth(4)),
        (0, u32::MAX),
    ];
    for block in bogus {
        b.sack(nth(0), &[block]);
        let info = b.conn.info();
        assert_eq!((info.in_flight, info.cwnd), (before.in_flight, before.cwnd));
    }
    b.silent();
    b.until_deadline();
    assert_eq!(numbers(&b.drain()), [0]);
}

/// Requirement: RFC2883-P08, RFC2883-R06
#[test]
fn a_report_of_something_received_twice_causes_no_resend() {
    let mut b = sack(10);
    b.ack(nth(5));
    b.drain();
    for _ in 0..5 {
        b.sack(nth(5), &[(nth(2), nth(3))]);
    }
    assert!(!numbers(&b.drain()).contains(&5));
}

/// Nobody who sends blocks of one byte may make our records grow without bound.
#[test]
fn blocks_of_one_byte_do_not_make_the_flight_list_explode() {
    let mut b = sack(14);
    for i in 0..6000 {
        let at = nth(0) + 1 + 2 * i;
        b.sack(nth(0), &[(at, at + 1)]);
        b.drain();
    }
    b.sack(nth(0), &[(nth(1), nth(14))]);
    b.drain();
    b.ack(b.snd_nxt());
    assert_eq!(b.conn.info().in_flight, 0);
    assert_eq!(SeqNumber(b.snd_nxt()), b.conn.snd_nxt());
}

/// RFC 6582 §4 leaves two variants; ours is the slow and steady one.
/// Requirement: RFC6582-P05
#[test]
fn each_partial_ack_starts_the_timer_anew() {
    let mut b = newreno(14);
    for _ in 0..3 {
        b.ack(nth(0));
        b.drain();
    }
    for n in 1..5 {
        b.advance(100 * MS);
        b.ack(nth(n));
        b.drain();
        assert_eq!(b.conn.next_deadline(), Some(b.now + b.conn.info().rto));
    }
    assert_eq!(b.conn.info().statistics.timeouts, 0);
}
