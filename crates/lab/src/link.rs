//! Interfaces, addresses and routes of a network namespace.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::namespace::Namespace;
use crate::netlink::{ACK, CREATE, EXCLUSIVE, Message, Socket};

const NEWLINK: u16 = 16;
const DELLINK: u16 = 17;
const GETLINK: u16 = 18;
const NEWADDR: u16 = 20;
const NEWROUTE: u16 = 24;

/// `IFF_UP`.
const UP: u32 = 1;
/// `IFF_RUNNING`.
const RUNNING: u32 = 0x40;

/// How long a link may take to come up.
const PATIENCE: Duration = Duration::from_secs(10);

/// One end of a veth pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VethEnd {
    /// The interface's name, 1 to 15 bytes.
    pub name: String,
    /// Its hardware address.
    pub hardware_address: [u8; 6],
}

/// The interfaces, addresses and routes of the namespace that this was opened in.
#[derive(Debug)]
pub struct Links {
    socket: Socket,
}

impl Links {
    /// Those of the calling thread's namespace.
    ///
    /// # Errors
    ///
    /// The kernel has no netlink.
    pub fn open() -> Result<Self> {
        let socket = Socket::open(None).map_err(Error::os("ask the kernel for interfaces"))?;
        Ok(Self { socket })
    }

    /// Makes two interfaces with a cable between them: `near` here and `far` in `namespace`,
    /// both with an MTU of `mtu` bytes.
    ///
    /// # Errors
    ///
    /// An interface has one of the names, or the kernel has no veth.
    pub fn create_veth(
        &mut self,
        near: &VethEnd,
        far: &VethEnd,
        namespace: &Namespace,
        mtu: u32,
    ) -> Result<()> {
        let mut message = Message::new(NEWLINK, ACK | CREATE | EXCLUSIVE);
        message.put(&interface(0, 0, 0));
        put_end(&mut message, near, mtu);
        message.nest(attribute::LINKINFO, |info| {
            info.text(attribute::INFO_KIND, "veth");
            info.nest(attribute::INFO_DATA, |data| {
                data.nest(attribute::VETH_PEER, |peer| {
                    peer.put(&interface(0, 0, 0));
                    put_end(peer, far, mtu);
                    let fd = namespace.as_fd().as_raw_fd();
                    peer.attribute(attribute::NET_NS_FD, &fd.to_ne_bytes());
                });
            });
        });
        self.send(message, || format!("make the interfaces {} and {}", near.name, far.name))
    }

    /// Switches an interface on.
    ///
    /// # Errors
    ///
    /// There is none of this name.
    pub fn set_up(&mut self, name: &str) -> Result<()> {
        let mut message = Message::new(NEWLINK, ACK);
        message.put(&interface(self.index(name)?, UP, UP));
        self.send(message, || format!("switch {name} on"))
    }

    /// Switches an interface off.
    ///
    /// # Errors
    ///
    /// There is none of this name.
    pub fn set_down(&mut self, name: &str) -> Result<()> {
        let mut message = Message::new(NEWLINK, ACK);
        message.put(&interface(self.index(name)?, 0, UP));
        self.send(message, || format!("switch {name} off"))
    }

