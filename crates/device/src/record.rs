//! Recording packets to a pcapng file, for Wireshark and its like.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io::{self, BufWriter, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use handclasp_wire::frame::Medium;
use pcap_file::DataLink;
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption, InterfaceTsResolution,
};
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};

use crate::tap::{Direction, Tap, Tapped};

/// A device whose packets are recorded.
pub type Recorded<D, W> = Tapped<D, Recorder<W>>;

/// Writes the packets it sees to a pcapng file: both directions, each marked with its own, at
/// the nanosecond.
///
/// Its clones write to the same file, so one goes with the device and another stays to
/// [`finish`](Self::finish) the recording.
///
/// A file that cannot be written does not end the connections that are recorded: the recording
/// stops there, and `finish` says why.
pub struct Recorder<W: Write>(Arc<Mutex<Recording<W>>>);

impl<W: Write> Recorder<W> {
    /// Starts a recording of packets that begin as `medium` says, on an interface of this name.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn new(writer: W, medium: Medium, interface: &str) -> io::Result<Self> {
        let application = concat!("handclasp ", env!("CARGO_PKG_VERSION"));
        let section = SectionHeaderBlock {
            options: vec![SectionHeaderOption::UserApplication(application.into())],
            ..SectionHeaderBlock::default()
        };
        let writer = BufWriter::new(writer);
        let mut file = PcapNgWriter::with_section_header(writer, section).map_err(io_error)?;
        let description = InterfaceDescriptionBlock {
            linktype: match medium {
                Medium::Ethernet => DataLink::ETHERNET,
                Medium::Ip => DataLink::RAW,
            },
            snaplen: 0,
            options: vec![
                InterfaceDescriptionOption::IfName(interface.into()),
                InterfaceDescriptionOption::IfTsResol(InterfaceTsResolution::NANO),
            ],
        };
        file.write_pcapng_block(description).map_err(io_error)?;
        let (monotonic, wall) = (Instant::now(), SystemTime::now());
        let began = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
        let recording = Recording { file, monotonic, began, packets: 0, failure: None };
        Ok(Self(Arc::new(Mutex::new(recording))))
    }

    /// Packets written so far.
    #[must_use]
    pub fn packets(&self) -> u64 {
        self.lock().packets
    }

    /// Hands what was recorded so far to the writer.
    ///
    /// # Errors
    ///
    /// What stopped the recording; it is told once.
    pub fn flush(&self) -> io::Result<()> {
        self.lock().flush()
    }

    /// Ends the recording for this handle, and says how many packets are in it.
    ///
    /// # Errors
    ///
    /// What stopped the recording; it is told once.
    pub fn finish(self) -> io::Result<u64> {
        let mut recording = self.lock();
        recording.flush().map(|()| recording.packets)
    }

    fn lock(&self) -> MutexGuard<'_, Recording<W>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Write + Send> Tap for Recorder<W> {
    fn packet(&mut self, at: Instant, direction: Direction, bytes: &[u8]) {
        self.lock().packet(at, direction, bytes);
    }
}

impl<W: Write> Clone for Recorder<W> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<W: Write> fmt::Debug for Recorder<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("packets", &self.packets()).finish_non_exhaustive()
    }
}

struct Recording<W: Write> {
    file: PcapNgWriter<BufWriter<W>>,
    /// A moment, by the clock that packets are timed with, ...
    monotonic: Instant,
    /// ... and the same by the calendar, as time since 1970. The calendar's clock is read only
    /// here, so that times do not jump when it is set.
    began: Duration,
    packets: u64,
    failure: Option<Failure>,
}

/// Why nothing more is written.
enum Failure {
    Untold(io::Error),
    Told,
}

impl<W: Write> Recording<W> {
    fn packet(&mut self, at: Instant, direction: Direction, bytes: &[u8]) {
        if self.failure.is_some() {
            return;
        }
        let since = self.began + at.saturating_duration_since(self.monotonic);
        let earlier = self.monotonic.saturating_duration_since(at);
        let block = EnhancedPacketBlock {
            interface_id: 0,
            timestamp: since.saturating_sub(earlier),
            // An IP packet with its link header is far below 4 GB.
            original_len: bytes.len() as u32,
            data: Cow::Borrowed(bytes),
            options: vec![EnhancedPacketOption::Flags(match direction {
                Direction::In => 1,
                Direction::Out => 2,
            })],
        };
        match self.file.write_pcapng_block(block) {
            Ok(_) => self.packets += 1,
            Err(error) => self.failure = Some(Failure::Untold(io_error(error))),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(failure) = &mut self.failure {
            return match std::mem::replace(failure, Failure::Told) {
                Failure::Untold(error) => Err(error),
                Failure::Told => Ok(()),
            };
        }
        let flushed = self.file.get_mut().flush();
        if flushed.is_err() {
            self.failure = Some(Failure::Told);
        }
        flushed
    }
}

impl<W: Write> Drop for Recording<W> {
    fn drop(&mut self) {
        if let Err(error) = self.flush() {
            // Nobody asked and nobody is left to be told, but the file is not whole.
            let _ = writeln!(io::stderr(), "handclasp: the recording is incomplete: {error}");
        }
    }
}

/// The writer's own error, which the encoder's has for a source. The encoder's cannot be named.
pub(crate) fn io_error<E: Error + Send + Sync + 'static>(error: E) -> io::Error {
    match error.source().and_then(|source| source.downcast_ref::<io::Error>()) {
        Some(source) => io::Error::new(source.kind(), source.to_string()),
        None => io::Error::new(io::ErrorKind::InvalidData, error),
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
