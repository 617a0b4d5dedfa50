//! What the application wants of how its data is cut and held back.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use handclasp_wire::seq::SeqNumber;

/// Ends of records that are kept; data behind so many is cut as it comes.
const RECORDS_MAX: usize = 1024;

/// What the application wants of how its data is cut and held back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    /// Small segments wait until this is taken back.
    pub(crate) cork: bool,
    /// The last write said that more follows, and no ACK came since.
    more: bool,
    /// Nothing asks for the last byte written to be pushed.
    unpushed: bool,
    /// What waits now may leave, small or not.
    flush: bool,
    /// Behind the last byte of each record: no segment goes over one. Few connections have any.
    #[allow(clippy::box_collection, reason = "eight bytes in each of many connections")]
    ends: Option<Box<VecDeque<SeqNumber>>>,
}

impl Wishes {
    /// Something was written that nobody holds back.
    pub(crate) const fn written(&mut self) {
        self.more = false;
        self.unpushed = false;
    }

    /// More follows what was written last.
    pub(crate) const fn more_follows(&mut self) {
        self.more = true;
        self.unpushed = true;
    }

    /// A record ends at `end`.
    pub(crate) fn record_ended(&mut self, end: SeqNumber) {
        let ends = self.ends.get_or_insert_default();
        if ends.len() < RECORDS_MAX && ends.back() != Some(&end) {
            ends.push_back(end);
        }
    }

    /// What waits now may leave.
    pub(crate) const fn flush(&mut self) {
        self.more = false;
        self.flush = true;
    }

    /// The last of what waited left; `pushed` if it was sent for its own sake.
    pub(crate) const fn emptied(&mut self, pushed: bool) {
        self.flush = false;
        self.unpushed &= !pushed;
    }

    /// The peer acknowledged everything up to `una`.
    pub(crate) fn acknowledged(&mut self, una: SeqNumber) {
        // Linux holds back the write itself only: an ACK lets out what is there.
        self.more = false;
        let Some(ends) = &mut self.ends else { return };
        while ends.front().is_some_and(|end| end.le(una)) {
            ends.pop_front();
        }
        if ends.is_empty() {
            self.ends = None;
        }
    }

    /// Whether a segment that is not full has to wait.
    pub(crate) const fn hold_small(&self) -> bool {
        (self.cork || self.more) && !self.flush
    }

    /// Whether a segment that is not full may leave, whatever Nagle says.
    pub(crate) const fn flushes(&self) -> bool {
        self.flush
    }

    /// Whether the last byte written is to be pushed.
    pub(crate) const fn pushes_last(&self) -> bool {
        !self.unpushed
    }

    /// How many of the `len` numbers from `seq` on belong to the record of the first.
    pub(crate) fn within_record(&self, seq: SeqNumber, len: u32) -> u32 {
        let end = self.ends.as_ref().and_then(|ends| ends.iter().find(|end| end.gt(seq)));
        end.map_or(len, |end| len.min(*end - seq))
    }

    /// Whether a record ends right at `end`.
    pub(crate) fn is_record_end(&self, end: SeqNumber) -> bool {
        self.ends.as_ref().is_some_and(|ends| ends.contains(&end))
    }
}

#[cfg(test)]
#[path = "wishes_tests.rs"]
mod tests;
