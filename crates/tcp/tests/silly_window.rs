//! Silly windows, avoided on both sides (RFC 9293 §3.8.6.2).

mod common;

use common::*;
use handclasp_wire::seq::SeqNumber;

/// Requirement: RFC9293-MUST-38, RFC9293-P25
#[test]
fn a_window_that_opens_in_crumbs_draws_no_crumbs() {
    let mut b = Bench::open();
    b.ack_with_window(ISS + 1, 4000);
    b.write(&[1; 20_000]);
    assert_eq!(b.drain().len(), 4);
    let mut edge = 4000;
    let mut una = 0;
    for _ in 0..150 {
        // Each ACK moves the edge by twenty bytes more than it acknowledges.
        una = (una + 1000).min(b.snd_nxt() - ISS - 1);
        edge += 20;
        b.ack_with_window(ISS + 1 + una, (edge - una) as u16);
        for t in b.drain() {
            assert!(t.payload_len() >= 1000, "{} bytes", t.payload_len());
        }
    }
}

/// Requirement: RFC9293-P25, RFC9293-SHLD-28
#[test]
fn a_full_segment_leaves_as_soon_as_it_fits() {
    let mut b = Bench::open();
    b.ack_with_window(ISS + 1, 0);
    b.write(&[1; 5000]);
    b.silent();
    b.ack_with_window(ISS + 1, 1300);
    assert_eq!(ranges(&b.drain()), [(ISS + 1, 1000)]);
}

/// Requirement: RFC9293-P25
#[test]
fn everything_queued_leaves_if_it_fits() {
    let mut b = Bench::open();
    b.ack_with_window(ISS + 1, 0);
    b.write(&[1; 300]);
    b.silent();
    b.ack_with_window(ISS + 1, 301);
    assert_eq!(ranges(&b.drain()), [(ISS + 1, 300)]);
}

/// Requirement: RFC9293-P25
#[test]
fn half_of_the_largest_window_is_worth_a_segment() {
    let mut b = Bench::connecting(plain());
    b.drain();
    b.peer_wnd = 800;
    b.syn_ack(mss(1000));
    b.drain();
    b.ack_with_window(ISS + 1, 0);
    b.write(&[1; 5000]);
    b.silent();
    b.ack_with_window(ISS + 1, 399);
    b.silent();
    b.ack_with_window(ISS + 1, 400);
    assert_eq!(ranges(&b.drain()), [(ISS + 1, 400)]);
}

/// Requirement: RFC9293-P25, RFC9293-MUST-60
#[test]
fn after_the_override_timeout_a_small_window_is_used_after_all() {
    let mut b = Bench::open();
    b.ack_with_window(ISS + 1, 100);
    b.write(&[1; 5000]);
    b.silent();
    let waited = b.until_deadline();
    assert!((100 * MS..=SECOND).contains(&waited), "{waited:?}");
    assert_eq!(ranges(&b.drain()), [(ISS + 1, 100)]);
}

/// Requirement: RFC9293-MUST-38
#[test]
fn an_override_that_fires_into_a_closed_window_grants_nothing_later() {
    let mut b = Bench::open();
    b.ack_with_window(ISS + 1, 100);
    b.write(&[1; 5000]);
    b.silent();
    b.ack_with_window(ISS + 1, 0);
    b.watch(2 * SECOND);
    b.ack_with_window(ISS + 1, 3);
    b.silent();
}

/// Requirement: RFC9293-MUST-39, RFC9293-P26
#[test]
fn the_right_edge_moves_by_a_segment_or_half_the_buffer_at_least() {
    for (buffer, segment) in [(4000, 1000), (1200, 1000), (100_000, 1000)] {
        let mut config = plain();
        config.receive_buffer_max = buffer;
        let mut b = Bench::open_with(config, mss(1000));
        let mut sent = 0;
        while b.conn.info().rcv_wnd > 0 {
            let n = b.conn.info().rcv_wnd.min(1000) as usize;
            b.data(&vec![9; n]);
            sent += n;
            b.drain();
        }
        let step = segment.min(buffer / 2) as u32;
        let mut edge = SeqNumber(b.peer_nxt);
        let mut updates = 0;
        for _ in 0..sent {
            b.read(1);
            // Something else leaves meanwhile and carries the window too.
            b.data_at(b.peer_nxt - 1, b"?");
            for t in b.drain() {
                let right = t.header.ack + u32::from(t.header.window);
                let moved = right - edge;
                assert!(moved == 0 || moved >= step, "moved by {moved}, step {step}");
                updates += u32::from(moved > 0);
                edge = right;
            }
        }
        assert!(updates > 0, "the window reopens");
    }
}
