//! Why bytes could not be read as a packet: where, at which layer, and the cause.

use core::fmt;

/// The protocol whose header was being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layer {
    /// Ethernet II.
    Ethernet,
    /// An 802.1Q or 802.1ad tag.
    Vlan,
    /// ARP for IPv4 over Ethernet.
    Arp,
    /// IP, before its version is known.
    Ip,
    /// IPv4.
    Ipv4,
    /// IPv6's fixed header.
    Ipv6,
    /// An extension header of IPv6.
    Ipv6Extension,
    /// ICMP for IPv4.
    Icmpv4,
    /// ICMP for IPv6.
    Icmpv6,
    /// Neighbour discovery, inside ICMPv6.
    Ndp,
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ethernet => "Ethernet",
            Self::Vlan => "VLAN tag",
            Self::Arp => "ARP",
            Self::Ip => "IP",
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
            Self::Ipv6Extension => "IPv6 extension header",
            Self::Icmpv4 => "ICMP",
            Self::Icmpv6 => "ICMPv6",
            Self::Ndp => "NDP",
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        })
    }
}

/// What was wrong with the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The bytes end before the header, or the option, does.
    Truncated {
        /// Bytes that it takes.
        needed: usize,
        /// Bytes that are left.
        available: usize,
    },
    /// A field's value cannot be so small.
    BelowMinimum {
        /// The field's name.
        field: &'static str,
        /// Its value, in the field's own unit.
        value: u32,
        /// The least it may be.
        minimum: u32,
    },
    /// A length field counts more bytes than there are.
    PastEnd {
        /// The field's name.
        field: &'static str,
        /// Bytes that it claims.
        bytes: usize,
        /// Bytes that are there.
        available: usize,
    },
    /// A field has a value that this protocol does not have there.
    Unexpected {
        /// The field's name.
        field: &'static str,
        /// Its value.
        value: u32,
        /// The value it must have.
        expected: u32,
    },
    /// A field has a value that has no meaning there.
    Unknown {
        /// The field's name.
        field: &'static str,
        /// Its value.
        value: u32,
    },
    /// More of something than is walked through.
    TooMany {
        /// Of what, in the plural.
        what: &'static str,
        /// How many are read at most.
        limit: usize,
    },
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Truncated { needed, available } => {
                write!(f, "cut short, {available} of {needed} bytes")
            }
            Self::BelowMinimum { field, value, minimum } => {
                write!(f, "{field} {value} is below the minimum of {minimum}")
            }
            Self::PastEnd { field, bytes, available } => {
                write!(f, "{field} of {bytes} bytes exceeds the {available} that are there")
            }
            Self::Unexpected { field, value, expected } => {
                write!(f, "{field} is {value}, not {expected}")
            }
            Self::Unknown { field, value } => write!(f, "{field} {value} is unknown"),
            Self::TooMany { what, limit } => write!(f, "more than {limit} {what}"),
        }
    }
}

/// Where and why reading a packet stopped.
///
/// ```
/// use handclasp_wire::tcp::TcpView;
/// let mut segment = [0; 20];
/// segment[12] = 3 << 4;
/// let error = TcpView::parse(&segment).unwrap_err();
/// assert_eq!(error.to_string(), "TCP at byte 12: data offset 3 is below the minimum of 5");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ParseError {
    /// The protocol being read.
    pub layer: Layer,
    /// The byte at fault, counted from the first byte that the reader was given.
    pub offset: usize,
    /// What is wrong there.
    pub cause: Cause,
}

impl ParseError {
    pub(crate) const fn new(layer: Layer, offset: usize, cause: Cause) -> Self {
        Self { layer, offset, cause }
    }

    /// The same error told from `bytes` further to the front: for a reader that handed on what
    /// stands behind another header.
    #[must_use]
    pub const fn behind(self, bytes: usize) -> Self {
        Self { offset: self.offset.saturating_add(bytes), ..self }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}: {}", self.layer, self.offset, self.cause)
    }
}

impl core::error::Error for ParseError {}
