//! Round-trip time and the retransmission timeout (RFC 6298).

use core::time::Duration;

use crate::config::Config;
use crate::half_open::backed_off;

/// The clock granularity G of RFC 6298 §2: what a timer below a millisecond is worth.
const GRANULARITY: Duration = Duration::from_millis(1);

#[derive(Clone, Debug)]
pub(crate) struct RttEstimator {
    /// Smoothed, and its variation; `None` before the first measurement.
    smoothed: Option<(Duration, Duration)>,
    min: Option<Duration>,
    /// Before backing off.
    base: Duration,
    /// How often the timer fired since the last fresh acknowledgment.
    pub(crate) backoff: u8,
}

impl RttEstimator {
    pub(crate) fn new(config: &Config) -> Self {
        Self { smoothed: None, min: None, base: config.rto_initial, backoff: 0 }
    }

    /// Takes a measurement (RFC 6298 §2.2, §2.3), one of so many in a round trip: together they
    /// weigh as much as one alone would (RFC 7323 §4.2).
    pub(crate) fn sample(&mut self, config: &Config, rtt: Duration, in_round: u32) {
        let (srtt, rttvar) = match self.smoothed {
            None => (rtt, rtt / 2),
            Some((srtt, rttvar)) => {
                let (alpha, beta) = (8 * in_round, 4 * in_round);
                let rttvar = (rttvar * (beta - 1) + srtt.abs_diff(rtt)) / beta;
                ((srtt * (alpha - 1) + rtt) / alpha, rttvar)
            }
        };
        self.smoothed = Some((srtt, rttvar));
        self.min = Some(self.min.map_or(rtt, |min| min.min(rtt)));
        let base = srtt + GRANULARITY.max(rttvar * 4).max(config.rto_variation_min);
        self.base = base.max(config.rto_min).min(config.rto_max);
        // A measurement is an acknowledgment of something sent once (Karn): §5.7's backed-off
        // value has done its work.
        self.backoff = 0;
    }

    /// Data begins after a SYN whose timer fired: RFC 6298 §5.7, unless a timestamp told the
    /// round trip all the same.
    pub(crate) fn syn_timed_out(&mut self) {
        if self.smoothed.is_none() {
            self.base = self.base.max(Duration::from_secs(3));
        }
    }

    /// The timeout, backed off.
    pub(crate) fn rto(&self, config: &Config) -> Duration {
        backed_off(self.base, self.backoff, config.rto_max).max(GRANULARITY)
    }

    pub(crate) fn srtt(&self) -> Option<Duration> {
        self.smoothed.map(|(srtt, _)| srtt)
    }

    pub(crate) fn rttvar(&self) -> Option<Duration> {
        self.smoothed.map(|(_, var)| var)
    }

    pub(crate) fn min(&self) -> Option<Duration> {
        self.min
    }
}
