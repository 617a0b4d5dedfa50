//! What the send buffer's limit counts: bytes, or buffers as Linux has them.
//!
//! Linux keeps what was written in buffers that hold a burst each, and its limit
//! (`SO_SNDBUF`) counts their overhead too. A buffer that was begun is filled whatever the limit
//! says, and one that was sent in part is cut there. So what a write takes is a matter of
//! bursts, and programs see it: how much one `write` returns, when `poll` reports room.

use handclasp_wire::seq::SeqNumber;

use super::Sender;
use crate::config::{Config, SendAccounting};

/// Bytes that a buffer costs beside its payload.
const OVERHEAD: usize = 1280;
/// The most payload of a buffer.
const BUFFER_MAX: u32 = 65_535;
/// What headers and bookkeeping add to each segment in Linux's estimate of a window's memory.
const SEGMENT_OVERHEAD: usize = 640;
/// The bookkeeping of a segment that stands by itself.
const SEGMENT_EXTRA: usize = 256;

/// The state of Linux's accounting.
#[derive(Clone, Debug)]
pub(super) struct Buffers {
    /// Where the last buffer that was begun starts.
    last: SeqNumber,
    /// A write found no room since there last was some.
    wanting: bool,
}

impl Buffers {
    pub(super) const fn new(iss: SeqNumber) -> Self {
        Self { last: iss, wanting: false }
    }
}

impl Sender {
    /// Bytes that the application may still write.
    pub(crate) fn room(&self, config: &Config) -> usize {
        let unsent = self.unsent() as usize;
        let lowat = config.notsent_lowat.map_or(usize::MAX, |bytes| bytes as usize);
        match config.send_accounting {
            SendAccounting::Bytes => {
                self.limit.saturating_sub(self.queue.len()).min(lowat.saturating_sub(unsent))
            }
            SendAccounting::Buffers => match self.room_of_last() {
                0 if self.memory() < self.limit && unsent < lowat => self.buffer() as usize,
                room => room as usize,
            },
        }
    }

    /// Whether so much room is there that a writer is worth waking: not for every ACK.
    pub(crate) fn has_room(&self, config: &Config) -> bool {
        match config.send_accounting {
            SendAccounting::Bytes => {
                let room = self.room(config);
                room > 0 && room >= self.queue.len() / 3
            }
            SendAccounting::Buffers => {
                let lowat = config.notsent_lowat.unwrap_or(u32::MAX);
                let used = self.memory();
                self.limit.saturating_sub(used) >= used / 2
                    && used < self.limit
                    && self.unsent().saturating_mul(2) < lowat
            }
        }
    }

    /// The application looked for room, of which there was `room`.
    pub(crate) const fn looked_for_room(&mut self, room: usize) {
        self.buffers.wanting = room == 0;
    }

    /// Whether a writer waits for room.
    pub(super) const fn is_wanting(&self) -> bool {
        self.buffers.wanting
    }

    /// Something was written from `start` on.
    pub(crate) fn buffered(&mut self, start: SeqNumber) {
        if self.end_of_last(start) == start {
            self.buffers.last = start;
        }
    }

    /// The most payload of a buffer: half of what the peer ever took, in whole segments.
    fn buffer(&self) -> u32 {
        let smss = u32::from(self.smss).max(1);
        (BUFFER_MAX.min(self.max_wnd / 2) / smss).max(1) * smss
    }

    /// Behind the last byte of the last buffer, were it full; `end` if there is none that could
    /// take more behind `end`.
    fn end_of_last(&self, end: SeqNumber) -> SeqNumber {
        // What was sent of it was cut off.
        let start = self.buffers.last.max(self.nxt).max(self.data_base());
        let full = start + self.buffer();
        let open = start.lt(end) && full.gt(end) && !self.wishes.is_record_end(end);
        if open { full } else { end }
    }

    fn room_of_last(&self) -> u32 {
        let end = self.data_end();
        self.end_of_last(end) - end
    }

    /// What all buffers cost.
    fn memory(&self) -> usize {
        let unsent = self.unsent().div_ceil(self.buffer()) as usize;
        self.queue.len() + OVERHEAD * (self.flight.ranges().count() + unsent)
    }

    /// Bytes that two congestion windows cost in Linux's eyes.
    pub(super) fn memory_of_windows(&self) -> usize {
        let smss = u32::from(self.smss).max(1);
        let each = (usize::from(self.smss) + SEGMENT_OVERHEAD).next_power_of_two() + SEGMENT_EXTRA;
        2 * (self.controller.cwnd() / smss) as usize * each
    }
}
