//! All connections of a capture at a time.

use handclasp_wire::tcp::Flags;
use hashbrown::HashMap;

use super::key::Key;
use crate::capture::dissect::Segment;
use crate::capture::link::Network;
use crate::mark::{Analyser, Analysis, Marks};

/// What a table may do.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Whether another network within the link makes another connection.
    pub networks: bool,
}

impl Limits {
    /// Nothing is ever forgotten.
    #[must_use]
    pub const fn endless() -> Self {
        Self { networks: true }
    }
}

/// Connections by their keys.
#[derive(Debug)]
pub struct Table {
    limits: Limits,
    flows: HashMap<Key, Flow>,
    streams: u64,
}

/// One connection.
#[derive(Debug)]
struct Flow {
    stream: u64,
    analyser: Analyser,
}

/// What a segment is within its connection.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// The connection's number, from 0 on (`tcp.stream`).
    pub stream: u64,
    /// What is said of the segment.
    pub analysis: Analysis,
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, flows: HashMap::new(), streams: 0 }
    }

    /// Takes the next segment.
    pub fn see(&mut self, segment: &Segment<'_>) -> Seen {
        let (mut key, from) = Key::of(segment);
        if !self.limits.networks {
            key.network = Network::default();
        }
        let opens = (segment.header.flags & (Flags::SYN | Flags::ACK)) == Flags::SYN;
        let streams = &mut self.streams;
        let mut new = || {
            *streams += 1;
            Flow { stream: *streams - 1, analyser: Analyser::default() }
        };
        let flow = self.flows.entry(key).or_insert_with(&mut new);
        let mut reused = false;
        if opens && flow.analyser.is_reopened_by(from, segment.header.seq) {
            *flow = new();
            reused = true;
        }
        let mut analysis = flow.analyser.see(from, segment);
        if reused {
            analysis.marks |= Marks::REUSED_PORTS;
        }
        Seen { stream: flow.stream, analysis }
    }
}
