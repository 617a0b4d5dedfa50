//! A connection told packet by packet: the rows of a ladder, and what each means.
//!
//! A [`tale::Tale`] makes rows of segments that a [`flow`](crate::flow) has judged, be they out
//! of a capture or seen live by a [`Flow`] of this module, which adds what only who is there can
//! know: what became of a packet on its way, and states that an end was asked for.

mod flow;
pub mod note;
pub mod row;
pub mod summary;
pub mod tale;

use std::net::SocketAddr;

use handclasp_wire::frame::Medium;
use handclasp_wire::packet::{self, Transport};
use handclasp_wire::tcp::Header;
use handclasp_wire::time::Instant;

pub use flow::Flow;

/// An end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The one that sent the first SYN.
    Client,
    /// The other.
    Server,
}

impl Side {
    /// The other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// Something that each end has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize)]
pub struct Both<T> {
    /// The client's.
    pub client: T,
    /// The server's.
    pub server: T,
}

impl<T> std::ops::Index<Side> for Both<T> {
    type Output = T;

    fn index(&self, side: Side) -> &T {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }
}

impl<T> std::ops::IndexMut<Side> for Both<T> {
    fn index_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}

/// What became of a packet behind the point where it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// It reached the other end, as far as is known.
    #[default]
    Arrived,
    /// It is known to have been lost.
    Lost,
    /// It is known to have been damaged: its checksum fails, and nobody takes it.
    Damaged,
    /// It is known to be a copy that the link made.
    Copied,
}

impl Fate {
    /// Whether the other end gets to read it.
    #[must_use]
    pub const fn arrives(self) -> bool {
        matches!(self, Self::Arrived | Self::Copied)
    }
}

/// A TCP segment as it was seen.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// When.
    pub at: Instant,
    /// From where.
    pub src: SocketAddr,
    /// To where.
    pub dst: SocketAddr,
    /// Its header.
    pub header: &'a Header,
    /// Bytes of payload.
    pub len: usize,
    /// The payload, or as much of its beginning as there is.
    pub payload: &'a [u8],
    /// What became of it.
    pub fate: Fate,
}

/// The sockets and the TCP header in a packet of `medium`, and where its payload is; `None` if
/// it is not a whole TCP packet.
#[must_use]
pub fn dissect(medium: Medium, bytes: &[u8]) -> Option<(SocketAddr, SocketAddr, Header, &[u8])> {
    let packet = packet::Packet::parse(medium, bytes).ok()?;
    let (src, dst) = packet.addresses()?;
    let Transport::Tcp(tcp) = packet.transport else { return None };
    let (src, dst) = (SocketAddr::new(src, tcp.src_port()), SocketAddr::new(dst, tcp.dst_port()));
    Some((src, dst, tcp.to_header(), tcp.payload()))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
