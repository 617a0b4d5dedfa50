//! What may be typed after `connect` and `listen`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use handclasp::Cidr;

use crate::link::LinkName;

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
