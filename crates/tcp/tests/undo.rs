//! Reductions that were for nothing are taken back (RFC 3522, RFC 4015, RFC 2883), and peers
//! that throw away what they reported are found out (RFC 2018 §8).

mod common;

use std::cell::RefCell;
use std::time::Duration;

use common::*;
use handclasp_tcp::connection::{Info, Repair};
use handclasp_tcp::event::{Event, Log, LossSign, Proof, Purpose};
use handclasp_tcp::{Config, Context, Tuple};
use handclasp_wire::tcp::Options;
use handclasp_wire::time::Instant;

const RTT: Duration = Duration::from_millis(100);

fn settings(stamps: bool) -> (Config, Options) {
    let (mut config, mut options) = only_sack();
    config.timestamps = stamps;
    config.initial_window = 20;
    config.send_buffer_start = 1 << 20;
    if stamps {
        options.timestamps = modern().timestamps;
    }
    (config, options)
}

/// `n` segments in flight and more to send.
fn flying(n: u8, stamps: bool) -> Bench {
    let (mut config, options) = settings(stamps);
    config.initial_window = n;
    let mut b = Bench::open_over(RTT, config, options);
    b.write(&[0; 400_000]);
    assert_eq!(b.drain().len(), usize::from(n));
    b
}

fn windows(info: &Info) -> (u32, u32) {
    (info.cwnd, info.ssthresh)
}

/// RFC 3522 §3.2, RFC 4015 §3.2.
#[test]
fn the_first_ack_after_a_timeout_that_echoes_the_original_takes_it_back() {
    let mut b = flying(20, true);
    let before = b.conn.info();
    while b.conn.info().statistics.timeouts == 0 {
        b.until_deadline();
        b.drain();
    }
    assert_eq!(b.conn.info().cwnd, 1000);
    let first_sent = b.now - Instant::from_millis(1000) - RTT;
    b.ack_for(first_sent, nth(1), &[]);
    let info = b.conn.info();
    assert_eq!(info.recovery.loss_undos, 1);
    assert!(info.cwnd >= before.cwnd && info.ssthresh == before.ssthresh, "{info:?}");
    assert_eq!((info.lost, info.repair), (0, Repair::Open));
    assert!(numbers(&b.drain()).iter().all(|n| *n >= 20), "nothing is sent again");
    assert!(b.conn.next_deadline() >= Some(b.now + 2 * RTT), "the timer is not backed off");
}

#[test]
fn an_ack_that_echoes_the_retransmission_takes_nothing_back() {
    let mut b = flying(20, true);
    while b.conn.info().statistics.timeouts == 0 {
        b.until_deadline();
        b.drain();
    }
    b.advance(RTT);
    b.ack_for(RTT, nth(1), &[]);
    let info = b.conn.info();
    assert_eq!((info.recovery.loss_undos, info.repair), (0, Repair::Timeout));
    assert_eq!(info.ssthresh, 10_500, "half of twenty and the probe");
}

/// Packets were only late: the ACK that fills the hole echoes the first transmission.
#[test]
fn a_fast_recovery_whose_hole_the_original_fills_is_taken_back() {
    let mut b = flying(20, true);
    let before = b.conn.info();
    b.advance(RTT);
    b.ack_for(RTT, nth(0), &[(nth(1), nth(4))]);
    assert_eq!(numbers(&b.drain())[0], 0);
    assert_eq!(b.conn.info().ssthresh, 10_000);
    b.advance(5 * MS);
    b.ack_for(RTT + 5 * MS, nth(4), &[]);
    let info = b.conn.info();
    assert_eq!((info.recovery.full_undos, info.repair), (1, Repair::Open));
    assert!(info.cwnd >= before.cwnd && info.ssthresh == before.ssthresh);
    assert!(info.reorders, "and the next hole is given time");
}

/// Requirement: RFC2883-P08
#[test]
fn a_fast_recovery_all_of_whose_retransmissions_arrive_twice_is_taken_back() {
    let mut b = flying(20, false);
    let before = b.conn.info();
    b.advance(RTT);
    b.sack(nth(0), &[(nth(2), nth(5))]);
    let mut again = numbers(&b.drain());
    b.sack(nth(0), &[(nth(2), nth(8))]);
    again.extend(numbers(&b.drain()));
    again.retain(|n| *n < 20);
    assert_eq!(again, [0, 1]);
    b.advance(5 * MS);
    b.ack(nth(8));
    b.drain();
    b.advance(RTT);
    b.sack(nth(8), &[(nth(0), nth(1))]);
    assert!(b.conn.info().ssthresh < u32::MAX, "one of two may have been lost");
    b.sack(nth(8), &[(nth(1), nth(2))]);
    let info = b.conn.info();
    assert_eq!(info.recovery.dsack_undos, 1);
    assert!(info.cwnd >= before.cwnd && info.ssthresh == before.ssthresh);
    assert_eq!(info.repair, Repair::Open);
}

