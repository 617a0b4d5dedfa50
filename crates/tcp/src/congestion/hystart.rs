//! HyStart++ (RFC 9406): a slow start that ends when the round trip grows, before the queue
//! overflows.

use super::RateSample;

/// RFC 9406 §4.3's constants, by their names there; times are microseconds.
const MIN_RTT_THRESH: u32 = 4_000;
const MAX_RTT_THRESH: u32 = 16_000;
const MIN_RTT_DIVISOR: u32 = 8;
const N_RTT_SAMPLE: u8 = 8;
const CSS_GROWTH_DIVISOR: u32 = 4;
const CSS_ROUNDS: u8 = 5;

/// What the phase of slow start allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Growth {
    /// The window grows by what was acknowledged, divided by this.
    Divided(u32),
    /// Slow start is over.
    Over,
}

/// Where the first slow start of a connection stands. Every connection has one from its
/// beginning, so it is kept small: round trips are microseconds.
#[derive(Clone, Debug)]
pub(super) struct HyStart {
    /// The round ends when what is sent from here on is acknowledged: RFC 9406's windowEnd,
    /// counted in bytes delivered.
    round_end: u64,
    last_min: u32,
    current_min: u32,
    samples: u8,
    conservative: bool,
    /// Rounds of conservative slow start, and the round trip it began at.
    rounds: u8,
    baseline: u32,
}

/// A round trip that was not measured.
const UNKNOWN: u32 = u32::MAX;

impl HyStart {
    pub(super) const fn new() -> Self {
        Self {
            round_end: 0,
            last_min: UNKNOWN,
            current_min: UNKNOWN,
            samples: 0,
            conservative: false,
            rounds: 0,
            baseline: UNKNOWN,
        }
    }

    /// RFC 9406 §4.2.
    pub(super) fn acked(&mut self, sample: &RateSample) -> Growth {
        if sample.prior_delivered >= self.round_end && self.begin_round(sample.delivered) {
            return Growth::Over;
        }
        if let Some(rtt) = sample.rtt {
            let micros = u32::try_from(rtt.as_micros()).unwrap_or(UNKNOWN);
            self.current_min = self.current_min.min(micros);
            self.samples = self.samples.saturating_add(1);
        }
        if self.samples < N_RTT_SAMPLE {
            return self.growth();
        }
        if !self.conservative && grew(self.last_min, self.current_min) {
            (self.conservative, self.rounds) = (true, 0);
            self.baseline = self.current_min;
        } else if self.conservative && self.current_min < self.baseline {
            // It was not the queue after all.
            self.conservative = false;
        }
        self.growth()
    }

    /// Returns whether this round would be one too many.
    fn begin_round(&mut self, delivered: u64) -> bool {
        self.round_end = delivered;
        if self.current_min != UNKNOWN {
            self.last_min = core::mem::replace(&mut self.current_min, UNKNOWN);
        }
        self.samples = 0;
        self.rounds += u8::from(self.conservative);
        self.conservative && self.rounds >= CSS_ROUNDS
    }

    const fn growth(&self) -> Growth {
        Growth::Divided(if self.conservative { CSS_GROWTH_DIVISOR } else { 1 })
    }
}

/// Whether a round trip went from `last` to `current` by more than noise.
fn grew(last: u32, current: u32) -> bool {
    let noise = (last / MIN_RTT_DIVISOR).clamp(MIN_RTT_THRESH, MAX_RTT_THRESH);
    last != UNKNOWN && current >= last.saturating_add(noise)
}

#[cfg(test)]
#[path = "hystart_tests.rs"]
mod tests;
