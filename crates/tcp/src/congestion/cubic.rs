//! CUBIC (RFC 9438), with HyStart++ (RFC 9406) for the first slow start.

use alloc::boxed::Box;
use core::time::Duration;

use handclasp_wire::time::Instant;

use super::hystart::{Growth, HyStart};
use super::{CWND_MAX, Controller, RateSample, SLOW_START_SEGMENTS, Start};
use crate::config::Algorithm;

/// In segments per second cubed (RFC 9438 §5.1).
const C: f64 = 0.4;
/// What is left of the window after a loss (RFC 9438 §4.6).
const BETA: f64 = 0.7;
/// What a mark leaves of it, where that may be more (RFC 8511 §3).
const BETA_ECN: f64 = 0.85;
/// What Reno's window must grow by each round trip to do as well with [`BETA`] as it does with
/// a half (RFC 9438 §4.3).
const ALPHA: f64 = 3.0 * (1.0 - BETA) / (1.0 + BETA);

/// A window that is a cubic function of the time since the last loss. Bytes where nothing
/// else is said.
#[derive(Clone, Debug)]
pub struct Cubic {
    mss: u32,
    cwnd: f64,
    ssthresh: u32,
    /// The window before the last reduction, lowered where that came before it was reached
    /// again; zero if nothing is known.
    w_max: f64,
    /// The window before the last reduction, as it was.
    prior: f64,
    epoch: Option<Epoch>,
    /// Up to when the epoch's clock has run.
    clock: Instant,
    hystart: Option<HyStart>,
    paced: bool,
    abe: bool,
    undo: Option<Box<Undo>>,
}

/// What it was before the last reduction (RFC 9438 §4.9).
#[derive(Clone, Copy, Debug)]
struct Undo {
    cwnd: f64,
    ssthresh: u32,
    w_max: f64,
    prior: f64,
    epoch: Option<Epoch>,
}

/// A stretch of congestion avoidance.
#[derive(Clone, Copy, Debug)]
struct Epoch {
    /// Time in which the window was in use, in seconds.
    elapsed: f64,
    /// When the function reaches `origin`, in seconds (RFC 9438 §4.2).
    k: f64,
    /// Where its plateau lies.
    origin: f64,
    /// What Reno's window would be.
    w_est: f64,
}

impl Cubic {
    /// Starts anew.
    #[must_use]
    pub fn new(start: &Start) -> Self {
        Self {
            mss: start.mss,
            cwnd: f64::from(start.initial),
            ssthresh: u32::MAX,
            w_max: 0.0,
            prior: 0.0,
            epoch: None,
            clock: start.now,
            hystart: Some(HyStart::new()),
            paced: start.paced,
            abe: start.abe,
            undo: None,
        }
    }

    /// RFC 9438 §4.10.
    fn slow_start(&mut self, sample: &RateSample) {
        let growth = match &mut self.hystart {
            Some(hystart) => hystart.acked(sample),
            None => Growth::Divided(1),
        };
        let Growth::Divided(by) = growth else {
            self.hystart = None;
            self.ssthresh = self.cwnd();
            return;
        };
        // Nothing is let out in bursts where it is paced (RFC 9406 §4.3).
        let most = if self.paced { u32::MAX } else { SLOW_START_SEGMENTS * self.mss };
        self.cwnd += f64::from(sample.newly_delivered.min(most) / by);
    }

    /// RFC 9438 §4.2 to §4.5.
    fn avoid_congestion(&mut self, sample: &RateSample) {
        let (mss, cwnd) = (f64::from(self.mss), self.cwnd);
        let in_use = sample.now - self.clock;
        let known = self.w_max;
        let epoch = self.epoch.get_or_insert_with(|| Epoch::begin(cwnd, known, mss));
        epoch.elapsed += in_use.as_secs_f64();
        let acked = f64::from(sample.newly_delivered);
        // Once it is where it was, Reno's window grows as Reno's does (RFC 9438 §4.3).
        let alpha = if epoch.w_est >= self.prior { 1.0 } else { ALPHA };
        epoch.w_est += alpha * mss * acked / cwnd;
        let rtt = sample.srtt.unwrap_or(Duration::ZERO).as_secs_f64();
        if epoch.window(epoch.elapsed, mss) < epoch.w_est {
            self.cwnd = cwnd.max(epoch.w_est);
        } else {
            let target = epoch.window(epoch.elapsed + rtt, mss).clamp(cwnd, 1.5 * cwnd);
            self.cwnd += (target - cwnd) * acked / cwnd;
        }
    }

