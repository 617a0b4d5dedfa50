//! UDP sockets: who gets which datagram, and flows that end by themselves.

use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;

use handclasp_wire::time::Instant;
use hashbrown::HashMap;

use crate::forward::{Flow, ForwardConfig};
use crate::host::Host;
use crate::local::{overlap, unspecified, wildcard};
use crate::secret::TableHash;
use crate::store::{Store, UdpId, UdpOrigin};
use crate::timers::Timers;

/// Why a UDP socket could not be bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BindError {
    /// Another socket has the port, at this address or at all.
    InUse,
    /// The address is not one of ours.
    NotOurs,
    /// Every ephemeral port is taken.
    NoFreePort,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InUse => "address in use: another socket has this port",
            Self::NotOurs => "the address is none of this host's",
            Self::NoFreePort => "no ephemeral port is free",
        })
    }
}

impl core::error::Error for BindError {}

/// What the host knows of a socket.
#[derive(Clone, Debug)]
pub(crate) struct Socket {
    pub(crate) id: UdpId,
    pub(crate) local: SocketAddr,
    flow: Option<Life>,
    /// It stands in the queue of those that may want to send.
    pub(crate) queued: bool,
}

/// What makes a socket a flow.
#[derive(Clone, Debug)]
struct Life {
    remote: SocketAddr,
    /// How long it lives without a datagram.
    idle: Duration,
    /// When it is over.
    over: Instant,
}

/// All sockets.
#[derive(Clone)]
pub(crate) struct Sockets {
    /// By the index of their name.
    list: Vec<Option<Socket>>,
    bound: HashMap<SocketAddr, UdpId, TableHash>,
    /// By our side and the peer's.
    flows: HashMap<(SocketAddr, SocketAddr), UdpId, TableHash>,
    timers: Timers,
}

impl Sockets {
    pub(crate) fn new(hash: TableHash) -> Self {
        Self {
            list: Vec::new(),
            bound: HashMap::with_hasher(hash.clone()),
            flows: HashMap::with_hasher(hash),
            timers: Timers::new(),
        }
    }

    pub(crate) fn is_free(&self, local: SocketAddr) -> bool {
        !self.bound.keys().any(|other| overlap(*other, local))
    }

    pub(crate) fn bind(&mut self, id: UdpId, local: SocketAddr) {
        self.bound.insert(local, id);
        self.add(Socket { id, local, flow: None, queued: false });
    }

    pub(crate) fn begin(
        &mut self,
        id: UdpId,
        local: SocketAddr,
        remote: SocketAddr,
        idle: Duration,
        now: Instant,
    ) {
        let over = now + idle;
        self.flows.insert((local, remote), id);
        self.timers.schedule(id.index(), over);
        self.add(Socket { id, local, flow: Some(Life { remote, idle, over }), queued: false });
    }

    fn add(&mut self, socket: Socket) {
        let index = socket.id.index();
        if index >= self.list.len() {
            self.list.resize_with(index + 1, || None);
        }
        self.list[index] = Some(socket);
    }

    /// The socket for what comes from `remote` to `local`: a flow of the two, one bound to the
    /// address, one bound to all.
    pub(crate) fn find(&self, local: SocketAddr, remote: SocketAddr) -> Option<UdpId> {
        let flow = self.flows.get(&(local, remote));
        let bound = || self.bound.get(&local).or_else(|| self.bound.get(&wildcard(local)));
        flow.or_else(bound).copied()
    }

    pub(crate) fn get(&self, id: UdpId) -> Option<&Socket> {
        self.list.get(id.index())?.as_ref().filter(|socket| socket.id == id)
    }

    pub(crate) fn get_mut(&mut self, id: UdpId) -> Option<&mut Socket> {
        self.list.get_mut(id.index())?.as_mut().filter(|socket| socket.id == id)
    }

    /// Something passed through a socket: if it is a flow, it lives on.
    pub(crate) fn used(&mut self, id: UdpId, now: Instant) {
        if let Some(Socket { flow: Some(life), .. }) = self.get_mut(id) {
            life.over = now + life.idle;
        }
    }

    pub(crate) fn remove(&mut self, id: UdpId) -> bool {
        let Some(place) = self.list.get_mut(id.index()) else { return false };
        let Some(socket) = place.take_if(|socket| socket.id == id) else { return false };
        match socket.flow {
            None => self.bound.remove(&socket.local),
            Some(life) => self.flows.remove(&(socket.local, life.remote)),
        };
        self.timers.cancel(id.index());
        true
    }

