//! Tables as text: CSV and JSON Lines.

use std::io::{self, Write};

use handclasp_explain::json;
use handclasp_explain::table::{Cell, Table};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::Sheet;

/// Values parted by commas.
pub(super) struct Csv<W> {
    out: W,
}

impl<W: Write> Csv<W> {
    pub(super) fn new(mut out: W, table: &Table) -> io::Result<Self> {
        let names: Vec<_> = table.columns.iter().map(|column| column.name).collect();
        writeln!(out, "{}", names.join(","))?;
        Ok(Self { out })
    }
}

impl<W: Write> Sheet for Csv<W> {
    fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        for (i, cell) in cells.iter().enumerate() {
            if i > 0 {
                self.out.write_all(b",")?;
            }
            match cell {
                Cell::Empty => {}
                Cell::Number(number) => write!(self.out, "{number}")?,
                Cell::Flag(flag) => write!(self.out, "{flag}")?,
                Cell::Text(text) if text.contains(['"', ',', '\n', '\r']) => {
                    write!(self.out, "\"{}\"", text.replace('"', "\"\""))?;
                }
                Cell::Text(text) => self.out.write_all(text.as_bytes())?,
            }
        }
        self.out.write_all(b"\n")
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.out.flush()
    }
}

/// An object on each line.
pub(super) struct Jsonl<W> {
    out: W,
    table: &'static Table,
}

impl<W: Write> Jsonl<W> {
    pub(super) fn new(out: W, table: &'static Table) -> Self {
        Self { out, table }
    }
}

struct Object<'a>(&'static Table, &'a [Cell<'a>]);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("v", &json::VERSION)?;
        map.serialize_entry("type", self.0.name.trim_end_matches('s'))?;
        for (column, cell) in self.0.columns.iter().zip(self.1) {
            match cell {
                Cell::Empty => {}
                Cell::Number(number) => map.serialize_entry(column.name, number)?,
                Cell::Flag(flag) => map.serialize_entry(column.name, flag)?,
                Cell::Text(text) => map.serialize_entry(column.name, text)?,
            }
        }
        map.end()
    }
}

impl<W: Write> Sheet for Jsonl<W> {
    fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, &Object(self.table, cells))?;
        self.out.write_all(b"\n")
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.out.flush()
    }
}
