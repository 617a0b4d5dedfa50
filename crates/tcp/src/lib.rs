//! One TCP connection, without I/O: the machine of RFC 9293.
//!
//! The door of a [`Connection`] is four verbs — a segment came in, a deadline passed, what
//! shall I send, when shall I be called again — and the application's calls. Time and bytes
//! come in as arguments ([`Context`]); nothing here reads a clock, draws a random number or
//! touches a socket, which is also why the crate is `no_std`.
//!
//! Half-open, open and TIME-WAIT connections are three types ([`HalfOpen`], [`Connection`],
//! [`TimeWait`]) of the sizes they deserve. Names are the RFC's: `snd.una`, `rcv.nxt`,
//! `seg.len`.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod acceptable;
pub mod canonical;
pub mod config;
pub mod congestion;
pub mod connection;
pub mod context;
pub mod ecn;
pub mod event;
pub mod fast_open;
pub mod half_open;
pub mod negotiation;
pub mod opening;
pub mod personality;
pub mod state;
pub mod time_wait;
pub mod timer;
pub mod transmit;
pub mod tuple;

mod queue;
mod receive;
mod recovery;
mod rtt;
mod send;

pub use config::Config;
pub use connection::Connection;
pub use context::{Budget, Context};
pub use half_open::HalfOpen;
pub use state::State;
pub use time_wait::TimeWait;
pub use transmit::Transmit;
pub use tuple::Tuple;
