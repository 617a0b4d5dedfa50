//! Hosts under test in virtual time: one under hand-made packets, or two joined back to back.
#![allow(dead_code, unreachable_pub, unused_imports)]

mod net;
mod packets;

pub use net::{Net, Node, Sent};
pub use packets::{Segment, echo, fragment, segment, tcp, udp};

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use handclasp_wire::time::Instant;

/// An address, with or without port, or anything else that is read from text.
pub fn read<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().unwrap()
}

pub fn sock(text: &str) -> SocketAddr {
    read(text)
}

pub fn ip(text: &str) -> IpAddr {
    read(text)
}

pub const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub fn at(n: u64) -> Instant {
    Instant::from_millis(n * 1000)
}
