//! The table of calls, in the order of packetdrill's `struct packetdrill_interface`.

use std::ptr::null_mut;

use libc::{
    c_int, c_long, c_longlong, c_uint, c_ulong, c_void, epoll_event, iovec, msghdr, nfds_t, pollfd,
    sockaddr, socklen_t, ssize_t, timeval, useconds_t,
};

use crate::calls;

type U = *mut c_void;
type Fd = c_int;

/// `struct packetdrill_interface`. C's variadic functions are told here with the one argument
/// that they are called with, which on this system's calling conventions is the same.
#[repr(C)]
#[allow(missing_docs, reason = "the fields are named as in packetdrill.h")]
pub struct Interface {
    pub userdata: U,
    pub free: unsafe extern "C" fn(U),
    pub socket: unsafe extern "C" fn(U, c_int, c_int, c_int) -> c_int,
    pub bind: unsafe extern "C" fn(U, Fd, *const sockaddr, socklen_t) -> c_int,
    pub listen: unsafe extern "C" fn(U, Fd, c_int) -> c_int,
    pub accept: unsafe extern "C" fn(U, Fd, *mut sockaddr, *mut socklen_t) -> c_int,
    pub connect: unsafe extern "C" fn(U, Fd, *const sockaddr, socklen_t) -> c_int,
    pub read: unsafe extern "C" fn(U, Fd, *mut c_void, usize) -> ssize_t,
    pub readv: unsafe extern "C" fn(U, Fd, *const iovec, c_int) -> ssize_t,
    pub recv: unsafe extern "C" fn(U, Fd, *mut c_void, usize, c_int) -> ssize_t,
    pub recvfrom: unsafe extern "C" fn(
        U,
        Fd,
        *mut c_void,
        usize,
        c_int,
        *mut sockaddr,
        *mut socklen_t,
    ) -> ssize_t,
    pub recvmsg: unsafe extern "C" fn(U, Fd, *mut msghdr, c_int) -> ssize_t,
    pub write: unsafe extern "C" fn(U, Fd, *const c_void, usize) -> ssize_t,
    pub writev: unsafe extern "C" fn(U, Fd, *const iovec, c_int) -> ssize_t,
    pub send: unsafe extern "C" fn(U, Fd, *const c_void, usize, c_int) -> ssize_t,
    pub sendto: unsafe extern "C" fn(
        U,
        Fd,
        *const c_void,
        usize,
        c_int,
        *const sockaddr,
        socklen_t,
    ) -> ssize_t,
    pub sendmsg: unsafe extern "C" fn(U, Fd, *const msghdr, c_int) -> ssize_t,
    pub fcntl: unsafe extern "C" fn(U, Fd, c_int, c_long) -> c_int,
    pub ioctl: unsafe extern "C" fn(U, Fd, c_ulong, *mut c_int) -> c_int,
    pub close: unsafe extern "C" fn(U, Fd) -> c_int,
    pub shutdown: unsafe extern "C" fn(U, Fd, c_int) -> c_int,
    pub getsockopt: unsafe extern "C" fn(U, Fd, c_int, c_int, *mut c_void, *mut socklen_t) -> c_int,
    pub setsockopt: unsafe extern "C" fn(U, Fd, c_int, c_int, *const c_void, socklen_t) -> c_int,
    pub poll: unsafe extern "C" fn(U, *mut pollfd, nfds_t, c_int) -> c_int,
    pub netdev_send: unsafe extern "C" fn(U, *const c_void, usize) -> c_int,
    pub netdev_receive: unsafe extern "C" fn(U, *mut c_void, *mut usize, *mut c_longlong) -> c_int,
    pub usleep: unsafe extern "C" fn(U, useconds_t) -> c_int,
    pub gettimeofday: unsafe extern "C" fn(U, *mut timeval, *mut c_void) -> c_int,
    pub epoll_create: unsafe extern "C" fn(U, c_int) -> c_int,
    pub epoll_ctl: unsafe extern "C" fn(U, Fd, c_int, Fd, *mut epoll_event) -> c_int,
    pub epoll_wait: unsafe extern "C" fn(U, Fd, *mut epoll_event, c_int, c_int) -> c_int,
    pub pipe: unsafe extern "C" fn(U, *mut c_int) -> c_int,
    pub splice: unsafe extern "C" fn(U, Fd, *mut i64, Fd, *mut i64, usize, c_uint) -> c_int,
}

/// Our calls.
pub(crate) const INTERFACE: Interface = Interface {
    userdata: null_mut(),
    free: calls::free,
    socket: calls::socket,
    bind: calls::bind,
    listen: calls::listen,
    accept: calls::accept,
    connect: calls::connect,
    read: calls::read,
    readv: calls::readv,
    recv: calls::recv,
    recvfrom: calls::recvfrom,
    recvmsg: calls::recvmsg,
    write: calls::write,
    writev: calls::writev,
    send: calls::send,
    sendto: calls::sendto,
    sendmsg: calls::sendmsg,
    fcntl: calls::fcntl,
    ioctl: calls::ioctl,
    close: calls::close,
    shutdown: calls::shutdown,
    getsockopt: calls::getsockopt,
    setsockopt: calls::setsockopt,
    poll: calls::poll,
    netdev_send: calls::netdev_send,
    netdev_receive: calls::netdev_receive,
    usleep: calls::usleep,
    gettimeofday: calls::gettimeofday,
    epoll_create: calls::epoll_create,
    epoll_ctl: calls::epoll_ctl,
    epoll_wait: calls::epoll_wait,
    pipe: calls::pipe,
    splice: calls::splice,
};
