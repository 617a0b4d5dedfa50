//! Packets for programs: columns, or an object on each line.

use std::io::{self, Write};

use handclasp_explain::filter::field::{FIELDS, Field};
use handclasp_explain::filter::value::Kind;
use handclasp_explain::json;
use handclasp_explain::trace::{Step, What};

use super::Sink;
use crate::output::object;

/// Fields with tabs between them.
pub(super) struct Columns<W> {
    out: W,
    fields: Vec<&'static Field>,
    line: String,
}

impl<W: Write> Columns<W> {
    pub(super) fn new(out: W, fields: Vec<&'static Field>) -> Self {
        Self { out, fields, line: String::new() }
    }
}

impl<W: Write> Sink for Columns<W> {
    fn step(&mut self, step: &Step<'_>) -> io::Result<()> {
        // ICMP errors have no such fields.
        let Some(packet) = step.packet() else { return Ok(()) };
        self.line.clear();
        for (i, field) in self.fields.iter().enumerate() {
            self.line.push_str(if i > 0 { "\t" } else { "" });
            field.write(&mut self.line, &packet).map_err(io::Error::other)?;
        }
        self.line.push('\n');
        self.out.write_all(self.line.as_bytes())
    }

    fn takes_all(&self) -> bool {
        false
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Objects.
pub(super) struct Json<W> {
    out: W,
    fields: Vec<&'static Field>,
}

/// What says the same as another field, or is long.
const LEFT_OUT: [&str; 9] = [
    "frame.time",
    "frame.time_delta_displayed",
    "eth.addr",
    "ip.addr",
    "ipv6.addr",
    "tcp.port",
    "tcp.options",
    "tcp.payload",
    "tcp.nxtseq",
];

impl<W: Write> Json<W> {
    /// Objects with these fields, or with those that are usual.
    pub(super) fn new(out: W, fields: Vec<&'static Field>) -> Self {
        let usual =
            |field: &&Field| field.kind != Kind::Protocol && !LEFT_OUT.contains(&field.name);
        let fields = if fields.is_empty() { FIELDS.iter().filter(usual).collect() } else { fields };
        Self { out, fields }
    }
}

impl<W: Write> Sink for Json<W> {
    fn step(&mut self, step: &Step<'_>) -> io::Result<()> {
        if let What::Complaint(complaint) = &step.what {
            return object(&mut self.out, &json::Complaint::new(complaint));
        }
        let Some(packet) = step.packet() else { return Ok(()) };
        object(&mut self.out, &json::Captured::new(&packet, &self.fields))
    }

    fn takes_all(&self) -> bool {
        false
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
