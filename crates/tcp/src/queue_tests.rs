//! The byte queue against a plain vector.

use std::vec;
use std::vec::Vec;

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::*;

fn bytes(below: &mut impl FnMut(u32) -> u32) -> Vec<u8> {
    let most = [3, 300, 5000, 100_000][below(4) as usize];
    let start = below(256);
    (0..below(most)).map(|i| (start + i) as u8).collect()
}

fn step(queue: &mut ByteQueue, model: &mut Vec<u8>, below: &mut impl FnMut(u32) -> u32) {
    match below(8) {
        0 | 1 => {
            let data = bytes(below);
            queue.push_slice(&data);
            model.extend(data);
        }
        2 => {
            let data = bytes(below);
            queue.push_bytes(Bytes::from(data.clone()));
            model.extend(data);
        }
        3 => {
            let mut other = ByteQueue::default();
            for _ in 0..below(4) {
                let data = bytes(below);
                other.push_bytes(Bytes::from(data.clone()));
                model.extend(data);
            }
            queue.append(other);
        }
        4 => {
            let n = below(model.len() as u32 + 10) as usize;
            queue.consume(n);
            model.drain(..n.min(model.len()));
        }
        5 => {
            let mut into = vec![0; below(3000) as usize];
            let n = queue.read(&mut into);
            assert_eq!(n, into.len().min(model.len()));
            assert!(into[..n].iter().copied().eq(model.drain(..n)));
        }
        6 => {
            let max = 1 + below(3000) as usize;
            let piece = queue.pop_bytes(max);
            assert!(piece.len() <= max && piece.is_empty() == model.is_empty());
            assert!(piece.iter().copied().eq(model.drain(..piece.len())));
        }
        _ => {
            let offset = below(model.len() as u32 + 1) as usize;
            let len = below(4000) as usize;
            let slices = queue.slices(offset, len).concat();
            let end = (offset + len).min(model.len());
            assert!(slices == model[offset..end]);
        }
    }
    assert_eq!((queue.len(), queue.is_empty()), (model.len(), model.is_empty()));
    let mut all = vec![0; model.len() + 1];
    let n = queue.peek(&mut all);
    assert!(all[..n] == model[..]);
}

#[test]
fn whatever_is_put_in_comes_out_in_order() {
    for seed in 0..40 {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let mut below = |n: u32| rng.next_u32() % n;
        let mut queue = ByteQueue::default();
        let mut model = Vec::new();
        for i in 0..60 {
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                step(&mut queue, &mut model, &mut below);
            }));
            assert!(result.is_ok(), "seed {seed}, step {i}");
        }
    }
}

#[test]
fn many_small_pieces_share_their_memory() {
    let mut queue = ByteQueue::default();
    for _ in 0..10_000 {
        queue.push_bytes(Bytes::from_static(b"x"));
    }
    assert!(queue.slices(0, 10_000).len() < 10);
}
