//! What each packet of a connection is beside the packets before it: lost, repeated, probing…
//!
//! The words are Wireshark's, under its field names, and so are the definitions where there is
//! no reason for others; `docs/marks.md` has both, and every difference. An [`Analyser`] sees
//! one connection's segments in the order in which they were captured.

mod analyser;
mod half;
mod stamp;
mod unacked;

use std::time::Duration;

pub use analyser::Analyser;

bitflags::bitflags! {
    /// What can be said of a segment, each under Wireshark's name.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct Marks: u32 {
        /// Sent before.
        const RETRANSMISSION = 1;
        /// A retransmission that duplicate ACKs asked for, and that followed at once.
        const FAST_RETRANSMISSION = 1 << 1;
        /// A retransmission of what had been acknowledged.
        const SPURIOUS_RETRANSMISSION = 1 << 2;
        /// Overtaken by what was sent after it.
        const OUT_OF_ORDER = 1 << 3;
        /// What comes before it was not captured.
        const LOST_SEGMENT = 1 << 4;
        /// Acknowledges what was not captured.
        const ACK_LOST_SEGMENT = 1 << 5;
        /// Says again what was acknowledged before.
        const DUPLICATE_ACK = 1 << 6;
        /// Asks whether the other end is still there.
        const KEEP_ALIVE = 1 << 7;
        /// Answers that.
        const KEEP_ALIVE_ACK = 1 << 8;
        /// Has no room for data.
        const ZERO_WINDOW = 1 << 9;
        /// One byte that asks whether there is room again.
        const ZERO_WINDOW_PROBE = 1 << 10;
        /// Answers that there is not.
        const ZERO_WINDOW_PROBE_ACK = 1 << 11;
        /// Tells of another window, and nothing else.
        const WINDOW_UPDATE = 1 << 12;
        /// Fills the other end's window to the last byte.
        const WINDOW_FULL = 1 << 13;
        /// The same addresses and ports were another connection's before.
        const REUSED_PORTS = 1 << 14;
    }
}

impl Marks {
    /// The names of the fields, in the order of their bits.
    pub fn fields(self) -> impl Iterator<Item = &'static str> {
        self.iter().map(|mark| match mark {
            Self::RETRANSMISSION => "tcp.analysis.retransmission",
            Self::FAST_RETRANSMISSION => "tcp.analysis.fast_retransmission",
            Self::SPURIOUS_RETRANSMISSION => "tcp.analysis.spurious_retransmission",
            Self::OUT_OF_ORDER => "tcp.analysis.out_of_order",
            Self::LOST_SEGMENT => "tcp.analysis.lost_segment",
            Self::ACK_LOST_SEGMENT => "tcp.analysis.ack_lost_segment",
            Self::DUPLICATE_ACK => "tcp.analysis.duplicate_ack",
            Self::KEEP_ALIVE => "tcp.analysis.keep_alive",
            Self::KEEP_ALIVE_ACK => "tcp.analysis.keep_alive_ack",
            Self::ZERO_WINDOW => "tcp.analysis.zero_window",
            Self::ZERO_WINDOW_PROBE => "tcp.analysis.zero_window_probe",
            Self::ZERO_WINDOW_PROBE_ACK => "tcp.analysis.zero_window_probe_ack",
            Self::WINDOW_UPDATE => "tcp.analysis.window_update",
            Self::WINDOW_FULL => "tcp.analysis.window_full",
            _ => "tcp.analysis.reused_ports",
        })
    }
}

bitflags::bitflags! {
    /// What of a connection was captured (`tcp.completeness`).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct Completeness: u8 {
        /// A SYN, first of all.
        const SYN = 1;
        /// A SYN-ACK.
        const SYN_ACK = 2;
        /// An ACK of nothing else.
        const ACK = 4;
        /// Data.
        const DATA = 8;
        /// A FIN.
        const FIN = 16;
        /// A RST.
        const RST = 32;
    }
}

/// What is known of a window's scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Scale {
    /// The handshake was not captured.
    #[default]
    Unknown,
    /// Windows are not scaled, because one end did not offer it.
    Unused,
    /// Windows are shifted by so many bits.
    Shift(u8),
}

impl Scale {
    /// By how many bits a window field is to be shifted, as far as is known.
    #[must_use]
    pub fn shift(self) -> u8 {
        match self {
            // RFC 7323 §2.3 allows no more than 14.
            Self::Shift(shift) => shift.min(14),
            Self::Unknown | Self::Unused => 0,
        }
    }

    /// As `tcp.window_size_scalefactor` tells it.
    #[must_use]
    pub fn factor(self) -> i32 {
        match self {
            Self::Unknown => -1,
            Self::Unused => -2,
            Self::Shift(_) => 1 << self.shift(),
        }
    }
}

/// A repeated acknowledgment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DuplicateAck {
    /// How often it was repeated by now (`tcp.analysis.duplicate_ack_num`).
    pub count: u32,
    /// The frame that said it first (`tcp.analysis.duplicate_ack_frame`).
    pub of: u64,
}

/// A frame, and how long ago it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since {
    /// The frame's number.
    pub frame: u64,
    /// The time since then.
    pub time: Duration,
}

/// All that is said of one segment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Analysis {
    /// What it is.
    pub marks: Marks,
    /// Its sequence number, counted from the sender's ISN (`tcp.seq`).
    pub seq: u32,
    /// Its acknowledgment, counted from the receiver's ISN (`tcp.ack`); without ACK, the
    /// field as it is.
    pub ack: u32,
    /// Its window in bytes (`tcp.window_size`).
    pub window: u32,
    /// The scale that `window` was worked out with; none on a SYN, which is not scaled.
    pub scale: Option<Scale>,
    /// With [`Marks::DUPLICATE_ACK`].
    pub duplicate_ack: Option<DuplicateAck>,
    /// The segment that it acknowledges to the byte (`tcp.analysis.acks_frame`), and how long
    /// that took (`tcp.analysis.ack_rtt`).
    pub acks: Option<Since>,
    /// With [`Marks::RETRANSMISSION`]: what had not been acknowledged
    /// (`tcp.analysis.rto_frame`), and how long ago that was sent (`tcp.analysis.rto`).
    pub rto: Option<Since>,
    /// Bytes of the sender that were not acknowledged behind this segment, if it has data
    /// (`tcp.analysis.bytes_in_flight`).
    pub bytes_in_flight: Option<u32>,
    /// Bytes sent since the last PSH, this segment's included, if it has data
    /// (`tcp.analysis.push_bytes_sent`).
    pub push_bytes: Option<u32>,
    /// From the SYN to the handshake's last ACK (`tcp.analysis.initial_rtt`), from that on.
    pub initial_rtt: Option<Duration>,
    /// What was captured up to here, this segment included (`tcp.completeness` of `tshark -2`).
    pub completeness: Completeness,
}

impl Analysis {
    /// Whether anything is said under `tcp.analysis` beside the initial round trip.
    #[must_use]
    pub fn says_something(&self) -> bool {
        !self.marks.is_empty() || self.acks.is_some() || self.bytes_in_flight.is_some()
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
