//! Whether a reduction was for nothing: every retransmission arrived twice (D-SACK, RFC 2883,
//! RFC 3708), or the ACK to the first answers the original (Eifel, RFC 3522).

use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::SackBlock;

/// What would prove that the losses of one recovery were none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Undo {
    /// `snd.una` when it began.
    marker: SeqNumber,
    /// The first retransmission: the number it began with, and its TSval.
    first: Option<(SeqNumber, u32)>,
    /// Bytes sent again that the peer has not reported as received twice.
    unproven: u32,
    /// Recovery is over; what is acknowledged beyond this has waited long enough for a proof.
    until: Option<SeqNumber>,
}

impl Undo {
    pub(crate) const fn new(una: SeqNumber) -> Self {
        Self { marker: una, first: None, unproven: 0, until: None }
    }

    /// `len` numbers from `seq` on left again, with this TSval.
    pub(crate) fn resent(&mut self, seq: SeqNumber, len: u32, stamp: u32) {
        self.first.get_or_insert((seq, stamp));
        self.unproven = self.unproven.saturating_add(len);
    }

    /// The peer received `block` twice. Returns whether nothing was sent again but in vain.
    pub(crate) fn doubled(&mut self, block: SackBlock) -> bool {
        if self.first.is_none() || self.unproven == 0 || block.left.lt(self.marker) {
            return false;
        }
        self.unproven = self.unproven.saturating_sub(block.right - block.left);
        self.unproven == 0
    }

    /// RFC 3522 §3.2: the ACK that first covers what was sent again echoes a timestamp from
    /// before.
    pub(crate) fn is_disproved_by(&self, una: SeqNumber, echo: u32) -> bool {
        self.first.is_some_and(|(seq, stamp)| una.gt(seq) && SeqNumber(echo).lt(SeqNumber(stamp)))
    }

    /// Recovery is over, `nxt` being next to send: for one more round trip a proof is waited for.
    pub(crate) fn recovered(&mut self, nxt: SeqNumber) {
        self.until = Some(nxt);
    }

    /// Whether a proof can still come.
    pub(crate) fn is_open(&self, una: SeqNumber) -> bool {
        self.until.is_none_or(|until| una.le(until))
    }
}
