//! Packets out of capture files: pcap and pcapng in every variant, compressed with gzip or not.
//!
//! A [`Reader`] takes bytes from any [`Read`] and lends one [`Frame`] after the other; its
//! memory does not depend on how many there are. A damaged file is read as far as it goes, and
//! the error says at which byte it broke. What a frame carries is found by [`dissect`].
//!
//! The readers are our own because a file may end anywhere and be wrong anywhere, and people
//! who look into captures want to know where.

pub mod dissect;
pub mod fragments;
pub mod link;
mod pcap;
mod pcapng;
mod source;
mod tunnel;
pub mod writer;

use std::fmt;
use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use handclasp_wire::time::Instant;

use link::LinkType;
use source::Source;

/// A packet larger than this is taken for damage: 16 MiB, 64 times what tcpdump writes at most.
pub const MAX_PACKET: usize = 1 << 24;

/// What a capture keeps of one packet.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Its number in the file, from 1 on, as Wireshark counts (`frame.number`).
    pub number: u64,
    /// When it was seen, since 1970; zero where the file does not say.
    pub at: Instant,
    /// What its bytes begin with.
    pub link: LinkType,
    /// The interface it was seen at, from 0 on; a pcap file has one only.
    pub interface: u32,
    /// How many bytes the packet had, of which `bytes` may be the beginning.
    pub len: u32,
    /// What was kept of it.
    pub bytes: &'a [u8],
}

/// What is wrong with a capture file.
#[derive(Debug)]
#[non_exhaustive]
pub enum Cause {
    /// The first bytes are none of a capture that is known here.
    UnknownFormat([u8; 4]),
    /// The file ends within this.
    CutShort(&'static str),
    /// This has a length that is impossible.
    BadLength(&'static str, u32),
    /// A section of a pcapng file does not tell its byte order.
    UnknownByteOrder,
    /// A packet names an interface that was not described.
    UnknownInterface(u32),
    /// The bytes could not be had.
    Io(io::Error),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownFormat([a, b, c, d]) => {
                write!(f, "neither pcap nor pcapng: it begins with {a:02x}{b:02x}{c:02x}{d:02x}")
            }
            Self::CutShort(what) => write!(f, "the file ends within {what}"),
            Self::BadLength(what, len) => write!(f, "{what} claims {len} bytes"),
            Self::UnknownByteOrder => f.write_str("a section without a byte order"),
            Self::UnknownInterface(id) => {
                write!(f, "a packet from interface {id}, which is not described")
            }
            Self::Io(error) => error.fmt(f),
        }
    }
}

/// Where a capture file broke, and why.
#[derive(Debug)]
pub struct Broken {
    /// The first byte of what could not be read: of the file, or of what gzip made of it.
    pub offset: u64,
    /// What is wrong there.
    pub cause: Cause,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: {}", self.offset, self.cause)
    }
}

impl std::error::Error for Broken {}

/// The format of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// libpcap's.
    Pcap,
    /// The newer one, made of blocks.
    Pcapng,
}

enum Kind {
    Pcap(pcap::Pcap),
    Pcapng(pcapng::Pcapng),
}

/// Reads a capture, packet by packet.
pub struct Reader<R> {
    source: Source<Plain<R>>,
    kind: Kind,
    /// Packets that were read.
    number: u64,
    over: bool,
}

impl<R: Read> Reader<R> {
    /// Reads the beginning of a capture.
    ///
    /// # Errors
    /// If it is not the beginning of one.
    pub fn new(read: R) -> Result<Self, Broken> {
        let mut source = Source::new(Plain::new(read)?);
        let kind = match source.peek::<4>("the file header")? {
            pcapng::MAGIC => Kind::Pcapng(pcapng::Pcapng::default()),
            magic => Kind::Pcap(pcap::Pcap::open(magic, &mut source)?),
        };
        Ok(Self { source, kind, number: 0, over: false })
    }

    /// Which of the two it is.
    #[must_use]
    pub const fn format(&self) -> Format {
        match self.kind {
            Kind::Pcap(_) => Format::Pcap,
            Kind::Pcapng(_) => Format::Pcapng,
        }
    }

    /// How many bytes were read so far, after decompression: for a bar that shows progress.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.source.offset()
    }

    /// The next packet; `None` at the end.
    ///
    /// # Errors
    /// If the file is damaged. That is told once; afterwards the file is at its end.
    // An iterator could not lend its items.
    #[expect(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, Broken> {
        if self.over {
            return Ok(None);
        }
        // Set until a packet was read: whatever ends the reading ends it for good.
        self.over = true;
        let record = match &mut self.kind {
            Kind::Pcap(pcap) => pcap.next(&mut self.source)?,
            Kind::Pcapng(pcapng) => pcapng.next(&mut self.source)?,
        };
        let Some(record) = record else { return Ok(None) };
        self.over = false;
        self.number += 1;
        Ok(Some(Frame {
            number: self.number,
            at: record.at,
            link: record.link,
            interface: record.interface,
            len: record.len,
            bytes: self.source.last(record.captured),
        }))
    }
}

/// A packet whose bytes are the last ones that the source handed out.
struct Record {
    at: Instant,
    link: LinkType,
    interface: u32,
    len: u32,
    captured: usize,
}

/// A file as it is, or unpacked.
enum Plain<R> {
    As(io::Chain<io::Cursor<Vec<u8>>, R>),
    Gzip(Box<MultiGzDecoder<io::Chain<io::Cursor<Vec<u8>>, R>>>),
}

impl<R: Read> Plain<R> {
    fn new(mut read: R) -> Result<Self, Broken> {
        let mut start = Vec::new();
        read.by_ref()
            .take(2)
            .read_to_end(&mut start)
            .map_err(|error| Broken { offset: 0, cause: Cause::Io(error) })?;
        let gzip = start == [0x1f, 0x8b];
        let whole = io::Cursor::new(start).chain(read);
        Ok(match gzip {
            true => Self::Gzip(Box::new(MultiGzDecoder::new(whole))),
            false => Self::As(whole),
        })
    }
}

impl<R: Read> Read for Plain<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::As(read) => read.read(buf),
            Self::Gzip(read) => read.read(buf),
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
