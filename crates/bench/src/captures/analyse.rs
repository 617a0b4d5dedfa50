//! A whole analysis with the library: every packet marked, every connection judged.

use std::error::Error;
use std::fs::File;
use std::path::Path;

use handclasp_explain::capture::Reader;
use handclasp_explain::capture::dissect::{Dissector, Found};
use handclasp_explain::finding::Examiner;
use handclasp_explain::flow::table::{Limits, Table};

/// What a capture has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Contents {
    pub(crate) packets: u64,
    pub(crate) connections: u64,
    findings: u64,
}

/// Analyses a capture and tells what is in it.
pub(crate) fn run(file: &Path) -> Result<(), Box<dyn Error>> {
    let contents = count(file)?;
    println!("{contents:?}");
    Ok(())
}

/// Analyses a capture.
pub(crate) fn count(file: &Path) -> Result<Contents, Box<dyn Error>> {
    let mut reader = Reader::new(File::open(file)?)?;
    let (mut dissector, mut table) = (Dissector::default(), Table::new(Limits::default()));
    let mut examiner = Examiner::default();
    let mut contents = Contents::default();
    while let Some(frame) = reader.next()? {
        contents.packets += 1;
        match dissector.dissect(&frame) {
            Found::Segment(segment) => {
                table.see(&segment);
            }
            Found::Complaint(complaint) => table.complain(&complaint),
            Found::Nothing => {}
        }
        for flow in table.take_over() {
            contents.connections += 1;
            contents.findings += examiner.see(&flow).len() as u64;
        }
    }
    for flow in table.finish() {
        contents.connections += 1;
        contents.findings += examiner.see(&flow).len() as u64;
    }
    contents.findings += examiner.conclude().len() as u64;
    Ok(contents)
}
