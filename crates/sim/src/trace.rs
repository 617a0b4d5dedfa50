//! What happened in a network, kept to be asserted on or printed.

use std::cell::RefCell;
use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;

use handclasp_tcp::Tuple;
use handclasp_tcp::event::{Event, Log};
use handclasp_wire::packet::{Packet, Transport};
use handclasp_wire::tcp::Header;
use handclasp_wire::time::Instant;

use crate::network::HostId;
use crate::tap::{Fate, Seen, Tap};

/// A segment at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When.
    pub at: Instant,
    /// Who sent it.
    pub from: HostId,
    /// From where.
    pub src: SocketAddr,
    /// To where.
    pub dst: SocketAddr,
    /// Its header.
    pub header: Header,
    /// Bytes of payload.
    pub len: usize,
    /// What happens to it.
    pub fate: Fate,
}

impl Entry {
    /// The segment in a packet; `None` if it is none that can be read.
    #[must_use]
    pub fn of(seen: &Seen<'_>) -> Option<Self> {
        let packet = Packet::parse(seen.medium, seen.bytes).ok()?;
        let (src, dst) = packet.addresses()?;
        let Transport::Tcp(tcp) = packet.transport else { return None };
        Some(Self {
            at: seen.at,
            from: seen.from,
            src: SocketAddr::new(src, tcp.src_port()),
            dst: SocketAddr::new(dst, tcp.dst_port()),
            header: tcp.to_header(),
            len: tcp.payload().len(),
            fate: seen.fate,
        })
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, src, dst, header, len, fate, .. } = self;
        let Header { flags, seq, ack, window, .. } = header;
        write!(f, "{at:?} {src} → {dst} {flags:?} seq {} ack {} ", seq.0, ack.0)?;
        write!(f, "win {window} len {len} {:?} {fate:?}", header.options)
    }
}

/// The segments that a network sent, in order.
#[derive(Clone, Debug, Default)]
pub struct Trace(pub Vec<Entry>);

impl Trace {
    /// Those that were sent, whatever became of them.
    pub fn sent(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter().filter(|entry| entry.fate != Fate::Delivered)
    }

    /// Those that one host sent, whatever became of them.
    pub fn sent_by(&self, host: HostId) -> impl Iterator<Item = &Entry> {
        self.sent().filter(move |entry| entry.from == host)
    }
}

impl Tap for Trace {
    fn seen(&mut self, packet: &Seen<'_>) {
        self.0.extend(Entry::of(packet));
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|entry| writeln!(f, "{entry}"))
    }
}

/// Everything that happens, told line by line: packets, and what connections make of them.
#[derive(Debug, Default)]
pub struct Story(RefCell<Vec<String>>);

impl Story {
    /// What happened so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.0.borrow().clone()
    }
}

impl Tap for Rc<Story> {
    fn seen(&mut self, packet: &Seen<'_>) {
        let line = match Entry::of(packet) {
            Some(entry) => entry.to_string(),
            None => format!(
                "{:?} {:?} {} B {:?}",
                packet.at,
                packet.from,
                packet.bytes.len(),
                packet.fate
            ),
        };
        self.0.borrow_mut().push(line);
    }
}

impl Log for Story {
    fn record(&self, at: Instant, tuple: &Tuple, event: &Event<'_>) {
        self.0.borrow_mut().push(format!("{at:?}   {tuple} {event:?}"));
    }
}
