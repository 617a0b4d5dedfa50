//! What may be typed after `lab`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use handclasp::tcp::config::Algorithm;
use handclasp_impair::units;

use crate::whims::WhimArgs;

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
  handclasp lab --bytes 20MB --cc bbr --loss 1% --delay 10ms --plot bbr.svg
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

    /// Control congestion at our end by cubic, reno or bbr
    #[arg(long, value_name = "NAME", default_value = "cubic", conflicts_with = "virtual")]
    pub(crate) cc: Algorithm,

    /// Draw the course of what our stack sends with --bytes
    #[arg(long, value_name = "FILE.svg", requires = "bytes")]
    pub(crate) plot: Option<PathBuf>,

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
