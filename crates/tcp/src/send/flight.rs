//! What is under way: an ordered list of sent ranges.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::SackBlock;
use handclasp_wire::time::Instant;

/// SACK blocks split ranges while there are no more than this many, and one for so many bytes
/// in flight.
const RANGES_MIN: usize = 64;
const RANGE_BYTES: u32 = 256;

bitflags::bitflags! {
    /// What became of a range since it was sent.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub(crate) struct Fate: u8 {
        /// Sent more than once.
        const RESENT = 1 << 0;
        /// The peer holds it.
        const SACKED = 1 << 1;
        /// Found lost, and not yet sent again.
        const LOST = 1 << 2;
        /// Sent when the window allowed more than there was to send.
        const APP_LIMITED = 1 << 3;
    }
}

/// A range of sequence numbers that left in one burst and shares one fate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sent {
    pub(crate) seq: SeqNumber,
    /// Sequence numbers it takes, SYN and FIN included.
    pub(crate) len: u32,
    pub(crate) sent_at: Instant,
    /// Bytes delivered, and when the last of them was, as this left.
    pub(crate) delivered: u64,
    pub(crate) delivered_at: Instant,
    /// When the newest of what had been acknowledged by then was sent.
    pub(crate) first_sent_at: Instant,
    /// Bytes in flight with it, and lost before it.
    pub(crate) in_flight: u32,
    pub(crate) lost: u64,
    pub(crate) fate: Fate,
}

impl Sent {
    pub(crate) fn end(&self) -> SeqNumber {
        self.seq + self.len
    }

    /// Cuts the range at `at`, which lies inside it; `self` keeps the front.
    fn split_off(&mut self, at: SeqNumber) -> Self {
        let front = at - self.seq;
        let back = Self { seq: at, len: self.len - front, ..*self };
        self.len = front;
        back
    }
}

/// What an acknowledgment took out of the flight, or newly marked as received.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Delivery {
    /// Bytes that the peer was not known to have before.
    pub(crate) bytes: u32,
    /// The latest-sent range among them.
    pub(crate) newest: Option<Sent>,
    /// A round trip of a range that was sent only once (Karn's rule).
    pub(crate) rtt: Option<Duration>,
}

impl Delivery {
    fn add(&mut self, sent: &Sent, len: u32, now: Instant) {
        if sent.fate.contains(Fate::SACKED) {
            return;
        }
        self.bytes += len;
        if self.newest.is_none_or(|n| sent.sent_at >= n.sent_at) {
            self.newest = Some(*sent);
        }
        if !sent.fate.contains(Fate::RESENT) {
            let rtt = now - sent.sent_at;
            self.rtt = Some(self.rtt.map_or(rtt, |best| best.min(rtt)));
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.newest = match (self.newest, other.newest) {
            (Some(a), Some(b)) => Some(if b.sent_at >= a.sent_at { b } else { a }),
            (a, b) => a.or(b),
        };
        self.rtt = self.rtt.into_iter().chain(other.rtt).min();
    }
}

/// All ranges between `snd.una` and `snd.nxt`, in order and without gaps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flight {
    ranges: VecDeque<Sent>,
    bytes: u32,
    sacked: u32,
    lost: u32,
    /// Bytes found lost over the connection's life.
    lost_ever: u64,
    /// Of them, since it was asked last.
    newly_lost: u32,
    /// The ranges, if anybody wants to know which.
    losses: Option<Box<Vec<Sent>>>,
}

impl Flight {
    /// Whether to remember which ranges are found lost.
    pub(crate) fn watch(&mut self, watched: bool) {
        self.losses = watched.then(Box::default);
    }

    /// How much was found lost since this was asked last, and which ranges if they are watched.
    pub(crate) fn take_newly_lost(&mut self) -> (u32, Vec<Sent>) {
        let losses = self.losses.as_deref_mut().map(core::mem::take).unwrap_or_default();
        (core::mem::take(&mut self.newly_lost), losses)
    }

