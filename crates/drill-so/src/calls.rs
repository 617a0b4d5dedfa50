//! The calls of the table: C's arguments to requests, and answers to C's results.
//!
//! # Safety
//!
//! Each is called by packetdrill as its header says: pointers are null or good for the lengths
//! that come with them. `memory` says what that is relied on for.
#![allow(clippy::missing_safety_doc, reason = "the module's own says it for all of them")]

use std::time::Duration;

use handclasp_drill::linux::{
    AF_INET6, Errno, F_GETFL, F_SETFL, SO_LINGER, SOL_SOCKET, SOL_TCP, TCP_INFO,
};
use handclasp_drill::sockets::{Buffer, Reply, Request, Value, Watched};
use handclasp_drill::tcp_info;
use libc::{
    c_int, c_long, c_longlong, c_uint, c_ulong, c_void, epoll_event, iovec, msghdr, nfds_t, pollfd,
    sockaddr, socklen_t, ssize_t, timeval, useconds_t,
};

use crate::host::{self, Descriptor, ask, descriptor};
use crate::memory;

/// Options that only the kernel tells, of sockets in `%{ }%`.
const TCP_CC_INFO: c_int = 26;
const SO_MEMINFO: c_int = 55;
/// What `getsockopt` tells a socket's congestion controller's name with.
const TCP_CONGESTION: c_int = 13;

type U = *mut c_void;

/// A result as C has it: -1, and why in `errno`.
fn told(result: Result<i64, Errno>) -> c_int {
    told_long(result) as c_int
}

fn told_long(result: Result<i64, Errno>) -> ssize_t {
    result.map_or_else(
        |errno| {
            // SAFETY: the place of this thread's `errno` is good as long as the thread is.
            unsafe { *libc::__errno_location() = errno.0 };
            -1
        },
        |value| value as ssize_t,
    )
}

/// What a call returned that returns a number.
fn number(request: Request) -> Result<i64, Errno> {
    match ask(request)? {
        Reply::Number(n) => Ok(n),
        Reply::Told(_) | Reply::Events(_) | Reply::Watched(_) => Ok(0),
    }
}

/// The number of a host's descriptor.
fn inner(fd: c_int) -> Result<i32, Errno> {
    descriptor(fd).map(|descriptor| descriptor.inner)
}

pub(crate) unsafe extern "C" fn free(_: U) {
    host::stop();
}

pub(crate) unsafe extern "C" fn socket(_: U, family: c_int, kind: c_int, protocol: c_int) -> c_int {
    let (family, kind, protocol) = (family.into(), kind.into(), protocol.into());
    let made = number(Request::Socket { family, kind, protocol });
    told(made.and_then(|inner| {
        let v6 = family == AF_INET6;
        host::install(Descriptor { inner: inner as i32, v6 }).map(i64::from)
    }))
}

pub(crate) unsafe extern "C" fn bind(
    _: U,
    fd: c_int,
    address: *const sockaddr,
    len: socklen_t,
) -> c_int {
    // SAFETY: see the module.
    let local = unsafe { memory::address(address, len) };
    told(inner(fd).and_then(|fd| {
        let local = local.ok_or(Errno::EAFNOSUPPORT)?;
        host::with(|state| state.sockets.add_address(local.ip()));
        number(Request::Bind { fd, local })
    }))
}

pub(crate) unsafe extern "C" fn listen(_: U, fd: c_int, backlog: c_int) -> c_int {
    told(inner(fd).and_then(|fd| number(Request::Listen { fd, backlog: backlog.into() })))
}

pub(crate) unsafe extern "C" fn accept(
    _: U,
    fd: c_int,
    address: *mut sockaddr,
    len: *mut socklen_t,
) -> c_int {
    let accepted = descriptor(fd).and_then(|listener| {
        let child = number(Request::Accept { fd: listener.inner, flags: 0 })? as i32;
        let peer = host::with(|state| {
            state.sockets.connection(child).map(|connection| connection.tuple().remote())
        });
        if let Some(peer) = peer.flatten() {
            // SAFETY: see the module.
            unsafe { memory::put_address(peer, listener.v6, address, len) };
        }
        host::install(Descriptor { inner: child, v6: listener.v6 }).map(i64::from)
    });
    told(accepted)
}

pub(crate) unsafe extern "C" fn connect(
    _: U,
    fd: c_int,
    address: *const sockaddr,
    len: socklen_t,
) -> c_int {
    // SAFETY: see the module.
    let remote = unsafe { memory::address(address, len) };
    told(inner(fd).and_then(|fd| number(Request::Connect { fd, remote })))
}

