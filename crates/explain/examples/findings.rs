//! Reads a capture from standard input and prints what is found in it.
//!
//! ```sh
//! cargo run --release -p handclasp-explain --example findings < capture.pcapng
//! ```

use std::collections::BTreeMap;
use std::io::{self, Write};

use handclasp_explain::capture::Reader;
use handclasp_explain::capture::dissect::{Dissector, Found};
use handclasp_explain::catalogue::English;
use handclasp_explain::catalogue::findings::Findings as _;
use handclasp_explain::finding;
use handclasp_explain::flow::table::{Limits, Table};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut reader = Reader::new(io::stdin().lock())?;
    let mut dissector = Dissector::default();
    let mut table = Table::new(Limits::default());
    let mut rules = finding::rules();
    let (mut found, mut connections, mut segments) = (Vec::new(), 0, 0u64);
    let mut look = |flows: Vec<_>| {
        for flow in &flows {
            found.extend(rules.iter_mut().filter_map(|rule| rule.see(flow)));
        }
        connections += flows.len();
    };
    let broken = loop {
        match reader.next() {
            Ok(Some(frame)) => match dissector.dissect(&frame) {
                Found::Segment(segment) => {
                    table.see(&segment);
                    segments += 1;
                    look(table.take_over());
                }
                Found::Complaint(complaint) => table.complain(&complaint),
                Found::Nothing => {}
            },
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    look(table.finish());
    found.extend(rules.iter_mut().flat_map(|rule| rule.conclude()));
    let mut out = io::stdout().lock();
    writeln!(out, "{segments} segments of {connections} connections")?;
    // The same of many connections is told once.
    let mut alike: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for finding in &found {
        let streams = alike.entry(English.finding(&finding.says)).or_default();
        streams.extend(finding.about.map(|about| about.stream));
    }
    for (sentence, streams) in alike {
        let shown = &streams[..streams.len().min(5)];
        writeln!(out, "{sentence}; connections: {shown:?} of {}", streams.len())?;
    }
    broken.map_or(Ok(()), |error| Err(error.into()))
}
