//! `handclasp flows`: a table of a capture's connections.

pub(crate) mod args;
mod row;
pub(crate) mod table;

use std::cmp::Reverse;
use std::collections::HashSet;
use std::io::{self, Write};

use handclasp_explain::finding::Finding;
use handclasp_explain::flow::Flow;
use handclasp_explain::json;

use crate::Outcome;
use crate::error::Error;
use crate::input::{self, Bar, Input};
use crate::language::findings;
use crate::output;
use crate::verdict::Judge;

use args::{FlowsArgs, Key};
use row::Row;

/// Runs the command.
///
/// # Errors
///
/// When the capture cannot be read, the filter is none, or the output cannot be written.
pub(crate) fn run(args: &FlowsArgs) -> Result<Outcome, Error> {
    let text = args.filter.join(" ");
    let filter = if text.trim().is_empty() { None } else { Some(input::filter(&text)?) };
    let mut input = Input::open(&args.file, Bar::Allowed)?;
    let mut book = Book { json: args.json, judge: Judge::default(), rows: Vec::new() };
    let mut wanted = HashSet::new();
    while let Some(step) = input.next() {
        if let (Some(filter), Some(packet)) = (&filter, step.packet())
            && filter.passes(&packet)
        {
            wanted.insert(packet.seen.stream);
        }
        input.trace().take_over().iter().for_each(|flow| book.see(flow));
    }
    let (left, whole) = input.finish();
    left.iter().for_each(|flow| book.see(flow));
    let Book { judge, mut rows, .. } = book;
    if filter.is_some() {
        rows.retain(|row| wanted.contains(&row.stream));
    }
    sort(&mut rows, args);
    let (found, outcome) = judge.conclude(args.fail_on);
    write(args, &rows, &found)?;
    whole.map(|()| outcome)
}

/// What is kept of the connections that are over.
struct Book {
    json: bool,
    judge: Judge,
    rows: Vec<Row>,
}

impl Book {
    fn see(&mut self, flow: &Flow) {
        let found = self.judge.see(flow);
        self.rows.push(Row::new(flow, &found, self.json));
    }
}

fn sort(rows: &mut [Row], args: &FlowsArgs) {
    let both = |pair: [u64; 2]| pair[0].saturating_add(pair[1]);
    // A stable sort: what is equal stays in the order of first packets.
    rows.sort_by_key(|row| row.stream);
    match args.sort {
        Key::Stream => {}
        Key::Time => rows.sort_by_key(|row| Reverse(row.duration)),
        Key::Packets => rows.sort_by_key(|row| Reverse(both(row.packets))),
        Key::Bytes => rows.sort_by_key(|row| Reverse(both(row.bytes))),
        Key::Rtt => rows.sort_by_key(|row| Reverse(row.round_trip)),
        Key::Resent => rows.sort_by_key(|row| Reverse(both(row.resent))),
        Key::Verdict => rows.sort_by_key(|row| Reverse(row.severity)),
    }
    if args.reverse {
        rows.reverse();
    }
}

fn write(args: &FlowsArgs, rows: &[Row], found: &[Finding]) -> io::Result<()> {
    let mut out = output::stdout();
    if args.csv {
        row::write_csv(&mut out, rows)?;
    } else if args.json {
        for row in rows {
            writeln!(out, "{}", row.json)?;
        }
        for finding in found {
            output::object(&mut out, &json::Found::new(finding, findings()))?;
        }
    } else {
        table::write(&mut out, rows, found)?;
    }
    out.flush()
}
