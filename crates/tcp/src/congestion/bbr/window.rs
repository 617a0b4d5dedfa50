//! From the model to the window.

use super::super::RateSample;
use super::super::pacer::quantum;
use super::cycle::State;
use super::{Bbr, HEADROOM, percent};

impl Bbr {
    /// BBRInflight: what a gain allows in flight, and what offloads hold back besides.
    pub(super) fn inflight(&self, gain: u64) -> u64 {
        self.with_budget(self.bdp_multiple(gain))
    }

    fn bdp_multiple(&self, gain: u64) -> u64 {
        self.model.bdp(self.model.bw).map_or(self.initial, |bdp| percent(bdp, gain))
    }

    /// BBRQuantizationBudget.
    fn with_budget(&self, inflight: u64) -> u64 {
        let burst = u64::from(quantum(self.pacing_rate, self.mss as u32)).min(64 << 10);
        let inflight = inflight.max(3 * burst).max(self.min_pipe());
        if self.state == State::Up { inflight + 2 * self.mss } else { inflight }
    }

    /// BBRInflightWithHeadroom.
    pub(super) fn inflight_with_headroom(&self) -> u64 {
        let Some(bound) = self.model.inflight_longterm else { return u64::MAX };
        let headroom = percent(bound, HEADROOM).max(self.mss);
        bound.saturating_sub(headroom).max(self.min_pipe())
    }

    /// BBRProbeRTTCwnd.
    pub(super) fn probe_rtt_cwnd(&self) -> u64 {
        self.bdp_multiple(State::ProbeRtt.cwnd_gain()).max(self.min_pipe())
    }

    /// BBRSetCwnd.
    pub(super) fn set_cwnd(&mut self, sample: &RateSample) {
        let extra = self.model.extra_acked.max();
        let most = self.with_budget(self.bdp_multiple(self.state.cwnd_gain()) + extra);
        let delivered = u64::from(sample.newly_delivered);
        self.follow_losses(sample, delivered);
        if !self.conserving {
            if self.model.full_bw_reached {
                self.cwnd = (self.cwnd + delivered).min(most);
            } else if self.cwnd < most || sample.delivered < self.initial {
                self.cwnd += delivered;
            }
            self.cwnd = self.cwnd.max(self.min_pipe());
        }
        if self.state == State::ProbeRtt {
            self.cwnd = self.cwnd.min(self.probe_rtt_cwnd());
        }
        self.bound_by_model();
        self.cwnd = self.cwnd.min(u64::from(super::super::CWND_MAX));
    }

    /// BBRModulateCwndForRecovery: in the first round, one for one.
    fn follow_losses(&mut self, sample: &RateSample, delivered: u64) {
        if self.conserving && self.model.round_start {
            self.conserving = false;
        }
        if self.in_recovery && sample.newly_lost > 0 {
            let less = self.cwnd.saturating_sub(u64::from(sample.newly_lost));
            self.cwnd = less.max(self.mss);
        }
        if self.conserving {
            self.cwnd = self.cwnd.max(u64::from(sample.in_flight) + delivered);
        }
    }

    /// BBRBoundCwndForModel.
    fn bound_by_model(&mut self) {
        let longterm = match self.state {
            State::Cruise | State::ProbeRtt => self.inflight_with_headroom(),
            State::Down | State::Refill | State::Up => {
                self.model.inflight_longterm.unwrap_or(u64::MAX)
            }
            State::Startup | State::Drain => u64::MAX,
        };
        let cap = longterm.min(self.model.inflight_shortterm.unwrap_or(u64::MAX));
        self.cwnd = self.cwnd.min(cap.max(self.min_pipe()));
    }
}
