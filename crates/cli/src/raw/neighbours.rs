//! Who is where on a link of Ethernet frames: ARP (RFC 826) and neighbour discovery (RFC 4861)
//! as far as a host needs them that sends a few packets. Without I/O.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use handclasp::Cidr;
use handclasp::wire::arp::{Arp, Operation};
use handclasp::wire::ethernet::{EtherType, Ethernet, MacAddr};
use handclasp::wire::frame::{Medium, Outbound};
use handclasp::wire::icmpv6::Icmpv6View;
use handclasp::wire::ip::protocol;
use handclasp::wire::ipv6::Ipv6;
use handclasp::wire::ndp::{
    ALL_NODES, HOP_LIMIT, Ndp, NdpMessage, NdpOption, NdpView, NeighbourFlags, solicited_node,
};
use handclasp::wire::packet::{Net, Packet, Transport};

/// How many neighbours are remembered. A few are asked for; what others say unasked is not
/// remembered.
const KNOWN: usize = 256;

/// How a destination is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By this hardware address.
    Known(MacAddr),
    /// By this neighbour, whose hardware address is to be asked for.
    Ask(IpAddr),
}

/// What a frame was.
#[derive(Debug)]
pub(super) enum Heard {
    /// A question about us, and this answers it.
    Answer(Box<Outbound>),
    /// An IP packet, which starts there.
    Packet {
        ip: usize,
    },
    Nothing,
}

/// What is known of a link's hosts.
pub(super) struct Neighbours {
    hardware_address: Option<MacAddr>,
    own: Vec<Cidr>,
    /// Routers to everywhere, the preferred one first.
    routers: Vec<IpAddr>,
    /// Whether the kernel, whose addresses these are, answers for them itself.
    kernel_answers: bool,
    /// Those asked for, with the answer once it came.
    asked: HashMap<IpAddr, Option<MacAddr>>,
}

impl Neighbours {
    pub(super) fn new(
        hardware_address: Option<MacAddr>,
        own: &[Cidr],
        gateway: Option<IpAddr>,
    ) -> Self {
        Self {
            hardware_address,
            own: own.to_vec(),
            routers: gateway.into_iter().collect(),
            kernel_answers: false,
            asked: HashMap::new(),
        }
    }

    /// From now on our addresses are the kernel's, too, which answers for them itself; its
    /// routers are ours.
    pub(super) fn stand_beside_kernel(&mut self, routers: Vec<IpAddr>) {
        (self.routers, self.kernel_answers) = (routers, true);
    }

    /// Ours; all zeros where a link has none.
    pub(super) fn hardware_address(&self) -> MacAddr {
        self.hardware_address.unwrap_or_default()
    }

    /// The way to an address; `None` if none leads there.
    pub(super) fn way_to(&self, dst: IpAddr) -> Option<Way> {
        match dst {
            IpAddr::V4(group) if group.is_multicast() => {
                return Some(Way::Known(MacAddr::from_multicast_v4(group)));
            }
            IpAddr::V6(group) if group.is_multicast() => {
                return Some(Way::Known(MacAddr::from_multicast_v6(group)));
            }
            _ => {}
        }
        if dst == Ipv4Addr::BROADCAST || self.own.iter().any(|own| own.is_broadcast(dst)) {
            return Some(Way::Known(MacAddr::BROADCAST));
        }
        let on_link = self.own.iter().any(|own| own.contains(dst));
        let router = self.routers.iter().find(|router| router.is_ipv4() == dst.is_ipv4());
        let hop = if on_link { dst } else { *router? };
        Some(match self.asked.get(&hop) {
            Some(Some(mac)) => Way::Known(*mac),
            _ => Way::Ask(hop),
        })
    }

    /// The question for a neighbour's hardware address; `None` if we have no address to ask
    /// from.
    pub(super) fn question(&mut self, hop: IpAddr) -> Option<Outbound> {
        if self.asked.len() < KNOWN || self.asked.contains_key(&hop) {
            self.asked.entry(hop).or_default();
        }
        let near = |own: &&Cidr| own.address().is_ipv4() == hop.is_ipv4();
        let mut own = self.own.iter().filter(near);
        let source = own.clone().find(|own| own.contains(hop)).or_else(|| own.next())?.address();
        let mac = self.hardware_address?;
        match (source, hop) {
            (IpAddr::V4(source), IpAddr::V4(hop)) => {
                Some(arp(mac, MacAddr::BROADCAST, &Arp::request(mac, source, hop)))
            }
            (IpAddr::V6(source), IpAddr::V6(target)) => {
                let group = solicited_node(target);
                let message = Ndp {
                    message: NdpMessage::NeighbourSolicitation { target },
                    options: [NdpOption::SourceLinkAddress(mac)].into_iter().collect(),
                };
                Some(ndp((mac, source), (MacAddr::from_multicast_v6(group), group), &message))
            }
            _ => None,
        }
    }

