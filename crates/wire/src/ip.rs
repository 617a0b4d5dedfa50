//! What IPv4 and IPv6 share: protocol numbers, congestion marks, kinds of addresses.

use core::net::IpAddr;

use crate::error::{Cause, Layer, ParseError};

/// Protocol numbers, which are IPv6's next header values too.
pub mod protocol {
    /// Hop-by-hop options of IPv6.
    pub const HOP_BY_HOP: u8 = 0;
    /// ICMP for IPv4.
    pub const ICMPV4: u8 = 1;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// Routing header of IPv6.
    pub const ROUTING: u8 = 43;
    /// Fragment header of IPv6.
    pub const FRAGMENT: u8 = 44;
    /// Encapsulating security payload: what is behind it is not to be read.
    pub const ESP: u8 = 50;
    /// Authentication header.
    pub const AH: u8 = 51;
    /// ICMP for IPv6.
    pub const ICMPV6: u8 = 58;
    /// Nothing behind this header.
    pub const NO_NEXT_HEADER: u8 = 59;
    /// Destination options of IPv6.
    pub const DESTINATION_OPTIONS: u8 = 60;
}

/// The ECN field (RFC 3168 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum Ecn {
    /// The transport does not take part.
    #[default]
    NotEct = 0b00,
    /// ECT(1), which asks for low latency treatment (RFC 9331).
    Ect1 = 0b01,
    /// ECT(0).
    Ect0 = 0b10,
    /// Congestion experienced.
    Ce = 0b11,
}

impl Ecn {
    /// From the low two bits of the traffic class.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        match bits & 0b11 {
            0b00 => Self::NotEct,
            0b01 => Self::Ect1,
            0b10 => Self::Ect0,
            _ => Self::Ce,
        }
    }
}

/// The version number that the first byte of a packet carries; `None` if there is no byte.
#[must_use]
pub fn version(packet: &[u8]) -> Option<u8> {
    packet.first().map(|first| first >> 4)
}

/// The error of a packet that is neither of version 4 nor 6; `None`: of one without a byte.
pub(crate) const fn version_error(version: Option<u8>) -> ParseError {
    let cause = match version {
        None => Cause::Truncated { needed: 1, available: 0 },
        Some(found) => Cause::Unknown { field: "version", value: found as u32 },
    };
    ParseError::new(Layer::Ip, 0, cause)
}

/// Whether an address can be one host's: neither unspecified, nor multicast, nor the limited
/// broadcast. TCP talks to no other (RFC 9293 §3.9.1.1, §3.9.2.3).
#[must_use]
pub const fn is_unicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => !ip.is_unspecified() && !ip.is_multicast() && !ip.is_broadcast(),
        IpAddr::V6(ip) => !ip.is_unspecified() && !ip.is_multicast(),
    }
}
