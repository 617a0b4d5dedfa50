//! RST: when it is sent, when it is believed (RFC 9293 §3.5.2, §3.5.3, §3.10.7.4).

mod common;

use std::sync::Arc;

use bytes::Bytes;
use common::*;
use handclasp_tcp::connection::{Error, Readiness};
use handclasp_tcp::half_open::reset_for;
use handclasp_tcp::{Connection, Context, State};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::Timestamps;
use handclasp_wire::tcp::{Flags, Header};

/// A connection in each synchronized state that lives long enough to be reset.
fn states() -> Vec<(State, Bench)> {
    let established = Bench::open;
    let closing = || {
        let mut b = established();
        b.shutdown();
        b.drain();
        b
    };
    let mut fin_wait_2 = closing();
    fin_wait_2.ack(ISS + 2);
    let mut close_wait = established();
    close_wait.fin();
    close_wait.drain();
    let mut both = closing();
    let mut header = both.ack_header(ISS + 1);
    header.flags |= Flags::FIN;
    both.arrive(header, &[]);
    both.peer_nxt += 1;
    both.drain();
    let mut last_ack = established();
    last_ack.fin();
    last_ack.shutdown();
    last_ack.drain();
    let mut time_wait = closing();
    time_wait.ack(ISS + 2);
    time_wait.fin();
    time_wait.drain();
    let all = vec![
        (State::Established, established()),
        (State::FinWait1, closing()),
        (State::FinWait2, fin_wait_2),
        (State::CloseWait, close_wait),
        (State::Closing, both),
        (State::LastAck, last_ack),
        (State::TimeWait, time_wait),
    ];
    for (state, b) in &all {
        assert_eq!(b.state(), *state);
    }
    all
}

/// Requirement: RFC9293-P16, RFC9293-P17, RFC5961-R02
#[test]
fn a_rst_at_the_next_number_ends_every_synchronized_state() {
    for (state, mut b) in states() {
        b.rst(b.peer_nxt);
        assert_eq!(b.state(), State::Closed, "{state}");
        b.silent();
        assert_eq!(b.conn.next_deadline(), None);
        assert_eq!(b.budget.used(), 0);
        let clean = matches!(state, State::Closing | State::LastAck | State::TimeWait);
        assert_eq!(b.conn.error(), (!clean).then_some(Error::Reset), "{state}");
    }
}

/// Requirement: RFC9293-P43, RFC5961-R01, RFC9293-P13
#[test]
fn a_rst_outside_the_window_is_dropped_in_silence() {
    for (state, mut b) in states() {
        let window = b.conn.info().rcv_wnd;
        for seq in [b.peer_nxt - 1, b.peer_nxt + window, b.peer_nxt.wrapping_add(1 << 31)] {
            b.rst(seq);
            b.silent();
            assert_eq!(b.state(), state);
        }
    }
}

/// Requirement: RFC5961-R03, RFC9293-P13
#[test]
fn a_rst_elsewhere_in_the_window_is_challenged() {
    for (state, mut b) in states() {
        let window = b.conn.info().rcv_wnd;
        for seq in [b.peer_nxt + 1, b.peer_nxt + window / 2, b.peer_nxt + window - 1] {
            b.rst(seq);
            let ack = b.one();
            assert_eq!(flags(&ack), ".", "{state}");
            assert_eq!((ack.header.seq.0, ack.header.ack.0), (b.snd_nxt(), b.peer_nxt));
            assert_eq!(b.state(), state);
        }
    }
}

/// Requirement: RFC9293-SHLD-2
#[test]
fn a_rst_that_carries_data_is_a_rst() {
    let mut b = Bench::open();
    let header = Header { seq: SeqNumber(b.peer_nxt), flags: Flags::RST | Flags::ACK, ..b.blank() };
    b.arrive(Header { ack: SeqNumber(ISS + 1), ..header }, b"the reason, in words");
    assert_eq!((b.state(), b.conn.error()), (State::Closed, Some(Error::Reset)));
    assert_eq!(b.conn.info().unread, 0);
}

/// Requirement: RFC9293-MUST-66
#[test]
fn a_rst_is_believed_while_our_window_is_closed() {
    for payload in [&b""[..], b"x"] {
        let mut b = closed_window();
        let header = Header { seq: SeqNumber(b.peer_nxt), flags: Flags::RST, ..b.blank() };
        b.arrive(header, payload);
        assert_eq!((b.state(), b.conn.error()), (State::Closed, Some(Error::Reset)));
    }
}

