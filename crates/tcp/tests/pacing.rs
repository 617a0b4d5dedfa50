//! When data leaves that the window lets out: pacing, and the controllers' choice.

mod common;

use std::time::Duration;

use common::*;
use handclasp_tcp::config::{Algorithm, Config};

/// A connection that is paced, with a round trip of 100 ms and more to send than it may.
fn paced(algorithm: Algorithm) -> Bench {
    let mut config = plain();
    config.congestion = algorithm;
    config.pacing = true;
    config.send_buffer_start = 1 << 20;
    let mut b = Bench::connecting(config);
    b.drain();
    b.advance(100 * MS);
    b.syn_ack(mss(1000));
    b.drain();
    b.write(&vec![0; 1 << 20]);
    b
}

fn bytes(sent: &[(Duration, handclasp_tcp::Transmit)]) -> usize {
    sent.iter().map(|(_, t)| t.payload_len()).sum()
}

#[test]
fn the_initial_window_leaves_at_once() {
    for algorithm in Algorithm::ALL {
        let mut b = paced(algorithm);
        assert_eq!(b.drain().len(), 10, "{algorithm}");
    }
}

/// Requirement: RFC9937-R14
#[test]
fn what_acknowledgments_let_out_is_spread_over_half_a_round_trip_in_slow_start() {
    let mut b = paced(Algorithm::Reno);
    b.drain();
    b.advance(100 * MS);
    b.ack(b.snd_nxt());
    // 20 segments of window, twice in a round trip: what was due leaves with the first burst.
    let sent = b.watch(90 * MS);
    assert_eq!(bytes(&sent), 20_000);
    let mut bursts = vec![];
    for (at, t) in &sent {
        match bursts.last_mut() {
            Some((last, bytes)) if last == at => *bytes += t.payload_len(),
            _ => bursts.push((*at, t.payload_len())),
        }
    }
    assert!(bursts[1..].iter().all(|(_, bytes)| *bytes == 2000), "{bursts:?}");
    let last = bursts.last().unwrap().0;
    assert!(bursts[0].1 <= 4000 && (35 * MS..60 * MS).contains(&last), "{bursts:?}");
}

#[test]
fn a_device_that_cuts_segments_gets_no_more_than_a_burst_at_a_time() {
    let mut b = paced(Algorithm::Reno);
    b.drain();
    b.burst = 60_000;
    b.advance(100 * MS);
    b.ack(b.snd_nxt());
    let t = b.next().unwrap();
    assert_eq!((t.payload_len(), t.segment_size), (2000, Some(1000)));
}

#[test]
fn acknowledgments_are_not_held_back() {
    let mut b = paced(Algorithm::Reno);
    b.drain();
    b.advance(100 * MS);
    b.ack(b.snd_nxt());
    b.drain();
    let header = b.ack_header(b.snd_nxt());
    b.arrive(header, b"text");
    b.peer_nxt += 4;
    assert!(!b.conn.wants_to_send() || !b.drain().is_empty());
    let header = b.ack_header(b.snd_nxt());
    b.arrive(header, b"more");
    let acks = b.drain();
    assert!(acks.iter().any(|t| t.header.ack.0 >= IRS + 5));
    assert_eq!(acks.iter().map(|t| t.payload_len()).sum::<usize>(), 0);
}

#[test]
fn a_timeout_sends_at_once_whatever_was_to_wait() {
    let mut b = paced(Algorithm::Reno);
    b.drain();
    b.advance(100 * MS);
    b.ack(ISS + 1 + 5000);
    let timeouts = b.conn.info().statistics.timeouts;
    let sent = b.watch(2 * SECOND);
    assert!(b.conn.info().statistics.timeouts > timeouts);
    let again = sent.iter().filter(|(_, t)| t.header.seq.0 == ISS + 1 + 5000);
    assert!(again.count() >= 1);
}

#[test]
fn a_connection_that_is_held_back_wants_nothing_until_its_timer_fires() {
    let mut b = paced(Algorithm::Bbr);
    b.drain();
    b.advance(100 * MS);
    b.ack(b.snd_nxt());
    b.drain();
    assert!(!b.conn.wants_to_send());
    b.silent();
    let wait = b.until_deadline();
    assert!(wait < 20 * MS, "{wait:?}");
    assert!(!b.drain().is_empty());
}

#[test]
fn bbr_is_paced_though_others_are_not() {
    let mut config = plain();
    config.congestion = Algorithm::Bbr;
    let b = Bench::open_with(config, mss(1000));
    assert!(b.conn.info().pacing_rate.is_some());
    assert_eq!(Bench::open().conn.info().pacing_rate, None);
}

#[test]
fn a_live_connection_goes_over_to_another_controller_with_the_window_it_has() {
    let mut b = Bench::open();
    b.write(&[0; 30_000]);
    b.drain();
    b.advance(50 * MS);
    b.ack(b.snd_nxt());
    let before = b.conn.info();
    assert_eq!(before.congestion, Algorithm::Reno);
    for algorithm in [Algorithm::Bbr, Algorithm::Cubic, Algorithm::Reno] {
        b.with(|c, cx| c.set_congestion(cx, algorithm));
        let info = b.conn.info();
        assert_eq!((info.congestion, info.cwnd), (algorithm, before.cwnd));
    }
    b.drain();
    b.ack(b.snd_nxt());
    assert!(b.conn.info().cwnd >= before.cwnd);
}

#[test]
fn a_controller_that_is_chosen_before_the_handshake_is_over_begins_with_it() {
    let mut b = Bench::connecting(plain());
    b.drain();
    b.with(|c, cx| c.set_congestion(cx, Algorithm::Cubic));
    b.syn_ack(mss(1000));
    assert_eq!(b.conn.info().congestion, Algorithm::Cubic);
}

/// RFC 5681 §4.1's restart is a choice where RFC 7661 watches over the window.
#[test]
fn without_restart_after_idling_the_window_stays() {
    for (restart, kept) in [(true, false), (false, true)] {
        let mut config = plain();
        config.idle_restart = restart;
        let mut b = Bench::open_with(config, mss(1000));
        for _ in 0..3 {
            b.write(&[0; 40_000]);
            b.drain();
            b.advance(20 * MS);
            b.ack(b.snd_nxt());
            b.drain();
            b.ack(b.snd_nxt());
        }
        let before = b.conn.info().cwnd;
        assert!(before > 10_000);
        b.advance(5 * SECOND);
        b.write(&[0; 1000]);
        b.drain();
        assert_eq!(b.conn.info().cwnd == before, kept);
    }
}

#[test]
fn a_name_is_read_as_it_is_written() {
    for algorithm in Algorithm::ALL {
        assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
    }
    let error = "vegas".parse::<Algorithm>().unwrap_err().to_string();
    assert!(error.ends_with("type cubic, reno or bbr"), "{error}");
    assert_eq!(Config::default().congestion, Algorithm::Cubic);
}
