//! How much may be in flight: the trait, and where controllers are listed.
//!
//! To add a controller: a file here with a type that implements [`Controller`], a name in
//! [`Algorithm`], and a line in [`controller`].

mod reno;

use alloc::boxed::Box;
use core::fmt;
use core::time::Duration;

use handclasp_wire::time::Instant;

pub use reno::Reno;

use crate::config::Algorithm;

/// What an acknowledgment told about the path's rate.
///
/// `delivered` counts bytes acknowledged or selectively acknowledged since the connection
/// began, in the manner of the delivery-rate estimate that BBR needs.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RateSample {
    /// The present.
    pub now: Instant,
    /// Bytes that this acknowledgment moved `snd.una` by.
    pub newly_acked: u32,
    /// Bytes delivered over the connection's life, this acknowledgment included.
    pub delivered: u64,
    /// `delivered` when the newest segment acknowledged here was sent.
    pub prior_delivered: u64,
    /// How long the difference of the two took to deliver.
    pub interval: Duration,
    /// The round trip of the newest segment acknowledged here, if it was sent once only.
    pub rtt: Option<Duration>,
    /// Bytes in flight after it.
    pub in_flight: u32,
    /// Whether the sender had less to send than the window allowed.
    pub app_limited: bool,
    /// Whether losses are being repaired.
    pub in_recovery: bool,
}

/// A congestion controller. All amounts are bytes.
///
/// While losses are repaired, recovery lets the flight come down to `ssthresh` bit by bit
/// (RFC 9937) and does not ask for `cwnd`, if the controller has it so
/// ([`Controller::recovers_proportionally`]): [`Controller::lost`] may set both at once.
pub trait Controller: fmt::Debug + Send + Sync {
    /// The congestion window.
    fn cwnd(&self) -> u32;

    /// The slow start threshold; `u32::MAX` before the first loss.
    fn ssthresh(&self) -> u32;

    /// The least interval between bytes, as bytes per second; `None` paces nothing.
    fn pacing_rate(&self) -> Option<u64> {
        None
    }

    /// Data was acknowledged.
    fn acked(&mut self, sample: &RateSample);

    /// A loss was found while `in_flight` bytes were under way: once per window of data. It may
    /// turn out to be none: what [`Controller::undo`] needs is to be kept.
    fn lost(&mut self, now: Instant, in_flight: u32);

    /// The retransmission timer fired; `first` unless the window was reduced for the same data
    /// before. What [`Controller::undo`] needs is to be kept when it is `first`.
    fn timed_out(&mut self, now: Instant, in_flight: u32, first: bool);

    /// The path marked packets instead of dropping them, while `in_flight` bytes were under way:
    /// once per window of data. As much as for a loss (RFC 3168 §5), unless the controller knows
    /// better (RFC 8511).
    fn marked(&mut self, now: Instant, in_flight: u32) {
        self.lost(now, in_flight);
        self.recovered(now);
    }

    /// The last `lost`, or the last `timed_out` that was `first`, and every timeout since, was
    /// for nothing: what was thought lost arrived. The window is to be what it was before, or
    /// more if it has grown beyond that meanwhile, and the threshold too. Called at most once
    /// for each of them, while losses are repaired or some time after.
    fn undo(&mut self, now: Instant);

    /// The repair that began with `lost` or `timed_out` is over: all that was in flight then is
    /// acknowledged, or the reduction was undone.
    fn recovered(&mut self, now: Instant) {
        let _ = now;
    }

    /// Whether the flight is to come down to [`Controller::ssthresh`] during fast recovery by
    /// proportional rate reduction (RFC 9937 §5), with `cwnd` left out of it until the end.
    fn recovers_proportionally(&self) -> bool {
        true
    }

    /// Nothing was sent for longer than an RTO (RFC 5681 §4.1).
    fn restarted(&mut self, now: Instant);

    /// The payload of a full segment changed.
    fn set_mss(&mut self, mss: u32);

    /// The same controller again.
    fn clone_box(&self) -> Box<dyn Controller>;
}

impl Clone for Box<dyn Controller> {
    fn clone(&self) -> Self {
        self.clone_box()
    }
}

/// A controller that starts with a window of `segments` segments of `mss` bytes.
#[must_use]
pub fn controller(algorithm: Algorithm, mss: u32, segments: u8) -> Box<dyn Controller> {
    match algorithm {
        Algorithm::Reno => Box::new(Reno::new(mss, segments)),
    }
}

/// RFC 6928 §2: ten segments, but no more than the larger of two and 14,600 bytes.
#[must_use]
pub fn initial_window(mss: u32, segments: u8) -> u32 {
    let segments = u32::from(segments.max(1));
    (segments * mss).min((2 * mss).max(segments * 1460))
}
