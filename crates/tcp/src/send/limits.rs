//! What held the sender back, and for how long.

use core::time::Duration;

use handclasp_wire::time::Instant;

use super::Sender;

/// What holds the sender back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    /// Nothing: there is nothing to send.
    Idle,
    /// The network: data is on its way, or waits for the congestion window.
    Network,
    /// The peer's window.
    Window,
    /// The send buffer: the application would write more.
    Buffer,
}

/// The time that passed under each limit. Every connection has one, so it is kept small.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    since: Instant,
    now: Limit,
    network: Ticks,
    window: Ticks,
    buffer: Ticks,
}

/// A time in units of 16 µs, which go up to 19 hours.
#[derive(Clone, Copy, Debug)]
struct Ticks(u32);

impl Ticks {
    const MICROS: u64 = 16;

    fn time(self) -> Duration {
        Duration::from_micros(u64::from(self.0) * Self::MICROS)
    }

    fn of(time: Duration) -> Self {
        let ticks = time.as_micros() as u64 / Self::MICROS;
        Self(u32::try_from(ticks).unwrap_or(u32::MAX))
    }
}

impl Limits {
    pub(super) const fn new(now: Instant) -> Self {
        let none = Ticks(0);
        Self { since: now, now: Limit::Idle, network: none, window: none, buffer: none }
    }

    fn at(&self, now: Instant, limit: Limit) -> Duration {
        let before = match limit {
            Limit::Idle => Ticks(0),
            Limit::Network => self.network,
            Limit::Window => self.window,
            Limit::Buffer => self.buffer,
        };
        let before = before.time();
        if self.now == limit { before + (now - self.since) } else { before }
    }

    /// The time that data was under way or waited to be.
    pub(crate) fn busy(&self, now: Instant) -> Duration {
        let limits = [Limit::Network, Limit::Window, Limit::Buffer];
        limits.into_iter().map(|limit| self.at(now, limit)).sum()
    }

    /// The time that the peer's window held data back.
    pub(crate) fn window(&self, now: Instant) -> Duration {
        self.at(now, Limit::Window)
    }

    /// The time that the send buffer held the application back.
    pub(crate) fn buffer(&self, now: Instant) -> Duration {
        self.at(now, Limit::Buffer)
    }
}

impl Sender {
    /// Nothing more leaves now: sees what for.
    pub(crate) fn note_limit(&mut self, now: Instant) {
        let unsent = self.unsent();
        let segment = unsent.min(u32::from(self.smss));
        let limit = if self.queue.is_empty() && self.flight.is_empty() {
            Limit::Idle
        } else if unsent > 0 && self.window_room() < segment && self.congestion_room() >= segment {
            Limit::Window
        } else if unsent == 0 && self.is_wanting() {
            Limit::Buffer
        } else {
            Limit::Network
        };
        if limit == self.limits.now {
            return;
        }
        let past = Ticks::of(self.limits.at(now, self.limits.now));
        match self.limits.now {
            Limit::Idle => {}
            Limit::Network => self.limits.network = past,
            Limit::Window => self.limits.window = past,
            Limit::Buffer => self.limits.buffer = past,
        }
        (self.limits.now, self.limits.since) = (limit, now);
    }
}
