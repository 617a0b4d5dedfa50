//! Which part of one direction's sequence space was seen.

use handclasp_wire::seq::SeqNumber;

/// Islands kept beyond the contiguous beginning; a capture with more holes than this loses
/// sight of the furthest.
const MAX_ISLANDS: usize = 256;

/// What a range adds to what was seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sighting {
    /// It takes no sequence number.
    Empty,
    /// It begins where the contiguous part ends.
    Next,
    /// It leaves a gap behind the contiguous part.
    Beyond,
    /// It fills a gap, or part of one, that later numbers were seen behind.
    Fills,
    /// All of it was seen before.
    Again,
}

/// A contiguous beginning, and islands beyond it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coverage {
    next: SeqNumber,
    /// In order, apart from each other, behind `next`.
    // Mostly there are none, and eight bytes are enough to say so.
    #[expect(clippy::box_collection)]
    islands: Option<Box<Vec<(SeqNumber, SeqNumber)>>>,
}

impl Coverage {
    /// Nothing seen; the first number to come is `next`.
    pub(crate) fn starting_at(next: SeqNumber) -> Self {
        Self { next, islands: None }
    }

    /// The first number that was not seen.
    pub(crate) fn next(&self) -> SeqNumber {
        self.next
    }

    /// The number behind the last that was seen.
    pub(crate) fn end(&self) -> SeqNumber {
        self.islands().last().map_or(self.next, |&(_, end)| end)
    }

    /// Everything before `next` is known to have been there.
    pub(crate) fn skip_to(&mut self, next: SeqNumber) {
        if next.gt(self.next) && self.islands.is_none() {
            self.next = next;
        } else if next.gt(self.next) {
            self.insert(self.next, next);
        }
    }

    /// Adds the `len` numbers from `start` on.
    pub(crate) fn add(&mut self, start: SeqNumber, len: u32) -> Sighting {
        let end = start + len;
        if len == 0 {
            return Sighting::Empty;
        }
        // Mostly everything comes in order.
        if start == self.next && self.islands().is_empty() {
            self.next = end;
            return Sighting::Next;
        }
        let inside = |&(a, b): &(SeqNumber, SeqNumber)| a.le(start) && end.le(b);
        if end.le(self.next) || self.islands().iter().any(inside) {
            return Sighting::Again;
        }
        let sighting = match (start.le(self.next), self.islands().last()) {
            (true, None) => Sighting::Next,
            (false, None) => Sighting::Beyond,
            (_, Some(&(_, last))) if start.ge(last) => Sighting::Beyond,
            _ => Sighting::Fills,
        };
        self.insert(start.max(self.next), end);
        sighting
    }

    /// Puts a range among the islands, joins those it touches, and moves `next` on.
    fn insert(&mut self, mut start: SeqNumber, mut end: SeqNumber) {
        let islands = self.islands.get_or_insert_default();
        islands.retain(|&(a, b)| {
            let apart = b.lt(start) || a.gt(end);
            if !apart {
                (start, end) = (start.min(a), end.max(b));
            }
            apart
        });
        let at = islands.partition_point(|&(a, _)| a.lt(start));
        islands.insert(at, (start, end));
        if islands[0].0.le(self.next) {
            self.next = islands.remove(0).1;
        }
        islands.truncate(MAX_ISLANDS);
        if islands.is_empty() {
            self.islands = None;
        }
    }

    fn islands(&self) -> &[(SeqNumber, SeqNumber)] {
        self.islands.as_ref().map_or(&[], |islands| islands)
    }
}

#[cfg(test)]
#[path = "coverage_tests.rs"]
mod tests;
