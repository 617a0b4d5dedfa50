//! The scripts of this crate against the Linux kernel, which must pass those that do not say
//! in their heads where it differs.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use handclasp_drill::script::Setting;
use handclasp_drill::{Outcome, Script, Setup, kernel};
use handclasp_lab::isolated::{Isolated, Need};

/// A busy machine is late now and then.
const ATTEMPTS: usize = 3;
/// Scripts that run beside each other: they mostly wait.
const JOBS: usize = 6;
/// What a script's head says of a deliberate difference.
const DIFFERS: &str = "// Differs on Linux: ";

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths.collect();
    paths.sort();
    paths
}

fn perform(path: &Path) -> Outcome {
    let source = std::fs::read_to_string(path).unwrap();
    let script = Script::parse(&source).unwrap();
    let mut setup = Setup::default();
    let late = ("tolerance_usecs".to_owned(), Some("100000".to_owned()));
    setup.overrides = vec![Setting { line: 0, name: late.0, value: late.1 }];
    let mut outcome = kernel::run(&script, &setup).unwrap();
    for _ in 1..ATTEMPTS {
        if outcome.failure.is_some() {
            outcome = kernel::run(&script, &setup).unwrap();
        }
    }
    outcome
}

#[test]
fn every_script_that_does_not_differ_passes_on_the_kernel() {
    Isolated::new().needs(Need::Tun).timeout(Duration::from_secs(300)).run(|| {
        let (scripts, next) = (scripts(), AtomicUsize::new(0));
        let failures = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..JOBS {
                scope.spawn(|| {
                    while let Some(path) = scripts.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let head = std::fs::read_to_string(path).unwrap();
                        let outcome = perform(path);
                        let name = path.file_name().unwrap().to_string_lossy();
                        if outcome.failure.is_some() && !head.contains(DIFFERS) {
                            failures.lock().unwrap().push(format!("{name}: {outcome}"));
                        }
                    }
                });
            }
        });
        let failures = failures.into_inner().unwrap();
        assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    });
}
