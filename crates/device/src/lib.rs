//! Where packets come from and go.
//!
//! A [`Device`] hands packets in and takes packets out, in batches and without
//! blocking; what a link can do for the stack (finish checksums, cut large segments) it tells
//! through its [`Capabilities`]. There are
//!
//! - `tun`: a TUN interface, with the virtio-net header and its offloads, or plain;
//! - `packet`: an Ethernet interface through a packet socket;
//! - [`channel`]: two ends in memory, or one end that a program feeds;
//! - [`tap`]: a device that shows its packets to others, as to a [`record`]er;
//! - [`impaired`]: a device behind a bad link;
//! - `capture`: watching an interface without taking part;
//! - `host`: the addresses that the kernel has on an interface, and its routers;
//! - `guard`: keeping the kernel from resetting what is not its own.
//!
//! Nothing in here decides anything about a protocol, and nothing in here drops a packet
//! because it came too fast: a link that takes no more says so, and the sender waits.
//!
//! What needs Linux is compiled on Linux only; traits, channels and wrappers are portable.
#![deny(unsafe_code)]

#[cfg(target_os = "linux")]
pub mod capture;
pub mod channel;
pub mod device;
#[cfg(target_os = "linux")]
mod framed;
#[cfg(target_os = "linux")]
pub mod guard;
#[cfg(target_os = "linux")]
pub mod host;
pub mod impaired;
#[cfg(target_os = "linux")]
mod interface;
#[cfg(target_os = "linux")]
pub mod packet;
#[cfg(target_os = "linux")]
mod pool;
pub mod record;
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
mod sys;
pub mod tap;
pub mod timer;
#[cfg(target_os = "linux")]
pub mod tun;
pub mod vnet;

pub use device::{Capabilities, Device};
