//! What a connection's pictures are made of, in memory that does not grow with its packets.

use std::net::SocketAddr;
use std::time::Duration;

use handclasp_wire::tcp::Flags;
use handclasp_wire::time::Instant;
use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};

use super::histogram::Histogram;
use super::thin::{Merge, Series};
use crate::capture::dissect::Segment;
use crate::flow::Seen;
use crate::mark::Marks;
use crate::nanos;
use crate::track::row::Row;
use crate::track::tale::Tale;
use crate::track::{Both, Fate, Side};

/// Rows of a ladder before only those are kept in which a state changes.
const ROWS: usize = 80;
/// Rows of a ladder at all.
const MAX_ROWS: usize = 160;
/// Rows of plain data in a row before the rest is folded.
const PLAIN_ROWS: u64 = 4;

/// Points of each series where nothing else is said.
pub const POINTS: usize = 4000;

/// One connection, as its pictures show it.
#[derive(Clone, Debug)]
pub struct Course {
    start: Option<Instant>,
    last: Instant,
    sockets: Option<Both<SocketAddr>>,
    tale: Tale,
    plain_run: u64,
    rows: usize,
    /// The ladder's rows.
    pub entries: Vec<Entry>,
    /// What the client sent, and how that was acknowledged.
    pub client: Stream,
    /// The same of the server.
    pub server: Stream,
}

/// A line of a ladder.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A packet.
    Row(Box<Row>),
    /// Packets of plain data and acknowledgments that are not shown.
    Folded {
        /// How many.
        packets: u64,
        /// Bytes of payload in them, from the client and from the server.
        bytes: [u64; 2],
    },
}

/// What a segment is, as a graph shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Data for the first time.
    Data,
    /// Data again.
    Resent,
    /// Data that was overtaken.
    OutOfOrder,
    /// A keep-alive or a probe of a closed window.
    Probe,
    /// A SYN.
    Syn,
    /// A FIN, with data or without.
    Fin,
    /// A RST.
    Reset,
}

/// A segment, or several that are one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// When the first was sent.
    pub from: u64,
    /// When the last was.
    pub to: u64,
    /// The lowest number.
    pub low: u64,
    /// The number behind the highest.
    pub high: u64,
    /// What they are.
    pub kind: Kind,
    /// How many they are.
    pub packets: u32,
    /// The first one's frame.
    pub frame: u64,
}

/// An acknowledgment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack {
    /// When.
    pub at: u64,
    /// The number that is waited for.
    pub ack: u64,
    /// The number behind the window.
    pub edge: u64,
}

/// A block that a SACK option told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sack {
    /// When.
    pub at: u64,
    /// Its first number.
    pub left: u64,
    /// The number behind it.
    pub right: u64,
}

/// A value at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// When.
    pub at: u64,
    /// What.
    pub value: u64,
}

impl Merge for Run {
    fn merge(&mut self, next: &Self, coarse: bool) -> bool {
        // A line from corner to corner shows segments that follow one another as they are.
        let follows = next.low == self.high;
        if self.kind != next.kind || !(coarse || follows && self.kind == Kind::Data) {
            return false;
        }
        (self.low, self.high) = (self.low.min(next.low), self.high.max(next.high));
        self.to = next.to;
        self.packets = self.packets.saturating_add(next.packets);
        true
    }
}

impl Merge for Ack {
    fn merge(&mut self, next: &Self, coarse: bool) -> bool {
        // A window that is closed is worth more than a step less.
        let closed = next.ack == next.edge;
        if !coarse || (self.ack == self.edge) != closed {
            return false;
        }
        *self = *next;
        true
    }
}

impl Merge for Sack {
    fn merge(&mut self, next: &Self, coarse: bool) -> bool {
        let overlaps = next.left <= self.right && self.left <= next.right;
        if coarse && overlaps {
            (self.left, self.right) = (self.left.min(next.left), self.right.max(next.right));
        }
        coarse && overlaps
    }
}

impl Merge for Point {
    /// The higher one stays: peaks are what people look for.
    fn merge(&mut self, next: &Self, coarse: bool) -> bool {
        if coarse && next.value > self.value {
            *self = *next;
        }
        coarse
    }
}

/// What one end sent, and what the other said of it. Times are in nanoseconds from the
/// connection's first packet, numbers count from the ISN and do not wrap.
#[derive(Clone, Debug)]
pub struct Stream {
    segments: Series<Run>,
    acks: Series<Ack>,
    sacks: Series<Sack>,
    round_trips: Series<Point>,
    in_flight: Series<Point>,
    /// Bytes of payload over time, repeated ones included.
    pub bytes: Histogram<1>,
    highest: u64,
    /// The last frame that sent something again.
    last_resent: u64,
}

