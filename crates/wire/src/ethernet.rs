//! Ethernet II with 802.1Q and 802.1ad tags.

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use crate::error::{Layer, ParseError};
use crate::octets::{Put, part, split, truncated};

/// A hardware address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct MacAddr(pub [u8; 6]);

impl MacAddr {
    /// Everyone on the link.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// Whether it is a group's address; the broadcast address is one.
    #[must_use]
    pub const fn is_multicast(self) -> bool {
        self.0[0] & 1 == 1
    }

    /// Whether it can be one interface's.
    #[must_use]
    pub const fn is_unicast(self) -> bool {
        !self.is_multicast() && !matches!(self.0, [0, 0, 0, 0, 0, 0])
    }

    /// Where a multicast IPv4 packet goes: the address's low 23 bits (RFC 1112 §6.4).
    #[must_use]
    pub const fn from_multicast_v4(group: Ipv4Addr) -> Self {
        let [_, b, c, d] = group.octets();
        Self([0x01, 0x00, 0x5e, b & 0x7f, c, d])
    }

    /// Where a multicast IPv6 packet goes: the address's low 32 bits (RFC 2464 §7).
    #[must_use]
    pub const fn from_multicast_v6(group: Ipv6Addr) -> Self {
        let [a, b, c, d] = part::<12, 4, 16>(&group.octets());
        Self([0x33, 0x33, a, b, c, d])
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no hardware address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MacAddrError;

impl fmt::Display for MacAddrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a hardware address is six pairs of hex digits, like 02:00:00:00:00:01")
    }
}

impl core::error::Error for MacAddrError {}

impl FromStr for MacAddr {
    type Err = MacAddrError;

    fn from_str(text: &str) -> Result<Self, MacAddrError> {
        let mut pairs = text.split([':', '-']);
        let mut address = [0; 6];
        for byte in &mut address {
            let pair = pairs.next().ok_or(MacAddrError)?;
            // `from_str_radix` alone would take a sign.
            if pair.len() != 2 || !pair.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(MacAddrError);
            }
            *byte = u8::from_str_radix(pair, 16).map_err(|_| MacAddrError)?;
        }
        if pairs.next().is_some() { Err(MacAddrError) } else { Ok(Self(address)) }
    }
}

/// What an Ethernet frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EtherType(pub u16);

impl EtherType {
    /// IPv4.
    pub const IPV4: Self = Self(0x0800);
    /// ARP.
    pub const ARP: Self = Self(0x0806);
    /// An 802.1Q tag.
    pub const VLAN: Self = Self(0x8100);
    /// IPv6.
    pub const IPV6: Self = Self(0x86dd);
    /// An 802.1ad service tag (QinQ).
    pub const QINQ: Self = Self(0x88a8);

    /// Whether a tag follows. 0x9100 is QinQ from before 802.1ad.
    #[must_use]
    pub const fn is_tag(self) -> bool {
        matches!(self, Self::VLAN | Self::QINQ | Self(0x9100))
    }
}

/// A tag: what announces it, and its control information.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VlanTag {
    /// The type that announces the tag.
    pub tpid: EtherType,
    /// Priority (3 bits), drop eligible (1 bit), identifier (12 bits).
    pub tci: u16,
}

impl VlanTag {
    /// The network's number, 0 to 4095.
    #[must_use]
    pub const fn id(self) -> u16 {
        self.tci & 0x0fff
    }

    /// The priority, 0 to 7.
    #[must_use]
    pub const fn priority(self) -> u8 {
        (self.tci >> 13) as u8
    }

    /// Whether it may be dropped first.
    #[must_use]
    pub const fn drop_eligible(self) -> bool {
        self.tci & 0x1000 != 0
    }
}

/// Tags that are read; a third is left to the payload.
pub const MAX_TAGS: usize = 2;

const ADDRESSES: usize = 12;

/// A checked view of an Ethernet frame.
#[derive(Clone, Copy, Debug)]
pub struct EthernetView<'a> {
    addresses: &'a [u8; ADDRESSES],
    tags: &'a [[u8; 4]],
    ethertype: EtherType,
    payload: &'a [u8],
}

