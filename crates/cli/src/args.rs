//! What may be typed.

use std::ffi::OsString;
use std::net::IpAddr;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use handclasp::Cidr;
use handclasp_impair::units;

use crate::lab::plan::DropNth;
use crate::link::LinkName;

/// TCP that you can see through.
#[derive(Debug, Parser)]
#[command(name = "handclasp", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Example:\n  handclasp lab      watch a TCP connection, packet by packet")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Lab(Box<LabArgs>),
    Connect(ConnectArgs),
    Listen(ListenArgs),
}

/// Make a private network, talk TCP with the Linux kernel in it, and show every packet.
///
/// Our stack has one end of the network and the kernel the other. By default our stack is the
/// client: it connects to a web server in the kernel's end, fetches a page and closes. Nothing
/// outside of the network is touched, and no root is needed where user namespaces are allowed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  handclasp lab                          the kernel serves a page, our stack fetches it
  handclasp lab --role server            the other way round
  handclasp lab --drop client:2          lose the third handshake packet
  handclasp lab --port 81                connect where nobody listens
  handclasp lab --bytes 100MB --loss 1%  move bulk data over a bad link and compare it
  handclasp lab --virtual --loss 20%     both ends ours, in virtual time
  handclasp lab -- curl -I http://10.77.0.2/")]
pub(crate) struct LabArgs {
    /// Which end our stack is
    #[arg(long, value_enum, value_name = "END")]
    pub(crate) role: Option<Role>,

    /// What joins the two ends
    #[arg(long, value_enum, value_name = "KIND", default_value = "packet")]
    pub(crate) link: LabLink,

    /// Have both ends played by our stack, in virtual time, on any system
    #[arg(long, conflicts_with_all = ["role", "link", "bytes", "write", "command"])]
    pub(crate) r#virtual: bool,

    /// Speak IPv6
    #[arg(short = '6', long)]
    pub(crate) ipv6: bool,

    /// Connect to this port; the server listens on 80
    #[arg(long, value_name = "PORT", default_value = "80")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: u16,

    /// Move this many bytes each way instead of a page, and compare what arrives
    #[arg(long, value_name = "SIZE", value_parser = units::size)]
    pub(crate) bytes: Option<u64>,

    /// Sequence numbers as they stand in the headers
    #[arg(short = 'S', long, conflicts_with = "json")]
    pub(crate) absolute: bool,

    /// Show every packet, also of long runs of data
    #[arg(long, conflicts_with = "json")]
    pub(crate) packets: bool,

    /// Write JSON Lines instead of a ladder
    #[arg(long)]
    pub(crate) json: bool,

    /// Write the packets to a pcapng file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,

    /// Run this program at the kernel's end, with our stack as the web server
    #[arg(last = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,

    #[command(flatten)]
    pub(crate) whims: WhimArgs,
}

/// What the link does to packets, in both directions.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "A bad link")]
pub(crate) struct WhimArgs {
    /// Lose this share of the packets: 1%
    #[arg(long, value_name = "SHARE", value_parser = units::probability)]
    pub(crate) loss: Option<f64>,

    /// Let every packet travel so long: 10ms
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    pub(crate) delay: Option<Duration>,

    /// Vary the delay by so much: 2ms
    #[arg(long, value_name = "TIME", value_parser = units::duration, requires = "delay")]
    pub(crate) jitter: Option<Duration>,

    /// Carry so much in a second: 100mbit
    #[arg(long, value_name = "RATE", value_parser = units::rate)]
    pub(crate) rate: Option<NonZeroU64>,

    /// Hold back this share of the packets, so that later ones overtake them
    #[arg(long, value_name = "SHARE", value_parser = units::probability)]
    pub(crate) reorder: Option<f64>,

    /// Deliver this share of the packets twice
    #[arg(long, value_name = "SHARE", value_parser = units::probability)]
    pub(crate) duplicate: Option<f64>,

    /// Flip a bit in this share of the packets
    #[arg(long, value_name = "SHARE", value_parser = units::probability)]
    pub(crate) corrupt: Option<f64>,

    /// Lose the client's or the server's packet of this number: client:2, server:1,3
    #[arg(long, value_name = "WHO:NUMBER")]
    pub(crate) drop: Vec<DropNth>,

    /// Repeat what chance did in another run
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
}

/// Connect to HOST PORT with our stack, and pass bytes between it and the terminal.
///
/// Standard input goes to the peer, and its end closes our direction; what the peer sends goes
/// to standard output.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  printf 'GET / HTTP/1.0\\r\\n\\r\\n' | handclasp connect -v 10.77.0.2 80
  handclasp connect --link tun:tun0 --address 10.0.0.2/24 10.0.0.1 22")]
pub(crate) struct ConnectArgs {
    /// An IP address, or a name that the system can resolve
    pub(crate) host: String,

    /// A TCP port
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: u16,

    #[command(flatten)]
    pub(crate) on: LinkArgs,
}

/// Wait for one connection on PORT with our stack, and pass bytes between it and the terminal.
///
/// Standard input goes to the peer, and its end closes our direction; what the peer sends goes
/// to standard output.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  handclasp listen -v --link packet:eth0 --address 192.168.1.77/24 8080")]
pub(crate) struct ListenArgs {
    /// A TCP port
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: u16,

    #[command(flatten)]
    pub(crate) on: LinkArgs,
}

/// Where our stack is attached.
#[derive(Clone, Debug, Args)]
pub(crate) struct LinkArgs {
    /// tun:NAME, packet:INTERFACE, or lab for a private network with a web server in it
    #[arg(long, value_name = "LINK", default_value = "lab")]
    pub(crate) link: LinkName,

    /// Our own address and its network; the kernel must not have it
    #[arg(long, value_name = "IP/BITS")]
    pub(crate) address: Option<Cidr>,

    /// The router to what is outside of that network
    #[arg(long, value_name = "IP")]
    pub(crate) gateway: Option<IpAddr>,

    /// Show the packets as a ladder on standard error
    #[arg(short, long)]
    pub(crate) verbose: bool,

    /// Sequence numbers in it as they stand in the headers
    #[arg(short = 'S', long, requires = "verbose")]
    pub(crate) absolute: bool,

    /// Write the packets to a pcapng file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
}

/// An end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Our stack connects, the kernel serves
    Client,
    /// The kernel connects, our stack serves
    Server,
}

/// What joins our stack and the kernel in a lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LabLink {
    /// A packet socket on a virtual Ethernet cable
    Packet,
    /// A TUN interface
    Tun,
}
