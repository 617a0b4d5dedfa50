//! Memory that C hands over, as slices.

use std::ffi::CStr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use handclasp_drill::linux::{AF_INET, AF_INET6};
use libc::{c_char, c_int, c_void, iovec, sockaddr, socklen_t};

/// A string of C's; empty if there is none.
///
/// # Safety
///
/// `pointer` is null or a string that ends with a zero.
pub(crate) unsafe fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}

/// Bytes to read.
///
/// # Safety
///
/// `pointer` is null or good for `len` bytes while the slice is used.
pub(crate) unsafe fn bytes<'a>(pointer: *const c_void, len: usize) -> &'a [u8] {
    if pointer.is_null() || len > isize::MAX as usize {
        return &[];
    }
    // SAFETY: the caller's promise; any byte is a `u8`.
    unsafe { std::slice::from_raw_parts(pointer.cast(), len) }
}

/// Things to write.
///
/// # Safety
///
/// `pointer` is null or good for `len` of them, which nobody else uses meanwhile.
pub(crate) unsafe fn things<'a, T>(pointer: *mut T, len: usize) -> &'a mut [T] {
    if pointer.is_null() || len > isize::MAX as usize / size_of::<T>().max(1) {
        return &mut [];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts_mut(pointer, len) }
}

/// Bytes that scattered buffers hold together.
///
/// # Safety
///
/// `pointer` is null or good for `count` of them.
pub(crate) unsafe fn scattered(pointer: *const iovec, count: c_int) -> usize {
    let count = usize::try_from(count).unwrap_or(0);
    // SAFETY: the caller's promise; they are read only.
    unsafe { things(pointer.cast_mut(), count) }.iter().map(|buffer| buffer.iov_len).sum()
}

/// Writes `n` zeros into scattered buffers: what came in, for all a script can tell.
///
/// # Safety
///
/// `pointer` is null or good for `count` of them, and each for the bytes that it names.
pub(crate) unsafe fn scatter(pointer: *const iovec, count: c_int, mut n: usize) {
    let count = usize::try_from(count).unwrap_or(0);
    // SAFETY: the caller's promise.
    for buffer in unsafe { things(pointer.cast_mut(), count) } {
        let len = buffer.iov_len.min(n);
        // SAFETY: the caller's promise.
        unsafe { things(buffer.iov_base.cast::<u8>(), len) }.fill(0);
        n -= len;
    }
}

/// A socket's address; `None` for one of another family, as to dissolve a connection.
///
/// # Safety
///
/// `pointer` is null or good for `len` bytes.
pub(crate) unsafe fn address(pointer: *const sockaddr, len: socklen_t) -> Option<SocketAddr> {
    // SAFETY: the caller's promise.
    let bytes = unsafe { bytes(pointer.cast(), len as usize) };
    let family = i64::from(u16::from_ne_bytes(bytes.get(..2)?.try_into().ok()?));
    let port = u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?);
    let ip: IpAddr = match family {
        AF_INET => Ipv4Addr::from(<[u8; 4]>::try_from(bytes.get(4..8)?).ok()?).into(),
        AF_INET6 => Ipv6Addr::from(<[u8; 16]>::try_from(bytes.get(8..24)?).ok()?).to_canonical(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// Writes a socket's address, in the form of IPv6 where `v6` says so.
///
/// # Safety
///
/// `pointer` and `len` are null, or `len` says for how many bytes `pointer` is good.
pub(crate) unsafe fn put_address(
    address: SocketAddr,
    v6: bool,
    pointer: *mut sockaddr,
    len: *mut socklen_t,
) {
    let mut bytes = Vec::with_capacity(28);
    let family = if v6 { AF_INET6 } else { AF_INET };
    bytes.extend((family as u16).to_ne_bytes());
    bytes.extend(address.port().to_be_bytes());
    match address.ip() {
        IpAddr::V4(ip) if v6 => {
            bytes.extend([[0; 4].as_slice(), &ip.to_ipv6_mapped().octets()].concat())
        }
        IpAddr::V4(ip) => bytes.extend(ip.octets()),
        IpAddr::V6(ip) => bytes.extend([[0; 4].as_slice(), &ip.octets()].concat()),
    }
    bytes.resize(if v6 { 28 } else { 16 }, 0);
    // SAFETY: the caller's promise.
    unsafe { put(&bytes, pointer.cast(), len) };
}

/// Writes as much of `bytes` as there is room for, and how many there are.
///
/// # Safety
///
/// `pointer` and `len` are null, or `len` says for how many bytes `pointer` is good.
pub(crate) unsafe fn put(bytes: &[u8], pointer: *mut c_void, len: *mut socklen_t) {
    // SAFETY: the caller's promise.
    let Some(room) = (unsafe { things(len, 1) }).first_mut() else { return };
    // SAFETY: the caller's promise.
    let into = unsafe { things(pointer.cast::<u8>(), bytes.len().min(*room as usize)) };
    into.copy_from_slice(&bytes[..into.len()]);
    *room = bytes.len() as socklen_t;
}
