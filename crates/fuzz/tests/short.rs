//! Every target over its kept corpus, and over what chance makes of it. A failure prints the
//! seed; `HANDCLASP_FUZZ_RUNS=1000000` lets it run for longer.

use std::panic::catch_unwind;

use handclasp_fuzz::corpus;
use handclasp_fuzz::short::{Dice, changed};
use handclasp_fuzz::target::{TARGETS, named};

/// Changed inputs for each target, where nothing else is asked for.
const RUNS: u64 = 2000;

fn runs() -> u64 {
    std::env::var("HANDCLASP_FUZZ_RUNS").ok().and_then(|n| n.parse().ok()).unwrap_or(RUNS)
}

fn run(name: &str) {
    let target = named(name).expect("a target");
    let kept = corpus::inputs(name).expect("a corpus");
    assert!(!kept.is_empty(), "{name} has no corpus");
    for (path, bytes) in &kept {
        assert!(catch_unwind(|| (target.run)(bytes)).is_ok(), "{}", path.display());
    }
    for seed in 0..runs() {
        let mut dice = Dice::new(seed);
        let [(_, input), (_, other)] = [0, 0].map(|_| &kept[dice.below(kept.len())]);
        let bytes = changed(&mut dice, input, other);
        assert!(catch_unwind(|| (target.run)(&bytes)).is_ok(), "{name}, seed {seed}: {bytes:?}");
    }
}

/// A test for each target, and the list of them all.
macro_rules! targets {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                run(stringify!($name));
            }
        )*

        #[test]
        fn every_target_has_a_test() {
            let tested = [$(stringify!($name)),*];
            assert_eq!(TARGETS.map(|target| target.name), tested);
        }
    };
}

targets!(packet options notation capture filter script craft hex oracle connection host);
