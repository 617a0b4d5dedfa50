//! `handclasp capture`: packets from an interface to a file.

pub(crate) mod args;
#[cfg(target_os = "linux")]
mod live;

#[cfg(target_os = "linux")]
pub(crate) use live::run;

/// Says what `handclasp capture` needs.
///
/// # Errors
///
/// Always: there is no way to the packets.
#[cfg(not(target_os = "linux"))]
pub(crate) fn run(_args: &args::CaptureArgs) -> Result<crate::Outcome, crate::error::Error> {
    Err(crate::error::Error::NeedsLinux("handclasp show FILE"))
}
