//! What a TCP header says, once parsed.

use super::options::Options;
use crate::seq::SeqNumber;

bitflags::bitflags! {
    /// The control bits (RFC 9293 §3.1, RFC 3168, RFC 9768).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct Flags: u16 {
        /// No more data from the sender.
        const FIN = 0x001;
        /// Synchronize sequence numbers.
        const SYN = 0x002;
        /// Reset the connection.
        const RST = 0x004;
        /// Push function.
        const PSH = 0x008;
        /// The acknowledgment field is significant.
        const ACK = 0x010;
        /// The urgent pointer field is significant.
        const URG = 0x020;
        /// ECN echo.
        const ECE = 0x040;
        /// Congestion window reduced.
        const CWR = 0x080;
        /// Accurate ECN, formerly the nonce sum.
        const AE = 0x100;
    }
}

/// The meaning of a TCP header. Its payload travels beside it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Header {
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
    /// `seg.seq`: of the first octet, or of the SYN where there is one.
    pub seq: SeqNumber,
    /// `seg.ack`: meaningful only with [`Flags::ACK`].
    pub ack: SeqNumber,
    /// The control bits.
    pub flags: Flags,
    /// The window field as it stands in the header, not scaled.
    pub window: u16,
    /// The urgent pointer: meaningful only with [`Flags::URG`].
    pub urgent: u16,
    /// The options that this stack understands.
    pub options: Options,
}

impl Header {
    /// `seg.len`: the sequence space a segment with `payload` bytes takes; SYN and FIN count
    /// one each (RFC 9293 §3.4).
    #[must_use]
    pub fn seg_len(&self, payload: usize) -> u32 {
        payload as u32
            + u32::from(self.flags.contains(Flags::SYN))
            + u32::from(self.flags.contains(Flags::FIN))
    }
}
