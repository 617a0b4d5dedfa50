//! Captured packets, saved to pcapng files that take turns.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use handclasp_wire::frame::Medium;
use handclasp_wire::time::Instant;
use pcap_file::DataLink;
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption, InterfaceTsResolution,
};
use pcap_file::pcapng::blocks::interface_statistics::{
    InterfaceStatisticsBlock, InterfaceStatisticsOption,
};
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};

use crate::record::io_error;
use crate::tap::Direction;

/// When the next file begins. Without limits there is one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Behind the packet with which a file has so many bytes.
    pub size: Option<u64>,
    /// Before the first packet that is so much later than the file's first one.
    pub time: Option<Duration>,
    /// How many files there may be; the oldest one goes when there is one more.
    pub files: Option<usize>,
}

impl Rotation {
    /// Whether there may be more than one file.
    #[must_use]
    pub const fn rotates(&self) -> bool {
        self.size.is_some() || self.time.is_some()
    }
}

/// What the files tell of the capture.
#[derive(Clone, Debug)]
pub struct Source {
    /// The interface's name.
    pub interface: String,
    /// What packets begin with.
    pub medium: Medium,
    /// Bytes of each packet that are kept.
    pub snap_len: u32,
    /// The filter as it was typed.
    pub filter: String,
}

/// A captured packet, as a file has it.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// When it was seen, since 1970.
    pub at: Instant,
    /// Which way it went.
    pub direction: Direction,
    /// How many bytes it had.
    pub len: u32,
    /// What was kept of it.
    pub bytes: &'a [u8],
}

/// Totals of a capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Packets written.
    pub packets: u64,
    /// Their bytes, as far as they were kept.
    pub bytes: u64,
    /// Files written, also those that went since.
    pub files: u64,
}

/// Writes packets to one file after the other.
pub struct Files {
    place: Place,
    rotation: Rotation,
    source: Source,
    current: Option<Current>,
    /// Those that are there, the oldest first.
    names: VecDeque<PathBuf>,
    saved: Saved,
}

enum Place {
    Path(PathBuf),
    Stream(Option<Box<dyn Write>>),
}

struct Current {
    file: PcapNgWriter<BufWriter<Box<dyn Write>>>,
    /// Bytes in it.
    written: u64,
    first: Option<Instant>,
    last: Instant,
}

impl Files {
    /// Writes to a file at `path`, which it makes at once. With a rotation, each file's number
    /// stands behind the name: `trace.pcapng` becomes `trace_00001.pcapng`.
    ///
    /// # Errors
    ///
    /// The file cannot be made.
    pub fn create(path: &Path, rotation: Rotation, source: Source) -> io::Result<Self> {
        Self::begin(Place::Path(path.to_owned()), rotation, source)
    }

