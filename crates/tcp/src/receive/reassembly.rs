//! Data beyond a gap, kept until the gap is filled.

use alloc::vec::Vec;

use bytes::Bytes;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::{SackBlock, SackBlocks};
use smallvec::SmallVec;

use crate::queue::ByteQueue;

/// SACK blocks that a header holds (RFC 2018 §3).
const BLOCKS_MAX: usize = 4;

/// A stretch without gaps.
#[derive(Clone, Debug)]
struct Run {
    start: SeqNumber,
    data: ByteQueue,
}

impl Run {
    fn end(&self) -> SeqNumber {
        self.start + self.data.len() as u32
    }

    fn block(&self) -> SackBlock {
        SackBlock { left: self.start, right: self.end() }
    }
}

/// What came of inserting a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inserted {
    /// Bytes newly kept.
    pub(crate) kept: usize,
    /// The first stretch that was there already (RFC 2883 reports it).
    pub(crate) duplicate: Option<SackBlock>,
    /// Whether something found no room.
    pub(crate) dropped: bool,
}

/// Runs in order, none touching the next.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reassembly {
    runs: Vec<Run>,
    /// The blocks that changed last, the latest first: RFC 2018 §4 wants them reported in
    /// this order.
    recent: SmallVec<[SackBlock; 4]>,
    bytes: usize,
}

impl Reassembly {
    /// Bytes kept.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The sequence number behind everything kept.
    pub(crate) fn end(&self) -> Option<SeqNumber> {
        self.runs.last().map(Run::end)
    }

    /// Keeps `data`, which begins at `seq`, as far as it is new: what came first stays
    /// (RFC 9293 §3.10.7.4). No more than `max_runs` stretches are kept.
    pub(crate) fn insert(&mut self, seq: SeqNumber, mut data: Bytes, max_runs: usize) -> Inserted {
        let mut result = Inserted::default();
        let mut at = seq;
        while !data.is_empty() {
            let next = self.runs.partition_point(|r| r.end().le(at));
            let (gap, overlap) = match self.runs.get(next) {
                Some(run) => {
                    let start = run.start.max(at);
                    ((start - at) as usize, run.end() - start)
                }
                None => (data.len(), 0),
            };
            let piece = data.split_to(gap.min(data.len()));
            if !piece.is_empty() {
                let n = piece.len();
                if !self.place(at, piece, max_runs) {
                    result.dropped = true;
                    break;
                }
                result.kept += n;
                at += n as u32;
            }
            let doubled = (overlap as usize).min(data.len());
            if doubled > 0 {
                let right = at + doubled as u32;
                result.duplicate.get_or_insert(SackBlock { left: at, right });
                bytes::Buf::advance(&mut data, doubled);
                at = right;
            }
        }
        self.report(seq);
        result
    }

    /// Takes out the run that begins at or before `nxt`, less what lies before `nxt`.
    pub(crate) fn take(&mut self, nxt: SeqNumber) -> Option<ByteQueue> {
        let first = self.runs.first()?;
        if first.start.gt(nxt) {
            return None;
        }
        let mut run = self.runs.remove(0);
        self.bytes -= run.data.len();
        if self.runs.is_empty() {
            // What a connection without gaps does not need is let go.
            self.runs = Vec::new();
        }
        run.data.consume((nxt - run.start) as usize);
        Some(run.data)
    }

    /// The blocks to report, the latest first, then others as places are left (RFC 2018 §4);
    /// `nxt` is `rcv.nxt`.
    pub(crate) fn sack_blocks(&mut self, nxt: SeqNumber) -> &[SackBlock] {
        self.recent.retain(|b| b.left.gt(nxt));
        for run in &self.runs {
            if self.recent.len() == BLOCKS_MAX {
                break;
            }
            let block = run.block();
            if !self.recent.contains(&block) {
                self.recent.push(block);
            }
        }
        &self.recent
    }

    /// Puts `data`, which overlaps no run, in place; false where there is no room for it.
    fn place(&mut self, seq: SeqNumber, data: Bytes, max_runs: usize) -> bool {
        let n = data.len();
        let i = self.runs.partition_point(|r| r.end().lt(seq));
        match self.runs.get_mut(i) {
            Some(run) if run.end() == seq => run.data.push_bytes(data),
            _ => {
                let end = seq + n as u32;
                let touches_next = self.runs.get(i).is_some_and(|r| r.start == end);
                if self.runs.len() >= max_runs && !touches_next {
                    return false;
                }
                let mut queue = ByteQueue::default();
                queue.push_bytes(data);
                self.runs.insert(i, Run { start: seq, data: queue });
            }
        }
        self.bytes += n;
        if let [run, next, ..] = &self.runs[i..]
            && run.end() == next.start
        {
            let next = self.runs.remove(i + 1);
            self.runs[i].data.append(next.data);
        }
        true
    }

    /// Moves the run that holds `seq` to the front of what is reported.
    fn report(&mut self, seq: SeqNumber) {
        let Some(run) = self.runs.iter().find(|r| seq.within(r.start, r.data.len() as u32)) else {
            return;
        };
        let block = run.block();
        self.recent.retain(|b| b.right.lt(block.left) || b.left.gt(block.right));
        self.recent.truncate(BLOCKS_MAX - 1);
        self.recent.insert(0, block);
    }
}

/// Puts a D-SACK and the `blocks` into an option, as many as `max`.
pub(crate) fn sack_option(
    duplicate: Option<SackBlock>,
    blocks: &[SackBlock],
    max: usize,
) -> SackBlocks {
    let mut option = SackBlocks::new();
    for block in duplicate.into_iter().chain(blocks.iter().copied()).take(max) {
        option.push(block);
    }
    option
}

#[cfg(test)]
#[path = "reassembly_tests.rs"]
mod tests;
