//! The scripts of this crate, one per behaviour, all of which the stack must pass.

use std::path::Path;

use handclasp_drill::{Script, Setup, run};

#[test]
fn every_script_passes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let mut failures = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let source = std::fs::read_to_string(&path).unwrap();
        let script = Script::parse(&source).unwrap_or_else(|error| panic!("{name}: {error}"));
        let outcome = run(&script, &Setup::default());
        count += 1;
        if outcome.failure.is_some() {
            failures.push(format!("{name}: {outcome}"));
        }
    }
    assert!(count > 30, "only {count} scripts were found");
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
