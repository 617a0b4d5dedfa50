//! Packets put together again from fragments (RFC 791 §3.2, RFC 8200 §4.5, RFC 5722).

use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use bytes::{Bytes, BytesMut};
use handclasp_wire::time::Instant;

/// How long the rest of a packet is waited for: Linux's 30 s for IPv4, RFC 8200's 60 for IPv6.
const IPV4_TIMEOUT: Duration = Duration::from_secs(30);
const IPV6_TIMEOUT: Duration = Duration::from_secs(60);
/// The most bytes behind an IP header.
const MAX_PAYLOAD: usize = 65_535;
/// Bytes of the first fragment that are kept to quote them if the others never come.
const QUOTE: usize = 128;

/// How much memory strangers' fragments may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in all.
    pub bytes: usize,
    /// Bytes from one source.
    pub bytes_per_source: usize,
    /// Incomplete packets.
    pub packets: usize,
    /// Fragments of one packet.
    pub fragments: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 4 << 20, bytes_per_source: 512 << 10, packets: 128, fragments: 128 }
    }
}

/// What tells which fragments belong together. Of IPv6's, the protocol does not (RFC 8200
/// §4.5): it is zero here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) src: IpAddr,
    pub(crate) dst: IpAddr,
    pub(crate) protocol: u8,
    pub(crate) identification: u32,
}

/// One fragment.
pub(crate) struct Fragment<'a> {
    pub(crate) key: Key,
    /// What the packet carries, according to this fragment.
    pub(crate) protocol: u8,
    /// Where `data` belongs, in bytes.
    pub(crate) offset: u16,
    pub(crate) more: bool,
    pub(crate) data: &'a [u8],
}

/// Why a fragment was dropped, and mostly the whole packet with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It overlaps another: an attack, and never of use (RFC 5722).
    Overlap,
    /// Its end, its length or its packet's length is impossible.
    Malformed,
    /// It would take more memory, or be one of more fragments, than the [`Limits`] allow.
    NoRoom,
}

/// A packet whose fragments have all come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Whole {
    pub(crate) protocol: u8,
    pub(crate) payload: Bytes,
}

/// A packet whose fragments did not all come in time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Expired {
    pub(crate) src: IpAddr,
    pub(crate) dst: IpAddr,
    /// What the packet carries, and the start of its first fragment, if that came: its sender
    /// is to be told then (RFC 1122 §3.3.2, RFC 8200 §4.5).
    pub(crate) first: Option<(u8, Bytes)>,
}

/// The incomplete packets, in the order in which their first fragments came.
#[derive(Clone, Debug)]
pub(crate) struct Reassembly {
    limits: Limits,
    packets: Vec<Partial>,
}

#[derive(Clone, Debug)]
struct Partial {
    key: Key,
    deadline: Instant,
    /// By offset, without overlaps.
    pieces: Vec<(usize, Bytes)>,
    /// Bytes behind the IP header, once the last fragment has told.
    total: Option<usize>,
    /// What the first fragment says that it carries.
    protocol: Option<u8>,
    quote: Bytes,
    /// A fragment was refused: the others are to be dropped, too, as they come.
    spoilt: bool,
}

impl Reassembly {
    pub(crate) const fn new(limits: Limits) -> Self {
        Self { limits, packets: Vec::new() }
    }

    /// Takes a fragment, which came in `packet`, and gives the whole if it was the last one
    /// missing.
    pub(crate) fn add(
        &mut self,
        fragment: &Fragment<'_>,
        packet: &[u8],
        now: Instant,
    ) -> Result<Option<Whole>, Refusal> {
        let at = self.partial(fragment.key, now);
        let added = self.packets[at].add(fragment, packet, self.limits.fragments);
        if added.is_err() {
            self.packets[at].spoil();
        }
        added?;
        if let Some(whole) = self.packets[at].whole() {
            self.packets.remove(at);
            return Ok(Some(whole));
        }
        self.make_room(fragment.key);
        Ok(None)
    }

    fn partial(&mut self, key: Key, now: Instant) -> usize {
        if let Some(at) = self.packets.iter().position(|partial| partial.key == key) {
            return at;
        }
        if self.packets.len() >= self.limits.packets {
            self.packets.remove(0);
        }
        let timeout = if key.src.is_ipv4() { IPV4_TIMEOUT } else { IPV6_TIMEOUT };
        self.packets.push(Partial {
            key,
            deadline: now + timeout,
            pieces: Vec::new(),
            total: None,
            protocol: None,
            quote: Bytes::new(),
            spoilt: false,
        });
        self.packets.len() - 1
    }

