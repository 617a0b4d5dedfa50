//! Bytes and meaning of link, IP, ICMP, UDP and TCP headers.
//!
//! Floor 0: everything else stands on this crate, and it stands on nothing of ours. A header
//! view judges nothing; a [`tcp::Header`] holds meaning. Parsing never panics, whatever the
//! bytes are, and an error says at which layer, at which byte and why it stopped.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod arp;
pub mod bpf;
pub mod checksum;
pub mod error;
pub mod ethernet;
pub mod frame;
pub mod gso;
pub mod icmp;
pub mod icmpv4;
pub mod icmpv6;
pub mod ip;
pub mod ipv4;
pub mod ipv6;
pub mod ndp;
pub mod notation;
pub mod octets;
pub mod packet;
pub mod quote;
pub mod seq;
pub mod tcp;
pub mod time;
pub mod udp;
