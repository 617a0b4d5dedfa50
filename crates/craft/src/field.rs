//! The fields of the headers, as one table: building, matching, reading, printing and taking
//! apart all follow it.

use std::ops::Range;

/// A header, in the order in which they stand in a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Ethernet II.
    Ethernet,
    /// An 802.1Q or 802.1ad tag, the outer one if there are two.
    Vlan,
    /// The inner tag.
    InnerVlan,
    /// IPv4 with its options, or IPv6 with its extension headers.
    Ip,
    /// TCP with its options.
    Tcp,
}

impl Layer {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Ethernet, Self::Vlan, Self::InnerVlan, Self::Ip, Self::Tcp];

    /// The header and those that it cannot be without: tags stand behind Ethernet's.
    #[must_use]
    pub const fn with_outer(self) -> &'static [Self] {
        match self {
            Self::Ethernet => &[Self::Ethernet],
            Self::Vlan => &[Self::Ethernet, Self::Vlan],
            Self::InnerVlan => &[Self::Ethernet, Self::Vlan, Self::InnerVlan],
            Self::Ip => &[Self::Ip],
            Self::Tcp => &[Self::Tcp],
        }
    }

    /// Its name in texts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ethernet => "eth",
            Self::Vlan => "vlan",
            Self::InnerVlan => "vlan2",
            Self::Ip => "ip",
            Self::Tcp => "tcp",
        }
    }

    /// Bytes of the header without options or extension headers.
    #[must_use]
    pub const fn fixed_len(self, family: Family) -> usize {
        match (self, family) {
            (Self::Ethernet, _) => 14,
            (Self::Vlan | Self::InnerVlan, _) => 4,
            (Self::Ip, Family::V6) => 40,
            (Self::Ip | Self::Tcp, _) => 20,
        }
    }
}

/// The version of IP, which decides where IP's fields stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Family {
    /// IPv4.
    #[default]
    V4,
    /// IPv6.
    V6,
}

/// How a field's value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A decimal number.
    Decimal,
    /// A number in hex, all of its digits.
    Hex,
    /// TCP's control bits, as letters.
    Flags,
    /// An IP address.
    Address,
    /// An Ethernet address.
    Hardware,
}

/// A field of a header that has one value. What has the same meaning in IPv4 and IPv6 is one
/// field, so that a template may hold for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Ethernet: destination.
    EthDst,
    /// Ethernet: source.
    EthSrc,
    /// Ethernet: what follows, a tag included.
    EthType,
    /// First tag: priority.
    VlanPriority,
    /// First tag: may be dropped first.
    VlanDropEligible,
    /// First tag: the network's number.
    VlanId,
    /// First tag: what follows.
    VlanType,
    /// Second tag: priority.
    InnerVlanPriority,
    /// Second tag: may be dropped first.
    InnerVlanDropEligible,
    /// Second tag: the network's number.
    InnerVlanId,
    /// Second tag: what follows.
    InnerVlanType,
    /// IP: version.
    Version,
    /// IPv4: words of four bytes in the header.
    HeaderLen,
    /// IP: differentiated services code point.
    Dscp,
    /// IP: explicit congestion notification.
    Ecn,
    /// IPv6: flow label.
    FlowLabel,
    /// IPv4: bytes of header and payload.
    TotalLen,
    /// IPv6: bytes behind the fixed header.
    PayloadLen,
    /// IPv4: identification.
    Identification,
    /// IPv4: the flag without a meaning.
    ReservedFlag,
    /// IPv4: routers must not fragment.
    DontFragment,
    /// IPv4: more fragments follow.
    MoreFragments,
    /// IPv4: where the fragment belongs, in units of eight bytes.
    FragmentOffset,
    /// IP: time to live, or hop limit.
    Ttl,
    /// IP: what follows.
    Protocol,
    /// IPv4: header checksum.
    IpChecksum,
    /// IP: source.
    Src,
    /// IP: destination.
    Dst,
    /// TCP: source port.
    SrcPort,
    /// TCP: destination port.
    DstPort,
    /// TCP: `seg.seq`.
    Seq,
    /// TCP: `seg.ack`.
    Ack,
    /// TCP: words of four bytes in the header.
    DataOffset,
    /// TCP: the three bits without a meaning.
    Reserved,
    /// TCP: control bits.
    Flags,
    /// TCP: window, not scaled.
    Window,
    /// TCP: checksum.
    Checksum,
    /// TCP: urgent pointer.
    Urgent,
}

