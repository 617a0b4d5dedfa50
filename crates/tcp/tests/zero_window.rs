//! Closed windows and their probes (RFC 9293 §3.8.6.1).

mod common;

use std::time::Duration;

use common::*;
use handclasp_tcp::State;
use handclasp_tcp::connection::{Error, Readiness};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::Flags;

fn shut(b: &mut Bench) {
    b.ack_with_window(b.snd_nxt(), 0);
}

/// Requirement: RFC9293-MUST-36, RFC9293-SHLD-29, RFC9293-SHLD-30
#[test]
fn a_closed_window_is_probed_after_one_rto_and_then_ever_less_often() {
    let mut b = Bench::open();
    shut(&mut b);
    b.write(b"waiting");
    let rto = b.conn.info().rto;
    let seen = b.watch(400 * SECOND);
    let times: Vec<_> = seen.iter().map(|(at, _)| *at).collect();
    assert_eq!(times[0], rto);
    let mut gap = rto;
    for pair in times.windows(2) {
        gap = (gap * 2).min(Duration::from_secs(120));
        assert_eq!(pair[1] - pair[0], gap);
    }
    assert!(times.len() > 9);
    for (_, probe) in seen {
        assert_eq!((flags(&probe).as_str(), probe.payload_len()), (".", 0));
        assert_eq!(probe.header.seq.0, b.snd_nxt() - 1, "so that it must be answered");
    }
}

/// Requirement: RFC9293-MUST-36
#[test]
fn a_lost_window_update_is_found_out_by_a_probe() {
    let mut b = Bench::open();
    shut(&mut b);
    b.write(b"waiting");
    b.silent();
    b.until_deadline();
    b.one();
    b.ack_with_window(ISS + 1, 5000);
    assert_eq!(text(&b.one()), b"waiting");
    assert_eq!(b.until_deadline(), 200 * MS, "the retransmission timer, not backed off");
}

/// Requirement: RFC9293-MUST-37, RFC9293-MAY-8
#[test]
fn a_peer_that_answers_probes_is_waited_for_without_end() {
    let mut config = plain();
    config.user_timeout = Some(30 * SECOND);
    let mut b = Bench::open_with(config, mss(1000));
    shut(&mut b);
    b.write(b"waiting");
    b.silent();
    let start = b.now;
    while b.now - start < Duration::from_secs(5 * 24 * 3600) {
        b.until_deadline();
        if !b.drain().is_empty() {
            b.ack(ISS + 1);
        }
        assert_eq!(b.state(), State::Established);
    }
    b.ack_with_window(ISS + 1, 1000);
    assert_eq!(text(&b.one()), b"waiting");
}

/// Requirement: RFC9293-MUST-20, RFC9293-MUST-37
#[test]
fn a_peer_that_answers_no_probe_is_given_up() {
    let mut b = Bench::open();
    shut(&mut b);
    b.write(b"waiting");
    let probes = b.watch(Duration::from_secs(4000)).len();
    assert_eq!((b.state(), b.conn.error()), (State::Closed, Some(Error::TimedOut)));
    assert_eq!(probes, 15 + 1, "with the RST that ends it");
    assert_eq!(b.budget.used(), 0);
}

/// Requirement: RFC9293-MUST-35
#[test]
fn a_window_that_shrinks_to_nothing_is_probed_and_what_was_in_flight_is_sent_again_later() {
    let mut b = Bench::open();
    b.write(&[1; 3000]);
    b.drain();
    b.ack_with_window(ISS + 1, 0);
    for (_, probe) in b.watch(20 * SECOND) {
        assert_eq!(probe.payload_len(), 0);
        b.ack(ISS + 1);
    }
    b.ack_with_window(ISS + 1, 9000);
    let seen = b.watch(SECOND);
    assert_eq!(ranges(&[seen[0].1.clone()]), [(ISS + 1, 1000)]);
    b.ack(ISS + 1001);
    let rest: Vec<_> = b.watch(SECOND).into_iter().map(|(_, t)| t).collect();
    assert_eq!(ranges(&rest[..2]), [(ISS + 1001, 1000), (ISS + 2001, 1000)]);
}

/// A FIN is part of the sequence and needs its place in the window.
/// Requirement: RFC9293-MUST-36, RFC9293-P20, RFC7323-R12
#[test]
fn a_fin_waits_for_a_closed_window() {
    let mut b = Bench::open();
    shut(&mut b);
    b.shutdown();
    assert_eq!(b.state(), State::FinWait1);
    for (_, probe) in b.watch(10 * SECOND) {
        assert_eq!(flags(&probe), ".", "probes only");
        b.ack(ISS + 1);
    }
    b.ack_with_window(ISS + 1, 1);
    let fin = b.one();
    assert_eq!((flags(&fin).as_str(), fin.header.seq.0), ("F.", ISS + 1));
}

