//! What may be typed after `show`.

use std::path::PathBuf;

use clap::{ArgAction, Args};

/// Print a line for each TCP packet of a capture.
///
/// A line has the packet's number, its time, its ends, its segment with numbers that count from
/// the ISNs, and behind a # what it is: marks by Wireshark's names (tcp.analysis.*), and both
/// ends' states, the client's first, where one changed. FILTER is a display filter of Wireshark's.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  handclasp show capture.pcapng
  handclasp show capture.pcapng 'tcp.flags.syn == 1 && tcp.analysis.retransmission'
  handclasp show capture.pcapng --fields frame.number,tcp.seq,tcp.analysis.ack_rtt
  handclasp show capture.pcapng tcp.stream == 3 -w one.pcapng
  tcpdump -i any -U -w - | handclasp show -")]
pub(crate) struct ShowArgs {
    /// A capture file, or - for standard input; pcap or pcapng, gzip or not
    #[arg(required_unless_present = "read")]
    file: Option<PathBuf>,

    /// Show only packets that this lets pass
    filter: Vec<String>,

    /// The capture file, as tcpdump and tshark take it
    #[arg(short, long, value_name = "FILE")]
    read: Option<PathBuf>,

    /// The filter, as tshark takes it
    #[arg(short = 'Y', long = "display-filter", value_name = "FILTER")]
    display_filter: Option<String>,

    /// Write the packets to a pcapng file instead of printing them; - is standard output
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["fields", "json"])]
    pub(crate) write: Option<PathBuf>,

    /// Stop after so many packets
    #[arg(short, long, value_name = "NUMBER")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,

    /// Times: -t none, -tt since 1970, -ttt since the line before, -tttt date in UTC, -ttttt since
    /// the first frame, which is what you get without it
    #[arg(short, action = ArgAction::Count)]
    pub(crate) time: u8,

    /// Addresses and ports as numbers, which is always so
    #[arg(short, hide_short_help = true)]
    pub(crate) numbers: bool,

    /// Sequence numbers as they stand in the headers
    #[arg(short = 'S', long)]
    pub(crate) absolute: bool,

    /// Print the link's header, too
    #[arg(short = 'e', long)]
    pub(crate) link: bool,

    /// Print the packet in hex, from IP on; -xx from the link's header on
    #[arg(short = 'x', action = ArgAction::Count)]
    pub(crate) hex: u8,

    /// Print the packet in hex and as text, from IP on; -XX from the link's header on
    #[arg(short = 'X', action = ArgAction::Count)]
    pub(crate) both: u8,

    /// Print the packet as text, from IP on
    #[arg(short = 'A')]
    pub(crate) ascii: bool,

    /// Print these fields, separated by tabs; with --json, these instead of the usual ones
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) fields: Vec<String>,

    /// Write JSON Lines
    #[arg(long)]
    pub(crate) json: bool,
}

impl ShowArgs {
    /// The capture.
    pub(crate) fn input(&self) -> PathBuf {
        self.read.clone().or_else(|| self.file.clone()).unwrap_or_default()
    }

    /// All that is left of the words is the filter, as with tcpdump.
    pub(crate) fn filter(&self) -> String {
        // Behind -r the first word is not the file.
        let first = self.file.iter().filter(|_| self.read.is_some());
        let first = first.map(|word| word.display().to_string());
        let words: Vec<_> = first.chain(self.filter.iter().cloned()).collect();
        let words = words.join(" ");
        match &self.display_filter {
            Some(filter) if words.is_empty() => filter.clone(),
            Some(filter) => format!("({words}) && ({filter})"),
            None => words,
        }
    }
}
