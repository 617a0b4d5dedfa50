//! How a connection fares, in the manner of TCP_INFO.

use core::time::Duration;

use super::{Connection, Error, PathError};
use crate::config::Algorithm;
use crate::ecn::Agreed;
use crate::negotiation::Negotiated;
use crate::recovery::Phase;
pub use crate::recovery::counts::RecoveryCounts;
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
    /// Packets received with a congestion mark (RFC 3168 §5).
    pub marks_in: u64,
    /// Marks that the peer reported: echoes, or packets where it counts them.
    pub marks_reported: u64,
    /// Segments beyond a gap that found no room.
    pub dropped_beyond_gap: u64,
    /// How often the peer's urgent mark appeared or moved on.
    pub urgent_notices: u64,
}

/// Whether losses are being repaired: Linux's tcpi_ca_state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repair {
    /// Nothing is known to be amiss.
    Open,
    /// Something arrived out of order; whether anything was lost is not known yet.
    Disorder,
    /// Fast recovery.
    Fast,
    /// After a retransmission timeout.
    Timeout,
}

/// A connection's state and measurements at one moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Info {
    /// RFC 9293's state.
    pub state: State,
    /// What the handshake settled.
    pub negotiated: Negotiated,
    /// The explicit congestion notification that it agreed on.
    pub ecn: Agreed,
    /// Payload of a full segment, in bytes.
    pub mss: u16,
    /// Largest packet the path carries, in bytes.
    pub path_mtu: u16,
    /// Smoothed round-trip time.
    pub rtt: Option<Duration>,
    /// Its variation.
    pub rtt_variation: Option<Duration>,
    /// The least round trip measured in the last minutes, in whole microseconds.
    pub rtt_min: Option<Duration>,
    /// The retransmission timeout, backed off.
    pub rto: Duration,
    /// Congestion window, in bytes.
    pub cwnd: u32,
    /// Slow start threshold, in bytes; `u32::MAX` before the first loss.
    pub ssthresh: u32,
    /// Who controls congestion.
    pub congestion: Algorithm,
    /// Bytes per second at which data leaves, if that is limited.
    pub pacing_rate: Option<u64>,
    /// The peer's window, in bytes.
    pub snd_wnd: u32,
    /// Our window, in bytes.
    pub rcv_wnd: u32,
    /// Bytes sent and not acknowledged.
    pub in_flight: u32,
    /// Of these, reported by the peer as received beyond a gap.
    pub sacked: u32,
    /// Of these, believed lost and not yet sent again.
    pub lost: u32,
    /// Whether losses are being repaired.
    pub repair: Repair,
    /// Whether the path was seen to reorder.
    pub reorders: bool,
    /// What loss recovery did.
    pub recovery: RecoveryCounts,
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

    /// What loss recovery did since the last call, for a host that adds it up.
    pub fn take_recovery_news(&mut self) -> Option<RecoveryCounts> {
        self.snd.recovery.take_news()
    }

    fn repair_state(&self) -> Repair {
        match self.snd.recovery.phase() {
            Phase::Open if self.snd.flight.sacked() == 0 => Repair::Open,
            Phase::Open => Repair::Disorder,
            Phase::Fast { .. } => Repair::Fast,
            Phase::Loss { .. } => Repair::Timeout,
        }
    }

    /// How the connection fares.
    #[must_use]
    pub fn info(&self) -> Info {
        Info {
            state: self.state,
            negotiated: self.negotiated,
            ecn: self.ecn_agreed(),
            mss: self.snd.smss,
            path_mtu: self.path_mtu,
            rtt: self.snd.rtt.srtt(),
            rtt_variation: self.snd.rtt.rttvar(),
            rtt_min: self.snd.rtt.min(),
            rto: self.snd.rtt.rto(&self.config),
            cwnd: self.snd.cwnd(),
            ssthresh: self.snd.controller.ssthresh(),
            congestion: self.snd.controller.algorithm(),
            pacing_rate: self.snd.pacing_rate(),
            snd_wnd: self.snd.wnd,
            rcv_wnd: self.rcv.wnd(),
            in_flight: self.snd.flight.outstanding(),
            sacked: self.snd.flight.sacked(),
            lost: self.snd.flight.lost(),
            repair: self.repair_state(),
            reorders: self.snd.recovery.reordering.seen,
            recovery: self.snd.recovery.counts(),
            unsent: self.snd.unsent(),
            unread: self.rcv.queue.len(),
            beyond_gap: self.rcv.reassembly.bytes(),
            error: self.life.error,
            soft_error: self.life.soft_error,
            statistics: self.stats,
        }
    }
}
