//! What a connection came to.

use std::time::Duration;

use super::{Both, Side};
use crate::nanos;

/// What one end sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize)]
pub struct Counts {
    /// Packets.
    pub packets: u64,
    /// Bytes of payload, each counted once.
    pub bytes: u64,
    /// Packets that carried again what was sent before.
    pub retransmitted: u64,
    /// Packets that are known to have been lost or damaged.
    pub lost: u64,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase", tag = "how", content = "by")]
pub enum Ending {
    /// It did not, as far as was seen.
    Open,
    /// The SYN was never answered.
    Unanswered,
    /// The SYN was answered by a RST.
    Refused,
    /// Closed by FINs, the first of which this end sent.
    Closed(Side),
    /// One direction is closed, by this end; the other never was.
    HalfClosed(Side),
    /// This end reset it.
    Reset(Side),
}

/// A connection's totals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// What each end sent.
    #[serde(flatten)]
    pub sent: Both<Counts>,
    /// From the SYN to the SYN-ACK, where each was sent once only.
    #[serde(rename = "handshake_rtt_ns", serialize_with = "nanos::maybe")]
    pub handshake_rtt: Option<Duration>,
    /// From the first packet to the last.
    #[serde(rename = "duration_ns", serialize_with = "nanos::of")]
    pub duration: Duration,
    /// How it ended.
    pub ending: Ending,
}

impl Summary {
    /// Packets of both directions.
    #[must_use]
    pub const fn packets(&self) -> u64 {
        self.sent.client.packets + self.sent.server.packets
    }

    /// Retransmissions of both directions.
    #[must_use]
    pub const fn retransmitted(&self) -> u64 {
        self.sent.client.retransmitted + self.sent.server.retransmitted
    }
}
