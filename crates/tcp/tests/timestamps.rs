//! Timestamps, PAWS and window scale (RFC 7323).

mod common;

use std::time::Duration;

use common::*;
use handclasp_tcp::{Config, State};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::Timestamps;
use handclasp_wire::tcp::{Flags, Header, Options};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn open() -> Bench {
    let (config, options) = only_timestamps();
    Bench::open_with(config, options)
}

/// Text in order, stamped `value`.
fn stamped(b: &mut Bench, value: u32, text: &[u8]) {
    b.peer_ts = Some(value);
    b.data(text);
}

fn echo(t: &handclasp_tcp::Transmit) -> u32 {
    t.header.options.timestamps.expect("every segment is stamped").echo
}

/// Requirement: RFC7323-R13, RFC7323-R16, RFC7323-R01
#[test]
fn a_syn_offers_timestamps_with_an_empty_echo_and_a_scale() {
    let mut b = Bench::connecting(Config::default());
    let syn = b.one();
    assert_eq!(syn.header.options.timestamps, Some(Timestamps { value: 8000, echo: 0 }));
    assert_eq!(syn.header.options.window_scale, Some(7));
    let mut config = Config::default();
    config.receive_buffer_max = 10_000;
    let syn = Bench::connecting(config).one();
    assert_eq!(syn.header.options.window_scale, Some(0), "a shift of 0 is offered too");
}

/// Requirement: RFC7323-R14
#[test]
fn the_echo_in_a_segment_without_ack_is_disregarded() {
    let mut options = modern();
    options.timestamps = Some(Timestamps { value: 5, echo: 1 });
    let mut b = Bench::connecting(Config::default());
    b.drain();
    b.arrive(syn(options), &[]);
    assert_eq!(b.conn.info().rtt, None);
    assert_eq!(b.state(), State::SynReceived);
}

/// Requirement: RFC7323-R15, RFC7323-R17, RFC7323-R22
#[test]
fn every_segment_is_stamped_with_our_clock_and_the_peers_last_stamp() {
    let mut b = open();
    let mut config = b.conn.config().clone();
    config.keep_alive = Some(handclasp_tcp::config::KeepAlive::default());
    b.with(|c, cx| c.set_keep_alive(cx, config.keep_alive));
    b.advance(123 * MS);
    stamped(&mut b, 150, b"x");
    let mut all = b.drain();
    b.write(&[0; 3000]);
    all.extend(b.drain());
    all.extend(b.watch(2 * SECOND).into_iter().map(|(_, t)| t));
    b.ack(ISS + 3001);
    all.extend(b.watch(Duration::from_secs(7300)).into_iter().map(|(_, t)| t));
    b.peer_wnd = 0;
    b.ack(ISS + 3001);
    b.write(b"blocked");
    all.extend(b.watch(SECOND).into_iter().map(|(_, t)| t));
    b.peer_wnd = 1000;
    b.ack(ISS + 3001);
    b.shutdown();
    all.extend(b.drain());
    assert!(all.len() > 8);
    for t in &all {
        assert_eq!(echo(t), 150);
    }
    let (first, last) = (&all[0].header, &all[all.len() - 1].header);
    let ticks = |h: &Header| h.options.timestamps.unwrap().value;
    assert_eq!(ticks(first), 8123);
    assert_eq!(ticks(last), b.clock());
}

/// Requirement: RFC7323-R25
#[test]
fn with_delayed_acks_the_earliest_unacknowledged_stamp_is_echoed() {
    let (mut config, options) = only_timestamps();
    config.quick_acks = 0;
    let mut b = Bench::open_with(config, options);
    stamped(&mut b, 101, &[0; 988]);
    b.silent();
    stamped(&mut b, 102, &[0; 988]);
    assert_eq!(echo(&b.one()), 101);
}

/// Requirement: RFC7323-R26, RFC7323-R27
#[test]
fn a_gap_keeps_the_last_stamp_in_order_and_its_filler_brings_a_new_one() {
    let mut b = open();
    stamped(&mut b, 101, b"in order");
    b.drain();
    b.peer_ts = Some(103);
    b.data_at(b.peer_nxt + 10, b"beyond");
    assert_eq!(echo(&b.one()), 101);
    b.peer_ts = Some(104);
    b.data_at(b.peer_nxt, b"0123456789");
    let ack = b.one();
    assert_eq!((ack.header.ack.0, echo(&ack)), (b.peer_nxt + 16, 104));
}