    /// Takes in what came.
    pub(super) fn hear(&mut self, medium: Medium, bytes: &[u8]) -> Heard {
        let Ok(packet) = Packet::parse(medium, bytes) else {
            // What is broken behind its IP header is still somebody's packet.
            let ip = Packet::dissect(medium, bytes).0.layout.net();
            return if ip.is_empty() { Heard::Nothing } else { Heard::Packet { ip: ip.start } };
        };
        let from = packet.link.map(|link| link.src());
        match (packet.net, packet.transport) {
            (Net::Arp(message), _) => self.hear_arp(&message.to_repr()),
            (Net::Ipv6(ip), Transport::Icmpv6(message)) if ip.hop_limit() == HOP_LIMIT => {
                let body = bytes.get(packet.layout.transport().start..packet.layout.end);
                match (self.hear_ndp(ip.src(), ip.dst(), message, body.unwrap_or_default()), from) {
                    (Some(heard), Some(_)) => heard,
                    _ => Heard::Packet { ip: packet.layout.net().start },
                }
            }
            (Net::Ipv4(_) | Net::Ipv6(_), _) => Heard::Packet { ip: packet.layout.net().start },
            (Net::None, _) => Heard::Nothing,
        }
    }

    fn is_own(&self, address: IpAddr) -> bool {
        self.own.iter().any(|own| own.address() == address)
    }

    fn learn(&mut self, address: IpAddr, mac: MacAddr) {
        if let Some(asked) = self.asked.get_mut(&address)
            && mac.is_unicast()
        {
            *asked = Some(mac);
        }
    }

    fn hear_arp(&mut self, message: &Arp) -> Heard {
        self.learn(message.sender_ip.into(), message.sender_mac);
        let ours = self.is_own(message.target_ip.into());
        match self.hardware_address {
            Some(mac)
                if ours && !self.kernel_answers && message.operation == Operation::REQUEST =>
            {
                Heard::Answer(Box::new(arp(mac, message.sender_mac, &message.reply(mac))))
            }
            _ => Heard::Nothing,
        }
    }

    /// `None` if it is no neighbour discovery.
    fn hear_ndp(
        &mut self,
        src: Ipv6Addr,
        dst: Ipv6Addr,
        message: Icmpv6View<'_>,
        body: &[u8],
    ) -> Option<Heard> {
        let ndp = NdpView::parse(body).ok()?.to_repr().ok()?;
        if !message.checksum_ok(src, dst) {
            return Some(Heard::Nothing);
        }
        match ndp.message {
            NdpMessage::NeighbourSolicitation { target }
                if !self.kernel_answers && self.is_own(target.into()) =>
            {
                let mac = self.hardware_address?;
                let unknown = src.is_unspecified();
                let to = ndp.link_address().unwrap_or(MacAddr::from_multicast_v6(ALL_NODES));
                let to = if unknown {
                    (MacAddr::from_multicast_v6(ALL_NODES), ALL_NODES)
                } else {
                    self.learn(src.into(), to);
                    (to, src)
                };
                Some(Heard::Answer(Box::new(advertisement(mac, target, to, !unknown))))
            }
            NdpMessage::NeighbourAdvertisement { target, .. } => {
                if let Some(mac) = ndp.link_address() {
                    self.learn(target.into(), mac);
                }
                Some(Heard::Nothing)
            }
            _ => Some(Heard::Nothing),
        }
    }
}

fn arp(own: MacAddr, to: MacAddr, message: &Arp) -> Outbound {
    let mut frame = Outbound::default();
    Ethernet::new(to, own, EtherType::ARP).emit(&mut frame.header);
    message.emit(&mut frame.header);
    frame
}

fn advertisement(
    mac: MacAddr,
    target: Ipv6Addr,
    to: (MacAddr, Ipv6Addr),
    solicited: bool,
) -> Outbound {
    let mut flags = NeighbourFlags::OVERRIDE;
    flags.set(NeighbourFlags::SOLICITED, solicited);
    let message = Ndp {
        message: NdpMessage::NeighbourAdvertisement { flags, target },
        options: [NdpOption::TargetLinkAddress(mac)].into_iter().collect(),
    };
    ndp((mac, target), to, &message)
}

fn ndp(from: (MacAddr, Ipv6Addr), to: (MacAddr, Ipv6Addr), message: &Ndp<'_>) -> Outbound {
    let mut body = Outbound::default();
    message.emit(from.1, to.1, &mut body.header);
    let ip = Ipv6 { hop_limit: HOP_LIMIT, ..Ipv6::new(from.1, to.1, protocol::ICMPV6) };
    let mut frame = Outbound::default();
    Ethernet::new(to.0, from.0, EtherType::IPV6).emit(&mut frame.header);
    ip.emit(body.header.len(), &mut frame.header);
    frame.header.extend_from_slice(&body.header);
    frame
}
