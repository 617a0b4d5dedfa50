//! What a host chooses for a connection before its first segment.

use handclasp_wire::seq::SeqNumber;

/// The numbers a connection starts from, which only its host can choose: they depend on
/// secrets, clocks and routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Our initial sequence number, by RFC 6528 so that nobody off the path can guess it.
    pub iss: SeqNumber,
    /// Added to our millisecond clock to make TSval (RFC 7323 §5.4 wants it random per tuple).
    pub timestamp_offset: u32,
    /// Largest IP packet the path is believed to carry, in bytes.
    pub path_mtu: u16,
    /// Largest IP packet our own link can receive, in bytes: the MSS we announce follows it
    /// (RFC 9293 §3.7.1).
    pub link_mtu: u16,
}
