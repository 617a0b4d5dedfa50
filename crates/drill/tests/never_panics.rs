//! Whatever a script says, it is read and run, or told what is wrong with it.

use std::path::Path;

use handclasp_drill::{Script, Setup, run};

/// What takes the place of a byte.
const OTHERS: [&str; 12] = ["", "<", ">", "(", "{", "\"", "`", "9", ".", "-", "é", "999999999"];

#[test]
fn a_script_with_any_place_changed_does_no_harm() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    for name in ["blocking-calls", "epoll-edges", "path-mtu", "timestamps-old-segment"] {
        let source = std::fs::read_to_string(folder.join(format!("{name}.pkt"))).unwrap();
        for at in (0..source.len()).step_by(5) {
            let other = OTHERS[at % OTHERS.len()];
            let changed = format!("{}{other}{}", &source[..at], &source[at + 1..]);
            if let Ok(script) = Script::parse(&changed) {
                let _ = run(&script, &Setup::default()).to_string();
            }
        }
    }
}
