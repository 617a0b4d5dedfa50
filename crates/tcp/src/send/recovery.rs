//! What was lost, and when it may be sent again: RFC 6582 without SACK, RFC 6675 with.

use handclasp_wire::seq::SeqNumber;

use super::flight::{Fate, Flight, Sent};

/// Duplicate ACKs, or segments held beyond a gap, that make a loss (RFC 5681 §3.2).
const DUP_THRESH: u32 = 3;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    /// Fast recovery, until everything that was in flight when it began is acknowledged.
    Fast { recover: SeqNumber },
    /// After a timeout, likewise.
    Loss { recover: SeqNumber },
}

/// Where loss recovery stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recovery {
    phase: Phase,
    dup_acks: u32,
    /// Bytes that duplicate ACKs say have left the network, where no SACK says which
    /// (RFC 5681 §3.2 step 4; the first two are RFC 3042's limited transmit).
    inflation: u32,
    /// Where the last recovery ended: duplicate ACKs of this number are echoes of our own
    /// retransmissions (RFC 6582 §3.2 step 1).
    passed: Option<SeqNumber>,
    /// The next retransmission goes out whatever the window says (RFC 6675 §5 step 4.3).
    pub(crate) first_resend: bool,
}

impl Recovery {
    pub(crate) fn is_fast(&self) -> bool {
        matches!(self.phase, Phase::Fast { .. })
    }

    pub(crate) fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    pub(crate) fn inflation(&self) -> u32 {
        self.inflation
    }

    pub(crate) fn enter_fast(&mut self, recover: SeqNumber) {
        self.phase = Phase::Fast { recover };
        self.first_resend = true;
    }

    pub(crate) fn enter_loss(&mut self, recover: SeqNumber) {
        *self = Self { phase: Phase::Loss { recover }, first_resend: true, ..Self::default() };
    }

    /// A duplicate ACK came; whether it is the third or a later one.
    pub(crate) fn duplicate_ack(&mut self, smss: u32, sack: bool) -> bool {
        if !sack && self.passed.is_some() {
            return false;
        }
        self.dup_acks = self.dup_acks.saturating_add(1);
        if !sack && !matches!(self.phase, Phase::Loss { .. }) {
            self.inflation = self.inflation.saturating_add(smss);
        }
        self.dup_acks >= DUP_THRESH
    }

    /// `una` moved by `acked`; returns whether this was a partial acknowledgment in fast
    /// recovery (RFC 6582 §3.2 step 5).
    pub(crate) fn progress(&mut self, una: SeqNumber, acked: u32, smss: u32, sack: bool) -> bool {
        match self.phase {
            Phase::Open => {
                self.dup_acks = 0;
                self.inflation = 0;
                self.passed = self.passed.filter(|passed| una.le(*passed));
                false
            }
            Phase::Fast { recover } | Phase::Loss { recover } if una.ge(recover) => {
                *self = Self { passed: (una == recover).then_some(recover), ..Self::default() };
                false
            }
            Phase::Fast { .. } => {
                let back = if acked >= smss && !sack { smss } else { 0 };
                self.inflation = self.inflation.saturating_sub(acked) + back;
                true
            }
            Phase::Loss { .. } => false,
        }
    }
}

/// RFC 6675 §4's IsLost: three islands, or more than two segments, are held beyond it. A range
/// that was sent again is lost again once something sent clearly later has arrived. Returns the
/// bytes newly marked.
pub(crate) fn mark_lost_by_sack(
    flight: &mut Flight,
    smss: u32,
    newest: Option<&Sent>,
    reordering: core::time::Duration,
) -> u32 {
    if flight.sacked() == 0 {
        return 0;
    }
    let (mut beyond, mut islands) = (0, 0);
    let mut edge = None;
    let mut on_land = false;
    for sent in flight.ranges().rev() {
        let was_on_land = core::mem::replace(&mut on_land, sent.fate.contains(Fate::SACKED));
        if on_land {
            beyond += sent.len;
            islands += u32::from(!was_on_land);
            if beyond > (DUP_THRESH - 1) * smss || islands >= DUP_THRESH {
                edge = Some(sent.seq);
                break;
            }
        }
    }
    let Some(edge) = edge else { return 0 };
    flight.mark_lost(edge, |sent| {
        !sent.fate.contains(Fate::RESENT)
            || newest.is_some_and(|n| sent.sent_at + reordering < n.sent_at)
    })
}
