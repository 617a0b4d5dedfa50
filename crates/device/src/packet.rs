//! Packet sockets: a host of our own on an Ethernet interface of the kernel's.
//!
//! The stack on it has its own hardware address and its own IP addresses, and answers ARP and
//! neighbour discovery itself. The kernel, which owns none of them, never sees a connection of
//! ours and never resets one. With `PACKET_VNET_HDR` a veth pair hands over large TCP segments
//! with unfinished checksums and takes them, as a TUN interface does.
//!
//! The kernel of the same machine cannot be reached through its own physical interface this
//! way: what it sends leaves by the wire. A veth pair or a bridge is the way to it.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll};

use handclasp_wire::ethernet::MacAddr;
use handclasp_wire::frame::{Inbound, Medium, Outbound};
use libc::sock_filter;
use rustix::net::sockopt;

use crate::device::{Capabilities, Device};
use crate::framed::Framed;
use crate::interface::{Interface, explained, open_packet_socket};
use crate::sys;

/// Bytes of packets that wait to be read, as the kernel counts them, if it lets us: a window's
/// worth on a fast path. What does not fit is lost, and TCP has to send it again.
const RECEIVE_BUFFER: usize = 8 << 20;

/// Bytes of packets that wait to be sent. The kernel's default holds three of 64 KB.
const SEND_BUFFER: usize = 4 << 20;

/// How to open a packet socket.
#[derive(Clone, Debug)]
pub struct PacketSocketBuilder {
    interface: String,
    hardware_address: Option<MacAddr>,
    vnet_header: bool,
}

impl PacketSocketBuilder {
    /// The stack's own address on the link; by default a random one from the range that is
    /// administered locally. It must not be the interface's.
    #[must_use]
    pub fn hardware_address(mut self, address: MacAddr) -> Self {
        self.hardware_address = Some(address);
        self
    }

    /// Whether packets carry the virtio-net header, and with it unfinished checksums and large
    /// segments. On by default.
    ///
    /// Without it, what another kernel socket on the same machine left unfinished arrives like
    /// that, and looks corrupt: the other end of a veth pair must finish its packets
    /// (`ethtool -K NAME tx off`).
    #[must_use]
    pub fn vnet_header(mut self, on: bool) -> Self {
        self.vnet_header = on;
        self
    }

    /// Opens the socket in the network namespace of the calling thread.
    ///
    /// # Errors
    ///
    /// `PermissionDenied` without `CAP_NET_RAW`, `NotFound` if there is no such interface,
    /// `Unsupported` if it carries neither Ethernet frames nor bare IP packets.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with its I/O driver enabled.
    pub fn open(self) -> io::Result<PacketSocket> {
        let interface = Interface::by_name(&self.interface)?;
        let socket = open_packet_socket()?;
        if self.vnet_header {
            sys::packet_option(&socket, libc::PACKET_VNET_HDR)?;
        }
        sys::packet_option(&socket, libc::PACKET_IGNORE_OUTGOING)?;
        size_buffers(&socket)?;
        let mut hardware_address = None;
        if interface.medium() == Medium::Ethernet {
            let address = self.hardware_address.map_or_else(random_address, Ok)?;
            join(&socket, interface.index(), address)?;
            hardware_address = Some(address);
        }
        sys::bind_packet(&socket, interface.index())
            .map_err(|e| explained(e, format_args!("cannot bind to {}", self.interface)))?;
        let framed = Framed::new(socket, interface.medium(), self.vnet_header)?;
        Ok(PacketSocket { framed, interface, hardware_address, vnet_header: self.vnet_header })
    }
}

/// A packet socket on one interface.
#[derive(Debug)]
pub struct PacketSocket {
    framed: Framed,
    interface: Interface,
    hardware_address: Option<MacAddr>,
    vnet_header: bool,
}

impl PacketSocket {
    /// How to open a socket on the interface of this name.
    #[must_use]
    pub fn builder(interface: impl Into<String>) -> PacketSocketBuilder {
        PacketSocketBuilder {
            interface: interface.into(),
            hardware_address: None,
            vnet_header: true,
        }
    }

    /// Packets that the kernel let go since the last call because they were not read in time.
    ///
    /// # Errors
    ///
    /// The kernel does not count them.
    pub fn overruns(&self) -> io::Result<u32> {
        sys::packet_drops(self.framed.fd())
    }

