//! What tells one connection from another.

use std::net::SocketAddr;

use crate::capture::dissect::Segment;
use crate::capture::link::Network;

/// Both ends, the smaller address first, and the network that they are in. Connections that
/// follow one another may have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The network within the link.
    pub network: Network,
    /// The ends.
    pub ends: [SocketAddr; 2],
}

impl Key {
    /// The key of a connection between these two, and which of its ends `src` is.
    #[must_use]
    pub fn new(network: Network, src: SocketAddr, dst: SocketAddr) -> (Self, usize) {
        match src <= dst {
            true => (Self { network, ends: [src, dst] }, 0),
            false => (Self { network, ends: [dst, src] }, 1),
        }
    }

    /// The key of a segment's connection, and which of its ends sent the segment.
    #[must_use]
    pub fn of(segment: &Segment<'_>) -> (Self, usize) {
        Self::new(segment.network, segment.src, segment.dst)
    }
}
