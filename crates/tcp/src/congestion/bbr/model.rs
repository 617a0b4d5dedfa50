//! What is known of the path.

use core::time::Duration;

use handclasp_wire::time::Instant;

use super::super::RateSample;
use super::{BETA, percent};

/// How long the least round trip is believed (MinRTTFilterLen).
const MIN_RTT_FILTER: Duration = Duration::from_secs(10);
/// How long until it is measured again with an empty queue (ProbeRTTInterval).
const PROBE_RTT_INTERVAL: Duration = Duration::from_secs(5);
/// Rounds over which the greatest surplus of acknowledgments is remembered
/// (ExtraAckedFilterLen), of which each half is a bin.
const EXTRA_ACKED_ROUNDS: u64 = 10;
/// Rounds without growth after which the pipe is taken to be full.
const FULL_BW_ROUNDS: u8 = 3;

/// The greatest values of two stretches of time, the older of which is forgotten whole.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MaxOfTwo {
    now: u64,
    before: u64,
}

impl MaxOfTwo {
    pub(super) fn add(&mut self, value: u64) {
        self.now = self.now.max(value);
    }

    pub(super) fn advance(&mut self) {
        (self.before, self.now) = (self.now, 0);
    }

    pub(super) fn max(self) -> u64 {
        self.now.max(self.before)
    }
}

/// Measurements, and the bounds that follow from them. Rates are bytes per second.
#[derive(Clone, Debug)]
pub(super) struct Model {
    /// The greatest rate of this cycle of probing and the one before (MaxBwFilter).
    pub(super) max_bw: MaxOfTwo,
    /// The rate in force.
    pub(super) bw: u64,
    bw_latest: u64,
    inflight_latest: u64,
    /// Bounds for as long as this cycle lasts; `None` is no bound.
    pub(super) bw_shortterm: Option<u64>,
    pub(super) inflight_shortterm: Option<u64>,
    /// The most that was in flight without too much loss; `None` is no bound.
    pub(super) inflight_longterm: Option<u64>,

    /// The bounds before the last loss.
    undo: [Option<u64>; 3],

    pub(super) min_rtt: Option<Duration>,
    min_rtt_at: Instant,
    probe_rtt_min: Option<Duration>,
    pub(super) probe_rtt_min_at: Instant,

    delivered: u64,
    next_round: u64,
    pub(super) rounds: u64,
    pub(super) round_start: bool,
    next_loss_round: u64,
    pub(super) loss_round_start: bool,
    pub(super) loss_in_round: bool,

    pub(super) full_bw: u64,
    full_bw_rounds: u8,
    pub(super) full_bw_now: bool,
    pub(super) full_bw_reached: bool,

    pub(super) extra_acked: MaxOfTwo,
    extra_acked_round: u64,
    aggregate: u64,
    aggregate_since: Instant,
}

impl Model {
    pub(super) fn new(now: Instant, srtt: Option<Duration>) -> Self {
        Self {
            max_bw: MaxOfTwo::default(),
            bw: 0,
            bw_latest: 0,
            inflight_latest: 0,
            bw_shortterm: None,
            inflight_shortterm: None,
            inflight_longterm: None,
            undo: [None; 3],
            min_rtt: srtt,
            min_rtt_at: now,
            probe_rtt_min: srtt,
            probe_rtt_min_at: now,
            delivered: 0,
            next_round: 0,
            rounds: 0,
            round_start: false,
            next_loss_round: 0,
            loss_round_start: false,
            loss_in_round: false,
            full_bw: 0,
            full_bw_rounds: 0,
            full_bw_now: false,
            full_bw_reached: false,
            extra_acked: MaxOfTwo::default(),
            extra_acked_round: 0,
            aggregate: 0,
            aggregate_since: now,
        }
    }

    /// Bytes that fill the path without a queue; `None` before anything is measured.
    pub(super) fn bdp(&self, bw: u64) -> Option<u64> {
        let nanos = self.min_rtt?.as_nanos();
        (bw > 0).then(|| (u128::from(bw) * nanos / 1_000_000_000) as u64)
    }

    /// What is sent from now on belongs to a new round.
    pub(super) const fn start_round(&mut self) {
        self.next_round = self.delivered;
    }

    /// BBRUpdateRound; the caller counts rounds for probing.
    pub(super) fn update_round(&mut self, sample: &RateSample) {
        self.delivered = sample.delivered;
        self.round_start = sample.prior_delivered >= self.next_round;
        if self.round_start {
            self.start_round();
            self.rounds += 1;
        }
    }

    /// BBRUpdateMaxBw, behind the round.
    pub(super) fn update_max_bw(&mut self, sample: &RateSample) {
        let Some(rate) = sample.delivery_rate() else { return };
        if rate >= self.max_bw.max() || !sample.app_limited {
            self.max_bw.add(rate);
        }
    }

    /// BBRUpdateLatestDeliverySignals.
    pub(super) fn update_latest_delivery(&mut self, sample: &RateSample) {
        self.bw_latest = self.bw_latest.max(sample.delivery_rate().unwrap_or(0));
        self.inflight_latest = self.inflight_latest.max(sample.delivered_in_interval());
        self.loss_round_start = sample.prior_delivered >= self.next_loss_round;
        if self.loss_round_start {
            self.next_loss_round = sample.delivered;
        }
    }

