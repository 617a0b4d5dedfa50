//! What may be typed after `try`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use handclasp::Cidr;

use crate::link::LinkName;

/// Redo a classic TCP experiment, and see whether the peer does what the RFC says.
///
/// The packets are made by hand, one by one; the peer is the Linux kernel in a private network,
/// our own stack in virtual time, or a host of yours. Each experiment says what is tried and
/// what theory expects, shows every packet with both ends' states, and ends with what happened
/// and whether that is what the RFC says.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  handclasp try --list                       what there is
  handclasp try handshake                    three packets by hand, then a request
  handclasp try lost-third --talking         the third packet lost, then data
  handclasp try half-open --against handclasp   a minute of timers in a moment
  handclasp try half-open --sysctl tcp_synack_retries=2
  handclasp try closed-port --link packet:eth0 --address 192.168.1.77/24 192.168.1.10 81
  handclasp try --all --against kernel --json

Exit code: 0 if the peer did as the RFC says, 1 if it did otherwise.")]
pub(crate) struct TryArgs {
    /// Which one; --list shows them
    #[arg(required_unless_present_any = ["list", "all"], conflicts_with_all = ["list", "all"])]
    pub(crate) experiment: Option<String>,

    /// With --link: the peer, an IP address or a name
    #[arg(requires = "link", requires = "port")]
    pub(crate) host: Option<String>,

    /// With --link: the peer's TCP port
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,

    /// Show all experiments in a table
    #[arg(long)]
    pub(crate) list: bool,

    /// Run all of them, one after the other
    #[arg(long, conflicts_with_all = ["list", "link"])]
    pub(crate) all: bool,

    /// Who the peer is
    #[arg(long, value_enum, value_name = "PEER", default_value = "kernel")]
    #[arg(conflicts_with = "link")]
    pub(crate) against: Against,

    /// Where a real peer is reached: tun:NAME or packet:INTERFACE
    #[arg(long, value_name = "LINK", requires = "host")]
    pub(crate) link: Option<LinkName>,

    /// Our own address on that link and its network. On packet:INTERFACE it may be the host's,
    /// which it is if none is told: its kernel is then kept from resetting these connections
    #[arg(long, value_name = "IP/BITS", requires = "link")]
    pub(crate) address: Option<Cidr>,

    /// The router to what is outside of that network
    #[arg(long, value_name = "IP", requires = "link")]
    pub(crate) gateway: Option<IpAddr>,

    /// lost-third: the client has data to send
    #[arg(long)]
    pub(crate) talking: bool,

    /// old-duplicate: the new SYN arrives before the RST
    #[arg(long)]
    pub(crate) syn_first: bool,

    /// data-in-first: with a Fast Open cookie, where the peer gives one
    #[arg(long)]
    pub(crate) fast_open: bool,

    /// Set a parameter of the kernel's end: tcp_synack_retries=2
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) sysctl: Vec<Sysctl>,

    /// Sequence numbers as they stand in the headers
    #[arg(short = 'S', long, conflicts_with = "json")]
    pub(crate) absolute: bool,

    /// Write JSON Lines instead of ladders
    #[arg(long)]
    pub(crate) json: bool,

    /// Write the packets to a pcapng file
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["all", "list"])]
    pub(crate) write: Option<PathBuf>,

    /// Repeat what chance did in another run
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
}

/// Who the peer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Against {
    /// The Linux kernel, in a private network
    Kernel,
    /// Our own stack, in virtual time
    Handclasp,
}

/// A kernel parameter and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sysctl {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// A text that sets no kernel parameter.
#[derive(Debug, thiserror::Error)]
#[error("it sets no kernel parameter: type tcp_synack_retries=2, or its whole name")]
pub(crate) struct NoSysctl;

impl FromStr for Sysctl {
    type Err = NoSysctl;

    /// Reads `NAME=VALUE`; a name without dots is one of `net.ipv4`.
    fn from_str(text: &str) -> Result<Self, NoSysctl> {
        let (name, value) = text.split_once('=').ok_or(NoSysctl)?;
        let well = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
        // Nothing that leads out of the tree of parameters.
        let stays = name.starts_with(|c: char| c.is_ascii_alphanumeric()) && !name.contains("..");
        if value.is_empty() || !name.chars().all(well) || !stays {
            return Err(NoSysctl);
        }
        Ok(Self::new(name, value))
    }
}

impl Sysctl {
    /// A name without dots is one of `net.ipv4`.
    pub(crate) fn new(name: &str, value: &str) -> Self {
        let plain = !name.contains(['.', '/']);
        let name = if plain { format!("net.ipv4.{name}") } else { name.into() };
        Self { name, value: value.into() }
    }
}

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;
