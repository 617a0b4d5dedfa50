//! The socket calls that scripts make, over one host in virtual time.
//!
//! [`Sockets`] is what a process sees of its kernel, as far as scripts look: descriptors, calls
//! that block, `poll` and `epoll`, options, `TCP_INFO`. A call that would block returns
//! [`Poll::Pending`](std::task::Poll) and is made again after time passed or a packet came in.
//! What is written is zeros, and what is read is counted only: a script tells lengths.

mod calls;
mod commands;
mod descriptor;
mod info;
mod options;
mod ready;
mod request;
mod stream;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::task::Poll;

use bytes::Bytes;
use handclasp_stack::{Cidr, Host, HostConfig, Interface, Route, Secret, SlabStore};
use handclasp_tcp::connection::{Error, PathError};
use handclasp_tcp::{Budget, Config, Connection, Context};
use handclasp_wire::frame::{Inbound, Medium};
use handclasp_wire::gso::split;
use handclasp_wire::time::Instant;

use crate::linux::Errno;
use crate::run::Setup;
use descriptor::{Descriptor, Socket, State};

pub use ready::Watched;
pub use request::{Buffer, Progress, Reply, Request, Value};

/// What comes of a call: pending while it blocks.
pub type Answer<T> = Poll<Result<T, Errno>>;

/// Packets of one step; more are a storm, which ends the step.
const STEP_MAX: usize = 100_000;

/// Segments leave in bursts, as Linux's do, for what depends on that: where PSH is set.
const BURST: usize = 65_535;

/// A packet that the host sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// When.
    pub at: Instant,
    /// The packet, from its IP header on.
    pub bytes: Vec<u8>,
}

/// One host and a process's descriptors on it.
pub struct Sockets {
    host: Host,
    store: SlabStore,
    budget: Budget,
    now: Instant,
    sent: VecDeque<Sent>,
    descriptors: BTreeMap<i32, Descriptor>,
    /// What new sockets start with.
    config: Config,
    missing: BTreeSet<String>,
    addresses: Vec<IpAddr>,
}

impl Sockets {
    /// A host on a link without a link header that reaches everything through it.
    #[must_use]
    pub fn new(addresses: &[Cidr], mtu: u16, config: Config, now: Instant) -> Self {
        let secret = Secret::new(*b"scripts want the same every time");
        let plain = Interface::ip(mtu);
        let interface = Interface { tx_checksum: true, burst: BURST, ..plain };
        let mut host = Host::new(HostConfig::default(), interface, &secret);
        for address in addresses {
            host.add_address(*address, now);
            let everything = Cidr::everything(address.address());
            host.add_route(Route { source: Some(address.address()), ..Route::on_link(everything) });
        }
        Self {
            host,
            store: SlabStore::new(),
            budget: Budget::default(),
            now,
            sent: VecDeque::new(),
            descriptors: BTreeMap::new(),
            config,
            missing: BTreeSet::new(),
            addresses: addresses.iter().map(Cidr::address).collect(),
        }
    }

    /// A host as `setup` says.
    #[must_use]
    pub fn for_setup(setup: &Setup, now: Instant) -> Self {
        Self::new(&setup.local_addresses(), setup.mtu, setup.config.clone(), now)
    }

    /// Gives the host another address, if it does not have it.
    pub fn add_address(&mut self, address: IpAddr) {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        if let Some(address) =
            Cidr::new(address, bits).filter(|cidr| !cidr.address().is_unspecified())
            && !self.addresses.contains(&address.address())
        {
            self.addresses.push(address.address());
            self.host.add_address(address, self.now);
        }
    }