    /// Writes to a stream, such as standard output.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn stream(to: impl Write + 'static, source: Source) -> io::Result<Self> {
        Self::begin(Place::Stream(Some(Box::new(to))), Rotation::default(), source)
    }

    fn begin(place: Place, rotation: Rotation, source: Source) -> io::Result<Self> {
        let (names, saved) = (VecDeque::new(), Saved::default());
        let mut files = Self { place, rotation, source, current: None, names, saved };
        files.open()?;
        Ok(files)
    }

    /// Totals so far.
    #[must_use]
    pub const fn saved(&self) -> Saved {
        self.saved
    }

    /// The files that are there, the oldest first; none if it is a stream.
    pub fn names(&self) -> impl Iterator<Item = &Path> {
        self.names.iter().map(PathBuf::as_path)
    }

    /// Writes one packet.
    ///
    /// # Errors
    ///
    /// The file cannot be written, or the next one cannot be made.
    pub fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        if self.is_full(packet.at) {
            self.close(None)?;
            self.open()?;
        }
        let Some(current) = &mut self.current else { return Ok(()) };
        let block = EnhancedPacketBlock {
            interface_id: 0,
            timestamp: Duration::from_nanos(packet.at.as_nanos()),
            original_len: packet.len,
            data: Cow::Borrowed(packet.bytes),
            options: vec![EnhancedPacketOption::Flags(match packet.direction {
                Direction::In => 1,
                Direction::Out => 2,
            })],
        };
        current.written += current.file.write_pcapng_block(block).map_err(io_error)? as u64;
        current.first.get_or_insert(packet.at);
        current.last = packet.at;
        self.saved.packets += 1;
        self.saved.bytes += packet.bytes.len() as u64;
        Ok(())
    }

    fn is_full(&self, now: Instant) -> bool {
        let Some(current) = &self.current else { return false };
        let long = self.rotation.size.is_some_and(|size| current.written >= size);
        let old = self.rotation.time.zip(current.first);
        // No file is without a packet.
        current.first.is_some() && (long || old.is_some_and(|(time, first)| now - first >= time))
    }

    fn open(&mut self) -> io::Result<()> {
        self.saved.files += 1;
        let out: Box<dyn Write> = match &mut self.place {
            Place::Stream(stream) => stream.take().unwrap_or_else(|| Box::new(io::sink())),
            Place::Path(path) => {
                let path = match self.rotation.rotates() {
                    true => numbered(path, self.saved.files),
                    false => path.clone(),
                };
                let file = File::create(&path)?;
                self.names.push_back(path);
                while self.rotation.files.is_some_and(|files| self.names.len() > files.max(1)) {
                    if let Some(oldest) = self.names.pop_front() {
                        std::fs::remove_file(oldest)?;
                    }
                }
                Box::new(file)
            }
        };
        let (file, written) = beginning(out, &self.source)?;
        let written = written as u64;
        self.current = Some(Current { file, written, first: None, last: Instant::ZERO });
        Ok(())
    }

    /// Hands what was written so far to the system.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.current.as_mut().map_or(Ok(()), |current| current.file.get_mut().flush())
    }

    fn close(&mut self, counted: Option<(u64, u64)>) -> io::Result<()> {
        let Some(mut current) = self.current.take() else { return Ok(()) };
        if let Some((passed, dropped)) = counted {
            let block = InterfaceStatisticsBlock {
                interface_id: 0,
                timestamp: Duration::from_nanos(current.last.as_nanos()),
                options: vec![
                    InterfaceStatisticsOption::IsbFilterAccept(passed),
                    InterfaceStatisticsOption::IsbOsDrop(dropped),
                ],
            };
            current.file.write_pcapng_block(block).map_err(io_error)?;
        }
        current.file.get_mut().flush()
    }

    /// Ends the last file, with how many packets passed the filter and how many of them the
    /// kernel dropped.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn finish(mut self, passed: u64, dropped: u64) -> io::Result<Saved> {
        self.close(Some((passed, dropped)))?;
        Ok(self.saved)
    }
}

/// `trace.pcapng` and 7 make `trace_00007.pcapng`.
fn numbered(path: &Path, number: u64) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("_{number:05}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

type Pcapng = PcapNgWriter<BufWriter<Box<dyn Write>>>;

fn beginning(out: Box<dyn Write>, source: &Source) -> io::Result<(Pcapng, usize)> {
    let application = concat!("handclasp ", env!("CARGO_PKG_VERSION"));
    let section = SectionHeaderBlock {
        options: vec![SectionHeaderOption::UserApplication(application.into())],
        ..SectionHeaderBlock::default()
    };
    let out = BufWriter::with_capacity(1 << 16, out);
    let mut file = PcapNgWriter::with_section_header(out, section).map_err(io_error)?;
    let mut options = vec![
        InterfaceDescriptionOption::IfName(source.interface.as_str().into()),
        InterfaceDescriptionOption::IfTsResol(InterfaceTsResolution::NANO),
    ];
    if !source.filter.is_empty() {
        // Code 0: the filter as text.
        let text = [&[0], source.filter.as_bytes()].concat();
        options.push(InterfaceDescriptionOption::IfFilter(text.into()));
    }
    let description = InterfaceDescriptionBlock {
        linktype: match source.medium {
            Medium::Ethernet => DataLink::ETHERNET,
            Medium::Ip => DataLink::RAW,
        },
        snaplen: source.snap_len,
        options,
    };
    let written = file.write_pcapng_block(description).map_err(io_error)?;
    file.get_mut().flush()?;
    Ok((file, written))
}

#[cfg(test)]
#[path = "save_tests.rs"]
mod tests;
