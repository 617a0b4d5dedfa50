//! Losses that duplicate ACKs show, where no SACK says what arrived (RFC 5681 §3.2, RFC 6582).

use handclasp_wire::seq::SeqNumber;

use super::DUP_THRESH;

/// Duplicate ACKs since the last that was none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Duplicates {
    count: u32,
    /// Bytes that they say have left the network, where no SACK says which: a segment each
    /// (RFC 5681 §3.2 step 4, RFC 9937 §6.2; the first two are RFC 3042's limited transmit).
    pub(crate) inflation: u32,
    /// Where the last recovery ended: duplicate ACKs of this number are echoes of our own
    /// retransmissions (RFC 6582 §3.2 step 1).
    passed: Option<SeqNumber>,
}

impl Duplicates {
    /// One more, with SACK: it only counts.
    pub(crate) fn count_one(&mut self) -> bool {
        self.count = self.count.saturating_add(1);
        self.count >= DUP_THRESH
    }

    /// One more, without SACK; whether it is the third or a later one. `most` is what can have
    /// left the network at all.
    pub(crate) fn guess_one(&mut self, smss: u32, most: u32, after_timeout: bool) -> bool {
        if self.passed.is_some() {
            return false;
        }
        if !after_timeout {
            self.inflation = self.inflation.saturating_add(smss).min(most);
        }
        self.count_one()
    }

    /// `una` moved on outside of recovery.
    pub(crate) fn reset(&mut self, una: SeqNumber) {
        let passed = self.passed.filter(|passed| una.le(*passed));
        *self = Self { passed, ..Self::default() };
    }

    /// `una` moved by `acked` in fast recovery: it covers what was sent again, and what
    /// duplicates stood for (RFC 6582 §3.2 step 5).
    pub(crate) fn deflate(&mut self, acked: u32, smss: u32) {
        let back = if acked >= smss { smss } else { 0 };
        self.inflation = self.inflation.saturating_sub(acked) + back;
    }

    /// Recovery ended with `una` at its very end.
    pub(crate) fn passed(&mut self, una: SeqNumber) {
        self.passed = Some(una);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.count == 0 && self.passed.is_none()
    }
}
