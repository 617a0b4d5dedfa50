//! `handclasp connect` and `handclasp listen`: netcat, with a stack of ours.

pub(crate) mod args;
#[cfg(target_os = "linux")]
mod attach;
#[cfg(target_os = "linux")]
mod call;
#[cfg(target_os = "linux")]
mod pump;

#[cfg(target_os = "linux")]
pub(crate) use call::{connect, listen};

/// Says what `handclasp connect` needs.
///
/// # Errors
///
/// Always: there is no link to attach to.
#[cfg(not(target_os = "linux"))]
pub(crate) fn connect(_args: args::ConnectArgs) -> Result<crate::Outcome, crate::error::Error> {
    Err(crate::error::Error::NeedsLinux("handclasp lab --virtual"))
}

/// As [`connect`].
#[cfg(not(target_os = "linux"))]
pub(crate) fn listen(_args: args::ListenArgs) -> Result<crate::Outcome, crate::error::Error> {
    Err(crate::error::Error::NeedsLinux("handclasp lab --virtual"))
}
