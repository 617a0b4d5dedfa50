//! The long run: libFuzzer over the target that `HANDCLASP_FUZZ` names.
#![no_main]

use std::sync::LazyLock;

use handclasp_fuzz::target::{TARGETS, Target, named};
use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("HANDCLASP_FUZZ").unwrap_or_default();
    named(&name).unwrap_or_else(|| {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        eprintln!("HANDCLASP_FUZZ={name:?} names no target: type one of {}", names.join(", "));
        std::process::exit(2);
    })
});

fuzz_target!(|data: &[u8]| (TARGET.run)(data));