/// Reads into one buffer.
unsafe fn read_into(fd: c_int, buffer: *mut c_void, len: usize, flags: c_int) -> ssize_t {
    let slice = iovec { iov_base: buffer, iov_len: len };
    // SAFETY: see the module.
    unsafe { read_scattered(fd, &raw const slice, 1, flags) }
}

unsafe fn read_scattered(fd: c_int, slices: *const iovec, count: c_int, flags: c_int) -> ssize_t {
    // SAFETY: see the module.
    let len = unsafe { memory::scattered(slices, count) };
    // SAFETY: see the module; they are read only.
    let first = unsafe { memory::things(slices.cast_mut(), usize::from(count > 0)) }.first();
    let nowhere = first.is_some_and(|slice| slice.iov_base.is_null() && slice.iov_len > 0);
    told_long(inner(fd).and_then(|fd| {
        let buffer = if nowhere { Buffer::Null } else { Buffer::Room(len) };
        let n = number(Request::Read { fd, buffer, flags: flags.into() })?;
        // SAFETY: see the module; no more was read than there was room for.
        unsafe { memory::scatter(slices, count, (n as usize).min(len)) };
        Ok(n)
    }))
}

pub(crate) unsafe extern "C" fn read(_: U, fd: c_int, buffer: *mut c_void, len: usize) -> ssize_t {
    // SAFETY: see the module.
    unsafe { read_into(fd, buffer, len, 0) }
}

pub(crate) unsafe extern "C" fn readv(
    _: U,
    fd: c_int,
    slices: *const iovec,
    count: c_int,
) -> ssize_t {
    // SAFETY: see the module.
    unsafe { read_scattered(fd, slices, count, 0) }
}

pub(crate) unsafe extern "C" fn recv(
    _: U,
    fd: c_int,
    buffer: *mut c_void,
    len: usize,
    flags: c_int,
) -> ssize_t {
    // SAFETY: see the module.
    unsafe { read_into(fd, buffer, len, flags) }
}

pub(crate) unsafe extern "C" fn recvfrom(
    _: U,
    fd: c_int,
    buffer: *mut c_void,
    len: usize,
    flags: c_int,
    _address: *mut sockaddr,
    _address_len: *mut socklen_t,
) -> ssize_t {
    // A connection's peer is not told again, as in Linux.
    // SAFETY: see the module.
    unsafe { read_into(fd, buffer, len, flags) }
}

pub(crate) unsafe extern "C" fn recvmsg(
    _: U,
    fd: c_int,
    message: *mut msghdr,
    flags: c_int,
) -> ssize_t {
    // SAFETY: see the module.
    let Some(message) = (unsafe { memory::things(message, 1) }).first_mut() else {
        return told_long(Err(Errno::EFAULT));
    };
    message.msg_flags = 0;
    message.msg_controllen = 0;
    let count = c_int::try_from(message.msg_iovlen).unwrap_or(0);
    // SAFETY: see the module.
    unsafe { read_scattered(fd, message.msg_iov, count, flags) }
}

/// Writes so many bytes; a script's are zeros, and so are ours.
fn write_len(fd: c_int, buffer: Buffer, flags: c_int) -> ssize_t {
    told_long(
        inner(fd)
            .and_then(|fd| number(Request::Write { fd, buffer, flags: flags.into(), to: None })),
    )
}

fn room(buffer: *const c_void, len: usize) -> Buffer {
    if buffer.is_null() { Buffer::Null } else { Buffer::Room(len) }
}

pub(crate) unsafe extern "C" fn write(
    _: U,
    fd: c_int,
    buffer: *const c_void,
    len: usize,
) -> ssize_t {
    write_len(fd, room(buffer, len), 0)
}

pub(crate) unsafe extern "C" fn writev(
    _: U,
    fd: c_int,
    slices: *const iovec,
    count: c_int,
) -> ssize_t {
    // SAFETY: see the module.
    write_len(fd, Buffer::Room(unsafe { memory::scattered(slices, count) }), 0)
}

pub(crate) unsafe extern "C" fn send(
    _: U,
    fd: c_int,
    buffer: *const c_void,
    len: usize,
    flags: c_int,
) -> ssize_t {
    write_len(fd, room(buffer, len), flags)
}

pub(crate) unsafe extern "C" fn sendto(
    _: U,
    fd: c_int,
    buffer: *const c_void,
    len: usize,
    flags: c_int,
    _address: *const sockaddr,
    _address_len: socklen_t,
) -> ssize_t {
    write_len(fd, room(buffer, len), flags)
}

