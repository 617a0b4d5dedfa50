//! What one end of a connection has shown of itself.

use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::SackBlocks;
use handclasp_wire::time::Instant;

use super::stamp::Stamp;
use super::unacked::Unacked;
use super::{Marks, Scale};

/// One end. Its fields tell of the segments that it sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Half {
    /// Its ISN, or what comes before the first number that was seen.
    pub(super) base: Option<SeqNumber>,
    /// The number behind the highest that was seen.
    pub(super) next: Option<SeqNumber>,
    /// When that was sent, and in which frame.
    pub(super) next_at: Instant,
    pub(super) next_frame: u64,
    /// The number behind the highest up to which nothing is missing.
    pub(super) max_ack: Option<SeqNumber>,
    /// The acknowledgment field of its last segment; zero before the first.
    pub(super) last_ack: SeqNumber,
    pub(super) last_ack_at: Instant,
    /// The window field of its last segment, not scaled.
    pub(super) window: u16,
    /// Whether that segment was a SYN, whose window is not scaled.
    pub(super) in_syn: bool,
    pub(super) scale: Scale,
    /// How often its last acknowledgment was repeated.
    pub(super) duplicates: u32,
    /// Whether an acknowledgment of what was not captured was told of, with nothing since.
    pub(super) told_lost: bool,
    /// The frame that had its last acknowledgment first.
    pub(super) first_ack_frame: u64,
    /// Its last segment's marks.
    pub(super) marks: Marks,
    pub(super) unacked: Unacked,
    /// Whether a gap in what it sent makes it unknown how much is in flight.
    pub(super) gap: bool,
    /// The blocks that it last said it has.
    pub(super) sack: SackBlocks,
    /// What tells in which order it sent them.
    pub(super) stamp: Stamp,
    /// Bytes since its last PSH.
    pub(super) unpushed: u32,
}

impl Half {
    /// By how much the window of its last segment is shifted.
    pub(super) fn shift(&self) -> u8 {
        if self.in_syn { 0 } else { self.scale.shift() }
    }
}