    /// The present.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// When something will happen by itself.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.host.next_deadline().map(|at| at.max(self.now))
    }

    /// Goes on to the next deadline, or to `to` where that comes first.
    pub fn step(&mut self, to: Instant) {
        match self.next_deadline() {
            Some(at) if at <= to => {
                self.now = at;
                let cx = Context::new(self.now, &self.budget);
                self.host.deadline_passed(&mut self.store, &cx);
                self.settle();
            }
            _ => self.now = self.now.max(to),
        }
    }

    /// A packet comes in, from its IP header on.
    pub fn receive(&mut self, packet: Vec<u8>) {
        let cx = Context::new(self.now, &self.budget);
        self.host.receive(&mut self.store, &cx, Inbound::new(Bytes::from(packet)));
        self.settle();
    }

    /// The oldest packet that was sent and not taken yet.
    pub fn take_sent(&mut self) -> Option<Sent> {
        self.sent.pop_front()
    }

    /// What the calls so far asked for that this stack does not have.
    #[must_use]
    pub const fn missing(&self) -> &BTreeSet<String> {
        &self.missing
    }

    /// Lets the host send what it wants to.
    fn settle(&mut self) {
        let mut out = VecDeque::new();
        for _ in 0..STEP_MAX {
            if !self.host.wants_to_transmit() {
                break;
            }
            let cx = Context::new(self.now, &self.budget);
            self.host.poll_transmit(&mut self.store, &cx, &mut out, 64);
            for packet in out.drain(..) {
                let pieces = split(&packet, Medium::Ip);
                self.sent.extend(pieces.map(|bytes| Sent { at: self.now, bytes }));
            }
        }
        self.watch();
    }

    /// Works on a connection, and sends what comes of it.
    fn act<R>(
        &mut self,
        id: handclasp_stack::ConnId,
        work: impl FnOnce(&mut Connection, &Context<'_>) -> R,
    ) -> Option<R> {
        let cx = Context::new(self.now, &self.budget);
        let result = work(self.store.get_mut(id)?, &cx);
        self.host.touched(id);
        self.settle();
        Some(result)
    }

    fn socket_at(&self, fd: i32) -> Result<&Socket, Errno> {
        match self.descriptors.get(&fd) {
            Some(Descriptor::Socket(socket)) => Ok(socket),
            Some(_) => Err(Errno::ENOTSOCK),
            None => Err(Errno::EBADF),
        }
    }

    fn socket_at_mut(&mut self, fd: i32) -> Result<&mut Socket, Errno> {
        match self.descriptors.get_mut(&fd) {
            Some(Descriptor::Socket(socket)) => Ok(socket),
            Some(_) => Err(Errno::ENOTSOCK),
            None => Err(Errno::EBADF),
        }
    }

    /// The connection behind a descriptor, if there is one.
    #[must_use]
    pub fn connection(&self, fd: i32) -> Option<&Connection> {
        match self.socket_at(fd).ok()?.state {
            State::Connecting(id) | State::Connected(id) => self.store.get(id),
            _ => None,
        }
    }

    /// Takes the lowest number that is free, as Linux does.
    fn install(&mut self, descriptor: Descriptor) -> i32 {
        let fd = (3..).find(|fd| !self.descriptors.contains_key(fd)).unwrap_or(i32::MAX);
        self.descriptors.insert(fd, descriptor);
        fd
    }

    /// Notes that a script asked for something that there is not.
    fn lacks(&mut self, what: impl Into<String>) {
        self.missing.insert(what.into());
    }
}

/// How Linux tells why a connection failed.
const fn errno_of(error: Error) -> Errno {
    match error {
        Error::Refused => Errno::ECONNREFUSED,
        Error::Reset => Errno::ECONNRESET,
        Error::HandshakeTimedOut | Error::TimedOut | Error::KeepAliveTimedOut => Errno::ETIMEDOUT,
        Error::Unreachable(why) => match why {
            PathError::NoRoute => Errno::ENETUNREACH,
            PathError::ProtocolUnreachable => Errno::ENOPROTOOPT,
            PathError::PortUnreachable => Errno::ECONNREFUSED,
            PathError::PacketTooBig { .. } => Errno::EMSGSIZE,
            _ => Errno::EHOSTUNREACH,
        },
        Error::Aborted => Errno::ECONNABORTED,
        _ => Errno::EPIPE,
    }
}
