//! What may be typed after `explain`.

use std::path::PathBuf;

use clap::Args;

use crate::verdict::FailOn;

/// Tell what happened in a capture: what was found, and then packet by packet.
///
/// What was found comes first, the worst at the top, with the packets that show it and what to
/// do. Then some connections are drawn between their ends, with the states that both ends are in:
/// those that --flow names, or those of which the worst was found. FILTER is a display filter of
/// Wireshark's: only connections of which a packet passes are told of.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  handclasp explain capture.pcapng
  handclasp explain capture.pcapng --flow 3 --packets
  handclasp explain capture.pcapng 'tcp.flags.reset == 1 && tcp.seq == 1'
  handclasp explain --fail-on warn capture.pcapng")]
pub(crate) struct ExplainArgs {
    /// A capture file, or - for standard input; pcap or pcapng, gzip or not
    pub(crate) file: PathBuf,

    /// Tell only of connections of which a packet passes this
    pub(crate) filter: Vec<String>,

    /// Draw this connection, by its number in flows (tcp.stream); may be given several times
    #[arg(long, value_name = "NUMBER")]
    pub(crate) flow: Vec<u64>,

    /// Draw every packet, also of long runs of data
    #[arg(long)]
    pub(crate) packets: bool,

    /// Sequence numbers as they stand in the headers
    #[arg(short = 'S', long, conflicts_with = "json")]
    pub(crate) absolute: bool,

    /// Exit with 1 if something this bad was found
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<FailOn>,

    /// Write JSON Lines
    #[arg(long)]
    pub(crate) json: bool,
}
