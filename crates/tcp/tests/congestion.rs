//! How much may be in flight (RFC 5681, RFC 6928), with NewReno's window.

mod common;

use common::*;
use handclasp_tcp::config::Config;
use handclasp_tcp::congestion::initial_window;

/// A connection whose initial window is `segments`, and a writer that never rests.
fn greedy(config: Config, segments: u8) -> Bench {
    let mut config = config;
    config.initial_window = segments;
    config.send_buffer_start = 1 << 20;
    let mut b = Bench::open_with(config, mss(1000));
    b.write(&vec![0; 1 << 20]);
    b
}

/// Everything in flight is acknowledged, two segments at a time, one round trip later.
fn round(b: &mut Bench) -> u32 {
    b.drain();
    b.advance(100 * MS);
    let (una, end) = (b.snd_nxt() - b.conn.info().in_flight, b.snd_nxt());
    let mut at = una;
    while at < end {
        at = (at + 2000).min(end);
        b.ack(at);
        b.drain();
    }
    b.conn.info().in_flight
}

/// Requirement: RFC6928-P01
#[test]
fn the_initial_window_is_ten_segments_but_not_much_more_than_14600_bytes() {
    assert_eq!(initial_window(536, 10), 5360);
    assert_eq!(initial_window(1460, 10), 14_600);
    assert_eq!(initial_window(8960, 10), 17_920);
    assert_eq!(initial_window(2000, 10), 14_600);
}

/// Requirement: RFC5681-R04, RFC6928-R02, RFC6928-P01
#[test]
fn the_first_flight_is_the_initial_window() {
    for segments in [1, 2, 4, 10] {
        let mut b = greedy(plain(), segments);
        assert_eq!(b.drain().len(), usize::from(segments));
    }
    let mut b = Bench::accepted_with(plain(), mss(1000));
    b.write(&[0; 50_000]);
    assert_eq!(b.drain().len(), 10);
}

/// Requirement: RFC6928-R03, RFC5681-R05
#[test]
fn one_lost_syn_keeps_the_initial_window_and_two_leave_one_segment() {
    for (lost, expected) in [(0, 10), (1, 10), (2, 1), (3, 1)] {
        let mut b = Bench::connecting(plain());
        b.drain();
        for _ in 0..lost {
            b.until_deadline();
            b.drain();
        }
        b.syn_ack(mss(1000));
        b.write(&[0; 50_000]);
        assert_eq!(b.drain().len(), expected, "{lost} lost");
    }
}

/// Requirement: RFC5681-R03, RFC5681-R07, RFC9293-MUST-19
///
/// S3.14.
#[test]
fn slow_start_doubles_the_flight_each_round_trip() {
    let mut b = greedy(plain(), 2);
    b.drain();
    for expected in [4, 8, 16, 32] {
        assert_eq!(round(&mut b), expected * 1000);
    }
    assert_eq!(b.conn.info().ssthresh, u32::MAX);
}

/// Requirement: RFC5681-P09, RFC5681-R02
#[test]
fn acks_cut_into_pieces_do_not_inflate_the_window() {
    let mut b = greedy(plain(), 2);
    b.drain();
    for n in 1..=2000 {
        b.ack(ISS + 1 + n);
    }
    let cwnd = b.conn.info().cwnd;
    assert!((3900..=4000).contains(&cwnd), "{cwnd}");
}

