//! Calls that make, name, open and close sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use handclasp_stack::listen::{Accepted, Backlog, ListenError};
use handclasp_stack::open::ConnectError;
use handclasp_tcp::Context;
use handclasp_tcp::connection::Readiness;

use super::descriptor::{Descriptor, Socket, State};
use super::{Answer, Sockets, errno_of};
use crate::linux::{
    AF_INET, AF_INET6, Errno, IPPROTO_IP, IPPROTO_TCP, O_NONBLOCK, O_RDWR, SHUT_RD, SHUT_RDWR,
    SHUT_WR, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM,
};

impl Sockets {
    /// `socket(2)`: TCP only.
    ///
    /// # Errors
    /// EAFNOSUPPORT, EPROTONOSUPPORT or EINVAL for other families, protocols or types.
    pub fn socket(&mut self, family: i64, kind: i64, protocol: i64) -> Result<i32, Errno> {
        if ![AF_INET, AF_INET6].contains(&family) {
            return Err(Errno::EAFNOSUPPORT);
        }
        if kind & !(SOCK_NONBLOCK | SOCK_CLOEXEC) != SOCK_STREAM {
            self.lacks("sockets other than SOCK_STREAM");
            return Err(Errno::EINVAL);
        }
        if ![IPPROTO_IP, IPPROTO_TCP].contains(&protocol) {
            return Err(Errno::EPROTONOSUPPORT);
        }
        let socket = Socket::new(self.config.clone(), kind & SOCK_NONBLOCK != 0);
        Ok(self.install(Descriptor::Socket(Box::new(socket))))
    }

    /// `bind(2)`.
    ///
    /// # Errors
    /// EBADF, or EINVAL where it is bound already.
    pub fn bind(&mut self, fd: i32, local: SocketAddr) -> Result<(), Errno> {
        let socket = self.socket_at_mut(fd)?;
        if socket.local.is_some() || socket.state != State::Idle {
            return Err(Errno::EINVAL);
        }
        socket.local = Some(local);
        Ok(())
    }

    /// `listen(2)`. A backlog of n lets n + 1 connections wait, as Linux does.
    ///
    /// # Errors
    /// EBADF, EINVAL for a connected socket, EADDRINUSE, EADDRNOTAVAIL.
    pub fn listen(&mut self, fd: i32, backlog: i64) -> Result<(), Errno> {
        let socket = self.socket_at(fd)?;
        match socket.state {
            State::Idle => {}
            State::Listening(_) => return Ok(()),
            State::Connecting(_) | State::Connected(_) => return Err(Errno::EINVAL),
        }
        let config = Arc::new(socket.config.clone());
        let local = socket.local.unwrap_or_else(|| SocketAddr::from(([0; 4], 0)));
        let waiting = usize::try_from(backlog).unwrap_or(0).min(4096) + 1;
        let backlog = Backlog { accept: waiting, syn: waiting.max(8), ..Backlog::default() };
        let id = self.host.listen(local, backlog, config).map_err(|error| match error {
            ListenError::NotOurs => Errno::EADDRNOTAVAIL,
            _ => Errno::EADDRINUSE,
        })?;
        self.socket_at_mut(fd)?.state = State::Listening(id);
        Ok(())
    }

    /// `accept4(2)`: the new descriptor and the peer.
    pub fn accept(&mut self, fd: i32, nonblocking: bool) -> Answer<(i32, SocketAddr)> {
        let socket = self.socket_at(fd)?;
        let State::Listening(listener) = socket.state else {
            return Poll::Ready(Err(Errno::EINVAL));
        };
        let (blocks, config) = (!socket.nonblocking, socket.config.clone());
        let (linger, options) = (socket.linger, socket.options.clone());
        let Some(Accepted { id, tuple }) = self.host.accept(listener) else {
            return if blocks { Poll::Pending } else { Poll::Ready(Err(Errno::EAGAIN)) };
        };
        let mut child = Socket::new(config, nonblocking);
        child.state = State::Connected(id);
        child.local = Some(tuple.local());
        (child.linger, child.options) = (linger, options);
        let fd = self.install(Descriptor::Socket(Box::new(child)));
        Poll::Ready(Ok((fd, tuple.remote())))
    }

    /// `connect(2)`; `None` dissolves the connection (AF_UNSPEC).
    pub fn connect(&mut self, fd: i32, remote: Option<SocketAddr>) -> Answer<()> {
        let socket = self.socket_at(fd)?;
        let Some(remote) = remote else { return Poll::Ready(self.disconnect(fd)) };
        match socket.state {
            State::Idle => {}
            State::Connecting(_) => return self.connecting(fd),
            State::Connected(_) | State::Listening(_) => {
                return Poll::Ready(Err(Errno::EISCONN));
            }
        }
        let (config, local) = (Arc::new(socket.config.clone()), socket.local);
        let nonblocking = socket.nonblocking;
        let cx = Context::new(self.now, &self.budget);
        let begun = self.host.connect(&mut self.store, &cx, config, local, remote);
        let id = begun.map_err(|error| match error {
            ConnectError::NotUnicast | ConnectError::NoRoute => Errno::ENETUNREACH,
            ConnectError::InUse | ConnectError::NoFreePort => Errno::EADDRNOTAVAIL,
            _ => Errno::EINVAL,
        })?;
        self.settle();
        let socket = self.socket_at_mut(fd)?;
        socket.state = State::Connecting(id);
        socket.error_told = false;
        if nonblocking { Poll::Ready(Err(Errno::EINPROGRESS)) } else { Poll::Pending }
    }

