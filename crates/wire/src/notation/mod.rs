//! A TCP segment as a line of text, close to what tcpdump prints, and back.
//!
//! ```
//! use handclasp_wire::notation::{Base, Segment};
//! let line = "[S.] seq 0 ack 1 win 65160 <mss 1460, sackOK, TS val 7 ecr 3, nop, wscale 7>";
//! let segment = Segment::read(line, Base::ABSOLUTE)?;
//! assert_eq!(segment.display(Base::ABSOLUTE).to_string(), line);
//! # Ok::<(), handclasp_wire::notation::NotationError>(())
//! ```
//!
//! A line has, in this order: the flags' letters in brackets; `seq`; `ack`, if the segment has
//! the flag or the field is not zero; `win`, not scaled; `urg`, likewise; the options in angle
//! brackets, in the order in which they stand; `len`, if there is payload. Data that has no
//! other form is in hex. What is printed tells every byte of the options apart, padding and
//! malformed ones included, so that reading it gives the same bytes.

mod print;
mod read;

pub use print::{OptionList, OptionText, SegmentText};
pub use read::{NotationError, OPTION_NAMES, Problem, read_options};

use smallvec::SmallVec;

use crate::seq::SeqNumber;
use crate::tcp::emit::MAX_OPTIONS;
use crate::tcp::header::Flags;
use crate::tcp::view::TcpView;

/// What a line tells of a segment.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Segment {
    /// The control bits.
    pub flags: Flags,
    /// `seg.seq`.
    pub seq: SeqNumber,
    /// The acknowledgment field.
    pub ack: SeqNumber,
    /// The window field, not scaled.
    pub window: u16,
    /// The urgent pointer.
    pub urgent: u16,
    /// The options' bytes: see [`OptionIter`](crate::tcp::raw::OptionIter).
    pub options: SmallVec<[u8; MAX_OPTIONS]>,
    /// Bytes of payload.
    pub len: u32,
}

impl Segment {
    /// What a line would tell of this segment.
    #[must_use]
    pub fn of(tcp: &TcpView<'_>) -> Self {
        Self {
            flags: tcp.flags(),
            seq: tcp.seq(),
            ack: tcp.ack(),
            window: tcp.window(),
            urgent: tcp.urgent(),
            options: SmallVec::from_slice(tcp.option_bytes()),
            len: tcp.payload().len() as u32,
        }
    }
}

/// The numbers that a line counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Base {
    /// For `seq`: the sender's initial sequence number.
    pub seq: SeqNumber,
    /// For `ack` and the blocks of a SACK: the receiver's initial sequence number.
    pub ack: SeqNumber,
}

impl Base {
    /// Numbers as they stand in the header.
    pub const ABSOLUTE: Self = Self { seq: SeqNumber(0), ack: SeqNumber(0) };
}

/// The flags' letters, in tcpdump's order.
const LETTERS: [(Flags, char); 9] = [
    (Flags::FIN, 'F'),
    (Flags::SYN, 'S'),
    (Flags::RST, 'R'),
    (Flags::PSH, 'P'),
    (Flags::ACK, '.'),
    (Flags::URG, 'U'),
    (Flags::ECE, 'E'),
    (Flags::CWR, 'W'),
    (Flags::AE, 'e'),
];

/// What stands for no flag at all.
const NO_FLAGS: &str = "none";

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
