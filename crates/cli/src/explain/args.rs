//! What may be typed after `explain`.

use std::path::{Path, PathBuf};

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
  handclasp explain --fail-on warn capture.pcapng
  handclasp explain --live eth0 'tcp.port == 443'")]
pub(crate) struct ExplainArgs {
    /// A capture file, or - for standard input; pcap or pcapng, gzip or not
    #[arg(required_unless_present = "live")]
    file: Option<PathBuf>,

    /// Tell only of connections of which a packet passes this; live, only of such packets
    filter: Vec<String>,

    /// Watch this interface instead: draw packets as they pass, until Ctrl-C, and then tell what
    /// was found
    #[arg(long, value_name = "INTERFACE", conflicts_with = "flow")]
    pub(crate) live: Option<String>,

    /// Stop watching after so many packets that pass the filter
    #[arg(short, long, value_name = "NUMBER", requires = "live")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,

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

impl ExplainArgs {
    /// The capture.
    pub(crate) fn file(&self) -> &Path {
        self.file.as_deref().unwrap_or(Path::new("-"))
    }

    /// All that is left of the words is the filter.
    pub(crate) fn filter(&self) -> String {
        // Live there is no file, and the first word is not its name.
        let first = self.file.iter().filter(|_| self.live.is_some());
        let first = first.map(|word| word.display().to_string());
        first.chain(self.filter.iter().cloned()).collect::<Vec<_>>().join(" ")
    }
}
