//! Bytes cut into headers, as far as they go.

use std::net::IpAddr;
use std::ops::Range;

use handclasp_wire::checksum::{pseudo_header, sum};
use handclasp_wire::error::{Layer as WireLayer, ParseError};
use handclasp_wire::frame::Medium;
use handclasp_wire::ip::protocol;
use handclasp_wire::ipv6::Ipv6;
use handclasp_wire::packet::{Net, Packet, Transport};
use handclasp_wire::tcp::TcpView;
use handclasp_wire::tcp::view::CHECKSUM_AT;

use crate::field::{Family, Field, Layer};

/// What bytes start with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Start {
    /// An Ethernet header.
    Ethernet,
    /// An IPv4 or IPv6 header.
    Ip,
    /// A TCP header, with no addresses in front of it.
    Tcp,
}

/// Where the headers of a packet are.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Layout {
    /// The version of IP; of a packet without IP, nothing follows from it.
    pub family: Family,
    /// The headers in their order, each with its options or extension headers. The last one
    /// may be shorter than its fixed part, where the bytes end.
    pub headers: Vec<(Layer, Range<usize>)>,
    /// What follows the headers.
    pub payload: Range<usize>,
    /// Bytes that a length field claims and that are not there.
    pub missing: usize,
}

impl Layout {
    /// Where a header is.
    #[must_use]
    pub fn header(&self, layer: Layer) -> Option<Range<usize>> {
        self.headers.iter().find(|(found, _)| *found == layer).map(|(_, range)| range.clone())
    }

    /// Whether a header is there with all of its fixed part.
    #[must_use]
    pub fn has(&self, layer: Layer) -> bool {
        self.header(layer).is_some_and(|range| range.len() >= layer.fixed_len(self.family))
    }

    /// A field's value.
    #[must_use]
    pub fn get(&self, bytes: &[u8], field: Field) -> Option<u128> {
        let place = field.place(self.family)?;
        place.get(bytes.get(self.header(place.layer)?)?)
    }

    /// The value that fits the rest of the packet, for the fields that have one: lengths,
    /// checksums, and what says what follows.
    #[must_use]
    pub fn fit(&self, bytes: &[u8], field: Field) -> Option<u128> {
        let layer = field.place(self.family)?.layer;
        let header = self.header(layer).filter(|_| self.has(layer))?;
        let words = (header.len() / 4).min(15) as u128;
        let behind = |at| (self.payload.end + self.missing).saturating_sub(at).min(0xffff) as u128;
        match field {
            Field::EthType | Field::VlanType | Field::InnerVlanType => self.ether_type(layer),
            Field::Version if self.family == Family::V4 => Some(4),
            Field::Version => Some(6),
            Field::HeaderLen | Field::DataOffset => Some(words),
            Field::TotalLen => Some(behind(header.start)),
            Field::PayloadLen => Some(behind(header.start + Ipv6::HEADER_LEN)),
            Field::Protocol => {
                // Of what stands behind extension headers, this field says nothing.
                let plain = self.family == Family::V4 || header.len() == Ipv6::HEADER_LEN;
                (plain && self.has(Layer::Tcp)).then_some(protocol::TCP.into())
            }
            Field::IpChecksum => {
                let (front, rest) = bytes.get(header)?.split_at_checked(10)?;
                Some((sum(front) + sum(rest.get(2..)?)).finish().into())
            }
            Field::Checksum => self.tcp_checksum(bytes).map(u128::from),
            _ => None,
        }
    }

    /// Both ends' addresses.
    #[must_use]
    pub fn addresses(&self, bytes: &[u8]) -> Option<(IpAddr, IpAddr)> {
        let address = |field| self.get(bytes, field).map(|value| self.family.address(value));
        Some((address(Field::Src)?, address(Field::Dst)?))
    }

    /// The TCP header and what it carries.
    #[must_use]
    pub fn segment<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        bytes.get(self.header(Layer::Tcp)?.start..self.payload.end)
    }

    fn tcp_checksum(&self, bytes: &[u8]) -> Option<u16> {
        let segment = self.segment(bytes).filter(|_| self.missing == 0)?;
        let (front, rest) = segment.split_at_checked(CHECKSUM_AT)?;
        let (src, dst) = self.addresses(bytes)?;
        let pseudo = pseudo_header(src, dst, protocol::TCP, segment.len() as u32);
        Some((pseudo + sum(front) + sum(rest.get(2..)?)).finish())
    }

    /// What the type field of the header in front says of the one that follows.
    fn ether_type(&self, layer: Layer) -> Option<u128> {
        let mut behind = self.headers.iter().skip_while(|(found, _)| *found != layer).skip(1);
        match (behind.next()?.0, self.family) {
            // Of two tags the outer one is the provider's (802.1ad).
            (Layer::Vlan, _) if self.has(Layer::InnerVlan) => Some(0x88a8),
            (Layer::Vlan | Layer::InnerVlan, _) => Some(0x8100),
            (Layer::Ip, Family::V4) => Some(0x0800),
            (Layer::Ip, Family::V6) => Some(0x86dd),
            _ => None,
        }
    }
}

