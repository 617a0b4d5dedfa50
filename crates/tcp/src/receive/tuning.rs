//! How much the receive buffer may hold: it follows what the application reads per round
//! trip, so that the window never limits a path that the reader keeps up with.

use core::time::Duration;

use handclasp_wire::time::Instant;

use crate::config::Config;

#[derive(Clone, Debug)]
pub(crate) struct Tuning {
    /// Bytes of unread data to offer room for.
    pub(crate) limit: usize,
    pub(super) round_began: Instant,
    pub(super) read_in_round: usize,
    /// Round trip as the receiver sees it, from echoed timestamps.
    pub(super) rtt: Option<Duration>,
}

impl Tuning {
    pub(crate) fn new(config: &Config, now: Instant) -> Self {
        Self {
            limit: config.receive_buffer_start.min(config.receive_buffer_max),
            round_began: now,
            read_in_round: 0,
            rtt: None,
        }
    }

    /// A data segment echoed a timestamp that is `age` old.
    pub(crate) fn echo_age(&mut self, age: Duration) {
        // The clock ticks in milliseconds: less than one is seen as none.
        let age = age.max(Duration::from_millis(1));
        self.rtt =
            Some(self.rtt.map_or(age, |rtt| if age < rtt { age } else { (rtt * 7 + age) / 8 }));
    }

    /// The application read `n` bytes. `fallback` is the sender's own round trip, where
    /// nothing echoes timestamps.
    pub(crate) fn read(
        &mut self,
        config: &Config,
        now: Instant,
        n: usize,
        fallback: Option<Duration>,
        under_pressure: bool,
    ) {
        self.read_in_round += n;
        let rtt = self.rtt.or(fallback).unwrap_or(Duration::from_millis(10));
        if now - self.round_began < rtt {
            return;
        }
        // What one round trip delivered, twice: the sender's window may double in the next.
        let wanted = self.read_in_round.saturating_mul(2) + (16 << 10);
        if wanted > self.limit && !under_pressure {
            self.limit = wanted.min(config.receive_buffer_max).max(self.limit);
        }
        self.round_began = now;
        self.read_in_round = 0;
    }
}
