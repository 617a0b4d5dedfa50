//! The kernel's sockets, as far as `std` and `rustix` do not name what one asks of them.

use std::io;
use std::os::fd::BorrowedFd;

use crate::sys;

/// A question about the data in a socket's queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Bytes that wait to be read (`SIOCINQ`).
    Unread,
    /// Bytes that are not acknowledged (`SIOCOUTQ`).
    Unacknowledged,
    /// Bytes that were never sent (`SIOCOUTQNSD`).
    Unsent,
}

/// Sets an option of a socket, as `setsockopt(2)` does.
///
/// # Errors
///
/// What the kernel says.
pub fn set_option(fd: BorrowedFd<'_>, level: i32, name: i32, value: &[u8]) -> io::Result<()> {
    sys::set_socket_option(fd, level, name, value)
}

/// Reads an option of a socket, as `getsockopt(2)` does: how many bytes of `value` it wrote.
///
/// # Errors
///
/// What the kernel says.
pub fn option(fd: BorrowedFd<'_>, level: i32, name: i32, value: &mut [u8]) -> io::Result<usize> {
    sys::socket_option(fd, level, name, value)
}

/// How much is in one of a socket's queues.
///
/// # Errors
///
/// What the kernel says.
pub fn queued(fd: BorrowedFd<'_>, queue: Queue) -> io::Result<i32> {
    sys::socket_queue(
        fd,
        match queue {
            Queue::Unread => libc::FIONREAD,
            Queue::Unacknowledged => libc::TIOCOUTQ,
            Queue::Unsent => 0x894b,
        },
    )
}

/// Has the kernel read from, or write to, a socket through a null pointer.
///
/// # Errors
///
/// What the kernel says, `EFAULT` unless there is nothing to do.
pub fn transfer_nowhere(fd: BorrowedFd<'_>, len: usize, write: bool) -> io::Result<usize> {
    sys::null_transfer(fd, len, write)
}
