//! A path as a controller sees it, for the tests of controllers.

use core::time::Duration;

use handclasp_wire::time::Instant;

use super::{Controller, RateSample, Start};

pub(super) const MSS: u32 = 1000;

pub(super) fn start() -> Start {
    Start {
        now: Instant::ZERO,
        mss: MSS,
        initial: 10 * MSS,
        srtt: None,
        seed: 7,
        paced: false,
        abe: false,
    }
}

/// Acknowledges windows, one segment at a time.
pub(super) struct Path {
    pub(super) now: Instant,
    pub(super) rtt: Duration,
    pub(super) delivered: u64,
    pub(super) cwnd_limited: bool,
    pub(super) in_recovery: bool,
}

impl Path {
    pub(super) fn new(rtt: Duration) -> Self {
        let now = Instant::ZERO + rtt;
        Self { now, rtt, delivered: 0, cwnd_limited: true, in_recovery: false }
    }

    /// What an acknowledgment of `bytes` says now; `since` was delivered when they were sent.
    pub(super) fn sample(&mut self, bytes: u32, since: u64) -> RateSample {
        self.delivered += u64::from(bytes);
        RateSample {
            now: self.now,
            newly_acked: bytes,
            newly_delivered: bytes,
            newly_lost: 0,
            delivered: self.delivered,
            prior_delivered: since,
            interval: self.rtt,
            tx_in_flight: 10 * MSS,
            lost: 0,
            rtt: Some(self.rtt),
            srtt: Some(self.rtt),
            prior_in_flight: 10 * MSS,
            in_flight: 10 * MSS,
            app_limited: false,
            cwnd_limited: self.cwnd_limited,
            in_recovery: self.in_recovery,
        }
    }

    /// A whole window arrives in the course of one round trip; returns the next one.
    pub(super) fn round(&mut self, controller: &mut dyn Controller) -> u32 {
        let (segments, since) = ((controller.cwnd() / MSS).max(1), self.delivered);
        for _ in 0..segments {
            self.now += self.rtt / segments;
            let sample = self.sample(MSS, since);
            controller.acked(&sample);
        }
        controller.cwnd()
    }
}
