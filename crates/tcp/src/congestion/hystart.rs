//! HyStart++ (RFC 9406): a slow start that ends when the round trip grows, before the queue
//! overflows.

use core::time::Duration;

use super::RateSample;

/// RFC 9406 §4.3's constants, by their names there.
const MIN_RTT_THRESH: Duration = Duration::from_millis(4);
const MAX_RTT_THRESH: Duration = Duration::from_millis(16);
const MIN_RTT_DIVISOR: u32 = 8;
const N_RTT_SAMPLE: u32 = 8;
const CSS_GROWTH_DIVISOR: u32 = 4;
const CSS_ROUNDS: u32 = 5;

/// What the phase of slow start allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Growth {
    /// The window grows by what was acknowledged, divided by this.
    Divided(u32),
    /// Slow start is over.
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    SlowStart,
    /// Conservative slow start, begun at this round trip, so many rounds ago.
    Conservative {
        baseline: Duration,
        rounds: u32,
    },
}

/// Where the first slow start of a connection stands.
#[derive(Clone, Debug)]
pub(super) struct HyStart {
    phase: Phase,
    /// The round ends when what is sent from here on is acknowledged: RFC 9406's windowEnd,
    /// counted in bytes delivered.
    round_end: u64,
    last_min: Option<Duration>,
    current_min: Option<Duration>,
    samples: u32,
}

impl HyStart {
    pub(super) const fn new() -> Self {
        Self {
            phase: Phase::SlowStart,
            round_end: 0,
            last_min: None,
            current_min: None,
            samples: 0,
        }
    }

    /// RFC 9406 §4.2.
    pub(super) fn acked(&mut self, sample: &RateSample) -> Growth {
        if sample.prior_delivered >= self.round_end && self.begin_round(sample.delivered) {
            return Growth::Over;
        }
        if let Some(rtt) = sample.rtt {
            self.current_min = Some(self.current_min.map_or(rtt, |min| min.min(rtt)));
            self.samples += 1;
        }
        let (Some(current), true) = (self.current_min, self.samples >= N_RTT_SAMPLE) else {
            return self.growth();
        };
        match self.phase {
            Phase::SlowStart if self.last_min.is_some_and(|last| grew(last, current)) => {
                self.phase = Phase::Conservative { baseline: current, rounds: 0 };
            }
            // It was not the queue after all.
            Phase::Conservative { baseline, .. } if current < baseline => {
                self.phase = Phase::SlowStart;
            }
            _ => {}
        }
        self.growth()
    }

    /// Returns whether this round would be one too many.
    fn begin_round(&mut self, delivered: u64) -> bool {
        self.round_end = delivered;
        self.last_min = self.current_min.take().or(self.last_min);
        self.samples = 0;
        let Phase::Conservative { rounds, .. } = &mut self.phase else { return false };
        *rounds += 1;
        *rounds >= CSS_ROUNDS
    }

    const fn growth(&self) -> Growth {
        match self.phase {
            Phase::SlowStart => Growth::Divided(1),
            Phase::Conservative { .. } => Growth::Divided(CSS_GROWTH_DIVISOR),
        }
    }
}

/// Whether a round trip went from `last` to `current` by more than noise.
fn grew(last: Duration, current: Duration) -> bool {
    current >= last + (last / MIN_RTT_DIVISOR).clamp(MIN_RTT_THRESH, MAX_RTT_THRESH)
}

#[cfg(test)]
#[path = "hystart_tests.rs"]
mod tests;
