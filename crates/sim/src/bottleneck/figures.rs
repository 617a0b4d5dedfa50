//! What a run came to.

use std::time::Duration;

use handclasp_impair::link::Counters;
use handclasp_tcp::config::Algorithm;
use handclasp_tcp::connection::{Info, Statistics};

/// A flow at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Sample {
    /// Since the run began.
    pub at: Duration,
    /// Congestion window, in bytes.
    pub cwnd: u32,
    /// Slow start threshold, in bytes; `u32::MAX` before the first loss.
    pub ssthresh: u32,
    /// Smoothed round trip.
    pub rtt: Option<Duration>,
    /// Bytes believed to be under way.
    pub in_flight: u32,
    /// Bytes acknowledged since the flow began.
    pub delivered: u64,
}

impl Sample {
    /// What a connection says of itself.
    #[must_use]
    pub const fn new(at: Duration, info: &Info) -> Self {
        Self {
            at,
            cwnd: info.cwnd,
            ssthresh: info.ssthresh,
            rtt: info.rtt,
            in_flight: info.in_flight - info.sacked - info.lost,
            delivered: info.statistics.bytes_acked,
        }
    }
}

/// What one flow came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FlowReport {
    /// Its controller.
    pub algorithm: Algorithm,
    /// How long it ran.
    pub time: Duration,
    /// Whether everything it had to send was acknowledged.
    pub finished: bool,
    /// Totals.
    pub statistics: Statistics,
    /// Its smoothed round trip at the end.
    pub rtt: Option<Duration>,
    /// Its course.
    pub samples: Vec<Sample>,
}

impl FlowReport {
    /// Bits of data acknowledged per second.
    #[must_use]
    pub fn goodput(&self) -> f64 {
        let seconds = self.time.as_secs_f64();
        if seconds == 0.0 { 0.0 } else { 8.0 * self.statistics.bytes_acked as f64 / seconds }
    }

    /// The share of bytes that were sent again.
    #[must_use]
    pub fn resent(&self) -> f64 {
        let Statistics { bytes_resent, bytes_out, .. } = self.statistics;
        if bytes_out == 0 { 0.0 } else { bytes_resent as f64 / bytes_out as f64 }
    }
}

/// How long packets waited for the link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueDelay {
    /// On average.
    pub mean: Duration,
    /// Half of the time, no longer than this.
    pub median: Duration,
    /// 95 % of the time, no longer than this.
    pub p95: Duration,
    /// The longest.
    pub max: Duration,
}

impl QueueDelay {
    pub(super) fn of(mut delays: Vec<Duration>) -> Self {
        delays.sort_unstable();
        let Some(max) = delays.last().copied() else { return Self::default() };
        let at = |percent: usize| delays[(delays.len() - 1) * percent / 100];
        let mean = delays.iter().sum::<Duration>() / delays.len() as u32;
        Self { mean, median: at(50), p95: at(95), max }
    }
}

/// What a run came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// How long it was.
    pub time: Duration,
    /// Packets that all hosts sent.
    pub packets: u64,
    /// The flows, in the order of the plan.
    pub flows: Vec<FlowReport>,
    /// Of the link that all data takes.
    pub queue_delay: QueueDelay,
    /// What became of the packets on it.
    pub link: Counters,
    /// Its bits per second, if they are limited.
    pub rate: Option<u64>,
}

impl Report {
    /// The share of the link's rate that was used, if that is limited.
    #[must_use]
    pub fn utilisation(&self) -> Option<f64> {
        let most = self.rate? as f64 * self.time.as_secs_f64();
        (most > 0.0).then(|| 8.0 * self.link.delivered_bytes as f64 / most)
    }

    /// Jain's index of the flows' goodputs.
    #[must_use]
    pub fn fairness(&self) -> f64 {
        jain(self.flows.iter().map(FlowReport::goodput))
    }
}

/// Jain's index of fairness: 1 where all shares are alike, 1/n where one has everything.
#[must_use]
pub fn jain(shares: impl Iterator<Item = f64>) -> f64 {
    let (n, sum, squares) =
        shares.fold((0.0, 0.0, 0.0), |(n, sum, squares), x| (n + 1.0, sum + x, squares + x * x));
    if squares == 0.0 { 1.0 } else { sum * sum / (n * squares) }
}
