//! Runs scripts against this stack, and tells how they fared.
//!
//! `drill [--dry-run] [--brief] [-D NAME=VALUE]… SCRIPT…`

use std::path::Path;

use handclasp_drill::{Script, Setup, run};

fn main() {
    let (mut symbols, mut passed, mut failed, mut unread) = (Vec::new(), 0, 0, 0);
    let (mut dry, mut brief) = (false, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--dry-run" => dry = true,
            "--brief" => brief = true,
            "-D" => {
                let pair = arguments.next().unwrap_or_default();
                symbols.extend(pair.split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned())));
            }
            path => {
                let source = std::fs::read(path).unwrap_or_default();
                let source = String::from_utf8_lossy(&source);
                let script = match Script::parse_with(&source, &symbols) {
                    Ok(script) => script,
                    Err(error) => {
                        println!("UNREAD {path}: {error}");
                        unread += 1;
                        continue;
                    }
                };
                if dry {
                    continue;
                }
                let mut setup = Setup::default();
                setup.folder = Path::new(path).parent().map(Path::to_owned);
                let outcome = run(&script, &setup);
                let ok = outcome.failure.is_none();
                passed += u32::from(ok);
                failed += u32::from(!ok);
                let text = outcome.to_string();
                let text =
                    if brief { text.split("\n  so far").next().unwrap_or("") } else { &text };
                println!("{} {path}: {text}", if ok { "pass" } else { "FAIL" });
            }
        }
    }
    println!("{passed} passed, {failed} failed, {unread} could not be read");
}
