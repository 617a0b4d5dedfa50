//! Data out of order (RFC 9293 §3.10.7.4).

mod common;

use common::*;
use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// S3.11: 1, 2 and 5 arrive, so the ACK stays at 3.
#[test]
fn the_cumulative_ack_stays_at_the_gap() {
    let mut b = Bench::open();
    let at = |n: u32| IRS + 1 + (n - 1) * 1000;
    b.data(&[1; 1000]);
    assert_eq!(b.one().header.ack.0, at(2));
    b.data(&[2; 1000]);
    assert_eq!(b.one().header.ack.0, at(3));
    b.data_at(at(5), &[5; 1000]);
    assert_eq!(b.one().header.ack.0, at(3));
    assert_eq!(b.conn.info().beyond_gap, 1000);
    assert_eq!(b.conn.info().unread, 2000);
}

/// Requirement: RFC9293-SHLD-31
#[test]
fn what_came_beyond_a_gap_need_not_come_again() {
    let mut b = Bench::open();
    for i in [1, 2, 3u32] {
        b.data_at(b.peer_nxt + i * 100, &[i as u8; 100]);
    }
    b.drain();
    b.data(&[0; 100]);
    assert_eq!(b.one().header.ack.0, IRS + 401);
    let expected: Vec<u8> = (0..400).map(|i| (i / 100) as u8).collect();
    assert_eq!(b.read(1000), expected);
    assert_eq!((b.conn.info().beyond_gap, b.budget.used()), (0, 0));
}

/// Requirement: RFC9293-P42, RFC9293-SHLD-31, RFC9293-P05
#[test]
fn segments_in_any_order_and_overlap_make_one_stream() {
    for seed in 0..200 {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let mut below = |n: u32| rng.next_u32() % n;
        let mut b = if seed % 2 == 0 { Bench::open() } else { Bench::open_modern() };
        let stream: Vec<u8> = (0..5000u32).map(|i| (i * 7 % 253) as u8).collect();
        let mut got = Vec::new();
        for _ in 0..20_000 {
            if got.len() == stream.len() {
                break;
            }
            let start = below(5100).saturating_sub(100) as usize;
            let len = (1 + below(300) as usize).min(5000 - start);
            b.data_at(IRS + 1 + start as u32, &stream[start..start + len]);
            if below(3) == 0 {
                got.extend(b.read(below(2000) as usize + 1));
            }
            b.drain();
        }
        got.extend(b.read(5000));
        assert!(got == stream, "seed {seed}: {} bytes", got.len());
        assert_eq!(b.budget.used(), 0, "seed {seed}");
    }
}

/// One-byte segments with holes cost no more than what is allowed.
#[test]
fn a_peer_that_sends_only_holes_is_bounded() {
    let mut config = plain();
    config.reassembly_ranges = 10;
    let mut b = Bench::open_with(config, mss(1000));
    for i in 0..1000 {
        b.data_at(b.peer_nxt + 1 + 2 * i, b"x");
        b.drain();
    }
    let info = b.conn.info();
    assert_eq!((info.beyond_gap, info.statistics.dropped_beyond_gap), (10, 990));
    // What was kept still counts, and what extends it finds room.
    b.data_at(b.peer_nxt + 2, b"y");
    assert_eq!(b.conn.info().beyond_gap, 11);
    b.data(b"z");
    assert_eq!(b.read(10), b"zxyx");
}

#[test]
fn a_used_up_budget_keeps_one_stretch_beyond_the_gap_at_most() {
    let mut b = Bench::open();
    b.budget = handclasp_tcp::Budget::new(1000);
    b.data_at(b.peer_nxt + 100, &[1; 900]);
    b.data_at(b.peer_nxt + 2000, &[1; 900]);
    assert_eq!(b.conn.info().beyond_gap, 900);
    b.data(&[0; 100]);
    assert_eq!(b.read(2000).len(), 1000);
    assert_eq!(b.budget.used(), 0);
}