    /// How a connection fares that was begun before.
    fn connecting(&mut self, fd: i32) -> Answer<()> {
        let blocks = !self.socket_at(fd)?.nonblocking;
        let Some(connection) = self.connection(fd) else {
            return Poll::Ready(Err(Errno::EBADF));
        };
        if connection.was_open() {
            self.opened(fd);
            return Poll::Ready(Ok(()));
        }
        match connection.error() {
            Some(error) => {
                let told = self.socket_at(fd)?.error_told;
                self.forget_connection(fd)?;
                let errno = if told { Errno::ECONNABORTED } else { errno_of(error) };
                Poll::Ready(Err(errno))
            }
            None if blocks => Poll::Pending,
            None => Poll::Ready(Err(Errno::EALREADY)),
        }
    }

    /// A connection that was begun is open by now, or was.
    pub(super) fn opened(&mut self, fd: i32) {
        let open = self.connection(fd).is_some_and(handclasp_tcp::Connection::was_open);
        if let Ok(socket) = self.socket_at_mut(fd)
            && let State::Connecting(id) = socket.state
            && open
        {
            socket.state = State::Connected(id);
        }
    }

    fn disconnect(&mut self, fd: i32) -> Result<(), Errno> {
        if let Some(id) = self.socket_at(fd)?.connection() {
            self.act(id, |connection, cx| connection.abort(cx));
        }
        self.forget_connection(fd)
    }

    /// The socket may be used for another connection.
    fn forget_connection(&mut self, fd: i32) -> Result<(), Errno> {
        let socket = self.socket_at_mut(fd)?;
        let id = socket.connection();
        socket.state = State::Idle;
        socket.error_told = false;
        (socket.read_shut, socket.write_shut) = (false, false);
        if let Some(id) = id {
            self.store.release(id);
        }
        Ok(())
    }

    /// `shutdown(2)`.
    ///
    /// # Errors
    /// EBADF, EINVAL, ENOTCONN.
    pub fn shutdown(&mut self, fd: i32, how: i64) -> Result<(), Errno> {
        let (reads, writes) = (how != SHUT_WR, how != SHUT_RD);
        if ![SHUT_RD, SHUT_WR, SHUT_RDWR].contains(&how) {
            return Err(Errno::EINVAL);
        }
        let socket = self.socket_at_mut(fd)?;
        let id = match socket.state {
            State::Idle => return Err(Errno::ENOTCONN),
            State::Listening(_) if !reads => return Ok(()),
            State::Listening(id) => {
                socket.state = State::Idle;
                let cx = Context::new(self.now, &self.budget);
                self.host.close_listener(&mut self.store, &cx, id);
                self.settle();
                return Ok(());
            }
            State::Connecting(id) | State::Connected(id) => id,
        };
        if self.store.get(id).is_some_and(|connection| connection.error().is_some()) {
            return Err(Errno::ENOTCONN);
        }
        let socket = self.socket_at_mut(fd)?;
        socket.read_shut |= reads;
        socket.write_shut |= writes;
        if writes {
            self.act(id, |connection, cx| connection.shutdown(cx));
        }
        Ok(())
    }

    /// `close(2)`. With a linger time it blocks until all was acknowledged.
    pub fn close(&mut self, fd: i32) -> Answer<()> {
        let Some(Descriptor::Socket(socket)) = self.descriptors.get(&fd) else {
            let known = self.descriptors.remove(&fd).is_some();
            return Poll::Ready(if known { Ok(()) } else { Err(Errno::EBADF) });
        };
        let (state, linger, blocks) = (socket.state, socket.linger, !socket.nonblocking);
        let (id, until) = match (state, socket.closing) {
            (State::Connecting(id) | State::Connected(id), until) => (id, until),
            (State::Listening(id), _) => {
                let cx = Context::new(self.now, &self.budget);
                self.host.close_listener(&mut self.store, &cx, id);
                self.settle();
                return self.closed(fd);
            }
            (State::Idle, _) => return self.closed(fd),
        };
        if until.is_none() {
            self.act(id, |connection, cx| match linger {
                Some(Duration::ZERO) => connection.abort(cx),
                _ => connection.close(cx),
            });
        }
        let wait = linger.filter(|wait| blocks && !wait.is_zero());
        let until = until.or_else(|| Some(self.now + wait?));
        let flushed = self.store.get(id).is_none_or(|connection| {
            connection.readiness().intersects(Readiness::FLUSHED | Readiness::OVER)
        });
        if let Some(until) = until
            && !flushed
            && self.now < until
        {
            self.socket_at_mut(fd)?.closing = Some(until);
            return Poll::Pending;
        }
        self.store.release(id);
        self.closed(fd)
    }

    fn closed(&mut self, fd: i32) -> Answer<()> {
        self.descriptors.remove(&fd);
        Poll::Ready(Ok(()))
    }

    /// When a `close` that blocks gives up by itself.
    pub(super) fn closes_at(&self, fd: i32) -> Option<handclasp_wire::time::Instant> {
        self.socket_at(fd).ok()?.closing
    }

    /// `fcntl(fd, F_GETFL)`.
    ///
    /// # Errors
    /// EBADF.
    pub fn flags(&self, fd: i32) -> Result<i64, Errno> {
        Ok(O_RDWR | if self.socket_at(fd)?.nonblocking { O_NONBLOCK } else { 0 })
    }

    /// `fcntl(fd, F_SETFL, flags)`, of which O_NONBLOCK counts.
    ///
    /// # Errors
    /// EBADF.
    pub fn set_flags(&mut self, fd: i32, flags: i64) -> Result<(), Errno> {
        self.socket_at_mut(fd)?.nonblocking = flags & O_NONBLOCK != 0;
        Ok(())
    }
}
