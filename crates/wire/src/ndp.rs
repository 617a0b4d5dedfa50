//! Neighbour discovery (RFC 4861), inside ICMPv6.

use core::net::Ipv6Addr;

use smallvec::SmallVec;

use crate::error::{Cause, Layer, ParseError};
use crate::ethernet::MacAddr;
use crate::icmp::Message;
use crate::icmpv6::Icmpv6;
use crate::octets::{Put, be16, be32, part, split, truncated};

/// Every node on the link.
pub const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// Every router on the link.
pub const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
/// The hop limit of every such packet: one that came from another link has less (RFC 4861 §3.1).
pub const HOP_LIMIT: u8 = 255;

/// The group in which the owner of `address` listens for solicitations (RFC 4291 §2.7.1).
#[must_use]
pub const fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = address.octets();
    let low = u16::from_be_bytes([b, c]);
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | a as u16, low)
}

/// Type numbers of the messages.
mod kind {
    pub(super) const ROUTER_SOLICITATION: u8 = 133;
    pub(super) const ROUTER_ADVERTISEMENT: u8 = 134;
    pub(super) const NEIGHBOUR_SOLICITATION: u8 = 135;
    pub(super) const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
}

/// Type numbers of the options.
mod option_kind {
    pub(super) const SOURCE_LINK_ADDRESS: u8 = 1;
    pub(super) const TARGET_LINK_ADDRESS: u8 = 2;
    pub(super) const PREFIX: u8 = 3;
    pub(super) const MTU: u8 = 5;
}

bitflags::bitflags! {
    /// What a router advertisement says of how addresses are had (RFC 4861 §4.2).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct RouterFlags: u8 {
        /// Addresses come from DHCPv6.
        const MANAGED = 0x80;
        /// Other settings come from DHCPv6.
        const OTHER = 0x40;
    }

    /// What a neighbour advertisement says of its sender (RFC 4861 §4.4).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct NeighbourFlags: u8 {
        /// It is a router.
        const ROUTER = 0x80;
        /// It was asked.
        const SOLICITED = 0x40;
        /// What is known of it is to be replaced.
        const OVERRIDE = 0x20;
    }

    /// What a prefix may be used for (RFC 4861 §4.6.2).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct PrefixFlags: u8 {
        /// Its addresses are on this link.
        const ON_LINK = 0x80;
        /// Hosts may form addresses in it by themselves (RFC 4862).
        const AUTONOMOUS = 0x40;
    }
}

/// A message without its options.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NdpMessage {
    /// Which routers are there?
    RouterSolicitation,
    /// A router is here.
    RouterAdvertisement {
        /// The hop limit that hosts should use; 0 leaves it open.
        hop_limit: u8,
        /// How addresses are had.
        flags: RouterFlags,
        /// For how long it serves as default router, in seconds; 0 if it does not.
        lifetime: u16,
        /// How long a neighbour counts as reachable, in milliseconds; 0 leaves it open.
        reachable: u32,
        /// Time between solicitations, in milliseconds; 0 leaves it open.
        retransmit: u32,
    },
    /// Who has this address?
    NeighbourSolicitation {
        /// The address.
        target: Ipv6Addr,
    },
    /// The sender has this address.
    NeighbourAdvertisement {
        /// What it says of itself.
        flags: NeighbourFlags,
        /// The address.
        target: Ipv6Addr,
    },
}

/// A prefix that a router announces (RFC 4861 §4.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Prefix {
    /// The prefix; bits behind its length do not count.
    pub prefix: Ipv6Addr,
    /// Its length, in bits.
    pub len: u8,
    /// What it may be used for.
    pub flags: PrefixFlags,
    /// For how long it is on the link, in seconds; all ones for ever.
    pub valid: u32,
    /// For how long addresses in it are preferred, in seconds; all ones for ever.
    pub preferred: u32,
}

/// One option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NdpOption<'a> {
    /// The sender's hardware address.
    SourceLinkAddress(MacAddr),
    /// The target's hardware address.
    TargetLinkAddress(MacAddr),
    /// A prefix.
    Prefix(Prefix),
    /// The link's MTU, in bytes.
    Mtu(u32),
    /// Another type, or a known one of a length that it does not have.
    Unknown {
        /// Its type.
        kind: u8,
        /// What stands behind its length octet; with that it has a multiple of eight bytes.
        data: &'a [u8],
    },
}

