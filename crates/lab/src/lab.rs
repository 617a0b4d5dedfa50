//! A network of two: a stack of ours, and the Linux kernel.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::process::Command;

use crate::error::Result;
use crate::link::{Links, VethEnd};
use crate::namespace::Namespace;
use crate::sock_diag::SockDiag;

/// The address of a stack on [`OUR_INTERFACE`], which the kernel knows nothing of.
pub const OUR_IPV4: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// The IPv6 address of a stack on [`OUR_INTERFACE`].
pub const OUR_IPV6: Ipv6Addr = Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 1);
/// A hardware address for a stack on [`OUR_INTERFACE`]; the interface has another one.
pub const OUR_HARDWARE_ADDRESS: [u8; 6] = [0x02, 0x77, 0, 0, 0, 1];

/// The kernel's address at its end.
pub const PEER_IPV4: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
/// The kernel's IPv6 address at its end.
pub const PEER_IPV6: Ipv6Addr = Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 2);
/// The hardware address of the kernel's end.
pub const PEER_HARDWARE_ADDRESS: [u8; 6] = [0x02, 0x77, 0, 0, 0, 2];

/// Bits that the two have in common.
pub const IPV4_PREFIX: u8 = 24;
/// Bits that the two have in common.
pub const IPV6_PREFIX: u8 = 64;

/// The interface that a packet socket of ours is opened on.
pub const OUR_INTERFACE: &str = "hc0";
/// The kernel's interface, a veth or a TUN one.
pub const PEER_INTERFACE: &str = "peer0";

/// What a [`Lab`] is like.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LabConfig {
    /// Bytes of the largest IP packet, 1,280 at least if there is to be IPv6.
    pub mtu: u32,
    /// Whether the two ends swap their IP addresses, so that a server has the same one whoever
    /// plays it.
    pub swapped: bool,
}

impl Default for LabConfig {
    /// An MTU of 1,500 bytes.
    fn default() -> Self {
        Self { mtu: 1500, swapped: false }
    }
}

/// A network of two. It is gone when this value is and nothing runs in it any more.
#[derive(Debug)]
pub struct Lab {
    peer: Namespace,
    config: LabConfig,
}

impl Lab {
    /// An Ethernet cable: [`OUR_INTERFACE`] in the namespace of the calling thread, without an
    /// address, and [`PEER_INTERFACE`] in one of the kernel's own, with its
    /// [addresses](Self::peer_address).
    ///
    /// # Errors
    ///
    /// [`NotPrivate`](crate::error::Error::NotPrivate) unless this runs in a namespace that
    /// [`enter`](crate::enter::enter) or [`in_namespace`](crate::isolated::in_namespace) made.
    pub fn veth(config: &LabConfig) -> Result<Self> {
        let peer = Namespace::new()?;
        let near = VethEnd {
            name: OUR_INTERFACE.into(),
            // Where no stack is, it is just another interface.
            hardware_address: [0x02, 0x77, 0, 0, 0, 0x11],
        };
        let far = VethEnd { name: PEER_INTERFACE.into(), hardware_address: PEER_HARDWARE_ADDRESS };
        let mut links = Links::open()?;
        links.create_veth(&near, &far, &peer, config.mtu)?;
        let lab = Self { peer, config: config.clone() };
        // Ours is the stack's alone: the kernel is not to speak on it.
        if ipv6_exists() {
            let own = Namespace::current()?;
            own.set_sysctl(&format!("net/ipv6/conf/{OUR_INTERFACE}/disable_ipv6"), "1")?;
        }
        links.set_up(OUR_INTERFACE)?;
        let mut peer_links = lab.peer.links()?;
        lab.configure_peer(&mut peer_links)?;
        links.wait_until_running(OUR_INTERFACE)?;
        peer_links.wait_until_running(PEER_INTERFACE)?;
        Ok(lab)
    }

