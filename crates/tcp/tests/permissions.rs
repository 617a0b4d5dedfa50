//! What the RFCs permit, or leave to the application, and how we make use of it.

mod common;

use common::*;
use handclasp_tcp::State;
use handclasp_tcp::connection::{Error, PathError};
use handclasp_tcp::negotiation::timestamp;
use handclasp_tcp::opening::Opening;
use handclasp_tcp::{Connection, Context};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::time::Instant;

/// Requirement: RFC9293-MAY-3, RFC9293-SHLD-5, RFC9293-MUST-67
#[test]
fn the_mss_is_announced_though_it_is_the_default() {
    let mut b = Bench::connecting(plain());
    b.conn = b.with(|_, cx| {
        let opening = Opening { path_mtu: 576, link_mtu: 576, ..opening() };
        Connection::connect(std::sync::Arc::new(plain()), tuple(), opening, cx)
    });
    assert_eq!(b.one().header.options.mss, Some(536));
}

/// Requirement: RFC9293-MAY-16, RFC9293-SHLD-28
#[test]
fn small_writes_that_wait_leave_together_in_full_segments() {
    let mut config = plain();
    config.nodelay = true;
    let mut b = Bench::open_with(config, mss(1000));
    for n in 0..20 {
        b.write(&[n; 125]);
    }
    let sent = b.drain();
    assert_eq!(ranges(&sent), [(ISS + 1, 1000), (ISS + 1001, 1000), (ISS + 2001, 500)]);
    assert_eq!(sent.iter().map(flags).collect::<Vec<_>>(), [".", ".", "P."]);
}

/// Requirement: RFC9293-SHLD-20
#[test]
fn a_soft_error_is_told_to_who_asks_and_disturbs_nobody_else() {
    let mut b = Bench::open();
    b.write(b"sent");
    b.drain();
    let before = b.conn.readiness();
    b.with(|c, cx| c.path_error(cx, PathError::HostUnreachable, SeqNumber(ISS + 1)));
    assert_eq!(b.conn.readiness(), before, "nobody is woken");
    assert_eq!((b.conn.error(), b.write(b"more")), (None, 4));
    let mut buffer = [0; 10];
    assert_eq!(b.with(|c, cx| c.read(cx, &mut buffer)), Ok(None));
    assert_eq!(b.conn.info().soft_error, Some(PathError::HostUnreachable));
}

/// Requirement: RFC9293-MAY-1
#[test]
fn a_full_close_ends_reading_too() {
    let mut b = Bench::open();
    b.close();
    assert_eq!(flags(&b.one()), "F.");
    b.ack(b.snd_nxt());
    assert_eq!(b.state(), State::FinWait2);
    b.data(b"for nobody");
    assert_eq!(flags(&b.one()), "R");
    assert_eq!((b.state(), b.conn.error()), (State::Closed, Some(Error::Aborted)));
    let mut buffer = [0; 10];
    assert_eq!(b.with(|c, cx| c.read(cx, &mut buffer)), Err(Error::Aborted));
}

/// The tick must not be so slow that a window's worth goes by unseen, nor so fast that its
/// numbers come round within a segment's lifetime.
/// Requirement: RFC7323-R32, RFC7323-R22
#[test]
fn the_timestamp_clock_ticks_every_millisecond_and_comes_round_after_weeks() {
    let at = |ms| timestamp(Instant::from_millis(ms), 7);
    assert_eq!(at(1001).wrapping_sub(at(1000)), 1);
    let lifetime = 2 * 60 * 1000;
    let half_a_round = u64::from(u32::MAX / 2);
    assert_eq!(at(half_a_round).wrapping_sub(at(0)), u32::MAX / 2);
    assert!(half_a_round > lifetime);
    assert_eq!(at((1 << 32) + 5), at(5));
}

/// Requirement: RFC7661-R05
#[test]
fn beyond_slow_start_too_a_window_that_is_not_used_does_not_grow() {
    let mut config = plain();
    config.f_rto = false;
    let mut b = Bench::open_with(config, mss(1000));
    b.write(&[0; 20_000]);
    b.drain();
    b.until_deadline();
    b.drain();
    while b.conn.info().in_flight > 0 || b.conn.info().unsent > 0 {
        b.advance(10 * MS);
        let una = b.snd_nxt() - b.conn.info().in_flight;
        b.ack((una + 2000).min(b.snd_nxt()));
        b.drain();
    }
    let before = b.conn.info();
    assert!(before.cwnd >= before.ssthresh && before.ssthresh < 20_000, "{before:?}");
    for _ in 0..50 {
        b.write(&[0; 1000]);
        b.drain();
        b.advance(10 * MS);
        b.ack(b.snd_nxt());
    }
    assert_eq!(b.conn.info().cwnd, before.cwnd);
}

/// A probe of the path, not of the peer: it says nothing of the peer's MSS.
/// Requirement: RFC8201-P06
#[test]
fn a_path_larger_than_the_peer_s_mss_makes_no_segment_larger() {
    let mut b = Bench::open();
    let large = |c: &mut Connection, cx: &Context<'_>| c.set_path_mtu(cx, 9000);
    b.with(large);
    b.write(&[0; 9000]);
    assert!(b.drain().iter().all(|t| t.payload_len() <= 1000));
}

/// One round trip's samples weigh as much as one: a queue that fills for a single round must
/// not look as if it had always been there.
/// Requirement: RFC7323-R24
#[test]
fn many_samples_in_a_round_trip_weigh_as_much_as_one() {
    let mut config = plain();
    config.initial_window = 20;
    let mut b = Bench::open_with(config, mss(1000));
    b.peer_wnd = 20_000;
    b.write(&[0; 80_000]);
    b.drain();
    b.advance(100 * MS);
    // Twenty segments in flight, and an ACK for every second one.
    let round = |b: &mut Bench, wait| {
        b.advance(wait);
        for _ in 0..10 {
            let una = b.snd_nxt() - b.conn.info().in_flight;
            b.ack(una + 2000);
            b.write(&[0; 2000]);
            assert_eq!(b.drain().len(), 2);
            b.advance(10 * MS);
        }
    };
    for _ in 0..100 {
        round(&mut b, std::time::Duration::ZERO);
    }
    assert!((99..=100).contains(&b.conn.info().rtt.unwrap().as_millis()));
    round(&mut b, 80 * MS);
    let rtt = b.conn.info().rtt.unwrap().as_millis();
    assert!((107..112).contains(&rtt), "an eighth of the way from 100 to 180: {rtt} ms");
}

/// Requirement: RFC5961-R10
#[test]
fn how_many_challenges_there_are_in_what_time_is_a_setting_of_each_connection() {
    let mut config = plain();
    config.challenge_acks = 3;
    config.challenge_interval = 5 * SECOND;
    let mut b = Bench::open_with(config, mss(1000));
    let mut sent = Vec::new();
    for _ in 0..12 {
        b.rst(b.peer_nxt + 10);
        sent.push(b.drain().len());
        b.advance(SECOND);
    }
    assert_eq!(sent, [1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 1, 1]);
}
