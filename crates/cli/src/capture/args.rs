//! What may be typed after `capture`.

use std::path::PathBuf;

use clap::Args;
use handclasp_impair::units;

/// Capture packets from an interface to a pcapng file.
///
/// PCAP-FILTER is tcpdump's language: the kernel hands out only packets that it lets pass.
/// Checksums that the kernel left to the network card are finished, and VLAN tags stay in the
/// frames. Ctrl-C ends the capture and tells how many packets there were, and how many the
/// kernel had to drop.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  handclasp capture -i eth0 -w trace.pcapng
  handclasp capture -i eth0 tcp port 443 and host 192.0.2.7 -w trace.pcapng
  handclasp capture -i eth0 'tcp[tcpflags] & (tcp-syn|tcp-rst) != 0' -w opening.pcapng
  handclasp capture -i eth0 -C 100MB -W 10 -w ring.pcapng   the newest ten files of 100 MB
  handclasp capture -i eth0 -Y tcp.analysis.retransmission -w resent.pcapng
  handclasp capture -i lo -w - | handclasp show -")]
pub(crate) struct CaptureArgs {
    /// The interface
    #[arg(short, long, value_name = "IFACE")]
    pub(crate) interface: String,

    /// Capture only packets that this lets pass
    #[arg(value_name = "PCAP-FILTER")]
    filter: Vec<String>,

    /// The pcapng file to write; - is standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) write: PathBuf,

    /// Write only TCP packets that this display filter lets pass
    #[arg(short = 'Y', long = "display-filter", value_name = "FILTER")]
    pub(crate) display_filter: Option<String>,

    /// End after so many packets
    #[arg(short, long, value_name = "NUMBER")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,

    /// Keep so many bytes of each packet
    #[arg(short, long, value_name = "BYTES", default_value = "262144")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=262_144))]
    pub(crate) snapshot_length: u32,

    /// Leave the interface out of promiscuous mode
    #[arg(short = 'p', long)]
    pub(crate) no_promiscuous: bool,

    /// Begin another file at this size; a bare number is in millions of bytes
    #[arg(short = 'C', long, value_name = "SIZE", value_parser = file_size)]
    pub(crate) file_size: Option<u64>,

    /// Begin another file after so many seconds
    #[arg(short = 'G', long, value_name = "SECONDS")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) file_seconds: Option<u64>,

    /// Keep so many files, the newest ones
    #[arg(short = 'W', long, value_name = "NUMBER")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) files: Option<u32>,

    /// Tell the totals as a line of JSON on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

impl CaptureArgs {
    /// The capture filter in one line.
    pub(crate) fn filter(&self) -> String {
        self.filter.join(" ")
    }
}

/// `100` as in tcpdump, or with a unit.
fn file_size(text: &str) -> Result<u64, String> {
    let size = match text.parse::<u64>() {
        Ok(millions) => millions.checked_mul(1_000_000).ok_or("too large")?,
        Err(_) => units::size(text).map_err(|error| error.to_string())?,
    };
    if size == 0 { Err("a file has some bytes".into()) } else { Ok(size) }
}
