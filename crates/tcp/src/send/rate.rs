//! How fast the path delivers: draft-cheng-iccrg-delivery-rate-estimation, which
//! draft-ietf-ccwg-bbr §4.1.1 took over.

use core::time::Duration;

use handclasp_wire::time::Instant;

use super::flight::{Delivery, Fate, Sent};

/// Counts what is delivered, and stamps what is sent with it.
#[derive(Clone, Debug)]
pub(crate) struct RateEstimator {
    /// Bytes delivered over the connection's life, and when the last of them was.
    pub(crate) delivered: u64,
    delivered_at: Instant,
    /// When the newest of what was acknowledged last had been sent.
    first_sent_at: Instant,
    /// What is delivered up to here says nothing of the path: the application had written too
    /// little. 0 if that is not so.
    app_limited: u64,
}

/// What the newest of what an acknowledgment covers says of the time since it was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) prior_delivered: u64,
    pub(crate) interval: Duration,
    pub(crate) tx_in_flight: u32,
    /// Bytes lost before it was sent.
    pub(crate) prior_lost: u64,
    pub(crate) app_limited: bool,
}

impl RateEstimator {
    pub(crate) const fn new(now: Instant) -> Self {
        Self { delivered: 0, delivered_at: now, first_sent_at: now, app_limited: 0 }
    }

    /// Nothing is under way and something is about to be: intervals begin now.
    pub(crate) const fn starts(&mut self, now: Instant) {
        (self.delivered_at, self.first_sent_at) = (now, now);
    }

    /// Stamps what leaves now.
    pub(crate) const fn stamp(&self, sent: Sent) -> Sent {
        let mut fate = sent.fate;
        if self.app_limited > 0 {
            fate = fate.union(Fate::APP_LIMITED);
        }
        Sent {
            delivered: self.delivered,
            delivered_at: self.delivered_at,
            first_sent_at: self.first_sent_at,
            fate,
            ..sent
        }
    }

    /// What is in flight now is all that there was to send.
    pub(crate) fn mark_app_limited(&mut self, in_flight: u32) {
        self.app_limited = (self.delivered + u64::from(in_flight)).max(1);
    }

    pub(crate) const fn is_app_limited(&self) -> bool {
        self.app_limited > 0
    }

    /// Counts what an acknowledgment delivered and measures by it.
    pub(crate) fn delivered(
        &mut self,
        now: Instant,
        delivery: &Delivery,
        min_rtt: Option<Duration>,
    ) -> Option<Measured> {
        self.delivered += u64::from(delivery.bytes);
        self.delivered_at = now;
        if self.app_limited > 0 && self.delivered > self.app_limited {
            self.app_limited = 0;
        }
        let newest = delivery.newest.as_ref()?;
        let sending = newest.sent_at - newest.first_sent_at;
        let acknowledging = now - newest.delivered_at;
        // Neither side alone is to be believed: ACKs are compressed, and sending comes in
        // bursts.
        let interval = sending.max(acknowledging);
        self.first_sent_at = newest.sent_at;
        let too_short = min_rtt.is_some_and(|min| interval < min);
        Some(Measured {
            prior_delivered: newest.delivered,
            interval: if too_short { Duration::ZERO } else { interval },
            tx_in_flight: newest.in_flight,
            prior_lost: newest.lost,
            app_limited: newest.fate.contains(Fate::APP_LIMITED),
        })
    }
}

#[cfg(test)]
#[path = "rate_tests.rs"]
mod tests;
