//! Packets into a pcapng file, with the links, interfaces and times that they were read with.

use std::io::{self, Write};

use super::Frame;
use super::link::LinkType;

/// Writes a pcapng file. Times are at the nanosecond.
pub struct Writer<W> {
    out: W,
    /// What each interface of the file is: the link, and the interface that it was read from.
    interfaces: Vec<(LinkType, u32)>,
}

/// Writes a block of this kind around `body`, which is padded to four bytes.
fn block(out: &mut impl Write, kind: u32, body: &[&[u8]]) -> io::Result<()> {
    const AROUND: usize = 12;
    let len: usize = body.iter().map(|part| part.len()).sum();
    let padding = len.next_multiple_of(4) - len;
    let too_long = |_| io::Error::from(io::ErrorKind::InvalidInput);
    let total = u32::try_from(len + padding + AROUND).map_err(too_long)?.to_le_bytes();
    out.write_all(&kind.to_le_bytes())?;
    out.write_all(&total)?;
    body.iter().try_for_each(|part| out.write_all(part))?;
    out.write_all(&[0; 3][..padding])?;
    out.write_all(&total)
}

impl<W: Write> Writer<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(mut out: W) -> io::Result<Self> {
        const SECTION: u32 = 0x0a0d_0d0a;
        let (order, version) = (0x1a2b_3c4d_u32.to_le_bytes(), [1u8, 0, 0, 0]);
        // Nobody knows yet how long the section gets.
        block(&mut out, SECTION, &[&order, &version, &u64::MAX.to_le_bytes()])?;
        Ok(Self { out, interfaces: Vec::new() })
    }

    /// Adds a frame.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn frame(&mut self, frame: &Frame<'_>) -> io::Result<()> {
        const PACKET: u32 = 6;
        let of = (frame.link, frame.interface);
        let id = match self.interfaces.iter().position(|interface| *interface == of) {
            Some(id) => id,
            None => self.interface(of)?,
        };
        let nanos = frame.at.as_nanos();
        let words = [id as u32, (nanos >> 32) as u32, nanos as u32];
        let words = [words[0], words[1], words[2], frame.bytes.len() as u32, frame.len];
        let head: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        block(&mut self.out, PACKET, &[&head, frame.bytes])
    }

    fn interface(&mut self, of: (LinkType, u32)) -> io::Result<usize> {
        const INTERFACE: u32 = 1;
        /// `if_tsresol`: ten to the minus ninth; and the end of options.
        const NANOSECONDS: [u8; 12] = [9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0];
        let [a, b] = of.0.0.to_le_bytes();
        let link_and_snap_len = [a, b, 0, 0, 0, 0, 0, 0];
        block(&mut self.out, INTERFACE, &[&link_and_snap_len, &NANOSECONDS])?;
        self.interfaces.push(of);
        Ok(self.interfaces.len() - 1)
    }

    /// Hands what was written so far to the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
