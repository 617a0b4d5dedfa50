//! What may be typed after `report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use handclasp_explain::picture::graph::Graph;
use handclasp_explain::track::Side;

/// Write a page about a capture: what was found, all connections, and pictures of each.
///
/// The page is one file that works without a network. Large captures make no larger page: it
/// lists the connections with the worst findings and the most packets, draws the first of
/// them, and says what was left out.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  handclasp report capture.pcapng -o report.html
  handclasp report capture.pcapng --flow 3 --flow 17 -o two.html
  handclasp report capture.pcapng --svg ladder --flow 3 > ladder.svg
  handclasp report capture.pcapng --svg sequence --flow 3 --from server -o sequence.svg")]
pub(crate) struct ReportArgs {
    /// A capture file, or - for standard input; pcap or pcapng, gzip or not
    pub(crate) file: PathBuf,

    /// The page to write; - is standard output. A picture goes to standard output by default
    #[arg(short, long, value_name = "FILE", default_value = "report.html")]
    #[arg(default_value_if("svg", clap::builder::ArgPredicate::IsPresent, "-"))]
    pub(crate) output: PathBuf,

    /// Tell of these connections only, by their numbers (tcp.stream)
    #[arg(long, value_name = "N")]
    pub(crate) flow: Vec<u64>,

    /// Draw so many connections
    #[arg(long, value_name = "NUMBER", default_value = "100")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) draw: u16,

    /// Write one picture of one connection instead of a page
    #[arg(long, value_enum, value_name = "PICTURE")]
    pub(crate) svg: Option<Picture>,

    /// In a graph, show what this end sent
    #[arg(long, value_enum, value_name = "END", requires = "svg")]
    pub(crate) from: Option<End>,
}

/// A picture of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Picture {
    /// Every packet between the two ends, with their states
    Ladder,
    /// Segments, ACKs, SACK blocks and the receive window over time
    #[value(alias = "tsg")]
    Sequence,
    /// Bytes per second over time
    Throughput,
    /// Round trips over time
    Rtt,
    /// The receive window and the bytes in flight over time
    Window,
}

impl Picture {
    /// The graph that it is; none if it is the ladder.
    pub(super) const fn graph(self) -> Option<Graph> {
        Some(match self {
            Self::Ladder => return None,
            Self::Sequence => Graph::TimeSequence,
            Self::Throughput => Graph::Throughput,
            Self::Rtt => Graph::RoundTrip,
            Self::Window => Graph::Window,
        })
    }
}

/// An end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum End {
    /// Who opened it
    Client,
    /// The other
    Server,
}

impl From<End> for Side {
    fn from(end: End) -> Self {
        match end {
            End::Client => Self::Client,
            End::Server => Self::Server,
        }
    }
}
