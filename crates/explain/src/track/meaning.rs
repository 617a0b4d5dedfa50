//! From what a packet did to what it means.

use handclasp_tcp::State;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::Flags;
use handclasp_wire::time::Instant;

use super::coverage::Sighting;
use super::flow::Handshake;
use super::note::{Note, Resent};
use super::row::{Known, Number, Segment};
use super::{Both, Fate, Flow, Packet, Side};

/// A packet beside what it did to both ends: what notes are made of.
pub(super) struct Step<'a> {
    pub(super) packet: &'a Packet<'a>,
    pub(super) from: Side,
    pub(super) sighting: Sighting,
    /// When a segment with this number was last sent.
    pub(super) sent_before: Option<Instant>,
    /// Both states before it.
    pub(super) before: Both<Known>,
    /// Whether a RST had to be believed.
    pub(super) believed: bool,
}

impl Step<'_> {
    pub(super) fn has(&self, flags: Flags) -> bool {
        self.packet.header.flags.contains(flags)
    }

    fn is_bare(&self) -> bool {
        self.packet.len == 0 && !self.packet.header.flags.intersects(Flags::SYN | Flags::FIN)
    }
}

impl Flow {
    /// What a packet means.
    pub(super) fn notes(&self, step: &Step<'_>, segment: &Segment) -> Vec<Note> {
        if step.packet.fate == Fate::Copied {
            return vec![Note::Copied];
        }
        let mut notes: Vec<Note> = match () {
            () if step.has(Flags::RST) => vec![self.reset_note(step)],
            () if step.has(Flags::SYN) => vec![self.syn_note(step)],
            () => self.other_notes(step, segment),
        };
        let third = notes.iter().any(|note| matches!(note, Note::Third { .. }));
        match step.packet.fate {
            Fate::Lost if third && step.is_bare() => notes.push(Note::ThirdLost),
            Fate::Lost => notes.push(Note::Lost),
            Fate::Damaged => notes.push(Note::Damaged),
            Fate::Arrived | Fate::Copied => {}
        }
        notes
    }

    fn reset_note(&self, step: &Step<'_>) -> Note {
        let arrived = step.packet.fate.arrives();
        match step.before[step.from.other()].state {
            Some(State::SynSent) if step.believed => {
                Note::Refused { port: self.sockets[step.from].port() }
            }
            _ if step.before[step.from].state == Some(State::Closed) => Note::NoConnection,
            _ if step.believed || !arrived => Note::Reset,
            _ => Note::StrayReset,
        }
    }

    fn syn_note(&self, step: &Step<'_>) -> Note {
        let (sender, peer) = (&self.ends[step.from], &self.ends[step.from.other()]);
        let has_ack = step.has(Flags::ACK);
        if has_ack && self.answers_nothing(step) {
            return Note::UnaskedSynAck;
        }
        if has_ack && step.sighting == Sighting::Again && !sender.sent_syn_ack {
            return Note::CrossingSynAck;
        }
        let answered = peer.sent_syn_ack && sender.iss != Some(step.packet.header.seq);
        if !has_ack && answered {
            return Note::AnotherSyn;
        }
        if step.sighting == Sighting::Again {
            let what = match (step.has(Flags::ACK), self.ends[step.from].syn_came_again) {
                (false, _) => Resent::Syn,
                (true, false) => Resent::SynAck,
                (true, true) => Resent::SynAckForSyn,
            };
            return self.again(step, what);
        }
        match (step.has(Flags::ACK), step.before[step.from.other()].state) {
            (true, _) => Note::Second,
            (false, Some(State::SynSent | State::SynReceived)) => Note::CrossingSyn,
            (false, _) => Note::First { isn: step.packet.header.seq.0 },
        }
    }

    /// Whether a SYN-ACK is no answer to anything that the other end is known to have sent.
    fn answers_nothing(&self, step: &Step<'_>) -> bool {
        let peer = step.from.other();
        let first = !self.ends[peer].sent_syn;
        let never_asked = matches!(step.before[peer].state, Some(State::Closed | State::Listen));
        let other_number = self.ends[peer].iss.is_some_and(|iss| {
            let ack = step.packet.header.ack;
            ack.le(iss) || ack.gt(self.ends[peer].sent.end())
        });
        first && never_asked || !first && other_number
    }

    fn again(&self, step: &Step<'_>, what: Resent) -> Note {
        Note::Again { what, after: step.sent_before.map(|before| step.packet.at - before) }
    }