#[test]
fn the_proof_may_come_when_recovery_is_over() {
    let mut b = flying(20, false);
    let before = b.conn.info();
    b.advance(RTT);
    b.sack(nth(0), &[(nth(1), nth(4))]);
    b.drain();
    let recover = b.snd_nxt();
    b.ack(recover);
    assert_eq!(b.conn.info().repair, Repair::Open);
    assert!(b.conn.info().cwnd < before.cwnd);
    b.drain();
    b.sack(recover, &[(nth(0), nth(1))]);
    let info = b.conn.info();
    assert_eq!(info.recovery.dsack_undos, 1);
    assert!(info.cwnd >= before.cwnd && info.ssthresh == before.ssthresh);
}

#[test]
fn a_proof_that_comes_round_trips_later_is_no_proof() {
    let mut b = flying(20, false);
    b.advance(RTT);
    b.sack(nth(0), &[(nth(1), nth(4))]);
    for _ in 0..3 {
        b.drain();
        b.ack(b.snd_nxt());
    }
    let before = windows(&b.conn.info());
    b.drain();
    b.sack(b.una(), &[(nth(0), nth(1))]);
    assert_eq!(windows(&b.conn.info()), before);
    assert_eq!(b.conn.info().recovery.dsacks_ignored, 1);
}

/// A duplicate that the network made, or a report of what was never sent again.
#[test]
fn reports_that_are_not_about_retransmissions_take_nothing_back() {
    let mut b = flying(20, false);
    b.ack(nth(10));
    b.drain();
    b.advance(RTT);
    b.sack(nth(10), &[(nth(12), nth(16))]);
    b.drain();
    let before = windows(&b.conn.info());
    b.sack(nth(10), &[(nth(3), nth(5)), (nth(12), nth(16))]);
    assert_eq!(windows(&b.conn.info()).1, before.1);
    assert_eq!(b.conn.info().recovery.dsack_undos, 0);
}

/// A delay of half a second, then everything arrives: within a round trip of the proof as much
/// is in flight as before, and one segment was sent in vain.
#[test]
fn after_a_delay_of_half_a_second_the_flight_is_what_it_was_within_a_round_trip() {
    for stamps in [false, true] {
        let mut b = flying(20, stamps);
        let sent_at = b.now;
        let before = b.conn.info();
        let mut resent = 0;
        for (_, t) in b.watch(500 * MS) {
            resent += usize::from(t.header.seq.0 < nth(20));
        }
        assert!(b.conn.info().statistics.timeouts > 0, "it looked like a loss");
        // Two ACKs a millisecond, as they left.
        for n in 1..=10 {
            b.advance(MS / 2);
            b.ack_for(b.now - sent_at - MS, nth(2 * n), &[]);
            let again = numbers(&b.drain()).into_iter().filter(|n| *n < 20).count();
            resent += again;
            let undone = b.conn.info().ssthresh == before.ssthresh;
            assert_eq!(undone, n > 1 || stamps, "ACK {n}, stamps: {stamps}");
        }
        let info = b.conn.info();
        assert!(info.cwnd >= before.cwnd && info.in_flight >= before.in_flight, "{info:?}");
        assert!(resent <= 2, "a probe and a segment: {resent}");
    }
}

/// A path that holds segments back for tens of milliseconds at random: after the first mistake
/// the reordering window keeps the next ones from being made, and no window stays reduced.
#[test]
fn heavy_reordering_reduces_nothing_for_longer_than_a_round_trip() {
    let mut b = flying(20, true);
    b.conn.set_send_buffer(4 << 20);
    let mut rcv_nxt = nth(0);
    let mut held: Vec<u32> = Vec::new();
    let mut on_the_way: Vec<(Instant, Instant, u32)> =
        (0..20).map(|n| (b.now + RTT, b.now, nth(n))).collect();
    let mut reduced_since = None;
    for round in 0..2000u64 {
        on_the_way.sort_unstable();
        let (arrives, sent_at, seq) = on_the_way.remove(0);
        b.now = b.now.max(arrives);
        if b.conn.next_deadline().is_some_and(|d| d <= b.now) {
            b.with(|c, cx| c.deadline_passed(cx));
        }
        if seq >= rcv_nxt && !held.contains(&seq) {
            held.push(seq);
            held.sort_unstable();
        }
        let duplicate = seq < rcv_nxt;
        while held.first() == Some(&rcv_nxt) {
            held.remove(0);
            rcv_nxt += 1000;
        }
        let mut blocks = Vec::new();
        if duplicate || seq > rcv_nxt {
            blocks.push((seq, seq + 1000));
        }
        b.ack_for(b.now - sent_at, rcv_nxt, &blocks);
        b.write(&[0; 40_000]);
        for (n, t) in b.drain().into_iter().enumerate() {
            let late = if (round + n as u64).is_multiple_of(5) { 15 * MS } else { Duration::ZERO };
            on_the_way.push((b.now + RTT + late, b.now, t.header.seq.0));
        }
        let info = b.conn.info();
        reduced_since = (info.ssthresh < u32::MAX).then(|| reduced_since.unwrap_or(b.now));
        assert!(reduced_since.is_none_or(|since| b.now - since <= RTT), "{info:?}");
    }
    let info = b.conn.info();
    assert!(info.recovery.full_undos + info.recovery.dsack_undos > 0, "there were mistakes");
    assert_eq!(info.statistics.timeouts, 0);
    assert!(info.reorders && info.cwnd > 40_000, "{info:?}");
    assert!(info.statistics.segments_resent < 20, "{info:?}");
}