    /// Bytes found lost over the connection's life.
    pub(crate) fn lost_ever(&self) -> u64 {
        self.lost_ever
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Sequence numbers not yet acknowledged.
    pub(crate) fn outstanding(&self) -> u32 {
        self.bytes
    }

    /// Sequence numbers believed to be in the network: RFC 6675's pipe.
    pub(crate) fn in_network(&self) -> u32 {
        self.bytes - self.sacked - self.lost
    }

    pub(crate) fn lost(&self) -> u32 {
        self.lost
    }

    pub(crate) fn sacked(&self) -> u32 {
        self.sacked
    }

    pub(crate) fn first(&self) -> Option<&Sent> {
        self.ranges.front()
    }

    /// A new range left, behind all others.
    pub(crate) fn push(&mut self, sent: Sent) {
        self.bytes += sent.len;
        self.ranges.push_back(sent);
    }

    /// Everything before `ack` is acknowledged.
    pub(crate) fn acknowledge(&mut self, ack: SeqNumber, now: Instant) -> Delivery {
        let mut delivery = Delivery::default();
        let mut resent = false;
        while let Some(first) = self.ranges.front_mut() {
            if first.seq.ge(ack) {
                break;
            }
            resent |= first.fate.contains(Fate::RESENT);
            let gone = if first.end().le(ack) {
                let Some(gone) = self.ranges.pop_front() else { break };
                gone
            } else {
                let back = first.split_off(ack);
                core::mem::replace(first, back)
            };
            self.forget(&gone);
            delivery.add(&gone, gone.len, now);
        }
        if self.ranges.is_empty() {
            // What a connection at rest does not need is let go, as the queue's memory is.
            self.ranges = VecDeque::new();
        }
        // What lay behind something resent waited for that: its age is no round trip.
        delivery.rtt = delivery.rtt.filter(|_| !resent);
        delivery
    }

    /// The peer holds `block`. A peer that cuts our ranges into crumbs is believed only where
    /// its blocks cover whole ones.
    pub(crate) fn selectively_acknowledge(&mut self, block: SackBlock, now: Instant) -> Delivery {
        let mut delivery = Delivery::default();
        let crumbs = self.ranges.len() > RANGES_MIN + (self.bytes / RANGE_BYTES) as usize;
        let (mut i, end) = if crumbs {
            let left = self.ranges.partition_point(|s| s.seq.lt(block.left));
            (left, self.ranges.partition_point(|s| s.end().le(block.right)))
        } else {
            (self.split_at(block.left), self.split_at(block.right))
        };
        while let Some(sent) = self.ranges.get_mut(i).filter(|_| i < end) {
            if !sent.fate.contains(Fate::SACKED) {
                delivery.add(sent, sent.len, now);
                if sent.fate.contains(Fate::LOST) {
                    self.lost -= sent.len;
                    sent.fate.remove(Fate::LOST);
                }
                self.sacked += sent.len;
                sent.fate.insert(Fate::SACKED);
            }
            i += 1;
        }
        delivery
    }

    /// Marks what lies before `end`, is not known to be received and satisfies `is_lost` as
    /// lost; returns how much that is.
    pub(crate) fn mark_lost(
        &mut self,
        end: SeqNumber,
        mut is_lost: impl FnMut(&Sent) -> bool,
    ) -> u32 {
        let before = self.lost;
        for sent in &mut self.ranges {
            if sent.seq.ge(end) {
                break;
            }
            if !sent.fate.intersects(Fate::SACKED | Fate::LOST) && is_lost(sent) {
                sent.fate.insert(Fate::LOST);
                self.lost += sent.len;
                self.lost_ever += u64::from(sent.len);
                self.newly_lost = self.newly_lost.saturating_add(sent.len);
                self.losses.iter_mut().for_each(|losses| losses.push(*sent));
            }
        }
        self.lost - before
    }

    /// Marks the first `len` sequence numbers as lost, if they are still believed under way.
    pub(crate) fn mark_first_lost(&mut self, len: u32) -> u32 {
        let Some(first) = self.ranges.front() else { return 0 };
        let end = first.seq + len.min(first.len);
        self.split_at(end);
        self.mark_lost(end, |_| true)
    }

    /// Everything in flight may have been sent more than once.
    pub(crate) fn mark_resent(&mut self) {
        for sent in &mut self.ranges {
            sent.fate.insert(Fate::RESENT);
        }
    }

    /// Forgets what the peer claimed to hold: it may have thrown it away (RFC 2018 §8).
    pub(crate) fn forget_sacks(&mut self) {
        for sent in &mut self.ranges {
            sent.fate.remove(Fate::SACKED);
        }
        self.sacked = 0;
    }

    /// Where the first lost range begins.
    pub(crate) fn first_lost(&self) -> Option<SeqNumber> {
        if self.lost == 0 {
            return None;
        }
        self.ranges.iter().find(|s| s.fate.contains(Fate::LOST)).map(|s| s.seq)
    }

    /// Takes the first lost stretch of at most `max` numbers before `edge`, marks it as sent
    /// again and returns it.
    pub(crate) fn resend_lost(
        &mut self,
        max: u32,
        edge: SeqNumber,
        mark: Sent,
    ) -> Option<(SeqNumber, u32)> {
        if self.lost == 0 {
            return None;
        }
        let i = self.ranges.iter().position(|s| s.fate.contains(Fate::LOST))?;
        let seq = self.ranges[i].seq;
        if seq.ge(edge) {
            return None;
        }
        let mut end = self.ranges[i].end();
        let mut last = i;
        while let Some(next) = self.ranges.get(last + 1) {
            if !next.fate.contains(Fate::LOST) || end - seq >= max {
                break;
            }
            end = next.end();
            last += 1;
        }
        let end = end.min(seq + max).min(edge);
        let behind = self.split_at(end);
        for sent in self.ranges.range_mut(i..behind) {
            self.lost -= sent.len;
            *sent = Sent { seq: sent.seq, len: sent.len, ..mark };
        }
        Some((seq, end - seq))
    }

    /// The ranges in order.
    pub(crate) fn ranges(&self) -> impl DoubleEndedIterator<Item = &Sent> {
        self.ranges.iter()
    }

    /// Makes a range begin at `at`, if any covers it; returns the index of the first range
    /// that begins at or behind it.
    fn split_at(&mut self, at: SeqNumber) -> usize {
        let i = self.ranges.partition_point(|s| s.end().le(at));
        match self.ranges.get_mut(i) {
            Some(sent) if sent.seq.lt(at) => {
                let back = sent.split_off(at);
                self.ranges.insert(i + 1, back);
                i + 1
            }
            _ => i,
        }
    }

    fn forget(&mut self, gone: &Sent) {
        self.bytes -= gone.len;
        if gone.fate.contains(Fate::SACKED) {
            self.sacked -= gone.len;
        }
        if gone.fate.contains(Fate::LOST) {
            self.lost -= gone.len;
        }
    }
}

#[cfg(test)]
#[path = "flight_tests.rs"]
mod tests;
