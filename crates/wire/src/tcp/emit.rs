//! Writing a TCP header: the fixed fields, then options laid out as Linux does.

use crate::octets::Put;
use crate::seq::SeqNumber;
use crate::tcp::header::Header;
use crate::tcp::options::Options;
use crate::tcp::raw::{TcpOption, kind};

/// Bytes of a header without options.
pub const HEADER_LEN: usize = 20;
/// The most bytes of options that a header holds.
pub const MAX_OPTIONS: usize = 40;

/// The 20 bytes in front of the options.
pub(super) struct Fixed {
    pub(super) ports: [u16; 2],
    pub(super) seq: SeqNumber,
    pub(super) ack: SeqNumber,
    /// Bytes of options, a multiple of four.
    pub(super) options_len: usize,
    /// The twelve bits behind the data offset: reserved ones and flags.
    pub(super) bits: u16,
    pub(super) window: u16,
    pub(super) checksum: u16,
    pub(super) urgent: u16,
}

impl Fixed {
    pub(super) fn emit(&self, out: &mut impl Put) {
        let words = ((HEADER_LEN + self.options_len) / 4).min(15) as u16;
        let mut fixed = [0; HEADER_LEN];
        let [src, dst] = self.ports;
        [fixed[0], fixed[1]] = src.to_be_bytes();
        [fixed[2], fixed[3]] = dst.to_be_bytes();
        [fixed[4], fixed[5], fixed[6], fixed[7]] = self.seq.0.to_be_bytes();
        [fixed[8], fixed[9], fixed[10], fixed[11]] = self.ack.0.to_be_bytes();
        [fixed[12], fixed[13]] = (words << 12 | self.bits).to_be_bytes();
        [fixed[14], fixed[15]] = self.window.to_be_bytes();
        [fixed[16], fixed[17]] = self.checksum.to_be_bytes();
        [fixed[18], fixed[19]] = self.urgent.to_be_bytes();
        out.put(&fixed);
    }
}

impl Header {
    /// Bytes that [`Header::emit`] writes: 20 to 60.
    #[must_use]
    pub fn emitted_len(&self) -> usize {
        HEADER_LEN + self.options.emitted_len()
    }

    /// Writes the header with zero for its checksum.
    ///
    /// Options stand in Linux's order, each group aligned to four bytes: MSS; SACK permitted
    /// and timestamps; window scale; SACK; Accurate ECN; Fast Open; user timeout. What does not
    /// fit into 40 bytes behind those before it is left out; of SACK blocks as many stay as fit.
    pub fn emit(&self, out: &mut impl Put) {
        self.emit_with_checksum(0, out);
    }

    /// Like [`Header::emit`] with this in the checksum field: a finished checksum, or the
    /// pseudo header's [`partial`](crate::checksum::Sum::partial) sum for a device to finish.
    pub fn emit_with_checksum(&self, checksum: u16, out: &mut impl Put) {
        let options = self.options.laid_out();
        let fixed = Fixed {
            ports: [self.src_port, self.dst_port],
            seq: self.seq,
            ack: self.ack,
            options_len: options.len,
            bits: self.flags.bits() & 0x1ff,
            window: self.window,
            checksum,
            urgent: self.urgent,
        };
        fixed.emit(out);
        out.put(options.as_slice());
    }
}

impl Options {
    /// Bytes that the options take in a header, alignment included: at most 40.
    #[must_use]
    pub fn emitted_len(&self) -> usize {
        self.laid_out().len
    }

    /// The options as [`Header::emit`] says.
    fn laid_out(&self) -> AlignedList {
        use TcpOption::{Nop, SackPermitted};
        let mut list = AlignedList { bytes: [kind::NOP; MAX_OPTIONS], len: 0 };
        if let Some(mss) = self.mss {
            list.add([TcpOption::Mss(mss)]);
        }
        match self.timestamps.map(TcpOption::Timestamps) {
            Some(timestamps) if self.sack_permitted => list.add([SackPermitted, timestamps]),
            Some(timestamps) => list.add([Nop, Nop, timestamps]),
            None if self.sack_permitted => list.add([Nop, Nop, SackPermitted]),
            None => {}
        }
        if let Some(shift) = self.window_scale {
            list.add([Nop, TcpOption::WindowScale(shift)]);
        }
        // Two bytes of alignment, kind and length, then eight a block.
        let room = (MAX_OPTIONS - list.len).saturating_sub(4) / 8;
        if !self.sack.is_empty() && room > 0 {
            list.add([Nop, Nop, TcpOption::Sack(self.sack.first(room))]);
        }
        if let Some(accurate) = self.acc_ecn {
            list.add([TcpOption::AccEcn(accurate)]);
        }
        if let Some(fast_open) = self.fast_open {
            list.add([TcpOption::FastOpen(fast_open)]);
        }
        if let Some(timeout) = self.user_timeout {
            list.add([TcpOption::UserTimeout(timeout)]);
        }
        list
    }
}

/// Options in groups that each end at a multiple of four bytes. What is not written is NOPs.
struct AlignedList {
    bytes: [u8; MAX_OPTIONS],
    len: usize,
}

impl AlignedList {
    /// Adds the whole group, or nothing if it does not fit.
    #[inline]
    fn add<const N: usize>(&mut self, group: [TcpOption<'_>; N]) {
        let len: usize = group.iter().map(TcpOption::emitted_len).sum();
        let end = self.len + len.next_multiple_of(4);
        let Some(place) = self.bytes.get_mut(self.len..end) else { return };
        let mut place = Front(place);
        for option in &group {
            option.emit(&mut place);
        }
        self.len = end;
    }

    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&self.bytes)
    }
}

/// A place that is filled from its front.
struct Front<'a>(&'a mut [u8]);

impl Put for Front<'_> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        // There is room: the group was measured before.
        if let Some((now, later)) = core::mem::take(&mut self.0).split_at_mut_checked(bytes.len()) {
            now.copy_from_slice(bytes);
            self.0 = later;
        }
    }
}

#[cfg(test)]
#[path = "emit_tests.rs"]
mod tests;
