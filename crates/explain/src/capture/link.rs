//! What stands in front of IP: link layers with their tags and labels.

use handclasp_wire::ethernet::EtherType;

/// What a packet's bytes begin with: libpcap's number for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD's loopback: the address family in the byte order of the host.
    pub const NULL: Self = Self(0);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// PPP, with or without its HDLC framing.
    pub const PPP: Self = Self(9);
    /// PPP, with HDLC framing.
    pub const PPP_HDLC: Self = Self(50);
    /// PPPoE, from its own header on.
    pub const PPP_ETHER: Self = Self(51);
    /// IP of either version.
    pub const RAW: Self = Self(101);
    /// Cisco's HDLC.
    pub const CISCO_HDLC: Self = Self(104);
    /// OpenBSD's loopback: the address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux's "any" interface.
    pub const LINUX_SLL: Self = Self(113);
    /// IPv4.
    pub const IPV4: Self = Self(228);
    /// IPv6.
    pub const IPV6: Self = Self(229);
    /// Packets that netfilter logged.
    pub const NFLOG: Self = Self(239);
    /// Linux's "any" interface, version 2.
    pub const LINUX_SLL2: Self = Self(276);
}

/// A network within a link: VLAN tags, the outermost first, and PPPoE's session. The same
/// addresses and ports in another network are another connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Network {
    /// VLANs' numbers; zero where there is no tag.
    pub vlans: [u16; 2],
    /// PPPoE's session; zero if there is none.
    pub session: u16,
}

/// A packet without its link layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stripped<'a> {
    /// What network it is in.
    pub network: Network,
    /// IP, from its header on.
    pub ip: &'a [u8],
}

/// The protocol behind a header, and what is left.
enum Next<'a> {
    Ethertype(u16, &'a [u8]),
    Ppp(&'a [u8]),
    Ip(&'a [u8]),
}

/// The IP packet in a frame of this kind; `None` if it has another protocol, or one of its link
/// headers is cut short.
#[must_use]
pub fn strip(link: LinkType, bytes: &[u8]) -> Option<Stripped<'_>> {
    let mut network = Network::default();
    let mut next = match link {
        LinkType::ETHERNET => ethertype(bytes.get(12..)?)?,
        LinkType::NULL | LinkType::LOOP => Next::Ip(bytes.get(4..)?),
        // 12 and 14 were BSDs' numbers for the same.
        LinkType::RAW | LinkType::IPV4 | LinkType::IPV6 | LinkType(12 | 14) => Next::Ip(bytes),
        LinkType::PPP | LinkType::PPP_HDLC => match bytes {
            [0xff, 0x03, rest @ ..] => Next::Ppp(rest),
            // Two bytes that Cisco's HDLC has, which some write in PPP's place.
            [0x0f | 0x8f, _, rest @ ..] => ethertype(rest)?,
            _ => Next::Ppp(bytes),
        },
        LinkType::PPP_ETHER => session(bytes, &mut network)?,
        LinkType::CISCO_HDLC => ethertype(bytes.get(2..)?)?,
        LinkType::LINUX_SLL => ethertype(bytes.get(14..)?)?,
        LinkType::LINUX_SLL2 => {
            let (protocol, rest) = bytes.split_first_chunk::<2>()?;
            Next::Ethertype(u16::from_be_bytes(*protocol), rest.get(18..)?)
        }
        LinkType::NFLOG => Next::Ip(nflog(bytes)?),
        _ => return None,
    };
    loop {
        next = match next {
            Next::Ip(ip) => return Some(Stripped { network, ip }),
            Next::Ppp(bytes) => ppp(bytes)?,
            Next::Ethertype(kind, rest) => behind(kind, rest, &mut network)?,
        };
    }
}

fn ethertype(bytes: &[u8]) -> Option<Next<'_>> {
    let (kind, rest) = bytes.split_first_chunk::<2>()?;
    Some(Next::Ethertype(u16::from_be_bytes(*kind), rest))
}

fn behind<'a>(kind: u16, rest: &'a [u8], network: &mut Network) -> Option<Next<'a>> {
    const MPLS: u16 = 0x8847;
    const PPPOE_SESSION: u16 = 0x8864;
    match EtherType(kind) {
        EtherType::IPV4 | EtherType::IPV6 => Some(Next::Ip(rest)),
        tag if tag.is_tag() => {
            let (tci, rest) = rest.split_first_chunk::<2>()?;
            let id = u16::from_be_bytes(*tci) & 0x0fff;
            match network.vlans {
                [0, _] => network.vlans[0] = id,
                _ => network.vlans[1] = id,
            }
            ethertype(rest)
        }
        EtherType(PPPOE_SESSION) => session(rest, network),
        EtherType(MPLS) => {
            let bottom = rest.as_chunks::<4>().0.iter().position(|label| label[2] & 1 == 1)?;
            rest.get(4 * (bottom + 1)..).map(Next::Ip)
        }
        // A length: IEEE 802.3, where LLC and SNAP come before the type.
        EtherType(..0x0600) => ethertype(rest.strip_prefix(&[0xaa, 0xaa, 3, 0, 0, 0])?),
        _ => None,
    }
}

fn session<'a>(bytes: &'a [u8], network: &mut Network) -> Option<Next<'a>> {
    let (header, rest) = bytes.split_first_chunk::<6>()?;
    network.session = u16::from_be_bytes([header[2], header[3]]);
    Some(Next::Ppp(rest))
}

/// PPP's protocol numbers may be compressed to one byte (RFC 1661 §6.5).
fn ppp(bytes: &[u8]) -> Option<Next<'_>> {
    match bytes {
        [0x00, 0x21 | 0x57, rest @ ..] | [0x21 | 0x57, rest @ ..] => Some(Next::Ip(rest)),
        _ => None,
    }
}

/// The packet in a list of fields, each a length and a type in the writer's byte order, padded
/// to four bytes. Lengths are short, so the byte that is not zero tells the order.
fn nflog(bytes: &[u8]) -> Option<&[u8]> {
    const PAYLOAD: u16 = 9;
    let mut fields = bytes.get(4..)?;
    loop {
        let [a, b, c, d, rest @ ..] = fields else { return None };
        let (len, kind) = match [*c, *d] {
            [0, kind] if kind != 0 => (u16::from_be_bytes([*a, *b]), u16::from(kind)),
            [kind, _] => (u16::from_le_bytes([*a, *b]), u16::from(kind)),
        };
        let len = usize::from(len).checked_sub(4)?;
        if kind == PAYLOAD {
            return rest.get(..len).or(Some(rest));
        }
        fields = rest.get(len.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
