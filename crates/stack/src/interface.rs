//! The one interface of a host, as far as packets show what it is.

use handclasp_wire::ethernet::MacAddr;
use handclasp_wire::frame::Medium;

/// What stands in front of IP on the interface's link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Nothing: a TUN device, a tunnel.
    Ip,
    /// Ethernet: neighbours are asked for their hardware addresses, and told ours, which is
    /// this.
    Ethernet(MacAddr),
}

/// What the interface is and what its device does for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// What packets start with.
    pub link: Link,
    /// Largest IP packet, in bytes.
    pub mtu: u16,
    /// The device finishes transport checksums.
    pub tx_checksum: bool,
    /// The most payload bytes of one burst that the device cuts into segments (TSO); 0 where
    /// it does not. Needs `tx_checksum`.
    pub burst: usize,
}

impl Interface {
    /// An interface whose packets start with IP, without offloads. `mtu` is in bytes.
    #[must_use]
    pub const fn ip(mtu: u16) -> Self {
        Self { link: Link::Ip, mtu, tx_checksum: false, burst: 0 }
    }

    /// An Ethernet interface with our hardware address, without offloads. `mtu` is in bytes and
    /// does not count the Ethernet header.
    #[must_use]
    pub const fn ethernet(mac: MacAddr, mtu: u16) -> Self {
        Self { link: Link::Ethernet(mac), mtu, tx_checksum: false, burst: 0 }
    }

    /// The device's medium.
    #[must_use]
    pub const fn medium(&self) -> Medium {
        match self.link {
            Link::Ip => Medium::Ip,
            Link::Ethernet(_) => Medium::Ethernet,
        }
    }
}
