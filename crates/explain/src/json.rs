//! Rows and totals for programs: objects for JSON Lines, with Wireshark's field names.
//!
//! Each has `v`, the version of these names, and `type`. Times are in nanoseconds since
//! whoever saw the packets began to look; `tcp.seq`
//! and its like count from the ISN and `tcp.seq_raw` is as in the header.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use handclasp_wire::tcp::Flags;
use serde::Serialize;

use crate::capture::dissect;

use crate::catalogue::findings::Findings;
use crate::catalogue::{Cast, Language, Message};
use crate::filter;
use crate::filter::field::{Field, Fields};
use crate::finding::{Finding, Says, Severity};
use crate::flow::Flow;
use crate::flow::end::{Counts, End, Offer, RoundTrips};
use crate::mark::Marks;
use crate::nanos;
use crate::track::row::{Known, Row};
use crate::track::summary::{Ending, Summary};
use crate::track::{Both, Fate, Side};

/// The version of the names below. It changes when one changes its meaning or goes away.
pub const VERSION: u32 = 1;

/// One packet.
#[derive(Clone, Debug, Serialize)]
pub struct Packet {
    v: u32,
    r#type: &'static str,
    time_ns: u64,
    #[serde(rename = "tcp.stream")]
    stream: u64,
    #[serde(rename = "frame.number")]
    number: u64,
    from: Side,
    #[serde(rename = "tcp.seq")]
    seq: u32,
    #[serde(rename = "tcp.seq_raw")]
    seq_raw: u32,
    #[serde(rename = "tcp.ack", skip_serializing_if = "Option::is_none")]
    ack: Option<u32>,
    #[serde(rename = "tcp.ack_raw", skip_serializing_if = "Option::is_none")]
    ack_raw: Option<u32>,
    #[serde(rename = "tcp.flags")]
    flags: u16,
    #[serde(rename = "tcp.flags.letters")]
    letters: String,
    #[serde(rename = "tcp.len")]
    len: usize,
    #[serde(rename = "tcp.window_size_value")]
    raw_window: u16,
    #[serde(rename = "tcp.window_size")]
    window: u32,
    #[serde(rename = "tcp.options.mss_val", skip_serializing_if = "Option::is_none")]
    mss: Option<u16>,
    #[serde(rename = "tcp.options.wscale.shift", skip_serializing_if = "Option::is_none")]
    window_scale: Option<u8>,
    #[serde(rename = "tcp.options.timestamp.tsval", skip_serializing_if = "Option::is_none")]
    timestamp: Option<u32>,
    #[serde(rename = "tcp.options.timestamp.tsecr", skip_serializing_if = "Option::is_none")]
    echo: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sack: Vec<[u32; 2]>,
    states: Both<State>,
    fate: Fate,
    #[serde(flatten)]
    marks: BTreeMap<&'static str, bool>,
    notes: Vec<String>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct State {
    state: Option<&'static str>,
    read: bool,
}

impl From<Known> for State {
    fn from(known: Known) -> Self {
        Self { state: known.state.map(|state| state.name()), read: known.read }
    }
}

impl Packet {
    /// The row as an object; `stream` is the connection's number, from 0.
    #[must_use]
    pub fn new(stream: u64, row: &Row, language: &dyn Language, cast: &Cast) -> Self {
        let segment = &row.segment;
        let notes = row.notes.iter();
        Self {
            v: VERSION,
            r#type: "packet",
            time_ns: row.at.as_nanos(),
            stream,
            number: row.number,
            from: row.from,
            seq: segment.seq.relative,
            seq_raw: segment.seq.raw,
            ack: segment.ack.map(|ack| ack.relative),
            ack_raw: segment.ack.map(|ack| ack.raw),
            flags: segment.flags.bits(),
            letters: segment.flags.to_string(),
            len: segment.len,
            raw_window: segment.raw_window,
            window: segment.window(),
            mss: segment.options.mss,
            window_scale: segment.options.window_scale,
            timestamp: segment.options.timestamps.map(|ts| ts.value),
            echo: segment.options.timestamps.map(|ts| ts.echo),
            sack: segment.sack.iter().map(|(l, r)| [l.relative, r.relative]).collect(),
            states: Both { client: row.states.client.into(), server: row.states.server.into() },
            fate: row.fate,
            marks: row.marks.fields().map(|field| (field, true)).collect(),
            notes: notes
                .map(|note| language.say(cast, &Message::Note { from: row.from, note }))
                .collect(),
        }
    }
}

/// One packet of a capture.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Captured<'a> {
    v: u32,
    r#type: &'static str,
    time_ns: u64,
    from: Side,
    #[serde(rename = "tcp.flags.letters", serialize_with = "letters")]
    letters: Flags,
    states: Both<State>,
    #[serde(flatten)]
    fields: Fields<'a>,
}

impl<'a> Captured<'a> {
    /// The packet as an object with these fields.
    #[must_use]
    pub fn new(packet: &'a filter::Packet<'a>, fields: &'a [&'static Field]) -> Self {
        let seen = packet.seen;
        let state = |end: usize| State::from(Known { state: seen.states[end], read: false });
        Self {
            v: VERSION,
            r#type: "packet",
            time_ns: packet.frame.at.as_nanos(),
            from: seen.side(),
            letters: packet.segment.header.flags,
            states: Both { client: state(seen.client), server: state(1 - seen.client) },
            fields: Fields(packet, fields),
        }
    }
}

