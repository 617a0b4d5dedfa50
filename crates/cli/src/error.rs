//! What goes wrong, in one line that says what to do about it.

use std::fmt::Display;
use std::io;
use std::net::IpAddr;
use std::ops::Range;
use std::path::PathBuf;

use handclasp_craft::text::SpecError;
use handclasp_explain::capture::{Broken, Cause};

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Plan(#[from] crate::lab::plan::PlanError),
    #[error(transparent)]
    Lab(#[from] handclasp_lab::error::Error),
    #[error("cannot write {path}: {cause}", path = .0.display(), cause = .1)]
    Write(PathBuf, io::Error),
    #[error("cannot read {path}: {cause}", path = .0.display(), cause = .1)]
    Read(PathBuf, io::Error),
    #[error("{0}")]
    Drill(String),
    #[error("there is nothing in {0}")]
    NothingRead(String),
    #[error("{}", marked(.0, span(.0, .1), .1))]
    Spec(String, SpecError),
    #[error("{}", marked(line, *column..*column + 1, problem))]
    Bytes { line: String, column: usize, problem: String },
    #[error(
        "packet {0} looks like none that is known here: type --from ethernet, --from ip or \
             --from tcp"
    )]
    NoStart(usize),
    #[error("{0} is no text for a terminal: type -o FILE, or have another program read it")]
    NotForTerminals(&'static str),
    #[error("a capture needs an IP or Ethernet header in each packet")]
    NoCapture,
    #[error("a capture has packets with an Ethernet header, or without, but not both")]
    MixedCapture,
    #[error("cannot read {0}: {1}")]
    Open(String, io::Error),
    #[error("{}", broken_text(name, broken, *shown))]
    Broken {
        name: String,
        broken: Broken,
        /// Whether anything stands before the damage, which was shown.
        shown: bool,
    },
    #[error("{0} has more than 256 MB, which this reads twice: save it to a file first")]
    TooLong(String),
    #[error("there is no connection {0}: type handclasp flows to see them")]
    NoFlow(u64),
    #[error("{0}\n{1}")]
    Filter(String, String),
    #[error("there is no field {0}; is it {1}?")]
    NoField(String, &'static str),
    #[error("cannot run {0}: {1}")]
    Run(String, io::Error),
    #[error("cannot resolve {0}: {1}; type an IP address")]
    Resolve(String, io::Error),
    #[error("--link {0} needs our own address on it: type --address 192.0.2.2/24")]
    NoAddress(crate::link::LinkName),
    #[error("a picture is of one connection: type --flow once")]
    OneFlow,
    #[error("the capture has {0} connections: type --flow N to choose one")]
    WhichFlow(u64),
    #[error("-W needs an end of each file: type -C 100MB or -G 60")]
    FilesWithoutEnd,
    #[error("standard output is one stream of packets: type -w FILE with -C, -G or --json")]
    StreamRotates,
    #[error("--flows takes {0} names at most")]
    TooManyFlows(usize),
    #[error(
        "the kernel has {0} itself and would answer in our place: type --address with a \
             free address of that network"
    )]
    KernelsAddress(IpAddr),
    #[error("a packet of {bytes} bytes does not fit the link, which carries {mtu}")]
    TooLarge { bytes: usize, mtu: usize },
    #[allow(dead_code, reason = "for packets that are crafted one by one")]
    #[error("this link carries bare IP packets: leave the Ethernet header out")]
    NoFrames,
    #[error("interrupted")]
    Interrupted,
    #[error("there is no experiment {name}: {hint}handclasp try --list shows all")]
    NoExperiment { name: String, hint: String },
    #[error("{option} belongs to {its}, not to {name}")]
    NotItsOption { option: &'static str, its: &'static str, name: String },
    #[error("{0} is for a kernel or a link: leave out one of {0} and --against handclasp")]
    NotAgainstOurs(&'static str),
    #[error("{0} would do harm to a real host: leave --link out")]
    OnlyInLab(String),
    #[error("the peer {0} and our address are not of one family of IP")]
    OtherFamily(IpAddr),
    #[error("there is no IP header to tell where the packet goes")]
    NoIp,
    #[error("no way to {0} from our network: type --gateway with the router's address")]
    NoWay(IpAddr),
    #[error("nobody on the link answers for {0}")]
    NoNeighbour(IpAddr),
    #[error("nobody says this packet's {0}: type --{0} with an IP address")]
    NoEnd(&'static str),
    #[cfg(not(target_os = "linux"))]
    #[error("this needs Linux: type {0}")]
    NeedsLinux(&'static str),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Error {
    /// Whether it is only that nobody reads our output any more.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Io(e) if e.kind() == io::ErrorKind::BrokenPipe)
    }
}

fn broken_text(name: &str, broken: &Broken, shown: bool) -> String {
    match &broken.cause {
        Cause::UnknownFormat(_) => {
            format!("{name} is no capture: {}; type a pcap or pcapng file", broken.cause)
        }
        Cause::Io(error) => format!("cannot read {name}: {error}"),
        cause if shown => {
            format!(
                "{name} is damaged at byte {}: {cause}; what is before it is shown",
                broken.offset
            )
        }
        cause => format!("{name} is damaged at byte {}: {cause}", broken.offset),
    }
}

/// Columns in front of an error's first line: `handclasp: `.
const MARGIN: usize = 11;

/// Columns of a text that are shown.
const SHOWN: usize = 84;

/// The columns of a text that an error is about.
fn span(text: &str, error: &SpecError) -> Range<usize> {
    let column = |byte: usize| text.char_indices().take_while(|(at, _)| *at < byte).count();
    column(error.span.start)..column(error.span.end)
}

/// The text with these columns marked under it, of a long one only the part around them.
fn marked(text: &str, columns: Range<usize>, problem: &dyn Display) -> String {
    let letters: Vec<char> = text.chars().collect();
    let from = if letters.len() > SHOWN { columns.start.saturating_sub(SHOWN / 2) } else { 0 };
    let to = letters.len().min(from + SHOWN);
    let part: String = letters.get(from..to).unwrap_or_default().iter().collect();
    let [before, behind] = [(from > 0), (to < letters.len())].map(|cut| if cut { "…" } else { "" });
    let spaces = " ".repeat(MARGIN + before.chars().count() + columns.start - from);
    let marks = "^".repeat(columns.end.min(to).saturating_sub(columns.start).max(1));
    format!("{before}{part}{behind}\n{spaces}{marks} {problem}")
}
