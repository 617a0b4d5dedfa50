//! Fuzz targets: every parser, a connection, and a whole host.
//!
//! A target takes any bytes and panics if something is wrong. [`short`] runs it over its corpus
//! with changes that chance makes from a seed: that is what `cargo test` does. The long run is
//! libFuzzer's, with coverage to guide it; CONTRIBUTING.md says how. What it finds becomes a
//! file in `corpus/`, and a test where the bug was.
#![forbid(unsafe_code)]

pub mod corpus;
pub mod input;
pub mod short;
pub mod target;

pub use target::{TARGETS, Target};
