//! Reassembly against a model that keeps a record for every octet.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::vec;
use std::vec::Vec;

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::*;

const BASE: SeqNumber = SeqNumber(u32::MAX - 500);

/// Stretches without gaps, as offsets from `BASE`.
fn stretches(kept: &BTreeMap<u32, u8>) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for at in kept.keys() {
        match runs.last_mut() {
            Some((_, end)) if *end == *at => *end += 1,
            _ => runs.push((*at, at + 1)),
        }
    }
    runs
}

fn blocks_of(reassembly: &mut Reassembly, nxt: u32) -> Vec<(u32, u32)> {
    let blocks = reassembly.sack_blocks(BASE + nxt);
    blocks.iter().map(|b| (b.left - BASE, b.right - BASE)).collect()
}

fn drain(queue: ByteQueue) -> Vec<u8> {
    let mut all = vec![0; queue.len()];
    assert_eq!(queue.peek(&mut all), all.len());
    all
}

#[test]
fn whatever_arrives_each_octet_is_kept_once_and_the_first_wins() {
    for seed in 0..120 {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let mut below = |n: u32| rng.next_u32() % n;
        let mut reassembly = Reassembly::default();
        let mut kept = BTreeMap::new();
        let mut nxt = 0;
        for step in 0..150u32 {
            let at = nxt + 1 + below(800);
            let data: Vec<u8> = (0..1 + below(60)).map(|i| (step + i) as u8).collect();
            let inserted = reassembly.insert(BASE + at, Bytes::from(data.clone()), usize::MAX);
            let mut news = 0;
            let mut first_double = None;
            for (i, byte) in data.iter().enumerate() {
                let place = at + i as u32;
                match kept.entry(place) {
                    Entry::Occupied(_) => {
                        first_double.get_or_insert(place);
                    }
                    Entry::Vacant(free) => {
                        free.insert(*byte);
                        news += 1;
                    }
                }
            }
            assert_eq!(inserted.kept, news, "seed {seed}");
            assert_eq!(inserted.duplicate.map(|b| b.left - BASE), first_double, "seed {seed}");
            assert!(!inserted.dropped);
            assert_eq!(reassembly.bytes(), kept.len());
            let runs = stretches(&kept);
            assert_eq!(reassembly.end().map(|e| e - BASE), runs.last().map(|r| r.1));
            let reported = blocks_of(&mut reassembly, nxt);
            assert!(reported.iter().all(|b| runs.contains(b)), "seed {seed}: {reported:?}");
            assert_eq!(reported.len(), runs.len().min(4), "seed {seed}");
            let newest = runs.iter().find(|r| r.0 <= at && at < r.1);
            assert_eq!(reported.first(), newest, "seed {seed}");
            if below(4) == 0 {
                nxt = at + below(30);
                while let Some(run) = reassembly.take(BASE + nxt) {
                    let bytes = drain(run);
                    for byte in &bytes {
                        assert_eq!(kept.get(&nxt), Some(byte), "seed {seed}");
                        nxt += 1;
                    }
                }
                kept.retain(|at, _| *at >= nxt);
                assert_eq!(reassembly.bytes(), kept.len(), "seed {seed}");
            }
        }
    }
}

#[test]
fn no_more_stretches_are_kept_than_allowed() {
    let mut reassembly = Reassembly::default();
    let mut insert = |at: u32| {
        let result = reassembly.insert(BASE + at, Bytes::from_static(b"xy"), 3);
        (result.kept, result.dropped)
    };
    for at in [10, 20, 30] {
        assert_eq!(insert(at), (2, false));
    }
    assert_eq!(insert(40), (0, true));
    assert_eq!(insert(12), (2, false), "what extends a stretch needs no place of its own");
    assert_eq!(insert(18), (2, false));
    assert_eq!(insert(14), (2, false));
    assert_eq!(insert(16), (2, false), "and what joins two makes one free");
    assert_eq!(insert(40), (2, false));
}