    /// Waits until the interface has a carrier and packets pass: after both ends of a veth pair
    /// were switched on, that still takes the kernel a moment, in which it drops packets.
    ///
    /// # Errors
    ///
    /// There is none of this name, or the other end is off (`TimedOut`).
    pub fn wait_until_running(&mut self, name: &str) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !self.is_running(name)? {
            if Instant::now() >= deadline {
                let late = io::Error::from(io::ErrorKind::TimedOut);
                return Err(Error::os(format!("see {name} running"))(late));
            }
            thread::sleep(Duration::from_millis(1));
        }
        // The carrier is announced within the lock under which the queues are made ready, and
        // this waits for that lock.
        self.set_up(name)
    }

    fn is_running(&mut self, name: &str) -> Result<bool> {
        let mut message = Message::new(GETLINK, 0);
        message.put(&interface(self.index(name)?, 0, 0));
        let mut flags = 0;
        self.socket
            .request(message, |_, body| {
                flags = body
                    .get(8..12)
                    .and_then(<[u8]>::first_chunk)
                    .copied()
                    .map_or(0, u32::from_ne_bytes);
            })
            .map_err(Error::os(format!("ask for the state of {name}")))?;
        Ok(flags & RUNNING != 0)
    }

    /// Sets how many bytes an IP packet on the interface has at most.
    ///
    /// # Errors
    ///
    /// There is none of this name, or it cannot have this MTU.
    pub fn set_mtu(&mut self, name: &str, mtu: u32) -> Result<()> {
        let mut message = Message::new(NEWLINK, ACK);
        message.put(&interface(self.index(name)?, 0, 0));
        message.attribute(attribute::MTU, &mtu.to_ne_bytes());
        self.send(message, || format!("set the MTU of {name} to {mtu}"))
    }

    /// Removes an interface; with one end of a veth pair goes the other.
    ///
    /// # Errors
    ///
    /// There is none of this name.
    pub fn remove(&mut self, name: &str) -> Result<()> {
        let mut message = Message::new(DELLINK, ACK);
        message.put(&interface(self.index(name)?, 0, 0));
        self.send(message, || format!("remove {name}"))
    }

    /// Gives an interface an address, of whose `prefix` first bits it reaches all others. The
    /// address can be used at once: nobody is asked whether it is taken.
    ///
    /// # Errors
    ///
    /// There is no such interface, or it has the address.
    pub fn add_address(&mut self, name: &str, address: IpAddr, prefix: u8) -> Result<()> {
        /// `IFA_F_NODAD`, which IPv4 does not mind.
        const NO_DETECTION: u8 = 2;
        let (family, bytes) = family_and_bytes(address);
        let index = self.index(name)?.to_ne_bytes();
        let mut message = Message::new(NEWADDR, ACK | CREATE | EXCLUSIVE);
        message.put(&[family, prefix, NO_DETECTION, 0]).put(&index);
        message.attribute(attribute::ADDRESS, &bytes);
        message.attribute(attribute::LOCAL, &bytes);
        self.send(message, || format!("give {name} the address {address}/{prefix}"))
    }

    /// Sends what goes to the addresses that have the `prefix` first bits of `destination`
    /// through the neighbour `gateway`.
    ///
    /// # Errors
    ///
    /// The route exists, or no interface reaches the gateway.
    pub fn add_route(&mut self, destination: IpAddr, prefix: u8, gateway: IpAddr) -> Result<()> {
        /// `RT_TABLE_MAIN`, `RTPROT_STATIC`, `RT_SCOPE_UNIVERSE`, `RTN_UNICAST`.
        const ORDINARY: [u8; 4] = [254, 4, 0, 1];
        let (family, bytes) = family_and_bytes(destination);
        let mut message = Message::new(NEWROUTE, ACK | CREATE | EXCLUSIVE);
        message.put(&[family, prefix, 0, 0]).put(&ORDINARY).put(&[0; 4]);
        message.attribute(attribute::ROUTE_DESTINATION, &bytes);
        message.attribute(attribute::ROUTE_GATEWAY, &family_and_bytes(gateway).1);
        self.send(message, || format!("route {destination}/{prefix} through {gateway}"))
    }

    /// Whether there is an interface of this name.
    #[must_use]
    pub fn exists(&self, name: &str) -> bool {
        self.index(name).is_ok()
    }

    fn index(&self, name: &str) -> Result<u32> {
        rustix::net::netdevice::name_to_index(&self.socket, name)
            .map_err(Error::os(format!("find the interface {name}")))
    }

    fn send(&mut self, message: Message, doing: impl FnOnce() -> String) -> Result<()> {
        self.socket.request(message, |_, _| ()).map_err(|e: io::Error| Error::os(doing())(e))
    }
}

/// Attributes, by what they are in.
mod attribute {
    // Of a link.
    pub(super) const LINK_ADDRESS: u16 = 1;
    pub(super) const NAME: u16 = 3;
    pub(super) const MTU: u16 = 4;
    pub(super) const LINKINFO: u16 = 18;
    pub(super) const NET_NS_FD: u16 = 28;
    // Of LINKINFO.
    pub(super) const INFO_KIND: u16 = 1;
    pub(super) const INFO_DATA: u16 = 2;
    // Of a veth's INFO_DATA.
    pub(super) const VETH_PEER: u16 = 1;
    // Of an address.
    pub(super) const ADDRESS: u16 = 1;
    pub(super) const LOCAL: u16 = 2;
    // Of a route.
    pub(super) const ROUTE_DESTINATION: u16 = 1;
    pub(super) const ROUTE_GATEWAY: u16 = 5;
}

/// `struct ifinfomsg`: of those `flags` that `change` has, set these.
fn interface(index: u32, flags: u32, change: u32) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[4..8].copy_from_slice(&index.to_ne_bytes());
    bytes[8..12].copy_from_slice(&flags.to_ne_bytes());
    bytes[12..].copy_from_slice(&change.to_ne_bytes());
    bytes
}

fn put_end(message: &mut Message, end: &VethEnd, mtu: u32) {
    message.text(attribute::NAME, &end.name);
    message.attribute(attribute::LINK_ADDRESS, &end.hardware_address);
    message.attribute(attribute::MTU, &mtu.to_ne_bytes());
}

fn family_and_bytes(address: IpAddr) -> (u8, Vec<u8>) {
    /// `AF_INET` and `AF_INET6`.
    const FAMILIES: (u8, u8) = (2, 10);
    match address {
        IpAddr::V4(address) => (FAMILIES.0, address.octets().to_vec()),
        IpAddr::V6(address) => (FAMILIES.1, address.octets().to_vec()),
    }
}
