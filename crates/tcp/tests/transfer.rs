//! Two of our connections over a bad wire: every byte arrives, whatever the wire does.

mod common;

use std::time::Duration;

use common::pair::{Pair, Wire};
use handclasp_tcp::Config;

const MS: Duration = Duration::from_millis(1);

fn run(wire: Wire, client: Config, len: usize, seeds: u64) {
    for seed in 0..seeds {
        let result = std::panic::catch_unwind(|| {
            let mut pair = Pair::new(client.clone(), Config::default(), wire, seed);
            pair.burst = if seed % 2 == 0 { 0 } else { 60_000 };
            pair.exchange(len);
            (pair.budget.used(), pair.now)
        });
        match result {
            Ok((used, _)) => assert_eq!(used, 0, "seed {seed}: buffers are given back"),
            Err(panic) => {
                eprintln!("failed with seed {seed} over {wire:?}");
                std::panic::resume_unwind(panic);
            }
        }
    }
}

#[test]
fn a_clean_wire_carries_a_megabyte_both_ways() {
    run(Wire { delay: MS, ..Wire::default() }, Config::default(), 1 << 20, 2);
}

#[test]
fn a_lossy_wire_carries_everything() {
    run(Wire { delay: 5 * MS, loss: 50, ..Wire::default() }, Config::default(), 200_000, 40);
}

#[test]
fn reordering_and_duplication_harm_nothing() {
    let wire = Wire { delay: 5 * MS, loss: 10, duplicate: 50, reorder: 200 };
    run(wire, Config::default(), 200_000, 40);
}

#[test]
fn a_peer_without_options_is_served_as_well() {
    let wire = Wire { delay: 5 * MS, loss: 30, duplicate: 20, reorder: 100 };
    let mut config = Config::default();
    config.timestamps = false;
    config.window_scaling = false;
    config.sack = false;
    run(wire, config, 200_000, 40);
}

#[test]
fn a_quarter_of_all_segments_may_be_lost() {
    run(Wire { delay: MS, loss: 250, ..Wire::default() }, Config::default(), 20_000, 40);
}
