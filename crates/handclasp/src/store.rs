//! Where the host's connections and datagram queues live: each behind a lock of its own,
//! shared with its handle.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Waker;

use handclasp_stack::forward::PendingId;
use handclasp_stack::listen::ListenerId;
use handclasp_stack::slots::Slots;
use handclasp_stack::store::{ConnId, Datagram, Origin, Store, UdpId, UdpOrigin};
use handclasp_tcp::Connection;
use handclasp_tcp::connection::PathError;
use tokio::sync::oneshot;

use crate::connection::Shared;
use crate::surroundings::Surroundings;
use crate::udp;

/// The face's store. Everything in it is behind the driver's lock; what it holds is not.
pub(crate) struct FaceStore {
    surroundings: Arc<Surroundings>,
    connections: Slots<Option<Arc<Shared>>>,
    sockets: Slots<Option<Arc<udp::Shared>>>,
    /// Tasks that wait in `accept`.
    accepting: HashMap<ListenerId, Vec<Waker>>,
    /// Tasks that wait for what the forwarder brings: pending connections, flows.
    forwarding: Vec<Waker>,
    /// Those who took a pending connection and wait for it to open.
    opening: HashMap<PendingId, oneshot::Sender<Arc<Shared>>>,
}

impl FaceStore {
    pub(crate) fn new(surroundings: Arc<Surroundings>) -> Self {
        Self {
            surroundings,
            connections: Slots::new(),
            sockets: Slots::new(),
            accepting: HashMap::new(),
            forwarding: Vec::new(),
            opening: HashMap::new(),
        }
    }

    pub(crate) fn connection(&self, id: ConnId) -> Option<&Arc<Shared>> {
        self.connections.get(id.0)?.as_ref()
    }

    pub(crate) fn connections(&self) -> impl Iterator<Item = &Arc<Shared>> {
        self.connections.iter().filter_map(|(_, c)| c.as_ref())
    }

    pub(crate) fn socket(&self, id: UdpId) -> Option<&Arc<udp::Shared>> {
        self.sockets.get(id.0)?.as_ref()
    }

    pub(crate) fn sockets(&self) -> impl Iterator<Item = &Arc<udp::Shared>> {
        self.sockets.iter().filter_map(|(_, s)| s.as_ref())
    }

    /// Wakes `waker` when `listener` has a connection to accept.
    pub(crate) fn wait_to_accept(&mut self, listener: ListenerId, waker: &Waker) {
        register(self.accepting.entry(listener).or_default(), waker);
    }

    /// Wakes those who wait at a listener that is going away.
    pub(crate) fn stop_accepting(&mut self, listener: ListenerId) {
        self.accepting.remove(&listener).into_iter().flatten().for_each(Waker::wake);
    }

    /// Wakes `waker` when the forwarder has something to decide on.
    pub(crate) fn wait_to_forward(&mut self, waker: &Waker) {
        register(&mut self.forwarding, waker);
    }

    /// Someone may be interested in what the forwarder got.
    pub(crate) fn wake_forwarders(&mut self) {
        self.forwarding.drain(..).for_each(Waker::wake);
    }

    /// Hands the pending connection over to the receiver's owner once it opens.
    pub(crate) fn wait_to_open(&mut self, id: PendingId) -> oneshot::Receiver<Arc<Shared>> {
        let (sender, receiver) = oneshot::channel();
        self.opening.insert(id, sender);
        receiver
    }

    /// Everything ends: wakes everyone.
    pub(crate) fn abandon(&mut self) {
        self.connections().for_each(|c| c.abandon());
        self.sockets().for_each(|s| s.abandon());
        self.accepting.drain().flat_map(|(_, w)| w).for_each(Waker::wake);
        self.wake_forwarders();
        self.opening.clear();
    }
}

/// Adds a waker unless it is there already: a task that stopped waiting and waits again takes
/// no second place.
fn register(wakers: &mut Vec<Waker>, waker: &Waker) {
    if !wakers.iter().any(|w| w.will_wake(waker)) {
        wakers.push(waker.clone());
    }
}

impl Store for FaceStore {
    fn insert(&mut self, connection: Connection, origin: Origin) -> ConnId {
        let id = ConnId(self.connections.insert(None));
        let shared = Arc::new(Shared::new(id, connection, self.surroundings.clone()));
        if let Some(place) = self.connections.get_mut(id.0) {
            *place = Some(shared.clone());
        }
        match origin {
            Origin::Active => {}
            Origin::Listener(listener) => {
                if let Some(wakers) = self.accepting.get_mut(&listener) {
                    wakers.drain(..).for_each(Waker::wake);
                }
            }
            Origin::Policy => self.wake_forwarders(),
            Origin::Pending(pending) => {
                // Where nobody waits any more, the connection has no owner: it ends.
                let taker = self.opening.remove(&pending);
                let left = match taker {
                    Some(taker) => taker.send(shared).err(),
                    None => Some(shared),
                };
                if let Some(orphan) = left {
                    orphan.act(|connection, cx| connection.abort(cx));
                }
            }
        }
        id
    }

    fn with<R>(&mut self, id: ConnId, work: impl FnOnce(&mut Connection) -> R) -> Option<R> {
        Some(self.connection(id)?.drive(work))
    }

    fn remove(&mut self, id: ConnId) {
        self.connections.remove(id.0);
    }

    fn disown(&mut self, id: ConnId) {
        if let Some(shared) = self.connection(id) {
            shared.act(|connection, cx| connection.abort(cx));
        }
    }

    fn pending(&mut self, _: PendingId) {
        self.wake_forwarders();
    }

    fn pending_failed(&mut self, id: PendingId) {
        self.opening.remove(&id);
    }

    fn insert_udp(&mut self, origin: UdpOrigin) -> UdpId {
        let id = UdpId(self.sockets.insert(None));
        let shared = Arc::new(udp::Shared::new(id, self.surroundings.clone()));
        if let Some(place) = self.sockets.get_mut(id.0) {
            *place = Some(shared);
        }
        if let UdpOrigin::Flow { .. } = origin {
            self.wake_forwarders();
        }
        id
    }

    fn deliver(&mut self, id: UdpId, datagram: Datagram) -> bool {
        self.socket(id).is_some_and(|socket| socket.deliver(datagram))
    }

    fn next_datagram(&mut self, id: UdpId) -> Option<Datagram> {
        self.socket(id)?.next_to_send()
    }

    fn udp_failed(&mut self, id: UdpId, remote: SocketAddr, why: PathError) {
        if let Some(socket) = self.socket(id) {
            socket.failed(remote, why);
        }
    }

    fn remove_udp(&mut self, id: UdpId) {
        if let Some(Some(socket)) = self.sockets.remove(id.0) {
            socket.abandon();
        }
    }
}