impl<'a> EthernetView<'a> {
    /// Reads a frame from its destination address on, without preamble and check sequence.
    ///
    /// # Errors
    /// If the bytes end within the header or its tags.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let (addresses, rest) = split::<ADDRESSES>(bytes, Layer::Ethernet)
            .map_err(|_| truncated(Layer::Ethernet, Ethernet::HEADER_LEN, bytes.len()))?;
        let (groups, _) = rest.as_chunks::<4>();
        let tagged = groups.iter().take(MAX_TAGS).take_while(|g| tag(g).tpid.is_tag()).count();
        let (tags, _) = groups.split_at_checked(tagged).unwrap_or((groups, &[]));
        let behind = rest.get(4 * tagged..).unwrap_or_default();
        let Some((ethertype, payload)) = behind.split_first_chunk::<2>() else {
            let layer = if tagged == 0 { Layer::Ethernet } else { Layer::Vlan };
            return Err(truncated(layer, Ethernet::HEADER_LEN + 4 * tagged, bytes.len()));
        };
        let ethertype = EtherType(u16::from_be_bytes(*ethertype));
        if ethertype.is_tag() && tagged < MAX_TAGS {
            let needed = Ethernet::HEADER_LEN + 4 * (tagged + 1);
            return Err(truncated(Layer::Vlan, needed, bytes.len()));
        }
        Ok(Self { addresses, tags, ethertype, payload })
    }

    /// Who it goes to.
    #[must_use]
    pub const fn dst(&self) -> MacAddr {
        MacAddr(part::<0, 6, _>(self.addresses))
    }

    /// Who it comes from.
    #[must_use]
    pub const fn src(&self) -> MacAddr {
        MacAddr(part::<6, 6, _>(self.addresses))
    }

    /// Its tags, the outermost first; [`MAX_TAGS`] at most.
    pub fn tags(&self) -> impl ExactSizeIterator<Item = VlanTag> + 'a {
        self.tags.iter().map(tag)
    }

    /// What it carries, behind the tags.
    #[must_use]
    pub const fn ethertype(&self) -> EtherType {
        self.ethertype
    }

    /// Bytes of header, tags included.
    #[must_use]
    pub const fn header_len(&self) -> usize {
        Ethernet::HEADER_LEN + 4 * self.tags.len()
    }

    /// What stands behind the header; short packets have been padded to 46 bytes.
    #[must_use]
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// The header's meaning.
    #[must_use]
    pub fn to_repr(&self) -> Ethernet {
        let mut tags = self.tags();
        Ethernet {
            dst: self.dst(),
            src: self.src(),
            tags: [tags.next(), tags.next()],
            ethertype: self.ethertype,
        }
    }
}

fn tag(group: &[u8; 4]) -> VlanTag {
    let [a, b, c, d] = *group;
    VlanTag { tpid: EtherType(u16::from_be_bytes([a, b])), tci: u16::from_be_bytes([c, d]) }
}

/// The meaning of an Ethernet header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ethernet {
    /// Destination.
    pub dst: MacAddr,
    /// Source.
    pub src: MacAddr,
    /// Tags, the outermost first.
    pub tags: [Option<VlanTag>; MAX_TAGS],
    /// What the frame carries, behind the tags.
    pub ethertype: EtherType,
}

impl Ethernet {
    /// Bytes of a header without tags.
    pub const HEADER_LEN: usize = 14;

    /// A header without tags.
    #[must_use]
    pub const fn new(dst: MacAddr, src: MacAddr, ethertype: EtherType) -> Self {
        Self { dst, src, tags: [None; MAX_TAGS], ethertype }
    }

    /// Bytes that [`Ethernet::emit`] writes.
    #[must_use]
    pub fn emitted_len(&self) -> usize {
        Self::HEADER_LEN + 4 * self.tags.iter().flatten().count()
    }

    /// Writes the header.
    pub fn emit(&self, out: &mut impl Put) {
        out.put(&self.dst.0);
        out.put(&self.src.0);
        for tag in self.tags.iter().flatten() {
            out.put(&tag.tpid.0.to_be_bytes());
            out.put(&tag.tci.to_be_bytes());
        }
        out.put(&self.ethertype.0.to_be_bytes());
    }
}

#[cfg(test)]
#[path = "ethernet_tests.rs"]
mod tests;
