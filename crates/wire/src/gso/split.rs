//! Cutting.

use alloc::vec::Vec;

use bytes::Bytes;

use super::headers::{Headers, SEQ_AT, set_flags};
use crate::checksum;
use crate::frame::{Inbound, Medium, Outbound, PartialChecksum, RxChecksum};
use crate::octets::set_be32;
use crate::packet::{Packet, Transport};
use crate::seq::SeqNumber;
use crate::tcp::header::Flags;

/// Cuts a packet into those that the link carries: of `segment_size` bytes of payload each, the
/// last one with the rest, their checksums finished.
///
/// IPv4's identification counts up from one to the next; FIN and PSH stay on the last, CWR on
/// the first, as RFC 3168 §6.1.2 has one CWR for one reduction. A packet without a segment size
/// comes out as one, and one that is neither TCP nor UDP is never cut.
#[must_use]
pub fn split(packet: &Outbound, medium: Medium) -> Split<'_> {
    let (head, slices) = (&packet.header[..], &packet.payload[..]);
    match packet.segment_size {
        Some(size) => Split::rebuilt(head, slices, Some(size), packet.checksum, medium),
        None => Split::plain(head, slices, packet.checksum),
    }
}

/// Cuts a packet that its device coalesced into those that the link carried, as [`split`] does.
///
/// A packet whose checksum was not verified is left as it is, unless several are in it: what
/// came in broken must not leave repaired.
#[must_use]
pub fn split_inbound(packet: &Inbound, medium: Medium) -> Split<'_> {
    match (packet.segment_size, packet.checksum) {
        (None, RxChecksum::Unknown) => Split::plain(&packet.data, &[], None),
        (size, _) => Split::rebuilt(&packet.data, &[], size, None, medium),
    }
}

/// The packets that one packet is cut into: an iterator, or [`Split::next_into`] to use one
/// buffer for all of them.
#[derive(Clone, Debug)]
pub struct Split<'a> {
    /// Written in front of every piece.
    headers: &'a [u8],
    payload: Gather<'a>,
    finish: Finish,
    done: bool,
}

/// What is to be done to a piece before it is complete.
#[derive(Clone, Copy, Debug)]
enum Finish {
    Nothing,
    Checksum(PartialChecksum),
    Rebuild(Rebuild),
}

/// How lengths, checksums and what counts up are made anew for each piece.
#[derive(Clone, Copy, Debug)]
struct Rebuild {
    headers: Headers,
    /// Bytes of payload in a piece.
    size: usize,
    /// The piece's number, from zero.
    nth: u16,
    /// The piece's sequence number and the whole packet's flags.
    tcp: Option<(SeqNumber, Flags)>,
}

impl<'a> Split<'a> {
    fn plain(head: &'a [u8], slices: &'a [Bytes], partial: Option<PartialChecksum>) -> Self {
        let finish = partial.map_or(Finish::Nothing, Finish::Checksum);
        Self { headers: head, payload: Gather { first: &[], slices }, finish, done: false }
    }

    /// A packet of which every piece is made anew; as it is, if it is neither TCP nor UDP.
    fn rebuilt(
        head: &'a [u8],
        slices: &'a [Bytes],
        size: Option<u16>,
        partial: Option<PartialChecksum>,
        medium: Medium,
    ) -> Self {
        let packet = Packet::dissect(medium, head).0;
        let parts = Headers::of(&packet).and_then(|headers| {
            let layout = headers.layout;
            Some((headers, head.get(..layout.payload)?, head.get(layout.payload())?))
        });
        let Some((headers, front, first)) = parts else {
            return Self::plain(head, slices, partial);
        };
        let tcp = match packet.transport {
            Transport::Tcp(tcp) => Some((tcp.seq(), tcp.flags())),
            _ => None,
        };
        // A size of zero would never come to an end.
        let size = size.filter(|size| *size > 0).map_or(usize::MAX, usize::from);
        let finish = Finish::Rebuild(Rebuild { headers, size, nth: 0, tcp });
        Self { headers: front, payload: Gather { first, slices }, finish, done: false }
    }

    /// Writes the next piece over what `out` held; returns false if there is none left.
    pub fn next_into(&mut self, out: &mut Vec<u8>) -> bool {
        if self.done {
            return false;
        }
        let size = match &self.finish {
            Finish::Rebuild(rebuild) => rebuild.size,
            Finish::Nothing | Finish::Checksum(_) => usize::MAX,
        };
        let len = self.payload.len().min(size);
        out.clear();
        out.reserve(self.headers.len() + len);
        out.extend_from_slice(self.headers);
        self.payload.take(len, out);
        self.done = self.payload.len() == 0;
        match &mut self.finish {
            Finish::Nothing => {}
            Finish::Checksum(partial) => {
                // One that points outside of the packet leaves nothing to finish.
                let _within = checksum::finish(out, *partial);
            }
            Finish::Rebuild(rebuild) => rebuild.finish(out, len, self.done),
        }
        true
    }
}

impl Iterator for Split<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut piece = Vec::new();
        self.next_into(&mut piece).then_some(piece)
    }
}

impl Rebuild {
    /// Completes a piece with `len` bytes of payload, and turns to the next one.
    fn finish(&mut self, piece: &mut [u8], len: usize, last: bool) {
        let transport = self.headers.layout.transport;
        if let Some((seq, flags)) = &mut self.tcp {
            let mut kept = *flags;
            if self.nth > 0 {
                kept.remove(Flags::CWR);
            }
            if !last {
                kept.remove(Flags::FIN | Flags::PSH);
            }
            set_be32(piece, transport + SEQ_AT, seq.0);
            set_flags(piece, transport, kept);
            *seq += len as u32;
        }
        self.headers.fit(piece, self.nth);
        self.headers.finish(piece);
        self.nth = self.nth.wrapping_add(1);
    }
}

/// Bytes that lie in several places, read from front to back.
#[derive(Clone, Debug)]
struct Gather<'a> {
    first: &'a [u8],
    slices: &'a [Bytes],
}

impl Gather<'_> {
    /// How many are left.
    fn len(&self) -> usize {
        self.first.len() + self.slices.iter().map(Bytes::len).sum::<usize>()
    }

    /// Moves the next `len` bytes to `out`, or as many as are left.
    fn take(&mut self, mut len: usize, out: &mut Vec<u8>) {
        loop {
            let (now, later) = self.first.split_at(len.min(self.first.len()));
            out.extend_from_slice(now);
            self.first = later;
            len -= now.len();
            match self.slices {
                [next, rest @ ..] if later.is_empty() => (self.first, self.slices) = (next, rest),
                _ => return,
            }
        }
    }
}
