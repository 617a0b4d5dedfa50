//! How much may be in flight, and how fast: the trait, and where controllers are listed.
//!
//! To add a controller: a file here (or a folder, as BBR's) with a type that implements
//! [`Controller`], a name in [`Algorithm`], and a line in [`controller`]. What every controller
//! needs stands beside them: `hystart` (a slow start that ends by itself), `pacer` (when the
//! next burst may leave), `validation` (a window that the application does not use).

pub mod bbr;
pub mod cubic;
pub mod reno;

pub(crate) mod pacer;
pub(crate) mod validation;

mod hystart;

use alloc::boxed::Box;
use core::fmt;
use core::time::Duration;

use handclasp_wire::time::Instant;

use crate::config::Algorithm;
use bbr::Bbr;
use cubic::Cubic;
use reno::Reno;

/// Full segments that one acknowledgment may add to the window in slow start: RFC 3465 §2.2's
/// L, which RFC 9406 §4.3 puts at 8 where nothing is paced.
const SLOW_START_SEGMENTS: u32 = 8;

/// No window is wider: sequence numbers allow 2³⁰ bytes in flight (RFC 7323 §2.3).
const CWND_MAX: u32 = 1 << 30;

/// What an acknowledgment told about the path: draft-cheng-iccrg-delivery-rate-estimation's
/// rate sample, and what controllers need beside it.
///
/// `delivered` counts bytes acknowledged or selectively acknowledged since the connection
/// began.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RateSample {
    /// The present.
    pub now: Instant,
    /// Bytes that this acknowledgment moved `snd.una` by.
    pub newly_acked: u32,
    /// Bytes that the peer was not known to have before, selectively acknowledged ones
    /// included.
    pub newly_delivered: u32,
    /// Bytes that were found lost with it.
    pub newly_lost: u32,
    /// Bytes delivered over the connection's life, this acknowledgment included.
    pub delivered: u64,
    /// `delivered` when the newest segment acknowledged here was sent.
    pub prior_delivered: u64,
    /// How long the difference of the two took: the longer of sending and of acknowledging
    /// it. Zero where that is less than any round trip and so no measurement.
    pub interval: Duration,
    /// Bytes in flight when the newest segment acknowledged here was sent, itself included.
    pub tx_in_flight: u32,
    /// Bytes found lost since then.
    pub lost: u64,
    /// The least round trip of what is acknowledged here and was sent once only.
    pub rtt: Option<Duration>,
    /// Smoothed.
    pub srtt: Option<Duration>,
    /// Bytes in flight before it.
    pub prior_in_flight: u32,
    /// Bytes in flight after it.
    pub in_flight: u32,
    /// Whether the newest segment acknowledged here left while the application had written
    /// too little: a rate that says nothing of the path.
    pub app_limited: bool,
    /// Whether the congestion window, not the application or the peer, held us back.
    pub cwnd_limited: bool,
    /// Whether losses are being repaired.
    pub in_recovery: bool,
}

impl RateSample {
    /// Bytes delivered in the interval.
    #[must_use]
    pub const fn delivered_in_interval(&self) -> u64 {
        self.delivered - self.prior_delivered
    }

    /// Whether a window may grow by it: a window that was not used up says nothing of the path
    /// (RFC 7661 §4.3), nor does what comes behind a gap before the gap is understood.
    pub(crate) const fn may_grow(&self) -> bool {
        !self.in_recovery && self.cwnd_limited && self.newly_acked > 0
    }

    /// Bytes per second, if this is a measurement.
    #[must_use]
    pub fn delivery_rate(&self) -> Option<u64> {
        let nanos = self.interval.as_nanos();
        if nanos == 0 {
            return None;
        }
        let bytes = u128::from(self.delivered_in_interval());
        Some(u64::try_from(bytes * 1_000_000_000 / nanos).unwrap_or(u64::MAX))
    }
}

