//! Opening connections: actively, and by listening.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use handclasp_tcp::opening::Opening;
use handclasp_tcp::state::Cause;
use handclasp_tcp::{Config, Connection, Context, Tuple};
use handclasp_wire::ip::is_unicast;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::time::Instant;

use crate::host::Host;
use crate::listen::{Accepted, Backlog, ListenError, Listener, ListenerId};
use crate::local::unspecified;
use crate::store::{ConnId, Origin, Store};
use crate::tcp::demux::Owner;
use crate::tcp::half_opens::Acceptor;

/// Why a connection could not be begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectError {
    /// The peer's address is not that of one host, or its port is 0 (RFC 9293 §3.9.2.3).
    NotUnicast,
    /// No route leads there, or the host has no address of that family.
    NoRoute,
    /// The local address is not one of ours.
    NotOurs,
    /// A connection between just these sockets exists, or did until a moment ago.
    InUse,
    /// Every ephemeral port has a connection to that socket.
    NoFreePort,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotUnicast => "the address is not that of one host, or the port is 0",
            Self::NoRoute => "no route to the peer",
            Self::NotOurs => "the local address is none of this host's",
            Self::InUse => "a connection between these sockets exists",
            Self::NoFreePort => "every ephemeral port has a connection to that socket",
        })
    }
}

impl core::error::Error for ConnectError {}

