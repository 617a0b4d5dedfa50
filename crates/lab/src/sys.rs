//! The system calls that can be unsafe. All `unsafe` of this crate stands here.

use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use libc::{c_int, c_ulong, socklen_t};
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

/// What a system call returned, or the error that it left behind.
fn checked(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// Sets an option of a socket to bytes.
pub(crate) fn set_socket_option(
    fd: BorrowedFd<'_>,
    level: c_int,
    name: c_int,
    value: &[u8],
) -> io::Result<()> {
    let len = value.len() as socklen_t;
    // SAFETY: `value` and `len` are those of a slice that outlives the call.
    let result =
        unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, value.as_ptr().cast(), len) };
    checked(result as isize).map(drop)
}

/// Reads an option of a socket; the bytes written.
pub(crate) fn socket_option(
    fd: BorrowedFd<'_>,
    level: c_int,
    name: c_int,
    value: &mut [u8],
) -> io::Result<usize> {
    let mut len = value.len() as socklen_t;
    let pointer = value.as_mut_ptr().cast();
    // SAFETY: `pointer` and `len` are those of a slice that outlives the call.
    let result = unsafe { libc::getsockopt(fd.as_raw_fd(), level, name, pointer, &raw mut len) };
    checked(result as isize)?;
    Ok((len as usize).min(value.len()))
}

/// Asks for one number about the data in a socket's queues.
pub(crate) fn socket_queue(fd: BorrowedFd<'_>, request: c_ulong) -> io::Result<c_int> {
    let mut number: c_int = 0;
    // SAFETY: the caller's operations write one int, which `number` is.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), request as _, &raw mut number) };
    checked(result as isize)?;
    Ok(number)
}

/// Reads from a socket to nowhere, or writes to it from there: the kernel's answer to a null
/// pointer.
pub(crate) fn null_transfer(fd: BorrowedFd<'_>, len: usize, write: bool) -> io::Result<usize> {
    let fd = fd.as_raw_fd();
    // SAFETY: the kernel checks the pointer, and answers one to nowhere with EFAULT.
    checked(unsafe {
        if write {
            libc::send(fd, std::ptr::null(), len, libc::MSG_DONTWAIT)
        } else {
            libc::recv(fd, std::ptr::null_mut(), len, libc::MSG_DONTWAIT)
        }
    })
}

/// Makes the TUN interface `name`, of which `fd` (`/dev/net/tun`) is the far end.
pub(crate) fn make_tun(fd: BorrowedFd<'_>, name: &str) -> io::Result<()> {
    // SAFETY: all of it is integers, for which zero is a value.
    let mut request: libc::ifreq = unsafe { zeroed() };
    if name.len() >= size_of::<[libc::c_char; libc::IFNAMSIZ]>() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
    // SAFETY: this operation reads and writes a `struct ifreq`, which `request` is.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), libc::TUNSETIFF as _, &raw mut request) };
    checked(result as isize).map(drop)
}
