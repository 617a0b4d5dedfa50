//! Where connections and datagrams live: with whoever runs the host.

use core::net::SocketAddr;

use bytes::Bytes;
use handclasp_tcp::Connection;
use handclasp_tcp::connection::PathError;

use crate::forward::PendingId;
use crate::listen::ListenerId;
use crate::slots::key;

key!(
    /// A connection's name, given by its [`Store`].
    ConnId
);
key!(
    /// A UDP socket's name, given by its [`Store`].
    UdpId
);

/// How a connection came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// We opened it.
    Active,
    /// A listener's peer did; [`Host::accept`](crate::Host::accept) will name it.
    Listener(ListenerId),
    /// It was pending at the forwarder, and the application took it.
    Pending(PendingId),
    /// The forwarder's policy took it;
    /// [`Host::accept_forwarded`](crate::Host::accept_forwarded) will name it.
    Policy,
}

/// How a UDP socket came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UdpOrigin {
    /// The application bound it to this address.
    Bound(SocketAddr),
    /// A peer sent something through the forwarder, and this socket is for all it sends from
    /// there to there; [`Host::next_flow`](crate::Host::next_flow) will name it.
    Flow {
        /// Whom the peer wanted to reach: what is sent comes from here.
        local: SocketAddr,
        /// The peer: what is sent goes there.
        remote: SocketAddr,
    },
}

/// A datagram, received or to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Our address and port: where it arrived, or where it is to come from. An unspecified
    /// address leaves the choice to the host.
    pub local: SocketAddr,
    /// The peer's address and port.
    pub remote: SocketAddr,
    /// What it carries: 65,507 bytes at most, 65,527 over IPv6. What the path does not carry
    /// whole goes in fragments.
    pub payload: Bytes,
}

/// Keeps connections and datagram queues for a [`Host`](crate::Host), which only routes.
///
/// A face with threads gives every connection a lock of its own and wakes tasks from within
/// [`Store::with`] when its readiness changed; a simulation takes [`SlabStore`].
///
/// Keys must be dense (a host keeps tables by their index) and not come back, so that
/// something late never reaches what took the place of what it was for.
///
/// [`SlabStore`]: crate::SlabStore
pub trait Store {
    /// Takes a new connection in. Two hold on to it: the host, until [`Store::remove`], and
    /// the application, if it takes it.
    fn insert(&mut self, connection: Connection, origin: Origin) -> ConnId;

    /// Works on a connection; `None` if there is none with this name.
    fn with<R>(&mut self, id: ConnId, work: impl FnOnce(&mut Connection) -> R) -> Option<R>;

    /// The host lets go of a connection: it is over. The application may still read what it
    /// received and why it ended.
    fn remove(&mut self, id: ConnId);

    /// The application will never take this connection: its listener closed.
    fn disown(&mut self, id: ConnId);

    /// A connection waits for the application's decision at the forwarder:
    /// [`Host::next_pending`](crate::Host::next_pending) will name it.
    fn pending(&mut self, id: PendingId) {
        let _ = id;
    }

    /// What the application took from the forwarder came to nothing: the peer withdrew, or
    /// never answered the SYN-ACK. No connection follows.
    fn pending_failed(&mut self, id: PendingId);

    /// Takes a new UDP socket in.
    fn insert_udp(&mut self, origin: UdpOrigin) -> UdpId;

    /// A datagram for a socket. Returns false if its queue is full.
    fn deliver(&mut self, id: UdpId, datagram: Datagram) -> bool;

    /// The next datagram that a socket wants sent.
    fn next_datagram(&mut self, id: UdpId) -> Option<Datagram>;

    /// A datagram of this socket did not reach `remote`.
    fn udp_failed(&mut self, id: UdpId, remote: SocketAddr, why: PathError);

    /// The host lets go of a socket: it was closed, or a flow was idle for too long. The
    /// application may still read what it received.
    fn remove_udp(&mut self, id: UdpId);
}
