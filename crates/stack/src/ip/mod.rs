//! The network layer's way out: routes, neighbours, fragments.

pub(crate) mod addresses;
pub mod cidr;
pub(crate) mod neighbour;
pub(crate) mod path_mtu;
pub mod reassembly;
pub mod route;
mod send;
mod solicit;

pub(crate) use send::{Envelope, Ip, NoRoute, emit_ip};
