//! Connections, followed from their packets.
//!
//! A [`table::Table`] finds each segment's [`Flow`] and hands flows out when they are over, so
//! that memory grows with the connections that live, not with packets. Flows of tables that saw
//! different connections are put together with [`table::merge`].

pub(crate) mod coverage;
pub mod end;
mod ending;
pub mod evidence;
pub mod handshake;
pub mod key;
pub mod states;
pub mod table;
pub mod trouble;
pub mod zeek;

use handclasp_tcp::State;
use handclasp_wire::tcp::Flags;
use handclasp_wire::time::Instant;

use crate::capture::dissect::{Complaint, Segment};
use crate::mark::{Analyser, Analysis, Completeness, Marks, Scale};
use crate::track::{Fate, Side};

use end::End;
use evidence::Evidence;
use handshake::Handshake;
use key::Key;
use states::States;
use trouble::{Reset, Troubles};
use zeek::Zeek;

/// ICMP errors about one connection that are kept.
const MAX_COMPLAINTS: usize = 4;

/// When and where in the capture something was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The frame's number.
    pub frame: u64,
    /// When it was seen.
    pub at: Instant,
}

impl Sight {
    pub(crate) const fn of(segment: &Segment<'_>) -> Self {
        Self { frame: segment.number, at: segment.at }
    }
}

/// One connection. Pairs are in the order of the key's ends.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Its ends.
    pub key: Key,
    /// Its number, from 0 on, in the order of first packets (`tcp.stream`).
    pub stream: u64,
    /// Which end opened it, or most likely did.
    pub client: usize,
    /// Its first packet.
    pub first: Sight,
    /// Its last one.
    pub last: Sight,
    /// What each end sent.
    pub ends: [End; 2],
    /// What each end's packets are, by their marks.
    pub evidence: [Evidence; 2],
    /// How it was opened.
    pub handshake: Handshake,
    /// What went wrong with what each end sent.
    pub troubles: [Troubles; 2],
    /// The first RST.
    pub reset: Option<Reset>,
    /// ICMP errors about its packets, the first few of them.
    pub complaints: Vec<Complaint>,
    /// Both ends' states by now.
    pub states: States,
    /// What of it was captured.
    pub completeness: Completeness,
    /// The same in Zeek's words.
    pub zeek: Zeek,
    analyser: Analyser,
}

/// What a segment is within its connection.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// The connection's number.
    pub stream: u64,
    /// Which of its ends sent the segment.
    pub from: usize,
    /// Which of them opened it, or most likely did.
    pub client: usize,
    /// When its first segment was seen.
    pub first: Instant,
    /// When the segment before this one was.
    pub previous: Instant,
    /// What is said of the segment.
    pub analysis: Analysis,
    /// Both ends' states before it.
    pub before: [Option<State>; 2],
    /// Both ends' states after it.
    pub states: [Option<State>; 2],
    /// Whether its receiver had to believe it, if it is a RST.
    pub believed: bool,
    /// Whether what reached its sender last was a SYN that it had before.
    pub syn_came_again: bool,
}

impl Seen {
    /// Which side sent the segment.
    #[must_use]
    pub const fn side(&self) -> Side {
        if self.from == self.client { Side::Client } else { Side::Server }
    }
}

impl Flow {
    /// A connection of which nothing was seen before this.
    pub(crate) fn new(key: Key, stream: u64, client: usize, sight: Sight) -> Self {
        Self {
            key,
            stream,
            client,
            first: sight,
            last: sight,
            ends: Default::default(),
            evidence: Default::default(),
            handshake: Handshake::default(),
            troubles: Default::default(),
            reset: None,
            complaints: Vec::new(),
            states: States::default(),
            completeness: Completeness::default(),
            zeek: Zeek::default(),
            analyser: Analyser::default(),
        }
    }

    /// The end that did not open it.
    #[must_use]
    pub const fn server(&self) -> usize {
        1 - self.client
    }

    /// The scale of an end's windows.
    #[must_use]
    pub fn scale(&self, end: usize) -> Scale {
        self.analyser.scale(end)
    }

    /// Bytes of sequence space that an end sent and the other never acknowledged.
    #[must_use]
    pub fn unacknowledged(&self, end: usize) -> u32 {
        match (self.analyser.next(end), self.troubles[end].acknowledged) {
            (Some(next), Some(acknowledged)) if next.gt(acknowledged) => next - acknowledged,
            _ => 0,
        }
    }

    /// Packets of both directions.
    #[must_use]
    pub const fn packets(&self) -> u64 {
        self.ends[0].counts.packets + self.ends[1].counts.packets
    }

