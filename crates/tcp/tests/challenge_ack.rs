//! What somebody off the path may try, and the ACKs that answer (RFC 5961).

mod common;

use common::*;
use handclasp_tcp::State;
use handclasp_tcp::connection::Error;
use handclasp_tcp::half_open::reset_for;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::{Flags, Header};

fn syn_at(b: &Bench, seq: u32) -> Header {
    Header { seq: SeqNumber(seq), flags: Flags::SYN, ..b.blank() }
}

/// Requirement: RFC5961-R05, RFC9293-P14
#[test]
fn a_syn_in_an_open_connection_is_challenged_whatever_its_number() {
    for modern in [false, true] {
        let mut b = if modern { Bench::open_modern() } else { Bench::open() };
        for seq in [b.peer_nxt, b.peer_nxt + 500, b.peer_nxt - 500, b.peer_nxt + (1 << 30)] {
            for text in [&b""[..], b"data"] {
                b.arrive(syn_at(&b, seq), text);
                let ack = b.one();
                assert_eq!(flags(&ack), ".");
                assert_eq!((ack.header.seq.0, ack.header.ack.0), (ISS + 1, IRS + 1));
                assert_eq!((b.state(), b.conn.info().unread), (State::Established, 0));
            }
        }
    }
}

/// A peer that restarted and now connects again, without the options of its former life.
/// Requirement: RFC5961-R06
#[test]
fn a_restarted_peer_answers_the_challenge_with_a_rst_that_is_believed() {
    for modern in [false, true] {
        let mut b = if modern { Bench::open_modern() } else { Bench::open() };
        b.arrive(syn_at(&b, 0x4000_0000), &[]);
        let challenge = b.one();
        let rst = reset_for(&challenge.header, 0);
        b.arrive(rst, &[]);
        assert_eq!((b.state(), b.conn.error()), (State::Closed, Some(Error::Reset)));
    }
}

/// Requirement: RFC9293-P47, RFC5961-R08
#[test]
fn an_ack_of_what_was_never_sent_is_answered_and_dropped_with_its_text() {
    let mut b = Bench::open();
    let header = b.ack_header(ISS + 2);
    b.arrive(header, b"forged");
    let ack = b.one();
    assert_eq!((flags(&ack).as_str(), ack.header.ack.0), (".", IRS + 1));
    assert_eq!(b.conn.info().unread, 0);
}

/// Requirement: RFC5961-R07, RFC5961-R08, RFC9293-MAY-12
#[test]
fn an_ack_older_than_the_largest_window_is_answered_and_dropped_with_its_text() {
    let mut b = Bench::open();
    let una = ISS + 1;
    let oldest = una.wrapping_sub(65_535);
    b.arrive(b.ack_header(oldest.wrapping_sub(1)), b"forged");
    assert_eq!(flags(&b.one()), ".");
    assert_eq!(b.conn.info().unread, 0);
    b.arrive(b.ack_header(oldest), b"genuine");
    assert_eq!(b.read(10), b"genuine");
}

/// Requirement: RFC5961-R09, RFC5961-R10
#[test]
fn challenges_are_counted_per_second_as_configured() {
    let mut config = plain();
    config.challenge_acks = 3;
    let mut b = Bench::open_with(config, mss(1000));
    for _ in 0..2 {
        let mut sent = 0;
        for _ in 0..50 {
            b.rst(b.peer_nxt + 10);
            b.arrive(syn_at(&b, b.peer_nxt), &[]);
            sent += b.drain().len();
        }
        assert_eq!(sent, 3);
        b.advance(SECOND);
    }
}

/// Both ends' bare ACKs lie outside the other's window: they must not answer each other
/// without end.
/// Requirement: RFC5961-R09
#[test]
fn bare_acks_outside_the_window_are_answered_a_few_times_a_second() {
    let mut b = Bench::open();
    let mut sent = 0;
    for _ in 0..1000 {
        let mut header = b.ack_header(ISS + 1);
        header.seq -= 5;
        b.arrive(header, &[]);
        sent += b.drain().len();
    }
    assert_eq!(sent, 10);
}

/// Requirement: RFC7323-R29, RFC7323-P28
#[test]
fn a_challenged_segment_leaves_no_trace_in_the_timestamps() {
    let mut b = Bench::open_modern();
    for flag in [Flags::SYN, Flags::RST] {
        let mut header = b.ack_header(ISS + 1);
        header.flags = flag;
        header.seq = SeqNumber(b.peer_nxt);
        header.options.timestamps.as_mut().unwrap().value = 0x7000_0000;
        if flag == Flags::RST {
            header.seq -= 1;
        }
        b.arrive(header, &[]);
        b.drain();
    }
    b.data(b"honest");
    assert_eq!(b.read(10), b"honest");
    assert_eq!(b.one().header.options.timestamps.unwrap().echo, 100);
}

/// A forged acknowledgment must not move the peer's clock ahead, or PAWS would drop all that
/// the true peer sends.
/// Requirement: RFC5961-R08
#[test]
fn a_segment_with_an_unacceptable_ack_leaves_no_trace_in_the_timestamps() {
    let mut b = Bench::open_modern();
    let mut header = b.ack_header(ISS + 500);
    header.options.timestamps.as_mut().unwrap().value = 0x7000_0000;
    b.arrive(header, b"forged");
    b.drain();
    b.data(b"honest");
    assert_eq!(b.read(10), b"honest");
}
