//! The four-tuple that names a connection.

use core::fmt;
use core::net::{IpAddr, SocketAddr};

/// Both sockets of a connection, as its owner sees them (RFC 9293 §3.3.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tuple {
    /// Our address.
    pub local_ip: IpAddr,
    /// The peer's address, of the same family.
    pub remote_ip: IpAddr,
    /// Our port.
    pub local_port: u16,
    /// The peer's port.
    pub remote_port: u16,
}

impl Tuple {
    /// The tuple of these two sockets.
    #[must_use]
    pub const fn new(local: SocketAddr, remote: SocketAddr) -> Self {
        Self {
            local_ip: local.ip(),
            remote_ip: remote.ip(),
            local_port: local.port(),
            remote_port: remote.port(),
        }
    }

    /// Our socket.
    #[must_use]
    pub const fn local(&self) -> SocketAddr {
        SocketAddr::new(self.local_ip, self.local_port)
    }

    /// The peer's socket.
    #[must_use]
    pub const fn remote(&self) -> SocketAddr {
        SocketAddr::new(self.remote_ip, self.remote_port)
    }

    /// The same connection as the peer sees it.
    #[must_use]
    pub const fn reversed(&self) -> Self {
        Self::new(self.remote(), self.local())
    }

    /// Bytes of an IP header without options for this family: 20 or 40.
    #[must_use]
    pub const fn ip_header_len(&self) -> u16 {
        if self.local_ip.is_ipv4() { 20 } else { 40 }
    }
}

impl fmt::Display for Tuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ⇄ {}", self.local(), self.remote())
    }
}

impl fmt::Debug for Tuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
