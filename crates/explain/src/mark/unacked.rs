//! What one end has sent and the other did not acknowledge.

use std::collections::VecDeque;

use handclasp_wire::seq::SeqNumber;
use handclasp_wire::time::Instant;

use super::Since;

/// Segments of one direction that are remembered, as in Wireshark. A capture of one direction
/// only has no acknowledgments, and would fill memory.
const MAX_SEGMENTS: usize = 10_000;

#[derive(Clone, Copy, Debug)]
struct Sent {
    frame: u64,
    at: Instant,
    seq: SeqNumber,
    end: SeqNumber,
}

/// The segments, the oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Unacked {
    sent: VecDeque<Sent>,
    /// Whether some segment starts before the end of the one in front of it. As long as none
    /// does, everything of interest is at the two ends of the list.
    disordered: bool,
}

impl Unacked {
    pub(super) fn add(&mut self, frame: u64, at: Instant, seq: SeqNumber, end: SeqNumber) {
        if self.sent.len() == MAX_SEGMENTS {
            return;
        }
        self.disordered |= self.sent.back().is_some_and(|last| seq.lt(last.end));
        self.sent.push_back(Sent { frame, at, seq, end });
    }

    /// Forgets what `ack` covers. Tells of the oldest segment that ends there.
    pub(super) fn acknowledge(&mut self, ack: SeqNumber, now: Instant) -> Option<Since> {
        let mut acked = None;
        let mut covers = |sent: &mut Sent| {
            if sent.end == ack && acked.is_none() {
                acked = Some(Since { frame: sent.frame, time: now - sent.at });
            }
            if sent.end.le(ack) {
                return true;
            }
            if ack.gt(sent.seq) {
                sent.seq = ack;
            }
            false
        };
        if self.disordered {
            self.sent.retain_mut(|sent| !covers(sent));
            self.disordered &= self.sent.len() > 1;
        } else {
            while self.sent.front_mut().is_some_and(&mut covers) {
                self.sent.pop_front();
            }
        }
        acked
    }

    /// Keeps no more memory than the segments need.
    pub(super) fn shrink(&mut self) {
        self.sent.shrink_to_fit();
    }

    /// How many segments there are.
    pub(super) fn len(&self) -> usize {
        self.sent.len()
    }

    /// From the first number to the last.
    pub(super) fn span(&self) -> Option<u32> {
        let (first, last) = (self.sent.front()?, self.sent.back()?);
        if !self.disordered {
            return Some(last.end - first.seq);
        }
        let (mut start, mut end) = (first.seq, first.end);
        for sent in &self.sent {
            (start, end) = (start.min(sent.seq), end.max(sent.end));
        }
        Some(end - start)
    }

    /// The segment that waits for the longest time.
    pub(super) fn oldest(&self, now: Instant) -> Option<Since> {
        self.sent.front().map(|sent| Since { frame: sent.frame, time: now - sent.at })
    }
}
