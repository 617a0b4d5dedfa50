//! What is under way: an ordered list of sent ranges.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::SackBlock;
use handclasp_wire::time::Instant;

use crate::event::LossSign;

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
    /// Why it was found lost, if it was.
    pub(crate) why: LossSign,
    /// Segments that the peer was told to hold by the time it said so, if it did.
    pub(crate) segments: u16,
}

impl Sent {
    /// The `len` numbers from `seq` on, sent at `now`.
    pub(crate) fn new(seq: SeqNumber, len: u32, now: Instant, fate: Fate) -> Self {
        Self {
            seq,
            len,
            sent_at: now,
            delivered: 0,
            delivered_at: now,
            first_sent_at: now,
            in_flight: len,
            lost: 0,
            fate,
            why: LossSign::Timeout,
            segments: 0,
        }
    }

    pub(crate) fn end(&self) -> SeqNumber {
        self.seq + self.len
    }

    /// Whether it left after a range that left at `at` and ended at `end`; of two that left
    /// together, the one behind is the later (RFC 8985 §6.2).
    pub(crate) fn sent_after(&self, at: Instant, end: SeqNumber) -> bool {
        self.sent_at > at || self.sent_at == at && self.end().gt(end)
    }

    /// Makes `behind`, which the peer holds too, a part of this.
    fn take_in(&mut self, behind: &Self) {
        self.len += behind.len;
        self.sent_at = self.sent_at.max(behind.sent_at);
        self.fate |= behind.fate;
        self.segments = self.segments.saturating_add(behind.segments);
    }

    /// Cuts the range at `at`, which lies inside it; `self` keeps the front.
    fn split_off(&mut self, at: SeqNumber) -> Self {
        let front = at - self.seq;
        let back = Self { seq: at, len: self.len - front, ..*self };
        self.len = front;
        back
    }
}

/// What an ACK is read with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(crate) now: Instant,
    /// No round trip is shorter.
    pub(crate) min_rtt: Duration,
    /// The timestamp that the ACK echoes was sent before this; the end of time without one.
    pub(crate) echoed_before: Instant,
    /// Payload of a full segment.
    pub(crate) smss: u32,
}

impl Reading {
    /// Whether the ACK may be for the last time that `sent` left, not for an earlier one
    /// (RFC 8985 §6.2 step 2).
    fn proves_arrival_of(&self, sent: &Sent) -> bool {
        !sent.fate.contains(Fate::RESENT)
            || sent.sent_at < self.echoed_before && self.now - sent.sent_at >= self.min_rtt
    }
}

/// What an acknowledgment took out of the flight, or newly marked as received.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Delivery {
    /// Bytes that the peer was not known to have before.
    pub(crate) bytes: u32,
    /// The latest-sent range among them.
    pub(crate) newest: Option<Sent>,
    /// The latest-sent whose last transmission is known to have arrived.
    pub(crate) proven: Option<Sent>,
    /// Where the first range begins that was sent only once.
    pub(crate) first_original: Option<SeqNumber>,
    /// Behind the highest number among them.
    pub(crate) highest: Option<SeqNumber>,
    /// A round trip of a range that was sent only once (Karn's rule).
    pub(crate) rtt: Option<Duration>,
}

impl Delivery {
    fn add(&mut self, sent: &Sent, len: u32, reading: &Reading) {
        if sent.fate.contains(Fate::SACKED) {
            return;
        }
        self.bytes += len;
        self.highest = Some(self.highest.map_or(sent.end(), |h| h.max(sent.end())));
        self.newest = later(self.newest, Some(*sent));
        if reading.proves_arrival_of(sent) {
            self.proven = later(self.proven, Some(*sent));
        }
        if !sent.fate.contains(Fate::RESENT) {
            let rtt = reading.now - sent.sent_at;
            self.rtt = Some(self.rtt.map_or(rtt, |best| best.min(rtt)));
            self.first_original = Some(self.first_original.map_or(sent.seq, |f| f.min(sent.seq)));
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.newest = later(self.newest, other.newest);
        self.proven = later(self.proven, other.proven);
        self.rtt = self.rtt.into_iter().chain(other.rtt).min();
        self.highest = match (self.highest, other.highest) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        };
        self.first_original = match (self.first_original, other.first_original) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
}

/// Which of two ranges was sent later; of two that left together, the one behind
/// (RFC 8985 §6.2's RACK_sent_after).
fn later(a: Option<Sent>, b: Option<Sent>) -> Option<Sent> {
    let (Some(a), Some(b)) = (a, b) else { return a.or(b) };
    Some(if b.sent_after(a.sent_at, a.end()) { b } else { a })
}

/// What is to become of a range that may be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Lost,
    UnderWay,
    /// So are all behind it.
    Stop,
}

/// What was newly found lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    pub(crate) bytes: u32,
    /// Of these, sent again before.
    pub(crate) again: u32,
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
    losses: Option<Vec<Sent>>,
}

impl Flight {
    /// Whether to remember which ranges are found lost.
    pub(crate) fn watch(&mut self, watched: bool) {
        self.losses = watched.then(Vec::new);
    }

    /// How much was found lost since this was asked last, and which ranges if they are watched.
    pub(crate) fn take_newly_lost(&mut self) -> (u32, Vec<Sent>) {
        let losses = self.losses.as_mut().map(core::mem::take).unwrap_or_default();
        (core::mem::take(&mut self.newly_lost), losses)
    }

