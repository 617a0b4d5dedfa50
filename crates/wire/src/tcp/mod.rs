//! TCP headers (RFC 9293 §3.1) and their options.

pub mod header;
pub mod options;

pub use header::{Flags, Header};
pub use options::Options;
