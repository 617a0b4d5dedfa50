//! A segment, or a burst of them, that a connection wants sent.

use bytes::Bytes;
use handclasp_wire::tcp::Header;
use smallvec::SmallVec;

/// Pieces of payload that stand behind each other on the wire.
pub type Slices = SmallVec<[Bytes; 4]>;

/// What to send: owns its header and slices, so that no lock is held while a device writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// The TCP header, of the first segment if this is a burst.
    pub header: Header,
    /// The payload, of the whole burst.
    pub payload: Slices,
    /// Payload bytes per segment when this is a burst to be cut; `None` for one segment.
    pub segment_size: Option<u16>,
    /// What the IP header is to carry.
    pub ip: IpFields,
}

impl Transmit {
    /// Bytes of payload.
    #[must_use]
    pub fn payload_len(&self) -> usize {
        self.payload.iter().map(Bytes::len).sum()
    }
}

/// The fields of the IP header that belong to the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpFields {
    /// Differentiated services and ECN bits, as one octet (RFC 9293 §3.9.1.9).
    pub traffic_class: u8,
    /// Time to live or hop limit.
    pub ttl: u8,
}
