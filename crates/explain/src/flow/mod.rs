//! Connections, followed from their packets.

pub mod key;
pub mod table;
