//! One host without I/O: addresses, ports, listeners and connections.
//!
//! A [`Host`] takes packets in ([`Host::receive`]), gives packets out
//! ([`Host::poll_transmit`]), and says when it wants to be called again
//! ([`Host::next_deadline`]). It routes: its connections live in a [`Store`] that whoever runs
//! it chooses, be it a slab ([`SlabStore`]) or one lock each.
//!
//! Nothing here reads a clock, touches a socket or draws a random number: time is an argument,
//! and all that must not be guessed follows from one [`Secret`].
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod counters;
pub mod discard;
pub mod forward;
pub mod host;
pub mod interface;
pub mod ip;
pub mod listen;
pub mod open;
pub mod secret;
pub mod slab_store;
pub mod slots;
pub mod store;
pub mod udp;

mod decide;
mod egress;
mod expire;
mod ingress;
mod local;
mod rate;
mod reply;
mod tcp;
mod timers;

pub use counters::Counters;
pub use host::{Host, HostConfig};
pub use interface::{Interface, Link};
pub use ip::cidr::Cidr;
pub use ip::route::Route;
pub use secret::Secret;
pub use slab_store::SlabStore;
pub use store::{ConnId, Store, UdpId};
