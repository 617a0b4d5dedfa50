//! How large a burst for a device that cuts segments itself should be, as Linux has it.

use core::time::Duration;

/// The largest burst a device takes.
const BURST_MAX: u64 = 65_536;

/// The most bytes of a burst where `burst` is what the device takes: what the connection's pace
/// brings in a millisecond, more where the peer is near, but no more than half of the congestion
/// window, so that there is always another burst to wait for ACKs with. Two segments at least.
pub(crate) fn autosized(burst: u32, path: &Path) -> u32 {
    let smss = u32::from(path.smss).max(1);
    let (Some(srtt), Some(rtt_min)) = (path.srtt, path.rtt_min) else { return burst };
    let cwnd = u64::from(path.cwnd);
    // Linux's pace, where nothing else paces: twice the window in slow start, then 1.2 times.
    let ahead = if path.cwnd < path.ssthresh / 2 { 20 } else { 12 };
    let rate = cwnd * ahead / 10 * 1_000_000 / (srtt.as_micros() as u64).max(1);
    let halvings = (rtt_min.as_micros() >> 9).min(63) as u32;
    let near = BURST_MAX.checked_shr(halvings).unwrap_or(0);
    let wanted = u32::try_from((rate / 1024 + near) / u64::from(smss)).unwrap_or(u32::MAX);
    let segments = wanted.max(path.least).min((path.cwnd / smss / 2).max(1));
    burst.min(segments.saturating_mul(smss))
}

/// What is known of the path.
pub(crate) struct Path {
    pub(crate) smss: u16,
    pub(crate) cwnd: u32,
    pub(crate) ssthresh: u32,
    pub(crate) srtt: Option<Duration>,
    pub(crate) rtt_min: Option<Duration>,
    /// Segments that a burst may have at any pace.
    pub(crate) least: u32,
}

#[cfg(test)]
#[path = "autosize_tests.rs"]
mod tests;
