//! The states: what to find out next.

use core::time::Duration;

use handclasp_wire::time::Instant;

use super::super::{LossSample, RateSample};
use super::{BETA, Bbr, LOSS_THRESH, percent};

/// Losses in a round that end startup, if they are too much of what was in flight
/// (StartupFullLossCnt).
const STARTUP_FULL_LOSSES: u32 = 6;
/// How long ProbeRTT lasts at least (ProbeRTTDuration).
const PROBE_RTT_DURATION: Duration = Duration::from_millis(200);
/// Rounds after which even a long path is probed, so that Reno beside us is not starved.
const RENO_ROUNDS_MAX: u64 = 63;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Startup,
    Drain,
    Down,
    Cruise,
    Refill,
    Up,
    ProbeRtt,
}

impl State {
    pub(super) const fn is_probe_bw(self) -> bool {
        matches!(self, Self::Down | Self::Cruise | Self::Refill | Self::Up)
    }

    /// Whether losses are to be expected, because more is sent than is known to fit.
    const fn probes_bw(self) -> bool {
        matches!(self, Self::Startup | Self::Refill | Self::Up)
    }

    /// Percent of the bandwidth.
    pub(super) const fn pacing_gain(self) -> u64 {
        match self {
            Self::Startup => 277,
            Self::Drain => 50,
            Self::Down => 90,
            Self::Cruise | Self::Refill | Self::ProbeRtt => 100,
            Self::Up => 125,
        }
    }

    /// Percent of the bandwidth-delay product.
    pub(super) const fn cwnd_gain(self) -> u64 {
        match self {
            Self::Up => 225,
            Self::ProbeRtt => 50,
            _ => 200,
        }
    }
}

/// Whether acknowledgments are of what was sent while more was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AckPhase {
    Init,
    Refilling,
    Starting,
    Feedback,
    Stopping,
}

/// Where the cycle of probing stands.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    ack_phase: AckPhase,
    /// Losses of what was sent while probing still count.
    samples: bool,
    /// When this phase began, and how long to wait for the next.
    since: Instant,
    wait: Duration,
    rounds: u64,
    /// How often the long-term bound was raised faster.
    up_rounds: u32,
    up_acked: u64,
    losses_in_round: u32,
    lost_rounds: u64,
    rtt_done_at: Option<Instant>,
    rtt_round_done: bool,
}

impl Probe {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            ack_phase: AckPhase::Init,
            samples: false,
            since: now,
            wait: Duration::ZERO,
            rounds: 0,
            up_rounds: 0,
            up_acked: 0,
            losses_in_round: 0,
            lost_rounds: 0,
            rtt_done_at: None,
            rtt_round_done: false,
        }
    }
}

impl Bbr {
    /// BBRUpdateCongestionSignals.
    pub(super) fn update_congestion_signals(&mut self, sample: &RateSample) {
        self.model.update_round(sample);
        self.probe.rounds += u64::from(self.model.round_start);
        self.model.update_max_bw(sample);
        if !self.model.loss_round_start {
            return;
        }
        if self.model.loss_in_round && !self.state.probes_bw() {
            self.model.lower_shortterm(self.cwnd);
        }
        self.model.loss_in_round = false;
    }

    /// BBRCheckStartupDone.
    pub(super) fn check_startup_done(&mut self, sample: &RateSample) {
        if self.state != State::Startup {
            return;
        }
        self.check_startup_losses(sample);
        if self.model.full_bw_reached {
            self.state = State::Drain;
        }
    }

    /// BBRCheckStartupHighLoss: a whole round of recovery, with losses at many places that
    /// together are too much.
    fn check_startup_losses(&mut self, sample: &RateSample) {
        if !self.model.round_start {
            return;
        }
        self.probe.lost_rounds = if self.in_recovery { self.probe.lost_rounds + 1 } else { 0 };
        let many = core::mem::take(&mut self.probe.losses_in_round) >= STARTUP_FULL_LOSSES;
        let too_high = too_much(sample.lost, sample.tx_in_flight);
        if self.probe.lost_rounds > 1 && many && too_high && !sample.app_limited {
            self.model.full_bw_reached = true;
            let latest = sample.delivered_in_interval();
            let bdp = self.model.bdp(self.model.max_bw.max()).unwrap_or(0);
            self.model.inflight_longterm = Some(bdp.max(latest));
        }
    }

