//! What may be typed after `flows`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::verdict::FailOn;

/// Print a table of a capture's connections, with a verdict on each.
///
/// Packets and bytes stand as client/server. The verdict is the worst that was found, or how the
/// connection ended. FILTER is a display filter of Wireshark's: a connection is shown if one of
/// its packets passes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  handclasp flows capture.pcapng
  handclasp flows capture.pcapng --sort resent
  handclasp flows capture.pcapng 'tcp.port == 443 && tcp.flags.reset == 1'
  handclasp flows --fail-on error capture.pcapng
  handclasp flows --csv capture.pcapng > connections.csv")]
pub(crate) struct FlowsArgs {
    /// A capture file, or - for standard input; pcap or pcapng, gzip or not
    pub(crate) file: PathBuf,

    /// Show only connections of which a packet passes this
    pub(crate) filter: Vec<String>,

    /// By what to sort; quantities have the largest first
    #[arg(long, value_enum, value_name = "KEY", default_value = "stream")]
    pub(crate) sort: Key,

    /// Turn the order round
    #[arg(long)]
    pub(crate) reverse: bool,

    /// Exit with 1 if something this bad was found
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<FailOn>,

    /// Write JSON Lines
    #[arg(long, conflicts_with = "csv")]
    pub(crate) json: bool,

    /// Write comma-separated values
    #[arg(long)]
    pub(crate) csv: bool,
}

/// What connections are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Key {
    /// The order in which they began
    Stream,
    /// From the first packet to the last
    Time,
    /// Packets of both directions
    Packets,
    /// Bytes of both directions
    Bytes,
    /// From the SYN to the SYN-ACK
    Rtt,
    /// Segments that were sent again
    Resent,
    /// What was found, the worst first
    Verdict,
}
