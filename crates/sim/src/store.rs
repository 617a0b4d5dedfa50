//! A store that remembers whose programs have something to look at.

use std::net::SocketAddr;

use handclasp_stack::SlabStore;
use handclasp_stack::forward::PendingId;
use handclasp_stack::listen::ListenerId;
use handclasp_stack::store::{ConnId, Datagram, Origin, Store, UdpId, UdpOrigin};
use handclasp_tcp::Connection;
use handclasp_tcp::connection::PathError;

/// What a program may want to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    Connection(ConnId),
    /// It has somebody to accept.
    Listener(ListenerId),
}

/// A [`SlabStore`] and what changed in it.
#[derive(Default)]
pub(crate) struct WatchedStore {
    pub(crate) slab: SlabStore,
    pub(crate) changed: Vec<Subject>,
    /// Segments are coming in: whatever a connection does may concern its program, though it
    /// be as ready as before.
    pub(crate) receiving: bool,
}

impl Store for WatchedStore {
    fn insert(&mut self, connection: Connection, origin: Origin) -> ConnId {
        if let Origin::Listener(listener) = origin {
            self.changed.push(Subject::Listener(listener));
        }
        self.slab.insert(connection, origin)
    }

    fn with<R>(&mut self, id: ConnId, work: impl FnOnce(&mut Connection) -> R) -> Option<R> {
        let connection = self.slab.get_mut(id)?;
        let before = connection.readiness();
        let result = work(connection);
        if self.receiving || connection.readiness() != before {
            self.changed.push(Subject::Connection(id));
        }
        Some(result)
    }

    fn remove(&mut self, id: ConnId) {
        self.slab.remove(id);
    }

    fn disown(&mut self, id: ConnId) {
        self.slab.disown(id);
    }

    fn pending_failed(&mut self, id: PendingId) {
        self.slab.pending_failed(id);
    }

    fn insert_udp(&mut self, origin: UdpOrigin) -> UdpId {
        self.slab.insert_udp(origin)
    }

    fn deliver(&mut self, id: UdpId, datagram: Datagram) -> bool {
        self.slab.deliver(id, datagram)
    }

    fn next_datagram(&mut self, id: UdpId) -> Option<Datagram> {
        self.slab.next_datagram(id)
    }

    fn udp_failed(&mut self, id: UdpId, remote: SocketAddr, why: PathError) {
        self.slab.udp_failed(id, remote, why);
    }

    fn remove_udp(&mut self, id: UdpId) {
        self.slab.remove_udp(id);
    }
}
