//! Keep-alive probes (RFC 9293 §3.8.4).

mod common;

use std::time::Duration;

use common::*;
use handclasp_tcp::State;
use handclasp_tcp::config::KeepAlive;
use handclasp_tcp::connection::{Error, Readiness};

const PROBING: KeepAlive =
    KeepAlive { idle: Duration::from_secs(10), interval: Duration::from_secs(5), count: 3 };

fn open() -> Bench {
    let mut config = plain();
    config.keep_alive = Some(PROBING);
    Bench::open_with(config, mss(1000))
}

/// Requirement: RFC9293-MUST-25
#[test]
fn nobody_is_probed_unasked() {
    let mut b = Bench::open();
    assert!(b.watch(Duration::from_secs(7 * 24 * 3600)).is_empty());
    assert_eq!(b.state(), State::Established);
}

/// Requirement: RFC9293-MUST-24, RFC9293-MUST-27, RFC9293-SHLD-12, RFC9293-MAY-5
#[test]
fn an_idle_peer_is_probed_without_data_at_an_old_number() {
    let mut b = open();
    let seen = b.watch(11 * SECOND);
    assert_eq!(seen.len(), 1);
    let (at, probe) = &seen[0];
    assert_eq!(*at, 10 * SECOND);
    assert_eq!((flags(probe).as_str(), probe.payload_len()), (".", 0));
    assert_eq!(probe.header.seq.0, b.snd_nxt() - 1);
}

/// Requirement: RFC9293-MUST-24
#[test]
fn probing_is_switched_on_and_off_on_the_way() {
    let mut b = Bench::open();
    b.with(|c, cx| c.set_keep_alive(cx, Some(PROBING)));
    assert_eq!(b.watch(11 * SECOND).len(), 1);
    b.ack(ISS + 1);
    b.with(|c, cx| c.set_keep_alive(cx, None));
    assert!(b.watch(1000 * SECOND).is_empty());
}

/// Requirement: RFC9293-MUST-28
#[test]
fn the_default_is_two_hours() {
    let mut b = Bench::open();
    b.with(|c, cx| c.set_keep_alive(cx, Some(KeepAlive::default())));
    assert!(b.watch(Duration::from_secs(7199)).is_empty());
    assert_eq!(b.watch(2 * SECOND).len(), 1);
}

/// Requirement: RFC9293-MUST-26
#[test]
fn a_peer_that_is_heard_is_not_probed() {
    let mut b = open();
    for _ in 0..10 {
        assert!(b.watch(9 * SECOND).is_empty());
        b.data(b"x");
        b.one();
    }
    for _ in 0..20 {
        assert!(b.watch(9 * SECOND).is_empty());
        b.ack(ISS + 1);
    }
    assert_eq!(b.watch(11 * SECOND).len(), 1);
}

/// Requirement: RFC9293-MUST-26
#[test]
fn data_under_way_is_its_own_probe() {
    let mut b = open();
    b.write(b"x");
    let seen = b.watch(60 * SECOND);
    assert!(seen.iter().all(|(_, t)| t.payload_len() == 1), "retransmissions only");
}

/// Requirement: RFC9293-MUST-29
#[test]
fn one_unanswered_probe_proves_nothing() {
    let mut b = open();
    for _ in 0..5 {
        assert_eq!(b.watch(20 * SECOND - MS).len(), 2, "two of three are lost");
        b.ack(ISS + 1);
        assert_eq!(b.state(), State::Established);
    }
}

/// S2.6.
#[test]
fn a_peer_that_vanished_is_given_up_after_the_last_probes_interval() {
    let mut b = open();
    let seen = b.watch(100 * SECOND);
    let times: Vec<_> = seen.iter().map(|(at, _)| at.as_secs()).collect();
    assert_eq!(times, [10, 15, 20, 25]);
    assert_eq!(flags(&seen[3].1), "R.");
    assert_eq!((b.state(), b.conn.error()), (State::Closed, Some(Error::KeepAliveTimedOut)));
    assert!(b.ready(Readiness::OVER | Readiness::READABLE));
}

/// Requirement: RFC9293-MUST-26
#[test]
fn the_idle_time_counts_from_the_handshake_not_from_the_first_syn() {
    let mut config = plain();
    config.keep_alive = Some(PROBING);
    let mut b = Bench::connecting(config);
    b.drain();
    b.watch(12 * SECOND);
    b.syn_ack(mss(1000));
    b.drain();
    assert!(b.watch(9 * SECOND).is_empty());
}

/// Requirement: RFC9293-MUST-29
#[test]
fn a_live_peer_answers_our_probes_and_we_answer_its() {
    let mut b = open();
    for _ in 0..10 {
        b.until_deadline();
        for probe in b.drain() {
            assert_eq!(probe.header.seq.0, ISS);
            b.ack(ISS + 1);
        }
        let mut theirs = b.ack_header(ISS + 1);
        theirs.seq -= 1;
        b.arrive(theirs, &[]);
        let answer = b.one();
        assert_eq!((answer.header.seq.0, answer.header.ack.0), (ISS + 1, IRS + 1));
    }
    assert_eq!(b.state(), State::Established);
}