    /// BBRAdvanceLatestDeliverySignals.
    pub(super) fn advance_latest_delivery(&mut self, sample: &RateSample) {
        if self.loss_round_start {
            self.bw_latest = sample.delivery_rate().unwrap_or(0);
            self.inflight_latest = sample.delivered_in_interval();
        }
    }

    /// BBRResetCongestionSignals.
    pub(super) const fn reset_congestion_signals(&mut self) {
        self.loss_in_round = false;
        self.bw_latest = 0;
        self.inflight_latest = 0;
    }

    /// BBRResetShortTermModel.
    pub(super) const fn reset_shortterm(&mut self) {
        self.bw_shortterm = None;
        self.inflight_shortterm = None;
    }

    /// BBRSaveStateUponLoss.
    pub(super) const fn remember(&mut self) {
        self.undo = [self.bw_shortterm, self.inflight_shortterm, self.inflight_longterm];
    }

    /// BBRHandleSpuriousLossDetection: the wider of the bounds before and now.
    pub(super) fn forgive(&mut self) {
        let wider = |now: Option<u64>, before: Option<u64>| Some(now?.max(before?));
        let [bw, short, long] = core::mem::take(&mut self.undo);
        self.loss_in_round = false;
        self.reset_full_bw(0);
        self.bw_shortterm = wider(self.bw_shortterm, bw);
        self.inflight_shortterm = wider(self.inflight_shortterm, short);
        self.inflight_longterm = wider(self.inflight_longterm, long);
    }

    /// BBRLossLowerBounds.
    pub(super) fn lower_shortterm(&mut self, cwnd: u64) {
        let bw = self.bw_shortterm.unwrap_or(self.max_bw.max());
        let inflight = self.inflight_shortterm.unwrap_or(cwnd);
        self.bw_shortterm = Some(self.bw_latest.max(percent(bw, BETA)));
        self.inflight_shortterm = Some(self.inflight_latest.max(percent(inflight, BETA)));
    }

    /// BBRBoundBWForModel.
    pub(super) fn bound_bw(&mut self) {
        self.bw = self.max_bw.max().min(self.bw_shortterm.unwrap_or(u64::MAX));
    }

    /// BBRCheckFullBWReached.
    pub(super) fn check_full_bw(&mut self, sample: &RateSample) {
        if self.full_bw_now || !self.round_start || sample.app_limited {
            return;
        }
        let Some(rate) = sample.delivery_rate() else { return };
        if rate >= percent(self.full_bw, 125) {
            self.reset_full_bw(rate);
            return;
        }
        self.full_bw_rounds += 1;
        self.full_bw_now = self.full_bw_rounds >= FULL_BW_ROUNDS;
        self.full_bw_reached |= self.full_bw_now;
    }

    /// BBRResetFullBW, from this rate on.
    pub(super) const fn reset_full_bw(&mut self, rate: u64) {
        self.full_bw = rate;
        self.full_bw_rounds = 0;
        self.full_bw_now = false;
    }

    pub(super) const fn restart_aggregation(&mut self, now: Instant) {
        self.aggregate_since = now;
    }

    /// BBRUpdateACKAggregation.
    pub(super) fn update_ack_aggregation(&mut self, sample: &RateSample, cwnd: u64) {
        let interval = sample.now - self.aggregate_since;
        let nanos = u128::from(self.bw) * interval.as_nanos();
        let mut expected = u64::try_from(nanos / 1_000_000_000).unwrap_or(u64::MAX);
        if self.aggregate <= expected {
            (self.aggregate, self.aggregate_since, expected) = (0, sample.now, 0);
        }
        self.aggregate += u64::from(sample.newly_delivered);
        // A bin is half of the filter; before the pipe is full, a round.
        let bin = if self.full_bw_reached { EXTRA_ACKED_ROUNDS / 2 } else { 1 };
        if self.rounds >= self.extra_acked_round + bin {
            self.extra_acked.advance();
            self.extra_acked_round = self.rounds;
        }
        self.extra_acked.add(self.aggregate.saturating_sub(expected).min(cwnd));
    }

    /// BBRUpdateMinRTT; says whether it is time to measure it with an empty queue.
    pub(super) fn update_min_rtt(&mut self, sample: &RateSample) -> bool {
        let now = sample.now;
        let probe_expired = now > self.probe_rtt_min_at + PROBE_RTT_INTERVAL;
        if let Some(rtt) = sample.rtt
            && (probe_expired || self.probe_rtt_min.is_none_or(|min| rtt < min))
        {
            (self.probe_rtt_min, self.probe_rtt_min_at) = (Some(rtt), now);
        }
        let expired = now > self.min_rtt_at + MIN_RTT_FILTER;
        if let Some(least) = self.probe_rtt_min
            && (expired || self.min_rtt.is_none_or(|min| least < min))
        {
            (self.min_rtt, self.min_rtt_at) = (Some(least), self.probe_rtt_min_at);
        }
        probe_expired
    }
}
