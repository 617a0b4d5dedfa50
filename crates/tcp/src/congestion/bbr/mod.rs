//! BBR, version 3 (draft-ietf-ccwg-bbr): a model of the path, its bandwidth and its round trip,
//! from which both the rate and the window follow.
//!
//! `model` holds what was measured, `cycle` the states that decide what is measured next,
//! `window` what follows for the window. Names are the draft's, without its prefix.

mod cycle;
mod model;
mod window;

use alloc::boxed::Box;
use core::time::Duration;

use handclasp_wire::time::Instant;

use super::{Controller, LossSample, RateSample, Start};
use crate::config::Algorithm;
use cycle::{Probe, State};
use model::Model;

/// What loses more than this in a hundred of what was in flight holds too much (LossThresh).
const LOSS_THRESH: u64 = 2;
/// What is left of the short-term bounds after a round with losses, in percent (Beta).
const BETA: u64 = 70;
/// What is left free below the long-term bound for others, in percent (Headroom).
const HEADROOM: u64 = 15;
/// Kept below the estimated bandwidth, in percent, so that no queue builds up by error.
const PACING_MARGIN: u64 = 1;
/// Segments that keep a delayed-ACK receiver answering (MinPipeCwnd).
const MIN_PIPE_SEGMENTS: u64 = 4;
/// The rate before the first round trip is measured is the initial window in so long.
const ASSUMED_RTT: Duration = Duration::from_millis(1);

/// The controller.
#[derive(Clone, Debug)]
pub struct Bbr {
    mss: u64,
    initial: u64,
    cwnd: u64,
    /// The window to come back to after recovery or ProbeRTT.
    prior_cwnd: u64,
    pacing_rate: u64,
    state: State,
    model: Model,
    probe: Probe,
    /// The window of fast recovery's first round trip follows what is delivered.
    conserving: bool,
    in_recovery: bool,
    /// Nothing was in flight when data began to leave.
    idle_restart: bool,
    /// A stream of random numbers: xorshift's state.
    chance: u32,
}

impl Bbr {
    /// Starts anew.
    #[must_use]
    pub fn new(start: &Start) -> Self {
        let initial = u64::from(start.initial);
        let mut bbr = Self {
            mss: u64::from(start.mss),
            initial,
            cwnd: initial,
            prior_cwnd: 0,
            pacing_rate: 0,
            state: State::Startup,
            model: Model::new(start.now, start.srtt),
            probe: Probe::new(start.now),
            conserving: false,
            in_recovery: false,
            idle_restart: false,
            chance: start.seed | 1,
        };
        let rtt = start.srtt.unwrap_or(ASSUMED_RTT);
        bbr.pacing_rate = per_second(percent(initial, State::Startup.pacing_gain()), rtt);
        bbr
    }

    /// A number below `bound`.
    fn random(&mut self, bound: u32) -> u32 {
        let x = &mut self.chance;
        *x ^= *x << 13;
        *x ^= *x >> 17;
        *x ^= *x << 5;
        *x % bound
    }

    /// BBRUpdateModelAndState.
    fn update_model_and_state(&mut self, sample: &RateSample) {
        self.model.update_latest_delivery(sample);
        self.update_congestion_signals(sample);
        self.model.update_ack_aggregation(sample, self.cwnd);
        self.model.check_full_bw(sample);
        self.check_startup_done(sample);
        self.check_drain_done(sample);
        self.update_probe_bw(sample);
        let expired = self.model.update_min_rtt(sample);
        self.check_probe_rtt(sample, expired);
        self.model.advance_latest_delivery(sample);
        self.model.bound_bw();
    }

    /// BBRSetPacingRateWithGain.
    fn set_pacing_rate(&mut self, gain: u64) {
        let rate = percent(percent(self.model.bw, gain), 100 - PACING_MARGIN);
        if rate > 0 && (self.model.full_bw_reached || rate > self.pacing_rate) {
            self.pacing_rate = rate;
        }
    }

    /// BBRSaveCwnd.
    fn save_cwnd(&mut self) {
        let whole = !self.in_recovery && self.state != State::ProbeRtt;
        self.prior_cwnd = if whole { self.cwnd } else { self.prior_cwnd.max(self.cwnd) };
    }

    /// BBRRestoreCwnd.
    fn restore_cwnd(&mut self) {
        self.cwnd = self.cwnd.max(self.prior_cwnd);
    }

    fn min_pipe(&self) -> u64 {
        MIN_PIPE_SEGMENTS * self.mss
    }
}

/// So many hundredths of a number.
fn percent(of: u64, percent: u64) -> u64 {
    u64::try_from(u128::from(of) * u128::from(percent) / 100).unwrap_or(u64::MAX)
}

fn per_second(bytes: u64, time: Duration) -> u64 {
    let nanos = time.as_nanos().max(1);
    u64::try_from(u128::from(bytes) * 1_000_000_000 / nanos).unwrap_or(u64::MAX)
}

impl Controller for Bbr {
    fn algorithm(&self) -> Algorithm {
        Algorithm::Bbr
    }

    fn cwnd(&self) -> u32 {
        u32::try_from(self.cwnd).unwrap_or(u32::MAX)
    }

    fn ssthresh(&self) -> u32 {
        u32::MAX
    }

    fn pacing_rate(&self) -> Option<u64> {
        Some(self.pacing_rate)
    }

    fn sends(&mut self, now: Instant, in_flight: u32, app_limited: bool) {
        // BBRHandleRestartFromIdle.
        if in_flight > 0 || !app_limited {
            return;
        }
        self.idle_restart = true;
        self.model.restart_aggregation(now);
        if self.state.is_probe_bw() {
            self.set_pacing_rate(100);
        } else if self.state == State::ProbeRtt {
            self.check_probe_rtt_done(now);
        }
    }

    fn acked(&mut self, sample: &RateSample) {
        self.update_model_and_state(sample);
        self.set_pacing_rate(self.state.pacing_gain());
        self.set_cwnd(sample);
    }

    fn lost(&mut self, _now: Instant, in_flight: u32) {
        // BBROnEnterFastRecovery: what is in flight now, and then what is delivered.
        self.save_cwnd();
        self.cwnd = u64::from(in_flight).max(self.mss);
        self.model.remember();
        self.in_recovery = true;
        self.conserving = true;
        self.model.start_round();
    }

    fn watches_losses(&self) -> bool {
        true
    }

    fn range_lost(&mut self, now: Instant, range: &LossSample) {
        self.handle_loss(now, range);
    }

    fn recovers_proportionally(&self) -> bool {
        false
    }

    fn timed_out(&mut self, _now: Instant, in_flight: u32, first: bool) {
        // BBROnEnterRTO.
        if first {
            self.save_cwnd();
            self.model.remember();
        }
        self.cwnd = u64::from(in_flight) + self.mss;
        self.in_recovery = true;
        self.conserving = false;
    }

    fn undo(&mut self, _now: Instant) {
        // BBROnSpuriousLoss.
        self.model.forgive();
        self.restore_cwnd();
    }

    fn recovered(&mut self, _now: Instant) {
        // BBROnExitRecovery.
        self.in_recovery = false;
        self.conserving = false;
        self.restore_cwnd();
    }

    fn restarted(&mut self, _now: Instant, _window: u32) {
        // The model outlives silence: what is sent next is paced by it.
    }

    fn set_windows(&mut self, cwnd: u32, _ssthresh: u32) {
        self.cwnd = u64::from(cwnd).max(self.mss);
    }

    fn set_mss(&mut self, mss: u32) {
        self.mss = u64::from(mss);
        self.cwnd = self.cwnd.max(self.mss);
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests;
