//! One host without I/O: addresses, ports, listeners and connections.
//!
//! A [`Host`] takes packets in ([`Host::receive`]), gives packets out
//! ([`Host::poll_transmit`]), and says when it wants to be called again
//! ([`Host::next_deadline`]). It routes: its connections live in a [`Store`] that whoever runs
//! it chooses, be it a slab ([`SlabStore`]) or one lock each.
//!
//! Nothing here reads a clock, touches a socket or draws a random number: time is an argument,
//! and all that must not be guessed follows from one [`Secret`].
//!
//! A host that greets itself:
//!
//! ```
//! use std::collections::VecDeque;
//! use std::sync::Arc;
//!
//! use handclasp_stack::listen::Backlog;
//! use handclasp_stack::{Host, HostConfig, Interface, Secret, SlabStore};
//! use handclasp_tcp::{Budget, Context};
//! use handclasp_wire::time::Instant;
//!
//! let (budget, mut store, mut out) = (Budget::default(), SlabStore::new(), VecDeque::new());
//! let cx = Context::new(Instant::ZERO, &budget);
//! let mut host = Host::new(HostConfig::default(), Interface::ip(1500), &Secret::new([7; 32]));
//! host.add_address("10.0.0.1/24".parse()?, cx.now);
//!
//! let http = "10.0.0.1:80".parse()?;
//! let listener = host.listen(http, Backlog::default(), Arc::default())?;
//! let client = host.connect(&mut store, &cx, Arc::default(), None, http)?;
//! host.poll_transmit(&mut store, &cx, &mut out, 64);
//!
//! store.get_mut(client).unwrap().write(&cx, b"hello")?;
//! host.touched(client);
//! host.poll_transmit(&mut store, &cx, &mut out, 64);
//!
//! let server = host.accept(listener).unwrap().id;
//! let heard = store.get_mut(server).unwrap().read_bytes(&cx, 100)?;
//! assert_eq!(heard.unwrap(), "hello");
//! assert!(out.is_empty(), "no packet had to leave the host");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod canonical;
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
