//! What one end sent, put together from its segments.
//!
//! A [`Stream`] hands bytes out in their order as soon as nothing before them is missing. What
//! the capture lacks is told as a gap of so many bytes, and never filled: when the other end has
//! acknowledged it and it still does not come, when too much waits behind it, or at the end.

use std::collections::BTreeMap;
use std::time::Duration;

use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::Flags;
use handclasp_wire::time::Instant;

use crate::capture::dissect::Segment;

/// How long after its acknowledgment a segment is waited for: a capture may show packets in
/// another order than they passed.
const PATIENCE: Duration = Duration::from_millis(200);
/// Bytes that wait behind a gap, and in how many pieces.
const MAX_WAITING: usize = 4 << 20;
const MAX_PIECES: usize = 1 << 14;

/// A part of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// The next bytes.
    Bytes(&'a [u8]),
    /// So many bytes are not in the capture.
    Missing(u64),
    /// What came before the next bytes is not in the capture, and nobody knows how much it was.
    Beginning,
}

/// One direction of a connection. Offsets count bytes from the first one that was seen.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// The number of the next byte, and its offset.
    next: Option<(SeqNumber, u64)>,
    /// What waits behind a gap, by its offset.
    waiting: BTreeMap<u64, Vec<u8>>,
    waiting_bytes: usize,
    /// Up to where the other end has it, and since when that is beyond `next`.
    acknowledged: u64,
    since: Option<Instant>,
}

impl Stream {
    /// The next segment of this end.
    pub fn sent(&mut self, segment: &Segment<'_>, mut each: impl FnMut(Piece<'_>)) {
        let header = &segment.header;
        let syn = header.flags.contains(Flags::SYN);
        let start = header.seq + u32::from(syn);
        if header.flags.contains(Flags::RST) {
            // What a RST carries is no data of the stream.
            return;
        }
        let (next, offset) = *self.next.get_or_insert_with(|| {
            if !syn {
                each(Piece::Beginning);
            }
            (start, 0)
        });
        // Numbers less than 2 GB apart are told which is first.
        let distance = i64::from((start - next).cast_signed());
        let at = offset.checked_add_signed(distance);
        let already = if distance < 0 { distance.unsigned_abs() as usize } else { 0 };
        let new = segment.payload.get(already..).unwrap_or_default();
        let at = at.map_or(offset, |at| at.max(offset));
        if !new.is_empty() {
            self.put(at, new, &mut each);
        }
        self.give_up(segment.at, &mut each);
    }

    fn put(&mut self, at: u64, bytes: &[u8], each: &mut impl FnMut(Piece<'_>)) {
        if self.next.is_some_and(|(_, offset)| at == offset) && self.waiting.is_empty() {
            self.hand(bytes, each);
            return;
        }
        // Of two copies the longer one counts, else the first.
        let known = self.waiting.get(&at).map_or(0, Vec::len);
        if bytes.len() > known {
            self.waiting.insert(at, bytes.to_vec());
            self.waiting_bytes += bytes.len() - known;
        }
        self.drain(each);
        while self.waiting_bytes > MAX_WAITING || self.waiting.len() > MAX_PIECES {
            self.skip(each);
        }
    }

    fn hand(&mut self, bytes: &[u8], each: &mut impl FnMut(Piece<'_>)) {
        if let Some((next, offset)) = &mut self.next {
            *next += bytes.len() as u32;
            *offset += bytes.len() as u64;
        }
        each(Piece::Bytes(bytes));
    }

    /// Hands out what is in order by now.
    fn drain(&mut self, each: &mut impl FnMut(Piece<'_>)) {
        while let Some((_, offset)) = self.next
            && let Some(entry) = self.waiting.first_entry()
            && *entry.key() <= offset
        {
            let (at, bytes) = entry.remove_entry();
            self.waiting_bytes -= bytes.len();
            let already = (offset - at).min(bytes.len() as u64) as usize;
            if already < bytes.len() {
                self.hand(&bytes[already..], each);
            }
        }
    }

    /// Passes over the first gap.
    fn skip(&mut self, each: &mut impl FnMut(Piece<'_>)) {
        let first = self.waiting.keys().next().copied();
        let acknowledged = Some(self.acknowledged);
        if let (Some((_, offset)), Some(to)) = (self.next, first.or(acknowledged)) {
            self.skip_to(to.max(offset), each);
        }
        self.drain(each);
    }

    fn skip_to(&mut self, to: u64, each: &mut impl FnMut(Piece<'_>)) {
        if let Some((next, offset)) = &mut self.next
            && to > *offset
        {
            let missing = to - *offset;
            *next += missing as u32;
            *offset = to;
            each(Piece::Missing(missing));
        }
    }

    /// The other end has everything before `ack`.
    pub fn acknowledged(&mut self, ack: SeqNumber, at: Instant, mut each: impl FnMut(Piece<'_>)) {
        let Some((next, offset)) = self.next else { return };
        if ack.gt(next) {
            self.acknowledged = self.acknowledged.max(offset + u64::from(ack - next));
            self.since.get_or_insert(at);
        } else {
            self.since = None;
        }
        self.give_up(at, &mut each);
    }

    /// Passes over what is known not to come.
    fn give_up(&mut self, now: Instant, each: &mut impl FnMut(Piece<'_>)) {
        let Some((_, offset)) = self.next else { return };
        if self.acknowledged <= offset {
            self.since = None;
        }
        if self.since.is_some_and(|since| now - since > PATIENCE) {
            self.since = None;
            while self.next.is_some_and(|(_, offset)| offset < self.acknowledged)
                && !self.waiting.is_empty()
            {
                self.skip(each);
            }
        }
    }

    /// Nothing more comes: hands out what waits, with the gaps between it. `end` is the number
    /// of this end's FIN, if it sent one.
    pub fn finish(mut self, end: Option<SeqNumber>, mut each: impl FnMut(Piece<'_>)) {
        while !self.waiting.is_empty() {
            self.skip(&mut each);
        }
        let Some((next, offset)) = self.next else { return };
        let sent =
            end.filter(|end| end.gt(next)).map_or(offset, |end| offset + u64::from(end - next));
        // A FIN takes a number, and its acknowledgment covers that.
        let fin = u64::from(end.is_some());
        let to = sent.max(self.acknowledged.saturating_sub(fin));
        self.skip_to(to, &mut each);
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