/// A timeout, so that the window grows from one segment to half of what was in flight and
/// then by one a round trip.
/// Requirement: RFC5681-R03, RFC5681-R08, RFC5681-R10, RFC5681-R11, RFC5681-R13
/// Requirement: RFC5681-R14, RFC6928-P06, RFC9293-MUST-19
#[test]
fn after_a_timeout_growth_is_exponential_to_half_the_flight_and_linear_beyond() {
    let mut b = greedy(plain(), 16);
    b.drain();
    assert_eq!(b.conn.info().in_flight, 16_000);
    b.until_deadline();
    assert_eq!(b.drain().len(), 1);
    let info = b.conn.info();
    assert_eq!((info.cwnd, info.ssthresh), (1000, 8000));
    b.ack(b.snd_nxt());
    let mut windows = vec![];
    for _ in 0..8 {
        round(&mut b);
        windows.push(b.conn.info().cwnd / 1000);
    }
    let linear = windows.iter().position(|w| *w >= 8).unwrap();
    for pair in windows[..=linear].windows(2) {
        assert!(pair[1] <= 2 * pair[0]);
    }
    for pair in windows[linear..].windows(2) {
        assert!(pair[1] - pair[0] <= 1, "{windows:?}");
    }
    assert!(windows.last().unwrap() > &windows[linear], "{windows:?}");
}

/// Requirement: RFC5681-P15
#[test]
fn a_second_timeout_of_the_same_segment_does_not_halve_again() {
    let mut b = greedy(plain(), 14);
    b.drain();
    for _ in 0..3 {
        b.until_deadline();
        b.drain();
        assert_eq!(b.conn.info().ssthresh, 7000);
    }
}

/// Karn's rule keeps the timer backed off, but this is another segment and another loss.
/// Requirement: RFC5681-R13
#[test]
fn a_timeout_of_other_data_halves_again_though_the_timer_is_backed_off() {
    let mut b = greedy(plain(), 14);
    b.drain();
    b.until_deadline();
    b.drain();
    b.ack(b.snd_nxt());
    b.drain();
    let flight = b.conn.info().in_flight;
    b.until_deadline();
    b.drain();
    assert_eq!(b.conn.info().ssthresh, (flight / 2).max(2000));
}

/// Requirement: RFC5681-R12
#[test]
fn even_a_large_window_grows_in_congestion_avoidance() {
    let mut b = greedy(plain(), 14);
    b.drain();
    b.until_deadline();
    b.drain();
    b.ack(b.snd_nxt());
    for _ in 0..4 {
        round(&mut b);
    }
    let before = b.conn.info().cwnd;
    assert!(before >= b.conn.info().ssthresh);
    for _ in 0..5 {
        round(&mut b);
    }
    assert!(b.conn.info().cwnd > before);
}

/// Requirement: RFC5681-R24, RFC6928-R04
#[test]
fn after_idling_longer_than_the_timeout_the_flight_is_the_initial_window_at_most() {
    let mut b = greedy(plain(), 4);
    for _ in 0..4 {
        round(&mut b);
    }
    while b.conn.info().unsent > 0 || b.conn.info().in_flight > 0 {
        round(&mut b);
    }
    assert!(b.conn.info().cwnd > 30_000);
    b.advance(10 * SECOND);
    b.write(&[0; 60_000]);
    assert_eq!(b.drain().len(), 4);
}

#[test]
fn a_window_that_the_application_does_not_use_does_not_grow() {
    let mut b = Bench::open();
    for _ in 0..50 {
        b.write(&[0; 1000]);
        b.drain();
        b.advance(10 * MS);
        b.ack(b.snd_nxt());
    }
    assert_eq!(b.conn.info().cwnd, 10_000);
}

/// Requirement: RFC5681-R01
#[test]
fn neither_window_is_ever_exceeded() {
    for window in [3000, 9500, 40_000] {
        let mut b = greedy(plain(), 4);
        b.peer_wnd = window;
        b.ack(ISS + 1);
        for _ in 0..6 {
            b.drain();
            let info = b.conn.info();
            assert!(info.in_flight <= info.cwnd.min(info.snd_wnd).max(4000));
            round(&mut b);
        }
        assert!(b.conn.info().in_flight <= u32::from(window));
    }
}

#[test]
fn bursts_for_a_device_that_cuts_them_are_whole_segments() {
    let mut b = greedy(plain(), 10);
    b.burst = 60_000;
    let t = b.one();
    assert_eq!((t.payload_len(), t.segment_size), (10_000, Some(1000)));
}
