//! The receiving half: sequence variables, what was not read, what is to be acknowledged.

mod canonical;
pub(crate) mod reassembly;
pub(crate) mod tuning;

use bytes::Bytes;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::SackBlock;
use handclasp_wire::time::Instant;

use crate::config::Config;
use crate::context::Budget;
use crate::queue::ByteQueue;
use reassembly::Reassembly;
use tuning::Tuning;

/// Duplicate ACKs owed at most: what a sender without SACK needs to notice a loss, and some.
const DUPLICATES_MAX: u8 = 8;

/// What is to be acknowledged, and how soon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urge {
    #[default]
    None,
    /// With company, or when the timer fires.
    Delayed,
    Now,
}

/// What a receiver owes its peer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owed {
    pub(crate) urge: Urge,
    /// ACKs beyond one, so that a sender without SACK can count duplicates.
    pub(crate) duplicates: u8,
    /// Bytes taken since the last ACK.
    pub(crate) bytes: u32,
    /// ACKs that may still leave at once for a sender in slow start.
    pub(crate) quick: u8,
    /// Report this stretch as received twice (RFC 2883).
    pub(crate) dsack: Option<SackBlock>,
}

/// The receive sequence variables of RFC 9293 §3.3.1 and what hangs on them.
#[derive(Clone, Debug)]
pub(crate) struct Receiver {
    pub(crate) irs: SeqNumber,
    pub(crate) nxt: SeqNumber,
    /// The right edge of the widest window ever announced: `rcv.nxt + rcv.wnd`.
    pub(crate) edge: SeqNumber,
    pub(crate) scale: u8,
    pub(crate) queue: ByteQueue,
    pub(crate) reassembly: Reassembly,
    /// The peer's FIN, once seen, whether or not all before it arrived.
    pub(crate) fin: Option<SeqNumber>,
    /// Behind the last urgent octet announced (RFC 9293 §3.8.5).
    pub(crate) up: Option<SeqNumber>,
    pub(crate) owed: Owed,
    /// TS.Recent, when it was taken, and Last.ACK.sent (RFC 7323 §4.3).
    pub(crate) ts_recent: u32,
    pub(crate) ts_recent_at: Instant,
    pub(crate) last_ack_sent: SeqNumber,
    /// When data last came, or the connection opened.
    pub(crate) data_at: Instant,
    /// The greatest payload seen in one segment, as an estimate of the peer's segment size.
    pub(crate) segment: u16,
    pub(crate) tuning: Tuning,
    /// Bytes charged to the host's budget.
    pub(crate) charged: usize,
}

impl Receiver {
    pub(crate) fn new(config: &Config, now: Instant) -> Self {
        let zero = SeqNumber(0);
        Self {
            irs: zero,
            nxt: zero,
            edge: zero,
            scale: 0,
            queue: ByteQueue::default(),
            reassembly: Reassembly::default(),
            fin: None,
            up: None,
            owed: Owed { quick: config.quick_acks, ..Owed::default() },
            ts_recent: 0,
            ts_recent_at: now,
            last_ack_sent: zero,
            data_at: now,
            segment: 536,
            tuning: Tuning::new(config, now),
            charged: 0,
        }
    }

    /// The peer's SYN is known; `window` is what our own SYN announced.
    pub(crate) fn start(&mut self, irs: SeqNumber, window: u16, scale: u8) {
        self.irs = irs;
        self.nxt = irs + 1;
        self.edge = self.nxt + u32::from(window);
        self.scale = scale;
        self.last_ack_sent = self.nxt;
    }

    /// `rcv.wnd`: bytes that the peer may send beyond `rcv.nxt`.
    pub(crate) fn wnd(&self) -> u32 {
        u32::try_from(self.edge.distance(self.nxt)).unwrap_or(0)
    }

