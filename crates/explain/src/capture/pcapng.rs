//! pcapng: blocks of any kind, of which those with packets and those that describe interfaces
//! are read here.

use std::io::Read;

use handclasp_wire::time::Instant;

use super::link::LinkType;
use super::source::Source;
use super::{Broken, Cause, MAX_PACKET, Record};

/// What every file begins with: the type of a section header.
pub(super) const MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// Types of blocks.
mod block {
    pub(super) const SECTION: u32 = 0x0a0d_0d0a;
    pub(super) const INTERFACE: u32 = 1;
    pub(super) const OLD_PACKET: u32 = 2;
    pub(super) const SIMPLE_PACKET: u32 = 3;
    pub(super) const PACKET: u32 = 6;
}

/// Codes of options of an interface's description.
mod option {
    pub(super) const END: u16 = 0;
    pub(super) const RESOLUTION: u16 = 9;
    pub(super) const OFFSET: u16 = 14;
}

/// Type and length in front of a block's body.
const HEAD: usize = 8;
/// The length again, behind it.
const TAIL: usize = 4;
/// Interfaces of a section that are remembered. More than that is no capture, but an attack.
const MAX_INTERFACES: usize = 1 << 16;

#[derive(Default)]
pub(super) struct Pcapng {
    little: bool,
    interfaces: Vec<Interface>,
    /// Bytes between the packet that was handed out last and the next block.
    behind: usize,
}

#[derive(Clone, Copy)]
struct Interface {
    link: LinkType,
    snap_len: u32,
    /// Units in a second.
    resolution: u64,
    /// Seconds to be added.
    offset: i64,
}

impl Interface {
    fn time(&self, ticks: u64) -> Instant {
        // At the resolutions that are in use no division is needed.
        let nanos = match self.resolution {
            1_000_000 => u128::from(ticks) * 1_000,
            1_000_000_000 => u128::from(ticks),
            per_second => u128::from(ticks) * 1_000_000_000 / u128::from(per_second),
        };
        let offset = i128::from(self.offset) * 1_000_000_000;
        let nanos = i128::try_from(nanos).unwrap_or(i128::MAX).saturating_add(offset);
        Instant::from_nanos(nanos.clamp(0, u64::MAX.into()) as u64)
    }
}

impl Pcapng {
    pub(super) fn next<R: Read>(
        &mut self,
        source: &mut Source<R>,
    ) -> Result<Option<Record>, Broken> {
        source.skip(std::mem::take(&mut self.behind), "a block")?;
        while !source.is_over()? {
            let head: [u8; 12] = source.peek("a block")?;
            let kind = self.u32(&head[0..]);
            if kind == block::SECTION {
                self.begin(&head, source)?;
                continue;
            }
            let len = self.u32(&head[4..]) as usize;
            if len < HEAD + TAIL || !len.is_multiple_of(4) {
                return Err(source.broken(Cause::BadLength("a block", len as u32)));
            }
            let body = len - HEAD - TAIL;
            match kind {
                block::INTERFACE => self.describe(body, source)?,
                block::PACKET | block::OLD_PACKET | block::SIMPLE_PACKET => {
                    return self.packet(kind, body, source).map(Some);
                }
                _ => source.skip(len, "a block")?,
            }
        }
        Ok(None)
    }

    /// A section begins: interfaces are described anew, maybe in the other byte order.
    fn begin<R: Read>(&mut self, head: &[u8; 12], source: &mut Source<R>) -> Result<(), Broken> {
        self.little = match head[8..] {
            [0x4d, 0x3c, 0x2b, 0x1a] => true,
            [0x1a, 0x2b, 0x3c, 0x4d] => false,
            _ => return Err(source.broken(Cause::UnknownByteOrder)),
        };
        self.interfaces.clear();
        let len = self.u32(&head[4..]);
        if len < 28 || !len.is_multiple_of(4) {
            return Err(source.broken(Cause::BadLength("a section header", len)));
        }
        source.skip(len as usize, "a section header")
    }

