//! The plain store: connections in a slab, datagrams in queues.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::net::SocketAddr;

use handclasp_tcp::Connection;
use handclasp_tcp::connection::PathError;

use crate::forward::PendingId;
use crate::slots::Slots;
use crate::store::{ConnId, Datagram, Origin, Store, UdpId, UdpOrigin};

/// Datagrams that wait in each direction of a socket.
const QUEUE: usize = 256;

/// A [`Store`] for one thread: for simulations, tests, and programs with a loop of their own.
#[derive(Clone, Debug, Default)]
pub struct SlabStore {
    connections: Slots<Box<Held>>,
    sockets: Slots<Socket>,
    opened: VecDeque<(PendingId, ConnId)>,
    failed: VecDeque<PendingId>,
}

#[derive(Clone, Debug)]
struct Held {
    connection: Connection,
    by_host: bool,
    by_application: bool,
}

#[derive(Clone, Debug, Default)]
struct Socket {
    received: VecDeque<Datagram>,
    to_send: VecDeque<Datagram>,
    error: Option<(SocketAddr, PathError)>,
    by_host: bool,
    by_application: bool,
}

impl SlabStore {
    /// An empty store.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            connections: Slots::new(),
            sockets: Slots::new(),
            opened: VecDeque::new(),
            failed: VecDeque::new(),
        }
    }

    /// The connection with this name. After a verb that could make it send something, or set
    /// another deadline, tell its host: [`Host::touched`](crate::Host::touched).
    #[must_use]
    pub fn get(&self, id: ConnId) -> Option<&Connection> {
        self.connections.get(id.0).map(|held| &held.connection)
    }

    /// The same, to be changed.
    #[must_use]
    pub fn get_mut(&mut self, id: ConnId) -> Option<&mut Connection> {
        self.connections.get_mut(id.0).map(|held| &mut held.connection)
    }

    /// The application needs a connection no more. Close or abort it before: the host goes on
    /// with it until it is over.
    pub fn release(&mut self, id: ConnId) {
        if let Some(held) = self.connections.get_mut(id.0) {
            held.by_application = false;
            self.drop_unheld(id);
        }
    }

    fn drop_unheld(&mut self, id: ConnId) {
        if self.connections.get(id.0).is_some_and(|held| !held.by_host && !held.by_application) {
            self.connections.remove(id.0);
        }
    }

    /// How many connections are held, by the host or the application.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.connections.len()
    }

    /// Whether no connection is held.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// The next connection that came out of a pending one.
    pub fn next_opened(&mut self) -> Option<(PendingId, ConnId)> {
        self.opened.pop_front()
    }

    /// The next pending connection that was taken and came to nothing.
    pub fn next_failed(&mut self) -> Option<PendingId> {
        self.failed.pop_front()
    }

    /// The next datagram that a socket received.
    pub fn receive(&mut self, id: UdpId) -> Option<Datagram> {
        self.sockets.get_mut(id.0)?.received.pop_front()
    }

    /// Queues a datagram to be sent; false if the queue is full or the socket closed. Tell the
    /// host: [`Host::touched_udp`](crate::Host::touched_udp).
    pub fn send(&mut self, id: UdpId, datagram: Datagram) -> bool {
        let Some(socket) = self.sockets.get_mut(id.0) else { return false };
        let room = socket.by_host && socket.to_send.len() < QUEUE;
        if room {
            socket.to_send.push_back(datagram);
        }
        room
    }

    /// What last kept a datagram from getting through, and to whom; told once.
    pub fn take_error(&mut self, id: UdpId) -> Option<(SocketAddr, PathError)> {
        self.sockets.get_mut(id.0)?.error.take()
    }

    /// The application needs a socket no more.
    pub fn release_udp(&mut self, id: UdpId) {
        if let Some(socket) = self.sockets.get_mut(id.0) {
            socket.by_application = false;
            self.drop_unheld_udp(id);
        }
    }

    fn drop_unheld_udp(&mut self, id: UdpId) {
        if self.sockets.get(id.0).is_some_and(|socket| !socket.by_host && !socket.by_application) {
            self.sockets.remove(id.0);
        }
    }
}

impl Store for SlabStore {
    fn insert(&mut self, connection: Connection, origin: Origin) -> ConnId {
        let held = Held { connection, by_host: true, by_application: true };
        let id = ConnId(self.connections.insert(Box::new(held)));
        if let Origin::Pending(pending) = origin {
            self.opened.push_back((pending, id));
        }
        id
    }

    fn with<R>(&mut self, id: ConnId, work: impl FnOnce(&mut Connection) -> R) -> Option<R> {
        self.get_mut(id).map(work)
    }

    fn remove(&mut self, id: ConnId) {
        if let Some(held) = self.connections.get_mut(id.0) {
            held.by_host = false;
            self.drop_unheld(id);
        }
    }

    fn disown(&mut self, id: ConnId) {
        self.release(id);
    }

    fn pending_failed(&mut self, id: PendingId) {
        self.failed.push_back(id);
    }

    fn insert_udp(&mut self, _: UdpOrigin) -> UdpId {
        let socket = Socket { by_host: true, by_application: true, ..Socket::default() };
        UdpId(self.sockets.insert(socket))
    }

    fn deliver(&mut self, id: UdpId, datagram: Datagram) -> bool {
        let Some(socket) = self.sockets.get_mut(id.0) else { return false };
        let room = socket.received.len() < QUEUE;
        if room {
            socket.received.push_back(datagram);
        }
        room
    }

    fn next_datagram(&mut self, id: UdpId) -> Option<Datagram> {
        self.sockets.get_mut(id.0)?.to_send.pop_front()
    }

    fn udp_failed(&mut self, id: UdpId, remote: SocketAddr, why: PathError) {
        if let Some(socket) = self.sockets.get_mut(id.0) {
            socket.error = Some((remote, why));
        }
    }

    fn remove_udp(&mut self, id: UdpId) {
        if let Some(socket) = self.sockets.get_mut(id.0) {
            socket.by_host = false;
            self.drop_unheld_udp(id);
        }
    }
}