    /// Bytes found lost over the connection's life.
    pub(crate) fn lost_ever(&self) -> u64 {
        self.lost_ever
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether one segment is all there is.
    pub(crate) fn is_one(&self, smss: u32) -> bool {
        self.ranges.len() == 1 && self.bytes <= smss
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
    pub(crate) fn acknowledge(&mut self, ack: SeqNumber, reading: &Reading) -> Delivery {
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
            delivery.add(&gone, gone.len, reading);
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
    pub(crate) fn selectively_acknowledge(
        &mut self,
        block: SackBlock,
        reading: &Reading,
    ) -> Delivery {
        let mut delivery = Delivery::default();
        let crumbs = self.ranges.len() > RANGES_MIN + (self.bytes / RANGE_BYTES) as usize;
        let (start, end) = if crumbs {
            let left = self.ranges.partition_point(|s| s.seq.lt(block.left));
            (left, self.ranges.partition_point(|s| s.end().le(block.right)))
        } else if self.holds_already(block) {
            return delivery;
        } else {
            (self.split_at(block.left), self.split_at(block.right))
        };
        for i in start..end {
            let Some(sent) = self.ranges.get_mut(i) else { break };
            if sent.fate.contains(Fate::SACKED) {
                continue;
            }
            delivery.add(sent, sent.len, reading);
            if sent.fate.contains(Fate::LOST) {
                self.lost -= sent.len;
                sent.fate.remove(Fate::LOST);
            }
            self.sacked += sent.len;
            sent.fate.insert(Fate::SACKED);
            sent.segments = u16::try_from(sent.len.div_ceil(reading.smss)).unwrap_or(u16::MAX);
        }
        if delivery.bytes > 0 {
            self.join_sacked(start.saturating_sub(1), end);
        }
        delivery
    }

    /// Whether the peer said so before: most blocks of an ACK repeat those of the last.
    fn holds_already(&self, block: SackBlock) -> bool {
        let i = self.ranges.partition_point(|s| s.end().le(block.left));
        self.ranges.get(i).is_some_and(|s| {
            s.fate.contains(Fate::SACKED) && s.seq.le(block.left) && s.end().ge(block.right)
        })
    }

    /// Makes one range of neighbours that the peer holds, about index `from` to `to`, so that
    /// there are no more ranges than holes and what follows the last of them.
    fn join_sacked(&mut self, from: usize, to: usize) {
        let mut i = from;
        let mut to = to.min(self.ranges.len().saturating_sub(1));
        while i < to {
            let run = self.ranges.range(i..=to).take_while(|s| s.fate.contains(Fate::SACKED));
            let n = run.count();
            if n > 1 {
                for k in i + 1..i + n {
                    let next = self.ranges[k];
                    self.ranges[i].take_in(&next);
                }
                self.ranges.drain(i + 1..i + n);
                to -= n - 1;
            }
            i += 1;
        }
    }

    /// Segments that the peer holds beyond a gap.
    pub(crate) fn sacked_segments(&self) -> u32 {
        let held = self.ranges.iter().filter(|s| s.fate.contains(Fate::SACKED));
        held.map(|s| u32::from(s.segments)).sum()
    }

    /// Marks as lost by `why` what lies before `end`, is not known to be received and is lost
    /// by `judge`'s verdict.
    pub(crate) fn mark_lost(
        &mut self,
        end: SeqNumber,
        why: LossSign,
        mut judge: impl FnMut(&Sent) -> Verdict,
    ) -> Losses {
        let mut found = Losses::default();
        for sent in &mut self.ranges {
            if sent.seq.ge(end) {
                break;
            }
            if sent.fate.intersects(Fate::SACKED | Fate::LOST) {
                continue;
            }
            match judge(sent) {
                Verdict::Stop => break,
                Verdict::UnderWay => {}
                Verdict::Lost => {
                    sent.fate.insert(Fate::LOST);
                    sent.why = why;
                    found.bytes += sent.len;
                    self.losses.iter_mut().for_each(|losses| losses.push(*sent));
                    if sent.fate.contains(Fate::RESENT) {
                        found.again += sent.len;
                    }
                }
            }
        }
        self.lost += found.bytes;
        self.lost_ever += u64::from(found.bytes);
        self.newly_lost = self.newly_lost.saturating_add(found.bytes);
        found
    }

    /// Marks the first `len` sequence numbers as lost, if they are still believed under way.
    pub(crate) fn mark_first_lost(&mut self, len: u32, why: LossSign) -> Losses {
        let Some(first) = self.ranges.front() else { return Losses::default() };
        let end = first.seq + len.min(first.len);
        self.split_at(end);
        self.mark_lost(end, why, |_| Verdict::Lost)
    }

    /// Marks the `len` numbers from `seq` on as lost, if they are believed under way.
    pub(crate) fn mark_range_lost(&mut self, seq: SeqNumber, len: u32, why: LossSign) -> Losses {
        self.split_at(seq);
        self.split_at(seq + len);
        self.mark_lost(seq + len, why, |sent| match sent.seq.ge(seq) {
            true => Verdict::Lost,
            false => Verdict::UnderWay,
        })
    }

    /// What was thought lost and not sent again is under way after all.
    pub(crate) fn forget_losses(&mut self) {
        for sent in &mut self.ranges {
            sent.fate.remove(Fate::LOST);
        }
        self.lost = 0;
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
    /// again and returns it, and why.
    pub(crate) fn resend_lost(
        &mut self,
        max: u32,
        edge: SeqNumber,
        mark: Sent,
    ) -> Option<(SeqNumber, u32, LossSign)> {
        if self.lost == 0 {
            return None;
        }
        let i = self.ranges.iter().position(|s| s.fate.contains(Fate::LOST))?;
        let Sent { seq, why, .. } = self.ranges[i];
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
        Some((seq, end - seq, why))
    }

    /// The last range.
    pub(crate) fn last(&self) -> Option<&Sent> {
        self.ranges.back()
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
