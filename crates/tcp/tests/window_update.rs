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
