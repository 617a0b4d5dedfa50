//! Round trips and the retransmission timer (RFC 6298), R1 and R2 (RFC 9293 §3.8.3).

mod common;

use std::time::Duration;

use common::*;
use handclasp_tcp::State;
use handclasp_tcp::config::Config;
use handclasp_tcp::connection::{Error, Readiness};

/// Open, the handshake having taken `rtt`.
fn open_after(config: Config, rtt: Duration) -> Bench {
    let mut b = Bench::connecting(config);
    b.drain();
    b.advance(rtt);
    b.syn_ack(mss(1000));
    b.drain();
    b
}

/// Sends a byte and has it acknowledged after `rtt`.
fn exchange(b: &mut Bench, rtt: Duration) {
    b.write(b"x");
    b.drain();
    b.advance(rtt);
    b.ack(b.snd_nxt());
}

/// Requirement: RFC6298-R02
#[test]
fn before_any_measurement_the_timeout_is_a_second() {
    let mut b = Bench::connecting(plain());
    assert_eq!(b.conn.info().rto, SECOND);
    b.drain();
    assert_eq!(b.until_deadline(), SECOND);
}

/// Requirement: RFC6298-R03, RFC9293-MUST-18
///
/// S3.12.
#[test]
fn the_first_measurement_sets_the_timeout_to_three_times_itself() {
    let mut config = plain();
    config.rto_initial = 10 * SECOND;
    let b = open_after(config, 2 * SECOND);
    let info = b.conn.info();
    assert_eq!((info.rtt, info.rtt_variation), (Some(2 * SECOND), Some(SECOND)));
    assert_eq!(info.rto, 6 * SECOND);
}

/// Requirement: RFC6298-R04, RFC6298-R05, RFC6298-R09, RFC6298-R01
///
/// S3.12.
#[test]
fn later_measurements_are_smoothed_by_an_eighth_and_a_quarter() {
    let mut b = open_after(plain(), 400 * MS);
    let (mut srtt, mut rttvar) = (0.4f64, 0.2f64);
    for ms in [500u32, 300, 700, 700, 250, 400, 900, 100] {
        exchange(&mut b, ms * MS);
        let r = f64::from(ms) / 1000.0;
        rttvar = 0.75 * rttvar + 0.25 * (srtt - r).abs();
        srtt = 0.875 * srtt + 0.125 * r;
        let info = b.conn.info();
        assert!((info.rtt.unwrap().as_secs_f64() - srtt).abs() < 1e-6);
        assert!((info.rtt_variation.unwrap().as_secs_f64() - rttvar).abs() < 1e-6);
        assert!((info.rto.as_secs_f64() - (srtt + 4.0 * rttvar)).abs() < 1e-5);
    }
    assert_eq!(b.conn.info().rtt_min, Some(100 * MS));
}

/// Requirement: RFC6298-R06
#[test]
fn the_timeout_is_never_below_its_configured_least() {
    for least in [200, 1000] {
        let mut config = plain();
        config.rto_min = least * MS;
        let mut b = open_after(config, MS);
        b.write(b"x");
        b.drain();
        assert_eq!(b.until_deadline(), least * MS);
    }
}

/// Requirement: RFC6298-R10
#[test]
fn a_constant_round_trip_leaves_the_clocks_granularity_as_variation() {
    let mut b = open_after(plain(), 700 * MS);
    for _ in 0..100 {
        exchange(&mut b, 700 * MS);
    }
    let info = b.conn.info();
    assert!(info.rtt_variation.unwrap() < MS / 4);
    assert!(info.rto >= info.rtt.unwrap() + MS);
}

#[test]
fn the_timeout_keeps_its_configured_distance_from_a_steady_round_trip() {
    let mut config = plain();
    config.rto_variation_min = 200 * MS;
    let mut b = open_after(config, 700 * MS);
    for _ in 0..100 {
        exchange(&mut b, 700 * MS);
    }
    let info = b.conn.info();
    assert_eq!(info.rto, info.rtt.unwrap() + 200 * MS);
}

