//! What may be typed after `decode`.

use clap::{Args, ValueEnum};
use handclasp_craft::dissect::Start;
use handclasp_craft::format::Form;

/// Take packets apart: every field with its bytes, its value and what that means; what is
/// wrong; and what cannot be known.
///
/// INPUT is bytes in any spelling - hex plain, with 0x, \x, colons, commas or as a program's
/// array; what xxd, hexdump -C, tcpdump -x and Wireshark print; base64 - or a file with such
/// text, with a packet's bytes, or with a capture (pcap, pcapng, gzip). Without any, standard
/// input is read. Several packets are read as conversations, too: windows in bytes, numbers
/// counted from the SYNs, who is the client, and what the checksums tell together.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  handclasp decode 450000282262000080062013c0a83b83c0a83b8701bb1f90a97f8d14...
  handclasp decode --from tcp 'e1 bc 01 bb 01 fa e4 a0 00 00 00 00 80 02 fa f0 ...'
  handclasp decode session.pcapng
  xxd packet.bin | handclasp decode --json
  handclasp decode --format scapy session.pcapng
  handclasp craft --cksum auto+1 --format hex | handclasp decode")]
pub(crate) struct DecodeArgs {
    /// Bytes, or a file with them; - is standard input, which is also the default
    #[arg(value_name = "INPUT", allow_hyphen_values = false)]
    pub(crate) inputs: Vec<String>,

    /// What the bytes begin with; guessed if it is not told
    #[arg(long, value_enum, value_name = "HEADER")]
    pub(crate) from: Option<From>,

    /// Print the packets in another form: boxes, hex, dump, bytes, line, tcpdump, json, pcapng,
    /// rust or scapy
    #[arg(short, long, value_name = "FORM", conflicts_with = "json")]
    pub(crate) format: Option<Form>,

    /// Take so many packets apart at most
    #[arg(long, value_name = "NUMBER", default_value = "1000")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) most: u32,

    /// Write JSON Lines: an object for each packet, then one for each conversation
    #[arg(long)]
    pub(crate) json: bool,
}

/// What bytes begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum From {
    /// An Ethernet header
    #[value(alias = "eth")]
    Ethernet,
    /// An IPv4 or IPv6 header
    #[value(aliases = ["ipv4", "ipv6"])]
    Ip,
    /// A TCP header
    Tcp,
}

impl From {
    pub(crate) const fn start(self) -> Start {
        match self {
            Self::Ethernet => Start::Ethernet,
            Self::Ip => Start::Ip,
            Self::Tcp => Start::Tcp,
        }
    }
}