impl Host {
    /// Opens a connection to `remote` (RFC 9293 §3.10.1): its SYN is ready to be sent.
    ///
    /// `local` says where from; an unspecified address and port 0 leave the choice to the
    /// host, as `None` does. A four-tuple in TIME-WAIT is taken over where timestamps keep
    /// its old segments apart (RFC 6191 §2).
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub fn connect<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        config: Arc<Config>,
        local: Option<SocketAddr>,
        remote: SocketAddr,
    ) -> Result<ConnId, ConnectError> {
        let (tuple, opening) = self.prepare(cx, local, remote)?;
        let connection = Connection::connect(config.clone(), tuple, opening, cx);
        Ok(self.begin(store, connection, config))
    }

    /// Opens a connection to `remote` with Fast Open (RFC 7413): takes from `first` what may
    /// leave with the SYN, or wait for the handshake where the server gave no cookie yet. It
    /// may get that data twice (§6.1).
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub fn connect_fast<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        config: Arc<Config>,
        local: Option<SocketAddr>,
        remote: SocketAddr,
        first: &mut Bytes,
    ) -> Result<ConnId, ConnectError> {
        let (tuple, opening) = self.prepare(cx, local, remote)?;
        let known = self.tcp.fast_servers.known(tuple.local_ip, tuple.remote_ip, cx.now);
        let mut connection = match known {
            Some(known) => Connection::connect_fast(config.clone(), tuple, opening, known, cx),
            None => Connection::connect(config.clone(), tuple, opening, cx),
        };
        // A connection that has just begun takes data, as far as it has room.
        let _ = connection.write_bytes(cx, first);
        Ok(self.begin(store, connection, config))
    }

    fn prepare(
        &mut self,
        cx: &Context<'_>,
        local: Option<SocketAddr>,
        remote: SocketAddr,
    ) -> Result<(Tuple, Opening), ConnectError> {
        let peer = remote.ip();
        if !is_unicast(peer) || self.ip.addresses.is_broadcast(peer) || remote.port() == 0 {
            return Err(ConnectError::NotUnicast);
        }
        let source = self.ip.source_for(peer).ok_or(ConnectError::NoRoute)?;
        let local = local.unwrap_or(SocketAddr::new(unspecified(peer), 0));
        let local_ip = if local.ip().is_unspecified() { source } else { local.ip() };
        if !self.ip.addresses.is_own(local_ip) || local_ip.is_ipv4() != peer.is_ipv4() {
            return Err(ConnectError::NotOurs);
        }
        let tuple = self.choose_tuple(SocketAddr::new(local_ip, local.port()), remote, cx.now)?;
        let after = self.take_over(cx, &tuple)?;
        let opening = self.opening(&tuple, after, cx.now);
        Ok((tuple, opening))
    }

    fn begin<S: Store>(
        &mut self,
        store: &mut S,
        connection: Connection,
        config: Arc<Config>,
    ) -> ConnId {
        let tuple = *connection.tuple();
        let id = store.insert(connection, Origin::Active);
        self.tcp.adopt(id, tuple, config, self.ip.path_mtu(tuple.remote_ip));
        self.touched(id);
        self.counters.tcp_active_opens += 1;
        id
    }

    fn choose_tuple(
        &mut self,
        local: SocketAddr,
        remote: SocketAddr,
        now: Instant,
    ) -> Result<Tuple, ConnectError> {
        if local.port() != 0 {
            return Ok(Tuple::new(local, remote));
        }
        let chosen = self.choose_port(local.ip(), remote, |host, port| {
            let tuple = Tuple::new(SocketAddr::new(local.ip(), port), remote);
            host.is_ephemeral(port) && host.reusable(&tuple, now).is_ok()
        });
        let port = chosen.ok_or(ConnectError::NoFreePort)?;
        Ok(Tuple::new(SocketAddr::new(local.ip(), port), remote))
    }

    /// Whether a port may be chosen for whom it does not matter.
    fn is_ephemeral(&self, port: u16) -> bool {
        !self.config.reserved_ports.contains(&port) && !self.tcp.listeners.has_port(port)
    }

    /// Beyond which number a new connection with this four-tuple must start, if any.
    ///
    /// # Errors
    /// Another connection has it, or had it too short a time ago.
    fn reusable(&self, tuple: &Tuple, now: Instant) -> Result<Option<SeqNumber>, ConnectError> {
        let slot = match self.tcp.demux.get(tuple) {
            None => return Ok(None),
            Some(Owner::TimeWait(slot)) => slot,
            Some(_) => return Err(ConnectError::InUse),
        };
        let entry = self.tcp.time_waits.get(slot).ok_or(ConnectError::InUse)?;
        let after = entry.wait.reusable(&entry.config, now).ok_or(ConnectError::InUse)?;
        Ok(Some(after))
    }

    /// Frees a reusable four-tuple; says beyond which number to start.
    fn take_over(
        &mut self,
        cx: &Context<'_>,
        tuple: &Tuple,
    ) -> Result<Option<SeqNumber>, ConnectError> {
        let after = self.reusable(tuple, cx.now)?;
        if let Some(Owner::TimeWait(slot)) = self.tcp.demux.get(tuple) {
            self.tcp.remove_time_wait(cx, slot, Cause::Abort);
            self.counters.tcp_ext_tw_recycled += 1;
        }
        Ok(after)
    }

    /// What a connection starts from; beyond `after`, if this is a four-tuple's next life.
    pub(crate) fn opening(&self, tuple: &Tuple, after: Option<SeqNumber>, now: Instant) -> Opening {
        let starts = &self.tcp.starts;
        Opening {
            iss: match after {
                None => starts.sequence(tuple, now),
                Some(after) => starts.sequence_after(tuple, after, now),
            },
            timestamp_offset: starts.timestamp_offset(tuple),
            path_mtu: self.ip.path_mtu(tuple.remote_ip),
            link_mtu: self.ip.interface.mtu,
        }
    }

    /// Listens at `local` (RFC 9293 §3.10.1). An unspecified address stands for all of ours in
    /// its family; port 0 for one that the host chooses, see [`Host::listening_at`]. What is
    /// accepted has the settings `config`.
    ///
    /// Connections at that port, whatever their state, are left alone (RFC 9293 §3.9.1.1).
    ///
    /// # Errors
    /// See [`ListenError`].
    pub fn listen(
        &mut self,
        local: SocketAddr,
        backlog: Backlog,
        config: Arc<Config>,
    ) -> Result<ListenerId, ListenError> {
        if !local.ip().is_unspecified() && !self.ip.addresses.is_own(local.ip()) {
            return Err(ListenError::NotOurs);
        }
        let mut local = local;
        if local.port() == 0 {
            let nobody = SocketAddr::new(unspecified(local.ip()), 0);
            let port = self.choose_port(local.ip(), nobody, |host, port| host.is_ephemeral(port));
            local.set_port(port.ok_or(ListenError::NoFreePort)?);
        }
        self.tcp.listeners.open(local, backlog, config)
    }

    /// A port of the ephemeral range that `is_free`.
    pub(crate) fn choose_port(
        &mut self,
        local: IpAddr,
        remote: SocketAddr,
        is_free: impl Fn(&Self, u16) -> bool,
    ) -> Option<u16> {
        let (ports, step) = self.tcp.ports.candidates(local, remote);
        let (tried, port) = ports.enumerate().find(|(_, port)| is_free(self, *port))?;
        self.tcp.ports.chosen(step, tried);
        Some(port)
    }

    /// Where a listener listens; `None` if it is closed.
    #[must_use]
    pub fn listening_at(&self, id: ListenerId) -> Option<SocketAddr> {
        self.tcp.listeners.get(id).map(|listener| listener.local)
    }

    /// All listeners.
    pub fn listeners(&self) -> impl Iterator<Item = (ListenerId, SocketAddr)> {
        self.tcp.listeners.iter().map(|(id, listener)| (id, listener.local))
    }

    /// The next connection that was opened to a listener. It may be over already.
    pub fn accept(&mut self, id: ListenerId) -> Option<Accepted> {
        self.tcp.listeners.get_mut(id)?.pop()
    }

    /// Connections whose SYN comes from now on have the settings `config`.
    pub fn set_listener_config(&mut self, id: ListenerId, config: Arc<Config>) {
        if let Some(listener) = self.tcp.listeners.get_mut(id) {
            listener.config = config;
        }
    }

    /// How many connections wait to be accepted; 0 if the listener is closed.
    #[must_use]
    pub fn acceptable(&self, id: ListenerId) -> usize {
        self.tcp.listeners.get(id).map_or(0, Listener::waiting)
    }

    /// Stops listening. Half-open connections are forgotten; those that nobody accepted are
    /// aborted with a RST.
    pub fn close_listener<S: Store>(&mut self, store: &mut S, cx: &Context<'_>, id: ListenerId) {
        let Some(mut listener) = self.tcp.listeners.close(id) else { return };
        let half_open: Vec<u32> = self.tcp.half_opens.of(Acceptor::Listener(id)).collect();
        for slot in half_open {
            if let Some(entry) = self.tcp.remove_half_open(slot) {
                entry.half.over(&entry.tuple, cx, Cause::Abort);
            }
        }
        while let Some(Accepted { id, .. }) = listener.pop() {
            store.with(id, |connection| connection.abort(cx));
            store.disown(id);
            self.touched(id);
        }
    }
}