impl Stream {
    fn new(limit: usize) -> Self {
        Self {
            segments: Series::new(limit),
            acks: Series::new(limit),
            sacks: Series::new(limit / 2),
            round_trips: Series::new(limit / 2),
            in_flight: Series::new(limit / 2),
            bytes: Histogram::new(),
            highest: 0,
            last_resent: 0,
        }
    }

    /// Its segments.
    #[must_use]
    pub fn segments(&self) -> &[Run] {
        &self.segments.points
    }

    /// Acknowledgments of it, and the windows that came with them.
    #[must_use]
    pub fn acks(&self) -> &[Ack] {
        &self.acks.points
    }

    /// SACK blocks about it.
    #[must_use]
    pub fn sacks(&self) -> &[Sack] {
        &self.sacks.points
    }

    /// Round trips of its segments, in nanoseconds.
    #[must_use]
    pub fn round_trips(&self) -> &[Point] {
        &self.round_trips.points
    }

    /// Bytes of it that were not acknowledged.
    #[must_use]
    pub fn in_flight(&self) -> &[Point] {
        &self.in_flight.points
    }

    /// Points that were merged into others because there were too many.
    #[must_use]
    pub const fn merged(&self) -> u64 {
        self.segments.merged + self.acks.merged + self.sacks.merged
    }

    /// A number of 32 bits as one that does not wrap: the one that is nearest to the highest.
    fn unwrapped(&mut self, number: u32) -> u64 {
        let ahead = number.wrapping_sub(self.highest as u32).cast_signed();
        let full = self.highest.checked_add_signed(ahead.into()).unwrap_or(number.into());
        self.highest = self.highest.max(full);
        full
    }
}

impl Course {
    /// The course of a connection of which nothing was seen yet, with up to about `limit`
    /// points in each of its series.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            start: None,
            last: Instant::ZERO,
            sockets: None,
            tale: Tale::default(),
            plain_run: 0,
            rows: 0,
            entries: Vec::new(),
            client: Stream::new(limit),
            server: Stream::new(limit),
        }
    }

    /// What one side sent.
    #[must_use]
    pub const fn stream(&self, side: Side) -> &Stream {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    /// How long it took, as far as was seen.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.start.map_or(Duration::ZERO, |start| self.last.saturating_since(start))
    }

    /// Both ends' sockets, if a packet was seen.
    #[must_use]
    pub const fn sockets(&self) -> Option<Both<SocketAddr>> {
        self.sockets
    }

    /// The next packet of the connection.
    pub fn see(&mut self, segment: &Segment<'_>, seen: &Seen) {
        let start = *self.start.get_or_insert(segment.at);
        let at = nanos::count(segment.at.saturating_since(start));
        let side = seen.side();
        self.last = segment.at;
        self.add_row(segment, seen, side);
        let (sender, receiver) = match side {
            Side::Client => (&mut self.client, &mut self.server),
            Side::Server => (&mut self.server, &mut self.client),
        };
        sender.sent(at, segment, seen);
        receiver.acknowledged(at, segment, seen);
    }

    fn add_row(&mut self, segment: &Segment<'_>, seen: &Seen, side: Side) {
        let (client, server) = match side {
            Side::Client => (segment.src, segment.dst),
            Side::Server => (segment.dst, segment.src),
        };
        self.sockets.get_or_insert(Both { client, server });
        let row = self.tale.row(segment, Fate::Arrived, seen);
        self.plain_run = if row.is_plain() { self.plain_run + 1 } else { 0 };
        let late = self.rows >= ROWS && !row.turning;
        if self.plain_run <= PLAIN_ROWS && !late && self.rows < MAX_ROWS {
            self.rows += 1;
            return self.entries.push(Entry::Row(Box::new(row)));
        }
        let (side, len) = (usize::from(side == Side::Server), u64::from(segment.len));
        if let Some(Entry::Folded { packets, bytes }) = self.entries.last_mut() {
            *packets += 1;
            bytes[side] += len;
            return;
        }
        let mut bytes = [0; 2];
        bytes[side] = len;
        self.entries.push(Entry::Folded { packets: 1, bytes });
    }
}

fn kind(segment: &Segment<'_>, seen: &Seen) -> Option<Kind> {
    let (flags, marks) = (segment.header.flags, seen.analysis.marks);
    let probe = Marks::KEEP_ALIVE | Marks::ZERO_WINDOW_PROBE;
    Some(match () {
        () if flags.contains(Flags::RST) => Kind::Reset,
        () if flags.contains(Flags::SYN) => Kind::Syn,
        () if marks.intersects(probe) => Kind::Probe,
        () if marks.contains(Marks::RETRANSMISSION) => Kind::Resent,
        () if marks.contains(Marks::OUT_OF_ORDER) => Kind::OutOfOrder,
        () if flags.contains(Flags::FIN) => Kind::Fin,
        () if segment.len > 0 => Kind::Data,
        () => return None,
    })
}