pub(crate) unsafe extern "C" fn sendmsg(
    _: U,
    fd: c_int,
    message: *const msghdr,
    flags: c_int,
) -> ssize_t {
    // SAFETY: see the module; it is read only.
    let Some(message) = (unsafe { memory::things(message.cast_mut(), 1) }).first() else {
        return told_long(Err(Errno::EFAULT));
    };
    let count = c_int::try_from(message.msg_iovlen).unwrap_or(0);
    // SAFETY: see the module.
    write_len(fd, Buffer::Room(unsafe { memory::scattered(message.msg_iov, count) }), flags)
}

pub(crate) unsafe extern "C" fn fcntl(_: U, fd: c_int, verb: c_int, argument: c_long) -> c_int {
    told(inner(fd).and_then(|fd| match i64::from(verb) {
        F_GETFL => number(Request::GetFlags { fd }),
        F_SETFL => number(Request::SetFlags { fd, flags: argument }),
        _ => Err(Errno::EINVAL),
    }))
}

pub(crate) unsafe extern "C" fn ioctl(
    _: U,
    fd: c_int,
    request: c_ulong,
    value: *mut c_int,
) -> c_int {
    told(inner(fd).and_then(|fd| {
        let reply = ask(Request::Ioctl { fd, request: request as i64 })?;
        // SAFETY: see the module.
        if let (Reply::Told(n), Some(value)) =
            (reply, unsafe { memory::things(value, 1) }.first_mut())
        {
            *value = n as c_int;
        }
        Ok(0)
    }))
}

pub(crate) unsafe extern "C" fn close(_: U, fd: c_int) -> c_int {
    told(inner(fd).and_then(|inner| {
        let closed = number(Request::Close { fd: inner });
        host::with(|state| state.descriptors.remove(&fd));
        // SAFETY: it is the placeholder that was made for this descriptor, and its last use.
        unsafe { libc::close(fd) };
        closed
    }))
}

pub(crate) unsafe extern "C" fn shutdown(_: U, fd: c_int, how: c_int) -> c_int {
    told(inner(fd).and_then(|fd| number(Request::Shutdown { fd, how: how.into() })))
}

pub(crate) unsafe extern "C" fn getsockopt(
    _: U,
    fd: c_int,
    level: c_int,
    name: c_int,
    value: *mut c_void,
    len: *mut socklen_t,
) -> c_int {
    let asked = (i64::from(level), i64::from(name));
    told(inner(fd).and_then(|fd| {
        let bytes = match (level, name) {
            _ if asked == (SOL_TCP, TCP_INFO) => {
                let fields = host::with(|state| state.sockets.tcp_info(fd)).flatten();
                tcp_info::encode(&fields.ok_or(Errno::EBADF)?).to_vec()
            }
            (libc::SOL_TCP, TCP_CC_INFO) => Vec::new(),
            (libc::SOL_TCP, TCP_CONGESTION) => {
                let name = host::with(|state| state.sockets.congestion_name(fd)).flatten();
                let mut bytes = name.ok_or(Errno::EBADF)?.as_bytes().to_vec();
                bytes.resize(16, 0);
                bytes
            }
            (libc::SOL_SOCKET, SO_MEMINFO) => vec![0; 36],
            _ => match ask(Request::GetOption { fd, level: asked.0, name: asked.1 })? {
                Reply::Told(n) if asked == (SOL_SOCKET, SO_LINGER) => {
                    [i32::from(n > 0).to_ne_bytes(), (n as i32).to_ne_bytes()].concat()
                }
                Reply::Told(n) => (n as i32).to_ne_bytes().to_vec(),
                _ => return Err(Errno::EINVAL),
            },
        };
        // SAFETY: see the module.
        unsafe { memory::put(&bytes, value, len) };
        Ok(0)
    }))
}

