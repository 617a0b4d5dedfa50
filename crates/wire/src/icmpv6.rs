//! ICMP for IPv6 (RFC 4443).

use core::net::{IpAddr, Ipv6Addr};

use crate::checksum::{pseudo_header, verify};
use crate::error::{Layer, ParseError};
use crate::icmp::{Echo, Message};
use crate::ip::protocol;
use crate::octets::{Put, be32};

/// Type numbers.
mod kind {
    pub(super) const UNREACHABLE: u8 = 1;
    pub(super) const PACKET_TOO_BIG: u8 = 2;
    pub(super) const TIME_EXCEEDED: u8 = 3;
    pub(super) const PARAMETER_PROBLEM: u8 = 4;
    pub(super) const ECHO_REQUEST: u8 = 128;
    pub(super) const ECHO_REPLY: u8 = 129;
}

/// Codes of [`Icmpv6::Unreachable`] (RFC 4443 §3.1).
pub mod unreachable {
    /// No route to the destination.
    pub const NO_ROUTE: u8 = 0;
    /// Closed by an administrator.
    pub const PROHIBITED: u8 = 1;
    /// The destination is beyond the source address's scope.
    pub const BEYOND_SCOPE: u8 = 2;
    /// The address.
    pub const ADDRESS: u8 = 3;
    /// Nobody listens at the port.
    pub const PORT: u8 = 4;
    /// A policy refuses the source address.
    pub const SOURCE_REFUSED: u8 = 5;
    /// The route says to reject it.
    pub const ROUTE_REJECTS: u8 = 6;
}

/// A checked view of an ICMPv6 message.
#[derive(Clone, Copy, Debug)]
pub struct Icmpv6View<'a> {
    message: Message<'a>,
    checksum: u16,
    bytes: &'a [u8],
}

impl<'a> Icmpv6View<'a> {
    /// Reads a message: everything behind an IPv6 packet's extension headers.
    ///
    /// # Errors
    /// If the bytes are fewer than eight.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let (message, checksum) = Message::parse(bytes, Layer::Icmpv6)?;
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

    /// Whether the checksum fits the message between these addresses.
    #[must_use]
    pub fn checksum_ok(&self, src: Ipv6Addr, dst: Ipv6Addr) -> bool {
        verify(IpAddr::V6(src), IpAddr::V6(dst), protocol::ICMPV6, self.bytes)
    }

    /// The message's meaning. Bytes that its type leaves unused are passed over, among them
    /// RFC 4884's length of the quotation.
    #[must_use]
    pub const fn to_repr(&self) -> Icmpv6<'a> {
        let message = self.message;
        let (code, rest, quoted) = (message.code, be32::<0, _>(&message.rest), message.body);
        match message.kind {
            kind::UNREACHABLE => Icmpv6::Unreachable { code, quoted },
            kind::PACKET_TOO_BIG => Icmpv6::PacketTooBig { mtu: rest, quoted },
            kind::TIME_EXCEEDED => Icmpv6::TimeExceeded { code, quoted },
            kind::PARAMETER_PROBLEM => Icmpv6::ParameterProblem { code, pointer: rest, quoted },
            kind::ECHO_REQUEST if code == 0 => Icmpv6::EchoRequest(Echo::read(&message)),
            kind::ECHO_REPLY if code == 0 => Icmpv6::EchoReply(Echo::read(&message)),
            _ => Icmpv6::Other(message),
        }
    }
}

/// The meaning of an ICMPv6 message. `quoted` is the start of the packet that it is about: see
/// [`crate::quote::Quoted`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Icmpv6<'a> {
    /// The packet could not be delivered.
    Unreachable {
        /// Why (see [`mod@unreachable`]).
        code: u8,
        /// The packet's start.
        quoted: &'a [u8],
    },
    /// The packet is larger than the next hop takes.
    PacketTooBig {
        /// The most bytes that the next hop takes, IPv6 header included.
        mtu: u32,
        /// The packet's start.
        quoted: &'a [u8],
    },
    /// The packet took too long.
    TimeExceeded {
        /// 0: its hop limit ran out on the way; 1: fragments of it are missing.
        code: u8,
        /// The packet's start.
        quoted: &'a [u8],
    },
    /// A field of the packet was wrong.
    ParameterProblem {
        /// 0: a wrong field; 1: an unknown next header; 2: an unknown option.
        code: u8,
        /// Byte offset of the field in the packet.
        pointer: u32,
        /// The packet's start.
        quoted: &'a [u8],
    },
    /// Please send this back.
    EchoRequest(Echo<'a>),
    /// Here it is back.
    EchoReply(Echo<'a>),
    /// Any other type, or any at all to be sent exactly so.
    Other(Message<'a>),
}

impl<'a> Icmpv6<'a> {
    fn message(&self) -> Message<'a> {
        let error =
            |kind, code, rest: u32, body| Message { kind, code, rest: rest.to_be_bytes(), body };
        match *self {
            Self::Unreachable { code, quoted } => error(kind::UNREACHABLE, code, 0, quoted),
            Self::PacketTooBig { mtu, quoted } => error(kind::PACKET_TOO_BIG, 0, mtu, quoted),
            Self::TimeExceeded { code, quoted } => error(kind::TIME_EXCEEDED, code, 0, quoted),
            Self::ParameterProblem { code, pointer, quoted } => {
                error(kind::PARAMETER_PROBLEM, code, pointer, quoted)
            }
            Self::EchoRequest(echo) => echo.message(kind::ECHO_REQUEST),
            Self::EchoReply(echo) => echo.message(kind::ECHO_REPLY),
            Self::Other(message) => message,
        }
    }

    /// Bytes that [`Icmpv6::emit`] writes.
    #[must_use]
    pub fn emitted_len(&self) -> usize {
        Message::HEADER_LEN + self.message().body.len()
    }

    /// Whether it tells of a packet that went wrong: types up to 127 do. No such message is
    /// ever answered by another (RFC 4443 §2.1, §2.4).
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.message().kind < 128
    }

    /// Writes the message with the checksum that it has between these addresses.
    pub fn emit(&self, src: Ipv6Addr, dst: Ipv6Addr, out: &mut impl Put) {
        let (src, dst) = (IpAddr::V6(src), IpAddr::V6(dst));
        let len = self.emitted_len() as u32;
        self.message().emit(pseudo_header(src, dst, protocol::ICMPV6, len), out);
    }
}

#[cfg(test)]
#[path = "icmpv6_tests.rs"]
mod tests;
