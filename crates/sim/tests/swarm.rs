//! Thousands of networks that chance made up, each with everything that can go wrong.

use handclasp_sim::swarm;

/// Seeds of one test; `HANDCLASP_SWARM_SEEDS` runs more.
const SEEDS: u64 = 6000;

/// What the environment says, as a number.
fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {text:?}")))
}

#[test]
fn every_seed_keeps_the_rules() {
    if let Some(seed) = variable("HANDCLASP_SWARM_SEED") {
        if let Err(failure) = swarm::run(seed) {
            panic!("{}\n{failure}", swarm::story(seed).join("\n"));
        }
        return;
    }
    let mut total = swarm::Summary::default();
    for seed in 0..variable("HANDCLASP_SWARM_SEEDS").unwrap_or(SEEDS) {
        let summary = swarm::run(seed).unwrap_or_else(|failure| {
            panic!(
                "{failure}to see it packet by packet: \
                 HANDCLASP_SWARM_SEED={seed} cargo test -p handclasp-sim --test swarm"
            )
        });
        total += summary;
    }
    println!("{total:?}");
    assert!(total.whole > total.conversations / 2, "most conversations go to their end");
}
