//! Tail loss probes (TLP, RFC 8985 §7): a lost tail costs two round trips, not a timeout.

mod common;

use std::time::Duration;

use common::*;
use handclasp_tcp::Config;

const RTT: Duration = Duration::from_millis(100);
/// RFC 6298 §2.2 after one measurement.
const RTO: Duration = Duration::from_millis(300);

fn open_with(change: impl FnOnce(&mut Config)) -> Bench {
    let (mut config, options) = only_sack();
    config.initial_window = 20;
    change(&mut config);
    Bench::open_over(RTT, config, options)
}

fn open() -> Bench {
    open_with(|_| {})
}

/// `n` segments in flight and nothing more to send.
fn flying(n: usize) -> Bench {
    let mut b = open();
    b.write(&vec![0; 1000 * n]);
    assert_eq!(b.drain().len(), n);
    b
}

/// Requirement: RFC8985-P16, RFC8985-R15
#[test]
fn a_probe_follows_after_two_round_trips_without_an_ack() {
    let mut b = flying(5);
    assert_eq!(b.until_deadline(), 2 * RTT);
    assert_eq!(numbers(&b.drain()), [4]);
    let info = b.conn.info();
    assert_eq!((info.recovery.loss_probes, info.statistics.timeouts), (1, 0));
}

/// Requirement: RFC8985-P16
#[test]
fn a_lone_segment_is_given_the_time_of_a_delayed_ack_more() {
    let mut b = open_with(|config| config.rto_min = SECOND);
    b.write(&[0; 1000]);
    b.drain();
    assert_eq!(b.until_deadline(), 2 * RTT + 200 * MS);
    assert_eq!(numbers(&b.drain()), [0]);
}

/// Requirement: RFC8985-P16
#[test]
fn a_probe_is_never_later_than_the_timeout_would_be() {
    let mut b = flying(1);
    assert_eq!(b.until_deadline(), RTO);
    b.drain();
    let info = b.conn.info();
    assert_eq!((info.recovery.loss_probes, info.statistics.timeouts), (1, 0));
}

/// Requirement: RFC8985-P16
#[test]
fn without_a_measurement_a_probe_waits_a_second() {
    let (config, options) = only_sack();
    let mut b = Bench::connecting(config);
    b.drain();
    b.until_deadline();
    b.drain();
    b.syn_ack(options);
    b.drain();
    assert_eq!(b.conn.info().rtt, None);
    b.write(&[0; 2000]);
    b.drain();
    assert_eq!(b.until_deadline(), SECOND);
    assert_eq!(b.drain().len(), 1);
    assert_eq!(b.conn.info().statistics.timeouts, 0);
    assert_eq!(b.conn.info().recovery.loss_probes, 1);
}

/// Requirement: RFC8985-R15
#[test]
fn new_data_and_acks_of_it_begin_the_wait_anew() {
    let mut b = flying(5);
    b.advance(50 * MS);
    b.write(&[0; 1000]);
    b.drain();
    assert_eq!(b.conn.next_deadline(), Some(b.now + 2 * RTT));
    b.advance(50 * MS);
    b.ack(nth(3));
    let wait = 2 * b.conn.info().rtt.unwrap();
    assert_eq!(b.conn.next_deadline(), Some(b.now + wait));
}

/// Whoever writes a little again and again must not put the probe off for ever.
/// Requirement: RFC8985-P16
#[test]
fn new_data_does_not_put_a_probe_off_beyond_the_timeout() {
    let mut b = open_with(|config| config.nodelay = true);
    let start = b.now;
    loop {
        b.write(b"x");
        b.drain();
        if b.conn.next_deadline() <= Some(b.now + 50 * MS) {
            break;
        }
        b.advance(50 * MS);
        assert!(b.now - start <= RTO);
    }
    assert_eq!(b.conn.next_deadline(), Some(start + RTO));
}

/// Requirement: RFC8985-R15
#[test]
fn no_probe_is_scheduled_where_something_lies_beyond_a_gap() {
    let mut b = flying(5);
    b.advance(RTT);
    b.sack(nth(0), &[(nth(3), nth(4))]);
    b.until_deadline();
    b.drain();
    b.watch(SECOND);
    assert_eq!(b.conn.info().recovery.loss_probes, 0);
    assert!(b.conn.info().statistics.timeouts > 0);
}

