//! What a connection did lately, and what held it back: the times of TCP_INFO.

use core::time::Duration;

use handclasp_wire::time::Instant;

use super::Connection;
use crate::negotiation::announced_mss;
use crate::send::flight::Fate;

/// Times up to one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Activity {
    /// Since data last came, or the connection opened.
    pub since_data_in: Duration,
    /// Since something was last sent that is to be acknowledged.
    pub since_data_out: Duration,
    /// Since the peer was last heard.
    pub since_heard: Duration,
    /// Data was under way, or waited to be.
    pub busy: Duration,
    /// The peer's window held data back.
    pub window_limited: Duration,
    /// The send buffer held the application back.
    pub buffer_limited: Duration,
}

impl Connection {
    /// What the connection did up to `now`.
    #[must_use]
    pub fn activity(&self, now: Instant) -> Activity {
        Activity {
            since_data_in: now - self.rcv.data_at,
            since_data_out: now - self.snd.last_sent_at,
            since_heard: now - self.life.last_heard_at,
            busy: self.snd.limits.busy(now),
            window_limited: self.snd.limits.window(now),
            buffer_limited: self.snd.limits.buffer(now),
        }
    }

    /// Largest payload that the peer was told we take, in bytes.
    #[must_use]
    pub fn announced_mss(&self) -> u16 {
        announced_mss(&self.config, &self.opening, self.tuple.ip_header_len())
    }

    /// Bytes that were sent again and not acknowledged since, as far as is known.
    #[must_use]
    pub fn resent_outstanding(&self) -> u32 {
        let resent = |fate: Fate| fate & (Fate::RESENT | Fate::SACKED | Fate::LOST) == Fate::RESENT;
        self.snd.flight.ranges().filter(|sent| resent(sent.fate)).map(|sent| sent.len).sum()
    }

    /// Retransmissions or probes since the peer was last heard to make progress.
    #[must_use]
    pub const fn unanswered(&self) -> u8 {
        self.snd.unanswered
    }
}
