//! What a packet means in its connection.
//!
//! A note is a fact, not a sentence: [`crate::catalogue`] has the sentences.

use std::time::Duration;

use handclasp_tcp::State;
use handclasp_tcp::event::LossSign;

use super::row::Number;

/// What a packet means. Its sender is the row's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// The first handshake packet: a SYN with this initial sequence number.
    First {
        /// The sender's ISN.
        isn: u32,
    },
    /// The second: a SYN that acknowledges the first.
    Second,
    /// A SYN of an earlier time, which the network kept until now.
    OldDuplicate,
    /// It acknowledges what was never sent, so that a RST is due (RFC 9293 §3.10.7.3).
    NeverSent,
    /// It undoes what the old duplicate began.
    Undoes,
    /// A RST for an acknowledgment that fits nothing; its sender waits on.
    Rejects,
    /// Invented, but with numbers that fit.
    Fits,
    /// Somebody else sent it in this end's name.
    Forged,
    /// The kernel of our own host sent it, which knows nothing of the connection.
    SlippedIn,
    /// A SYN that acknowledges a number which the other end never sent, or which it sent so
    /// long ago that it knows no more of it.
    UnaskedSynAck,
    /// The same SYN as before, which acknowledges the one that it met.
    CrossingSynAck,
    /// A SYN with another number than the one that was answered.
    AnotherSyn,
    /// A SYN that met another: both ends open at once (RFC 9293 §3.5, figure 7).
    CrossingSyn,
    /// The third: the first packet that acknowledges the server's SYN.
    Third {
        /// Whether it carries data already.
        data: bool,
    },
    /// Not the third, but what the server takes for it, since the third did not arrive.
    InPlaceOfThird,
    /// Sequence numbers that were sent before.
    Again {
        /// What is sent again.
        what: Resent,
        /// How long after the last time, if that was seen.
        after: Option<Duration>,
    },
    /// Data behind a gap.
    BeyondGap {
        /// The first number that is missing.
        missing: Number,
    },
    /// Data that fills a gap.
    FillsGap,
    /// A duplicate acknowledgment (RFC 5681 §2).
    DuplicateAck {
        /// How many there were in a row.
        count: u32,
        /// The number that is waited for.
        missing: Number,
    },
    /// The sender has no room any more.
    WindowClosed,
    /// The sender has room again.
    WindowOpened {
        /// In bytes.
        bytes: u32,
    },
    /// Asks a closed window whether it opened (RFC 9293 §3.8.6.1).
    WindowProbe,
    /// Asks an idle peer whether it lives (RFC 9293 §3.8.4).
    KeepAlive,
    /// The first FIN of the connection.
    FirstFin,
    /// The FIN of the end that closes second.
    SecondFin,
    /// The other end's FIN is acknowledged, which leaves it in this state.
    FinAcknowledged {
        /// The state of the end whose FIN it was.
        state: State,
    },
    /// A RST in answer to a SYN.
    Refused {
        /// The port on which nobody listens.
        port: u16,
    },
    /// A RST that ends the connection.
    Reset,
    /// A RST from an end that has no connection any more, or never had one.
    NoConnection,
    /// A RST that the receiver has no reason to believe (RFC 5961 §3).
    StrayReset,
    /// It was lost on the way.
    Lost,
    /// The third handshake packet was lost: the client is open, the server waits.
    ThirdLost,
    /// It was damaged on the way.
    Damaged,
    /// The link made this copy.
    Copied,
}

/// What was sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resent {
    /// The first handshake packet.
    Syn,
    /// The second, since the third does not come.
    SynAck,
    /// The second, since the first came again.
    SynAckForSyn,
    /// Data.
    Data,
    /// Data that so many duplicate ACKs asked for: a fast retransmit (RFC 5681 §3.2).
    Wanted {
        /// How many.
        duplicates: u32,
    },
    /// Data, for a reason that the sender itself told.
    Told {
        /// The reason.
        why: LossSign,
    },
    /// A FIN, with or without data.
    Fin,
}

impl Note {
    /// Wireshark's name for what has one.
    #[must_use]
    pub const fn field(&self) -> Option<&'static str> {
        Some(match self {
            Self::Again { .. } => "tcp.analysis.retransmission",
            Self::BeyondGap { .. } => "tcp.analysis.lost_segment",
            Self::FillsGap => "tcp.analysis.out_of_order",
            Self::DuplicateAck { .. } => "tcp.analysis.duplicate_ack",
            Self::WindowClosed => "tcp.analysis.zero_window",
            Self::WindowOpened { .. } => "tcp.analysis.window_update",
            Self::WindowProbe => "tcp.analysis.zero_window_probe",
            Self::KeepAlive => "tcp.analysis.keep_alive",
            _ => return None,
        })
    }
}