impl<'a> NdpOption<'a> {
    /// The option of this type that has this behind its length octet.
    fn read(kind: u8, data: &'a [u8]) -> Self {
        let mac = || data.try_into().ok().map(MacAddr);
        let typed = match kind {
            option_kind::SOURCE_LINK_ADDRESS => mac().map(Self::SourceLinkAddress),
            option_kind::TARGET_LINK_ADDRESS => mac().map(Self::TargetLinkAddress),
            option_kind::PREFIX => data.try_into().ok().map(|d: &[u8; 30]| {
                Self::Prefix(Prefix {
                    prefix: part::<14, 16, _>(d).into(),
                    len: d[0],
                    flags: PrefixFlags::from_bits_retain(d[1]),
                    valid: be32::<2, _>(d),
                    preferred: be32::<6, _>(d),
                })
            }),
            option_kind::MTU => data.try_into().ok().map(|d: &[u8; 6]| Self::Mtu(be32::<2, _>(d))),
            _ => None,
        };
        typed.unwrap_or(Self::Unknown { kind, data })
    }

    fn emit(&self, out: &mut impl Put) {
        let mac = |out: &mut _, kind, mac: &MacAddr| {
            Put::put(out, &[kind, 1]);
            Put::put(out, &mac.0);
        };
        match self {
            Self::SourceLinkAddress(address) => {
                mac(out, option_kind::SOURCE_LINK_ADDRESS, address);
            }
            Self::TargetLinkAddress(address) => {
                mac(out, option_kind::TARGET_LINK_ADDRESS, address);
            }
            Self::Prefix(Prefix { prefix, len, flags, valid, preferred }) => {
                out.put(&[option_kind::PREFIX, 4, *len, flags.bits()]);
                out.put(&valid.to_be_bytes());
                out.put(&preferred.to_be_bytes());
                out.put(&[0; 4]);
                out.put(&prefix.octets());
            }
            Self::Mtu(mtu) => {
                out.put(&[option_kind::MTU, 1, 0, 0]);
                out.put(&mtu.to_be_bytes());
            }
            Self::Unknown { kind, data } => {
                out.put(&[*kind, (2 + data.len()).div_ceil(8).min(0xff) as u8]);
                out.put(data);
            }
        }
    }
}

/// A checked view of a message.
#[derive(Clone, Copy, Debug)]
pub struct NdpView<'a> {
    message: NdpMessage,
    options: &'a [u8],
    at: usize,
}

impl<'a> NdpView<'a> {
    /// Reads a message from its ICMPv6 header on.
    ///
    /// # Errors
    /// If it is cut short, or is no such message, or its code is not zero.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let error = |offset, cause| Err(ParseError::new(Layer::Ndp, offset, cause));
        let (Message { kind, code, rest, body }, _) = Message::parse(bytes, Layer::Ndp)?;
        let (message, options) = match kind {
            kind::ROUTER_SOLICITATION => (NdpMessage::RouterSolicitation, body),
            kind::ROUTER_ADVERTISEMENT => {
                let (times, options) = fixed::<8>(body)?;
                let message = NdpMessage::RouterAdvertisement {
                    hop_limit: rest[0],
                    flags: RouterFlags::from_bits_retain(rest[1]),
                    lifetime: be16::<2, _>(&rest),
                    reachable: be32::<0, _>(times),
                    retransmit: be32::<4, _>(times),
                };
                (message, options)
            }
            kind::NEIGHBOUR_SOLICITATION => {
                let (target, options) = fixed::<16>(body)?;
                (NdpMessage::NeighbourSolicitation { target: (*target).into() }, options)
            }
            kind::NEIGHBOUR_ADVERTISEMENT => {
                let (target, options) = fixed::<16>(body)?;
                let flags = NeighbourFlags::from_bits_retain(rest[0]);
                let target = (*target).into();
                (NdpMessage::NeighbourAdvertisement { flags, target }, options)
            }
            _ => return error(0, Cause::Unknown { field: "type", value: kind.into() }),
        };
        if code != 0 {
            let cause = Cause::Unexpected { field: "code", value: code.into(), expected: 0 };
            return error(1, cause);
        }
        Ok(Self { message, options, at: bytes.len() - options.len() })
    }

    /// The message without its options.
    #[must_use]
    pub const fn message(&self) -> NdpMessage {
        self.message
    }

    /// The options one by one; errors count bytes from the start of the message. A message
    /// with an error among them is to be discarded (RFC 4861 §4.6).
    #[must_use]
    pub const fn options(&self) -> NdpOptionIter<'a> {
        NdpOptionIter { rest: self.options, at: self.at }
    }

    /// The message's meaning.
    ///
    /// # Errors
    /// If an option's length is zero, or runs past the message.
    pub fn to_repr(&self) -> Result<Ndp<'a>, ParseError> {
        let options = self.options().collect::<Result<_, _>>()?;
        Ok(Ndp { message: self.message, options })
    }
}

