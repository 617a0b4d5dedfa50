//! Which way a packet goes.

use alloc::vec::Vec;
use core::net::IpAddr;

use super::cidr::Cidr;

/// A way to a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The network.
    pub destination: Cidr,
    /// The neighbour that forwards to it; `None` if its hosts are neighbours themselves.
    pub gateway: Option<IpAddr>,
    /// The address that packets this way come from if their sender has no other wish.
    pub source: Option<IpAddr>,
}

impl Route {
    /// Everything that no other route is for goes to `gateway`.
    #[must_use]
    pub const fn default_via(gateway: IpAddr) -> Self {
        let destination = Cidr::everything(gateway);
        Self { destination, gateway: Some(gateway), source: None }
    }

    /// The hosts of `destination` are on the link.
    #[must_use]
    pub const fn on_link(destination: Cidr) -> Self {
        Self { destination, gateway: None, source: None }
    }
}

/// The routes, the longest prefix first. They are looked through one by one: a host has few.
#[derive(Clone, Debug, Default)]
pub(crate) struct Routes {
    list: Vec<Route>,
}

impl Routes {
    /// Adds a route, in place of one to the same network.
    pub(crate) fn add(&mut self, route: Route) {
        self.remove(&route.destination);
        let shorter = |r: &Route| r.destination.prefix_len() <= route.destination.prefix_len();
        let at = self.list.iter().position(shorter).unwrap_or(self.list.len());
        self.list.insert(at, route);
    }

    pub(crate) fn remove(&mut self, destination: &Cidr) -> Option<Route> {
        let at = self.list.iter().position(|r| r.destination.same_network(destination))?;
        Some(self.list.remove(at))
    }

    /// The route to just this network.
    pub(crate) fn get(&self, destination: &Cidr) -> Option<&Route> {
        self.list.iter().find(|route| route.destination.same_network(destination))
    }

    pub(crate) fn to(&self, ip: IpAddr) -> Option<&Route> {
        self.list.iter().find(|route| route.destination.contains(ip))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Route> {
        self.list.iter()
    }
}

#[cfg(test)]
#[path = "route_tests.rs"]
mod tests;