/// Requirement: RFC6298-R07, RFC6298-R16, RFC9293-MUST-19, RFC6298-R11
#[test]
fn each_expiry_doubles_the_timeout_up_to_its_cap() {
    let mut b = open_after(plain(), 100 * MS);
    b.write(b"x");
    let seen = b.watch(1000 * SECOND);
    let times: Vec<_> = seen.iter().map(|(at, _)| *at).collect();
    let mut expected = b.conn.info().rtt.map_or(MS, |_| 300 * MS);
    for pair in times.windows(2).take(14) {
        assert_eq!(pair[1] - pair[0], expected);
        expected = (expected * 2).min(120 * SECOND);
    }
    assert_eq!(expected, 120 * SECOND);
}

/// Requirement: RFC6298-R08, RFC9293-MUST-18
#[test]
fn what_was_sent_twice_measures_nothing_and_leaves_the_timeout_backed_off() {
    let mut b = open_after(plain(), 100 * MS);
    b.write(b"x");
    b.drain();
    assert_eq!(b.until_deadline(), 300 * MS);
    b.drain();
    b.advance(50 * MS);
    let before = b.conn.info().rtt;
    b.ack(ISS + 2);
    assert_eq!(b.conn.info().rtt, before);
    b.write(b"y");
    b.drain();
    assert_eq!(b.until_deadline(), 600 * MS, "until something sent once is acknowledged");
    b.drain();
    b.ack(ISS + 3);
    exchange(&mut b, 100 * MS);
    assert!(b.conn.info().rto < 300 * MS);
}

/// The segments behind a hole waited for its retransmission: that is no round trip.
/// Requirement: RFC6298-R08, RFC9293-MUST-18
#[test]
fn an_ack_that_covers_something_resent_measures_nothing() {
    let mut b = open_after(plain(), 100 * MS);
    b.write(&[0; 5000]);
    b.drain();
    let before = b.conn.info().rtt;
    b.until_deadline();
    b.drain();
    for _ in 0..3 {
        b.ack(ISS + 1);
    }
    b.advance(3 * SECOND);
    b.ack(ISS + 5001);
    assert_eq!(b.conn.info().rtt, before);
}

/// Requirement: RFC6298-R12, RFC6298-R13
#[test]
fn the_timer_runs_while_something_is_unacknowledged_and_no_longer() {
    let mut b = open_after(plain(), 100 * MS);
    assert_eq!(b.conn.next_deadline(), None);
    b.write(&[0; 2000]);
    b.drain();
    let deadline = b.conn.next_deadline();
    assert!(deadline.is_some());
    b.advance(50 * MS);
    b.write(&[0; 1000]);
    b.drain();
    assert_eq!(b.conn.next_deadline(), deadline, "more data does not move it");
    b.ack(ISS + 3001);
    assert_eq!(b.conn.next_deadline(), None);
}

/// Requirement: RFC6298-R14, RFC6928-R07
#[test]
fn an_ack_of_new_data_starts_the_timer_anew() {
    let mut b = open_after(plain(), 100 * MS);
    b.write(&[0; 10_000]);
    b.drain();
    for i in 1..10 {
        b.advance(250 * MS);
        b.ack(ISS + 1 + i * 1000);
        assert_eq!(b.drain().len(), 0, "nothing is resent while ACKs come in");
        let rto = b.conn.info().rto;
        assert_eq!(b.conn.next_deadline(), Some(b.now + rto));
    }
}

/// Requirement: RFC6298-R15, RFC6298-R11, RFC5681-R14, RFC6928-P06
#[test]
fn an_expiry_resends_the_earliest_segment_and_nothing_else() {
    let mut b = open_after(plain(), 100 * MS);
    b.write(&[0; 8000]);
    b.drain();
    b.ack(ISS + 2001);
    b.drain();
    b.until_deadline();
    assert_eq!(ranges(&b.drain()), [(ISS + 2001, 1000)]);
}

