//! What one packet of a connection says, and where it leaves both ends.

use std::time::Duration;

use handclasp_tcp::State;
use handclasp_tcp::event::LossSign;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::{Flags, Options};
use handclasp_wire::time::Instant;

use super::note::{Note, Resent};
use super::{Both, Fate, Side};

/// How much of a payload's beginning a row keeps.
pub const PREVIEW: usize = 48;

/// A sequence number, counted from the sender's ISN and as it stands in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// From the ISN, which is 0.
    pub relative: u32,
    /// In the header.
    pub raw: u32,
}

impl Number {
    pub(crate) fn new(raw: SeqNumber, isn: SeqNumber) -> Self {
        Self { relative: raw - isn, raw: raw.0 }
    }

    /// The one or the other.
    #[must_use]
    pub const fn get(self, absolute: bool) -> u32 {
        if absolute { self.raw } else { self.relative }
    }
}

/// A segment in a connection's own numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// `seg.seq`.
    pub seq: Number,
    /// `seg.ack`, where the ACK bit makes it count.
    pub ack: Option<Number>,
    /// The control bits.
    pub flags: Flags,
    /// The window field.
    pub raw_window: u16,
    /// The window's scale, as far as the handshake was seen; 0 on a SYN.
    pub scale: u8,
    /// The options.
    pub options: Options,
    /// The SACK blocks among them, numbered as `ack` is.
    pub sack: Vec<(Number, Number)>,
    /// Bytes of payload.
    pub len: usize,
    /// The payload's beginning.
    pub preview: Vec<u8>,
}

impl Segment {
    /// The window in bytes.
    #[must_use]
    pub const fn window(&self) -> u32 {
        (self.raw_window as u32) << self.scale
    }
}

/// An end's state as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Known {
    /// The state; `None` if nothing tells it.
    pub state: Option<State>,
    /// Whether the end was asked; otherwise it follows from the packets.
    pub read: bool,
}

/// One packet of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number in the connection, from 1.
    pub number: u64,
    /// When it was seen.
    pub at: Instant,
    /// How long after the connection's first.
    pub since_start: Duration,
    /// Who sent it.
    pub from: Side,
    /// What it says.
    pub segment: Segment,
    /// Where it leaves both ends.
    pub states: Both<Known>,
    /// What became of it.
    pub fate: Fate,
    /// Whether a state changed.
    pub turning: bool,
    /// What it means.
    pub notes: Vec<Note>,
}

impl Row {
    /// The sender told why it sent this data again: it knows better than who watches the link.
    pub fn sent_again_for(&mut self, why: LossSign) {
        for note in &mut self.notes {
            if let Note::Again { what: what @ (Resent::Data | Resent::Wanted { .. }), .. } = note {
                *what = Resent::Told { why };
            }
        }
    }

    /// Whether it is one more packet of data, or its acknowledgment, and nothing else.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        !self.turning && self.notes.is_empty() && self.fate == Fate::Arrived
    }
}