    /// Whether it is over but for stragglers.
    fn lingers(&self) -> bool {
        self.states.are_over() || self.reset.is_some()
    }

    /// Whether `segment` of this end begins another connection with the same addresses.
    pub(crate) fn is_reopened_by(&self, from: usize, segment: &Segment<'_>) -> bool {
        let opens = segment.header.flags & (Flags::SYN | Flags::ACK) == Flags::SYN;
        opens && self.analyser.is_reopened_by(from, segment.header.seq)
    }

    /// The next segment, of which this became.
    pub(crate) fn see(
        &mut self,
        from: usize,
        segment: &Segment<'_>,
        fate: Fate,
        reused: bool,
    ) -> Seen {
        // A copy that the link made says nothing about its sender, and a SYN with another number
        // nothing of this connection.
        let stray = self.is_reopened_by(from, segment);
        let counts = fate != Fate::Copied && !stray;
        self.ends[from].counts.packets += u64::from(stray);
        let mut analysis = match counts {
            true => self.analyser.see(from, segment),
            false => self.analyser.glance(from, segment),
        };
        if reused {
            analysis.marks |= Marks::REUSED_PORTS;
        }
        let before = self.states.of;
        let previous = std::mem::replace(&mut self.last, Sight::of(segment)).at;
        let believed = self.states.see(from, segment, fate, &self.analyser);
        if counts {
            self.note_reset(from, segment, before, believed);
            self.count(from, segment, &analysis);
        }
        let (stream, client, first) = (self.stream, self.client, self.first.at);
        let (states, syn_came_again) = (self.states.of, self.states.syn_came_again(from));
        Seen {
            stream,
            from,
            client,
            first,
            previous,
            analysis,
            before,
            states,
            believed,
            syn_came_again,
        }
    }

    fn count(&mut self, from: usize, segment: &Segment<'_>, analysis: &Analysis) {
        self.completeness = analysis.completeness;
        self.ends[from].count(segment, analysis);
        // Of what was sent twice, nobody knows which copy was acknowledged (RFC 6298 §3).
        if let Some(acks) = analysis.acks
            && acks.frame > self.troubles[1 - from].last_resent()
        {
            self.ends[1 - from].round_trips.add(acks.time);
        }
        self.evidence[from].add(analysis.marks, segment.number);
        let copied = self.troubles[from].copied(segment);
        if !copied {
            self.handshake.see(from == self.client, segment);
        }
        self.zeek.see(from != self.client, segment, analysis);
        self.troubles[from].sent(segment, analysis, copied);
        if segment.len > 0 && self.room_behind(from, segment) < self.ends[from].counts.max_segment {
            self.troubles[from].limited.add(segment.number);
        }
        if segment.header.flags.contains(Flags::ACK) {
            self.troubles[1 - from].acknowledge(segment.header.ack);
        }
    }

    /// Bytes that the other end's window has room for behind this segment.
    fn room_behind(&self, from: usize, segment: &Segment<'_>) -> u32 {
        let known = self.analyser.scale(1 - from) != Scale::Unknown;
        let window = self.analyser.window(1 - from).filter(|window| known && *window > 0);
        let (Some(window), Some(ack)) = (window, self.troubles[from].acknowledged) else {
            return u32::MAX;
        };
        let (edge, end) = (ack + window, segment.header.seq + segment.len);
        // What goes beyond the edge was sent before the window shrank.
        if end.le(edge) { edge - end } else { u32::MAX }
    }

    /// The first RST counts, or the first that had to be believed.
    fn note_reset(
        &mut self,
        from: usize,
        segment: &Segment<'_>,
        before: [Option<State>; 2],
        believed: bool,
    ) {
        let counts = self.reset.is_none_or(|reset| believed && !reset.believed);
        if segment.header.flags.contains(Flags::RST) && counts {
            let unread = self.unacknowledged(1 - from);
            self.reset = Some(Reset::new(from, segment, before, unread, believed));
        }
    }

    fn complain(&mut self, complaint: &Complaint) {
        if self.complaints.len() < MAX_COMPLAINTS {
            self.complaints.push(*complaint);
        }
    }
}

/// Who opened the connection whose first captured segment this end sent.
pub(crate) fn client(from: usize, segment: &Segment<'_>) -> usize {
    const WELL_KNOWN: u16 = 1024;
    let flags = segment.header.flags;
    let (mine, other) = (segment.src.port(), segment.dst.port());
    match (flags.contains(Flags::SYN), flags.contains(Flags::ACK)) {
        (true, false) => from,
        (true, true) => 1 - from,
        // Without a handshake, services are known by their ports.
        _ if mine < WELL_KNOWN && other >= WELL_KNOWN => 1 - from,
        _ => from,
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
