//! The canonical form of a connection: equal for two that will behave alike.
//!
//! Sequence numbers stand in it relative to the two initial ones and points in time relative to
//! the present, statistics not at all. A model checker that explores the real machine tells
//! its states apart by it: what is left out here is never explored. So every field of a
//! connection is named where it is written down, and the compiler asks about a new one. Loss
//! repair and congestion control are taken as they print themselves, which only tells more apart.

use alloc::vec::Vec;
use core::fmt::{self, Debug, Write};
use core::time::Duration;

use handclasp_wire::seq::SeqNumber;
use handclasp_wire::time::Instant;

use crate::half_open::HalfOpen;
use crate::negotiation::Negotiated;
use crate::time_wait::TimeWait;

/// What sequence numbers and times are relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The present.
    pub now: Instant,
    /// The initial sequence number of the end that is written down.
    pub own: SeqNumber,
    /// That of its peer.
    pub peer: SeqNumber,
}

/// A canonical form that is being written, word by word.
#[derive(Clone, Debug)]
pub struct Form {
    words: Vec<u64>,
    origin: Origin,
}

impl Form {
    /// An empty form.
    #[must_use]
    pub const fn new(origin: Origin) -> Self {
        Self { words: Vec::new(), origin }
    }

    /// What is written so far.
    #[must_use]
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// Goes on relative to something else: the other end's numbers.
    pub const fn set_origin(&mut self, origin: Origin) {
        self.origin = origin;
    }

    /// What it is relative to.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// A number that is what it is.
    pub fn word(&mut self, word: impl Into<u64>) {
        self.words.push(word.into());
    }

    /// A length, or a count.
    pub fn count(&mut self, count: usize) {
        self.words.push(count as u64);
    }

    /// Bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        for chunk in bytes.chunks(8) {
            self.words.push(chunk.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        }
    }

    /// Anything, as it describes itself: always right for what holds no time, and only too
    /// careful for what holds sequence numbers.
    pub fn text(&mut self, of: &impl Debug) {
        let mut sum = Sum(0xcbf2_9ce4_8422_2325);
        // A sum takes everything.
        let _ = write!(sum, "{of:?}");
        self.words.push(sum.0);
    }

    /// One of our own sequence numbers.
    pub fn own(&mut self, seq: SeqNumber) {
        self.words.push(u64::from(seq - self.origin.own));
    }

    /// One of the peer's sequence numbers.
    pub fn peer(&mut self, seq: SeqNumber) {
        self.words.push(u64::from(seq - self.origin.peer));
    }

    /// A value that may be absent.
    pub fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.word(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// A deadline, or [`Instant::FAR_FUTURE`]. All that passed are alike.
    pub fn deadline(&mut self, at: Instant) {
        let left = at.saturating_since(self.origin.now).as_nanos() as u64;
        self.words.push(if at == Instant::FAR_FUTURE { u64::MAX } else { left });
    }

    /// A point in the past, of which it only matters how long ago it is, and from `most` on
    /// not even that.
    pub fn age(&mut self, at: Instant, most: Duration) {
        let age = self.origin.now.saturating_since(at).min(most);
        self.words.push(age.as_nanos() as u64);
    }

    /// A timestamp of either end (RFC 7323): their clocks tick together.
    pub fn stamp(&mut self, value: u32) {
        let now = self.origin.now.as_millis() as u32;
        self.words.push(u64::from(now.wrapping_sub(value)));
    }

    /// What the SYNs settled.
    pub(crate) fn negotiated(&mut self, negotiated: &Negotiated) {
        let Negotiated { peer_mss, snd_scale, rcv_scale, scaling, sack, timestamps } = *negotiated;
        self.word(peer_mss);
        self.bytes(&[snd_scale, rcv_scale, scaling.into(), sack.into(), timestamps.into()]);
    }
}

/// FNV-1a of a text that is never kept.
struct Sum(u64);

impl Write for Sum {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Ok(())
    }
}

impl HalfOpen {
    /// Writes the half-open connection down.
    pub fn canonical(&self, form: &mut Form) {
        form.own(self.opening.iss);
        form.peer(self.irs());
        form.negotiated(self.negotiated());
        form.stamp(self.ts_recent);
        form.word(self.rcv_wnd());
        form.word(self.retransmits());
        form.deadline(self.deadline());
        // Nobody knows when a SYN-ACK was sent that was rebuilt from a cookie.
        form.word(self.is_forgotten());
    }
}

impl TimeWait {
    /// Writes what is left of a connection down.
    pub fn canonical(&self, form: &mut Form) {
        let Self { snd_nxt, rcv_nxt, window, rcv_wnd, ts_recent, timestamp_offset: _, deadline } =
            *self;
        form.own(snd_nxt);
        form.peer(rcv_nxt);
        form.word(window);
        form.word(rcv_wnd);
        form.option(ts_recent, Form::stamp);
        form.deadline(deadline);
    }
}