impl Family {
    /// The address that a field of this family holds.
    #[must_use]
    pub fn address(self, value: u128) -> IpAddr {
        match self {
            Self::V4 => IpAddr::V4((value as u32).into()),
            Self::V6 => IpAddr::V6(value.into()),
        }
    }

    /// The family of an address.
    #[must_use]
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }
}

/// The number that an address is in its field.
#[must_use]
pub fn address_value(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(ip) => u32::from(ip).into(),
        IpAddr::V6(ip) => ip.into(),
    }
}

/// Cuts bytes into headers. What comes behind an error is payload, except for the part of the
/// header at fault that is there: so much of it can still be read.
///
/// The errors are told outermost first; there are none if everything is as it should be.
#[must_use]
pub fn dissect(bytes: &[u8], start: Start) -> (Layout, Vec<ParseError>) {
    let mut layout = Layout { payload: 0..bytes.len(), ..Layout::default() };
    let mut errors = Vec::new();
    let medium = match start {
        Start::Ethernet => Medium::Ethernet,
        Start::Ip => Medium::Ip,
        Start::Tcp => {
            errors.extend(layout.read_tcp(bytes));
            return (layout, errors);
        }
    };
    let (packet, error) = Packet::dissect(medium, bytes);
    errors.extend(error);
    layout.read_link(&packet, error);
    layout.read_net(&packet, error);
    layout.payload.end = packet.layout.end;
    if carries_tcp(&packet) {
        errors.extend(layout.read_tcp(bytes).filter(|tcp| error != Some(*tcp)));
    }
    (layout, errors)
}

impl Layout {
    fn push(&mut self, layer: Layer, len: usize) {
        let start = self.payload.start;
        let end = (start + len).min(self.payload.end);
        self.headers.push((layer, start..end));
        self.payload.start = end;
    }

    /// Adds a header without options, or what there is of it.
    fn push_fixed(&mut self, layer: Layer) {
        if !self.payload.is_empty() {
            self.push(layer, layer.fixed_len(self.family));
        }
    }

    fn read_link(&mut self, packet: &Packet<'_>, error: Option<ParseError>) {
        let cut = |e: ParseError| matches!(e.layer, WireLayer::Ethernet | WireLayer::Vlan);
        if let Some(link) = packet.link {
            self.push_fixed(Layer::Ethernet);
            for (layer, _) in [Layer::Vlan, Layer::InnerVlan].into_iter().zip(link.tags()) {
                self.push_fixed(layer);
            }
        } else if error.is_some_and(cut) {
            self.push_fixed(Layer::Ethernet);
        }
    }

    fn read_net(&mut self, packet: &Packet<'_>, error: Option<ParseError>) {
        let cut = |e: ParseError| match e.layer {
            WireLayer::Ipv4 => Some(Family::V4),
            WireLayer::Ipv6 => Some(Family::V6),
            _ => None,
        };
        match packet.net {
            Net::Ipv4(ip) => {
                (self.family, self.missing) = (Family::V4, ip.missing());
                self.push(Layer::Ip, packet.layout.net().len());
            }
            Net::Ipv6(ip) => {
                (self.family, self.missing) = (Family::V6, ip.missing());
                self.push(Layer::Ip, packet.layout.net().len());
            }
            Net::Arp(_) => {}
            Net::None => {
                if let Some(family) = error.and_then(cut) {
                    self.family = family;
                    self.push_fixed(Layer::Ip);
                }
            }
        }
    }

    /// Reads TCP from the payload's start on; tells what is wrong with its header.
    fn read_tcp(&mut self, bytes: &[u8]) -> Option<ParseError> {
        let at = self.payload.start;
        match TcpView::parse(bytes.get(self.payload.clone()).unwrap_or_default()) {
            Ok(tcp) => {
                self.push(Layer::Tcp, tcp.header_len());
                None
            }
            Err(error) => {
                self.push_fixed(Layer::Tcp);
                Some(error.behind(at))
            }
        }
    }
}

fn carries_tcp(packet: &Packet<'_>) -> bool {
    let protocol = match (packet.net, packet.transport) {
        (_, Transport::Tcp(_)) => return true,
        (Net::Ipv4(ip), Transport::None) => ip.protocol(),
        (Net::Ipv6(ip), Transport::None) => match ip.upper() {
            Ok(upper) => upper.protocol,
            Err(_) => return false,
        },
        _ => return false,
    };
    protocol == protocol::TCP
}

#[cfg(test)]
#[path = "dissect_tests.rs"]
mod tests;
