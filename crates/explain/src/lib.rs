//! Connections understood from their packets, and told in sentences.
//!
//! A [`Trace`](trace::Trace) takes a capture frame by frame: its segments, and what each is
//! within its connection. From that a [`filter`] picks, a [`Tale`](track::tale::Tale) makes rows
//! for the [`Ladder`], a [`Stream`](stream::Stream) puts the bytes together, and
//! [`finding::Examiner`] says what stands out. A [`Flow`] makes the same rows of a connection
//! that is watched live. [`json`] is for programs, and every sentence comes out of the one
//! [`catalogue`].
//!
//! Nothing here reads a clock, starts a thread or opens a file: times come with the packets,
//! and text goes to a writer that the caller has.
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