/// Requirement: RFC8985-R18
#[test]
fn a_probe_is_new_data_where_there_is_some() {
    let mut b = open_with(|config| config.initial_window = 3);
    b.write(&[0; 10_000]);
    assert_eq!(b.drain().len(), 3);
    assert_eq!(b.until_deadline(), 2 * RTT);
    assert_eq!(numbers(&b.drain()), [3], "beyond the congestion window");
}

/// Requirement: RFC8985-R18
#[test]
fn a_probe_is_the_last_segment_where_the_peers_window_takes_no_more() {
    let (mut config, options) = only_sack();
    config.initial_window = 20;
    let mut b = Bench::connecting(config);
    b.peer_wnd = 3000;
    b.drain();
    b.advance(RTT);
    b.syn_ack(options);
    b.drain();
    b.write(&[0; 10_000]);
    assert_eq!(b.drain().len(), 3);
    b.until_deadline();
    assert_eq!(numbers(&b.drain()), [2]);
}

/// Requirement: RFC8985-R18
#[test]
fn the_last_segment_of_a_burst_is_the_probe_with_its_fin() {
    let mut b = open();
    b.burst = 60_000;
    b.write(&[0; 4500]);
    b.shutdown();
    assert_eq!(ranges(&b.drain()), [(nth(0), 4500)]);
    b.until_deadline();
    let probe = b.one();
    assert_eq!((probe.header.seq.0, probe.payload_len()), (nth(4), 500));
    assert_eq!(flags(&probe), "FP.");
}

/// Requirement: RFC8985-R17, RFC8985-R19
#[test]
fn after_a_probe_comes_the_timeout_not_another_probe() {
    let mut b = flying(5);
    b.until_deadline();
    b.drain();
    assert_eq!(b.until_deadline(), RTO);
    assert_eq!(numbers(&b.drain()), [0]);
    let info = b.conn.info();
    assert_eq!((info.recovery.loss_probes, info.statistics.timeouts), (1, 1));
}

/// Requirement: RFC8985-R17
#[test]
fn without_a_round_trip_since_the_last_probe_none_is_sent() {
    let mut b = flying(1);
    b.until_deadline();
    b.drain();
    b.advance(RTT);
    // It was sent twice: this ACK measures nothing.
    b.ack(nth(1));
    b.write(&[0; 1000]);
    b.drain();
    b.until_deadline();
    assert_eq!(b.conn.info().statistics.timeouts, 1);
    b.drain();
    b.ack(nth(2));
    b.write(&[0; 1000]);
    b.drain();
    b.advance(RTT);
    b.ack(nth(3));
    b.write(&[0; 1000]);
    b.drain();
    b.until_deadline();
    b.drain();
    let info = b.conn.info();
    assert_eq!((info.recovery.loss_probes, info.statistics.timeouts), (2, 1), "measured again");
}

/// Requirement: RFC8985-R20, RFC8985-R21
#[test]
fn a_loss_that_the_probe_repaired_halves_the_window() {
    let mut b = flying(10);
    b.advance(RTT);
    b.ack(nth(9));
    let before = b.conn.info().cwnd;
    b.until_deadline();
    assert_eq!(numbers(&b.drain()), [9]);
    b.ack(nth(10));
    assert_eq!(b.conn.info().ssthresh, u32::MAX, "whether it had been lost is not known yet");
    b.write(&[0; 5000]);
    b.drain();
    b.advance(RTT);
    b.ack(nth(12));
    let info = b.conn.info();
    assert_eq!(info.recovery.loss_probe_recoveries, 1);
    assert!(info.ssthresh < u32::MAX && info.cwnd < before, "{info:?}");
}

/// Requirement: RFC8985-R20
#[test]
fn a_probe_that_arrived_twice_costs_nothing() {
    let mut b = flying(10);
    b.advance(RTT);
    b.ack(nth(9));
    b.until_deadline();
    assert_eq!(numbers(&b.drain()), [9]);
    b.ack(nth(10));
    b.sack(nth(10), &[(nth(9), nth(10))]);
    b.write(&[0; 5000]);
    b.drain();
    b.advance(RTT);
    b.ack(nth(12));
    let info = b.conn.info();
    assert_eq!((info.ssthresh, info.recovery.loss_probe_recoveries), (u32::MAX, 0));
}

/// A peer without D-SACK acknowledges what it has already, and says no more.
/// Requirement: RFC8985-R20
#[test]
fn a_bare_duplicate_tells_that_the_probe_arrived_twice() {
    let mut b = flying(10);
    b.advance(RTT);
    b.ack(nth(9));
    b.until_deadline();
    assert_eq!(numbers(&b.drain()), [9]);
    b.ack(nth(10));
    b.ack(nth(10));
    b.write(&[0; 5000]);
    b.drain();
    b.advance(RTT);
    b.ack(nth(12));
    assert_eq!(b.conn.info().ssthresh, u32::MAX);
}

