//! ICMP for IPv4 (RFC 792).

use crate::checksum::{Sum, sum};
use crate::error::{Layer, ParseError};
use crate::icmp::{Echo, Message};
use crate::octets::Put;

/// Type numbers.
mod kind {
    pub(super) const ECHO_REPLY: u8 = 0;
    pub(super) const UNREACHABLE: u8 = 3;
    pub(super) const SOURCE_QUENCH: u8 = 4;
    pub(super) const REDIRECT: u8 = 5;
    pub(super) const ECHO_REQUEST: u8 = 8;
    pub(super) const TIME_EXCEEDED: u8 = 11;
    pub(super) const PARAMETER_PROBLEM: u8 = 12;
}

/// Codes of [`Icmpv4::Unreachable`] (RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1).
pub mod unreachable {
    /// The network.
    pub const NET: u8 = 0;
    /// The host.
    pub const HOST: u8 = 1;
    /// The host does not know the protocol.
    pub const PROTOCOL: u8 = 2;
    /// Nobody listens at the port.
    pub const PORT: u8 = 3;
    /// The packet is larger than the next hop takes, and must not be fragmented.
    pub const FRAGMENTATION_NEEDED: u8 = 4;
    /// The source route failed.
    pub const SOURCE_ROUTE_FAILED: u8 = 5;
    /// The network is closed by an administrator.
    pub const NET_PROHIBITED: u8 = 9;
    /// The host is closed by an administrator.
    pub const HOST_PROHIBITED: u8 = 10;
    /// A filter closed it.
    pub const FILTERED: u8 = 13;
}

/// A checked view of an ICMP message.
#[derive(Clone, Copy, Debug)]
pub struct Icmpv4View<'a> {
    message: Message<'a>,
    checksum: u16,
    bytes: &'a [u8],
}

impl<'a> Icmpv4View<'a> {
    /// Reads a message: an IPv4 packet's whole payload.
    ///
    /// # Errors
    /// If the bytes are fewer than eight.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let (message, checksum) = Message::parse(bytes, Layer::Icmpv4)?;
        Ok(Self { message, checksum, bytes })
    }

    /// The message as it stands there.
    #[must_use]
    pub const fn message(&self) -> Message<'a> {
        self.message
    }

    /// The checksum as it stands there.
    #[must_use]
    pub const fn checksum(&self) -> u16 {
        self.checksum
    }

    /// Whether the checksum fits the message.
    #[must_use]
    pub fn checksum_ok(&self) -> bool {
        sum(self.bytes).verifies()
    }

    /// The message's meaning. Bytes that its type leaves unused are passed over, among them
    /// RFC 4884's length of the quotation.
    #[must_use]
    pub const fn to_repr(&self) -> Icmpv4<'a> {
        let message = self.message;
        let (code, quoted) = (message.code, message.body);
        match message.kind {
            kind::ECHO_REQUEST if code == 0 => Icmpv4::EchoRequest(Echo::read(&message)),
            kind::ECHO_REPLY if code == 0 => Icmpv4::EchoReply(Echo::read(&message)),
            kind::UNREACHABLE => {
                Icmpv4::Unreachable { code, next_hop_mtu: message.rest_low(), quoted }
            }
            kind::SOURCE_QUENCH => Icmpv4::SourceQuench { quoted },
            kind::TIME_EXCEEDED => Icmpv4::TimeExceeded { code, quoted },
            kind::PARAMETER_PROBLEM => {
                Icmpv4::ParameterProblem { code, pointer: message.rest[0], quoted }
            }
            _ => Icmpv4::Other(message),
        }
    }
}

/// The meaning of an ICMP message. `quoted` is the start of the packet that it is about: see
/// [`crate::quote::Quoted`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Icmpv4<'a> {
    /// Please send this back.
    EchoRequest(Echo<'a>),
    /// Here it is back.
    EchoReply(Echo<'a>),
    /// The packet could not be delivered.
    Unreachable {
        /// Why (see [`mod@unreachable`]).
        code: u8,
        /// With [`unreachable::FRAGMENTATION_NEEDED`], the most bytes that the next hop takes;
        /// zero from routers older than RFC 1191.
        next_hop_mtu: u16,
        /// The packet's start.
        quoted: &'a [u8],
    },
    /// Send more slowly: deprecated, and ignored by TCP (RFC 6633).
    SourceQuench {
        /// The packet's start.
        quoted: &'a [u8],
    },
    /// The packet took too long.
    TimeExceeded {
        /// 0: its TTL ran out on the way; 1: fragments of it are missing.
        code: u8,
        /// The packet's start.
        quoted: &'a [u8],
    },
    /// A field of the packet was wrong.
    ParameterProblem {
        /// 0: see the pointer; 1: an option is missing; 2: bad length.
        code: u8,
        /// Byte offset of the field in the packet.
        pointer: u8,
        /// The packet's start.
        quoted: &'a [u8],
    },
    /// Any other type, or any at all to be sent exactly so.
    Other(Message<'a>),
}

impl<'a> Icmpv4<'a> {
    fn message(&self) -> Message<'a> {
        let error = |kind, code, rest, body| Message { kind, code, rest, body };
        match *self {
            Self::EchoRequest(echo) => echo.message(kind::ECHO_REQUEST),
            Self::EchoReply(echo) => echo.message(kind::ECHO_REPLY),
            Self::Unreachable { code, next_hop_mtu, quoted } => {
                let [high, low] = next_hop_mtu.to_be_bytes();
                error(kind::UNREACHABLE, code, [0, 0, high, low], quoted)
            }
            Self::SourceQuench { quoted } => error(kind::SOURCE_QUENCH, 0, [0; 4], quoted),
            Self::TimeExceeded { code, quoted } => error(kind::TIME_EXCEEDED, code, [0; 4], quoted),
            Self::ParameterProblem { code, pointer, quoted } => {
                error(kind::PARAMETER_PROBLEM, code, [pointer, 0, 0, 0], quoted)
            }
            Self::Other(message) => message,
        }
    }

    /// Bytes that [`Icmpv4::emit`] writes.
    #[must_use]
    pub fn emitted_len(&self) -> usize {
        Message::HEADER_LEN + self.message().body.len()
    }

    /// Whether it tells of a packet that went wrong. No such message is ever answered by
    /// another (RFC 1122 §3.2.2).
    #[must_use]
    pub const fn is_error(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::SourceQuench { .. }
            | Self::TimeExceeded { .. }
            | Self::ParameterProblem { .. } => true,
            Self::Other(message) => message.kind == kind::REDIRECT,
            Self::EchoRequest(_) | Self::EchoReply(_) => false,
        }
    }

    /// Writes the message with its checksum.
    pub fn emit(&self, out: &mut impl Put) {
        self.message().emit(Sum::default(), out);
    }
}

#[cfg(test)]
#[path = "icmpv4_tests.rs"]
mod tests;
