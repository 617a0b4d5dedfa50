//! Handshakes and the real state machine, explored state by state.
//!
//! [`handshake`] is a model of a handshake of any number of packets: which numbers do, and
//! which do not. [`stack`] is no model: it drives two whole hosts of
//! [`handclasp_stack`] against an adversary who owns the network between them. [`diagram`]
//! draws the state machine from the table that the machine itself follows.
//!
//! Both explorers are [`stateright`]'s breadth-first search, so that the first run found to go
//! wrong is a shortest one.
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_methods)]

pub mod diagram;
pub mod handshake;
pub mod stack;

mod first;
