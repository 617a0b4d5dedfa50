//! Urgent data (RFC 9293 §3.8.5): a mark in the stream, not a second channel.

mod common;

use common::*;
use handclasp_tcp::State;
use handclasp_tcp::connection::Readiness;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::Flags;

fn urgent(b: &mut Bench, text: &[u8], pointer: u16) {
    let mut header = b.ack_header(b.snd_nxt());
    header.flags |= Flags::URG;
    header.urgent = pointer;
    b.arrive(header, text);
    b.peer_nxt += text.len() as u32;
}

/// Requirement: RFC9293-MUST-30, RFC9293-MUST-62
#[test]
fn the_pointer_we_send_designates_the_octet_behind_the_last_urgent_one() {
    let mut b = Bench::open();
    b.with(|c, cx| c.write_urgent(cx, b"12345")).unwrap();
    let t = b.one();
    assert_eq!(flags(&t), "PU.");
    assert_eq!(t.header.seq.0 + u32::from(t.header.urgent), ISS + 1 + 5);
    b.ack(ISS + 6);
    b.write(b"plain");
    assert_eq!(flags(&b.one()), "P.");
}

/// Requirement: RFC9293-MUST-31, RFC9293-MUST-62
#[test]
fn urgent_data_may_be_of_any_length_and_is_marked_on_all_its_segments() {
    let mut config = plain();
    config.initial_window = 90;
    let mut b = Bench::open_with(config, mss(1000));
    b.burst = 60_000;
    let n = b.with(|c, cx| c.write_urgent(cx, &[1; 80_000])).unwrap() as u32;
    assert_eq!(n, 80_000);
    b.write(&[0; 500]);
    let mut got = 0;
    while got < n {
        for t in b.drain() {
            assert_eq!(t.segment_size, None, "a burst would repeat the pointer");
            let seq = t.header.seq.0;
            let left = (ISS + 1 + n).saturating_sub(seq);
            assert_eq!(t.header.flags.contains(Flags::URG), left > 0);
            if left > 0 {
                assert_eq!(u32::from(t.header.urgent), left.min(65_535));
            }
            got = seq + t.payload_len() as u32 - ISS - 1;
        }
        b.ack(ISS + 1 + got);
    }
}

/// Requirement: RFC9293-MUST-30, RFC9293-MUST-32, RFC9293-MUST-33, RFC9293-MUST-62
#[test]
fn the_application_learns_of_urgent_data_and_how_much_is_left() {
    let mut b = Bench::open();
    assert_eq!(b.conn.urgent_left(), None);
    urgent(&mut b, b"abcde", 3);
    assert!(b.ready(Readiness::URGENT));
    assert_eq!(b.conn.urgent_left(), Some(3));
    assert_eq!(b.read(2), b"ab");
    assert_eq!(b.conn.urgent_left(), Some(1));
    assert_eq!(b.read(1), b"c");
    assert_eq!(b.conn.urgent_left(), None);
    assert!(!b.ready(Readiness::URGENT));
    assert_eq!(b.read(9), b"de", "it is part of the stream");
}

/// Requirement: RFC9293-MUST-32
#[test]
fn each_advance_of_the_pointer_is_news_and_its_repetition_is_not() {
    let mut b = Bench::open();
    let notices = |b: &Bench| b.conn.info().statistics.urgent_notices;
    urgent(&mut b, b"ab", 10);
    assert_eq!(notices(&b), 1);
    urgent(&mut b, b"cd", 8);
    assert_eq!(notices(&b), 1, "the same octet");
    urgent(&mut b, b"ef", 20);
    assert_eq!(notices(&b), 2);
    urgent(&mut b, b"gh", 1);
    assert_eq!(notices(&b), 2, "a pointer never goes back");
    assert_eq!(b.conn.urgent_left(), Some(24));
}

/// Requirement: RFC9293-MUST-31
#[test]
fn a_pointer_beyond_what_has_arrived_is_news_before_the_data() {
    let mut b = Bench::open();
    urgent(&mut b, b"", 60_000);
    assert_eq!(b.conn.urgent_left(), Some(60_000));
    assert_eq!(b.state(), State::Established);
}

/// Requirement: RFC9293-MUST-33
#[test]
fn a_mark_read_past_does_not_come_back_when_numbers_go_round() {
    let mut b = Bench::open();
    urgent(&mut b, b"abc", 3);
    b.read(3);
    let mut sent = 0u64;
    let chunk = vec![0; 60_000];
    while sent < (1 << 31) + 200_000 {
        b.data_at(b.peer_nxt, &chunk);
        b.peer_nxt = b.peer_nxt.wrapping_add(60_000);
        sent += 60_000;
        b.with(|c, cx| while c.read_bytes(cx, 1 << 20).unwrap().is_some() {});
        b.drain();
        assert_eq!(b.conn.rcv_nxt(), SeqNumber(b.peer_nxt));
        assert_eq!(b.conn.urgent_left(), None);
    }
    urgent(&mut b, b"new", 3);
    assert_eq!(b.conn.urgent_left(), Some(3));
}

/// Requirement: RFC9293-MUST-30
#[test]
fn a_resent_urgent_segment_is_marked_again() {
    let mut b = Bench::open();
    b.with(|c, cx| c.write_urgent(cx, b"now")).unwrap();
    b.drain();
    b.until_deadline();
    let t = b.one();
    assert!(t.header.flags.contains(Flags::URG));
    assert_eq!(t.header.urgent, 3);
}