/// Requirement: RFC7323-P28
#[test]
fn the_remembered_stamp_moves_only_forward_and_only_for_what_was_not_yet_acknowledged() {
    // (stamp, sequence relative to the last ACK, is remembered)
    for (value, offset, taken) in
        [(101, 0, true), (101, -1i32, true), (101, 1, false), (100, 0, true), (99, -1, false)]
    {
        let mut b = open();
        b.peer_ts = Some(value);
        b.data_at(b.peer_nxt.wrapping_add_signed(offset), b"ab");
        let expected = if taken { value } else { 100 };
        assert_eq!(echo(&b.one()), expected, "stamp {value} at {offset}");
    }
}

/// Requirement: RFC7323-R30, RFC2883-P07
#[test]
fn an_old_stamp_is_answered_with_an_ack_and_dropped_before_the_sequence_number_counts() {
    let mut b = open();
    b.peer_ts = Some(99);
    b.data_at(b.peer_nxt, b"old");
    assert_eq!(b.one().header.ack.0, IRS + 1);
    let mut fin = b.ack_header(ISS + 1);
    fin.flags |= Flags::FIN;
    b.arrive(fin, &[]);
    assert_eq!(b.one().header.ack.0, IRS + 1);
    assert_eq!((b.state(), b.conn.info().unread), (State::Established, 0));
}

/// Requirement: RFC7323-R30, RFC9293-P05
#[test]
fn stamps_are_compared_modulo_two_to_the_32() {
    let (config, mut options) = only_timestamps();
    options.timestamps = Some(Timestamps { value: u32::MAX, echo: 0 });
    let mut b = Bench::open_with(config, options);
    stamped(&mut b, 3, b"after the wrap");
    assert_eq!(b.read(20), b"after the wrap");
    b.drain();
    b.peer_ts = Some(u32::MAX);
    b.data_at(b.peer_nxt, b"old");
    assert_eq!(b.conn.info().unread, 0);
}

/// Requirement: RFC7323-R29
#[test]
fn a_rst_is_no_matter_of_timestamps() {
    for value in [None, Some(1)] {
        let mut b = open();
        let mut header = Header { seq: SeqNumber(b.peer_nxt), flags: Flags::RST, ..b.blank() };
        header.options.timestamps = value.map(|value| Timestamps { value, echo: 0 });
        b.arrive(header, &[]);
        assert_eq!(b.state(), State::Closed);
    }
}

/// Requirement: RFC7323-R31
#[test]
fn a_kept_segment_is_not_judged_again_by_a_newer_stamp() {
    let mut b = open();
    b.peer_ts = Some(101);
    b.data_at(b.peer_nxt + 3, b"def");
    stamped(&mut b, 200, b"abc");
    assert_eq!(b.read(10), b"abcdef");
}

/// Requirement: RFC7323-R19, RFC7323-R20
#[test]
fn a_segment_without_the_agreed_stamp_is_dropped_and_the_connection_lives() {
    let mut b = open();
    b.peer_ts = None;
    b.data_at(b.peer_nxt, b"bare");
    b.silent();
    assert_eq!((b.state(), b.conn.info().unread), (State::Established, 0));
    stamped(&mut b, 101, b"stamped");
    assert_eq!(b.read(10), b"stamped");
}

/// Requirement: RFC7323-R21
#[test]
fn stamps_that_nobody_agreed_on_are_ignored() {
    let mut b = Bench::open();
    for value in [500, 1] {
        stamped(&mut b, value, b"x");
    }
    assert_eq!(b.read(10), b"xx");
    assert!(b.drain().iter().all(|t| t.header.options.timestamps.is_none()));
}

/// Requirement: RFC7323-P33
#[test]
fn after_24_days_of_silence_an_older_looking_stamp_is_taken_and_remembered() {
    let mut b = open();
    b.advance(23 * DAY);
    b.peer_ts = Some(99);
    b.data_at(b.peer_nxt, b"old");
    b.drain();
    assert_eq!(b.conn.info().unread, 0);
    b.advance(2 * DAY);
    stamped(&mut b, 100u32.wrapping_sub(1 << 30), b"new");
    assert_eq!(b.read(10), b"new");
    assert_eq!(echo(&b.one()), 100u32.wrapping_sub(1 << 30));
    // And protects again at once.
    b.peer_ts = Some(100u32.wrapping_sub(1 << 30) - 1);
    b.data_at(b.peer_nxt, b"old");
    assert_eq!(b.conn.info().unread, 0);
}

/// Slowly enough not to come round within an MSL, and fast enough for any speed we reach.
/// Requirement: RFC7323-R32, RFC7323-R22
#[test]
fn our_clock_ticks_once_a_millisecond() {
    let mut b = open();
    let mut stamp = || {
        b.write(b"x");
        b.conn.set_nodelay(true);
        let value = b.one().header.options.timestamps.unwrap().value;
        b.advance(MS);
        value
    };
    let first = stamp();
    assert_eq!([stamp(), stamp()], [first + 1, first + 2]);
}