    /// Whether the peer's FIN was reached, so that nothing more can come.
    pub(crate) fn is_finished(&self) -> bool {
        self.fin.is_some_and(|fin| self.nxt.gt(fin))
    }

    /// The right edge that could be announced now, SWS avoided: it moves only by the lesser
    /// of a segment and half the buffer (RFC 9293 §3.8.6.2.2), and never back.
    pub(crate) fn next_edge(&self, budget: &Budget) -> SeqNumber {
        let mut free = self.tuning.limit.saturating_sub(self.queue.len());
        if budget.under_pressure() && self.queue.len() >= Budget::GUARANTEED {
            free = 0;
        }
        // A window that the header cannot say exactly would be announced smaller.
        let largest = 65_535usize << self.scale;
        let wnd = (free.min(largest) as u32) >> self.scale << self.scale;
        let edge = self.nxt + wnd;
        let step = (self.tuning.limit as u32 / 2).min(u32::from(self.segment)).max(1);
        if edge.distance(self.edge) >= step as i32 { edge } else { self.edge }
    }

    /// Whether reading opened the window so far that the peer should hear of it unasked:
    /// to twice what it knows of.
    pub(crate) fn should_update_window(&self, budget: &Budget) -> bool {
        let next = u32::try_from(self.next_edge(budget).distance(self.nxt)).unwrap_or(0);
        !self.is_finished() && next > 0 && next >= self.wnd().saturating_mul(2)
    }

    /// The window field of a segment that leaves now; moves the edge.
    pub(crate) fn announce(&mut self, budget: &Budget) -> u16 {
        self.edge = self.next_edge(budget).max(self.edge);
        (self.wnd() >> self.scale).min(65_535) as u16
    }

    /// Takes payload that begins at or before `rcv.nxt` and moves on, over what was kept
    /// beyond the gap too. Returns the bytes by which `rcv.nxt` moved.
    pub(crate) fn take_in_order(&mut self, data: Bytes) -> u32 {
        let before = self.nxt;
        self.nxt += data.len() as u32;
        self.queue.push_bytes(data);
        while let Some(run) = self.reassembly.take(self.nxt) {
            self.nxt += run.len() as u32;
            self.queue.append(run);
        }
        self.nxt - before
    }

    /// Decides how soon `moved` bytes in order are acknowledged (RFC 9293 §3.8.6.3).
    pub(crate) fn owe_for(&mut self, moved: u32, filled_gap: bool) {
        self.owed.bytes = self.owed.bytes.saturating_add(moved);
        let two_segments = self.owed.bytes >= 2 * u32::from(self.segment);
        let urge = if filled_gap || two_segments || !self.reassembly.is_empty() {
            Urge::Now
        } else if self.owed.quick > 0 {
            self.owed.quick -= 1;
            Urge::Now
        } else {
            Urge::Delayed
        };
        self.owed.urge = self.owed.urge.max(urge);
    }

    /// An ACK is due for a segment that did not move `rcv.nxt`; `each` where a sender without
    /// SACK counts them.
    pub(crate) fn owe_duplicate(&mut self, each: bool) {
        if each && self.owed.urge == Urge::Now {
            self.owed.duplicates = (self.owed.duplicates + 1).min(DUPLICATES_MAX);
        }
        self.owed.urge = Urge::Now;
    }

    /// Brings the host's account of our buffers up to date.
    pub(crate) fn settle(&mut self, budget: &Budget) {
        let held = self.queue.len() + self.reassembly.bytes();
        if held > self.charged {
            budget.take(held - self.charged);
        } else {
            budget.give_back(self.charged - held);
        }
        self.charged = held;
    }

    /// Bytes up to the urgent mark that were not yet read.
    pub(crate) fn urgent_left(&self) -> Option<u32> {
        let read_to = self.nxt - self.queue.len() as u32 - u32::from(self.is_finished());
        let left = self.up?.distance(read_to);
        u32::try_from(left).ok().filter(|n| *n > 0)
    }
}