impl Stream {
    /// One more segment of this end.
    fn sent(&mut self, at: u64, segment: &Segment<'_>, seen: &Seen) {
        if seen.analysis.marks.contains(Marks::RETRANSMISSION) {
            self.last_resent = segment.number;
        }
        if segment.len > 0 {
            self.bytes.add(Duration::from_nanos(at), 0, segment.len.into());
        }
        if let Some(value) = seen.analysis.bytes_in_flight {
            self.in_flight.push(Point { at, value: value.into() });
        }
        let Some(kind) = kind(segment, seen) else { return };
        // A RST's number need not be one of the stream's.
        let low = match kind {
            Kind::Reset => self.highest,
            _ => self.unwrapped(seen.analysis.seq),
        };
        let controls = segment.header.flags.intersects(Flags::SYN | Flags::FIN);
        let high = low + u64::from(segment.len) + u64::from(controls);
        self.highest = self.highest.max(high);
        let frame = segment.number;
        self.segments.push(Run { from: at, to: at, low, high, kind, packets: 1, frame });
    }

    /// A segment of the other end.
    fn acknowledged(&mut self, at: u64, segment: &Segment<'_>, seen: &Seen) {
        let (header, analysis) = (&segment.header, &seen.analysis);
        if !header.flags.contains(Flags::ACK) || header.flags.contains(Flags::RST) {
            return;
        }
        if let Some(acks) = analysis.acks
            && acks.frame > self.last_resent
        {
            self.round_trips.push(Point { at, value: nanos::count(acks.time) });
        }
        let base = header.ack - analysis.ack;
        let ack = self.unwrapped(analysis.ack);
        self.acks.push(Ack { at, ack, edge: ack + u64::from(analysis.window) });
        for block in header.options.sack.as_slice() {
            let left = self.near(ack, block.left - base);
            let right = self.near(ack, block.right - base);
            if left < right {
                self.sacks.push(Sack { at, left, right });
            }
        }
    }

    /// As [`Self::unwrapped`], of a number that nobody need believe.
    fn near(&self, full: u64, number: u32) -> u64 {
        let ahead = number.wrapping_sub(full as u32).cast_signed();
        full.checked_add_signed(ahead.into()).unwrap_or(number.into())
    }
}

/// Numbers in a row, which is the shortest form.
fn flat<S: Serializer, T, const N: usize>(
    serializer: S,
    points: &[T],
    numbers: impl Fn(&T) -> [u64; N],
) -> Result<S::Ok, S::Error> {
    let mut sequence = serializer.serialize_seq(Some(points.len() * N))?;
    for point in points {
        numbers(point).iter().try_for_each(|number| sequence.serialize_element(number))?;
    }
    sequence.end()
}

/// A stream for a page's script: of each series the numbers of all points in a row.
#[derive(Serialize)]
pub(super) struct Numbers<'a> {
    #[serde(serialize_with = "runs")]
    segments: &'a [Run],
    #[serde(serialize_with = "acks")]
    acks: &'a [Ack],
    #[serde(serialize_with = "sacks")]
    sacks: &'a [Sack],
    #[serde(serialize_with = "values")]
    rtt: &'a [Point],
    #[serde(serialize_with = "values")]
    flight: &'a [Point],
    bytes: &'a Histogram<1>,
    merged: u64,
}

impl<'a> Numbers<'a> {
    pub(super) fn new(stream: &'a Stream) -> Self {
        Self {
            segments: stream.segments(),
            acks: stream.acks(),
            sacks: stream.sacks(),
            rtt: stream.round_trips(),
            flight: stream.in_flight(),
            bytes: &stream.bytes,
            merged: stream.merged(),
        }
    }
}

fn runs<S: Serializer>(points: &[Run], serializer: S) -> Result<S::Ok, S::Error> {
    flat(serializer, points, |run| {
        let span = [run.from, run.to - run.from, run.low, run.high - run.low];
        let [from, time, low, len] = span;
        [from, time, low, len, run.kind as u64, run.packets.into(), run.frame]
    })
}

fn acks<S: Serializer>(points: &[Ack], serializer: S) -> Result<S::Ok, S::Error> {
    flat(serializer, points, |ack| [ack.at, ack.ack, ack.edge - ack.ack])
}

fn sacks<S: Serializer>(points: &[Sack], serializer: S) -> Result<S::Ok, S::Error> {
    flat(serializer, points, |sack| [sack.at, sack.left, sack.right - sack.left])
}

fn values<S: Serializer>(points: &[Point], serializer: S) -> Result<S::Ok, S::Error> {
    flat(serializer, points, |point| [point.at, point.value])
}

#[cfg(test)]
#[path = "course_tests.rs"]
mod tests;
