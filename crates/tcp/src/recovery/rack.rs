//! Losses told by time (RACK, RFC 8985 §6): what was sent a round trip and a reordering window
//! before something that arrived is lost.

use core::time::Duration;

use handclasp_wire::seq::SeqNumber;
use handclasp_wire::time::Instant;

use super::DUP_THRESH;
use crate::event::LossSign;
use crate::send::flight::{Delivery, Fate, Flight, Losses, Verdict};

/// Recoveries for which a window that grew stays as it is (RFC 8985 §6.2).
const PERSIST: u8 = 16;

/// How much the path reorders, as far as is known: RFC 8985's RACK.reordering_seen,
/// RACK.reo_wnd_mult and RACK.reo_wnd_persist.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reordering {
    pub(crate) seen: bool,
    mult: u8,
    persist: u8,
}

impl Default for Reordering {
    fn default() -> Self {
        Self { seen: false, mult: 1, persist: PERSIST }
    }
}

impl Reordering {
    /// A retransmission proved to have been for nothing.
    fn grow(&mut self) {
        self.mult = self.mult.saturating_add(1);
        self.persist = PERSIST;
    }

    /// A recovery ended (RFC 8985 §6.2 step 4).
    pub(crate) fn recovered(&mut self) {
        self.persist = self.persist.saturating_sub(1);
        if self.persist == 0 {
            self.mult = 1;
        }
    }
}

/// The segment sent last of all that arrived.
#[derive(Clone, Copy, Debug)]
struct Newest {
    sent_at: Instant,
    end: SeqNumber,
    rtt: Duration,
}

/// RFC 8985 §5.3's variables that live with a flight.
#[derive(Clone, Debug)]
pub(crate) struct Rack {
    newest: Option<Newest>,
    /// RACK.fack: the highest number delivered.
    fack: SeqNumber,
    /// RACK.dsack_round: D-SACKs until this is acknowledged are of one round.
    dsack_round: Option<SeqNumber>,
}

/// What the size of the reordering window depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path {
    pub(crate) reordering: Reordering,
    pub(crate) min_rtt: Duration,
    pub(crate) srtt: Duration,
    /// Losses are being repaired.
    pub(crate) recovering: bool,
}

impl Path {
    /// RACK.reo_wnd (RFC 8985 §6.2 step 4).
    fn window(&self, flight: &Flight) -> Duration {
        let quick = || self.recovering || flight.sacked_segments() >= DUP_THRESH;
        if !self.reordering.seen && quick() {
            return Duration::ZERO;
        }
        (self.min_rtt / 4 * u32::from(self.reordering.mult)).min(self.srtt)
    }
}

impl Rack {
    pub(crate) const fn new(una: SeqNumber) -> Self {
        Self { newest: None, fack: una, dsack_round: None }
    }

    /// Steps 1 to 3: something arrived. Returns whether it shows for the first time that the
    /// path reorders.
    pub(crate) fn delivered(
        &mut self,
        reordering: &mut Reordering,
        delivery: &Delivery,
        now: Instant,
    ) -> bool {
        if let Some(sent) = delivery.proven
            && self.newest.is_none_or(|n| sent.sent_after(n.sent_at, n.end))
        {
            self.newest =
                Some(Newest { sent_at: sent.sent_at, end: sent.end(), rtt: now - sent.sent_at });
        }
        let seen = delivery.first_original.is_some_and(|seq| seq.lt(self.fack));
        self.fack = delivery.highest.map_or(self.fack, |highest| self.fack.max(highest));
        let news = seen && !reordering.seen;
        reordering.seen |= seen;
        news
    }

    /// A D-SACK came: the window grows, once in a round trip (step 4).
    pub(crate) fn duplicate_reported(
        &mut self,
        reordering: &mut Reordering,
        una: SeqNumber,
        nxt: SeqNumber,
    ) {
        if self.round_is_over(una) {
            self.dsack_round = Some(nxt);
            reordering.grow();
        }
    }

    /// Whether another D-SACK would be of a new round trip.
    pub(crate) fn round_is_over(&self, una: SeqNumber) -> bool {
        self.dsack_round.is_none_or(|round| una.ge(round))
    }

    /// Step 5: marks what is lost; returns it, and when to look again if something may prove
    /// lost by time alone.
    pub(crate) fn detect(
        &self,
        flight: &mut Flight,
        path: &Path,
        nxt: SeqNumber,
        now: Instant,
    ) -> (Losses, Option<Instant>) {
        let Some(newest) = self.newest else { return (Losses::default(), None) };
        let patience = newest.rtt + path.window(flight);
        let mut again: Option<Instant> = None;
        let losses = flight.mark_lost(nxt, LossSign::Rack, |sent| {
            if sent.sent_after(newest.sent_at, newest.end) {
                // Those sent once left in the order of their numbers: nothing behind this one
                // left before it, be it sent again since or not.
                let once = !sent.fate.contains(Fate::RESENT);
                return if once { Verdict::Stop } else { Verdict::UnderWay };
            }
            let deadline = sent.sent_at + patience;
            if deadline <= now {
                return Verdict::Lost;
            }
            again = again.max(Some(deadline));
            Verdict::UnderWay
        });
        (losses, again)
    }

    /// §6.3: a timeout makes the first segment lost, and what was sent so long ago that it should
    /// have arrived.
    pub(crate) fn timed_out(
        &self,
        flight: &mut Flight,
        path: &Path,
        nxt: SeqNumber,
        now: Instant,
        smss: u32,
    ) -> Losses {
        let rtt = self.newest.map_or(path.srtt, |n| n.rtt);
        let patience = rtt + path.window(flight);
        let first = flight.mark_first_lost(smss, LossSign::Timeout);
        let others = flight.mark_lost(nxt, LossSign::Timeout, |sent| {
            if sent.sent_at + patience <= now { Verdict::Lost } else { Verdict::UnderWay }
        });
        Losses { bytes: first.bytes + others.bytes, again: first.again + others.again }
    }
}