/// Where a field stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// In which header.
    pub layer: Layer,
    /// Bits in front of it in that header.
    pub at: u16,
    /// Its bits.
    pub bits: u16,
    /// Wireshark's name for it.
    pub key: &'static str,
}

impl Place {
    /// The bytes of the header that it touches.
    #[must_use]
    pub const fn bytes(&self) -> Range<usize> {
        (self.at / 8) as usize..(self.at + self.bits).div_ceil(8) as usize
    }

    /// The largest value that fits.
    #[must_use]
    pub const fn maximum(&self) -> u128 {
        u128::MAX >> (128 - self.bits)
    }

    /// Its value in a header; `None` where the header ends before it does.
    #[must_use]
    pub fn get(&self, header: &[u8]) -> Option<u128> {
        let bytes = header.get(self.bytes())?;
        // At most 16 bytes: what is longer is aligned, what is not aligned is short.
        let word = bytes.iter().fold(0, |word: u128, byte| word << 8 | u128::from(*byte));
        Some(word >> self.spare() & self.maximum())
    }

    /// Writes its value, of which it takes as many low bits as it has, into a header; one that
    /// ends before it does is left alone.
    pub fn set(&self, header: &mut [u8], value: u128) {
        let Some(bytes) = header.get_mut(self.bytes()) else { return };
        let mask = self.maximum() << self.spare();
        let value = value << self.spare() & mask;
        for (i, byte) in bytes.iter_mut().rev().enumerate() {
            let part = |word: u128| (word >> (8 * i)) as u8;
            *byte = *byte & !part(mask) | part(value);
        }
    }

    /// Bits behind it in its last byte.
    const fn spare(&self) -> u16 {
        8 * self.bytes().end as u16 - self.at - self.bits
    }
}

struct Row {
    field: Field,
    /// The name in texts, then others that are read too.
    names: &'static [&'static str],
    kind: Kind,
    v4: Option<Place>,
    v6: Option<Place>,
}

type At = (u16, u16, &'static str);

const fn place(layer: Layer, (at, bits, key): At) -> Option<Place> {
    Some(Place { layer, at, bits, key })
}

const fn row(
    field: Field,
    names: &'static [&'static str],
    kind: Kind,
    layer: Layer,
    at: At,
) -> Row {
    Row { field, names, kind, v4: place(layer, at), v6: place(layer, at) }
}

const fn ip(field: Field, names: &'static [&'static str], kind: Kind, v4: At, v6: At) -> Row {
    Row { field, names, kind, v4: place(Layer::Ip, v4), v6: place(Layer::Ip, v6) }
}

const fn v4(field: Field, names: &'static [&'static str], kind: Kind, at: At) -> Row {
    Row { field, names, kind, v4: place(Layer::Ip, at), v6: None }
}

const fn v6(field: Field, names: &'static [&'static str], kind: Kind, at: At) -> Row {
    Row { field, names, kind, v4: None, v6: place(Layer::Ip, at) }
}

