//! The way into a network of one's own.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::Errno;
use rustix::thread::CapabilitySet;

use crate::error::{Error, Result};
use crate::link::Links;
use crate::sys::Leave;

/// Whether this process is in a network namespace that was made for it.
static PRIVATE: AtomicBool = AtomicBool::new(false);

/// Moves the calling thread, and every thread and process that it starts from now on, into a
/// network namespace of its own, with its loopback interface up.
///
/// This is the first thing that `main` does: an ordinary user can only do it while the process
/// has a single thread. Such a user becomes root in a user namespace, which grants nothing
/// outside of it.
///
/// # Errors
///
/// [`Error::NotPermitted`] where the system does not allow it.
pub fn enter() -> Result<()> {
    leave().now().map_err(|errno| not_permitted(errno, Path::new("/proc/sys")))?;
    mark_private();
    Links::open()?.set_up("lo")
}

/// Remembers that this process is in a network namespace of its own.
pub(crate) fn mark_private() {
    PRIVATE.store(true, Ordering::Relaxed);
}

/// Fails in the machine's own network, which a lab must not touch.
pub(crate) fn require_private() -> Result<()> {
    if PRIVATE.load(Ordering::Relaxed) { Ok(()) } else { Err(Error::NotPrivate) }
}

/// How this user leaves the machine's network.
pub(crate) fn leave() -> Leave {
    if is_privileged() {
        return Leave::Network;
    }
    Leave::UserAndNetwork {
        uid_map: format!("0 {} 1", rustix::process::geteuid()),
        gid_map: format!("0 {} 1", rustix::process::getegid()),
    }
}

/// Whether this thread may make network namespaces and work with interfaces in them.
fn is_privileged() -> bool {
    let needed = CapabilitySet::SYS_ADMIN | CapabilitySet::NET_ADMIN | CapabilitySet::NET_RAW;
    rustix::thread::capabilities(None).is_ok_and(|sets| sets.effective.contains(needed))
}

/// Why an ordinary user could not leave, by the settings under `sysctls` (`/proc/sys`).
pub(crate) fn not_permitted(errno: Errno, sysctls: &Path) -> Error {
    let setting =
        |name: &str| fs::read_to_string(sysctls.join(name)).unwrap_or_default().trim().to_owned();
    let off = "unprivileged user namespaces are off";
    let (reason, remedy) = if setting("kernel/unprivileged_userns_clone") == "0" {
        (off.into(), "sysctl -w kernel.unprivileged_userns_clone=1")
    } else if setting("kernel/apparmor_restrict_unprivileged_userns") == "1" {
        (format!("{off} (AppArmor)"), "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0")
    } else if setting("user/max_user_namespaces") == "0" {
        (off.into(), "sysctl -w user.max_user_namespaces=15000")
    } else {
        let reason = match errno {
            Errno::INVAL => "the process already has several threads".into(),
            errno => format!("no user and network namespace could be made ({errno})"),
        };
        let remedy = "run it with sudo; in a container, start that with --privileged";
        return Error::NotPermitted { reason, remedy: remedy.into() };
    };
    Error::NotPermitted { reason, remedy: format!("run it with sudo, or once: sudo {remedy}") }
}

#[cfg(test)]
#[path = "enter_tests.rs"]
mod tests;
