//! A host: one interface, its addresses, and everything that listens or is connected there.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::ops::RangeInclusive;

use handclasp_tcp::Context;
use handclasp_tcp::tuple::Tuple;
use handclasp_wire::ethernet::MacAddr;
use handclasp_wire::time::Instant;

use crate::counters::Counters;
use crate::discard::Observer;
use crate::forward::Forward;
use crate::interface::Interface;
use crate::ip::Ip;
use crate::ip::cidr::Cidr;
use crate::ip::reassembly::Limits;
use crate::ip::route::Route;
use crate::rate::Rate;
use crate::secret::Secret;
use crate::store::{ConnId, Store, UdpId};
use crate::tcp::Tcp;
use crate::tcp::demux::Owner;
use crate::udp::Sockets;

/// Settings of a host. Those of its connections come with each of them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HostConfig {
    /// Where ephemeral ports are chosen from. RFC 6056 §3.2 wants all from 1024 on; the range
    /// that IANA calls dynamic begins at 49,152.
    pub ephemeral_ports: RangeInclusive<u16>,
    /// Ports of the range that are never chosen. Those of listeners never are either.
    pub reserved_ports: Vec<u16>,
    /// Connections in TIME-WAIT; those nearest to its end make room for more.
    pub time_wait_max: usize,
    /// RSTs per second for segments that belong to no connection.
    pub resets_per_second: u32,
    /// ICMP errors per second (RFC 1812 §4.3.2.8, RFC 4443 §2.4 (f)).
    pub icmp_errors_per_second: u32,
    /// Answers that may wait for the device; more are not given.
    pub replies_max: usize,
    /// Limits of the memory for fragments.
    pub reassembly: Limits,
}

impl Default for HostConfig {
    fn default() -> Self {
        Self {
            ephemeral_ports: 1024..=65_535,
            reserved_ports: Vec::new(),
            time_wait_max: 65_536,
            resets_per_second: 10_000,
            icmp_errors_per_second: 1000,
            replies_max: 1024,
            reassembly: Limits::default(),
        }
    }
}

/// Who may have something to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    Connection(ConnId),
    Udp(UdpId),
}

/// Whom a four-tuple belongs to, as [`Host::connections`] tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A connection; its store knows its state.
    Connection(ConnId),
    /// A half-open connection: SYN-RECEIVED.
    HalfOpen,
    /// What is left of a connection: TIME-WAIT.
    TimeWait,
    /// A SYN that waits for the forwarder's decision.
    Pending,
}

/// How many entries a host's tables have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableSizes {
    /// Four-tuples taken: all of the following, and what waits at the forwarder.
    pub tuples: usize,
    /// Connections.
    pub connections: usize,
    /// Half-open connections.
    pub half_open: usize,
    /// Connections in TIME-WAIT.
    pub time_wait: usize,
    /// Packets of which fragments are missing.
    pub reassembly: usize,
    /// Neighbours, known or asked for.
    pub neighbours: usize,
    /// UDP flows of the forwarder.
    pub flows: usize,
}

/// One host, without I/O: packets go in, packets come out, and time passes when it is told.
///
/// Its connections and datagrams live in a [`Store`], which is handed into every verb that
/// touches them, like the [`Context`] with the time. After a verb, ask
/// [`Host::poll_transmit`] for packets and [`Host::next_deadline`] for when to call again.
pub struct Host {
    pub(crate) config: HostConfig,
    pub(crate) ip: Ip,
    pub(crate) tcp: Tcp,
    pub(crate) udp: Sockets,
    pub(crate) forward: Forward,
    /// Those who may have something to send, each at most once, served in turn.
    pub(crate) ready: VecDeque<Sender>,
    pub(crate) icmp_errors: Rate,
    pub(crate) counters: Counters,
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

impl Host {
    /// A host without addresses.
    #[must_use]
    pub fn new(config: HostConfig, interface: Interface, secret: &Secret) -> Self {
        Self {
            ip: Ip::new(interface, config.reassembly, secret),
            tcp: Tcp::new(&config, secret),
            udp: Sockets::new(secret.table_hash()),
            forward: Forward::new(),
            ready: VecDeque::new(),
            icmp_errors: Rate::new(config.icmp_errors_per_second),
            counters: Counters::default(),
            observer: None,
            config,
        }
    }

    /// Adds an address, or changes its prefix length, and announces it on an Ethernet link. Its
    /// network gets a route, unless it has one.
    pub fn add_address(&mut self, address: Cidr, now: Instant) {
        self.remove_address(address.address());
        self.ip.addresses.add(address);
        if self.ip.routes.get(&address).is_none() {
            self.ip
                .routes
                .add(Route { source: Some(address.address()), ..Route::on_link(address) });
        }
        self.ip.announce(address.address(), now);
    }

