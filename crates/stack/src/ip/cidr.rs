//! An address and the length of its network's prefix.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr};
use core::str::FromStr;

/// An address within its network, such as `10.0.0.1/24` or `fd00::1/64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cidr {
    address: IpAddr,
    prefix_len: u8,
}

impl Cidr {
    /// Everything: the destination of a default route of `like`'s family.
    #[must_use]
    pub const fn everything(like: IpAddr) -> Self {
        let address = match like {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(core::net::Ipv6Addr::UNSPECIFIED),
        };
        Self { address, prefix_len: 0 }
    }

    /// The address in a network whose prefix is `prefix_len` bits long; `None` if that is more
    /// than the address has.
    #[must_use]
    pub const fn new(address: IpAddr, prefix_len: u8) -> Option<Self> {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        if prefix_len <= bits { Some(Self { address, prefix_len }) } else { None }
    }

    /// The address itself.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// Bits of the prefix.
    #[must_use]
    pub const fn prefix_len(&self) -> u8 {
        self.prefix_len
    }

    /// Whether `ip` lies in the same network.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        common_bits(self.address, ip).is_some_and(|bits| bits >= u32::from(self.prefix_len))
    }

    /// Whether the two name the same network.
    #[must_use]
    pub fn same_network(&self, other: &Self) -> bool {
        self.prefix_len == other.prefix_len && self.contains(other.address)
    }

    /// Whether `ip` addresses everyone in this network (RFC 1122 §3.2.1.3). Networks of one or
    /// two addresses have no such address (RFC 3021).
    #[must_use]
    pub fn is_broadcast(&self, ip: IpAddr) -> bool {
        let IpAddr::V4(v4) = ip else { return false };
        let host_bits = 32 - u32::from(self.prefix_len.min(32));
        let all_ones = u32::MAX.checked_shr(32 - host_bits).unwrap_or(0);
        host_bits > 1 && self.contains(ip) && v4.to_bits() & all_ones == all_ones
    }
}

/// How many leading bits two addresses share; `None` if their families differ.
pub(crate) fn common_bits(a: IpAddr, b: IpAddr) -> Option<u32> {
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => Some((a.to_bits() ^ b.to_bits()).leading_zeros()),
        (IpAddr::V6(a), IpAddr::V6(b)) => Some((a.to_bits() ^ b.to_bits()).leading_zeros()),
        _ => None,
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_len)
    }
}

/// A text that is no address with a prefix length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CidrError;

impl fmt::Display for CidrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected an address and a prefix length, like 10.0.0.1/24 or fd00::1/64")
    }
}

impl core::error::Error for CidrError {}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let (address, len) = text.split_once('/').ok_or(CidrError)?;
        let address = address.parse().map_err(|_| CidrError)?;
        let len = len.parse().map_err(|_| CidrError)?;
        Self::new(address, len).ok_or(CidrError)
    }
}

#[cfg(test)]
#[path = "cidr_tests.rs"]
mod tests;
