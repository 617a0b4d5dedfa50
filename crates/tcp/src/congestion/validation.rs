//! A congestion window that the application does not use is a guess that grows old
//! (RFC 7661).

use core::time::Duration;

use handclasp_wire::seq::SeqNumber;
use handclasp_wire::time::Instant;

use super::Controller;

/// How long an unused window is kept (RFC 7661 §4.4: at most five minutes).
const NON_VALIDATED_PERIOD: Duration = Duration::from_secs(300);
/// RFC 7661 §4.2: the sampling period is three round trips, and no less than this.
const SAMPLING_PERIOD_MIN: Duration = Duration::from_secs(1);

/// Whether the congestion window is what holds the sender back.
#[derive(Clone, Debug)]
pub(crate) struct Usage {
    /// The most that was in flight in this round, and whether that was all the window let out.
    most: u32,
    full: bool,
    round_end: SeqNumber,
}

impl Usage {
    pub(crate) const fn new(iss: SeqNumber) -> Self {
        Self { most: 0, full: false, round_end: iss }
    }

    /// Something left; `room` is what the window would let out now.
    pub(crate) fn sent(
        &mut self,
        una: SeqNumber,
        nxt: SeqNumber,
        in_flight: u32,
        room: u32,
        smss: u32,
    ) {
        let full = room < smss;
        if una.ge(self.round_end) || full || !self.full && in_flight > self.most {
            *self = Self { most: in_flight, full, round_end: nxt };
        }
    }

    /// The most that was in flight in this round.
    pub(crate) const fn most(&self) -> u32 {
        self.most
    }

    /// Whether the window may grow: it was used up, or in slow start, where it doubles, half of
    /// it was.
    pub(crate) fn is_cwnd_limited(&self, controller: &dyn Controller) -> bool {
        let cwnd = controller.cwnd();
        self.full || cwnd < controller.ssthresh() && cwnd < self.most.saturating_mul(2)
    }
}

/// RFC 7661's state, for controllers whose window is their only measure of the path. Every
/// connection has one: [`NEVER`] stands for what is not known, to keep it small.
#[derive(Clone, Debug)]
pub(crate) struct Validation {
    /// When this half of the sampling period began, and the greatest rounds of this one and of
    /// the one before; `NEVER` while pipeACK is undefined.
    since: Instant,
    recent: u32,
    before: u32,
    /// Bytes acknowledged in the round that ends at `round_end`, if one is measured.
    acked: u32,
    round_end: Option<SeqNumber>,
    /// Since when the window has not been validated, or `NEVER`.
    unused_since: Instant,
    /// What the window was taken to be when a loss ended that, and how much had been sent
    /// again before, modulo 2³².
    lost: Option<(u32, u32)>,
}

const NEVER: Instant = Instant::FAR_FUTURE;

impl Validation {
    pub(crate) const fn new() -> Self {
        Self {
            since: NEVER,
            recent: 0,
            before: 0,
            acked: 0,
            round_end: None,
            unused_since: NEVER,
            lost: None,
        }
    }

    /// pipeACK: the most that was acknowledged in a round trip of late; `None` if that is not
    /// known.
    fn pipe_ack(&self) -> Option<u32> {
        (self.since != NEVER).then(|| self.recent.max(self.before))
    }

    /// `bytes` were acknowledged, outside of recovery (RFC 7661 §4.2).
    pub(crate) fn acked(
        &mut self,
        now: Instant,
        bytes: u32,
        una: SeqNumber,
        nxt: SeqNumber,
        srtt: Duration,
    ) {
        self.acked += bytes;
        let Some(end) = self.round_end else {
            (self.acked, self.round_end) = (0, Some(nxt));
            return;
        };
        if una.lt(end) {
            return;
        }
        let sample = core::mem::take(&mut self.acked);
        let half = (srtt * 3).max(SAMPLING_PERIOD_MIN) / 2;
        if self.since == NEVER || now - self.since >= half {
            let stale = self.since == NEVER || now - self.since >= 2 * half;
            self.before = if stale { 0 } else { self.recent };
            (self.since, self.recent) = (now, 0);
        }
        self.recent = self.recent.max(sample);
        self.round_end = Some(nxt);
    }

    /// Enters or leaves the non-validated phase; one that lasts too long costs half of the
    /// window (RFC 7661 §4.4, §4.4.3).
    pub(crate) fn judge(&mut self, now: Instant, initial: u32, controller: &mut dyn Controller) {
        let cwnd = controller.cwnd();
        if self.pipe_ack().is_none_or(|pipe| pipe >= cwnd / 2) {
            self.unused_since = NEVER;
            return;
        }
        self.unused_since = self.unused_since.min(now);
        if now - self.unused_since < NON_VALIDATED_PERIOD || cwnd <= initial {
            return;
        }
        let ssthresh = controller.ssthresh().max(cwnd / 4 * 3);
        controller.set_windows((cwnd / 2).max(initial), ssthresh);
        self.unused_since = now;
    }

    /// A loss was found while `in_flight` bytes were under way, and the controller has reduced
    /// its window; one that was not validated is not worth that much (RFC 7661 §4.4.1).
    pub(crate) fn lost(
        &mut self,
        in_flight: u32,
        resent: u64,
        mss: u32,
        controller: &mut dyn Controller,
    ) {
        if core::mem::replace(&mut self.unused_since, NEVER) == NEVER {
            return;
        }
        let known = self.pipe_ack().unwrap_or(0).max(in_flight);
        let half = (known / 2).max(mss);
        controller
            .set_windows(controller.cwnd().min(half), controller.ssthresh().min(half.max(2 * mss)));
        self.lost = Some((known, resent as u32));
    }

    /// Recovery is over, in which `resent` minus what it was before was sent again.
    pub(crate) fn recovered(&mut self, resent: u64, mss: u32, controller: &mut dyn Controller) {
        self.forget();
        let Some((known, before)) = self.lost.take() else { return };
        let again = (resent as u32).wrapping_sub(before);
        let half = (known.saturating_sub(again) / 2).max(mss);
        controller.set_windows(controller.cwnd().min(half), controller.ssthresh());
    }

    /// The loss was none.
    pub(crate) fn undone(&mut self) {
        self.lost = None;
    }

    /// The retransmission timer fired: the window begins anew.
    pub(crate) fn timed_out(&mut self) {
        self.forget();
        self.lost = None;
    }

    /// pipeACK is undefined until it is measured again.
    fn forget(&mut self) {
        *self = Self { lost: self.lost, ..Self::new() };
    }
}

#[cfg(test)]
#[path = "validation_tests.rs"]
mod tests;
