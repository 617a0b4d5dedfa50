//! What may be typed after `export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Write a capture as tables: packets, flows and findings.
///
/// Each table becomes a file in the folder: packets.csv, flows.csv, findings.csv. Their columns
/// are described in docs/export.md. Every export is independent of others; the column `key`
/// joins connections that are cut by the rotation of capture files.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  handclasp export capture.pcapng -o tables
  handclasp export capture.pcapng -o tables --format jsonl --table flows
  for f in ring_*.pcapng; do handclasp export $f -o tables/${f%.pcapng}; done")]
pub(crate) struct ExportArgs {
    /// A capture file, or - for standard input; pcap or pcapng, gzip or not
    pub(crate) file: PathBuf,

    /// The folder for the tables; it is made if it is not there
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: PathBuf,

    /// What the tables are written as
    #[arg(long, value_enum, default_value = "csv")]
    pub(crate) format: Format,

    /// Write only these tables
    #[arg(long, value_enum, value_name = "TABLE")]
    #[arg(default_values = ["packets", "flows", "findings"])]
    pub(crate) table: Vec<TableName>,
}

/// What tables are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Values parted by commas, with a line of names (RFC 4180)
    Csv,
    /// An object for each row, on a line of its own
    Jsonl,
    /// Columns, compressed
    #[cfg(feature = "parquet")]
    Parquet,
}

impl Format {
    /// How the files' names end.
    pub(super) const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            #[cfg(feature = "parquet")]
            Self::Parquet => "parquet",
        }
    }
}

/// A table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableName {
    /// A row for each TCP segment
    Packets,
    /// A row for each connection
    Flows,
    /// A row for each finding
    Findings,
}