/// A connection whose application reads nothing, with its window filled.
fn closed_window() -> Bench {
    let mut config = plain();
    config.receive_buffer_max = 4000;
    let mut b = Bench::open_with(config, mss(1000));
    for _ in 0..4 {
        b.data(&[7; 1000]);
        b.drain();
    }
    assert_eq!(b.conn.info().rcv_wnd, 0);
    b
}

/// Requirement: RFC9293-MUST-12
#[test]
fn what_came_before_a_rst_may_be_read_and_the_error_follows() {
    let mut b = Bench::open();
    b.data(b"last words");
    b.rst(b.peer_nxt);
    assert!(b.ready(Readiness::READABLE | Readiness::OVER));
    assert_eq!(b.read(100), b"last words");
    let error = b.with(|c, cx| c.read(cx, &mut [0; 4]));
    assert_eq!(error, Err(Error::Reset));
    assert_eq!(b.with(|c, cx| c.write(cx, b"x")), Err(Error::Reset));
}

/// Requirement: RFC9293-P28
#[test]
fn an_abort_sends_a_rst_at_the_next_number_where_the_peer_still_listens() {
    for (state, mut b) in states() {
        let nxt = b.snd_nxt();
        b.with(|c, cx| c.abort(cx));
        let sent = b.drain();
        let quiet = matches!(state, State::Closing | State::LastAck | State::TimeWait);
        assert_eq!(sent.len(), usize::from(!quiet), "{state}");
        for rst in sent {
            assert!(flags(&rst).starts_with('R'));
            assert_eq!(rst.header.seq.0, nxt);
        }
        if state != State::TimeWait {
            assert_eq!((b.state(), b.conn.next_deadline()), (State::Closed, None));
        }
    }
}

/// Requirement: RFC9293-P28
#[test]
fn an_abort_discards_what_was_queued_both_ways() {
    let mut b = Bench::open();
    b.peer_wnd = 500;
    b.data(b"unread");
    b.drain();
    b.write(&[0; 50_000]);
    b.drain();
    b.with(|c, cx| c.abort(cx));
    assert_eq!(flags(&b.one()), "R.");
    assert_eq!(b.budget.used(), 0);
    assert_eq!(b.conn.info().unsent, 0);
    assert!(!b.conn.wants_to_send());
}

/// The FIN is still queued behind data, so the peer would wait for both for ever.
/// Requirement: RFC9293-P28
#[test]
fn an_abort_after_a_close_whose_fin_never_left_sends_a_rst() {
    let mut b = Bench::open();
    b.fin();
    b.drain();
    b.write(&[0; 50_000]);
    b.shutdown();
    b.drain();
    assert_eq!(b.state(), State::LastAck);
    b.with(|c, cx| c.abort(cx));
    assert_eq!(flags(&b.one()), "R.");
    assert_eq!(b.budget.used(), 0);
}

/// Requirement: RFC9293-MUST-12
#[test]
fn a_rst_that_comes_before_everything_written_was_acknowledged_is_an_error() {
    let mut b = Bench::open();
    b.fin();
    b.drain();
    b.write(&[0; 5000]);
    b.shutdown();
    b.drain();
    b.rst(b.peer_nxt);
    assert_eq!((b.state(), b.conn.error()), (State::Closed, Some(Error::Reset)));
    assert_eq!(b.budget.used(), 0);
}

/// Requirement: RFC9293-P11, RFC9293-P12, RFC9293-P34
#[test]
fn the_rst_for_nobody_takes_its_numbers_from_the_segment() {
    let mut header = syn(mss(1000));
    header.flags |= Flags::FIN;
    let rst = reset_for(&header, 10);
    assert_eq!(rst.flags, Flags::RST | Flags::ACK);
    assert_eq!((rst.seq.0, rst.ack.0), (0, IRS + 12));
    assert_eq!((rst.src_port, rst.dst_port), (40_000, 80));
    header.flags = Flags::ACK;
    header.ack = SeqNumber(77);
    let rst = reset_for(&header, 10);
    assert_eq!((rst.flags, rst.seq.0), (Flags::RST, 77));
}

/// Requirement: RFC9293-P13, RFC9293-P34, RFC9293-P12
#[test]
fn a_closed_connection_answers_segments_with_rst_but_no_rst_with_a_rst() {
    let mut b = Bench::open();
    b.rst(b.peer_nxt);
    b.rst(b.peer_nxt);
    b.silent();
    b.data(b"still there?");
    let rst = b.one();
    assert_eq!((flags(&rst).as_str(), rst.header.seq.0), ("R", ISS + 1));
    assert_eq!(b.conn.info().unread, 0);
}

