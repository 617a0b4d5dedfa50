//! What goes wrong, in one line that says what to do about it.

use std::io;
use std::path::PathBuf;

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
    #[cfg(not(target_os = "linux"))]
    #[error("--live needs Linux: explain a capture file, or tcpdump's by explain -")]
    LiveNeedsLinux,
    #[cfg(not(target_os = "linux"))]
    #[error("this needs Linux: type handclasp lab --virtual")]
    NeedsLinux,
    #[cfg(not(target_os = "linux"))]
    #[error("live capture needs Linux: type handclasp show FILE")]
    CaptureNeedsLinux,
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
