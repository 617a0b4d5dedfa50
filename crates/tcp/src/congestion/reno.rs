//! NewReno's window (RFC 5681; what is resent when is the sender's affair).

use alloc::boxed::Box;

use handclasp_wire::time::Instant;

use super::{CWND_MAX, Controller, RateSample, SLOW_START_SEGMENTS, Start};
use crate::config::Algorithm;

/// Slow start and congestion avoidance, counted in bytes (RFC 3465).
#[derive(Clone, Debug)]
pub struct Reno {
    mss: u32,
    cwnd: u32,
    ssthresh: u32,
    /// Bytes acknowledged since the window last grew in congestion avoidance.
    acked: u32,
    paced: bool,
    abe: bool,
    /// `cwnd` and `ssthresh` before the last reduction.
    prior: (u32, u32),
}

impl Reno {
    /// Starts anew.
    #[must_use]
    pub const fn new(start: &Start) -> Self {
        Self {
            mss: start.mss,
            cwnd: start.initial,
            ssthresh: u32::MAX,
            acked: 0,
            paced: start.paced,
            abe: start.abe,
            prior: (0, 0),
        }
    }

    /// RFC 5681 §3.1 equation 4.
    fn halve(&mut self, in_flight: u32) {
        self.prior = (self.cwnd, self.ssthresh);
        self.ssthresh = (in_flight / 2).max(2 * self.mss);
    }
}

impl Controller for Reno {
    fn algorithm(&self) -> Algorithm {
        Algorithm::Reno
    }

    fn cwnd(&self) -> u32 {
        self.cwnd
    }

    fn ssthresh(&self) -> u32 {
        self.ssthresh
    }

    fn acked(&mut self, sample: &RateSample) {
        if !sample.may_grow() {
            return;
        }
        let mut acked = sample.newly_delivered;
        if self.cwnd < self.ssthresh {
            let most = if self.paced { acked } else { SLOW_START_SEGMENTS * self.mss };
            let grown = self.cwnd.saturating_add(acked.min(most)).min(self.ssthresh);
            acked = acked.saturating_sub(grown - self.cwnd);
            self.cwnd = grown;
        }
        // One segment per window of acknowledged bytes (RFC 5681 §3.1).
        self.acked = self.acked.saturating_add(acked);
        if self.cwnd >= self.ssthresh && self.acked >= self.cwnd {
            self.acked -= self.cwnd;
            self.cwnd = self.cwnd.saturating_add(self.mss);
        }
        self.cwnd = self.cwnd.min(CWND_MAX);
    }

    fn lost(&mut self, _now: Instant, in_flight: u32) {
        self.halve(in_flight);
        self.cwnd = self.ssthresh;
        self.acked = 0;
    }

    fn marked(&mut self, now: Instant, in_flight: u32) {
        self.lost(now, in_flight);
        if self.abe {
            // RFC 8511 §3: four fifths, where a queue that marks is a short one.
            self.ssthresh = (in_flight / 5 * 4).max(self.ssthresh);
            self.cwnd = self.ssthresh;
        }
        self.recovered(now);
    }

    fn timed_out(&mut self, _now: Instant, in_flight: u32, first: bool) {
        if first {
            self.halve(in_flight);
        }
        self.cwnd = self.mss;
        self.acked = 0;
    }

    fn undo(&mut self, _now: Instant) {
        let (cwnd, ssthresh) = core::mem::take(&mut self.prior);
        self.cwnd = self.cwnd.max(cwnd);
        self.ssthresh = self.ssthresh.max(ssthresh);
    }

    fn restarted(&mut self, _now: Instant, window: u32) {
        self.cwnd = self.cwnd.min(window);
    }

    fn set_windows(&mut self, cwnd: u32, ssthresh: u32) {
        (self.cwnd, self.ssthresh) = (cwnd.max(self.mss), ssthresh);
        self.acked = 0;
    }

    fn set_mss(&mut self, mss: u32) {
        // The window stays as many bytes; at least one segment must fit.
        self.mss = mss;
        self.cwnd = self.cwnd.max(mss);
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}
