//! The host's own addresses.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr};

use handclasp_wire::ip::is_unicast;
use handclasp_wire::ndp::{ALL_NODES, solicited_node};

use super::cidr::{Cidr, common_bits};

/// Whom a destination address means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// Us alone.
    Own,
    /// A group of hosts of which we are one.
    Group,
    /// Somebody else.
    Other,
}

/// The addresses of the interface, each with its network.
#[derive(Clone, Debug, Default)]
pub(crate) struct Addresses {
    list: Vec<Cidr>,
}

impl Addresses {
    pub(crate) fn add(&mut self, address: Cidr) {
        self.list.push(address);
    }

    /// Removes an address and says with which network it was there.
    pub(crate) fn remove(&mut self, address: IpAddr) -> Option<Cidr> {
        let at = self.list.iter().position(|own| own.address() == address)?;
        Some(self.list.remove(at))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Cidr> {
        self.list.iter()
    }

    pub(crate) fn is_own(&self, ip: IpAddr) -> bool {
        self.list.iter().any(|own| own.address() == ip)
    }

    pub(crate) fn destination(&self, ip: IpAddr) -> Destination {
        if self.is_own(ip) {
            Destination::Own
        } else if self.is_group(ip) {
            Destination::Group
        } else {
            Destination::Other
        }
    }

    /// Broadcast and multicast addresses that reach us. Nobody joins groups here, so those are
    /// all hosts, and over IPv6 who has an address ending like ours (RFC 4291 §2.8).
    fn is_group(&self, ip: IpAddr) -> bool {
        match ip {
            IpAddr::V4(v4) => {
                v4.is_broadcast() || v4.octets() == [224, 0, 0, 1] || self.is_broadcast(ip)
            }
            IpAddr::V6(v6) => v6 == ALL_NODES || self.own_v6().any(|own| solicited_node(own) == v6),
        }
    }

    fn own_v6(&self) -> impl Iterator<Item = Ipv6Addr> {
        self.list.iter().filter_map(|own| match own.address() {
            IpAddr::V6(v6) => Some(v6),
            IpAddr::V4(_) => None,
        })
    }

    pub(crate) fn is_broadcast(&self, ip: IpAddr) -> bool {
        self.list.iter().any(|own| own.is_broadcast(ip))
    }

    /// Whether a packet from outside can have this source: one host's address and not ours
    /// (RFC 1122 §3.2.1.3, RFC 9293 §3.9.2.3).
    pub(crate) fn is_valid_source(&self, ip: IpAddr) -> bool {
        let family_allows = match ip {
            // 240.0.0.0/4 is reserved.
            IpAddr::V4(v4) => !v4.is_loopback() && v4.octets()[0] < 240,
            IpAddr::V6(v6) => !v6.is_loopback() && v6.to_ipv4_mapped().is_none(),
        };
        is_unicast(ip) && family_allows && !self.is_broadcast(ip) && !self.is_own(ip)
    }

    /// The address to speak from to `peer`: of the same scope if possible, then the one that
    /// shares most leading bits (RFC 6724 §5, rules 2 and 8).
    pub(crate) fn closest_to(&self, peer: IpAddr) -> Option<IpAddr> {
        self.list
            .iter()
            .map(|own| own.address())
            .filter_map(|own| {
                let bits = common_bits(own, peer)?;
                Some((own, (is_link_local(own) == is_link_local(peer), bits)))
            })
            .max_by_key(|(_, fitness)| *fitness)
            .map(|(own, _)| own)
    }
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        // A group of link-local scope is reached from a link-local address.
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.segments()[0] & 0xff0f == 0xff02,
    }
}

#[cfg(test)]
#[path = "addresses_tests.rs"]
mod tests;
