//! Two of our connections with settings of every kind over wires of every kind: whatever is
//! written arrives, both ends close, and no memory stays behind.

mod common;

use std::time::Duration;

use common::pair::{Pair, Wire};
use common::{MS, SECOND};
use handclasp_tcp::Config;
use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

fn config(rng: &mut Pcg64Mcg) -> Config {
    let mut config = Config::default();
    let mut pick = |from: &[u32]| from[rng.next_u32() as usize % from.len()];
    config.timestamps = pick(&[0, 1]) == 1;
    config.window_scaling = pick(&[0, 1]) == 1;
    config.sack = pick(&[0, 1]) == 1;
    config.nodelay = pick(&[0, 0, 1]) == 1;
    config.receive_buffer_max = pick(&[500, 2000, 5000, 70_000, 6 << 20]) as usize;
    config.receive_buffer_start = pick(&[500, 3000, 65_535]) as usize;
    config.send_buffer_max = pick(&[300, 5000, 4 << 20]) as usize;
    config.send_buffer_start = pick(&[300, 4000, 80_000]) as usize;
    config.reassembly_ranges = pick(&[0, 1, 3, 512]) as usize;
    config.max_segment_size =
        [None, Some(100), Some(537), Some(1400)][pick(&[0, 1, 2, 3]) as usize];
    config.quick_acks = pick(&[0, 16]) as u8;
    config.initial_window = pick(&[1, 2, 10]) as u8;
    config.delayed_ack = pick(&[0, 40, 400]) * MS;
    config.retries = 100;
    config.syn_retries = 40;
    config.syn_ack_retries = 40;
    config.rto_max = pick(&[2, 60]) * SECOND;
    config
}

fn wire(rng: &mut Pcg64Mcg) -> Wire {
    let mut pick = |from: &[u32]| from[rng.next_u32() as usize % from.len()];
    Wire {
        delay: Duration::from_micros(pick(&[50, 3000, 80_000]).into()),
        loss: pick(&[0, 0, 20, 100, 200]),
        duplicate: pick(&[0, 0, 30, 300]),
        reorder: pick(&[0, 0, 50, 500]),
    }
}

#[test]
fn any_settings_over_any_wire_carry_everything() {
    let seeds = std::env::var("HANDCLASP_SEEDS").map_or(300, |s| s.parse().unwrap());
    for seed in 0..seeds {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let (client, server, wire) = (config(&mut rng), config(&mut rng), wire(&mut rng));
        let told = format!("seed {seed}, {wire:?}, {client:?}, {server:?}");
        let result = std::panic::catch_unwind(|| {
            let mut pair = Pair::new(client, server, wire, seed);
            pair.burst = if seed % 2 == 0 { 0 } else { 60_000 };
            pair.exchange(15_000);
            assert_eq!(pair.budget.used(), 0, "buffers are given back");
        });
        if let Err(panic) = result {
            eprintln!("failed with {told}");
            std::panic::resume_unwind(panic);
        }
    }
}