    pub(crate) fn flows(&self) -> usize {
        self.flows.len()
    }

    /// The flow that is nearest to its end, as far as is known without looking at all.
    pub(crate) fn oldest_flow(&mut self) -> Option<UdpId> {
        let index = self.timers.pop()?;
        Some(self.list.get(index)?.as_ref()?.id)
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// A flow whose time is over.
    pub(crate) fn next_over(&mut self, now: Instant) -> Option<UdpId> {
        while let Some(index) = self.timers.pop_due(now) {
            if let Some(Some(Socket { id, flow: Some(life), .. })) = self.list.get(index) {
                if life.over <= now {
                    return Some(*id);
                }
                self.timers.schedule(index, life.over);
            }
        }
        None
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Socket> {
        self.list.iter().flatten()
    }
}

impl Socket {
    pub(crate) fn remote(&self) -> Option<SocketAddr> {
        self.flow.as_ref().map(|life| life.remote)
    }
}

impl Host {
    /// Binds a UDP socket to `local`: an unspecified address stands for all of ours in its
    /// family, port 0 for one that the host chooses.
    ///
    /// Broadcasts, and what is sent to all hosts, come to every socket that has the port.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind_udp<S: Store>(
        &mut self,
        store: &mut S,
        local: SocketAddr,
    ) -> Result<UdpId, BindError> {
        let any = unspecified(local.ip());
        if local.ip() != any && !self.ip.addresses.is_own(local.ip()) {
            return Err(BindError::NotOurs);
        }
        let mut local = local;
        if local.port() == 0 {
            let is_free = |host: &Self, port| {
                let free = host.udp.is_free(SocketAddr::new(local.ip(), port));
                free && !host.config.reserved_ports.contains(&port)
            };
            let port = self.choose_port(local.ip(), SocketAddr::new(any, 0), is_free);
            local.set_port(port.ok_or(BindError::NoFreePort)?);
        }
        if !self.udp.is_free(local) {
            return Err(BindError::InUse);
        }
        let id = store.insert_udp(UdpOrigin::Bound(local));
        self.udp.bind(id, local);
        Ok(id)
    }

    /// Where a UDP socket is bound; `None` if it is closed.
    #[must_use]
    pub fn bound_to(&self, id: UdpId) -> Option<SocketAddr> {
        self.udp.get(id).map(|socket| socket.local)
    }

    /// All UDP sockets: where they are, and for flows the peer.
    pub fn udp_sockets(&self) -> impl Iterator<Item = (UdpId, SocketAddr, Option<SocketAddr>)> {
        self.udp.iter().map(|socket| (socket.id, socket.local, socket.remote()))
    }

    /// Closes a UDP socket, or ends a flow. What it still had to send is sent.
    pub fn close_udp<S: Store>(&mut self, store: &mut S, id: UdpId, now: Instant) {
        while let Some(datagram) = store.next_datagram(id) {
            // Nobody is left to be told of a failure.
            let _ = self.send_datagram(id, datagram, now);
        }
        if self.udp.remove(id) {
            store.remove_udp(id);
        }
    }

    /// Begins a flow for what comes from `remote` to `local`, if the forwarder takes UDP.
    pub(crate) fn begin_flow<S: Store>(
        &mut self,
        store: &mut S,
        local: SocketAddr,
        remote: SocketAddr,
        now: Instant,
    ) -> Option<UdpId> {
        let ForwardConfig { udp, flows, flow_idle, .. } = self.forward.config;
        if !self.forward.is_active() || !udp || flows == 0 {
            return None;
        }
        if self.udp.flows() >= flows
            && let Some(oldest) = self.udp.oldest_flow()
        {
            self.udp.remove(oldest);
            store.remove_udp(oldest);
        }
        let id = store.insert_udp(UdpOrigin::Flow { local, remote });
        self.udp.begin(id, local, remote, flow_idle, now);
        let untold = &mut self.forward.new_flows;
        if untold.len() >= flows {
            // An application that never looks must not let them pile up.
            untold.retain(|flow| self.udp.get(flow.id).is_some());
        }
        untold.push_back(Flow { id, source: remote, destination: local });
        Some(id)
    }
}

#[cfg(test)]
#[path = "udp_tests.rs"]
mod tests;
