//! What the kernel itself is on an interface: its addresses, and the routers it knows there.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use handclasp_wire::ethernet::MacAddr;

use crate::sys::{Assigned, interface_addresses};

/// The kernel on one of its interfaces.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Addresses {
    /// The interface's hardware address, if it has one.
    pub hardware: Option<MacAddr>,
    /// The kernel's addresses and the bits of their networks, in the kernel's order.
    pub ips: Vec<(IpAddr, u8)>,
    /// The routers to everywhere, of either family, the preferred one first.
    pub routers: Vec<IpAddr>,
}

/// Asks what the kernel is on the interface `name`, in the calling thread's network namespace.
///
/// # Errors
///
/// The kernel does not tell. An interface that is not there has no addresses.
pub fn addresses(name: &str) -> io::Result<Addresses> {
    let mut found = Addresses::default();
    for assigned in interface_addresses(name)? {
        match assigned {
            Assigned::Hardware(mac) => found.hardware = Some(MacAddr(mac)),
            Assigned::Ip(ip, bits) => found.ips.push((ip, bits as u8)),
        }
    }
    // These files are of the namespace of the thread that reads them. A kernel without IPv6
    // has no second one.
    let read = |file| fs::read_to_string(format!("/proc/thread-self/net/{file}"));
    let v4 = routers_v4(&read("route").unwrap_or_default(), name);
    let v6 = routers_v6(&read("ipv6_route").unwrap_or_default(), name);
    found.routers = v4.into_iter().map(IpAddr::V4).chain(v6.into_iter().map(IpAddr::V6)).collect();
    Ok(found)
}

/// Routers of lines as `eth0 00000000 010200C0 0003 0 0 100 00000000 0 0 0`: interface,
/// destination and gateway, flags, two counters, metric, mask.
fn routers_v4(table: &str, name: &str) -> Vec<Ipv4Addr> {
    let mut routers = Vec::new();
    for line in table.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let [interface, "00000000", gateway, _, _, _, metric, "00000000", ..] = words[..] else {
            continue;
        };
        let gateway = u32::from_str_radix(gateway, 16).unwrap_or_default();
        if interface == name && gateway != 0 {
            // The bytes stand there as the machine has them.
            let router = Ipv4Addr::from(gateway.to_ne_bytes());
            routers.push((metric.parse::<u32>().unwrap_or(u32::MAX), router));
        }
    }
    routers.sort_by_key(|(metric, _)| *metric);
    routers.into_iter().map(|(_, router)| router).collect()
}

/// Routers of lines with destination, bits, source, bits, gateway, metric, two counters, flags
/// and interface, all in hex.
fn routers_v6(table: &str, name: &str) -> Vec<Ipv6Addr> {
    let mut routers = Vec::new();
    for line in table.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let [_, "00", _, "00", gateway, metric, _, _, _, interface] = words[..] else { continue };
        let gateway = u128::from_str_radix(gateway, 16).unwrap_or_default();
        if interface == name && gateway != 0 {
            let metric = u32::from_str_radix(metric, 16).unwrap_or(u32::MAX);
            routers.push((metric, Ipv6Addr::from(gateway)));
        }
    }
    routers.sort_by_key(|(metric, _)| *metric);
    routers.into_iter().map(|(_, router)| router).collect()
}

#[cfg(test)]
#[path = "host_tests.rs"]
mod tests;
