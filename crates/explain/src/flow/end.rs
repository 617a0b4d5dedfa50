//! What one end of a connection sent, counted as tcptrace counts.

use std::time::Duration;

use handclasp_wire::tcp::Flags;
use handclasp_wire::time::Instant;

use crate::capture::dissect::Segment;
use crate::mark::{Analysis, Marks, Scale};
use crate::nanos;

/// Totals of one direction. Bytes are of payload.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub struct Counts {
    /// Segments.
    pub packets: u64,
    /// Segments with ACK.
    pub acks: u64,
    /// Segments with ACK and nothing else: no data, SYN, FIN or RST.
    pub pure_acks: u64,
    /// Segments with SACK blocks.
    pub sacks: u64,
    /// Of these, those whose first block repeats what was acknowledged (RFC 2883).
    pub dsacks: u64,
    /// The most blocks in one segment.
    pub max_sack_blocks: u8,
    /// Segments with data.
    pub data_packets: u64,
    /// Bytes in them, repeated ones included.
    pub data_bytes: u64,
    /// Bytes that were new when they were sent.
    pub unique_bytes: u64,
    /// Segments with data that was sent before.
    pub resent_packets: u64,
    /// Bytes of data that were sent before.
    pub resent_bytes: u64,
    /// Probes of a closed window.
    pub probes: u64,
    /// Segments that were overtaken.
    pub out_of_order: u64,
    /// Segments with data and PSH.
    pub pushed: u64,
    /// SYNs.
    pub syns: u32,
    /// FINs.
    pub fins: u32,
    /// RSTs.
    pub resets: u32,
    /// Segments with URG.
    pub urgent: u64,
    /// Largest payload.
    pub max_segment: u32,
    /// Smallest payload of those that have one.
    pub min_segment: u32,
    /// Largest window, in bytes. A SYN's counts only if the others are not scaled.
    pub max_window: u32,
    /// Smallest window that is not zero, in bytes.
    pub min_window: u32,
    /// Windows of zero.
    pub zero_windows: u64,
    /// Most bytes that were not acknowledged.
    pub max_in_flight: u32,
    /// Bytes of payload that the capture did not keep.
    pub truncated_bytes: u64,
    /// Segments whose checksum is wrong.
    pub bad_checksums: u64,
    /// Segments that told of congestion: CE in the IP header.
    pub congestion_marks: u64,
    /// Repeated acknowledgments.
    pub duplicate_acks: u64,
    /// Times that one was repeated for the third time.
    pub triple_duplicate_acks: u64,
    /// The longest silence, in nanoseconds.
    #[serde(rename = "max_idle_ns", serialize_with = "nanos::of")]
    pub max_idle: Duration,
}

/// Round trips, from a segment of this end to its acknowledgment.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub struct RoundTrips {
    /// How many were measured.
    pub samples: u64,
    /// The shortest, in nanoseconds.
    #[serde(rename = "min_ns", serialize_with = "nanos::of")]
    pub min: Duration,
    /// The longest, in nanoseconds.
    #[serde(rename = "max_ns", serialize_with = "nanos::of")]
    pub max: Duration,
    #[serde(rename = "sum_ns", serialize_with = "nanos::of")]
    sum: Duration,
}

impl RoundTrips {
    pub(super) fn add(&mut self, time: Duration) {
        self.min = if self.samples == 0 { time } else { self.min.min(time) };
        self.max = self.max.max(time);
        self.sum = self.sum.saturating_add(time);
        self.samples += 1;
    }

    /// Their mean; `None` if there are none.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        let samples = u32::try_from(self.samples).unwrap_or(u32::MAX);
        (samples > 0).then(|| self.sum / samples)
    }
}

/// What an end offered in its SYN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Offer {
    /// Maximum segment size, in bytes.
    pub mss: Option<u16>,
    /// Window scale, as a shift.
    pub window_scale: Option<u8>,
    /// Whether it takes SACK.
    pub sack: bool,
    /// Whether it sends timestamps.
    pub timestamps: bool,
}

/// One end of a connection: what it sent.
#[derive(Clone, Debug, Default)]
pub struct End {
    /// Totals.
    pub counts: Counts,
    /// Round trips of what it sent.
    pub round_trips: RoundTrips,
    /// What its SYN offered, if that was captured.
    pub offer: Option<Offer>,
    /// Its first segment's time to live.
    pub ttl: Option<u8>,
    /// The ISN, if its SYN was captured.
    pub isn: Option<u32>,
    /// The number behind the last byte that was counted as new.
    counted: Option<handclasp_wire::seq::SeqNumber>,
    /// Whether a window of it was scaled.
    scaled: bool,
    /// When it sent last.
    last: Option<Instant>,
}

