//! The connection under test, and how its numbers stand to those of the script.

use std::collections::HashMap;
use std::net::SocketAddr;

/// A pair of sockets, and what the script's numbers are counted from.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub(super) remote: SocketAddr,
    /// The port is 0 until the host has chosen it.
    pub(super) local: SocketAddr,
    /// The initial sequence number that the script gave the peer.
    pub(super) remote_isn: u32,
    /// A SYN that came in while the connection was open, and may begin another.
    pub(super) late_syn: Option<u32>,
    /// A packet came in behind the SYN.
    pub(super) open: bool,
    /// The one that the host chose.
    pub(super) local_isn: Option<u32>,
    /// What the script calls a timestamp, and what it really was.
    pub(super) timestamps: HashMap<u32, u32>,
}

impl Flow {
    pub(super) fn new(local: SocketAddr, remote: SocketAddr) -> Self {
        Self {
            remote,
            local,
            remote_isn: 0,
            late_syn: None,
            open: false,
            local_isn: None,
            timestamps: HashMap::new(),
        }
    }

    /// Whether a packet between these is one of it.
    pub(super) fn is_between(&self, local: SocketAddr, remote: SocketAddr) -> bool {
        let port = [0, local.port()].contains(&self.local.port());
        self.remote == remote && self.local.ip() == local.ip() && port
    }

    /// The host's initial sequence number; 0 while nobody knows it.
    pub(super) fn local_base(&self) -> u32 {
        self.local_isn.unwrap_or(0)
    }
}

/// The place and length of each option in a header's bytes, by kind.
pub(super) fn options(bytes: &[u8]) -> Vec<(u8, std::ops::Range<usize>)> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(kind) = bytes.get(at).copied() {
        let len = match kind {
            0 | 1 => 1,
            _ => usize::from(bytes.get(at + 1).copied().unwrap_or(0)).max(2),
        };
        let end = (at + len).min(bytes.len());
        found.push((kind, at..end));
        at = end;
    }
    found
}

/// Adds `shift` to every number of four bytes.
pub(super) fn shift(bytes: &mut [u8], shift: u32) {
    for number in bytes.as_chunks_mut::<4>().0 {
        *number = u32::from_be_bytes(*number).wrapping_add(shift).to_be_bytes();
    }
}