    /// Removes an address, and its network's route if that was for it; another address of the
    /// same network takes its place there. Returns false if it was not there.
    ///
    /// Connections from it stay, since an address that moves may come back; until it does
    /// they hear nothing, and time out as if the link were cut.
    pub fn remove_address(&mut self, address: IpAddr) -> bool {
        let Some(removed) = self.ip.addresses.remove(address) else { return false };
        let route = self.ip.routes.get(&removed);
        if route.is_some_and(|route| route.source == Some(address)) {
            self.ip.routes.remove(&removed);
            let sibling = self.ip.addresses.iter().find(|own| own.same_network(&removed));
            if let Some(own) = sibling.copied() {
                let source = Some(own.address());
                self.ip.routes.add(Route { source, ..Route::on_link(own) });
            }
        }
        true
    }

    /// The host's addresses, each with its network.
    pub fn addresses(&self) -> impl Iterator<Item = &Cidr> {
        self.ip.addresses.iter()
    }

    /// Adds a route, in place of one to the same network.
    pub fn add_route(&mut self, route: Route) {
        self.ip.routes.add(route);
    }

    /// Removes the route to a network, and returns it.
    pub fn remove_route(&mut self, destination: &Cidr) -> Option<Route> {
        self.ip.routes.remove(destination)
    }

    /// The routes, the longest prefix first.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.ip.routes.iter()
    }

    /// The neighbours whose hardware addresses are known.
    pub fn neighbours(&self) -> impl Iterator<Item = (IpAddr, MacAddr)> {
        self.ip.neighbours.iter()
    }

    /// The interface.
    #[must_use]
    pub const fn interface(&self) -> &Interface {
        &self.ip.interface
    }

    /// The link's MTU is `mtu` bytes from now on; connections adapt.
    pub fn set_mtu<S: Store>(&mut self, store: &mut S, cx: &Context<'_>, mtu: u16) {
        self.ip.interface.mtu = mtu;
        self.apply_path_mtus(store, cx);
    }

    /// Tells every connection what its path carries, where that changed.
    pub(crate) fn apply_path_mtus<S: Store>(&mut self, store: &mut S, cx: &Context<'_>) {
        for flow in self.tcp.flows.iter_mut() {
            let mtu = self.ip.path_mtu(flow.tuple.remote_ip);
            if mtu != flow.path_mtu {
                flow.path_mtu = mtu;
                store.with(flow.id, |connection| connection.set_path_mtu(cx, mtu));
                if !core::mem::replace(&mut flow.queued, true) {
                    self.ready.push_back(Sender::Connection(flow.id));
                }
            }
        }
    }

    /// Who is to be told of packets that are dropped.
    pub fn set_observer(&mut self, observer: Option<Arc<dyn Observer>>) {
        self.observer = observer;
    }

    /// What happened, counted.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// All four-tuples that are taken, in no particular order.
    pub fn connections(&self) -> impl Iterator<Item = (Tuple, Holder)> {
        self.tcp.demux.iter().map(|(tuple, owner)| {
            let holder = match owner {
                Owner::Connection(id) => Holder::Connection(*id),
                Owner::HalfOpen(_) => Holder::HalfOpen,
                Owner::TimeWait(_) => Holder::TimeWait,
                Owner::Pending(_) => Holder::Pending,
            };
            (*tuple, holder)
        })
    }

    /// How many entries the tables have.
    #[must_use]
    pub fn table_sizes(&self) -> TableSizes {
        TableSizes {
            tuples: self.tcp.demux.len(),
            connections: self.tcp.flows.len(),
            half_open: self.tcp.half_opens.len(),
            time_wait: self.tcp.time_waits.len(),
            reassembly: self.ip.reassembly.len(),
            neighbours: self.ip.neighbours.len(),
            flows: self.udp.flows(),
        }
    }

    /// An application called a verb on its connection: it may have something to send, or
    /// another deadline.
    pub fn touched(&mut self, id: ConnId) {
        if let Some(flow) = self.tcp.flows.get_mut(id)
            && !core::mem::replace(&mut flow.queued, true)
        {
            self.ready.push_back(Sender::Connection(id));
        }
    }

    /// An application gave its UDP socket something to send.
    pub fn touched_udp(&mut self, id: UdpId) {
        if let Some(socket) = self.udp.get_mut(id)
            && !core::mem::replace(&mut socket.queued, true)
        {
            self.ready.push_back(Sender::Udp(id));
        }
    }

    /// Whether [`Host::poll_transmit`] may have something to give.
    #[must_use]
    pub fn wants_to_transmit(&self) -> bool {
        let ip = &self.ip;
        !(self.ready.is_empty() && ip.outbox.is_empty() && ip.loopback.is_empty())
    }

    /// When to call [`Host::deadline_passed`], and [`Host::poll_transmit`] after it, if at all.
    /// It may be past already.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        if !self.ip.loopback.is_empty() {
            return Some(Instant::ZERO);
        }
        [
            self.tcp.flows.next_deadline(),
            self.tcp.half_opens.next_deadline(),
            self.tcp.time_waits.next_deadline(),
            self.ip.neighbours.next_deadline(),
            self.ip.reassembly.next_deadline(),
            self.ip.path_mtus.next_deadline(),
            self.udp.next_deadline(),
            self.forward.next_deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Whether an answer may be put into the outbox: a flood of questions must not fill
    /// memory with answers.
    pub(crate) fn may_reply(&self) -> bool {
        self.ip.outbox.len() < self.config.replies_max
    }
}