pub(crate) unsafe extern "C" fn setsockopt(
    _: U,
    fd: c_int,
    level: c_int,
    name: c_int,
    value: *const c_void,
    len: socklen_t,
) -> c_int {
    // SAFETY: see the module.
    let bytes = unsafe { memory::bytes(value, len as usize) };
    let word = |at: usize| -> Option<i32> {
        Some(i32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
    };
    let (level, name) = (i64::from(level), i64::from(name));
    told(inner(fd).and_then(|fd| {
        let value = match (word(0), word(4), bytes.len()) {
            (Some(on), Some(seconds), 8) if (level, name) == (SOL_SOCKET, SO_LINGER) => {
                let seconds = Duration::from_secs(seconds.unsigned_abs().into());
                Value::Linger((on != 0).then_some(seconds))
            }
            (Some(n), _, 4) => Value::Number(n.into()),
            _ => {
                let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
                Value::Bytes(bytes[..end].to_vec())
            }
        };
        number(Request::SetOption { fd, level, name, value })
    }))
}

/// A time in milliseconds; `None` for ever.
fn timeout(millis: c_int) -> Option<Duration> {
    u64::try_from(millis).ok().map(Duration::from_millis)
}

pub(crate) unsafe extern "C" fn poll(
    _: U,
    fds: *mut pollfd,
    count: nfds_t,
    millis: c_int,
) -> c_int {
    // SAFETY: see the module.
    let fds = unsafe { memory::things(fds, count as usize) };
    let wanted = fds.iter().map(|item| (inner(item.fd).unwrap_or(-1), i64::from(item.events)));
    let request = Request::Poll { wanted: wanted.collect(), timeout: timeout(millis) };
    told(ask(request).map(|reply| {
        let Reply::Events(found) = reply else { return 0 };
        for (item, events) in fds.iter_mut().zip(&found) {
            item.revents = *events as i16;
        }
        found.iter().filter(|events| **events != 0).count() as i64
    }))
}

pub(crate) unsafe extern "C" fn netdev_send(_: U, packet: *const c_void, len: usize) -> c_int {
    // SAFETY: see the module.
    host::send(unsafe { memory::bytes(packet, len) });
    0
}

pub(crate) unsafe extern "C" fn netdev_receive(
    _: U,
    buffer: *mut c_void,
    len: *mut usize,
    at: *mut c_longlong,
) -> c_int {
    // SAFETY: see the module.
    let Some(len) = (unsafe { memory::things(len, 1) }).first_mut() else { return -1 };
    let Some(sent) = host::receive() else {
        // Nothing will come: an empty packet ends packetdrill's wait, and the script.
        *len = 0;
        return 0;
    };
    // SAFETY: see the module.
    let into = unsafe { memory::things(buffer.cast::<u8>(), sent.bytes.len().min(*len)) };
    into.copy_from_slice(&sent.bytes[..into.len()]);
    *len = into.len();
    // SAFETY: see the module.
    if let Some(at) = unsafe { memory::things(at, 1) }.first_mut() {
        *at = host::since_1970(sent.at).as_micros() as c_longlong;
    }
    0
}

pub(crate) unsafe extern "C" fn usleep(_: U, micros: useconds_t) -> c_int {
    host::sleep(Duration::from_micros(micros.into()));
    0
}

pub(crate) unsafe extern "C" fn gettimeofday(
    _: U,
    time: *mut timeval,
    _zone: *mut c_void,
) -> c_int {
    let now = host::time_of_day();
    // SAFETY: see the module.
    if let Some(time) = unsafe { memory::things(time, 1) }.first_mut() {
        time.tv_sec = now.as_secs() as libc::time_t;
        time.tv_usec = libc::suseconds_t::from(now.subsec_micros());
    }
    0
}

pub(crate) unsafe extern "C" fn epoll_create(_: U, _size: c_int) -> c_int {
    let made = number(Request::EpollCreate);
    told(made.and_then(|inner| {
        host::install(Descriptor { inner: inner as i32, v6: false }).map(i64::from)
    }))
}

pub(crate) unsafe extern "C" fn epoll_ctl(
    _: U,
    epoll: c_int,
    verb: c_int,
    fd: c_int,
    event: *mut epoll_event,
) -> c_int {
    // SAFETY: see the module.
    let event = unsafe { memory::things(event, 1) }.first().copied();
    let event = event.unwrap_or(epoll_event { events: 0, u64: 0 });
    told(inner(epoll).and_then(|epoll| {
        let watched = Watched { events: event.events.into(), data: event.u64.cast_signed() };
        number(Request::EpollCtl { epoll, verb: verb.into(), fd: inner(fd)?, watched })
    }))
}

pub(crate) unsafe extern "C" fn epoll_wait(
    _: U,
    epoll: c_int,
    events: *mut epoll_event,
    most: c_int,
    millis: c_int,
) -> c_int {
    let most = usize::try_from(most).unwrap_or(0);
    told(inner(epoll).and_then(|epoll| {
        let reply = ask(Request::EpollWait { epoll, most, timeout: timeout(millis) })?;
        let Reply::Watched(found) = reply else { return Ok(0) };
        // SAFETY: see the module.
        for (event, found) in unsafe { memory::things(events, most) }.iter_mut().zip(&found) {
            *event = epoll_event { events: found.events as u32, u64: found.data.cast_unsigned() };
        }
        Ok(found.len() as i64)
    }))
}

pub(crate) unsafe extern "C" fn pipe(_: U, _fds: *mut c_int) -> c_int {
    told(Err(Errno::EOPNOTSUPP))
}

pub(crate) unsafe extern "C" fn splice(
    _: U,
    _from: c_int,
    _from_at: *mut i64,
    _to: c_int,
    _to_at: *mut i64,
    _len: usize,
    _flags: c_uint,
) -> c_int {
    told(Err(Errno::EOPNOTSUPP))
}
