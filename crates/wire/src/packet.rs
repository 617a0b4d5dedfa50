//! A whole packet cut into its layers, without copying anything.

use core::net::IpAddr;
use core::ops::Range;

use crate::arp::{Arp, ArpView};
use crate::error::ParseError;
use crate::ethernet::{EtherType, EthernetView};
use crate::frame::Medium;
use crate::icmp::Message;
use crate::icmpv4::Icmpv4View;
use crate::icmpv6::Icmpv6View;
use crate::ip::{self, protocol};
use crate::ipv4::Ipv4View;
use crate::ipv6::{Ipv6, Ipv6View};
use crate::tcp::view::TcpView;
use crate::udp::{Udp, UdpView};

/// What stands behind the link header, or first.
#[derive(Clone, Copy, Debug)]
pub enum Net<'a> {
    /// IPv4.
    Ipv4(Ipv4View<'a>),
    /// IPv6.
    Ipv6(Ipv6View<'a>),
    /// ARP.
    Arp(ArpView<'a>),
    /// Another protocol, or one that could not be read.
    None,
}

/// What IP carries.
#[derive(Clone, Copy, Debug)]
pub enum Transport<'a> {
    /// TCP.
    Tcp(TcpView<'a>),
    /// UDP.
    Udp(UdpView<'a>),
    /// ICMP over IPv4.
    Icmpv4(Icmpv4View<'a>),
    /// ICMP over IPv6.
    Icmpv6(Icmpv6View<'a>),
    /// One of several fragments, to be put together before anything is read from it.
    Fragment {
        /// The whole packet's protocol.
        protocol: u8,
    },
    /// Another protocol.
    Other {
        /// Its number.
        protocol: u8,
    },
    /// There is none, or it could not be read.
    None,
}

/// Where each layer starts, in bytes from the packet's first one, in ascending order. A layer
/// that is not there has no bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Layout {
    /// The IP or ARP header.
    pub net: usize,
    /// The header behind IP's, extension headers included in IP's.
    pub transport: usize,
    /// What no layer read.
    pub payload: usize,
    /// Where the payload ends; from here on there is the link's padding only.
    pub end: usize,
}

impl Layout {
    /// The Ethernet header with its tags.
    #[must_use]
    pub const fn link(&self) -> Range<usize> {
        0..self.net
    }

    /// The network header, with options or extension headers.
    #[must_use]
    pub const fn net(&self) -> Range<usize> {
        self.net..self.transport
    }

    /// The transport header, with options.
    #[must_use]
    pub const fn transport(&self) -> Range<usize> {
        self.transport..self.payload
    }

    /// The payload.
    #[must_use]
    pub const fn payload(&self) -> Range<usize> {
        self.payload..self.end
    }
}

/// A packet's layers, each a view of its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// The Ethernet header, if the medium has one.
    pub link: Option<EthernetView<'a>>,
    /// What stands behind it.
    pub net: Net<'a>,
    /// What IP carries.
    pub transport: Transport<'a>,
    /// Where the layers are.
    pub layout: Layout,
}

impl<'a> Packet<'a> {
    /// Reads a packet that starts as `medium` says.
    ///
    /// A protocol that is not known is no error: its bytes are payload.
    ///
    /// # Errors
    /// If a header is cut short or impossible, or a length exceeds the bytes.
    pub fn parse(medium: Medium, bytes: &'a [u8]) -> Result<Self, ParseError> {
        match Self::dissect(medium, bytes) {
            (packet, None) => Ok(packet),
            (_, Some(error)) => Err(error),
        }
    }

    /// [`Packet::parse`] for an Ethernet frame.
    ///
    /// # Errors
    /// As there.
    pub fn parse_ethernet(bytes: &'a [u8]) -> Result<Self, ParseError> {
        Self::parse(Medium::Ethernet, bytes)
    }

    /// [`Packet::parse`] for an IP packet.
    ///
    /// # Errors
    /// As there.
    pub fn parse_ip(bytes: &'a [u8]) -> Result<Self, ParseError> {
        Self::parse(Medium::Ip, bytes)
    }

    /// Reads as far as it goes: the layers in front of an error are kept, and what lies behind
    /// them is payload.
    ///
    /// A packet that is only cut short, as captures with a snap length keep it, is read to its
    /// last layer; the error then tells that bytes are missing. Of several errors the
    /// outermost layer's is told, which mostly is the cause of the others.
    #[must_use]
    pub fn dissect(medium: Medium, bytes: &'a [u8]) -> (Self, Option<ParseError>) {
        let layout = Layout { end: bytes.len(), ..Layout::default() };
        let (link, net, transport) = (None, Net::None, Transport::None);
        let mut packet = Self { link, net, transport, layout };
        let error = packet.read(medium, bytes).err();
        (packet, error)
    }

    /// Both ends' addresses, if it is an IP packet.
    #[must_use]
    pub fn addresses(&self) -> Option<(IpAddr, IpAddr)> {
        match self.net {
            Net::Ipv4(ip) => Some((IpAddr::V4(ip.src()), IpAddr::V4(ip.dst()))),
            Net::Ipv6(ip) => Some((IpAddr::V6(ip.src()), IpAddr::V6(ip.dst()))),
            Net::Arp(_) | Net::None => None,
        }
    }

    /// Whether the transport's checksum fits; `None` where there is none that could be
    /// verified, because it is another protocol, a fragment or bytes are missing.
    ///
    /// For IPv6 with a routing header the sum covers the last of its addresses (RFC 8200
    /// §8.1), which is the destination only on the packet's last hop: where this host is.
    #[must_use]
    pub fn checksum_ok(&self) -> Option<bool> {
        match self.net {
            Net::Ipv4(ip) => ip.whole().ok().map(drop)?,
            Net::Ipv6(ip) => ip.whole().ok().map(drop)?,
            Net::Arp(_) | Net::None => return None,
        }
        let (src, dst) = self.addresses()?;
        match self.transport {
            Transport::Tcp(tcp) => tcp.whole().ok().map(|tcp| tcp.checksum_ok(src, dst)),
            Transport::Udp(udp) => udp.whole().ok().map(|udp| udp.checksum_ok(src, dst)),
            Transport::Icmpv4(icmp) => Some(icmp.checksum_ok()),
            Transport::Icmpv6(icmp) => match (src, dst) {
                (IpAddr::V6(src), IpAddr::V6(dst)) => Some(icmp.checksum_ok(src, dst)),
                _ => None,
            },
            Transport::Fragment { .. } | Transport::Other { .. } | Transport::None => None,
        }
    }

    fn read(&mut self, medium: Medium, bytes: &'a [u8]) -> Result<(), ParseError> {
        match medium {
            Medium::Ethernet => self.read_ethernet(bytes),
            Medium::Ip => match ip::version(bytes) {
                Some(4) => self.read_ipv4(bytes),
                Some(6) => self.read_ipv6(bytes),
                version => Err(ip::version_error(version)),
            },
        }
    }

    fn read_ethernet(&mut self, bytes: &'a [u8]) -> Result<(), ParseError> {
        let frame = EthernetView::parse(bytes)?;
        self.link = Some(frame);
        let net = frame.header_len();
        self.layout = Layout { net, transport: net, payload: net, ..self.layout };
        let read = match frame.ethertype() {
            EtherType::IPV4 => self.read_ipv4(frame.payload()),
            EtherType::IPV6 => self.read_ipv6(frame.payload()),
            EtherType::ARP => self.read_arp(frame.payload()),
            _ => Ok(()),
        };
        read.map_err(|error| error.behind(net))
    }

    fn read_arp(&mut self, bytes: &'a [u8]) -> Result<(), ParseError> {
        self.net = Net::Arp(ArpView::parse(bytes)?);
        self.net_ends(Arp::LEN, 0);
        Ok(())
    }

    fn read_ipv4(&mut self, bytes: &'a [u8]) -> Result<(), ParseError> {
        let ip = Ipv4View::parse_truncated(bytes)?;
        self.net = Net::Ipv4(ip);
        self.net_ends(ip.header_len(), ip.payload().len());
        let behind = self.read_transport(ip.protocol(), ip.payload(), ip.is_fragment());
        ip.whole().and(behind.map_err(|error| error.behind(ip.header_len())))
    }

    fn read_ipv6(&mut self, bytes: &'a [u8]) -> Result<(), ParseError> {
        let ip = Ipv6View::parse_truncated(bytes)?;
        self.net = Net::Ipv6(ip);
        self.net_ends(Ipv6::HEADER_LEN, ip.payload().len());
        let behind = ip.upper().and_then(|upper| {
            self.net_ends(upper.offset, upper.payload.len());
            // A fragment that is alone is a whole packet (RFC 6946).
            let fragment = upper.fragment.is_some_and(|f| f.more || f.offset > 0);
            self.read_transport(upper.protocol, upper.payload, fragment)
                .map_err(|error| error.behind(upper.offset))
        });
        ip.whole().and(behind)
    }

    /// Notes a network header of `header` bytes and `behind` bytes that belong to its packet.
    fn net_ends(&mut self, header: usize, behind: usize) {
        let at = self.layout.net + header;
        self.layout = Layout { transport: at, payload: at, end: at + behind, ..self.layout };
    }

    fn read_transport(
        &mut self,
        protocol: u8,
        bytes: &'a [u8],
        fragment: bool,
    ) -> Result<(), ParseError> {
        let at = self.layout.transport;
        let mut whole = Ok(());
        let (transport, header) = match protocol {
            _ if fragment => (Transport::Fragment { protocol }, 0),
            protocol::TCP => {
                let tcp = TcpView::parse_truncated(bytes)?;
                whole = tcp.whole().map(drop);
                (Transport::Tcp(tcp), tcp.header_len())
            }
            protocol::UDP => {
                let udp = UdpView::parse_truncated(bytes)?;
                self.layout.end = at + Udp::HEADER_LEN + udp.payload().len();
                whole = udp.whole().map(drop);
                (Transport::Udp(udp), Udp::HEADER_LEN)
            }
            protocol::ICMPV4 if matches!(self.net, Net::Ipv4(_)) => {
                (Transport::Icmpv4(Icmpv4View::parse(bytes)?), Message::HEADER_LEN)
            }
            protocol::ICMPV6 if matches!(self.net, Net::Ipv6(_)) => {
                (Transport::Icmpv6(Icmpv6View::parse(bytes)?), Message::HEADER_LEN)
            }
            _ => (Transport::Other { protocol }, 0),
        };
        self.transport = transport;
        self.layout.payload = at + header;
        whole
    }
}

#[cfg(test)]
#[path = "packet_tests.rs"]
mod tests;