/// Requirement: RFC8985-P16
#[test]
fn two_small_segments_are_not_alone() {
    let mut b = open_with(|config| {
        config.rto_min = SECOND;
        config.nodelay = true;
    });
    for _ in 0..2 {
        b.write(&[0; 10]);
        b.drain();
    }
    assert_eq!(b.until_deadline(), 2 * RTT);
}

/// Requirement: RFC8985-R17
#[test]
fn a_probe_that_was_not_sent_yet_is_not_sent_after_an_ack() {
    let mut b = flying(5);
    b.until_deadline();
    b.ack(nth(3));
    b.silent();
}

/// Requirement: RFC8985-R20
#[test]
fn a_probe_of_new_data_costs_nothing() {
    let mut b = open_with(|config| config.initial_window = 3);
    b.write(&[0; 4000]);
    b.drain();
    b.until_deadline();
    assert_eq!(numbers(&b.drain()), [3]);
    b.ack(nth(4));
    b.write(&[0; 3000]);
    b.drain();
    b.ack(nth(7));
    assert_eq!(b.conn.info().ssthresh, u32::MAX);
}

/// Several of the tail are lost: the probe's SACK shows the others to RACK.
/// Requirement: RFC8985-R18
#[test]
fn a_probe_shows_what_else_was_lost() {
    let mut b = flying(10);
    b.advance(RTT);
    b.ack(nth(6));
    b.until_deadline();
    assert_eq!(numbers(&b.drain()), [9]);
    b.advance(RTT);
    b.sack(nth(6), &[(nth(9), nth(10))]);
    let mut again = numbers(&b.drain());
    for n in 7..9 {
        b.sack(nth(n), &[(nth(9), nth(10))]);
        again.extend(numbers(&b.drain()));
    }
    assert_eq!(again, [6, 7, 8]);
    assert_eq!(b.conn.info().statistics.timeouts, 0);
}

#[test]
fn probes_can_be_switched_off() {
    let mut b = open_with(|config| config.tail_loss_probes = false);
    b.write(&[0; 2000]);
    b.drain();
    assert_eq!(b.until_deadline(), RTO);
    assert_eq!(b.conn.info().statistics.timeouts, 1);
}

/// Sends `len` bytes to a peer that acknowledges every second segment a round trip later, and
/// loses the last one once. Returns how long that took, and what was sent more than once.
fn flow_whose_last_segment_is_lost(len: usize) -> (Bench, Duration, usize) {
    let (mut config, mut options) = only_sack();
    config.timestamps = true;
    options.timestamps = modern().timestamps;
    let mut b = Bench::open_over(RTT, config, options);
    b.conn.set_send_buffer(len);
    b.write(&vec![0; len]);
    b.shutdown();
    let start = b.now;
    let end = ISS + 1 + len as u32;
    let (mut rcv_nxt, mut dropped, mut sent) = (ISS + 1, false, 0);
    while b.conn.info().in_flight > 0 || b.conn.info().unsent > 0 {
        let flight = b.drain();
        sent += flight.iter().map(|t| t.payload_len()).sum::<usize>();
        let mut acks = Vec::new();
        for (n, t) in flight.iter().enumerate() {
            let (seq, len) = (t.header.seq.0, t.payload_len() as u32);
            if seq + len == end && !dropped {
                dropped = true;
            } else if seq == rcv_nxt {
                rcv_nxt += len + u32::from(seq + len == end);
                if n % 2 == 1 || n + 1 == flight.len() {
                    acks.push(rcv_nxt);
                }
            }
        }
        if flight.is_empty() {
            b.until_deadline();
            continue;
        }
        b.advance(RTT);
        for ack in acks {
            b.ack_for(RTT, ack, &[]);
        }
    }
    let took = b.now - start;
    (b, took, sent - len)
}

#[test]
fn a_short_flow_whose_last_segment_is_lost_takes_one_probe_and_no_timeout() {
    for (len, round_trips) in [(14_000, 5), (100_000, 8)] {
        let (b, took, again) = flow_whose_last_segment_is_lost(len);
        let info = b.conn.info();
        assert_eq!(info.recovery.loss_probes, 1, "{len}");
        assert_eq!((info.statistics.timeouts, again <= 1000), (0, true), "{len}: {again} again");
        assert!(took <= RTT * round_trips, "{len}: {took:?}");
    }
}
