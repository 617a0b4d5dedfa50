//! What may be typed after `craft`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use handclasp::Cidr;
use handclasp_craft::format::Form;
use handclasp_impair::units;

use super::fields::FieldArgs;
use crate::link::LinkName;

/// Make TCP packets by hand, print them, and send them if that is asked for.
///
/// A PACKET is a line as tcpdump prints it, or as this command prints it with --format line:
/// two sockets, flags in brackets, then names and values in any order. Flags say the same of
/// every packet, and win. What nobody says is worked out (lengths, checksums, offsets), random
/// (sequence number, source port, identification) or sane (TTL 64, window 64240, SYN). Whatever
/// is said is obeyed, right or wrong: --cksum auto+1, --data-offset 3.
///
/// Several packets go on as one connection: ports, numbers, flags and timestamps that the later
/// ones leave open follow from those before, in both directions.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  handclasp craft --src 192.168.59.131:443 --dst 192.168.59.135:8080 --flags S \\
      --seq 0xA97F8D14 --window 1500 --ip-id 0x2262 --ttl 128
  handclasp craft '10.0.0.1:5000 > 10.0.0.2:80 [P.] seq 1 ack 1 data \"GET / HTTP/1.0\\r\\n\\r\\n\"'
  handclasp craft --format scapy 'IP 10.0.0.1.5 > 10.0.0.2.80: Flags [S], seq 7, win 512, length 0'
  handclasp craft --vlan 5 --options 'mss 1460, sackOK, wscale 7' --cksum auto+1 --format hex
  handclasp craft --format pcapng -o handshake.pcapng '10.0.0.1:5 > 10.0.0.2:80 [S]' \\
      '10.0.0.2:80 > 10.0.0.1:5 [S.]' '10.0.0.1:5 > 10.0.0.2:80 [.]'
  tcpdump -nn -S -r old.pcap | handclasp craft --win 0 --format tcpdump -
  handclasp craft --send --reply --dport 81          a SYN to the lab's closed port
  handclasp craft --send --reply '[S]' '[.]' 'data \"GET / HTTP/1.0\\r\\n\\r\\n\"'
  handclasp craft --send --reply --link packet:eth1 --address 10.0.0.9/24 --dst 10.0.0.1:22")]
pub(crate) struct CraftArgs {
    /// Packets as lines; - reads them from standard input. One by default
    #[arg(value_name = "PACKET")]
    pub(crate) packets: Vec<String>,

    /// boxes, hex, dump, bytes, line, tcpdump, json, pcapng, rust or scapy
    #[arg(short, long, value_name = "FORM", default_value = "boxes")]
    pub(crate) format: Form,

    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Build IPv4, as is done where nothing says otherwise
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    pub(crate) ipv4: bool,

    /// Build IPv6
    #[arg(short = '6', long)]
    pub(crate) ipv6: bool,

    /// Repeat what was random in another run
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,

    #[command(flatten)]
    pub(crate) fields: FieldArgs,

    #[command(flatten)]
    pub(crate) send: SendArgs,
}

/// Where packets are sent, and what is waited for.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Sending")]
pub(crate) struct SendArgs {
    /// Send the packets
    #[arg(long)]
    pub(crate) send: bool,

    /// Wait so long for the answer and print it, too; 1s if no time is told. It is waited for
    /// behind each packet that uses up sequence numbers, or behind the last if none does.
    /// Answers with a VLAN tag are not seen
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "1s", value_parser = units::duration, requires = "send")]
    pub(crate) reply: Option<Duration>,

    /// tun:NAME, packet:INTERFACE, or lab for a private network with a web server in it
    #[arg(long, value_name = "LINK", default_value = "lab", requires = "send")]
    pub(crate) link: LinkName,

    /// Our own address and its network. The host's own one may be used on packet:INTERFACE, and
    /// is if none is told: the host's kernel is then kept from resetting these connections
    #[arg(long, value_name = "IP/BITS", requires = "send")]
    pub(crate) address: Option<Cidr>,

    /// The router to what is outside of that network
    #[arg(long, value_name = "IP", requires = "send")]
    pub(crate) gateway: Option<IpAddr>,

    /// Write what passes on the link to a pcapng file
    #[arg(short, long, value_name = "FILE", requires = "send")]
    pub(crate) write: Option<PathBuf>,

    /// Leave open what was opened, instead of resetting it in the end. With the host's own
    /// address its kernel does so, once nothing holds it back any more
    #[arg(long, requires = "reply")]
    pub(crate) leave: bool,
}
