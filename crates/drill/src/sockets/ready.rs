//! Who could do what without waiting: `poll` and `epoll`.

use std::collections::BTreeMap;
use std::task::Poll;
use std::time::Duration;

use handclasp_tcp::State as Tcp;
use handclasp_tcp::connection::Readiness;
use handclasp_wire::time::Instant;

use super::descriptor::{Descriptor, State};
use super::{Answer, Sockets};
use crate::linux::{
    EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD, EPOLLET, EPOLLONESHOT, Errno, POLLERR, POLLHUP,
    POLLIN, POLLNVAL, POLLOUT, POLLRDHUP, POLLRDNORM, POLLWRNORM,
};

/// What is told whether it was asked for or not.
const ALWAYS: i64 = POLLERR | POLLHUP;

/// A descriptor that an epoll watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The events that are wanted, with EPOLLET and EPOLLONESHOT.
    pub events: i64,
    /// What is handed back with them.
    pub data: i64,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    watched: Watched,
    /// For edges: what was told and is still so.
    told: i64,
    /// For edges: bytes that had come when it was told.
    came: u64,
    /// One shot was fired.
    spent: bool,
}

/// An epoll descriptor.
#[derive(Debug, Default)]
pub(super) struct Epoll {
    items: BTreeMap<i32, Item>,
}

impl Sockets {
    /// The events that a descriptor has now, as `poll` tells them.
    #[must_use]
    pub fn events(&self, fd: i32) -> i64 {
        let Ok(socket) = self.socket_at(fd) else { return POLLNVAL };
        let readable = POLLIN | POLLRDNORM;
        match socket.state {
            State::Idle => POLLOUT | POLLWRNORM | POLLHUP,
            State::Listening(id) if self.host.acceptable(id) > 0 => readable,
            State::Listening(_) => 0,
            State::Connecting(id) | State::Connected(id) => {
                let Some(connection) = self.store.get(id) else { return POLLHUP };
                let ready = connection.readiness();
                let mut events = 0;
                if !connection.was_open() && connection.error().is_none() {
                    return events;
                }
                if ready.contains(Readiness::READABLE) || socket.read_shut {
                    events |= readable;
                }
                if ready.contains(Readiness::WRITABLE) || socket.write_shut {
                    events |= POLLOUT | POLLWRNORM;
                }
                let state = connection.state();
                let over = ready.contains(Readiness::OVER);
                let peer_done =
                    matches!(state, Tcp::CloseWait | Tcp::LastAck | Tcp::Closing) || over;
                if peer_done || socket.read_shut {
                    events |= readable | POLLRDHUP;
                }
                if over || socket.read_shut && socket.write_shut || peer_done && socket.write_shut {
                    events |= POLLHUP;
                }
                if connection.error().is_some() && !socket.error_told {
                    events |= POLLERR;
                }
                events
            }
        }
    }

    /// `poll(2)` that began at `since`: the events of each descriptor that has some of those
    /// wanted.
    pub fn poll(
        &self,
        wanted: &[(i32, i64)],
        timeout: Option<Duration>,
        since: Instant,
    ) -> Answer<Vec<i64>> {
        let always = ALWAYS | POLLNVAL;
        let found: Vec<i64> =
            wanted.iter().map(|(fd, events)| self.events(*fd) & (events | always)).collect();
        let expired = timeout.is_some_and(|timeout| self.now >= since + timeout);
        if expired || found.iter().any(|events| *events != 0) {
            Poll::Ready(Ok(found))
        } else {
            Poll::Pending
        }
    }

    /// `epoll_create(2)`.
    pub fn epoll_create(&mut self) -> i32 {
        self.install(Descriptor::Epoll(Epoll::default()))
    }

    fn epoll(&mut self, fd: i32) -> Result<&mut Epoll, Errno> {
        match self.descriptors.get_mut(&fd) {
            Some(Descriptor::Epoll(epoll)) => Ok(epoll),
            Some(_) => Err(Errno::EINVAL),
            None => Err(Errno::EBADF),
        }
    }

    /// `epoll_ctl(2)`.
    ///
    /// # Errors
    /// EBADF, EEXIST, ENOENT, EINVAL.
    pub fn epoll_ctl(
        &mut self,
        epoll: i32,
        verb: i64,
        fd: i32,
        watched: Watched,
    ) -> Result<(), Errno> {
        if !self.descriptors.contains_key(&fd) {
            return Err(Errno::EBADF);
        }
        let items = &mut self.epoll(epoll)?.items;
        let known = items.contains_key(&fd);
        let item = Item { watched, told: 0, came: 0, spent: false };
        match verb {
            EPOLL_CTL_ADD if known => return Err(Errno::EEXIST),
            EPOLL_CTL_MOD | EPOLL_CTL_DEL if !known => return Err(Errno::ENOENT),
            EPOLL_CTL_ADD | EPOLL_CTL_MOD => {
                items.insert(fd, item);
            }
            EPOLL_CTL_DEL => {
                items.remove(&fd);
            }
            _ => return Err(Errno::EINVAL),
        }
        Ok(())
    }

    /// `epoll_wait(2)` that began at `since`: events, each with its data.
    pub fn epoll_wait(
        &mut self,
        epoll: i32,
        most: usize,
        timeout: Option<Duration>,
        since: Instant,
    ) -> Answer<Vec<Watched>> {
        let fds: Vec<i32> = self.epoll(epoll)?.items.keys().copied().collect();
        let mut found = Vec::new();
        for fd in fds {
            let (events, came) = (self.events(fd), self.came(fd));
            let Some(item) = self.epoll(epoll)?.items.get_mut(&fd) else { continue };
            let Watched { events: wanted, data } = item.watched;
            let have = events & (wanted | ALWAYS);
            let edges = wanted & EPOLLET != 0;
            let news = have & !item.told != 0 || (have & POLLIN != 0 && came > item.came);
            if have == 0 || item.spent || edges && !news || found.len() >= most {
                continue;
            }
            (item.told, item.came) = (have, came);
            item.spent = wanted & EPOLLONESHOT != 0;
            found.push(Watched { events: have, data });
        }
        let expired = timeout.is_some_and(|timeout| self.now >= since + timeout);
        if expired || !found.is_empty() { Poll::Ready(Ok(found)) } else { Poll::Pending }
    }

    /// Bytes that came in over a descriptor's connection.
    fn came(&self, fd: i32) -> u64 {
        self.connection(fd).map_or(0, |connection| connection.statistics().bytes_in)
    }

    /// Notes which events ended, so that they are news when they come again.
    pub(super) fn watch(&mut self) {
        let mut epolls = Vec::new();
        for (number, descriptor) in &self.descriptors {
            if let Descriptor::Epoll(epoll) = descriptor {
                epolls.extend(epoll.items.keys().map(|fd| (*number, *fd, self.events(*fd))));
            }
        }
        for (number, fd, events) in epolls {
            if let Ok(epoll) = self.epoll(number)
                && let Some(item) = epoll.items.get_mut(&fd)
            {
                item.told &= events;
            }
        }
    }
}
