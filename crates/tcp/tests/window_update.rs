//! When a segment brings a new window (RFC 9293 §3.10.7.4), found by networks that reorder.

mod common;

use common::*;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::Header;

/// What was lost and sent again has an old sequence number, but says the latest of all.
#[test]
fn an_ack_that_moves_una_brings_its_window_though_a_later_segment_came_first() {
    let mut b = Bench::open();
    b.ack_with_window(ISS + 1, 2_000);
    b.write(&[1; 10_000]);
    assert_eq!(b.drain().len(), 2, "the window is used up");
    // Behind a gap, with the window as it was before our data arrived there.
    b.peer_wnd = 2_000;
    let later = Header { seq: SeqNumber(IRS + 1 + 500), ..b.ack_header(ISS + 1) };
    b.arrive(later, &[2; 100]);
    // The gap's data, sent when one segment of ours had arrived and was not read.
    b.peer_wnd = 1_000;
    let again = b.ack_header(ISS + 1 + 1_000);
    b.arrive(again, &[2; 500]);
    let beyond = ISS + 1 + 2_000;
    let data = b.drain().into_iter().filter(|t| t.payload_len() > 0);
    assert!(data.into_iter().all(|t| t.header.seq.0 < beyond), "the right edge did not move");
}

/// Its data fills our window and is lost: all that it sends then stands at the right edge.
#[test]
fn an_ack_from_the_right_edge_counts() {
    let mut b = Bench::open();
    b.write(&[1; 100]);
    b.drain();
    let edge = SeqNumber(b.peer_nxt) + b.conn.info().rcv_wnd;
    let ack = Header { seq: edge, ..b.ack_header(ISS + 1 + 100) };
    b.arrive(ack.clone(), &[]);
    assert_eq!(b.conn.info().in_flight, 0);
    b.silent();
    // One number further there is nothing that it may have sent.
    b.write(&[1; 100]);
    b.drain();
    let beyond = Header { seq: edge + 1, ..b.ack_header(ISS + 1 + 200) };
    b.arrive(beyond, &[]);
    assert_eq!(b.conn.info().in_flight, 100);
}

/// Its window counts from what it acknowledges, which is less than we know by now.
#[test]
fn an_old_ack_brings_no_window_though_its_sequence_number_is_the_latest() {
    let mut b = Bench::open();
    b.write(&[1; 4_000]);
    b.drain();
    b.ack_with_window(ISS + 1 + 4_000, 1_000);
    // Sent before, behind a gap, and delayed: all that we sent had still room then.
    b.peer_wnd = 5_000;
    let old = Header { seq: SeqNumber(b.peer_nxt + 500), ..b.ack_header(ISS + 1) };
    b.arrive(old, &[2; 100]);
    assert_eq!(b.conn.info().snd_wnd, 1_000);
}
