//! The user timeout (RFC 9293 §3.10.8).

mod common;

use common::*;
use handclasp_tcp::State;
use handclasp_tcp::connection::Error;

fn open() -> Bench {
    let mut config = plain();
    config.user_timeout = Some(5 * SECOND);
    Bench::open_with(config, mss(1000))
}

/// Requirement: RFC9293-P53
#[test]
fn unacknowledged_data_ends_the_connection_when_the_time_is_over() {
    let mut b = open();
    b.write(&[0; 50_000]);
    let start = b.now;
    b.drain();
    while b.state() == State::Established {
        b.until_deadline();
        b.drain();
    }
    assert_eq!(b.now - start, 5 * SECOND);
    assert_eq!(b.conn.error(), Some(Error::TimedOut));
    assert_eq!((b.budget.used(), b.conn.next_deadline()), (0, None));
    assert_eq!(b.with(|c, cx| c.write(cx, b"x")), Err(Error::TimedOut));
}

/// Requirement: RFC9293-P53
#[test]
fn progress_begins_the_time_anew() {
    let mut b = open();
    b.write(&[0; 10_000]);
    b.drain();
    for i in 1..=10 {
        b.watch(4 * SECOND);
        b.ack(ISS + 1 + 1000 * i);
    }
    assert_eq!(b.state(), State::Established);
    assert!(b.watch(1000 * SECOND).is_empty(), "nothing waits any more");
    assert_eq!(b.conn.next_deadline(), None);
}

/// Requirement: RFC9293-P53
#[test]
fn a_timeout_set_on_the_way_holds_for_what_waits_already() {
    let mut b = Bench::open();
    b.write(b"x");
    b.drain();
    b.watch(100 * SECOND);
    b.conn.set_user_timeout(Some(102 * SECOND));
    assert_eq!(b.conn.next_deadline(), Some(b.now + 2 * SECOND));
    b.until_deadline();
    assert_eq!(b.state(), State::Closed);
}

/// Requirement: RFC9293-P53
#[test]
fn an_attempt_to_open_has_no_more_time_than_that() {
    let mut config = plain();
    config.user_timeout = Some(5 * SECOND);
    let mut b = Bench::connecting(config);
    let start = b.now;
    b.drain();
    while b.state() == State::SynSent {
        b.until_deadline();
        b.drain();
    }
    assert_eq!(b.now - start, 5 * SECOND);
    assert_eq!(b.conn.error(), Some(Error::HandshakeTimedOut));
}

/// Requirement: RFC9293-P53, RFC9293-MUST-37
#[test]
fn unanswered_probes_of_a_closed_window_count() {
    let mut b = open();
    b.ack_with_window(ISS + 1, 0);
    b.write(b"x");
    b.drain();
    let start = b.now;
    while b.state() == State::Established {
        b.until_deadline();
        b.drain();
    }
    assert!(b.now - start < 6 * SECOND);
}

/// Requirement: RFC9293-P53
#[test]
fn a_fin_waits_no_longer_than_data() {
    let mut b = open();
    b.fin();
    b.shutdown();
    b.drain();
    b.watch(6 * SECOND);
    assert_eq!((b.state(), b.conn.error()), (State::Closed, Some(Error::TimedOut)));
}

/// Requirement: RFC5482-R10, RFC5482-R01
#[test]
fn the_peers_user_timeout_option_is_ignored() {
    let mut b = open();
    let mut header = b.ack_header(ISS + 1);
    header.options.user_timeout = Some(1);
    b.arrive(header, b"x");
    b.drain();
    b.write(b"x");
    b.drain();
    b.watch(4 * SECOND);
    assert_eq!(b.state(), State::Established);
}
