//! Which segments are acceptable, and the send window (RFC 9293 §3.4, §3.8.6).

mod common;

use common::*;
use handclasp_tcp::acceptable::touches_window;
use handclasp_tcp::{Config, State};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::{Flags, Header, Options};

/// An open connection whose congestion window does not matter.
fn wide(mut config: Config, options: Options) -> Bench {
    config.initial_window = 100;
    config.send_buffer_start = 200_000;
    Bench::open_with(config, options)
}

/// Requirement: RFC9293-MUST-1, RFC5681-R01
#[test]
fn windows_above_32767_are_large_windows() {
    for window in [65_535, 40_000] {
        let mut b = wide(plain(), mss(1000));
        b.ack_with_window(ISS + 1, window);
        b.write(&[0; 90_000]);
        b.drain();
        assert_eq!(b.conn.info().in_flight, u32::from(window) / 1000 * 1000);
    }
}

/// Requirement: RFC9293-REC-1, RFC7323-R07
#[test]
fn a_scaled_window_lets_out_more_than_16_bits_say() {
    let mut config = plain();
    config.window_scaling = true;
    let mut b = wide(config, Options { window_scale: Some(4), ..mss(1000) });
    b.ack_with_window(ISS + 1, 5_000);
    b.write(&[0; 100_000]);
    b.drain();
    assert_eq!(b.conn.info().in_flight, 80_000);
}

/// Requirement: RFC9293-P41
#[test]
fn the_four_cases_of_the_acceptability_test() {
    let nxt = SeqNumber(u32::MAX - 4);
    let at = |n: i64| SeqNumber((i64::from(nxt.0) + n) as u32);
    // (window, length, first acceptable number relative to rcv.nxt, last)
    let cases = [(0, 0, Some((0, 0))), (10, 0, Some((0, 9))), (0, 3, None), (10, 3, Some((-2, 9)))];
    for (wnd, len, range) in cases {
        for n in -20..30i64 {
            let expected = range.is_some_and(|(first, last)| (first..=last).contains(&n));
            assert_eq!(touches_window(nxt, wnd, at(n), len), expected, "{wnd} {len} at {n}");
        }
    }
}

/// Requirement: RFC9293-P42
#[test]
fn only_the_new_part_of_an_overlapping_segment_is_delivered() {
    let mut b = Bench::open();
    b.data(b"abcdef");
    b.data_at(IRS + 1, b"ABCDEFgh");
    b.data_at(IRS + 4, b"DEFGHIJ");
    assert_eq!(b.read(100), b"abcdefghIJ");
}

/// Requirement: RFC9293-P42
#[test]
fn what_lies_behind_the_window_is_cut_off() {
    let mut config = plain();
    config.receive_buffer_max = 2000;
    let mut b = Bench::open_with(config, mss(1000));
    let window = b.conn.info().rcv_wnd;
    b.data(&vec![1; window as usize + 500]);
    assert_eq!(b.conn.info().unread, window as usize);
    assert_eq!(b.one().header.ack.0, IRS + 1 + window);
}

/// Requirement: RFC9293-P42, RFC9293-P51
#[test]
fn a_fin_behind_the_window_is_not_taken() {
    let mut config = plain();
    config.receive_buffer_max = 2000;
    let mut b = Bench::open_with(config, mss(1000));
    let window = b.conn.info().rcv_wnd;
    let mut header = b.ack_header(ISS + 1);
    header.flags |= Flags::FIN;
    b.arrive(header, &vec![1; window as usize + 500]);
    assert_eq!(b.state(), State::Established);
}

/// Requirement: RFC9293-P23
#[test]
fn an_older_segment_does_not_change_the_window() {
    let mut b = Bench::open();
    b.write(&[0; 2000]);
    b.drain();
    b.ack_with_window(ISS + 1001, 3000);
    b.ack_with_window(ISS + 1, 9000);
    assert_eq!(b.conn.info().snd_wnd, 3000, "an older ACK");
    let mut old = b.ack_header(ISS + 1001);
    b.peer_nxt += 5;
    b.peer_wnd = 4000;
    b.peer_nxt -= 5;
    b.data(b"12345");
    assert_eq!(b.conn.info().snd_wnd, 4000);
    old.window = 500;
    b.arrive(old, &[]);
    assert_eq!(b.conn.info().snd_wnd, 4000, "an older sequence number");
    b.ack_with_window(ISS + 2001, 1);
    assert_eq!(b.conn.info().snd_wnd, 1, "the latest of all");
}

/// Requirement: RFC9293-MUST-34, RFC9293-SHLD-15, RFC9293-SHLD-16, RFC9293-MAY-7, RFC7323-R12
#[test]
fn a_window_that_shrinks_with_data_in_flight_is_respected_and_the_transfer_completes() {
    let mut b = Bench::open();
    b.ack_with_window(ISS + 1, 8000);
    b.write(&[3; 12_000]);
    assert_eq!(b.drain().len(), 8);
    // The peer takes its edge back to 2,500 and loses everything.
    b.ack_with_window(ISS + 1, 2500);
    b.silent();
    for _ in 0..3 {
        b.until_deadline();
        for t in b.drain() {
            let end = t.header.seq.0 + t.payload_len() as u32;
            assert!(end <= ISS + 1 + 2500, "{end} lies beyond the edge");
        }
    }
    b.ack_with_window(ISS + 1001, 1500);
    let mut got = 1000;
    while got < 12_000 {
        let sent = b.drain();
        if sent.is_empty() {
            b.until_deadline();
            continue;
        }
        for t in sent {
            let (seq, len) = (t.header.seq.0 - ISS - 1, t.payload_len() as u32);
            assert!(seq + len <= got + 1500);
            if seq == got {
                got += len;
                b.ack_with_window(ISS + 1 + got, 1500);
            }
        }
    }
    assert_eq!(b.conn.info().in_flight, 0);
    assert_eq!(b.state(), State::Established);
}

