//! System calls as values: what is asked, and what is answered.

use std::net::SocketAddr;
use std::task::Poll;
use std::time::Duration;

use handclasp_wire::time::Instant;

use super::ready::Watched;
use super::{Answer, Sockets};
use crate::linux::{Errno, SOCK_NONBLOCK};

/// The memory that a call works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buffer {
    /// Room for so many bytes; where it is written, zeros.
    Room(usize),
    /// A null pointer.
    Null,
}

/// The value of an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number of 32 bits.
    Number(i64),
    /// How long `close` waits, if at all.
    Linger(Option<Duration>),
    /// Bytes, such as a name.
    Bytes(Vec<u8>),
}

/// A system call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are named as in the system's manual")]
pub enum Request {
    /// `socket(2)`.
    Socket { family: i64, kind: i64, protocol: i64 },
    /// `bind(2)`.
    Bind { fd: i32, local: SocketAddr },
    /// `listen(2)`.
    Listen { fd: i32, backlog: i64 },
    /// `accept4(2)`.
    Accept { fd: i32, flags: i64 },
    /// `connect(2)`; to nowhere it dissolves the connection.
    Connect { fd: i32, remote: Option<SocketAddr> },
    /// `recv(2)` and its kin.
    Read { fd: i32, buffer: Buffer, flags: i64 },
    /// `send(2)` and its kin.
    Write { fd: i32, buffer: Buffer, flags: i64, to: Option<SocketAddr> },
    /// `close(2)`.
    Close { fd: i32 },
    /// `shutdown(2)`.
    Shutdown { fd: i32, how: i64 },
    /// `fcntl(fd, F_GETFL)`.
    GetFlags { fd: i32 },
    /// `fcntl(fd, F_SETFL, flags)`.
    SetFlags { fd: i32, flags: i64 },
    /// `ioctl(2)` that asks for one number.
    Ioctl { fd: i32, request: i64 },
    /// `setsockopt(2)`.
    SetOption { fd: i32, level: i64, name: i64, value: Value },
    /// `getsockopt(2)` of a number.
    GetOption { fd: i32, level: i64, name: i64 },
    /// `poll(2)`: descriptors with the events that are wanted.
    Poll { wanted: Vec<(i32, i64)>, timeout: Option<Duration> },
    /// `epoll_create(2)`.
    EpollCreate,
    /// `epoll_ctl(2)`.
    EpollCtl { epoll: i32, verb: i64, fd: i32, watched: Watched },
    /// `epoll_wait(2)`.
    EpollWait { epoll: i32, most: usize, timeout: Option<Duration> },
}

/// What a call answers where it does not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// What it returned.
    Number(i64),
    /// What it wrote through a pointer; it returned 0.
    Told(i64),
    /// The events of each descriptor of a `poll`.
    Events(Vec<i64>),
    /// The events of an `epoll_wait`.
    Watched(Vec<Watched>),
}

/// How far a call has come that blocks.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// When it began.
    pub since: Instant,
    /// Bytes that it has written.
    pub done: usize,
}

impl Progress {
    /// A call that begins now.
    #[must_use]
    pub const fn new(since: Instant) -> Self {
        Self { since, done: 0 }
    }
}

fn now<T>(result: Result<T, Errno>, value: impl FnOnce(T) -> i64) -> Answer<Reply> {
    Poll::Ready(result.map(|found| Reply::Number(value(found))))
}

fn later<T>(answer: Answer<T>, reply: impl FnOnce(T) -> Reply) -> Answer<Reply> {
    answer.map(|result| result.map(reply))
}

impl Sockets {
    /// Makes a call, or goes on with one that blocks.
    pub fn ask(&mut self, request: &Request, progress: &mut Progress) -> Answer<Reply> {
        let zero = |()| 0;
        match request {
            Request::Socket { family, kind, protocol } => {
                now(self.socket(*family, *kind, *protocol), i64::from)
            }
            Request::Bind { fd, local } => now(self.bind(*fd, *local), zero),
            Request::Listen { fd, backlog } => now(self.listen(*fd, *backlog), zero),
            Request::Accept { fd, flags } => {
                let accepted = self.accept(*fd, flags & SOCK_NONBLOCK != 0);
                later(accepted, |(child, _)| Reply::Number(child.into()))
            }
            Request::Connect { fd, remote } => {
                later(self.connect(*fd, *remote), |()| Reply::Number(0))
            }
            Request::Read { buffer: Buffer::Null, .. }
            | Request::Write { buffer: Buffer::Null, .. } => Poll::Ready(Err(Errno::EFAULT)),
            Request::Read { fd, buffer: Buffer::Room(len), flags } => {
                later(self.read(*fd, *len, *flags), |n| Reply::Number(n as i64))
            }
            Request::Write { fd, buffer: Buffer::Room(len), flags, .. } => {
                let written = self.write(*fd, *len, *flags, &mut progress.done);
                later(written, |n| Reply::Number(n as i64))
            }
            Request::Close { fd } => later(self.close(*fd), |()| Reply::Number(0)),
            Request::Shutdown { fd, how } => now(self.shutdown(*fd, *how), zero),
            Request::GetFlags { fd } => now(self.flags(*fd), |flags| flags),
            Request::SetFlags { fd, flags } => now(self.set_flags(*fd, *flags), zero),
            Request::Ioctl { fd, request } => {
                Poll::Ready(self.ioctl(*fd, *request).map(Reply::Told))
            }
            _ => self.ask_more(request, progress),
        }
    }

    /// The calls about options and readiness.
    fn ask_more(&mut self, request: &Request, progress: &Progress) -> Answer<Reply> {
        let (since, zero) = (progress.since, |()| 0);
        match request {
            Request::SetOption { fd, level, name, value } => {
                let set = match value {
                    Value::Number(value) => self.set_option(*fd, *level, *name, *value),
                    Value::Linger(linger) => self.set_linger(*fd, *linger),
                    Value::Bytes(bytes) => self.set_bytes(*fd, *level, *name, bytes),
                };
                now(set, zero)
            }
            Request::GetOption { fd, level, name } => {
                Poll::Ready(self.option(*fd, *level, *name).map(Reply::Told))
            }
            Request::Poll { wanted, timeout } => {
                later(self.poll(wanted, *timeout, since), Reply::Events)
            }
            Request::EpollCreate => Poll::Ready(Ok(Reply::Number(self.epoll_create().into()))),
            Request::EpollCtl { epoll, verb, fd, watched } => {
                now(self.epoll_ctl(*epoll, *verb, *fd, *watched), zero)
            }
            Request::EpollWait { epoll, most, timeout } => {
                later(self.epoll_wait(*epoll, *most, *timeout, since), Reply::Watched)
            }
            _ => Poll::Ready(Err(Errno::EINVAL)),
        }
    }

    /// When a call that blocks gives up by itself.
    #[must_use]
    pub fn gives_up(&self, request: &Request, progress: &Progress) -> Option<Instant> {
        match request {
            Request::Poll { timeout, .. } | Request::EpollWait { timeout, .. } => {
                timeout.map(|timeout| progress.since + timeout)
            }
            Request::Close { fd } => self.closes_at(*fd),
            _ => None,
        }
    }
}
