//! Connections understood from their packets, and told in sentences.
//!
//! A [`Flow`] follows one connection packet by packet and makes a [`Row`] of each: relative
//! numbers, scaled windows, both ends' states, and what the packet means as [`Note`]s. The
//! [`Ladder`] writes rows for people, [`json`] for programs, and every sentence comes out of
//! the one [`catalogue`].
//!
//! Nothing here reads a clock, starts a thread or opens a file: times come with the packets,
//! and text goes to a writer that the caller has.
//!
//! [`Note`]: track::note::Note
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_methods)]

pub mod capture;
pub mod catalogue;
pub mod filter;
pub mod finding;
pub mod flow;
pub mod json;
pub mod ladder;
pub mod mark;
pub mod nanos;
pub mod pcap_filter;
pub mod picture;
pub mod stream;
pub mod table;
pub mod trace;
pub mod track;

#[cfg(test)]
mod scene;
#[cfg(test)]
mod talk;

pub use catalogue::{Cast, English, Language, Message};
pub use ladder::Ladder;
pub use track::row::Row;
pub use track::summary::Summary;
pub use track::{Fate, Flow, Packet, Side};
