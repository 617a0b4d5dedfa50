//! Whole packets, sent and received by hand on a link.
//!
//! On a link of Ethernet frames we have a hardware address of our own: whoever asks for our IP
//! addresses is answered here, and the hardware addresses of others are asked for. The kernel
//! knows none of our addresses, so that it never answers in our place.

pub(crate) mod host;
pub(crate) mod lab;
mod neighbours;

use std::collections::VecDeque;
use std::fs::File;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, UdpSocket};
use std::path::Path;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use handclasp::Cidr;
use handclasp::device::device::Device;
use handclasp::device::packet::PacketSocket;
use handclasp::device::record::Recorder;
use handclasp::device::tap::Tapped;
use handclasp::device::tun::Tun;
use handclasp::wire;
use handclasp::wire::ethernet::{EtherType, Ethernet, MacAddr};
use handclasp::wire::frame::{Inbound, Medium, Outbound};
use handclasp::wire::gso::split_inbound;
use handclasp::wire::packet::Packet;

use crate::error::Error;
use crate::lab::live::network::record;
use crate::link::LinkName;
use crate::watch::Sight;
use crate::watch::eye::{AskPeer, Eye, Near};

use neighbours::{Heard, Neighbours, Way};

/// Packets that wait to be received; what comes beyond them is let go.
const UNREAD: usize = 4096;

/// Packets that are taken from the link at once.
const BATCH: usize = 64;

/// How often a neighbour is asked for its hardware address, and how long each time
/// (RFC 4861 §10: three times a second).
const QUESTIONS: u32 = 3;
const PATIENCE: Duration = Duration::from_secs(1);

/// Who looks at the packets that pass.
#[derive(Clone, Copy, Default)]
pub(crate) struct Watchers<'a> {
    /// Who is told of each.
    pub(crate) sights: Option<&'a SyncSender<Sight>>,
    /// A pcapng file that they are written to.
    pub(crate) write: Option<&'a Path>,
}

/// A packet that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Came {
    /// When it was read from the link.
    pub(crate) at: Instant,
    /// All of it, with the link's header if there is one, and a finished checksum.
    pub(crate) bytes: Vec<u8>,
    /// Where in it IP starts.
    pub(crate) ip: usize,
}

impl Came {
    /// The packet from its IP header on.
    pub(crate) fn packet(&self) -> &[u8] {
        self.bytes.get(self.ip..).unwrap_or_default()
    }
}

/// A link that packets are put on by hand.
pub(crate) struct Raw {
    device: Box<dyn Device>,
    medium: Medium,
    neighbours: Neighbours,
    came: VecDeque<Came>,
    eye: Option<Eye>,
    /// When time begins.
    origin: Instant,
    recorder: Option<Recorder<File>>,
}

impl Raw {
    /// Attaches to a TUN interface or, with a packet socket, to an Ethernet one. This is in a
    /// tokio runtime.
    ///
    /// # Errors
    ///
    /// There is no such link, or it may not be used; `own` is an address of the kernel's.
    pub(crate) fn open(
        link: &LinkName,
        own: Option<Cidr>,
        gateway: Option<IpAddr>,
        watchers: Watchers<'_>,
    ) -> Result<Self, Error> {
        let own = own.ok_or_else(|| Error::NoAddress(link.clone()))?;
        if is_the_kernels(own.address()) {
            return Err(Error::KernelsAddress(own.address()));
        }
        let device: Box<dyn Device> = match link {
            LinkName::Tun(name) => Box::new(Tun::builder().name(name).open()?),
            LinkName::Packet(name) => Box::new(PacketSocket::builder(name).open()?),
            LinkName::Lab => return Err(Error::NoAddress(link.clone())),
        };
        let eye = |medium| watchers.sights.map(|sights| Eye::new(sights.clone(), medium));
        let eye = eye(device.capabilities().medium);
        Self::new(device, &[own], gateway, eye, watchers.write)
    }

    fn new(
        device: impl Device + 'static,
        own: &[Cidr],
        gateway: Option<IpAddr>,
        eye: Option<Eye>,
        write: Option<&Path>,
    ) -> Result<Self, Error> {
        let capabilities = device.capabilities();
        let medium = capabilities.medium;
        let recorder = write.map(|path| record(path, medium)).transpose()?;
        let origin = eye.as_ref().map_or_else(Instant::now, Eye::origin);
        let device = Box::new(Tapped::new(device, (eye.clone().map(Near), recorder.clone())));
        let neighbours = Neighbours::new(capabilities.hardware_address, own, gateway);
        let came = VecDeque::new();
        Ok(Self { device, medium, neighbours, came, eye, origin, recorder })
    }

    /// The present, in the time that watchers are told.
    pub(crate) fn now(&self) -> wire::time::Instant {
        self.since_start(Instant::now())
    }

    /// A moment in the time that watchers are told.
    pub(crate) fn since_start(&self, at: Instant) -> wire::time::Instant {
        wire::time::Instant::ZERO + at.saturating_duration_since(self.origin)
    }

    /// The moment that watchers are told so.
    pub(crate) fn at(&self, at: wire::time::Instant) -> Instant {
        self.origin + (at - wire::time::Instant::ZERO)
    }

    /// Shows watchers an IP packet as one that was sent and lost on the way. Nothing is sent.
    pub(crate) fn pretend_lost(&self, packet: &[u8], ask: Option<&mut dyn AskPeer>) {
        if let Some(eye) = &self.eye {
            eye.see_lost(packet, ask);
        }
    }

