//! A host made by hand: just enough to talk to the kernel, one packet at a time.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::TcpStream;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use handclasp_device::device::Device;
use handclasp_device::packet::PacketSocket;
use handclasp_device::tun::Tun;
use handclasp_lab::lab::{
    Lab, LabConfig, OUR_HARDWARE_ADDRESS, OUR_INTERFACE, OUR_IPV4, PEER_HARDWARE_ADDRESS,
    PEER_INTERFACE, PEER_IPV4,
};
use handclasp_wire::arp::{Arp, Operation};
use handclasp_wire::checksum::pseudo_header;
use handclasp_wire::ethernet::{EtherType, Ethernet, MacAddr};
use handclasp_wire::frame::{Inbound, Medium, Outbound, PartialChecksum};
use handclasp_wire::ip::protocol;
use handclasp_wire::ipv4::Ipv4;
use handclasp_wire::packet::{Net, Packet, Transport};
use handclasp_wire::tcp::header::{Flags, Header};
use smallvec::SmallVec;

pub(crate) const OUR_MAC: MacAddr = MacAddr(OUR_HARDWARE_ADDRESS);
pub(crate) const PEER_MAC: MacAddr = MacAddr(PEER_HARDWARE_ADDRESS);

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Runs a test that waits.
pub(crate) fn block_on(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(test);
}

/// A lab with a veth pair, and a packet socket of ours on it.
pub(crate) fn veth() -> (Lab, Host<PacketSocket>) {
    let lab = Lab::veth(&LabConfig::default()).expect("a lab");
    let socket = PacketSocket::builder(OUR_INTERFACE).hardware_address(OUR_MAC).open();
    (lab, Host::new(socket.expect("a packet socket")))
}

/// A lab with a TUN interface, which is ours.
pub(crate) fn tun() -> (Lab, Host<Tun>) {
    let lab = Lab::tun(&LabConfig::default()).expect("a lab");
    let open = || Tun::builder().name(PEER_INTERFACE).open();
    let tun = inside(&lab, open).expect("a TUN interface");
    lab.configure_tun().expect("configured");
    (lab, Host::new(tun))
}

/// Runs `open` in the kernel's namespace, with this thread's runtime.
pub(crate) fn inside<T: Send>(lab: &Lab, open: impl FnOnce() -> T + Send) -> T {
    let runtime = tokio::runtime::Handle::current();
    let entered = lab.peer().run(|| {
        let _guard = runtime.enter();
        open()
    });
    entered.expect("entered")
}

/// A device, and what is needed to fill in headers.
pub(crate) struct Host<D> {
    pub(crate) device: D,
    medium: Medium,
}

impl<D: Device> Host<D> {
    pub(crate) fn new(device: D) -> Self {
        let medium = device.capabilities().medium;
        Self { device, medium }
    }

    pub(crate) async fn send(&mut self, packet: Outbound) -> io::Result<()> {
        let mut batch = VecDeque::from([packet]);
        let sent = poll_fn(|cx| self.device.poll_transmit(cx, &mut batch));
        tokio::time::timeout(PATIENCE, sent).await.expect("sent in time")
    }

    pub(crate) async fn receive(&mut self) -> io::Result<Inbound> {
        let mut batch = Vec::new();
        let received = poll_fn(|cx| self.device.poll_receive(cx, &mut batch, 1));
        let count = tokio::time::timeout(PATIENCE, received).await.expect("received in time")?;
        assert_eq!(count, 1, "the end of the link");
        Ok(batch.remove(0))
    }

    /// The first of the packets to come that `look` finds something in. Who asks for our
    /// hardware address meanwhile gets it.
    pub(crate) async fn find<T>(
        &mut self,
        mut look: impl FnMut(&Packet<'_>, &Inbound) -> Option<T>,
    ) -> T {
        loop {
            let inbound = self.receive().await.expect("a packet");
            let Ok(packet) = Packet::parse(self.medium, &inbound.data) else { continue };
            if let Some(found) = look(&packet, &inbound) {
                return found;
            }
            if let Net::Arp(arp) = packet.net
                && arp.operation() == Operation::REQUEST
                && arp.target_ip() == OUR_IPV4
            {
                let reply = arp.to_repr().reply(OUR_MAC);
                self.send(frame(&reply, arp.sender_mac())).await.expect("sent");
            }
        }
    }

    /// The link and IPv4 headers of a packet to the kernel.
    pub(crate) fn headers(&self, protocol: u8, payload: usize) -> SmallVec<[u8; 128]> {
        let mut header = SmallVec::new();
        if self.medium == Medium::Ethernet {
            Ethernet::new(PEER_MAC, OUR_MAC, EtherType::IPV4).emit(&mut header);
        }
        let ip = Ipv4 { dont_fragment: true, ..Ipv4::new(OUR_IPV4, PEER_IPV4, protocol) };
        ip.emit(payload, &mut header);
        header
    }

    /// A TCP segment to the kernel, its checksum left to the device.
    pub(crate) fn segment(&self, tcp: &Header, payload: &[Bytes]) -> Outbound {
        let len = tcp.emitted_len() + payload.iter().map(Bytes::len).sum::<usize>();
        let mut header = self.headers(protocol::TCP, len);
        let start = header.len() as u16;
        let (src, dst) = (OUR_IPV4.into(), PEER_IPV4.into());
        let seed = pseudo_header(src, dst, protocol::TCP, len as u32).partial();
        tcp.emit_with_checksum(seed, &mut header);
        let checksum = Some(PartialChecksum { start, offset: 16 });
        Outbound {
            header,
            payload: payload.iter().cloned().collect(),
            checksum,
            segment_size: None,
        }
    }

    /// The TCP header of the next segment that the kernel sends us.
    pub(crate) async fn find_segment(&mut self) -> (Header, Inbound) {
        self.find(|packet, inbound| match packet.transport {
            Transport::Tcp(tcp) => Some((tcp.to_header(), inbound.clone())),
            _ => None,
        })
        .await
    }

    /// Accepts a connection of the kernel's to our port 80. Returns the kernel's end, and the
    /// header that our next segment has.
    pub(crate) async fn accept(&mut self, lab: &Lab) -> (TcpStream, Header) {
        let connecting: JoinHandle<_> =
            lab.peer().spawn(|| TcpStream::connect((OUR_IPV4, 80))).expect("a thread");
        let (syn, _) = self.find_segment().await;
        assert_eq!(syn.flags & (Flags::SYN | Flags::ACK), Flags::SYN);
        let mut ours = Header {
            src_port: 80,
            dst_port: syn.src_port,
            ack: syn.seq + 1,
            flags: Flags::SYN | Flags::ACK,
            window: 65_535,
            ..Header::default()
        };
        ours.options.mss = Some(1460);
        self.send(self.segment(&ours, &[])).await.expect("sent");
        let (ack, _) = self.find_segment().await;
        assert_eq!((ack.flags, ack.ack), (Flags::ACK, ours.seq + 1));
        let stream = connecting.join().expect("a thread").expect("entered").expect("connected");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let ours =
            Header { seq: ours.seq + 1, flags: Flags::ACK, options: Default::default(), ..ours };
        (stream, ours)
    }
}

/// An ARP packet in its frame.
pub(crate) fn frame(arp: &Arp, to: MacAddr) -> Outbound {
    let mut header = SmallVec::new();
    Ethernet::new(to, OUR_MAC, EtherType::ARP).emit(&mut header);
    arp.emit(&mut header);
    Outbound { header, ..Outbound::default() }
}