impl End {
    pub(super) fn count(&mut self, segment: &Segment<'_>, analysis: &Analysis) {
        self.count_header(segment, analysis);
        if segment.len > 0 {
            self.count_data(segment, analysis);
        }
        if let Some(last) = self.last.replace(segment.at) {
            self.counts.max_idle = self.counts.max_idle.max(segment.at - last);
        }
        self.ttl.get_or_insert(segment.ip.ttl);
        let header = &segment.header;
        if header.flags.contains(Flags::SYN) {
            let options = &header.options;
            self.isn = Some(header.seq.0);
            self.offer = Some(Offer {
                mss: options.mss,
                window_scale: options.window_scale,
                sack: options.sack_permitted,
                timestamps: options.timestamps.is_some(),
            });
        }
    }

    fn count_header(&mut self, segment: &Segment<'_>, analysis: &Analysis) {
        let (flags, counts) = (segment.header.flags, &mut self.counts);
        let has = |flag| flags.contains(flag);
        let controls = flags.intersects(Flags::SYN | Flags::FIN | Flags::RST);
        counts.packets += 1;
        counts.acks += u64::from(has(Flags::ACK));
        counts.pure_acks += u64::from(has(Flags::ACK) && segment.len == 0 && !controls);
        counts.syns += u32::from(has(Flags::SYN));
        counts.fins += u32::from(has(Flags::FIN));
        counts.resets += u32::from(has(Flags::RST));
        counts.urgent += u64::from(has(Flags::URG));
        counts.bad_checksums += u64::from(segment.checksum_ok == Some(false));
        counts.congestion_marks += u64::from(segment.ip.ecn == handclasp_wire::ip::Ecn::Ce);
        counts.out_of_order += u64::from(analysis.marks.contains(Marks::OUT_OF_ORDER));
        if let Some(duplicate) = analysis.duplicate_ack {
            counts.duplicate_acks += 1;
            counts.triple_duplicate_acks += u64::from(duplicate.count == 3);
        }
        let blocks = segment.header.options.sack.as_slice();
        if let Some(first) = blocks.first() {
            counts.sacks += 1;
            counts.max_sack_blocks = counts.max_sack_blocks.max(blocks.len() as u8);
            let within = |b: &handclasp_wire::tcp::options::SackBlock| {
                first.left.ge(b.left) && first.right.le(b.right)
            };
            let repeats = first.right.le(segment.header.ack);
            counts.dsacks += u64::from(repeats || blocks.get(1).is_some_and(within));
        }
        // A RST's window says nothing.
        if !has(Flags::RST) {
            self.count_window(analysis);
        }
    }

    fn count_window(&mut self, analysis: &Analysis) {
        let (window, counts) = (analysis.window, &mut self.counts);
        // A SYN's window is not scaled: if others are, it is no measure for them.
        let scaled = matches!(analysis.scale, Some(Scale::Shift(_)));
        if scaled && !std::mem::replace(&mut self.scaled, true) {
            (counts.max_window, counts.min_window) = (0, 0);
        }
        if analysis.scale.is_none() && self.scaled {
            return;
        }
        counts.zero_windows += u64::from(window == 0);
        counts.max_window = counts.max_window.max(window);
        if window > 0 {
            let none = counts.min_window == 0;
            counts.min_window = if none { window } else { counts.min_window.min(window) };
        }
    }

    fn count_data(&mut self, segment: &Segment<'_>, analysis: &Analysis) {
        let (len, header, counts) = (segment.len, &segment.header, &mut self.counts);
        let start = header.seq + u32::from(header.flags.contains(Flags::SYN));
        let end = start + len;
        let new = match self.counted {
            Some(counted) if end.le(counted) => 0,
            Some(counted) if start.lt(counted) => end - counted,
            _ => len,
        };
        self.counted = Some(self.counted.map_or(end, |counted| counted.max(end)));
        let late = analysis.marks.contains(Marks::OUT_OF_ORDER);
        let probe = analysis.marks.contains(Marks::ZERO_WINDOW_PROBE);
        counts.probes += u64::from(probe);
        counts.data_packets += 1;
        counts.data_bytes += u64::from(len);
        // What was overtaken is new although its numbers are not the highest.
        let fresh = if late { len } else { new };
        counts.unique_bytes += u64::from(fresh);
        counts.resent_bytes += u64::from(len - fresh);
        counts.resent_packets += u64::from(fresh < len);
        counts.pushed += u64::from(header.flags.contains(Flags::PSH));
        counts.max_segment = counts.max_segment.max(len);
        let first = counts.data_packets == 1;
        counts.min_segment = if first { len } else { counts.min_segment.min(len) };
        counts.truncated_bytes += u64::from(len).saturating_sub(segment.payload.len() as u64);
        counts.max_in_flight = counts.max_in_flight.max(analysis.bytes_in_flight.unwrap_or(0));
    }
}
