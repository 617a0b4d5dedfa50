//! What goes wrong, in one line that says what to do about it.

use std::io;
use std::path::PathBuf;

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
    #[error("cannot run {0}: {1}")]
    Run(String, io::Error),
    #[error("cannot resolve {0}: {1}; type an IP address")]
    Resolve(String, io::Error),
    #[error("--link {0} needs our own address on it: type --address 192.0.2.2/24")]
    NoAddress(crate::link::LinkName),
    #[cfg(not(target_os = "linux"))]
    #[error("this needs Linux: type handclasp lab --virtual")]
    NeedsLinux,
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Error {
    /// Whether it is only that nobody reads our output any more.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Io(e) if e.kind() == io::ErrorKind::BrokenPipe)
    }
}