    /// Shows watchers an IP packet that the kernel of our own host slipped in.
    pub(crate) fn show_slip(&self, packet: &[u8]) {
        if let Some(eye) = &self.eye {
            eye.see_slip(packet);
        }
    }

    /// Sends an IP packet, byte by byte as it is, to whom its destination says.
    ///
    /// # Errors
    ///
    /// It has no IP header or is larger than the link's packets, nobody answers for its
    /// destination, or the link is gone.
    pub(crate) async fn send(&mut self, packet: &[u8]) -> Result<Instant, Error> {
        let mtu = self.device.capabilities().mtu;
        if packet.len() > mtu {
            return Err(Error::TooLarge { bytes: packet.len(), mtu });
        }
        let mut frame = Outbound::default();
        if self.medium == Medium::Ethernet {
            let header = self.header_for(packet).await?;
            header.emit(&mut frame.header);
        }
        frame.header.extend_from_slice(packet);
        Ok(self.transmit(frame).await?)
    }

    /// Sends a frame, its Ethernet header included, byte by byte as it is.
    ///
    /// # Errors
    ///
    /// The link carries no Ethernet frames, or is gone.
    pub(crate) async fn send_frame(&mut self, frame: &[u8]) -> Result<Instant, Error> {
        if self.medium != Medium::Ethernet {
            return Err(Error::NoFrames);
        }
        let mtu = self.device.capabilities().mtu;
        // A tag or two do not count.
        if frame.len() > mtu + Ethernet::HEADER_LEN + 8 {
            return Err(Error::TooLarge { bytes: frame.len(), mtu: mtu + Ethernet::HEADER_LEN });
        }
        let header = frame.into();
        Ok(self.transmit(Outbound { header, ..Outbound::default() }).await?)
    }

    /// The next IP packet for us, or nothing if none comes until then.
    ///
    /// # Errors
    ///
    /// The link is gone.
    pub(crate) async fn receive(&mut self, until: Instant) -> io::Result<Option<Came>> {
        while self.came.is_empty() {
            if !self.read(until).await? {
                return Ok(None);
            }
        }
        Ok(self.came.pop_front())
    }

    /// Ends the recording, if there is one.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(crate) fn finish(self) -> io::Result<()> {
        drop(self.device);
        self.recorder.map_or(Ok(0), Recorder::finish).map(drop)
    }

    async fn header_for(&mut self, packet: &[u8]) -> Result<Ethernet, Error> {
        let (_, dst) = Packet::dissect(Medium::Ip, packet).0.addresses().ok_or(Error::NoIp)?;
        let mac = self.hardware_address_of(dst).await?;
        Ok(self.header(mac, dst))
    }

    /// Our hardware address; all zeros where a link has none.
    pub(crate) fn hardware_address(&self) -> MacAddr {
        self.neighbours.hardware_address()
    }

    /// The hardware address of whoever takes packets to `dst`, who is asked for it.
    ///
    /// # Errors
    ///
    /// No way leads there, nobody answers, or the link carries no frames or is gone.
    pub(crate) async fn hardware_address_of(&mut self, dst: IpAddr) -> Result<MacAddr, Error> {
        if self.medium != Medium::Ethernet {
            return Err(Error::NoFrames);
        }
        let hop = match self.neighbours.way_to(dst) {
            Some(Way::Known(mac)) => return Ok(mac),
            Some(Way::Ask(hop)) => hop,
            None => return Err(Error::NoWay(dst)),
        };
        for _ in 0..QUESTIONS {
            if let Some(question) = self.neighbours.question(hop) {
                self.transmit(question).await?;
            }
            let until = Instant::now() + PATIENCE;
            loop {
                if let Some(Way::Known(mac)) = self.neighbours.way_to(dst) {
                    return Ok(mac);
                }
                if !self.read(until).await? {
                    break;
                }
            }
        }
        Err(Error::NoNeighbour(hop))
    }

    fn header(&self, mac: MacAddr, dst: IpAddr) -> Ethernet {
        let kind = if dst.is_ipv4() { EtherType::IPV4 } else { EtherType::IPV6 };
        Ethernet::new(mac, self.neighbours.hardware_address(), kind)
    }

    async fn transmit(&mut self, frame: Outbound) -> io::Result<Instant> {
        let mut batch = VecDeque::from([frame]);
        poll_fn(|cx| self.device.poll_transmit(cx, &mut batch)).await?;
        Ok(Instant::now())
    }

    /// Reads what the link has; false if it has nothing until then.
    async fn read(&mut self, until: Instant) -> io::Result<bool> {
        let mut batch = Vec::new();
        let device = &mut self.device;
        let receive = poll_fn(|cx| device.poll_receive(cx, &mut batch, BATCH));
        let Ok(read) = tokio::time::timeout_at(until.into(), receive).await else {
            return Ok(false);
        };
        if read? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the link is gone"));
        }
        let at = Instant::now();
        for packet in batch {
            self.take(&packet, at).await?;
        }
        Ok(true)
    }

    async fn take(&mut self, packet: &Inbound, at: Instant) -> io::Result<()> {
        for bytes in split_inbound(packet, self.medium) {
            match self.neighbours.hear(self.medium, &bytes) {
                Heard::Answer(answer) => drop(self.transmit(*answer).await?),
                Heard::Packet { ip } if self.came.len() < UNREAD => {
                    self.came.push_back(Came { at, bytes, ip });
                }
                Heard::Packet { .. } | Heard::Nothing => {}
            }
        }
        Ok(())
    }
}

/// Whether the kernel has this address itself, and would answer in our place.
pub(crate) fn is_the_kernels(address: IpAddr) -> bool {
    UdpSocket::bind((address, 0)).is_ok()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
