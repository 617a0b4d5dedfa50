//! The one call that packetdrill does not make through its interface.

use libc::{c_int, c_void, socklen_t};

use crate::calls;
use crate::host;

/// `getsockopt(2)`, in the place of the C library's where this library is preloaded:
/// packetdrill asks for `tcp_info` with it. Sockets that are not the host's are the kernel's.
///
/// # Safety
///
/// As for `getsockopt(2)`: `len` says for how many bytes `value` is good.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getsockopt(
    fd: c_int,
    level: c_int,
    name: c_int,
    value: *mut c_void,
    len: *mut socklen_t,
) -> c_int {
    if host::descriptor(fd).is_ok() {
        // SAFETY: the caller's promise.
        return unsafe { calls::getsockopt(std::ptr::null_mut(), fd, level, name, value, len) };
    }
    // SAFETY: the caller's promise, handed on to the kernel.
    unsafe { libc::syscall(libc::SYS_getsockopt, fd, level, name, value, len) as c_int }
}