    fn remember(&mut self) {
        let Self { cwnd, ssthresh, w_max, prior, epoch, .. } = *self;
        self.undo = Some(Box::new(Undo { cwnd, ssthresh, w_max, prior, epoch }));
    }

    /// What is left of `window` after a loss (RFC 9438 §4.6).
    fn reduced(&self, window: f64) -> u32 {
        ((window * BETA) as u32).max(2 * self.mss)
    }
}

impl Epoch {
    /// Begins at the window `cwnd`; `w_max` is the plateau to come back to, if that is higher.
    fn begin(cwnd: f64, w_max: f64, mss: f64) -> Self {
        let origin = w_max.max(cwnd);
        let k = cube_root((origin - cwnd) / mss / C);
        Self { elapsed: 0.0, k, origin, w_est: cwnd }
    }

    /// RFC 9438 figure 1.
    fn window(&self, t: f64, mss: f64) -> f64 {
        let t = t - self.k;
        self.origin + C * t * t * t * mss
    }
}

/// `core` has none. Newton's steps from above, which fall until they stand still.
fn cube_root(of: f64) -> f64 {
    if of <= 0.0 {
        return 0.0;
    }
    let mut root = of.max(1.0);
    loop {
        let next = (2.0 * root + of / (root * root)) / 3.0;
        if next >= root {
            return root;
        }
        root = next;
    }
}

impl Controller for Cubic {
    fn algorithm(&self) -> Algorithm {
        Algorithm::Cubic
    }

    fn cwnd(&self) -> u32 {
        self.cwnd as u32
    }

    fn ssthresh(&self) -> u32 {
        self.ssthresh
    }

    fn sends(&mut self, now: Instant, in_flight: u32, _app_limited: bool) {
        // Silence is no time in which the window could have grown (RFC 9438 §4.2).
        if in_flight == 0 {
            self.clock = now;
        }
    }

    fn acked(&mut self, sample: &RateSample) {
        if sample.may_grow() {
            if self.cwnd() <= self.ssthresh {
                self.slow_start(sample);
            } else {
                self.avoid_congestion(sample);
            }
            self.cwnd = self.cwnd.min(f64::from(CWND_MAX));
        }
        self.clock = sample.now;
    }

    fn lost(&mut self, _now: Instant, _in_flight: u32) {
        self.remember();
        // Fast convergence (RFC 9438 §4.7).
        let gave_way = self.cwnd < self.w_max;
        self.w_max = if gave_way { self.cwnd * (1.0 + BETA) / 2.0 } else { self.cwnd };
        self.prior = self.cwnd;
        self.ssthresh = self.reduced(self.cwnd);
        self.cwnd = f64::from(self.ssthresh);
        self.epoch = None;
        // RFC 9406 §4.3: for the first slow start only.
        self.hystart = None;
    }

    fn marked(&mut self, now: Instant, in_flight: u32) {
        self.lost(now, in_flight);
        if self.abe {
            self.ssthresh = ((self.prior * BETA_ECN) as u32).max(self.ssthresh);
            self.cwnd = f64::from(self.ssthresh);
        }
        self.recovered(now);
    }

    fn timed_out(&mut self, _now: Instant, _in_flight: u32, first: bool) {
        if first {
            self.remember();
            self.prior = self.cwnd;
            self.ssthresh = self.reduced(self.cwnd);
        }
        self.cwnd = f64::from(self.mss);
        // The next plateau is where congestion avoidance begins (RFC 9438 §4.8).
        self.w_max = 0.0;
        self.epoch = None;
        self.hystart = None;
    }

    fn undo(&mut self, _now: Instant) {
        // What has grown beyond that meanwhile stays as it is (RFC 9438 §4.9.2).
        let Some(undo) = self.undo.take().filter(|undo| self.cwnd < undo.cwnd) else { return };
        let Undo { cwnd, ssthresh, w_max, prior, epoch } = *undo;
        (self.cwnd, self.w_max, self.prior, self.epoch) = (cwnd, w_max, prior, epoch);
        self.ssthresh = self.ssthresh.max(ssthresh);
    }

    fn restarted(&mut self, _now: Instant, window: u32) {
        self.cwnd = self.cwnd.min(f64::from(window));
        self.epoch = None;
    }

    fn set_windows(&mut self, cwnd: u32, ssthresh: u32) {
        self.cwnd = f64::from(cwnd.max(self.mss));
        self.ssthresh = ssthresh;
        self.epoch = None;
    }

    fn set_mss(&mut self, mss: u32) {
        self.mss = mss;
        self.cwnd = self.cwnd.max(f64::from(mss));
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
#[path = "cubic_tests.rs"]
mod tests;
