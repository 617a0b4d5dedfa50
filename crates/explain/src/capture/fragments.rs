//! IP fragments put together again, within bounds.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use handclasp_wire::ipv4::Ipv4;
use handclasp_wire::ipv6::Ipv6;
use handclasp_wire::time::Instant;

/// Packets that are put together at the same time. Beyond it the oldest is given up.
pub const MAX_PACKETS: usize = 64;
/// Pieces of one packet that are not joined to each other.
const MAX_GAPS: usize = 64;
/// How long a packet's pieces are waited for (RFC 8200 §4.5).
pub const PATIENCE: Duration = Duration::from_secs(60);
/// What IP can carry.
const MAX_LEN: usize = 0xffff;

/// What fragments of one packet share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id {
    pub(super) src: IpAddr,
    pub(super) dst: IpAddr,
    pub(super) protocol: u8,
    pub(super) identification: u32,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    pub(super) at: Instant,
    /// Where its data belongs, in bytes.
    pub(super) offset: usize,
    pub(super) more: bool,
    /// IPv4's time to live, or IPv6's hop limit.
    pub(super) ttl: u8,
    pub(super) data: &'a [u8],
}

/// Packets of which pieces are missing.
#[derive(Debug, Default)]
pub struct Fragments {
    waiting: VecDeque<Waiting>,
    /// The packet that was finished last.
    whole: Vec<u8>,
}

#[derive(Debug)]
struct Waiting {
    id: Id,
    began: Instant,
    ttl: u8,
    data: Vec<u8>,
    /// What of `data` is there, in order, none touching the next.
    there: Vec<(usize, usize)>,
    len: Option<usize>,
}

impl Fragments {
    /// Takes a piece. If nothing is missing any more, the packet, with a fixed IP header in
    /// front that tells of no fragments.
    pub(super) fn add(&mut self, id: Id, piece: &Piece<'_>) -> Option<&[u8]> {
        self.waiting.retain(|w| piece.at - w.began < PATIENCE);
        let found = self.waiting.iter().position(|w| w.id == id);
        let mut waiting = match found.and_then(|at| self.waiting.remove(at)) {
            Some(waiting) => waiting,
            None => Waiting::new(id, piece),
        };
        if !waiting.add(piece) {
            return None;
        }
        if waiting.is_whole() {
            self.whole.clear();
            waiting.emit(&mut self.whole);
            return Some(&self.whole);
        }
        if self.waiting.len() == MAX_PACKETS {
            self.waiting.pop_front();
        }
        self.waiting.push_back(waiting);
        None
    }
}

impl Waiting {
    fn new(id: Id, piece: &Piece<'_>) -> Self {
        let (began, ttl) = (piece.at, piece.ttl);
        Self { id, began, ttl, data: Vec::new(), there: Vec::new(), len: None }
    }

    /// Whether it could be taken. Where pieces overlap, the byte that came first stays.
    fn add(&mut self, piece: &Piece<'_>) -> bool {
        let (start, end) = (piece.offset, piece.offset + piece.data.len());
        if end > MAX_LEN || self.there.len() > MAX_GAPS {
            return false;
        }
        if !piece.more {
            self.len = Some(end);
        }
        if self.data.len() < end {
            self.data.resize(end, 0);
        }
        let mut at = start;
        for &(from, to) in self.there.iter().chain([&(end, end)]) {
            if at < from.min(end) {
                let until = from.min(end);
                self.data[at..until].copy_from_slice(&piece.data[at - start..until - start]);
            }
            at = at.max(to);
        }
        self.join(start, end);
        true
    }

    fn join(&mut self, mut start: usize, mut end: usize) {
        self.there.retain(|&(from, to)| {
            let apart = to < start || from > end;
            if !apart {
                (start, end) = (start.min(from), end.max(to));
            }
            apart
        });
        let place = self.there.partition_point(|&(from, _)| from < start);
        self.there.insert(place, (start, end));
    }

    fn is_whole(&self) -> bool {
        self.len.is_some_and(|len| matches!(self.there[..], [(0, end)] if end >= len))
    }

    fn emit(&self, out: &mut Vec<u8>) {
        let data = &self.data[..self.len.unwrap_or(self.data.len())];
        let Id { src, dst, protocol, identification } = self.id;
        match (src, dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => Ipv4 {
                ttl: self.ttl,
                identification: identification as u16,
                dont_fragment: false,
                ..Ipv4::new(src, dst, protocol)
            }
            .emit(data.len(), out),
            (IpAddr::V6(src), IpAddr::V6(dst)) => {
                Ipv6 { hop_limit: self.ttl, ..Ipv6::new(src, dst, protocol) }.emit(data.len(), out);
            }
            // Both addresses come out of one header.
            _ => return,
        }
        out.extend_from_slice(data);
    }
}

#[cfg(test)]
#[path = "fragments_tests.rs"]
mod tests;
