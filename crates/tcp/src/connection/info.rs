//! How a connection fares, in the manner of TCP_INFO.

use core::time::Duration;

use super::{Connection, Error, PathError};
use crate::negotiation::Negotiated;
use crate::state::State;

/// Totals since the connection began. A burst counts as the segments it is cut into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Segments that came in.
    pub segments_in: u64,
    /// Segments that came in with data.
    pub data_segments_in: u64,
    /// Of these, beyond a gap.
    pub segments_out_of_order: u64,
    /// Bytes received in order.
    pub bytes_in: u64,
    /// Segments sent.
    pub segments_out: u64,
    /// Bytes of payload sent, retransmissions included.
    pub bytes_out: u64,
    /// Bytes of payload that the peer acknowledged.
    pub bytes_acked: u64,
    /// Segments sent again.
    pub segments_resent: u64,
    /// Bytes of payload sent again.
    pub bytes_resent: u64,
    /// How often the retransmission timer fired for data.
    pub timeouts: u64,
    /// Duplicate ACKs received.
    pub duplicate_acks: u64,
    /// Segments beyond a gap that found no room.
    pub dropped_beyond_gap: u64,
    /// How often the peer's urgent mark appeared or moved on.
    pub urgent_notices: u64,
}

/// A connection's state and measurements at one moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Info {
    /// RFC 9293's state.
    pub state: State,
    /// What the handshake settled.
    pub negotiated: Negotiated,
    /// Payload of a full segment, in bytes.
    pub mss: u16,
    /// Largest packet the path carries, in bytes.
    pub path_mtu: u16,
    /// Smoothed round-trip time.
    pub rtt: Option<Duration>,
    /// Its variation.
    pub rtt_variation: Option<Duration>,
    /// The least round trip measured.
    pub rtt_min: Option<Duration>,
    /// The retransmission timeout, backed off.
    pub rto: Duration,
    /// Congestion window, in bytes.
    pub cwnd: u32,
    /// Slow start threshold, in bytes; `u32::MAX` before the first loss.
    pub ssthresh: u32,
    /// The peer's window, in bytes.
    pub snd_wnd: u32,
    /// Our window, in bytes.
    pub rcv_wnd: u32,
    /// Bytes sent and not acknowledged.
    pub in_flight: u32,
    /// Bytes written and never sent.
    pub unsent: u32,
    /// Bytes received in order and not read.
    pub unread: usize,
    /// Bytes kept beyond a gap.
    pub beyond_gap: usize,
    /// Why the connection ended, if it ended badly.
    pub error: Option<Error>,
    /// The last error of the path that did not end the connection (RFC 9293 §3.9.1.8).
    pub soft_error: Option<PathError>,
    /// Totals.
    pub statistics: Statistics,
}

impl Connection {
    /// Totals since the connection began.
    #[must_use]
    pub const fn statistics(&self) -> &Statistics {
        &self.stats
    }

    /// How the connection fares.
    #[must_use]
    pub fn info(&self) -> Info {
        Info {
            state: self.state,
            negotiated: self.negotiated,
            mss: self.snd.smss,
            path_mtu: self.path_mtu,
            rtt: self.snd.rtt.srtt(),
            rtt_variation: self.snd.rtt.rttvar(),
            rtt_min: self.snd.rtt.min(),
            rto: self.snd.rtt.rto(&self.config),
            cwnd: self.snd.controller.cwnd(),
            ssthresh: self.snd.controller.ssthresh(),
            snd_wnd: self.snd.wnd,
            rcv_wnd: self.rcv.wnd(),
            in_flight: self.snd.flight.outstanding(),
            unsent: self.snd.unsent(),
            unread: self.rcv.queue.len(),
            beyond_gap: self.rcv.reassembly.bytes(),
            error: self.life.error,
            soft_error: self.life.soft_error,
            statistics: self.stats,
        }
    }
}