/// Requirement: RFC9293-MUST-36, RFC9293-P27
#[test]
fn data_that_fills_the_window_leaves_before_the_fin() {
    let mut b = Bench::open();
    b.ack_with_window(ISS + 1, 1000);
    b.write(&[1; 1000]);
    b.shutdown();
    let data = b.one();
    assert_eq!((flags(&data).as_str(), data.payload_len()), ("P.", 1000));
    b.ack_with_window(ISS + 1001, 0);
    b.silent();
    b.until_deadline();
    assert_eq!(flags(&b.one()), ".");
    b.ack_with_window(ISS + 1001, 1000);
    assert_eq!(flags(&b.one()), "F.");
    b.ack(ISS + 1002);
    assert_eq!(b.state(), State::FinWait2);
}

/// Requirement: RFC9293-P20, RFC9293-MUST-35
#[test]
fn a_fin_lost_while_the_window_closed_is_sent_again_when_it_opens() {
    let mut b = Bench::open();
    b.shutdown();
    b.drain();
    b.ack_with_window(ISS + 1, 0);
    for (_, probe) in b.watch(10 * SECOND) {
        assert_eq!(flags(&probe), ".");
        b.ack(ISS + 1);
    }
    b.ack_with_window(ISS + 1, 1000);
    let seen = b.watch(SECOND);
    assert_eq!((flags(&seen[0].1).as_str(), seen[0].1.header.seq.0), ("F.", ISS + 1));
}

fn full() -> Bench {
    let mut config = plain();
    config.receive_buffer_max = 4000;
    let mut b = Bench::open_with(config, mss(1000));
    while b.conn.info().rcv_wnd > 0 {
        b.data(&vec![7; b.conn.info().rcv_wnd.min(1000) as usize]);
        b.drain();
    }
    b
}

/// Requirement: RFC9293-P24, RFC9293-MAY-8
#[test]
fn a_probe_of_our_closed_window_is_answered_and_its_text_dropped() {
    let mut b = full();
    let (nxt, unread) = (b.peer_nxt, b.conn.info().unread);
    for (seq, text) in [(nxt, &b"?"[..]), (nxt - 1, b""), (nxt - 1, b"?")] {
        b.data_at(seq, text);
        let ack = b.one();
        assert_eq!((ack.header.ack.0, ack.header.window), (nxt, 0));
        assert_eq!(b.conn.info().unread, unread);
    }
}

/// Requirement: RFC9293-MUST-66
#[test]
fn urgent_news_comes_through_a_closed_window() {
    let mut b = full();
    let mut header = b.ack_header(ISS + 1);
    header.flags |= Flags::URG;
    header.urgent = 5;
    b.arrive(header, b"?");
    assert!(b.ready(Readiness::URGENT));
    assert_eq!(b.conn.info().statistics.urgent_notices, 1);
}

/// Requirement: RFC9293-MUST-66
#[test]
fn acknowledgments_are_taken_while_our_window_is_closed() {
    let mut b = full();
    b.write(b"ours");
    b.drain();
    b.ack(ISS + 5);
    assert_eq!(b.conn.info().in_flight, 0);
    b.write(b"more");
    b.drain();
    // With a byte of text that finds no room.
    let header = b.ack_header(ISS + 9);
    b.arrive(header, b"?");
    assert_eq!(b.conn.info().in_flight, 0);
}

/// Otherwise the two ACKs would chase each other for as long as nobody reads.
#[test]
fn two_closed_windows_do_not_answer_each_other() {
    let mut b = full();
    b.peer_wnd = 0;
    b.ack(ISS + 1);
    b.ack(ISS + 1);
    b.silent();
}

/// Requirement: RFC9293-MUST-36
#[test]
fn reading_reopens_the_window_unasked() {
    let mut b = full();
    b.silent();
    b.read(100_000);
    assert!(b.one().header.window >= 2000);
}

/// Requirement: RFC9293-MUST-37
#[test]
fn a_zero_window_from_the_start_is_probed() {
    let mut b = Bench::connecting(plain());
    b.drain();
    b.peer_wnd = 0;
    b.syn_ack(mss(1000));
    b.drain();
    b.write(b"x");
    b.silent();
    b.until_deadline();
    assert_eq!(b.one().header.seq, SeqNumber(ISS));
}

/// Requirement: RFC6429-P02, RFC6429-R01, RFC6429-P04
#[test]
fn an_application_may_abort_what_a_closed_window_holds_up() {
    let mut b = Bench::open();
    shut(&mut b);
    b.write(&[0; 60_000]);
    b.watch(SECOND);
    b.with(|c, cx| c.abort(cx));
    assert_eq!(flags(&b.one()), "R.");
    assert_eq!((b.state(), b.budget.used()), (State::Closed, 0));
}

/// Requirement: RFC6429-P03, RFC6429-P05, RFC6429-R01
#[test]
fn where_memory_is_short_a_peer_that_takes_nothing_holds_no_orphan_for_ever() {
    for (limit, reclaimed) in [(10_000, true), (1 << 30, false)] {
        let mut b = Bench::open();
        b.budget = handclasp_tcp::Budget::new(limit);
        shut(&mut b);
        b.write(&[0; 9_000]);
        b.close();
        b.drain();
        for _ in 0..50 {
            b.until_deadline();
            if b.drain().is_empty() || b.state() == State::Closed {
                break;
            }
            b.ack(ISS + 1);
        }
        assert_eq!(b.state() == State::Closed, reclaimed);
        assert_eq!(b.budget.used() == 0, reclaimed);
    }
}
