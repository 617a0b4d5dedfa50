//! The host's own address, used by hand beside its kernel: the kernel's resets of these
//! connections are held back where that can be had, and whatever else it sends for them is
//! noticed.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use handclasp::Cidr;
use handclasp::device::capture::Capture;
use handclasp::device::device::Device;
use handclasp::device::guard::Guard;
use handclasp::device::host::addresses;
use handclasp::device::packet::PacketSocket;
use handclasp::device::tap::Direction;
use handclasp::wire::frame::Medium;
use handclasp::wire::gso::split_inbound;
use handclasp::wire::packet::{Packet, Transport};
use handclasp_explain::catalogue::{ByHand, Message};

use super::{Raw, Watchers};
use crate::error::Error;
use crate::language::say;
use crate::link::LinkName;
use crate::watch::eye::Eye;

/// Packets of ours that are known again when they are seen to leave.
const REMEMBERED: usize = 1024;

/// How long packets take to be read that were captured already.
pub(crate) const SETTLING: Duration = Duration::from_millis(5);

/// Local and remote end.
type Ends = (SocketAddr, SocketAddr);

/// What the kernel does about connections that are made by hand with its address.
pub(crate) struct Kernel {
    guard: Result<Guard, io::Error>,
    capture: Capture,
    ours: HashSet<Ends>,
    sent: VecDeque<Vec<u8>>,
    slipped: VecDeque<Vec<u8>>,
}

impl Raw {
    /// Attaches to an Ethernet interface as its kernel is there: with its hardware address and
    /// its IP addresses, which are handed out, too, those for the whole network first.
    ///
    /// # Errors
    ///
    /// There is no such interface, or it may not be used, or the kernel has no address there.
    pub(crate) fn open_as_host(
        name: &str,
        gateway: Option<IpAddr>,
        watchers: Watchers<'_>,
    ) -> Result<(Self, Kernel, Vec<IpAddr>), Error> {
        let host = addresses(name)?;
        let mut own: Vec<Cidr> =
            host.ips.iter().filter_map(|(ip, bits)| Cidr::new(*ip, *bits)).collect();
        own.sort_by_key(
            |own| matches!(own.address(), IpAddr::V6(ip) if ip.is_unicast_link_local()),
        );
        let mut builder = PacketSocket::builder(name);
        if let Some(mac) = host.hardware {
            builder = builder.hardware_address(mac);
        }
        let device = builder.open()?;
        if own.is_empty() {
            return Err(Error::NoAddress(LinkName::Packet(name.into())));
        }
        let kernel = Kernel::new(name)?;
        let medium = device.capabilities().medium;
        let eye = watchers.sights.map(|sights| Eye::new(sights.clone(), medium));
        let mut raw = Self::new(device, &own, None, eye, watchers.write)?;
        raw.neighbours.stand_beside_kernel(gateway.into_iter().chain(host.routers).collect());
        let own = own.iter().map(|own| own.address()).collect();
        Ok((raw, kernel, own))
    }
}

impl Kernel {
    fn new(interface: &str) -> Result<Self, Error> {
        Ok(Self {
            guard: Guard::open(),
            capture: Capture::open(interface)?,
            ours: HashSet::new(),
            sent: VecDeque::new(),
            slipped: VecDeque::new(),
        })
    }

    /// What is to be said before anything is sent: whether its resets are held back.
    pub(crate) fn announce(&self) -> String {
        match &self.guard {
            Ok(_) => say(&Message::ByHand(ByHand::Guarded)),
            Err(error) => {
                let why = error.to_string();
                say(&Message::ByHand(ByHand::Unguarded(&why)))
            }
        }
    }

    /// Is told of a packet, from its IP header on, that is about to be sent.
    ///
    /// # Errors
    ///
    /// The kernel's resets of this connection cannot be held back, although others' can.
    pub(crate) fn sending(&mut self, packet: &[u8]) -> io::Result<()> {
        if self.sent.len() >= REMEMBERED {
            self.sent.pop_front();
        }
        self.sent.push_back(packet.to_vec());
        let Some((local, remote)) = ends(packet) else { return Ok(()) };
        if self.ours.insert((local, remote))
            && let Ok(guard) = &mut self.guard
        {
            guard.cover(local, remote)?;
        }
        Ok(())
    }

    /// The next packet, from its IP header on, that the kernel slips in.
    ///
    /// Cancel safe: a dropped call has not taken a packet.
    ///
    /// # Errors
    ///
    /// The interface is gone.
    pub(crate) async fn slips_in(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(slip) = self.slipped.pop_front() {
                return Ok(slip);
            }
            let captured = self.capture.next().await?;
            if captured.direction == Direction::Out {
                let medium = self.capture.medium();
                for bytes in split_inbound(&captured.packet, medium) {
                    let ip = Packet::dissect(medium, &bytes).0.layout.net().start;
                    self.look_at(bytes.get(ip..).unwrap_or_default());
                }
            }
        }
    }

    fn look_at(&mut self, packet: &[u8]) {
        let concerned = ends(packet).is_some_and(|ends| self.ours.contains(&ends));
        if concerned && !self.sent.iter().any(|sent| sent == packet) {
            self.slipped.push_back(packet.to_vec());
        }
    }

    /// What it slipped in that was captured already, but not read.
    ///
    /// # Errors
    ///
    /// The interface is gone.
    pub(crate) async fn last_slip(&mut self) -> io::Result<Option<Vec<u8>>> {
        tokio::time::timeout(SETTLING, self.slips_in()).await.ok().transpose()
    }

    /// What is to be said in the end: how many resets were held back, if any.
    ///
    /// # Errors
    ///
    /// The kernel does not tell.
    pub(crate) fn account(&mut self) -> io::Result<Option<String>> {
        let Ok(guard) = &mut self.guard else { return Ok(None) };
        let count = guard.held_back()?;
        Ok((count > 0).then(|| say(&Message::ByHand(ByHand::HeldBack(count)))))
    }
}

/// The address, of those that are the host's, that it would use towards this one.
pub(crate) fn towards(own: &[IpAddr], peer: IpAddr) -> Option<IpAddr> {
    let local = |ip: &IpAddr| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
    let mut of_family = own.iter().filter(|own| own.is_ipv4() == peer.is_ipv4());
    let near = of_family.clone().find(|own| local(own) == local(&peer));
    near.or_else(|| of_family.next()).copied()
}

/// Both ends of a TCP packet, the sender's first.
fn ends(packet: &[u8]) -> Option<Ends> {
    let (packet, _) = Packet::dissect(Medium::Ip, packet);
    let Transport::Tcp(tcp) = packet.transport else { return None };
    let (src, dst) = packet.addresses()?;
    Some((SocketAddr::new(src, tcp.src_port()), SocketAddr::new(dst, tcp.dst_port())))
}
