//! What a connection did, as typed records for whoever listens.

use core::time::Duration;

use handclasp_wire::tcp::Header;
use handclasp_wire::time::Instant;

use crate::connection::Error;
use crate::state::{Cause, State};
use crate::timer::Timer;
use crate::tuple::Tuple;

/// Receives what happens. Called with the connection locked: take the record and return.
pub trait Log {
    /// One step of the connection `tuple`, at `at`.
    fn record(&self, at: Instant, tuple: &Tuple, event: &Event<'_>);
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The state changed.
    State {
        /// Before.
        from: State,
        /// After.
        to: State,
        /// Why.
        cause: Cause,
    },
    /// A segment came in.
    Received {
        /// Its header.
        header: &'a Header,
        /// Its payload, in bytes.
        len: usize,
    },
    /// A segment that came in meant this.
    Judged(Judgment),
    /// A segment, or a burst, goes out.
    Sent {
        /// Its header.
        header: &'a Header,
        /// Its payload, in bytes.
        len: usize,
        /// What it is sent for.
        purpose: Purpose,
    },
    /// A timer was set.
    TimerArmed {
        /// Which.
        timer: Timer,
        /// When it will fire.
        deadline: Instant,
    },
    /// A timer went off.
    TimerFired(Timer),
    /// The peer's window changed.
    Window {
        /// Bytes from `snd.una` on that the peer will take.
        snd_wnd: u32,
    },
    /// A round trip was measured.
    Rtt {
        /// The measurement.
        sample: Duration,
        /// Smoothed.
        srtt: Duration,
        /// Its variation.
        rttvar: Duration,
        /// The timeout that follows (RFC 6298 §2).
        rto: Duration,
    },
    /// The congestion window or its threshold changed.
    Congestion {
        /// In bytes.
        cwnd: u32,
        /// In bytes; `u32::MAX` before the first loss.
        ssthresh: u32,
    },
    /// The peer reports that the path marked packets of ours instead of dropping them.
    Marked {
        /// How many, as far as it can be told; 1 for an echo of RFC 3168.
        packets: u32,
    },
    /// Segments were found lost and will be resent.
    Loss {
        /// Bytes newly marked.
        bytes: u32,
        /// How it was found out.
        by: LossSign,
    },
    /// A loss was repaired that nothing else showed.
    Repaired {
        /// By what.
        by: LossSign,
    },
    /// A reduction of the window was taken back: what was thought lost had arrived.
    Undone {
        /// What proved it.
        by: Proof,
    },
    /// The connection failed.
    Failed(Error),
}

/// What a segment that came in meant, where it was more than data or an acknowledgment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Judgment {
    /// Its sequence numbers lie outside the receive window (RFC 9293 §3.10.7.4).
    OutsideWindow,
    /// Its timestamp is older than the last (PAWS, RFC 7323 §5.3).
    OldTimestamp,
    /// It acknowledges what was never sent.
    AckOfUnsent,
    /// It acknowledges what was acknowledged so long ago that it must be forged or very old
    /// (RFC 5961 §5).
    AckTooOld,
    /// Another SYN inside a connection: a challenge ACK answers it (RFC 5961 §4).
    ChallengedSyn,
    /// A RST inside the window but not at `rcv.nxt`: a challenge ACK answers it
    /// (RFC 5961 §3).
    ChallengedReset,
    /// A duplicate acknowledgment (RFC 5681 §2).
    DuplicateAck,
    /// Data beyond a gap: kept.
    OutOfOrder,
    /// Data beyond a gap that found no room: dropped.
    NoRoom,
    /// Data that was there already.
    DuplicateData,
    /// Neither ACK nor RST nor SYN: dropped.
    NoAck,
    /// Data for an application that closed already: answered with a RST.
    DataAfterClose,
}

/// What a segment is sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose {
    /// To open: SYN or SYN-ACK.
    Open,
    /// New data.
    Data,
    /// The end of our data.
    Fin,
    /// To acknowledge only.
    Ack,
    /// Again, for this reason.
    Retransmit(LossSign),
    /// New data, to learn before the retransmission timer fires whether the last of the old was
    /// lost (RFC 8985 §7.3).
    TailProbe,
    /// To ask a closed window whether it opened (RFC 9293 §3.8.6.1).
    WindowProbe,
    /// To ask an idle peer whether it lives (RFC 9293 §3.8.4).
    KeepAlive,
    /// To make a sender of a doubtful segment prove itself (RFC 5961).
    Challenge,
    /// To end the connection at once.
    Reset,
}

/// How a loss was found out, or why something is sent again that may be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LossSign {
    /// Three duplicate ACKs (RFC 5681 §3.2).
    DuplicateAcks,
    /// Enough was selectively acknowledged beyond it (RFC 6675 §4).
    Sack,
    /// Something arrived that was sent clearly later (RFC 8985 §6.2).
    Rack,
    /// An acknowledgment that covers part of what was in flight when recovery began
    /// (RFC 6582 §3.2).
    PartialAck,
    /// The retransmission timer.
    Timeout,
    /// No ACK for the last of a flight: sent again to draw one (RFC 8985 §7.3).
    TailProbe,
    /// Nothing better was left to send during recovery (RFC 6675 §4, NextSeg's rules 3 and 4).
    Rescue,
    /// The peer threw away what it had selectively acknowledged (RFC 2018 §8).
    Reneging,
    /// The path takes smaller packets only.
    PathMtu,
    /// A SYN-ACK that does not acknowledge the data of the SYN (RFC 7413 §4.2.2).
    SynAck,
}

/// What proved that a loss was none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proof {
    /// Everything sent again arrived twice (RFC 2883).
    Duplicates,
    /// The ACK echoes the timestamp of the first transmission (Eifel, RFC 3522).
    Timestamp,
    /// What was not sent again arrived after the timeout (F-RTO, RFC 5682).
    FRto,
}