/// A range that was found lost.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct LossSample {
    /// Its bytes.
    pub bytes: u32,
    /// Bytes in flight when it was sent, itself included.
    pub tx_in_flight: u32,
    /// Bytes found lost since then, itself included.
    pub lost: u64,
    /// Whether it left while the application had written too little.
    pub app_limited: bool,
}

/// What a controller begins with.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Start {
    /// The present.
    pub now: Instant,
    /// Payload of a full segment.
    pub mss: u32,
    /// The window, as long as nothing else is known ([`initial_window`]).
    pub initial: u32,
    /// The smoothed round trip, if one was measured.
    pub srtt: Option<Duration>,
    /// What little chance a controller needs comes from here.
    pub seed: u32,
    /// Whether what the window lets out is spread over the round trip.
    pub paced: bool,
    /// Whether a mark takes less of the window than a loss (RFC 8511).
    pub abe: bool,
}

/// A congestion controller. All amounts are bytes.
///
/// While losses are repaired, recovery lets the flight come down to `ssthresh` bit by bit
/// (RFC 9937) and does not ask for `cwnd`, if the controller has it so
/// ([`Controller::recovers_proportionally`]): [`Controller::lost`] may set both at once.
pub trait Controller: fmt::Debug + Send + Sync {
    /// Its name.
    fn algorithm(&self) -> Algorithm;

    /// The congestion window.
    fn cwnd(&self) -> u32;

    /// The slow start threshold; `u32::MAX` before the first loss.
    fn ssthresh(&self) -> u32;

    /// Bytes per second at which data may leave; `None` leaves that to the pacer's ratios, if
    /// the connection paces at all.
    fn pacing_rate(&self) -> Option<u64> {
        None
    }

    /// Data is about to leave while `in_flight` bytes are under way.
    fn sends(&mut self, now: Instant, in_flight: u32, app_limited: bool) {
        let _ = (now, in_flight, app_limited);
    }

    /// Data was acknowledged.
    fn acked(&mut self, sample: &RateSample);

    /// A loss was found while `in_flight` bytes were under way: once per window of data. It may
    /// turn out to be none: what [`Controller::undo`] needs is to be kept.
    fn lost(&mut self, now: Instant, in_flight: u32);

    /// Whether [`Controller::range_lost`] wants to be called.
    fn watches_losses(&self) -> bool {
        false
    }

    /// A range was found lost, whatever was found lost before.
    fn range_lost(&mut self, now: Instant, range: &LossSample) {
        let _ = (now, range);
    }

    /// The retransmission timer fired; `first` unless the window was reduced for the same data
    /// before. What [`Controller::undo`] needs is to be kept when it is `first`.
    fn timed_out(&mut self, now: Instant, in_flight: u32, first: bool);

    /// The path marked packets instead of dropping them, while `in_flight` bytes were under way:
    /// once per window of data. As much as for a loss (RFC 3168 §5), unless the controller knows
    /// better and may ([`Start::abe`]).
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

    /// Nothing was sent for longer than an RTO: `window` is what may be sent at once
    /// (RFC 5681 §4.1).
    fn restarted(&mut self, now: Instant, window: u32);

    /// The windows are to be these: known from elsewhere, be it another controller or that
    /// the application did not use them.
    fn set_windows(&mut self, cwnd: u32, ssthresh: u32);

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

/// A new controller.
#[must_use]
pub fn controller(algorithm: Algorithm, start: &Start) -> Box<dyn Controller> {
    match algorithm {
        Algorithm::Reno => Box::new(Reno::new(start)),
        Algorithm::Cubic => Box::new(Cubic::new(start)),
        Algorithm::Bbr => Box::new(Bbr::new(start)),
    }
}

/// RFC 6928 §2: ten segments, but no more than the larger of two and 14,600 bytes.
#[must_use]
pub fn initial_window(mss: u32, segments: u8) -> u32 {
    let segments = u32::from(segments.max(1));
    (segments * mss).min((2 * mss).max(segments * 1460))
}

#[cfg(test)]
mod testing;