/// Requirement: RFC9293-SHLD-17
#[test]
fn a_peer_that_acknowledges_up_to_its_shrunken_edge_is_not_timed_out() {
    let mut config = plain();
    config.user_timeout = Some(60 * SECOND);
    let mut b = Bench::open_with(config, mss(1000));
    b.write(&[3; 5000]);
    b.drain();
    b.ack_with_window(ISS + 2001, 0);
    for _ in 0..100 {
        b.until_deadline();
        assert_eq!(b.one().payload_len(), 0);
        b.ack(ISS + 2001);
        assert_eq!(b.state(), State::Established);
    }
    b.ack_with_window(ISS + 2001, 9000);
    let again: Vec<_> = b.watch(SECOND).into_iter().map(|(_, t)| t).collect();
    assert_eq!(again[0].header.seq.0, ISS + 2001);
}

/// What the SYN announced stays announced, whatever timestamps make of segments.
/// Requirement: RFC7323-R09, RFC7323-R10, RFC7323-R11
#[test]
fn text_up_to_the_edge_that_the_syn_announced_is_taken() {
    let mut config = Config::default();
    config.max_segment_size = Some(1456);
    for (mut b, announced) in [syn_window(config.clone()), crossed_window(config)] {
        let last = IRS + announced;
        b.peer_ts = Some(100);
        b.peer_nxt = IRS + 1;
        b.data_at(last, b"Z");
        assert_eq!(b.conn.info().beyond_gap, 1);
    }
}

fn syn_window(config: Config) -> (Bench, u32) {
    let mut b = Bench::connecting(config);
    let announced = b.one().header.window.into();
    b.syn_ack(modern());
    b.drain();
    (b, announced)
}

fn crossed_window(config: Config) -> (Bench, u32) {
    let mut b = Bench::connecting(config);
    let first = b.one().header.window;
    b.arrive(syn(modern()), &[]);
    let second = b.one().header.window;
    b.peer_nxt = IRS + 1;
    b.peer_ts = Some(100);
    b.ack(ISS + 1);
    b.drain();
    (b, first.max(second).into())
}

/// Requirement: RFC9293-P52, RFC9293-SHLD-14
#[test]
fn taking_data_does_not_pull_the_right_edge_back() {
    let mut config = Config::default();
    config.receive_buffer_max = 200_000;
    let mut b = Bench::open_with(config, modern());
    let scale = b.conn.info().negotiated.rcv_scale;
    let mut edge = SeqNumber(0);
    for i in 0..400u32 {
        b.data(&vec![0; 1 + (i * 37 % 900) as usize]);
        if i % 7 == 0 {
            b.read(3000);
        }
        for t in b.drain() {
            let h = t.header;
            let right = h.ack + (u32::from(h.window) << scale);
            if i > 0 {
                assert!(right.distance(edge) > -(1 << scale), "{right} < {edge}");
            }
            edge = right.max(if i > 0 { edge } else { right });
        }
        if b.conn.info().rcv_wnd < 900 {
            b.read(100_000);
            b.drain();
        }
    }
}

/// Requirement: RFC9293-P05
#[test]
fn numbers_wrap_in_every_part_of_a_connections_life() {
    for irs in [u32::MAX - 2, i32::MAX as u32 - 2] {
        let mut b = Bench::connecting(plain());
        b.drain();
        let header = Header {
            seq: SeqNumber(irs),
            ack: SeqNumber(ISS + 1),
            flags: Flags::SYN | Flags::ACK,
            options: mss(1000),
            ..b.blank()
        };
        b.arrive(header, &[]);
        b.peer_nxt = irs.wrapping_add(1);
        b.drain();
        b.data_at(b.peer_nxt.wrapping_add(3), b"def");
        b.data_at(b.peer_nxt, b"abc");
        b.peer_nxt = b.peer_nxt.wrapping_add(6);
        assert_eq!(b.read(10), b"abcdef");
        let mut fin = b.ack_header(ISS + 1);
        fin.flags |= Flags::FIN;
        b.arrive(fin, &[]);
        assert_eq!(b.state(), State::CloseWait);
        assert_eq!(b.drain().last().unwrap().header.ack.0, irs.wrapping_add(8));
    }
}

/// Requirement: RFC9293-P03
#[test]
fn an_urgent_field_without_urg_means_nothing() {
    let mut b = Bench::open();
    let mut header = b.ack_header(ISS + 1);
    header.urgent = 3;
    b.arrive(header, b"plain");
    assert_eq!(b.conn.urgent_left(), None);
    assert_eq!(b.read(10), b"plain");
}

/// The peer's text overtook an older segment of its: that one's window ends further left.
/// Requirement: RFC9293-P23
#[test]
fn a_window_that_came_with_an_older_ack_is_not_taken() {
    let mut b = Bench::open();
    b.write(&[0; 4000]);
    b.drain();
    b.ack_with_window(ISS + 3001, 2000);
    let mut late = b.ack_header(ISS + 1);
    late.seq += 5;
    late.window = 5000;
    b.arrive(late, b"later");
    assert_eq!(b.conn.info().snd_wnd, 2000);
}
