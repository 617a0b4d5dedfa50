//! Round-trip time and the retransmission timeout (RFC 6298).

use core::time::Duration;

use handclasp_wire::time::Instant;

use crate::config::Config;
use crate::half_open::backed_off;

/// The clock granularity G of RFC 6298 §2: what a timer below a millisecond is worth.
const GRANULARITY: Duration = Duration::from_millis(1);

/// The least round trip is of this much time or up to twice as much, so that a path that became
/// longer is noticed (RFC 8985 §6.2 step 1). Linux looks back five minutes.
const MIN_WINDOW: Duration = Duration::from_secs(150);

/// The least of the measurements that are not too old, in microseconds.
#[derive(Clone, Copy, Debug)]
struct Least {
    since: Instant,
    /// Since then, and in the window before.
    current: u32,
    earlier: u32,
}

impl Least {
    const NONE: Self = Self { since: Instant::ZERO, current: u32::MAX, earlier: u32::MAX };

    fn sample(&mut self, now: Instant, rtt: Duration) {
        if now - self.since >= MIN_WINDOW {
            // Of a window in which nothing was measured nothing is known.
            let fresh = now - self.since < MIN_WINDOW * 2;
            self.earlier = if fresh { self.current } else { u32::MAX };
            self.current = u32::MAX;
            self.since = now;
        }
        let micros = u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX - 1);
        self.current = self.current.min(micros);
    }

    fn get(&self) -> Option<Duration> {
        let least = self.current.min(self.earlier);
        (least != u32::MAX).then(|| Duration::from_micros(u64::from(least)))
    }
}

/// No round trip takes 584 years.
const UNMEASURED: u64 = u64::MAX;

/// Nanoseconds, so that a connection at rest stays small.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(UNMEASURED - 1)
}

#[derive(Clone, Debug)]
pub(crate) struct RttEstimator {
    /// Smoothed, and its variation, in nanoseconds; nothing is measured yet at [`UNMEASURED`].
    srtt: u64,
    rttvar: u64,
    min: Least,
    /// Before backing off, in nanoseconds.
    base: u64,
    /// How often the timer fired since the last fresh acknowledgment.
    pub(crate) backoff: u8,
}

impl RttEstimator {
    pub(crate) fn new(config: &Config) -> Self {
        let base = nanos(config.rto_initial);
        Self { srtt: UNMEASURED, rttvar: 0, min: Least::NONE, base, backoff: 0 }
    }

    /// Takes a measurement (RFC 6298 §2.2, §2.3), one of so many in a round trip: together they
    /// weigh as much as one alone would (RFC 7323 §4.2).
    pub(crate) fn sample(&mut self, config: &Config, now: Instant, rtt: Duration, in_round: u32) {
        let (srtt, rttvar) = match (self.srtt(), self.rttvar()) {
            (Some(srtt), Some(rttvar)) => {
                let (alpha, beta) = (8 * in_round, 4 * in_round);
                let rttvar = (rttvar * (beta - 1) + srtt.abs_diff(rtt)) / beta;
                ((srtt * (alpha - 1) + rtt) / alpha, rttvar)
            }
            _ => (rtt, rtt / 2),
        };
        (self.srtt, self.rttvar) = (nanos(srtt), nanos(rttvar));
        self.min.sample(now, rtt);
        let base = srtt + GRANULARITY.max(rttvar * 4).max(config.rto_variation_min);
        self.base = nanos(base.max(config.rto_min).min(config.rto_max));
        // A measurement is an acknowledgment of something sent once (Karn): §5.7's backed-off
        // value has done its work.
        self.backoff = 0;
    }

    /// Data begins after a SYN whose timer fired: RFC 6298 §5.7, unless a timestamp told the
    /// round trip all the same.
    pub(crate) fn syn_timed_out(&mut self) {
        if self.srtt().is_none() {
            self.base = self.base.max(nanos(Duration::from_secs(3)));
        }
    }

    /// The timeout, backed off.
    pub(crate) fn rto(&self, config: &Config) -> Duration {
        backed_off(Duration::from_nanos(self.base), self.backoff, config.rto_max).max(GRANULARITY)
    }

    pub(crate) fn srtt(&self) -> Option<Duration> {
        (self.srtt != UNMEASURED).then(|| Duration::from_nanos(self.srtt))
    }

    pub(crate) fn rttvar(&self) -> Option<Duration> {
        (self.srtt != UNMEASURED).then(|| Duration::from_nanos(self.rttvar))
    }

    /// The least round trip measured lately, in whole microseconds.
    pub(crate) fn min(&self) -> Option<Duration> {
        self.min.get()
    }
}

#[cfg(test)]
#[path = "rtt_tests.rs"]
mod tests;
