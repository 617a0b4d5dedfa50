//! Packetdrill scripts against this stack, in virtual time.
//!
//! [`script`] reads packetdrill's language, [`sockets`] are the calls that scripts make.
#![forbid(unsafe_code)]

pub mod linux;
pub mod script;
pub mod sockets;
