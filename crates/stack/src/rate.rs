//! Limits on how often something is answered.

use core::time::Duration;

use handclasp_wire::time::Instant;

/// At most so many per second, and so many at once after a second's silence.
#[derive(Clone, Debug)]
pub(crate) struct Rate {
    /// What one costs; `None` forbids all.
    cost: Option<Duration>,
    saved: Duration,
    last: Instant,
}

impl Rate {
    pub(crate) const fn new(per_second: u32) -> Self {
        let cost = match per_second {
            0 => None,
            n => Some(Duration::from_nanos(1_000_000_000 / n as u64)),
        };
        Self { cost, saved: Duration::from_secs(1), last: Instant::ZERO }
    }

    /// Whether one more is allowed now; counts it if so.
    pub(crate) fn allows(&mut self, now: Instant) -> bool {
        let Some(cost) = self.cost else { return false };
        self.saved = (self.saved + now.saturating_since(self.last)).min(Duration::from_secs(1));
        self.last = now;
        match self.saved.checked_sub(cost) {
            Some(rest) => {
                self.saved = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
#[path = "rate_tests.rs"]
mod tests;
