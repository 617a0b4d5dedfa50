//! ARP for IPv4 over Ethernet (RFC 826).

use core::net::Ipv4Addr;

use crate::error::{Cause, Layer, ParseError};
use crate::ethernet::{EtherType, MacAddr};
use crate::octets::{Put, be16, part, split};

/// What an ARP packet asks or tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Operation(pub u16);

impl Operation {
    /// Who has the target's IP address?
    pub const REQUEST: Self = Self(1);
    /// The sender has it.
    pub const REPLY: Self = Self(2);
}

const LEN: usize = 28;
const ETHERNET: u16 = 1;

/// A checked view of an ARP packet.
#[derive(Clone, Copy, Debug)]
pub struct ArpView<'a> {
    fixed: &'a [u8; LEN],
}

impl<'a> ArpView<'a> {
    /// Reads a packet; what stands behind its 28 bytes is padding.
    ///
    /// # Errors
    /// If it is cut short, or is about other kinds of addresses than IPv4 over Ethernet.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let (fixed, _) = split::<LEN>(bytes, Layer::Arp)?;
        let must_be = |field, offset, value: u16, expected: u16| {
            let cause = Cause::Unexpected { field, value: value.into(), expected: expected.into() };
            if value == expected { Ok(()) } else { Err(ParseError::new(Layer::Arp, offset, cause)) }
        };
        must_be("hardware type", 0, be16::<0, _>(fixed), ETHERNET)?;
        must_be("protocol type", 2, be16::<2, _>(fixed), EtherType::IPV4.0)?;
        must_be("hardware address length", 4, fixed[4].into(), 6)?;
        must_be("protocol address length", 5, fixed[5].into(), 4)?;
        Ok(Self { fixed })
    }

    /// Request or reply.
    #[must_use]
    pub const fn operation(&self) -> Operation {
        Operation(be16::<6, _>(self.fixed))
    }

    /// The sender's hardware address.
    #[must_use]
    pub const fn sender_mac(&self) -> MacAddr {
        MacAddr(part::<8, 6, _>(self.fixed))
    }

    /// The sender's IP address; unspecified in a probe (RFC 5227 §2.1).
    #[must_use]
    pub fn sender_ip(&self) -> Ipv4Addr {
        part::<14, 4, _>(self.fixed).into()
    }

    /// The target's hardware address; of no meaning in a request.
    #[must_use]
    pub const fn target_mac(&self) -> MacAddr {
        MacAddr(part::<18, 6, _>(self.fixed))
    }

    /// The target's IP address.
    #[must_use]
    pub fn target_ip(&self) -> Ipv4Addr {
        part::<24, 4, _>(self.fixed).into()
    }

    /// The packet's meaning.
    #[must_use]
    pub fn to_repr(&self) -> Arp {
        Arp {
            operation: self.operation(),
            sender_mac: self.sender_mac(),
            sender_ip: self.sender_ip(),
            target_mac: self.target_mac(),
            target_ip: self.target_ip(),
        }
    }
}

/// The meaning of an ARP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Arp {
    /// Request or reply.
    pub operation: Operation,
    /// The sender's hardware address.
    pub sender_mac: MacAddr,
    /// The sender's IP address.
    pub sender_ip: Ipv4Addr,
    /// The target's hardware address.
    pub target_mac: MacAddr,
    /// The target's IP address.
    pub target_ip: Ipv4Addr,
}

impl Arp {
    /// Bytes of a packet.
    pub const LEN: usize = LEN;

    /// The question who has `target`.
    #[must_use]
    pub const fn request(mac: MacAddr, ip: Ipv4Addr, target: Ipv4Addr) -> Self {
        Self {
            operation: Operation::REQUEST,
            sender_mac: mac,
            sender_ip: ip,
            target_mac: MacAddr([0; 6]),
            target_ip: target,
        }
    }

    /// The answer to this request from the one who has `mac`.
    #[must_use]
    pub const fn reply(&self, mac: MacAddr) -> Self {
        Self {
            operation: Operation::REPLY,
            sender_mac: mac,
            sender_ip: self.target_ip,
            target_mac: self.sender_mac,
            target_ip: self.sender_ip,
        }
    }

    /// Writes the packet.
    pub fn emit(&self, out: &mut impl Put) {
        out.put(&ETHERNET.to_be_bytes());
        out.put(&EtherType::IPV4.0.to_be_bytes());
        out.put(&[6, 4]);
        out.put(&self.operation.0.to_be_bytes());
        out.put(&self.sender_mac.0);
        out.put(&self.sender_ip.octets());
        out.put(&self.target_mac.0);
        out.put(&self.target_ip.octets());
    }
}

#[cfg(test)]
#[path = "arp_tests.rs"]
mod tests;
