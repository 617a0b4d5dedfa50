//! Packetdrill scripts against this stack, in virtual time.
//!
//! [`script`] reads packetdrill's language.
#![forbid(unsafe_code)]

pub mod script;
