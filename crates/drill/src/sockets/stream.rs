//! Calls that move data.

use std::task::Poll;

use handclasp_tcp::connection::Error;

use super::descriptor::State;
use super::{Answer, Sockets, errno_of};
use crate::linux::{
    Errno, MSG_DONTWAIT, MSG_EOR, MSG_ERRQUEUE, MSG_FASTOPEN, MSG_MORE, MSG_OOB, MSG_PEEK,
    MSG_ZEROCOPY, POLLOUT, SIOCINQ, SIOCOUTQ, SIOCOUTQNSD,
};

/// Data goes in pieces of this size.
static ZEROS: [u8; 65_536] = [0; 65_536];

impl Sockets {
    /// `recv(2)` of up to `len` bytes: how many there were, 0 at the end of the stream.
    pub fn read(&mut self, fd: i32, len: usize, flags: i64) -> Answer<usize> {
        self.opened(fd);
        let socket = self.socket_at(fd)?;
        if flags & (MSG_ERRQUEUE | MSG_OOB) != 0 {
            self.lacks("MSG_ERRQUEUE and MSG_OOB");
            return Poll::Ready(Err(Errno::EAGAIN));
        }
        let blocks = !socket.nonblocking && flags & MSG_DONTWAIT == 0;
        let (shut, told) = (socket.read_shut, socket.error_told);
        let wait = if blocks { Poll::Pending } else { Poll::Ready(Err(Errno::EAGAIN)) };
        let id = match socket.state {
            State::Idle | State::Listening(_) => return Poll::Ready(Err(Errno::ENOTCONN)),
            State::Connecting(_) if self.failure(fd).is_none() => return wait,
            State::Connecting(id) | State::Connected(id) => id,
        };
        let peek = flags & MSG_PEEK != 0;
        let read = self.act(id, |connection, cx| {
            // Never more than there is, whatever the script asks for.
            let mut buffer = vec![0; len.min(connection.info().unread)];
            if peek { connection.peek(&mut buffer) } else { connection.read(cx, &mut buffer) }
        });
        match read {
            Some(Ok(Some(n))) => Poll::Ready(Ok(n)),
            Some(Ok(None)) if shut => Poll::Ready(Ok(0)),
            Some(Ok(None)) => wait,
            None => Poll::Ready(Ok(0)),
            // Why is told once; then it is the end of the stream.
            Some(Err(_)) if told => Poll::Ready(Ok(0)),
            Some(Err(error)) => {
                self.socket_at_mut(fd)?.error_told = true;
                Poll::Ready(Err(errno_of(error)))
            }
        }
    }

    /// `send(2)` of `len` zeros, of which `done` were taken by this call before: how many were
    /// taken in all. A socket that blocks takes them all.
    pub fn write(&mut self, fd: i32, len: usize, flags: i64, done: &mut usize) -> Answer<usize> {
        self.opened(fd);
        if *done > 0 && self.events(fd) & POLLOUT == 0 {
            // A writer that waits is woken when it is worth it.
            return Poll::Pending;
        }
        for (flag, name) in
            [(MSG_FASTOPEN, "MSG_FASTOPEN"), (MSG_ZEROCOPY, "MSG_ZEROCOPY"), (MSG_OOB, "MSG_OOB")]
        {
            if flags & flag != 0 {
                self.lacks(name);
            }
        }
        let socket = self.socket_at(fd)?;
        let blocks = !socket.nonblocking && flags & MSG_DONTWAIT == 0;
        let id = match socket.state {
            State::Idle | State::Listening(_) => return Poll::Ready(Err(Errno::EPIPE)),
            State::Connecting(_) if self.failure(fd).is_none() => {
                return if blocks { Poll::Pending } else { Poll::Ready(Err(Errno::EAGAIN)) };
            }
            State::Connecting(id) | State::Connected(id) => id,
        };
        let (told, shut) = (socket.error_told, socket.write_shut);
        if shut {
            return Poll::Ready(Err(Errno::EPIPE));
        }
        let start = *done;
        let end = loop {
            // What was taken leaves as far as it may, before there is more.
            let taken = self.act(id, |connection, cx| {
                let piece = (len - *done).min(ZEROS.len());
                let n = connection.write(cx, &ZEROS[..piece])?;
                *done += n;
                if flags & MSG_MORE != 0 {
                    connection.more_follows();
                }
                if flags & MSG_EOR != 0 && *done == len {
                    connection.end_record();
                }
                Ok(n)
            });
            match taken {
                Some(Ok(0)) => break Some(Ok(())),
                Some(Ok(_)) if *done == len => break Some(Ok(())),
                Some(Ok(_)) => {}
                Some(Err(error)) => break Some(Err(error)),
                None => break None,
            }
        };
        match end {
            Some(Err(_)) if *done > start => Poll::Ready(Ok(*done)),
            Some(Err(error)) => {
                self.socket_at_mut(fd)?.error_told = true;
                let gone = told || error == Error::Closed;
                Poll::Ready(Err(if gone { Errno::EPIPE } else { errno_of(error) }))
            }
            None => Poll::Ready(Err(Errno::EPIPE)),
            Some(Ok(())) if *done == len => Poll::Ready(Ok(len)),
            Some(Ok(())) if blocks => Poll::Pending,
            Some(Ok(())) if *done == 0 => Poll::Ready(Err(Errno::EAGAIN)),
            Some(Ok(())) => Poll::Ready(Ok(*done)),
        }
    }

    /// Why a descriptor's connection failed.
    pub(super) fn failure(&self, fd: i32) -> Option<Error> {
        self.connection(fd)?.error()
    }

    /// `ioctl(2)` that asks for one number.
    ///
    /// # Errors
    /// EBADF, EINVAL for what is not known.
    pub fn ioctl(&mut self, fd: i32, request: i64) -> Result<i64, Errno> {
        self.socket_at(fd)?;
        if matches!(self.socket_at(fd)?.state, State::Listening(_)) {
            return Err(Errno::EINVAL);
        }
        let info = self.connection(fd).map(handclasp_tcp::Connection::info);
        let Some(info) = info else { return Ok(0) };
        match request {
            SIOCINQ => Ok(info.unread as i64),
            SIOCOUTQ => Ok(i64::from(info.in_flight) + i64::from(info.unsent)),
            SIOCOUTQNSD => Ok(i64::from(info.unsent)),
            _ => Err(Errno::EINVAL),
        }
    }
}
