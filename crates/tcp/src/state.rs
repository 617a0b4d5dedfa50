//! The eleven states and what follows from what (RFC 9293 §3.3.2).

use core::fmt;

/// A connection's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// No connection at all.
    Closed,
    /// Waiting for a SYN from anywhere.
    Listen,
    /// We sent a SYN and wait for one that matches.
    SynSent,
    /// Both SYNs were seen, ours is not yet acknowledged.
    SynReceived,
    /// Data flows.
    Established,
    /// We closed; our FIN is not yet acknowledged and the peer has not closed.
    FinWait1,
    /// Our FIN is acknowledged; the peer may go on sending.
    FinWait2,
    /// The peer closed; we may go on sending.
    CloseWait,
    /// Both closed at once; our FIN is not yet acknowledged.
    Closing,
    /// The peer closed first, then we did; our FIN is not yet acknowledged.
    LastAck,
    /// All is acknowledged; old segments are waited out for 2 MSL.
    TimeWait,
}

/// What can move a connection from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The application listens.
    PassiveOpen,
    /// The application connects: a SYN goes out.
    ActiveOpen,
    /// A SYN came in.
    SynArrived,
    /// A SYN came in that acknowledges ours.
    SynAckArrived,
    /// Our SYN was acknowledged.
    SynAcknowledged,
    /// The application closed its sending side: a FIN goes out.
    Close,
    /// The peer's FIN came in, in order.
    FinArrived,
    /// Our FIN was acknowledged.
    FinAcknowledged,
    /// A valid RST came in.
    ResetArrived,
    /// The application, or a rule of ours, ended the connection: with a RST, if the peer is to
    /// hear of it.
    Abort,
    /// It took too long: retransmissions, user timeout, keep-alive, or 2 MSL.
    Timeout,
    /// The path says that the peer cannot be reached.
    Unreachable,
}

impl State {
    /// The state that follows on `cause`, or `None` where the cause changes nothing.
    ///
    /// This is the RFC's figure 5 as a table; the connection, the analyser and the state
    /// diagram all ask here.
    #[must_use]
    pub const fn after(self, cause: Cause) -> Option<Self> {
        use State as S;
        Some(match (self, cause) {
            (S::Closed, Cause::PassiveOpen) => S::Listen,
            (S::Closed | S::Listen, Cause::ActiveOpen) => S::SynSent,
            (S::Listen | S::SynSent, Cause::SynArrived) => S::SynReceived,
            (S::SynSent, Cause::SynAckArrived) | (S::SynReceived, Cause::SynAcknowledged) => {
                S::Established
            }
            (S::Listen | S::SynSent, Cause::Close) => S::Closed,
            (S::SynReceived | S::Established, Cause::Close) => S::FinWait1,
            (S::CloseWait, Cause::Close) => S::LastAck,
            (S::SynReceived | S::Established, Cause::FinArrived) => S::CloseWait,
            (S::FinWait1, Cause::FinArrived) => S::Closing,
            (S::FinWait2, Cause::FinArrived) => S::TimeWait,
            (S::FinWait1, Cause::FinAcknowledged) => S::FinWait2,
            (S::Closing, Cause::FinAcknowledged) => S::TimeWait,
            (S::LastAck, Cause::FinAcknowledged) => S::Closed,
            (S::Closed | S::Listen, Cause::ResetArrived) => return None,
            (S::Closed, Cause::Abort | Cause::Timeout | Cause::Unreachable) => return None,
            (_, Cause::ResetArrived | Cause::Abort | Cause::Timeout | Cause::Unreachable) => {
                S::Closed
            }
            _ => return None,
        })
    }

    /// Whether both sides' initial sequence numbers are known and acknowledged.
    #[must_use]
    pub const fn is_synchronized(self) -> bool {
        !matches!(self, Self::Closed | Self::Listen | Self::SynSent | Self::SynReceived)
    }

    /// Whether the peer may still send data that we have to take.
    #[must_use]
    pub const fn can_receive(self) -> bool {
        matches!(self, Self::Established | Self::FinWait1 | Self::FinWait2)
    }

    /// Whether the application may still queue data to send.
    #[must_use]
    pub const fn can_send(self) -> bool {
        matches!(self, Self::SynSent | Self::SynReceived | Self::Established | Self::CloseWait)
    }

    /// The name as RFC 9293 writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "CLOSED",
            Self::Listen => "LISTEN",
            Self::SynSent => "SYN-SENT",
            Self::SynReceived => "SYN-RECEIVED",
            Self::Established => "ESTABLISHED",
            Self::FinWait1 => "FIN-WAIT-1",
            Self::FinWait2 => "FIN-WAIT-2",
            Self::CloseWait => "CLOSE-WAIT",
            Self::Closing => "CLOSING",
            Self::LastAck => "LAST-ACK",
            Self::TimeWait => "TIME-WAIT",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
