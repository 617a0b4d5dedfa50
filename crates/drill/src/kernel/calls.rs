//! Requests as system calls of this machine.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use handclasp_lab::socket::{self, Queue};
use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, epoll, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::net::{
    AddressFamily, Protocol, RecvFlags, SendFlags, Shutdown, SocketFlags, SocketType, accept_with,
    bind, connect, connect_unspec, listen, recv, send, sendto, shutdown, socket_with,
};

use crate::linux::{
    AF_INET6, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD, Errno, SHUT_RD, SHUT_WR, SIOCINQ,
    SIOCOUTQ, SIOCOUTQNSD, SO_LINGER, SOCK_CLOEXEC, SOCK_NONBLOCK, SOL_SOCKET,
};
use crate::sockets::{Buffer, Reply, Request, Value, Watched};

/// The options of a socket that tell its family.
const SO_DOMAIN: i32 = 39;

/// A script's descriptors that are open, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Descriptors {
    open: Mutex<HashMap<i32, Arc<OwnedFd>>>,
}

type Result<T> = std::result::Result<T, Errno>;

fn errno(error: impl Into<io::Error>) -> Errno {
    Errno(error.into().raw_os_error().unwrap_or(Errno::EIO.0))
}

impl Descriptors {
    pub(super) fn get(&self, fd: i32) -> Result<Arc<OwnedFd>> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(&fd).cloned().ok_or(Errno::EBADF)
    }

    fn keep(&self, fd: OwnedFd) -> Reply {
        let number = fd.as_raw_fd();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(number, Arc::new(fd));
        Reply::Number(number.into())
    }

    /// Shuts all sockets down, which wakes who blocks on one.
    pub(super) fn shut_all(&self) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for fd in open.values() {
            // What is not connected is not waited for.
            let _ = shutdown(&**fd, Shutdown::Both);
        }
    }

    /// Makes a call.
    pub(super) fn perform(&self, request: &Request) -> Result<Reply> {
        let done = |()| Reply::Number(0);
        match request {
            Request::Socket { family, kind, protocol } => self.socket(*family, *kind, *protocol),
            Request::Bind { fd, local } => {
                let fd = self.get(*fd)?;
                reuse(&fd);
                bind(&*fd, &address_for(&fd, *local)).map_err(errno).map(done)
            }
            Request::Listen { fd, backlog } => {
                listen(&*self.get(*fd)?, *backlog as i32).map_err(errno).map(done)
            }
            Request::Accept { fd, flags } => {
                let flags = SocketFlags::from_bits_retain(*flags as u32) | SocketFlags::CLOEXEC;
                Ok(self.keep(accept_with(&*self.get(*fd)?, flags).map_err(errno)?))
            }
            Request::Connect { fd, remote: None } => {
                connect_unspec(&*self.get(*fd)?).map_err(errno).map(done)
            }
            Request::Connect { fd, remote: Some(remote) } => {
                let fd = self.get(*fd)?;
                connect(&*fd, &address_for(&fd, *remote)).map_err(errno).map(done)
            }
            Request::Read { fd, buffer, flags } => self.read(*fd, *buffer, *flags),
            Request::Write { fd, buffer, flags, to } => self.write(*fd, *buffer, *flags, *to),
            Request::Close { fd } => self.close(*fd).map(done),
            Request::Shutdown { fd, how } => {
                let how = match *how {
                    SHUT_RD => Shutdown::Read,
                    SHUT_WR => Shutdown::Write,
                    _ => Shutdown::Both,
                };
                shutdown(&*self.get(*fd)?, how).map_err(errno).map(done)
            }
            _ => self.perform_more(request),
        }
    }

    /// The calls about options and readiness.
    fn perform_more(&self, request: &Request) -> Result<Reply> {
        match request {
            Request::GetFlags { fd } => {
                let flags = fcntl_getfl(&*self.get(*fd)?).map_err(errno)?;
                Ok(Reply::Number(flags.bits().into()))
            }
            Request::SetFlags { fd, flags } => {
                let flags = OFlags::from_bits_retain(*flags as u32);
                fcntl_setfl(&*self.get(*fd)?, flags).map_err(errno).map(|()| Reply::Number(0))
            }
            Request::Ioctl { fd, request } => {
                let queue = match *request {
                    SIOCINQ => Queue::Unread,
                    SIOCOUTQ => Queue::Unacknowledged,
                    SIOCOUTQNSD => Queue::Unsent,
                    _ => return Err(Errno::EINVAL),
                };
                let fd = self.get(*fd)?;
                Ok(Reply::Told(socket::queued(fd.as_fd(), queue).map_err(errno)?.into()))
            }
            Request::SetOption { fd, level, name, value } => {
                self.set_option(*fd, *level, *name, value)
            }
            Request::GetOption { fd, level, name } => self.option(*fd, *level, *name),
            Request::Poll { wanted, timeout } => self.poll(wanted, *timeout),
            Request::EpollCreate => {
                Ok(self.keep(epoll::create(epoll::CreateFlags::CLOEXEC).map_err(errno)?))
            }
            Request::EpollCtl { epoll, verb, fd, watched } => {
                self.epoll_ctl(*epoll, *verb, *fd, *watched)
            }
            Request::EpollWait { epoll, most, timeout } => self.epoll_wait(*epoll, *most, *timeout),
            _ => Err(Errno::EINVAL),
        }
    }

    fn socket(&self, family: i64, kind: i64, protocol: i64) -> Result<Reply> {
        let plain = kind & !(SOCK_NONBLOCK | SOCK_CLOEXEC);
        let flags = SocketFlags::from_bits_retain((kind & !plain) as u32) | SocketFlags::CLOEXEC;
        let protocol = u32::try_from(protocol).ok().and_then(core::num::NonZeroU32::new);
        let fd = socket_with(
            AddressFamily::from_raw(family as u16),
            SocketType::from_raw(plain as u32),
            flags,
            protocol.map(Protocol::from_raw),
        );
        Ok(self.keep(fd.map_err(errno)?))
    }

    fn read(&self, fd: i32, buffer: Buffer, flags: i64) -> Result<Reply> {
        let fd = self.get(fd)?;
        let n = match buffer {
            Buffer::Null => socket::transfer_nowhere(fd.as_fd(), 1, false).map_err(errno)?,
            Buffer::Room(len) => {
                let mut bytes = Vec::with_capacity(len);
                let flags = RecvFlags::from_bits_retain(flags as u32);
                let spare = spare_capacity(&mut bytes);
                recv(&*fd, spare, flags).map_err(errno)?.0
            }
        };
        Ok(Reply::Number(n as i64))
    }

    fn write(&self, fd: i32, buffer: Buffer, flags: i64, to: Option<SocketAddr>) -> Result<Reply> {
        let fd = self.get(fd)?;
        let flags = SendFlags::from_bits_retain(flags as u32) | SendFlags::NOSIGNAL;
        let n = match (buffer, to) {
            (Buffer::Null, _) => socket::transfer_nowhere(fd.as_fd(), 1, true).map_err(errno)?,
            (Buffer::Room(len), Some(to)) => {
                sendto(&*fd, &vec![0; len], flags, &address_for(&fd, to)).map_err(errno)?
            }
            (Buffer::Room(len), None) => send(&*fd, &vec![0; len], flags).map_err(errno)?,
        };
        Ok(Reply::Number(n as i64))
    }

    /// The last who holds a descriptor closes it, which may block.
    fn close(&self, fd: i32) -> Result<()> {
        let removed = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.remove(&fd)
        };
        removed.map(drop).ok_or(Errno::EBADF)
    }

    fn set_option(&self, fd: i32, level: i64, name: i64, value: &Value) -> Result<Reply> {
        let bytes = match value {
            Value::Number(n) => (*n as i32).to_ne_bytes().to_vec(),
            Value::Bytes(bytes) => bytes.clone(),
            Value::Linger(linger) => {
                let seconds = linger.map_or(0, |linger| linger.as_secs() as i32);
                let on = i32::from(linger.is_some());
                [on.to_ne_bytes(), seconds.to_ne_bytes()].concat()
            }
        };
        let fd = self.get(fd)?;
        socket::set_option(fd.as_fd(), level as i32, name as i32, &bytes).map_err(errno)?;
        Ok(Reply::Number(0))
    }

    fn option(&self, fd: i32, level: i64, name: i64) -> Result<Reply> {
        let mut bytes = [0; 8];
        let fd = self.get(fd)?;
        let len = socket::option(fd.as_fd(), level as i32, name as i32, &mut bytes);
        len.map_err(errno)?;
        let [a, b, c, d, linger @ ..] = bytes;
        let number = if (level, name) == (SOL_SOCKET, SO_LINGER) { linger } else { [a, b, c, d] };
        Ok(Reply::Told(i32::from_ne_bytes(number).into()))
    }

    fn poll(&self, wanted: &[(i32, i64)], timeout: Option<Duration>) -> Result<Reply> {
        let held = wanted.iter().map(|(fd, _)| self.get(*fd)).collect::<Result<Vec<_>>>()?;
        let events = wanted.iter().map(|(_, events)| PollFlags::from_bits_retain(*events as u16));
        let mut fds: Vec<_> =
            held.iter().zip(events).map(|(fd, events)| PollFd::new(&**fd, events)).collect();
        poll(&mut fds, timespec(timeout).as_ref()).map_err(errno)?;
        Ok(Reply::Events(fds.iter().map(|fd| fd.revents().bits().into()).collect()))
    }

    fn epoll_ctl(&self, epoll: i32, verb: i64, fd: i32, watched: Watched) -> Result<Reply> {
        let (epoll, fd) = (self.get(epoll)?, self.get(fd)?);
        let data = epoll::EventData::new_u64(watched.data.cast_unsigned());
        let events = epoll::EventFlags::from_bits_retain(watched.events as u32);
        let done = match verb {
            EPOLL_CTL_ADD => epoll::add(&*epoll, &*fd, data, events),
            EPOLL_CTL_MOD => epoll::modify(&*epoll, &*fd, data, events),
            EPOLL_CTL_DEL => epoll::delete(&*epoll, &*fd),
            _ => return Err(Errno::EINVAL),
        };
        done.map_err(errno).map(|()| Reply::Number(0))
    }

    fn epoll_wait(&self, epoll: i32, most: usize, timeout: Option<Duration>) -> Result<Reply> {
        let epoll = self.get(epoll)?;
        let mut events = Vec::with_capacity(most.clamp(1, 1024));
        let timeout = timespec(timeout);
        epoll::wait(&*epoll, spare_capacity(&mut events), timeout.as_ref()).map_err(errno)?;
        let found = events.iter().map(|event| {
            let (flags, data) = (event.flags, event.data);
            Watched { events: flags.bits().into(), data: data.u64().cast_signed() }
        });
        Ok(Reply::Watched(found.collect()))
    }
}

/// Lets a port be bound again, as packetdrill does.
fn reuse(fd: &OwnedFd) {
    // Where it is refused, `bind` will say what is wrong.
    let _ = rustix::net::sockopt::set_socket_reuseaddr(fd, true);
}

/// An address as a socket's family has it.
fn address_for(fd: &OwnedFd, address: SocketAddr) -> SocketAddr {
    let mut family = [0; 4];
    let told = socket::option(fd.as_fd(), SOL_SOCKET as i32, SO_DOMAIN, &mut family);
    let is_v6 = told.is_ok() && i64::from(i32::from_ne_bytes(family)) == AF_INET6;
    match address.ip() {
        IpAddr::V4(v4) if is_v6 => {
            let mapped: Ipv6Addr = v4.to_ipv6_mapped();
            SocketAddr::new(mapped.into(), address.port())
        }
        _ => address,
    }
}

fn timespec(timeout: Option<Duration>) -> Option<Timespec> {
    let timeout = timeout?;
    Some(Timespec { tv_sec: timeout.as_secs() as i64, tv_nsec: i64::from(timeout.subsec_nanos()) })
}