    /// Lets the oldest packets go until the limits hold: of this source first.
    fn make_room(&mut self, newest: Key) {
        let source = |partial: &Partial| partial.key.src == newest.src;
        while self.bytes_of(source) > self.limits.bytes_per_source {
            let Some(oldest) = self.packets.iter().position(source) else { break };
            self.packets.remove(oldest);
        }
        while self.bytes_of(|_| true) > self.limits.bytes {
            self.packets.remove(0);
        }
    }

    fn bytes_of(&self, which: impl Fn(&Partial) -> bool) -> usize {
        self.packets.iter().filter(|partial| which(partial)).map(Partial::bytes).sum()
    }

    pub(crate) const fn len(&self) -> usize {
        self.packets.len()
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.packets.iter().map(|partial| partial.deadline).min()
    }

    /// Gives up a packet whose time is over.
    pub(crate) fn pop_expired(&mut self, now: Instant) -> Option<Expired> {
        let at = self.packets.iter().position(|partial| partial.deadline <= now)?;
        let Partial { key, protocol, quote, .. } = self.packets.remove(at);
        let first = protocol.map(|protocol| (protocol, quote));
        Some(Expired { src: key.src, dst: key.dst, first })
    }
}

impl Partial {
    fn add(&mut self, fragment: &Fragment<'_>, packet: &[u8], most: usize) -> Result<(), Refusal> {
        let (start, len) = (usize::from(fragment.offset), fragment.data.len());
        let end = start + len;
        // All but the last are whole units of eight bytes (RFC 8200 §4.5); an empty one could
        // only be there to be counted.
        if len == 0 || end > MAX_PAYLOAD || (fragment.more && !len.is_multiple_of(8)) {
            return Err(Refusal::Malformed);
        }
        if self.spoilt {
            return Err(Refusal::Overlap);
        }
        let at = self.pieces.partition_point(|(other, _)| *other < start);
        if self.pieces.get(at).is_some_and(|(other, data)| *other == start && data.len() == len) {
            // The network duplicated it (RFC 8200 §4.5 lets us ignore that).
            return Ok(());
        }
        let before = at.checked_sub(1).and_then(|before| self.pieces.get(before));
        let behind = self.pieces.get(at);
        if before.is_some_and(|(other, data)| other + data.len() > start)
            || behind.is_some_and(|(other, _)| *other < end)
        {
            return Err(Refusal::Overlap);
        }
        let last_end = self.pieces.last().map_or(0, |(other, data)| other + data.len());
        let total = if fragment.more { self.total } else { Some(end) };
        if self.total.is_some() && total != self.total
            || total.is_some_and(|total| total < end.max(last_end))
        {
            return Err(Refusal::Malformed);
        }
        if self.pieces.len() == most {
            return Err(Refusal::NoRoom);
        }
        self.total = total;
        self.pieces.insert(at, (start, Bytes::copy_from_slice(fragment.data)));
        if start == 0 {
            self.protocol = Some(fragment.protocol);
            self.quote = Bytes::copy_from_slice(packet.get(..QUOTE).unwrap_or(packet));
        }
        Ok(())
    }

    fn spoil(&mut self) {
        self.spoilt = true;
        self.pieces = Vec::new();
        self.protocol = None;
        self.quote = Bytes::new();
    }

    fn bytes(&self) -> usize {
        self.pieces.iter().map(|(_, data)| data.len()).sum::<usize>() + self.quote.len()
    }

    fn whole(&self) -> Option<Whole> {
        let total = self.total?;
        // Pieces do not overlap, so that no gap is left when they add up.
        let len: usize = self.pieces.iter().map(|(_, data)| data.len()).sum();
        if len < total {
            return None;
        }
        let mut payload = BytesMut::with_capacity(total);
        for (_, data) in &self.pieces {
            payload.extend_from_slice(data);
        }
        Some(Whole { protocol: self.protocol?, payload: payload.freeze() })
    }
}

#[cfg(test)]
#[path = "reassembly_tests.rs"]
mod tests;
