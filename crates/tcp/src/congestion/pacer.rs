//! When the next burst may leave.

use core::time::Duration;

use handclasp_wire::time::Instant;

/// A burst is what the rate sends in so long, so that a device that cuts segments itself has
/// something to cut, and the timer fires a thousand times a second at most.
const QUANTUM: Duration = Duration::from_millis(1);
/// But no fewer full segments than this: acknowledgments come for every second one.
const QUANTUM_SEGMENTS: u32 = 2;

/// Spreads what the window lets out over time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pacer {
    /// When what was sent so far will have been sent at the rate asked for.
    free_at: Instant,
}

impl Pacer {
    /// `len` bytes leave at `rate` bytes per second; says when the next ones may, unless they
    /// may at once.
    pub(crate) fn sent(&mut self, now: Instant, len: u32, rate: u64, smss: u32) -> Option<Instant> {
        let segment = takes(u64::from(smss), rate);
        let quantum = QUANTUM.max(segment * QUANTUM_SEGMENTS);
        // A timer that fires late, or an ACK that comes late, is made up for by one burst.
        self.free_at = self.free_at.max(now - quantum) + takes(u64::from(len), rate);
        (self.free_at + segment > now + quantum).then_some(self.free_at)
    }
}

/// The most bytes that leave in one burst at `rate` bytes per second.
pub(crate) fn quantum(rate: u64, smss: u32) -> u32 {
    let bytes = u128::from(rate) * QUANTUM.as_nanos() / 1_000_000_000;
    u32::try_from(bytes).unwrap_or(u32::MAX).max(QUANTUM_SEGMENTS * smss)
}

/// How long `bytes` take at `rate` bytes per second.
fn takes(bytes: u64, rate: u64) -> Duration {
    let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(rate.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// Bytes per second for a window that is not a rate itself: Linux's two windows in a round
/// trip while it doubles, and a fifth more than one when it does not, so that pacing never is
/// what holds the window back.
pub(crate) fn rate_of(cwnd: u32, ssthresh: u32, srtt: Duration) -> u64 {
    let percent = if cwnd < ssthresh / 2 { 200 } else { 120 };
    let nanos = srtt.as_nanos().max(1);
    let bytes = u128::from(cwnd) * percent * 10_000_000 / nanos;
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "pacer_tests.rs"]
mod tests;