    fn other_notes(&self, step: &Step<'_>, segment: &Segment) -> Vec<Note> {
        let mut notes = Vec::new();
        notes.extend(self.handshake_note(step));
        if let Some(probe) = self.probe_note(step) {
            notes.push(probe);
            return notes;
        }
        notes.extend(self.sequence_note(step));
        notes.extend(self.window_note(step, segment));
        if step.has(Flags::FIN) && step.sighting != Sighting::Again {
            let second = self.ends[step.from.other()].fin.is_some();
            notes.push(if second { Note::SecondFin } else { Note::FirstFin });
        } else {
            notes.extend(self.fin_acknowledged_note(step));
        }
        notes.extend(self.duplicate_ack_note(step, segment));
        notes
    }

    fn handshake_note(&self, step: &Step<'_>) -> Option<Note> {
        let Handshake { syn_ack, third, .. } = self.handshake;
        let server = self.ends.server.known.state;
        let opens = step.before.server.state == Some(State::SynReceived)
            && server.is_some_and(|state| state.is_synchronized());
        match step.from {
            Side::Client if syn_ack.is_some() && !third => {
                Some(Note::Third { data: step.packet.len > 0 })
            }
            Side::Client if third && opens => Some(Note::InPlaceOfThird),
            _ => None,
        }
    }

    /// A probe carries a number that was acknowledged before, or a byte that a closed window
    /// has no room for, so that an answer is due (RFC 9293 §3.8.4, §3.8.6.1).
    fn probe_note(&self, step: &Step<'_>) -> Option<Note> {
        let (sender, peer) = (&self.ends[step.from], &self.ends[step.from.other()]);
        let (seq, len, end) = (step.packet.header.seq, step.packet.len, sender.sent.end());
        let open = self.handshake.third || self.handshake.syn.is_none();
        if !open || len > 1 || step.has(Flags::FIN) || seq + 1 != end {
            return None;
        }
        let closed = peer.window == Some(0);
        let idle = peer.last_ack == Some(end);
        match len {
            _ if closed => Some(Note::WindowProbe),
            0 => Some(Note::KeepAlive),
            _ => idle.then_some(Note::KeepAlive),
        }
    }

    fn sequence_note(&self, step: &Step<'_>) -> Option<Note> {
        let isn = self.ends[step.from].iss.unwrap_or_default();
        match step.sighting {
            Sighting::Empty | Sighting::Next => None,
            Sighting::Again if step.has(Flags::FIN) => Some(self.again(step, Resent::Fin)),
            Sighting::Again => Some(self.again(step, self.resent_data(step))),
            Sighting::Fills => Some(Note::FillsGap),
            Sighting::Beyond => {
                let missing = Number::new(self.ends[step.from].sent.next(), isn);
                Some(Note::BeyondGap { missing })
            }
        }
    }

    fn resent_data(&self, step: &Step<'_>) -> Resent {
        /// RFC 5681 §3.2.
        const ENOUGH: u32 = 3;
        let peer = &self.ends[step.from.other()];
        let asked = peer.last_ack == Some(step.packet.header.seq);
        match peer.duplicate_acks {
            duplicates @ ENOUGH.. if asked => Resent::Wanted { duplicates },
            _ => Resent::Data,
        }
    }

    fn window_note(&self, step: &Step<'_>, segment: &Segment) -> Option<Note> {
        match (self.ends[step.from].window?, segment.window()) {
            (1.., 0) => Some(Note::WindowClosed),
            (0, bytes @ 1..) => Some(Note::WindowOpened { bytes }),
            _ => None,
        }
    }

    fn fin_acknowledged_note(&self, step: &Step<'_>) -> Option<Note> {
        let closer = step.from.other();
        let fin = self.ends[closer].fin?;
        let seen = self.ends[step.from].last_ack.is_some_and(|ack| ack.gt(fin));
        let acknowledges = step.has(Flags::ACK) && step.packet.header.ack.gt(fin);
        let state = self.ends[closer].known.state?;
        (acknowledges && !seen).then_some(Note::FinAcknowledged { state })
    }

    fn duplicate_ack_note(&self, step: &Step<'_>, segment: &Segment) -> Option<Note> {
        let sender = &self.ends[step.from];
        let peer = &self.ends[step.from.other()];
        let ack = segment.ack.filter(|_| step.is_bare())?;
        let repeats = sender.last_ack == Some(SeqNumber(ack.raw))
            && sender.window == Some(segment.window())
            && SeqNumber(ack.raw).lt(peer.sent.end());
        let count = sender.duplicate_acks + 1;
        repeats.then_some(Note::DuplicateAck { count, missing: ack })
    }
}