    /// Packets that could not be sent because they were larger than the MTU had become, or that
    /// arrived in a form that was not asked for.
    #[must_use]
    pub fn discarded(&self) -> u64 {
        self.framed.discarded()
    }
}

impl Device for PacketSocket {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            hardware_address: self.hardware_address,
            tx_checksum: self.vnet_header,
            tso_v4: self.vnet_header,
            tso_v6: self.vnet_header,
            rx_coalesced: self.vnet_header,
            ..Capabilities::new(self.interface.medium(), self.interface.mtu())
        }
    }

    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Vec<Inbound>,
        max: usize,
    ) -> Poll<io::Result<usize>> {
        self.interface.poll_changes(cx)?;
        self.framed.poll_receive(cx, batch, max)
    }

    fn poll_transmit(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut VecDeque<Outbound>,
    ) -> Poll<io::Result<()>> {
        self.framed.poll_transmit(cx, batch)
    }
}

/// Has the interface accept what is sent to `address` or to a group, and the socket only that.
///
/// The interface adds the address to those it listens for; it goes promiscuous only where it
/// has no room for another. Neighbour discovery needs the groups.
fn join(socket: &OwnedFd, index: u32, address: MacAddr) -> io::Result<()> {
    if address.is_multicast() {
        let text = format!("{address} is a group's address, not a host's");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    sys::packet_membership(socket, index, libc::PACKET_MR_UNICAST, address.0)?;
    sys::packet_membership(socket, index, libc::PACKET_MR_ALLMULTI, [0; 6])?;
    sys::attach_filter(socket, &mut filter(address))
}

/// A classic BPF program: frames to `address` or to a group, without a VLAN tag.
///
/// The kernel takes the tag out of a frame before a packet socket sees it, so that a frame of
/// another network would look like one of ours.
fn filter(address: MacAddr) -> [sock_filter; 10] {
    const LOAD_WORD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    const LOAD_HALF: u32 = libc::BPF_LD | libc::BPF_H | libc::BPF_ABS;
    const LOAD_BYTE: u32 = libc::BPF_LD | libc::BPF_B | libc::BPF_ABS;
    const IF_EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    const IF_BITS: u32 = libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K;
    const RETURN: u32 = libc::BPF_RET | libc::BPF_K;
    const VLAN_TAG_PRESENT: u32 =
        (libc::SKF_AD_OFF + libc::SKF_AD_VLAN_TAG_PRESENT).cast_unsigned();
    let [a, b, c, d, e, f] = address.0;
    let high = u32::from_be_bytes([a, b, c, d]);
    let low = u32::from(u16::from_be_bytes([e, f]));
    let step = |code: u32, k, jt, jf| sock_filter { code: code as u16, jt, jf, k };
    [
        step(LOAD_BYTE, VLAN_TAG_PRESENT, 0, 0),
        step(IF_EQUAL, 0, 0, 7),
        step(LOAD_BYTE, 0, 0, 0),
        step(IF_BITS, 1, 4, 0),
        step(LOAD_WORD, 0, 0, 0),
        step(IF_EQUAL, high, 0, 3),
        step(LOAD_HALF, 4, 0, 0),
        step(IF_EQUAL, low, 0, 1),
        step(RETURN, u32::MAX, 0, 0),
        step(RETURN, 0, 0, 0),
    ]
}

fn size_buffers(socket: &OwnedFd) -> io::Result<()> {
    // Beyond the system's limit only root may go; others get what the limit allows.
    if sockopt::set_socket_recv_buffer_size_force(socket, RECEIVE_BUFFER).is_err() {
        sockopt::set_socket_recv_buffer_size(socket, RECEIVE_BUFFER)?;
    }
    if sockopt::set_socket_send_buffer_size_force(socket, SEND_BUFFER).is_err() {
        sockopt::set_socket_send_buffer_size(socket, SEND_BUFFER)?;
    }
    Ok(())
}

/// A random address that no vendor gave to anybody: locally administered, not a group's.
fn random_address() -> io::Result<MacAddr> {
    let mut address = [0; 6];
    rustix::rand::getrandom(&mut address, rustix::rand::GetRandomFlags::empty())?;
    address[0] = address[0] & 0xfc | 0x02;
    Ok(MacAddr(address))
}