/// Requirement: RFC6298-R17
#[test]
fn a_syn_that_timed_out_makes_the_first_timeout_of_data_three_seconds() {
    let mut b = Bench::connecting(plain());
    b.drain();
    b.until_deadline();
    b.drain();
    b.syn_ack(mss(1000));
    b.write(b"x");
    b.drain();
    assert_eq!(b.until_deadline(), 3 * SECOND);
}

/// Requirement: RFC6298-R17, RFC6298-R08
#[test]
fn a_timestamp_tells_the_round_trip_of_a_syn_that_timed_out() {
    let (config, options) = only_timestamps();
    let mut b = Bench::connecting(config);
    b.drain();
    b.until_deadline();
    b.drain();
    let mut header = b.ack_header(ISS + 1);
    header.seq -= 0;
    header.flags |= handclasp_wire::tcp::Flags::SYN;
    header.options = options;
    header.options.timestamps.as_mut().unwrap().echo = b.clock();
    b.advance(40 * MS);
    b.arrive(header, &[]);
    assert_eq!(b.conn.info().rtt, Some(40 * MS));
    assert_eq!(b.conn.info().rto, 200 * MS);
}

/// Requirement: RFC9293-MUST-20, RFC9293-SHLD-9, RFC9293-SHLD-10, RFC9293-SHLD-11
#[test]
fn a_black_hole_is_doubted_after_three_retransmissions_and_given_up_after_minutes() {
    let mut b = open_after(plain(), MS);
    b.write(b"x");
    b.drain();
    let start = b.now;
    let mut resent = 0;
    while b.state() != State::Closed {
        assert_eq!(b.ready(Readiness::DOUBTFUL), resent >= 3, "after {resent}");
        b.until_deadline();
        resent += b.drain().iter().filter(|t| t.payload_len() == 1).count();
    }
    assert_eq!(resent, 15);
    assert!(b.now - start >= Duration::from_secs(100));
    assert_eq!(b.conn.error(), Some(Error::TimedOut));
    assert_eq!(b.budget.used(), 0);
}

/// Requirement: RFC9293-MUST-20, RFC9293-SHLD-9
#[test]
fn doubt_ends_when_the_peer_acknowledges() {
    let mut b = open_after(plain(), MS);
    b.write(b"x");
    b.drain();
    for _ in 0..4 {
        b.until_deadline();
        b.drain();
    }
    assert!(b.ready(Readiness::DOUBTFUL));
    b.ack(ISS + 2);
    assert!(!b.ready(Readiness::DOUBTFUL));
}

/// Requirement: RFC9293-MUST-21
#[test]
fn how_often_to_resend_is_set_for_each_connection_and_may_be_without_end() {
    let count = |retries: u8| {
        let mut b = open_after(plain(), MS);
        b.conn.set_retries(retries);
        b.write(b"x");
        let seen = b.watch(Duration::from_secs(100_000));
        (b.state(), seen.iter().filter(|(_, t)| t.payload_len() == 1).count())
    };
    assert_eq!(count(4), (State::Closed, 5));
    assert_eq!(count(7), (State::Closed, 8));
    let (state, sent) = count(u8::MAX);
    assert_eq!(state, State::Established);
    assert!(sent > 800);
}

/// Settings that contradict each other must not stop the machine.
#[test]
fn contradictory_settings_neither_panic_nor_loop() {
    let mut config = plain();
    config.rto_initial = Duration::ZERO;
    config.rto_min = 5 * SECOND;
    config.rto_max = SECOND;
    config.retries = u8::MAX;
    config.delayed_ack = Duration::ZERO;
    config.keep_alive = Some(handclasp_tcp::config::KeepAlive {
        idle: Duration::ZERO,
        interval: Duration::ZERO,
        count: 3,
    });
    let mut b = open_after(config, Duration::ZERO);
    exchange(&mut b, 2 * MS);
    b.write(b"x");
    b.drain();
    for _ in 0..300 {
        b.until_deadline();
        b.drain();
    }
    b.ack_with_window(b.snd_nxt(), 0);
    b.write(b"y");
    b.drain();
    for _ in 0..300 {
        b.until_deadline();
        b.drain();
    }
}
