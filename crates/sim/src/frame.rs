//! A packet on a cable.

use bytes::Bytes;
use handclasp_impair::packet::Packet;
use handclasp_wire::frame::Medium;

/// A packet, and which one it is.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) number: u64,
    pub(crate) data: Bytes,
}

impl Packet for Frame {
    fn len(&self) -> usize {
        self.data.len()
    }

    fn corrupt(&mut self, bit: usize) {
        self.data.corrupt(bit);
    }

    fn mark(&mut self, medium: Medium) -> bool {
        self.data.mark(medium)
    }
}