fn letters<S: serde::Serializer>(flags: &Flags, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(flags)
}

/// An ICMP error about a packet.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Complaint {
    v: u32,
    r#type: &'static str,
    time_ns: u64,
    #[serde(rename = "frame.number")]
    number: u64,
    from: IpAddr,
    about: dissect::About,
    src: SocketAddr,
    dst: SocketAddr,
    #[serde(rename = "tcp.seq_raw")]
    seq_raw: u32,
}

impl Complaint {
    /// The error as an object.
    #[must_use]
    pub fn new(complaint: &dissect::Complaint) -> Self {
        let dissect::Complaint { number, at, from, about, src, dst, seq, .. } = *complaint;
        let (time_ns, seq_raw) = (at.as_nanos(), seq.0);
        Self { v: VERSION, r#type: "icmp", time_ns, number, from, about, src, dst, seq_raw }
    }
}

/// A connection's totals.
#[derive(Clone, Debug, Serialize)]
pub struct Connection {
    v: u32,
    r#type: &'static str,
    #[serde(rename = "tcp.stream")]
    stream: u64,
    sockets: Both<SocketAddr>,
    #[serde(flatten)]
    summary: Summary,
}

impl Connection {
    /// The totals as an object; `stream` is the connection's number, from 0.
    #[must_use]
    pub fn new(stream: u64, sockets: Both<SocketAddr>, summary: Summary) -> Self {
        Self { v: VERSION, r#type: "connection", stream, sockets, summary }
    }
}

/// A connection of a capture.
#[derive(Clone, Debug, Serialize)]
pub struct Followed<'a> {
    v: u32,
    r#type: &'static str,
    time_ns: u64,
    #[serde(rename = "tcp.stream")]
    stream: u64,
    sockets: Both<SocketAddr>,
    client: Sent<'a>,
    server: Sent<'a>,
    #[serde(serialize_with = "nanos::maybe")]
    handshake_rtt_ns: Option<Duration>,
    #[serde(serialize_with = "nanos::of")]
    duration_ns: Duration,
    ending: Ending,
    #[serde(rename = "tcp.completeness")]
    completeness: u8,
    conn_state: &'static str,
    history: &'a str,
    severity: Option<Severity>,
    verdict: &'a str,
}

/// What one end of it sent.
#[derive(Clone, Debug, Serialize)]
struct Sent<'a> {
    state: Option<&'static str>,
    bytes: u64,
    retransmitted: u64,
    #[serde(flatten)]
    counts: &'a Counts,
    round_trips: &'a RoundTrips,
    offer: Option<Offer>,
    ttl: Option<u8>,
    isn: Option<u32>,
}

impl<'a> Sent<'a> {
    fn new(flow: &'a Flow, end: usize) -> Self {
        let End { counts, round_trips, offer, ttl, isn, .. } = &flow.ends[end];
        Self {
            state: flow.states.of[end].map(|state| state.name()),
            bytes: counts.unique_bytes,
            retransmitted: flow.evidence[end].count(Marks::RETRANSMISSION),
            counts,
            round_trips,
            offer: *offer,
            ttl: *ttl,
            isn: *isn,
        }
    }
}

impl<'a> Followed<'a> {
    /// The connection as an object; `verdict` is a sentence about it, `severity` that of the
    /// worst finding.
    #[must_use]
    pub fn new(flow: &'a Flow, severity: Option<Severity>, verdict: &'a str) -> Self {
        let (client, server) = (flow.client, flow.server());
        Self {
            v: VERSION,
            r#type: "connection",
            time_ns: flow.first.at.as_nanos(),
            stream: flow.stream,
            sockets: Both { client: flow.key.ends[client], server: flow.key.ends[server] },
            client: Sent::new(flow, client),
            server: Sent::new(flow, server),
            handshake_rtt_ns: flow.handshake.round_trip(),
            duration_ns: flow.duration(),
            ending: flow.ending(),
            completeness: flow.completeness.bits(),
            conn_state: flow.zeek.conn_state(),
            history: flow.zeek.history(),
            severity,
            verdict,
        }
    }
}

/// Something that was found.
#[derive(Clone, Debug, Serialize)]
pub struct Found<'a> {
    v: u32,
    r#type: &'static str,
    severity: Severity,
    #[serde(rename = "tcp.stream", skip_serializing_if = "Option::is_none")]
    stream: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sockets: Option<Both<SocketAddr>>,
    frames: &'a [u64],
    sentence: String,
    advice: String,
    figures: &'a Says,
}

impl<'a> Found<'a> {
    /// The finding as an object.
    #[must_use]
    pub fn new(finding: &'a Finding, language: &dyn Findings) -> Self {
        let about = finding.about;
        Self {
            v: VERSION,
            r#type: "finding",
            severity: finding.severity,
            stream: about.map(|about| about.stream),
            sockets: about.map(|about| Both { client: about.client, server: about.server }),
            frames: &finding.evidence,
            sentence: language.finding(&finding.says),
            advice: language.advice(&finding.says),
            figures: &finding.says,
        }
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