    fn describe<R: Read>(&mut self, body: usize, source: &mut Source<R>) -> Result<(), Broken> {
        let what = "an interface's description";
        if !(8..=MAX_PACKET).contains(&body) || self.interfaces.len() == MAX_INTERFACES {
            return Err(source.broken(Cause::BadLength(what, body as u32)));
        }
        source.skip(HEAD, what)?;
        let bytes = source.take(body, what)?;
        let interface = self.interface(bytes);
        self.interfaces.push(interface);
        source.skip(TAIL, what)
    }

    fn interface(&self, body: &[u8]) -> Interface {
        let link = LinkType(self.u16(body));
        let snap_len = self.u32(&body[4..]);
        let mut interface = Interface { link, snap_len, resolution: 1_000_000, offset: 0 };
        let mut options = &body[8..];
        while let [_, _, _, _, rest @ ..] = options {
            let (code, len) = (self.u16(options), usize::from(self.u16(&options[2..])));
            let Some(value) = rest.get(..len) else { break };
            match (code, value) {
                (option::END, _) => break,
                (option::RESOLUTION, [exponent, ..]) => {
                    interface.resolution = per_second(*exponent)
                }
                (option::OFFSET, [_, _, _, _, _, _, _, _, ..]) => {
                    let (a, b) = (self.u32(value), self.u32(&value[4..]));
                    let (high, low) = if self.little { (b, a) } else { (a, b) };
                    interface.offset = (u64::from(high) << 32 | u64::from(low)) as i64;
                }
                _ => {}
            }
            options = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        }
        interface
    }

    fn packet<R: Read>(
        &mut self,
        kind: u32,
        body: usize,
        source: &mut Source<R>,
    ) -> Result<Record, Broken> {
        let what = "a packet";
        let mut fixed = [0; 20];
        let fields = if kind == block::SIMPLE_PACKET { 4 } else { fixed.len() };
        let Some(room) = body.checked_sub(fields) else {
            return Err(source.broken(Cause::BadLength(what, body as u32)));
        };
        let head = source.window(HEAD + fields, what)?;
        fixed[..fields].copy_from_slice(&head[HEAD..]);
        let field = |word: usize| self.u32(&fixed[4 * word..]);
        let id = match kind {
            block::PACKET => field(0),
            block::OLD_PACKET => u32::from(self.u16(&fixed)),
            _ => 0,
        };
        let Some(interface) = self.interfaces.get(id as usize) else {
            return Err(source.broken(Cause::UnknownInterface(id)));
        };
        let (ticks, captured, len) = match kind {
            block::SIMPLE_PACKET => {
                let limit = if interface.snap_len == 0 { u32::MAX } else { interface.snap_len };
                (0, field(0).min(limit).min(room as u32), field(0))
            }
            _ => (u64::from(field(1)) << 32 | u64::from(field(2)), field(3), field(4)),
        };
        let bytes = captured as usize;
        if bytes > room.min(MAX_PACKET) {
            return Err(source.broken(Cause::BadLength(what, captured)));
        }
        let at = interface.time(ticks);
        let record = Record { at, link: interface.link, interface: id, len, captured: bytes };
        source.skip(HEAD + fields, what)?;
        source.take(bytes, what)?;
        self.behind = room - bytes + TAIL;
        Ok(record)
    }

    fn u16(&self, bytes: &[u8]) -> u16 {
        let bytes = *bytes.first_chunk().unwrap_or(&[0; 2]);
        if self.little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) }
    }

    fn u32(&self, bytes: &[u8]) -> u32 {
        let bytes = *bytes.first_chunk().unwrap_or(&[0; 4]);
        if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
    }
}

/// Units in a second: a power of ten, or of two if the topmost bit is set. What no clock has is
/// read as a nanosecond.
fn per_second(exponent: u8) -> u64 {
    let power = u32::from(exponent & 0x7f);
    let base: u64 = if exponent & 0x80 == 0 { 10 } else { 2 };
    base.checked_pow(power).unwrap_or(1_000_000_000)
}