/// In the order of [`Field`]'s variants.
#[rustfmt::skip]
const TABLE: [Row; 38] = {
    use Field::*;
    use Kind::{Address, Decimal, Hardware, Hex};
    use Layer::{Ethernet, InnerVlan, Tcp, Vlan};
    [
        row(EthDst, &["eth-dst"], Hardware, Ethernet, (0, 48, "eth.dst")),
        row(EthSrc, &["eth-src"], Hardware, Ethernet, (48, 48, "eth.src")),
        row(EthType, &["eth-type", "ethertype"], Hex, Ethernet, (96, 16, "eth.type")),
        row(VlanPriority, &["vlan-priority"], Decimal, Vlan, (0, 3, "vlan.priority")),
        row(VlanDropEligible, &["vlan-dei"], Decimal, Vlan, (3, 1, "vlan.dei")),
        row(VlanId, &["vlan", "vlan-id"], Decimal, Vlan, (4, 12, "vlan.id")),
        row(VlanType, &["vlan-type"], Hex, Vlan, (16, 16, "vlan.etype")),
        row(InnerVlanPriority, &["vlan2-priority"], Decimal, InnerVlan, (0, 3, "vlan.priority")),
        row(InnerVlanDropEligible, &["vlan2-dei"], Decimal, InnerVlan, (3, 1, "vlan.dei")),
        row(InnerVlanId, &["vlan2", "vlan2-id"], Decimal, InnerVlan, (4, 12, "vlan.id")),
        row(InnerVlanType, &["vlan2-type"], Hex, InnerVlan, (16, 16, "vlan.etype")),
        ip(Version, &["version", "ip-version"], Decimal,
            (0, 4, "ip.version"), (0, 4, "ipv6.version")),
        v4(HeaderLen, &["ihl"], Decimal, (4, 4, "ip.hdr_len")),
        ip(Dscp, &["dscp"], Decimal, (8, 6, "ip.dsfield.dscp"), (4, 6, "ipv6.tclass.dscp")),
        ip(Ecn, &["ecn"], Decimal, (14, 2, "ip.dsfield.ecn"), (10, 2, "ipv6.tclass.ecn")),
        v6(FlowLabel, &["flow-label", "flowlabel"], Hex, (12, 20, "ipv6.flow")),
        v4(TotalLen, &["total-len", "total-length"], Decimal, (16, 16, "ip.len")),
        v6(PayloadLen, &["payload-len", "payload-length"], Decimal, (32, 16, "ipv6.plen")),
        v4(Identification, &["ip-id", "id"], Hex, (32, 16, "ip.id")),
        v4(ReservedFlag, &["rf"], Decimal, (48, 1, "ip.flags.rb")),
        v4(DontFragment, &["df"], Decimal, (49, 1, "ip.flags.df")),
        v4(MoreFragments, &["mf"], Decimal, (50, 1, "ip.flags.mf")),
        v4(FragmentOffset, &["frag-offset"], Decimal, (51, 13, "ip.frag_offset")),
        ip(Ttl, &["ttl", "hlim", "hop-limit"], Decimal, (64, 8, "ip.ttl"), (56, 8, "ipv6.hlim")),
        ip(Protocol, &["proto", "protocol", "next-header"], Decimal,
            (72, 8, "ip.proto"), (48, 8, "ipv6.nxt")),
        v4(IpChecksum, &["ip-cksum", "ip-checksum"], Hex, (80, 16, "ip.checksum")),
        ip(Src, &["src"], Address, (96, 32, "ip.src"), (64, 128, "ipv6.src")),
        ip(Dst, &["dst"], Address, (128, 32, "ip.dst"), (192, 128, "ipv6.dst")),
        row(SrcPort, &["sport", "src-port"], Decimal, Tcp, (0, 16, "tcp.srcport")),
        row(DstPort, &["dport", "dst-port"], Decimal, Tcp, (16, 16, "tcp.dstport")),
        row(Seq, &["seq"], Decimal, Tcp, (32, 32, "tcp.seq_raw")),
        row(Ack, &["ack"], Decimal, Tcp, (64, 32, "tcp.ack_raw")),
        row(DataOffset, &["data-offset", "doff"], Decimal, Tcp, (96, 4, "tcp.hdr_len")),
        row(Reserved, &["reserved"], Decimal, Tcp, (100, 3, "tcp.flags.res")),
        row(Flags, &["flags"], Kind::Flags, Tcp, (103, 9, "tcp.flags")),
        row(Window, &["win", "window"], Decimal, Tcp, (112, 16, "tcp.window_size_value")),
        row(Checksum, &["cksum", "checksum"], Hex, Tcp, (128, 16, "tcp.checksum")),
        row(Urgent, &["urg", "urgent"], Decimal, Tcp, (144, 16, "tcp.urgent_pointer")),
    ]
};

impl Field {
    const fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// All fields, in the order in which they stand in a packet.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.field)
    }

    /// The field of this name, which may be one of those that are read but not printed.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.names.contains(&name)).map(|row| row.field)
    }

    /// The names under which it is read, the one that is printed first.
    #[must_use]
    pub const fn names(self) -> &'static [&'static str] {
        self.row().names
    }

    /// Its name in texts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.names()[0]
    }

    /// How its value is written.
    #[must_use]
    pub const fn kind(self) -> Kind {
        self.row().kind
    }

    /// Where it stands in a packet of this family; `None` if the family has no such field.
    #[must_use]
    pub const fn place(self, family: Family) -> Option<Place> {
        match family {
            Family::V4 => self.row().v4,
            Family::V6 => self.row().v6,
        }
    }

    /// The header that it belongs to.
    #[must_use]
    pub const fn layer(self) -> Layer {
        match (self.row().v4, self.row().v6) {
            (Some(place), _) | (None, Some(place)) => place.layer,
            (None, None) => Layer::Ip,
        }
    }

    /// The one family that has it; `None` if both have, or it is no field of IP.
    #[must_use]
    pub const fn family(self) -> Option<Family> {
        match (self.row().v4, self.row().v6) {
            (Some(_), None) => Some(Family::V4),
            (None, Some(_)) => Some(Family::V6),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "field_tests.rs"]
mod tests;