    /// BBRCheckDrainDone.
    pub(super) fn check_drain_done(&mut self, sample: &RateSample) {
        if self.state == State::Drain && u64::from(sample.in_flight) <= self.inflight(100) {
            self.start_down(sample.now);
        }
    }

    /// BBRStartProbeBW_DOWN.
    fn start_down(&mut self, now: Instant) {
        self.model.reset_congestion_signals();
        // BBRPickProbeWait: so that flows that began together do not probe together.
        self.probe.rounds = u64::from(self.random(2));
        self.probe.wait = Duration::from_millis(2000 + u64::from(self.random(1000)));
        self.probe.since = now;
        self.probe.ack_phase = AckPhase::Stopping;
        self.model.start_round();
        self.state = State::Down;
    }

    /// BBRStartProbeBW_REFILL.
    fn start_refill(&mut self) {
        self.model.reset_shortterm();
        (self.probe.up_rounds, self.probe.up_acked) = (0, 0);
        self.probe.ack_phase = AckPhase::Refilling;
        self.model.start_round();
        self.state = State::Refill;
    }

    /// BBRStartProbeBW_UP.
    fn start_up(&mut self, sample: &RateSample) {
        self.probe.samples = true;
        self.probe.ack_phase = AckPhase::Starting;
        self.model.start_round();
        self.model.reset_full_bw(sample.delivery_rate().unwrap_or(0));
        self.state = State::Up;
    }

    /// BBRUpdateProbeBWCyclePhase.
    pub(super) fn update_probe_bw(&mut self, sample: &RateSample) {
        if !self.model.full_bw_reached {
            return;
        }
        self.adapt_long_term_model(sample);
        let goes_down = self.state == State::Up && self.is_time_to_go_down(sample);
        match self.state {
            State::Down | State::Cruise if self.is_time_to_probe(sample.now) => {
                self.start_refill();
            }
            State::Down if self.is_time_to_cruise(sample) => self.state = State::Cruise,
            State::Refill if self.model.round_start => self.start_up(sample),
            State::Up if goes_down => self.start_down(sample.now),
            _ => {}
        }
    }

    /// BBRIsTimeToProbeBW: time is up, or as many rounds have passed as Reno needs to get
    /// back what it lost.
    fn is_time_to_probe(&self, now: Instant) -> bool {
        let reno_rounds = (self.target_inflight() / self.mss).min(RENO_ROUNDS_MAX);
        now > self.probe.since + self.probe.wait || self.probe.rounds >= reno_rounds
    }

    /// BBRIsTimeToCruise.
    fn is_time_to_cruise(&self, sample: &RateSample) -> bool {
        let in_flight = u64::from(sample.in_flight);
        in_flight <= self.inflight_with_headroom() && in_flight <= self.inflight(100)
    }

    /// BBRIsTimeToGoDown.
    fn is_time_to_go_down(&mut self, sample: &RateSample) -> bool {
        let bound = self.model.inflight_longterm.unwrap_or(u64::MAX);
        if sample.cwnd_limited && self.cwnd >= bound {
            // The bound is what keeps the rate from growing: not the path.
            self.model.reset_full_bw(sample.delivery_rate().unwrap_or(0));
            return false;
        }
        self.model.full_bw_now
    }

    /// BBRAdaptLongTermModel.
    fn adapt_long_term_model(&mut self, sample: &RateSample) {
        if self.model.round_start {
            match self.probe.ack_phase {
                AckPhase::Starting => self.probe.ack_phase = AckPhase::Feedback,
                AckPhase::Stopping => {
                    self.probe.samples = false;
                    self.probe.ack_phase = AckPhase::Init;
                    if self.state.is_probe_bw() && !sample.app_limited {
                        self.model.max_bw.advance();
                    }
                }
                _ => {}
            }
        }
        if too_much(sample.lost, sample.tx_in_flight) {
            self.handle_inflight_too_high(
                sample.now,
                u64::from(sample.tx_in_flight),
                sample.app_limited,
            );
            return;
        }
        let Some(bound) = &mut self.model.inflight_longterm else { return };
        *bound = (*bound).max(u64::from(sample.tx_in_flight));
        if self.state == State::Up {
            self.raise_inflight_longterm(sample);
        }
    }

