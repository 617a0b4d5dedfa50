//! Reads a capture from standard input and prints what is found in it.
//!
//! ```sh
//! cargo run --release -p handclasp-explain --example findings < capture.pcapng
//! ```

use std::io::{self, Write};

use handclasp_explain::catalogue::English;
use handclasp_explain::catalogue::findings::Findings as _;
use handclasp_explain::finding::{Examiner, Finding};
use handclasp_explain::flow::table::Limits;
use handclasp_explain::trace::Trace;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut trace = Trace::new(io::stdin().lock(), Limits::default())?;
    let mut examiner = Examiner::default();
    let mut out = io::stdout().lock();
    let mut tell = |found: Vec<Finding>| {
        found.iter().try_for_each(|finding| {
            let stream = finding.about.map_or("all".into(), |about| about.stream.to_string());
            writeln!(out, "{stream}: {}", English.finding(&finding.says))
        })
    };
    // What stands before the damage in a damaged file is told all the same.
    let broken = loop {
        match trace.next() {
            Ok(Some(_)) => {}
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
        for flow in trace.take_over() {
            tell(examiner.see(&flow))?;
        }
    };
    for flow in trace.finish() {
        tell(examiner.see(&flow))?;
    }
    tell(examiner.conclude())?;
    broken.map_or(Ok(()), |error| Err(error.into()))
}