/// Requirement: RFC7323-R35
#[test]
fn our_stamps_begin_at_the_offset_that_the_host_chose() {
    let mut b = Bench::connecting(Config::default());
    let value = b.one().header.options.timestamps.unwrap().value;
    assert_eq!(value, opening().timestamp_offset + b.now.as_millis() as u32);
}

/// Requirement: RFC7323-R08, RFC6298-R08
#[test]
fn with_timestamps_the_round_trip_of_a_resent_segment_is_measured() {
    let mut b = open();
    b.write(b"x");
    b.drain();
    b.until_deadline();
    b.drain();
    let echo = b.clock();
    b.advance(70 * MS);
    b.ack_stamped(ISS + 2, 101, echo);
    assert_eq!(b.conn.info().rtt_min, Some(Duration::ZERO), "the handshake's");
    let srtt = b.conn.info().rtt.unwrap();
    assert_eq!(srtt, 70 * MS / 8);
}

/// Requirement: RFC7323-R23
#[test]
fn a_duplicate_ack_measures_nothing() {
    let mut b = open();
    b.write(b"x");
    b.drain();
    let before = b.conn.info().rtt;
    b.advance(100 * MS);
    b.ack_stamped(ISS + 1, 101, b.clock() - 5000);
    assert_eq!(b.conn.info().rtt, before);
}

// Window scale.

fn scaled(ours: bool, theirs: Option<u8>) -> Bench {
    let mut config = plain();
    config.window_scaling = ours;
    Bench::open_with(config, Options { window_scale: theirs, ..mss(1000) })
}

/// Requirement: RFC7323-R02, RFC7323-R04, RFC7323-R07, RFC9293-REC-1
#[test]
fn windows_are_scaled_only_if_both_sides_said_so() {
    for (ours, theirs, shift) in [(true, Some(3), 3), (true, None, 0), (false, Some(3), 0)] {
        let mut b = scaled(ours, theirs);
        assert_eq!(b.conn.info().snd_wnd, 65_535, "not that of a SYN-ACK");
        b.ack_with_window(ISS + 1, 60_000);
        assert_eq!(b.conn.info().snd_wnd, 60_000 << shift);
        b.data(b"x");
        let field = u32::from(b.one().header.window);
        let ours = if ours && theirs.is_some() { 7 } else { 0 };
        let room = b.conn.info().rcv_wnd;
        assert_eq!(field, (room >> ours).min(65_535));
    }
}

/// Requirement: RFC7323-R08
#[test]
fn a_scale_above_14_is_taken_as_14() {
    for scale in [15, 255] {
        let mut b = scaled(true, Some(scale));
        b.ack_with_window(ISS + 1, 3);
        assert_eq!(b.conn.info().snd_wnd, 3 << 14);
    }
}

/// Requirement: RFC7323-R03
#[test]
fn a_scale_on_a_segment_without_syn_is_ignored() {
    let mut b = scaled(true, Some(2));
    let mut header = b.ack_header(ISS + 1);
    header.options.window_scale = Some(9);
    header.window = 100;
    b.arrive(header, &[]);
    assert_eq!(b.conn.info().snd_wnd, 400);
}

/// Requirement: RFC7323-R06
#[test]
fn a_syn_with_a_scale_is_answered_with_one() {
    let config = Config::default();
    let h = half_open(&config, modern(), handclasp_wire::time::Instant::from_millis(1));
    let reply = h.syn_ack(&config, &tuple(), &cx_at(handclasp_wire::time::Instant::from_millis(1)));
    assert_eq!(reply.options.window_scale, Some(7));
    assert!(reply.window >= 60_000, "and its own window is not scaled");
}

/// The answer to what was sent first says that it arrived, not when the acknowledgment was
/// lost: taken for a round trip, it would make the next timeout wait for as long.
#[test]
fn an_echo_of_what_was_sent_again_since_is_no_round_trip() {
    let mut b = Bench::open_modern();
    let first = b.clock();
    b.write(&[0; 100]);
    b.drain();
    for _ in 0..6 {
        b.until_deadline();
        b.one();
    }
    b.advance(20 * MS);
    assert!(b.clock() - first > 10_000, "ten seconds have passed");
    let before = b.conn.info().rtt;
    b.ack_stamped(ISS + 101, 101, first);
    assert_eq!(b.conn.info().rtt, before);
}
