//! The system calls that can be unsafe. All `unsafe` of this crate stands here.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::fs::{Mode, OFlags};
use rustix::process::Signal;
use rustix::thread::{LinkNameSpaceType, UnshareFlags};

/// How to leave the namespaces one is in.
#[derive(Clone, Debug)]
pub(crate) enum Leave {
    /// As root: only the network is left.
    Network,
    /// As an ordinary user, who becomes root of a user namespace that owns the new network.
    UserAndNetwork {
        /// The line for `uid_map`.
        uid_map: String,
        /// The line for `gid_map`.
        gid_map: String,
    },
}

impl Leave {
    /// Moves the calling thread. To leave the user namespace, it must be the only thread.
    ///
    /// It allocates nothing, so that it may be called between `fork` and `exec`.
    pub(crate) fn now(&self) -> rustix::io::Result<()> {
        let flags = match self {
            Self::Network => UnshareFlags::NEWNET,
            Self::UserAndNetwork { .. } => UnshareFlags::NEWUSER | UnshareFlags::NEWNET,
        };
        // SAFETY: only unsharing CLONE_FILES can break what Rust assumes, of descriptors.
        unsafe { rustix::thread::unshare_unsafe(flags) }?;
        if let Self::UserAndNetwork { uid_map, gid_map } = self {
            // Groups cannot be mapped by an ordinary user who could still drop some of them.
            write(c"/proc/self/setgroups", "deny")?;
            write(c"/proc/self/gid_map", gid_map)?;
            write(c"/proc/self/uid_map", uid_map)?;
        }
        Ok(())
    }
}

fn write(path: &std::ffi::CStr, text: &str) -> rustix::io::Result<()> {
    let file = rustix::fs::open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(file, text.as_bytes()).map(drop)
}

/// Has `command` run in namespaces of its own, and end when the calling thread does.
pub(crate) fn start_isolated(command: &mut Command, leave: Leave) {
    let prepare = move || {
        leave.now()?;
        // Only now: a change of credentials takes it back.
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        Ok(())
    };
    // SAFETY: `prepare` makes system calls and does nothing else: no allocation, no lock.
    unsafe { command.pre_exec(prepare) };
}

/// Has `command` run in the network namespace that `namespace` refers to.
///
/// The descriptor must be open when the command is started; it is duplicated for that.
pub(crate) fn start_in_namespace(
    command: &mut Command,
    namespace: BorrowedFd<'_>,
) -> io::Result<()> {
    let namespace = namespace.try_clone_to_owned()?;
    let prepare = move || {
        let kind = Some(LinkNameSpaceType::Network);
        rustix::thread::move_into_link_name_space(namespace.as_fd(), kind)?;
        Ok(())
    };
    // SAFETY: `prepare` makes one system call and does nothing else: no allocation, no lock.
    unsafe { command.pre_exec(prepare) };
    Ok(())
}
