//! Listeners: the SYN queue, the accept queue, and when cookies take the place of the former.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::fmt;
use core::net::SocketAddr;

use handclasp_tcp::Config;
use handclasp_tcp::tuple::Tuple;
use handclasp_wire::time::Instant;
use hashbrown::HashMap;

use crate::local::{overlap, wildcard};
use crate::secret::TableHash;
use crate::slots::{Slots, key};
use crate::store::ConnId;
use crate::tcp::cookie;

key!(
    /// A listener's name.
    ListenerId
);

/// When SYN cookies (RFC 4987 §3.6) stand in for half-open connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum CookieMode {
    /// When the SYN queue is full: a cookie costs the peer options, so that it is no way to
    /// live.
    #[default]
    Auto,
    /// For every SYN.
    Always,
    /// Never: a SYN that finds the queue full is dropped, and its sender tries again.
    Off,
}

/// How a listener takes connections in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// Connections that wait to be accepted. Where that many wait, SYNs and the last ACKs of
    /// handshakes are dropped: the peer's retransmissions try again.
    pub accept: usize,
    /// Half-open connections.
    pub syn: usize,
    /// What comes of SYNs beyond them.
    pub cookies: CookieMode,
    /// Connections that Fast Open (RFC 7413) may hand over before their handshake is done: the
    /// application gets the data of their SYNs, perhaps twice, so that this is only for requests
    /// that may be repeated (§6.1). 0 switches it off; more than that many at a time have to
    /// shake hands first (§5.1).
    pub fast_open: usize,
}

impl Default for Backlog {
    fn default() -> Self {
        Self { accept: 1024, syn: 1024, cookies: CookieMode::Auto, fast_open: 0 }
    }
}

/// Why a listener could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListenError {
    /// Another listener has the port, at this address or at all.
    InUse,
    /// The address is not one of ours.
    NotOurs,
    /// Every ephemeral port has a listener.
    NoFreePort,
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InUse => "address in use: another listener has this port",
            Self::NotOurs => "the address is none of this host's",
            Self::NoFreePort => "no ephemeral port is free",
        })
    }
}

impl core::error::Error for ListenError {}

/// A connection handed over by [`Host::accept`](crate::Host::accept).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its name in the store.
    pub id: ConnId,
    /// Its sockets.
    pub tuple: Tuple,
}

/// What to do with a SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Remember,
    Cookie,
    Drop,
}

/// How full the SYN queue is, and whether its cookies are on the way.
#[derive(Debug)]
pub(crate) struct SynQueue {
    limit: usize,
    len: usize,
    cookies: CookieMode,
    /// Until when an ACK could bring a cookie back.
    cookies_until: Instant,
}

impl SynQueue {
    pub(crate) const fn new(limit: usize, cookies: CookieMode) -> Self {
        Self { limit, len: 0, cookies, cookies_until: Instant::ZERO }
    }

    /// Changes the limit; what is in the queue stays.
    pub(crate) const fn configure(&mut self, limit: usize, cookies: CookieMode) {
        self.limit = limit;
        self.cookies = cookies;
    }

    /// Decides on a SYN. Whoever remembers it also calls [`SynQueue::entered`].
    pub(crate) fn admit(&mut self, now: Instant) -> Admission {
        let full = self.len >= self.limit;
        match self.cookies {
            CookieMode::Auto | CookieMode::Off if !full => Admission::Remember,
            CookieMode::Auto | CookieMode::Always => {
                self.cookies_until = now + cookie::LIFETIME;
                Admission::Cookie
            }
            CookieMode::Off => Admission::Drop,
        }
    }

    /// Whether an ACK that belongs to nothing may bring a cookie. Only while some are on the
    /// way: their 24 bits would otherwise be there to be guessed at all times.
    pub(crate) fn awaits_cookies(&self, now: Instant) -> bool {
        now < self.cookies_until
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) const fn entered(&mut self) {
        self.len += 1;
    }

    pub(crate) const fn left(&mut self) {
        self.len = self.len.saturating_sub(1);
    }
}

/// A passive open.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) local: SocketAddr,
    pub(crate) config: Arc<Config>,
    pub(crate) syn_queue: SynQueue,
    /// Connections whose handshake is not done though they were handed over.
    pub(crate) fast: usize,
    pub(crate) fast_limit: usize,
    accept_limit: usize,
    accepted: VecDeque<Accepted>,
}

impl Listener {
    pub(crate) fn is_full(&self) -> bool {
        self.accepted.len() >= self.accept_limit
    }

    pub(crate) fn waiting(&self) -> usize {
        self.accepted.len()
    }

    pub(crate) fn push(&mut self, accepted: Accepted) {
        self.accepted.push_back(accepted);
    }

    pub(crate) fn pop(&mut self) -> Option<Accepted> {
        self.accepted.pop_front()
    }
}

/// All listeners, by local address.
pub(crate) struct Listeners {
    slots: Slots<Listener>,
    by_local: HashMap<SocketAddr, ListenerId, TableHash>,
}

impl Listeners {
    pub(crate) fn new(hash: TableHash) -> Self {
        Self { slots: Slots::new(), by_local: HashMap::with_hasher(hash) }
    }

    /// Opens passively, unless a listener of the same family has the port at this address, or
    /// at every one, or this would be at every one.
    pub(crate) fn open(
        &mut self,
        local: SocketAddr,
        backlog: Backlog,
        config: Arc<Config>,
    ) -> Result<ListenerId, ListenError> {
        if self.by_local.keys().any(|other| overlap(*other, local)) {
            return Err(ListenError::InUse);
        }
        let id = ListenerId(self.slots.insert(Listener {
            local,
            config,
            syn_queue: SynQueue::new(backlog.syn, backlog.cookies),
            fast: 0,
            fast_limit: backlog.fast_open,
            accept_limit: backlog.accept.max(1),
            accepted: VecDeque::new(),
        }));
        self.by_local.insert(local, id);
        Ok(id)
    }

    /// The listener for what arrives at `local`: one for the address itself comes first.
    pub(crate) fn at(&self, local: SocketAddr) -> Option<ListenerId> {
        self.by_local.get(&local).or_else(|| self.by_local.get(&wildcard(local))).copied()
    }

    pub(crate) fn has_port(&self, port: u16) -> bool {
        self.by_local.keys().any(|local| local.port() == port)
    }

    pub(crate) fn get(&self, id: ListenerId) -> Option<&Listener> {
        self.slots.get(id.0)
    }

    pub(crate) fn get_mut(&mut self, id: ListenerId) -> Option<&mut Listener> {
        self.slots.get_mut(id.0)
    }

    /// A connection that was handed over early is open by now, or gone.
    pub(crate) fn fast_done(&mut self, id: ListenerId) {
        if let Some(listener) = self.get_mut(id) {
            listener.fast = listener.fast.saturating_sub(1);
        }
    }

    pub(crate) fn close(&mut self, id: ListenerId) -> Option<Listener> {
        let listener = self.slots.remove(id.0)?;
        self.by_local.remove(&listener.local);
        Some(listener)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ListenerId, &Listener)> {
        self.slots.iter().map(|(key, listener)| (ListenerId(key), listener))
    }
}

#[cfg(test)]
#[path = "listen_tests.rs"]
mod tests;