/// Requirement: RFC2018-R12, RFC2018-R11
#[test]
fn a_peer_that_throws_away_what_it_reported_is_found_out_at_once() {
    let mut b = flying(10, false);
    b.advance(RTT);
    b.sack(nth(0), &[(nth(2), nth(10))]);
    b.drain();
    b.advance(RTT);
    // It got what was missing, and has lost the rest.
    b.ack(nth(2));
    b.drain();
    assert!(b.until_deadline() <= RTT / 2, "no timeout is waited for");
    let again = b.drain();
    assert_eq!(numbers(&again)[0], 2);
    assert_eq!(b.conn.info().recovery.renegings, 1);
    for n in 3..10 {
        b.ack(nth(n));
        b.drain();
    }
    assert_eq!(b.conn.info().recovery.renegings, 1);
    assert_eq!(b.conn.info().sacked, 0);
}

#[test]
fn a_peer_that_seemed_to_have_reneged_may_say_otherwise() {
    let mut b = flying(10, false);
    b.advance(RTT);
    b.sack(nth(0), &[(nth(2), nth(10))]);
    b.drain();
    b.ack(nth(2));
    b.advance(5 * MS);
    b.ack(nth(10));
    b.advance(RTT);
    assert_eq!(b.conn.info().recovery.renegings, 0);
    assert_eq!(b.conn.info().statistics.timeouts, 0);
}

/// Why each segment was sent again.
#[derive(Default)]
struct Reasons(RefCell<Vec<String>>);

impl Log for Reasons {
    fn record(&self, _: Instant, _: &Tuple, event: &Event<'_>) {
        let told = match event {
            Event::Sent { purpose: Purpose::Retransmit(LossSign::Rack), .. } => "rack",
            Event::Sent { purpose: Purpose::Retransmit(LossSign::Timeout), .. } => "timeout",
            Event::Sent { purpose: Purpose::Retransmit(LossSign::TailProbe), .. } => "probe",
            Event::Sent { purpose: Purpose::Retransmit(LossSign::Reneging), .. } => "reneged",
            Event::Sent { purpose: Purpose::TailProbe, .. } => "new as a probe",
            Event::Undone { by: Proof::Timestamp } => "undone by timestamp",
            _ => return,
        };
        self.0.borrow_mut().push(told.to_owned());
    }
}

/// Lets the connection send with somebody listening.
fn drain_into(b: &mut Bench, log: &Reasons) {
    let cx = Context { log: Some(log), ..Context::new(b.now, &b.budget) };
    while b.conn.poll_transmit(&cx, 0).is_some() {}
}

#[test]
fn the_log_says_why_each_segment_was_sent_again() {
    let log = Reasons::default();
    let mut b = flying(10, true);
    b.advance(RTT);
    b.ack_for(RTT, nth(0), &[(nth(1), nth(9))]);
    drain_into(&mut b, &log);
    b.advance(RTT);
    b.ack_for(RTT, b.snd_nxt(), &[]);
    drain_into(&mut b, &log);
    b.until_deadline();
    drain_into(&mut b, &log);
    b.until_deadline();
    drain_into(&mut b, &log);
    assert_eq!(*log.0.borrow(), ["rack", "new as a probe", "timeout"]);
}

/// What a connection at rest weighs, trouble or not.
#[test]
fn the_record_of_a_recovery_is_let_go_when_it_is_over() {
    let mut b = flying(10, true);
    b.advance(RTT);
    b.ack_for(RTT, nth(0), &[(nth(1), nth(9))]);
    b.drain();
    assert!(format!("{:?}", b.conn).contains("trouble: Some"));
    for _ in 0..40 {
        b.advance(RTT);
        b.ack_for(RTT, b.snd_nxt(), &[]);
        b.drain();
    }
    assert_eq!(b.conn.info().in_flight, 0);
    assert!(format!("{:?}", b.conn).contains("trouble: None"));
}
