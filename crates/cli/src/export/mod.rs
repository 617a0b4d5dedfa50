//! `handclasp export`: a capture as tables.

pub(crate) mod args;
#[cfg(feature = "parquet")]
mod parquet;
mod text;

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use handclasp_explain::flow::Flow;
use handclasp_explain::table::{Cell, Table, findings, flows, packets};

use crate::Outcome;
use crate::error::Error;
use crate::input::{Bar, Input};
use crate::language::findings as words;
use crate::verdict::Judge;

use args::{ExportArgs, Format, TableName};

/// Takes the rows of one table.
trait Sheet {
    fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()>;

    /// Writes what is left.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Runs the command.
///
/// # Errors
///
/// When the capture cannot be read, or a table cannot be written.
pub(crate) fn run(args: &ExportArgs) -> Result<Outcome, Error> {
    let mut input = Input::open(&args.file, Bar::Allowed)?;
    fs::create_dir_all(&args.output).map_err(|e| Error::Write(args.output.clone(), e))?;
    let mut book = Book::new(args)?;
    while let Some(step) = input.next() {
        if let (Some(packets), Some(packet)) = (&mut book.packets, step.packet()) {
            packets.row(|| packets::row(&packet))?;
        }
        for flow in input.trace().take_over() {
            book.see(&flow)?;
        }
    }
    let (left, whole) = input.finish();
    left.iter().try_for_each(|flow| book.see(flow))?;
    book.finish()?;
    whole.map(|()| Outcome::Done)
}

/// A table's file.
struct Page {
    path: PathBuf,
    sheet: Box<dyn Sheet>,
}

impl Page {
    fn new(
        args: &ExportArgs,
        name: TableName,
        table: &'static Table,
    ) -> Result<Option<Self>, Error> {
        if !args.table.contains(&name) {
            return Ok(None);
        }
        let file = format!("{}.{}", table.name, args.format.extension());
        let path = args.output.join(file);
        let sheet = open(&path, table, args.format).map_err(|e| Error::Write(path.clone(), e))?;
        Ok(Some(Self { path, sheet }))
    }

    fn row<'a>(&mut self, cells: impl FnOnce() -> Vec<Cell<'a>>) -> Result<(), Error> {
        self.sheet.row(&cells()).map_err(|e| Error::Write(self.path.clone(), e))
    }

    fn finish(self) -> Result<(), Error> {
        self.sheet.finish().map_err(|e| Error::Write(self.path, e))
    }
}

fn open(path: &Path, table: &'static Table, format: Format) -> io::Result<Box<dyn Sheet>> {
    let file = BufWriter::with_capacity(1 << 16, File::create(path)?);
    Ok(match format {
        Format::Csv => Box::new(text::Csv::new(file, table)?),
        Format::Jsonl => Box::new(text::Jsonl::new(file, table)),
        #[cfg(feature = "parquet")]
        Format::Parquet => Box::new(parquet::Parquet::new(file, table)?),
    })
}

struct Book {
    packets: Option<Page>,
    flows: Option<Page>,
    findings: Option<Page>,
    judge: Judge,
}

impl Book {
    fn new(args: &ExportArgs) -> Result<Self, Error> {
        Ok(Self {
            packets: Page::new(args, TableName::Packets, &packets::TABLE)?,
            flows: Page::new(args, TableName::Flows, &flows::TABLE)?,
            findings: Page::new(args, TableName::Findings, &findings::TABLE)?,
            judge: Judge::default(),
        })
    }

    fn see(&mut self, flow: &Flow) -> Result<(), Error> {
        let found = self.judge.see(flow);
        if let Some(page) = &mut self.findings {
            for finding in &found {
                page.row(|| findings::row(finding, Some(flow), words()))?;
            }
        }
        match &mut self.flows {
            Some(page) => page.row(|| flows::row(flow, &found)),
            None => Ok(()),
        }
    }

    fn finish(mut self) -> Result<(), Error> {
        let (found, _) = self.judge.conclude(None);
        if let Some(page) = &mut self.findings {
            for finding in &found {
                page.row(|| findings::row(finding, None, words()))?;
            }
        }
        [self.packets, self.flows, self.findings].into_iter().flatten().try_for_each(Page::finish)
    }
}