    /// BBRProbeInflightLongtermUpward: by one segment for each window acknowledged, then two,
    /// then four.
    fn raise_inflight_longterm(&mut self, sample: &RateSample) {
        let Some(bound) = &mut self.model.inflight_longterm else { return };
        if !sample.cwnd_limited || self.cwnd < *bound {
            return;
        }
        self.probe.up_acked += u64::from(sample.newly_delivered);
        let segments = self.probe.up_acked << self.probe.up_rounds.min(30);
        let growth = segments / self.cwnd;
        if growth > 0 {
            *bound += growth * self.mss;
            self.probe.up_acked -= (growth * self.cwnd) >> self.probe.up_rounds.min(30);
        }
        if self.model.round_start {
            self.probe.up_rounds = (self.probe.up_rounds + 1).min(30);
        }
    }

    /// BBRHandleLostPacket.
    pub(super) fn handle_loss(&mut self, now: Instant, range: &LossSample) {
        self.model.loss_in_round = true;
        self.probe.losses_in_round += 1;
        if !self.probe.samples || !too_much(range.lost, range.tx_in_flight) {
            return;
        }
        // BBRInflightAtLoss: where the losses became too much lies inside this range.
        let len = u64::from(range.bytes);
        let before = u64::from(range.tx_in_flight).saturating_sub(len);
        let lost_before = range.lost.saturating_sub(len);
        let allowed = percent(before, LOSS_THRESH).saturating_sub(lost_before);
        let prefix = allowed * 100 / (100 - LOSS_THRESH);
        self.handle_inflight_too_high(now, before + prefix, range.app_limited);
    }

    /// BBRHandleInflightTooHigh.
    fn handle_inflight_too_high(&mut self, now: Instant, in_flight: u64, app_limited: bool) {
        if !core::mem::take(&mut self.probe.samples) {
            return;
        }
        if !app_limited {
            let least = percent(self.target_inflight(), BETA);
            self.model.inflight_longterm = Some(in_flight.max(least));
        }
        if self.state == State::Up {
            self.start_down(now);
        }
    }

    /// BBRTargetInflight.
    fn target_inflight(&self) -> u64 {
        self.model.bdp(self.model.bw).unwrap_or(self.initial).min(self.cwnd)
    }

    /// BBRCheckProbeRTT.
    pub(super) fn check_probe_rtt(&mut self, sample: &RateSample, expired: bool) {
        if self.state != State::ProbeRtt && expired && !self.idle_restart {
            self.save_cwnd();
            self.state = State::ProbeRtt;
            self.probe.rtt_done_at = None;
            self.probe.ack_phase = AckPhase::Stopping;
            self.model.start_round();
        }
        if self.state == State::ProbeRtt {
            self.handle_probe_rtt(sample);
        }
        if sample.newly_delivered > 0 {
            self.idle_restart = false;
        }
    }

    /// BBRHandleProbeRTT.
    fn handle_probe_rtt(&mut self, sample: &RateSample) {
        if self.probe.rtt_done_at.is_some() {
            self.probe.rtt_round_done |= self.model.round_start;
            if self.probe.rtt_round_done {
                self.check_probe_rtt_done(sample.now);
            }
        } else if u64::from(sample.in_flight) <= self.probe_rtt_cwnd() {
            self.probe.rtt_done_at = Some(sample.now + PROBE_RTT_DURATION);
            self.probe.rtt_round_done = false;
            self.model.start_round();
        }
    }

    /// BBRCheckProbeRTTDone.
    pub(super) fn check_probe_rtt_done(&mut self, now: Instant) {
        if self.probe.rtt_done_at.is_none_or(|at| now <= at) {
            return;
        }
        self.model.probe_rtt_min_at = now;
        self.restore_cwnd();
        self.model.reset_shortterm();
        if self.model.full_bw_reached {
            self.start_down(now);
            self.state = State::Cruise;
        } else {
            self.state = State::Startup;
        }
    }
}

/// IsInflightTooHigh.
fn too_much(lost: u64, in_flight: u32) -> bool {
    lost * 100 > u64::from(in_flight) * LOSS_THRESH
}
