//! Why a connection ended badly, by who is to blame.

use core::fmt;

/// Why a connection failed, or a call on it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Error {
    /// The peer answered our SYN with RST: nobody listens there.
    Refused,
    /// The peer ended the connection with RST.
    Reset,
    /// No answer to our SYN, however often it was sent.
    HandshakeTimedOut,
    /// Data, or our FIN, was never acknowledged (R2 or the user timeout).
    TimedOut,
    /// No answer to keep-alive probes.
    KeepAliveTimedOut,
    /// The path reported that the peer cannot be reached.
    Unreachable(PathError),
    /// The application aborted the connection.
    Aborted,
    /// The call needs a connection that is open in that direction.
    Closed,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "connection refused: the peer answered the SYN with RST",
            Self::Reset => "connection reset by the peer",
            Self::HandshakeTimedOut => "connection timed out: no answer to the SYN",
            Self::TimedOut => "connection timed out: sent data was never acknowledged",
            Self::KeepAliveTimedOut => "connection timed out: keep-alive probes went unanswered",
            Self::Unreachable(why) => return write!(f, "peer unreachable: {why}"),
            Self::Aborted => "connection aborted by the application",
            Self::Closed => "the connection is closed in this direction",
        })
    }
}

impl core::error::Error for Error {}

/// What an ICMP error says of the path, as far as TCP cares (RFC 5927, RFC 9293 §3.9.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PathError {
    /// No route to the network or host: soft.
    NoRoute,
    /// The host does not answer its neighbours: soft.
    HostUnreachable,
    /// The host does not speak the protocol: hard.
    ProtocolUnreachable,
    /// The host has nothing at the port: hard.
    PortUnreachable,
    /// A filter forbids it.
    Prohibited,
    /// The packet travelled in a circle: soft.
    TimeExceeded,
    /// A header field was refused: soft.
    ParameterProblem,
    /// The packet must be smaller: at most so many bytes, 0 if the router did not say.
    PacketTooBig {
        /// Next-hop MTU in bytes.
        mtu: u16,
    },
}

impl PathError {
    /// Whether a connection that is not yet open should give up at once (RFC 9293 §3.9.2.2;
    /// established ones never do, RFC 5927 §4.2).
    #[must_use]
    pub const fn is_hard(self) -> bool {
        matches!(self, Self::ProtocolUnreachable | Self::PortUnreachable | Self::Prohibited)
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRoute => "no route",
            Self::HostUnreachable => "host unreachable",
            Self::ProtocolUnreachable => "protocol unreachable",
            Self::PortUnreachable => "port unreachable",
            Self::Prohibited => "forbidden by a filter",
            Self::TimeExceeded => "time to live exceeded",
            Self::ParameterProblem => "a header field was refused",
            Self::PacketTooBig { mtu } => return write!(f, "packet too big, at most {mtu} bytes"),
        })
    }
}