    /// Removes the cable of a network that nobody has any more from the namespace of the calling
    /// thread, if it is there: the kernel takes its time to do so by itself. For who makes one
    /// network behind the other.
    ///
    /// # Errors
    ///
    /// The kernel's interfaces cannot be asked for.
    pub fn clear() -> Result<()> {
        let mut links = Links::open()?;
        if links.exists(OUR_INTERFACE) {
            // It may go by itself in this very moment.
            let _ = links.remove(OUR_INTERFACE);
        }
        Ok(())
    }

    /// A TUN interface, which is yet to be made: open one named [`PEER_INTERFACE`] inside
    /// [`peer`](Self::peer), then call [`configure_tun`](Self::configure_tun).
    ///
    /// # Errors
    ///
    /// As [`veth`](Self::veth).
    pub fn tun(config: &LabConfig) -> Result<Self> {
        Ok(Self { peer: Namespace::new()?, config: config.clone() })
    }

    /// Gives the TUN interface its MTU and the kernel's addresses, and switches it on.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn configure_tun(&self) -> Result<()> {
        let mut links = self.peer.links()?;
        links.set_mtu(PEER_INTERFACE, self.config.mtu)?;
        self.configure_peer(&mut links)
    }

    fn configure_peer(&self, links: &mut Links) -> Result<()> {
        if ipv6_exists() {
            // Nothing of its own accord, so that a capture shows what was asked for.
            for (name, value) in [("addr_gen_mode", "1"), ("accept_ra", "0"), ("accept_dad", "0")] {
                let name = format!("net/ipv6/conf/{PEER_INTERFACE}/{name}");
                self.peer.set_sysctl(&name, value)?;
            }
            links.add_address(PEER_INTERFACE, self.peer_address(true), IPV6_PREFIX)?;
        }
        links.add_address(PEER_INTERFACE, self.peer_address(false), IPV4_PREFIX)?;
        links.set_up(PEER_INTERFACE)
    }

    /// Has the kernel send to us whatever is not its own, so that it reaches any address
    /// through a forwarder of ours.
    ///
    /// # Errors
    ///
    /// It does already.
    pub fn route_everything_to_us(&self) -> Result<()> {
        let mut links = self.peer.links()?;
        links.add_route(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0, self.our_address(false))?;
        if ipv6_exists() {
            links.add_route(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0, self.our_address(true))?;
        }
        Ok(())
    }

    /// Our address, of IPv6 or of IPv4: what a stack on this network is to have.
    #[must_use]
    pub fn our_address(&self, ipv6: bool) -> IpAddr {
        address(ipv6, self.config.swapped)
    }

    /// The kernel's address.
    #[must_use]
    pub fn peer_address(&self, ipv6: bool) -> IpAddr {
        address(ipv6, !self.config.swapped)
    }

    /// Whether this kernel has IPv6; the lab is without it otherwise.
    #[must_use]
    pub fn has_ipv6(&self) -> bool {
        ipv6_exists()
    }

    /// The kernel's namespace.
    #[must_use]
    pub fn peer(&self) -> &Namespace {
        &self.peer
    }

    /// A command that will run at the kernel's end.
    ///
    /// # Errors
    ///
    /// The process has no file descriptor left.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Result<Command> {
        self.peer.command(program)
    }

    /// Sets a kernel parameter of the kernel's end; see [`Namespace::set_sysctl`].
    ///
    /// # Errors
    ///
    /// As [`Namespace::set_sysctl`].
    pub fn set_sysctl(&self, name: &str, value: &str) -> Result<()> {
        self.peer.set_sysctl(name, value)
    }

    /// What the kernel says of its TCP sockets.
    ///
    /// # Errors
    ///
    /// The kernel cannot be asked.
    pub fn sock_diag(&self) -> Result<SockDiag> {
        self.peer.run(SockDiag::open)?
    }
}

fn address(ipv6: bool, second: bool) -> IpAddr {
    match (ipv6, second) {
        (false, false) => OUR_IPV4.into(),
        (false, true) => PEER_IPV4.into(),
        (true, false) => OUR_IPV6.into(),
        (true, true) => PEER_IPV6.into(),
    }
}

fn ipv6_exists() -> bool {
    Path::new("/proc/sys/net/ipv6").exists()
}
