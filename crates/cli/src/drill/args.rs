//! What may be typed after `drill`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Run packetdrill scripts against our stack, or against the Linux kernel.
///
/// A script says which packets come in, which system calls are made, and what the host must send
/// and return at which time. Our stack runs in virtual time: a minute of timers takes
/// milliseconds. Of a script's shell commands it understands those that set what a script needs,
/// such as sysctl, and no shell is asked; the kernel's are run by sh, in a network of their own.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  handclasp drill handshake.pkt                  one script against our stack
  handclasp drill tests/ --junit drill.xml       all scripts in a folder, with a report for CI
  handclasp drill handshake.pkt --against kernel the same script against the Linux kernel
  handclasp drill --dry-run tests/               read the scripts and run nothing
  handclasp drill -D PORT=80 -o mtu=1400 web.pkt give symbols and options their values
  handclasp drill tests/ --json | jq -r 'select(.verdict == \"failed\").script'

Exit codes: 0 all scripts passed, 1 some failed, 2 some could not be read")]
pub(crate) struct DrillArgs {
    /// Scripts, and folders whose files named *.pkt are scripts
    #[arg(required = true, value_name = "SCRIPT")]
    pub(crate) scripts: Vec<PathBuf>,

    /// What the scripts are run against
    #[arg(long, value_enum, value_name = "HOST", default_value = "stack")]
    pub(crate) against: Against,

    /// Which IP the scripts are run over, whatever they say themselves
    #[arg(long, value_enum, value_name = "VERSION")]
    pub(crate) ip_version: Option<IpVersion>,

    /// Whose habits our stack has, where the RFCs leave room
    #[arg(long, value_enum, value_name = "NAME", default_value = "linux")]
    pub(crate) personality: Personality,

    /// Give a symbol of the scripts its value
    #[arg(short = 'D', long = "define", value_name = "NAME=VALUE", value_parser = definition)]
    pub(crate) defines: Vec<(String, String)>,

    /// Set an option of packetdrill's, whatever the scripts say: mtu, mss, tolerance_usecs …
    #[arg(short, long = "option", value_name = "NAME[=VALUE]")]
    pub(crate) options: Vec<String>,

    /// Read the scripts and run nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// So many scripts at once [default: as many as there are processors]
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,

    /// Show the ladder of scripts that pass, too
    #[arg(short, long, conflicts_with_all = ["json", "markdown"])]
    pub(crate) verbose: bool,

    /// Write JSON Lines: one object for each script, and a summary
    #[arg(long, conflicts_with = "markdown")]
    pub(crate) json: bool,

    /// Write a table in Markdown
    #[arg(long)]
    pub(crate) markdown: bool,

    /// Write a report in JUnit's XML
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
}

/// What scripts are run against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Against {
    /// Our stack, in virtual time
    Stack,
    /// The Linux kernel in a network of its own, over TUN, in real time
    Kernel,
}

/// An IP version as packetdrill names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum IpVersion {
    /// IPv4
    Ipv4,
    /// IPv6
    Ipv6,
    /// IPv4 packets, sockets of IPv6
    #[value(name = "ipv4-mapped-ipv6")]
    Mapped,
}

/// Whose habits our stack has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Personality {
    /// Linux's, which packetdrill's scripts were written for
    Linux,
    /// What the RFCs recommend
    Standard,
}

fn definition(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("a symbol needs a value: type NAME=VALUE".to_owned()),
    }
}
