//! libpcap's format: a header of 24 bytes, then packets, each behind a header of 16.

use std::io::Read;

use handclasp_wire::time::Instant;

use super::link::LinkType;
use super::source::Source;
use super::{Broken, Cause, MAX_PACKET, Record};

pub(super) struct Pcap {
    swapped: bool,
    /// Nanoseconds in a unit of the fraction of a second.
    unit: u64,
    /// Bytes between a packet's header and the packet, of Kuznetzov's variant.
    extra: usize,
    /// The oldest versions have the two lengths the other way round.
    lengths: Lengths,
    link: LinkType,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lengths {
    CapturedFirst,
    CapturedLast,
    /// Version 2.3 was written in both ways: what was captured is the smaller one.
    Either,
}

impl Pcap {
    pub(super) fn open<R: Read>(magic: [u8; 4], source: &mut Source<R>) -> Result<Self, Broken> {
        let known = |order: [u8; 4]| match u32::from_be_bytes(order) {
            0xa1b2_c3d4 => Some((1_000, 0)),
            0xa1b2_3c4d => Some((1, 0)),
            0xa1b2_cd34 => Some((1_000, 8)),
            _ => None,
        };
        let [a, b, c, d] = magic;
        let (big, little) = (known(magic), known([d, c, b, a]));
        let Some((unit, extra)) = big.or(little) else {
            return Err(source.broken(Cause::UnknownFormat(magic)));
        };
        // From here on, `swapped` says that numbers stand with their last byte first.
        let swapped = big.is_none();
        let header: [u8; 24] = source.array("the file header")?;
        let number = |at: usize| number(&header[at..], swapped);
        let (major, minor) = match swapped {
            true => (number(4) & 0xffff, number(4) >> 16),
            false => (number(4) >> 16, number(4) & 0xffff),
        };
        let lengths = match (major, minor) {
            (2, ..=2) => Lengths::CapturedLast,
            (2, 3) => Lengths::Either,
            _ => Lengths::CapturedFirst,
        };
        // The upper bits tell of check sequences behind the packets, which IP's own length cuts.
        let link = LinkType(number(20) as u16);
        Ok(Self { swapped, unit, extra, lengths, link })
    }

    pub(super) fn next<R: Read>(
        &mut self,
        source: &mut Source<R>,
    ) -> Result<Option<Record>, Broken> {
        if source.is_over()? {
            return Ok(None);
        }
        let header: [u8; 16] = source.peek("a packet's header")?;
        let number = |at: usize| number(&header[at..], self.swapped);
        let (first, last) = (number(8), number(12));
        let (captured, len) = match self.lengths {
            Lengths::CapturedFirst => (first, last),
            Lengths::CapturedLast => (last, first),
            Lengths::Either => (first.min(last), first.max(last)),
        };
        let bytes = captured as usize;
        if bytes > MAX_PACKET {
            return Err(source.broken(Cause::BadLength("a packet", captured)));
        }
        source.skip(header.len() + self.extra, "a packet's header")?;
        source.take(bytes, "a packet")?;
        let nanos = u64::from(number(0)) * 1_000_000_000 + u64::from(number(4)) * self.unit;
        let at = Instant::from_nanos(nanos);
        Ok(Some(Record { at, link: self.link, interface: 0, len, captured: bytes }))
    }
}

/// The number that stands at the front.
fn number(bytes: &[u8], swapped: bool) -> u32 {
    let bytes = *bytes.first_chunk().unwrap_or(&[0; 4]);
    if swapped { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
}
