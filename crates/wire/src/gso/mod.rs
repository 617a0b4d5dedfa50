//! Large segments: cut into packets that fit the link, and put together from them.
//!
//! Inside, a packet carries many TCP segments at once (TSO on the way out, GRO on the way in).
//! [`split`] turns one into the packets that a link would carry, with finished checksums, for
//! devices without that offload and for whoever looks at single packets; [`Join`] is the
//! opposite, for devices that hand in single packets.

mod headers;
mod join;
mod split;

pub use join::Join;
pub use split::{Split, split, split_inbound};

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