fn fixed<const N: usize>(body: &[u8]) -> Result<(&[u8; N], &[u8]), ParseError> {
    split::<N>(body, Layer::Ndp).map_err(|_| {
        let header = Message::HEADER_LEN;
        truncated(Layer::Ndp, header + N, header + body.len())
    })
}

/// The options of a message one by one; stops behind an error.
#[derive(Clone, Debug)]
pub struct NdpOptionIter<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Iterator for NdpOptionIter<'a> {
    type Item = Result<NdpOption<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (&kind, behind) = self.rest.split_first()?;
        let units = behind.first().copied().unwrap_or(1);
        let (len, available) = (8 * usize::from(units), self.rest.len());
        let option = self.rest.split_at_checked(len).and_then(|(option, rest)| {
            let data = option.get(2..)?;
            (self.rest, self.at) = (rest, self.at + len);
            Some(NdpOption::read(kind, data))
        });
        Some(option.ok_or_else(|| {
            self.rest = &[];
            let field = "option length";
            let cause = match units {
                0 => Cause::BelowMinimum { field, value: 0, minimum: 1 },
                _ => Cause::PastEnd { field, bytes: len, available },
            };
            ParseError::new(Layer::Ndp, self.at + 1, cause)
        }))
    }
}

/// The meaning of a message with its options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ndp<'a> {
    /// The message.
    pub message: NdpMessage,
    /// Its options, in their order.
    pub options: SmallVec<[NdpOption<'a>; 2]>,
}

impl Ndp<'_> {
    /// The first hardware address among the options, the sender's or the target's, as the
    /// message has it.
    #[must_use]
    pub fn link_address(&self) -> Option<MacAddr> {
        self.options.iter().find_map(|option| match option {
            NdpOption::SourceLinkAddress(mac) | NdpOption::TargetLinkAddress(mac) => Some(*mac),
            _ => None,
        })
    }

    /// Writes the ICMPv6 message with the checksum that it has between these addresses.
    pub fn emit(&self, src: Ipv6Addr, dst: Ipv6Addr, out: &mut impl Put) {
        let mut body = SmallVec::<[u8; 128]>::new();
        let (kind, rest) = match self.message {
            NdpMessage::RouterSolicitation => (kind::ROUTER_SOLICITATION, [0; 4]),
            NdpMessage::RouterAdvertisement {
                hop_limit,
                flags,
                lifetime,
                reachable,
                retransmit,
            } => {
                body.put(&reachable.to_be_bytes());
                body.put(&retransmit.to_be_bytes());
                let [high, low] = lifetime.to_be_bytes();
                (kind::ROUTER_ADVERTISEMENT, [hop_limit, flags.bits(), high, low])
            }
            NdpMessage::NeighbourSolicitation { target } => {
                body.put(&target.octets());
                (kind::NEIGHBOUR_SOLICITATION, [0; 4])
            }
            NdpMessage::NeighbourAdvertisement { flags, target } => {
                body.put(&target.octets());
                (kind::NEIGHBOUR_ADVERTISEMENT, [flags.bits(), 0, 0, 0])
            }
        };
        for option in &self.options {
            option.emit(&mut body);
        }
        let message = Message { kind, code: 0, rest, body: &body };
        Icmpv6::Other(message).emit(src, dst, out);
    }
}

#[cfg(test)]
#[path = "ndp_tests.rs"]
mod tests;
