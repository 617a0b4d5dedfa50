//! Losses that SACK blocks show by what they lie beyond (RFC 6675): for hosts whose clock is too
//! coarse for RACK.

use core::time::Duration;

use handclasp_wire::seq::SeqNumber;

use super::{DUP_THRESH, Trouble};
use crate::event::LossSign;
use crate::send::flight::{Fate, Flight, Losses, Sent, Verdict};

/// RFC 6675 §4's IsLost: three islands, or more than two segments, are held beyond it. What was
/// sent again is lost again once something sent clearly later has arrived.
pub(crate) fn mark_lost(
    flight: &mut Flight,
    smss: u32,
    newest: Option<&Sent>,
    reordering: Duration,
) -> Losses {
    if flight.sacked() == 0 {
        return Losses::default();
    }
    let (mut beyond, mut islands) = (0, 0);
    let mut edge = None;
    for sent in flight.ranges().rev().filter(|s| s.fate.contains(Fate::SACKED)) {
        beyond += sent.len;
        islands += 1;
        if beyond > (DUP_THRESH - 1) * smss || islands >= DUP_THRESH {
            edge = Some(sent.seq);
            break;
        }
    }
    let Some(edge) = edge else { return Losses::default() };
    flight.mark_lost(edge, LossSign::Sack, |sent| {
        let once = !sent.fate.contains(Fate::RESENT);
        match once || newest.is_some_and(|n| sent.sent_at + reordering < n.sent_at) {
            true => Verdict::Lost,
            false => Verdict::UnderWay,
        }
    })
}

impl Trouble {
    /// RFC 6675 §4's NextSeg, rules 3 and 4: what to send again when nothing known to be lost
    /// and no new data is left, so that the ACK clock does not stop. At first what was not sent
    /// again yet below something held; then, once in a recovery, the highest segment. Marked as
    /// lost, so that it is next.
    pub(crate) fn guess_next(
        &mut self,
        flight: &mut Flight,
        smss: u32,
        recover: SeqNumber,
    ) -> Losses {
        let held = flight.ranges().rev().find(|s| s.fate.contains(Fate::SACKED)).map(|s| s.seq);
        let candidate = |s: &&Sent| !s.fate.intersects(Fate::SACKED | Fate::LOST | Fate::RESENT);
        let hole = flight
            .ranges()
            .filter(candidate)
            .find(|s| s.seq.ge(self.high_rxt) && held.is_some_and(|held| s.seq.lt(held)));
        let (seq, len) = if let Some(hole) = hole {
            (hole.seq, hole.len.min(smss))
        } else {
            if self.rescued {
                return Losses::default();
            }
            let unsacked = |s: &&Sent| !s.fate.contains(Fate::SACKED) && s.seq.lt(recover);
            let Some(last) = flight.ranges().rev().find(unsacked) else {
                return Losses::default();
            };
            self.rescued = true;
            let back = (last.len - 1) / smss * smss;
            (last.seq + back, last.len - back)
        };
        flight.mark_range_lost(seq, len, LossSign::Rescue)
    }
}