/// Requirement: RFC9293-P10
#[test]
fn data_to_a_peer_that_forgot_the_connection_brings_a_rst_that_ends_it() {
    let mut b = Bench::open();
    b.write(b"are you there?");
    let sent = b.one();
    let rst = reset_for(&sent.header, sent.payload_len());
    b.arrive(rst, &[]);
    assert_eq!((b.state(), b.conn.error()), (State::Closed, Some(Error::Reset)));
}

/// Requirement: RFC7323-R18
#[test]
fn our_rst_carries_the_agreed_timestamps() {
    let mut b = Bench::open_modern();
    b.with(|c, cx| c.abort(cx));
    let expected = Timestamps { value: b.clock(), echo: 100 };
    assert_eq!(b.one().header.options.timestamps, Some(expected));
}

/// Requirement: RFC9293-P14, RFC9293-P43
#[test]
fn an_unacceptable_segment_is_answered_with_an_empty_ack_in_every_state() {
    for (state, mut b) in states() {
        let window = b.conn.info().rcv_wnd;
        for seq in [b.peer_nxt - 10, b.peer_nxt + window] {
            b.data_at(seq, b"old");
            let ack = b.one();
            assert_eq!((flags(&ack).as_str(), ack.payload_len()), (".", 0), "{state}");
            assert_eq!((ack.header.seq.0, ack.header.ack.0), (b.snd_nxt(), b.peer_nxt));
            assert_eq!(b.state(), state);
        }
    }
}

/// Requirement: RFC9293-P46
#[test]
fn a_segment_without_ack_is_dropped_in_every_state() {
    for (state, mut b) in states() {
        let seq = SeqNumber(b.peer_nxt);
        b.arrive(Header { seq, flags: Flags::PSH | Flags::FIN, ..b.blank() }, b"text");
        b.silent();
        assert_eq!(b.state(), state);
        assert_eq!(b.conn.info().unread, 0);
    }
}

/// Requirement: RFC9293-SHLD-3
#[test]
fn a_close_with_unread_data_resets() {
    for beyond_a_gap in [false, true] {
        let mut b = Bench::open();
        b.data_at(b.peer_nxt + u32::from(beyond_a_gap), b"unread");
        b.drain();
        b.close();
        assert_eq!(flags(&b.one()), "R.");
        assert_eq!((b.state(), b.budget.used()), (State::Closed, 0));
    }
}

/// Requirement: RFC9293-SHLD-3
#[test]
fn data_after_a_full_close_resets_and_a_retransmission_of_old_data_does_not() {
    let mut b = Bench::open();
    b.data(b"read");
    b.read(10);
    b.drain();
    b.close();
    assert_eq!(flags(&b.one()), "F.");
    b.data_at(b.peer_nxt - 4, b"read");
    assert_eq!(flags(&b.one()), ".");
    assert_eq!(b.state(), State::FinWait1);
    b.data(b"more");
    assert_eq!(flags(&b.one()), "R");
    assert_eq!((b.state(), b.budget.used()), (State::Closed, 0));
}

#[test]
fn closing_what_is_closed_gives_back_what_was_not_read() {
    for abort in [false, true] {
        let mut b = Bench::open();
        b.data(b"unread");
        b.rst(b.peer_nxt);
        assert_eq!(b.budget.used(), 6);
        b.with(|c, cx| if abort { c.abort(cx) } else { c.close(cx) });
        assert_eq!(b.budget.used(), 0);
        b.silent();
    }
}

#[test]
fn a_clone_behaves_as_its_original() {
    let mut b = Bench::open();
    b.data(b"shared");
    b.write(&[1; 3000]);
    let budget = handclasp_tcp::Budget::default();
    let cx = Context::new(b.now, &budget);
    let mut twin: Connection = b.conn.clone();
    assert_eq!(twin.info(), b.conn.info());
    loop {
        let (a, t) = (b.next(), twin.poll_transmit(&cx, 0));
        assert_eq!(a, t);
        if a.is_none() {
            break;
        }
    }
    let header = b.ack_header(ISS + 1001);
    b.arrive(header.clone(), &[]);
    twin.segment_arrives(&cx, &header, Bytes::new());
    assert_eq!(twin.info(), b.conn.info());
    // What happens to one does not happen to the other.
    twin.set_nodelay(true);
    assert!(!b.conn.config().nodelay);
    let _ = Arc::new(twin);
}
