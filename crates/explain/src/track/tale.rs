//! From what a packet did to what it means: the rows of a ladder, one after the other.

use std::collections::VecDeque;

use handclasp_tcp::State;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::Flags;
use handclasp_wire::time::Instant;

use super::note::{Note, Resent};
use super::row::{Known, Number, PREVIEW, Row, Segment};
use super::{Both, Fate, Side};
use crate::capture::dissect;
use crate::flow::Seen;
use crate::flow::coverage::{Coverage, Sighting};
use crate::mark::{Marks, Scale};

/// How many unacknowledged segments are remembered with their time.
const MAX_TIMES: usize = 128;

/// Makes rows of one connection's segments, which its [`flow`](crate::flow) judged before.
#[derive(Clone, Debug, Default)]
pub struct Tale {
    voices: Both<Voice>,
    handshake: Handshake,
    start: Option<Instant>,
}

/// What one end said so far.
#[derive(Clone, Debug, Default)]
struct Voice {
    /// Which of its numbers were seen.
    sent: Coverage,
    /// Its initial sequence number, seen or inferred.
    isn: Option<SeqNumber>,
    /// Whether it sent a SYN, with or without an acknowledgment.
    sent_syn: bool,
    /// Whether it sent one with an acknowledgment.
    sent_syn_ack: bool,
    /// The window it last advertised, in bytes.
    window: Option<u32>,
    /// The acknowledgment it last sent.
    last_ack: Option<SeqNumber>,
    /// How many times in a row it repeated that.
    duplicate_acks: u32,
    /// The number of its FIN.
    fin: Option<SeqNumber>,
    /// When the segments that are not yet acknowledged were sent.
    times: VecDeque<(SeqNumber, Instant)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Handshake {
    /// Whether a SYN was seen.
    syn: bool,
    /// Whether a SYN-ACK was.
    syn_ack: bool,
    /// Whether the third packet was.
    third: bool,
}

/// A packet beside what it did to both ends: what notes are made of.
struct Step<'a> {
    packet: &'a dissect::Segment<'a>,
    seen: &'a Seen,
    from: Side,
    fate: Fate,
    sighting: Sighting,
    /// When a segment with this number was last sent.
    sent_before: Option<Instant>,
    /// Both states before it.
    before: Both<Option<State>>,
    /// Both states after it.
    after: Both<Option<State>>,
}

impl Step<'_> {
    fn has(&self, flags: Flags) -> bool {
        self.packet.header.flags.contains(flags)
    }

    fn is_bare(&self) -> bool {
        self.packet.len == 0 && !self.packet.header.flags.intersects(Flags::SYN | Flags::FIN)
    }

    /// The sender's initial sequence number.
    fn isn(&self) -> SeqNumber {
        self.packet.header.seq - self.seen.analysis.seq
    }
}

impl Voice {
    /// When a segment that starts at `seq` was last sent, if that is remembered; from now on
    /// `at`.
    fn sent_before(&mut self, seq: SeqNumber, at: Instant) -> Option<Instant> {
        if let Some((_, when)) = self.times.iter_mut().find(|(start, _)| *start == seq) {
            return Some(std::mem::replace(when, at));
        }
        if self.times.len() == MAX_TIMES {
            self.times.pop_front();
        }
        self.times.push_back((seq, at));
        None
    }
}

impl Tale {
    /// Forgets the connection that is over, but not when the first one began.
    pub(crate) fn begin_anew(&mut self) {
        *self = Self { start: self.start, ..Self::default() };
    }

    /// The row of the connection's next segment.
    pub fn row(&mut self, segment: &dissect::Segment<'_>, fate: Fate, seen: &Seen) -> Row {
        let start = *self.start.get_or_insert(segment.at);
        let step = self.step(segment, fate, seen);
        let shown = shown(segment, seen);
        let notes = self.notes(&step, &shown);
        self.remember(&step, &shown, &notes);
        let of = |end: usize| Known { state: seen.states[end], read: false };
        Row {
            number: segment.number,
            at: segment.at,
            since_start: segment.at - start,
            from: step.from,
            segment: shown,
            turning: step.before != step.after,
            states: Both { client: of(seen.client), server: of(1 - seen.client) },
            fate,
            marks: seen.analysis.marks,
            notes,
        }
    }

    fn step<'a>(
        &mut self,
        packet: &'a dissect::Segment<'a>,
        fate: Fate,
        seen: &'a Seen,
    ) -> Step<'a> {
        let from = seen.side();
        let (header, len) = (&packet.header, packet.len as usize);
        let both =
            |of: [Option<State>; 2]| Both { client: of[seen.client], server: of[1 - seen.client] };
        let syn = header.flags.contains(Flags::SYN);
        let own = (header.seq, if syn { header.seq } else { header.seq - 1 });
        let peers = acknowledged(packet).map(|ack| (ack, ack - 1));
        for (side, begins) in [(from, Some(own)), (from.other(), peers)] {
            let voice = &mut self.voices[side];
            if let Some((next, isn)) = begins.filter(|_| voice.isn.is_none()) {
                (voice.sent, voice.isn) = (Coverage::starting_at(next), Some(isn));
            }
        }
        let voice = &mut self.voices[from];
        // A copy that the link made says nothing about its sender.
        let sighting = match fate {
            Fate::Copied => Sighting::Empty,
            _ => voice.sent.add(header.seq, header.seg_len(len)),
        };
        let sent_before = match sighting {
            Sighting::Empty => None,
            _ => voice.sent_before(header.seq, packet.at),
        };
        if header.flags.contains(Flags::FIN) && fate != Fate::Copied {
            voice.fin = Some(header.seq + header.seg_len(len) - 1);
        }
        let (before, after) = (both(seen.before), both(seen.states));
        Step { packet, seen, from, fate, sighting, sent_before, before, after }
    }

    /// What a packet means.
    fn notes(&self, step: &Step<'_>, segment: &Segment) -> Vec<Note> {
        if step.fate == Fate::Copied {
            return vec![Note::Copied];
        }
        let mut notes: Vec<Note> = match () {
            () if step.has(Flags::RST) => vec![self.reset_note(step)],
            () if step.has(Flags::SYN) => vec![self.syn_note(step)],
            () => self.other_notes(step, segment),
        };
        let third = notes.iter().any(|note| matches!(note, Note::Third { .. }));
        match step.fate {
            Fate::Lost if third && step.is_bare() => notes.push(Note::ThirdLost),
            Fate::Lost => notes.push(Note::Lost),
            Fate::Damaged => notes.push(Note::Damaged),
            Fate::Arrived | Fate::Copied => {}
        }
        notes
    }

    fn reset_note(&self, step: &Step<'_>) -> Note {
        let arrived = step.fate.arrives();
        match step.before[step.from.other()] {
            Some(State::SynSent) if step.seen.believed => {
                Note::Refused { port: step.packet.src.port() }
            }
            _ if step.before[step.from] == Some(State::Closed) => Note::NoConnection,
            _ if step.seen.believed || !arrived => Note::Reset,
            _ => Note::StrayReset,
        }
    }

    fn syn_note(&self, step: &Step<'_>) -> Note {
        let (sender, peer) = (&self.voices[step.from], &self.voices[step.from.other()]);
        let has_ack = step.has(Flags::ACK);
        if has_ack && self.answers_nothing(step) {
            return Note::UnaskedSynAck;
        }
        if has_ack && step.sighting == Sighting::Again && !sender.sent_syn_ack {
            return Note::CrossingSynAck;
        }
        let answered = peer.sent_syn_ack && sender.isn != Some(step.packet.header.seq);
        if !has_ack && answered {
            return Note::AnotherSyn;
        }
        if step.sighting == Sighting::Again {
            let what = match (step.has(Flags::ACK), step.seen.syn_came_again) {
                (false, _) => Resent::Syn,
                (true, false) => Resent::SynAck,
                (true, true) => Resent::SynAckForSyn,
            };
            return self.again(step, what);
        }
        match (step.has(Flags::ACK), step.before[step.from.other()]) {
            (true, _) => Note::Second,
            (false, Some(State::SynSent | State::SynReceived)) => Note::CrossingSyn,
            (false, _) => Note::First { isn: step.packet.header.seq.0 },
        }
    }

    /// Whether a SYN-ACK is no answer to anything that the other end is known to have sent.
    fn answers_nothing(&self, step: &Step<'_>) -> bool {
        let peer = step.from.other();
        let first = !self.voices[peer].sent_syn;
        let never_asked = matches!(step.before[peer], Some(State::Closed | State::Listen));
        let other_number = self.voices[peer].isn.is_some_and(|isn| {
            let ack = step.packet.header.ack;
            ack.le(isn) || ack.gt(self.voices[peer].sent.end())
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
            let second = self.voices[step.from.other()].fin.is_some();
            notes.push(if second { Note::SecondFin } else { Note::FirstFin });
        } else {
            notes.extend(self.fin_acknowledged_note(step));
        }
        notes.extend(self.duplicate_ack_note(step, segment));
        let unseen = step.seen.analysis.marks.contains(Marks::ACK_LOST_SEGMENT);
        notes.extend(unseen.then_some(Note::AcknowledgesUnseen));
        notes
    }

    fn handshake_note(&self, step: &Step<'_>) -> Option<Note> {
        let Handshake { syn_ack, third, .. } = self.handshake;
        let server = step.after.server;
        let opens = step.before.server == Some(State::SynReceived)
            && server.is_some_and(|state| state.is_synchronized());
        match step.from {
            Side::Client if syn_ack && !third => Some(Note::Third { data: step.packet.len > 0 }),
            Side::Client if third && opens => Some(Note::InPlaceOfThird),
            _ => None,
        }
    }

    /// A probe carries a number that was acknowledged before, or a byte that a closed window
    /// has no room for, so that an answer is due (RFC 9293 §3.8.4, §3.8.6.1).
    fn probe_note(&self, step: &Step<'_>) -> Option<Note> {
        let (sender, peer) = (&self.voices[step.from], &self.voices[step.from.other()]);
        let (seq, len, end) = (step.packet.header.seq, step.packet.len, sender.sent.end());
        let open = self.handshake.third || !self.handshake.syn;
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
        let isn = step.isn();
        match step.sighting {
            Sighting::Empty | Sighting::Next => None,
            Sighting::Again if step.has(Flags::FIN) => Some(self.again(step, Resent::Fin)),
            Sighting::Again => Some(self.again(step, self.resent_data(step))),
            Sighting::Fills => Some(Note::FillsGap),
            Sighting::Beyond => {
                let missing = Number::new(self.voices[step.from].sent.next(), isn);
                Some(Note::BeyondGap { missing })
            }
        }
    }

    fn resent_data(&self, step: &Step<'_>) -> Resent {
        /// RFC 5681 §3.2.
        const ENOUGH: u32 = 3;
        let peer = &self.voices[step.from.other()];
        let asked = peer.last_ack == Some(step.packet.header.seq);
        let is = |mark| step.seen.analysis.marks.contains(mark);
        if is(Marks::SPURIOUS_RETRANSMISSION) {
            return Resent::NotMissed;
        }
        let fast = is(Marks::FAST_RETRANSMISSION);
        match peer.duplicate_acks {
            duplicates if asked && (fast || duplicates >= ENOUGH) => Resent::Wanted { duplicates },
            _ => Resent::Data,
        }
    }

    fn window_note(&self, step: &Step<'_>, segment: &Segment) -> Option<Note> {
        match (self.voices[step.from].window?, segment.window()) {
            (1.., 0) => Some(Note::WindowClosed),
            (0, bytes @ 1..) => Some(Note::WindowOpened { bytes }),
            _ => None,
        }
    }

    fn fin_acknowledged_note(&self, step: &Step<'_>) -> Option<Note> {
        let closer = step.from.other();
        let fin = self.voices[closer].fin?;
        let seen = self.voices[step.from].last_ack.is_some_and(|ack| ack.gt(fin));
        let acknowledges = step.has(Flags::ACK) && step.packet.header.ack.gt(fin);
        let state = step.after[closer]?;
        (acknowledges && !seen).then_some(Note::FinAcknowledged { state })
    }

    fn duplicate_ack_note(&self, step: &Step<'_>, segment: &Segment) -> Option<Note> {
        let sender = &self.voices[step.from];
        let peer = &self.voices[step.from.other()];
        let ack = segment.ack.filter(|_| step.is_bare())?;
        let repeats = sender.last_ack == Some(SeqNumber(ack.raw))
            && sender.window == Some(segment.window())
            && SeqNumber(ack.raw).lt(peer.sent.end());
        let count = sender.duplicate_acks + 1;
        repeats.then_some(Note::DuplicateAck { count, missing: ack })
    }

    /// What later packets are compared with.
    fn remember(&mut self, step: &Step<'_>, segment: &Segment, notes: &[Note]) {
        for note in notes {
            match note {
                Note::First { .. } => self.handshake.syn = true,
                Note::Second => self.handshake.syn_ack = true,
                Note::Third { .. } => self.handshake.third = true,
                _ => {}
            }
        }
        if let Some(ack) = acknowledged(step.packet) {
            let peer = &mut self.voices[step.from.other()];
            // Whoever acknowledges has it, whether or not it was captured.
            peer.sent.skip_to(ack);
            if step.fate.arrives() {
                peer.times.retain(|&(seq, _)| seq.ge(ack));
            }
        }
        if step.fate == Fate::Copied {
            return;
        }
        let voice = &mut self.voices[step.from];
        voice.sent_syn |= step.has(Flags::SYN);
        voice.sent_syn_ack |= step.has(Flags::SYN) && step.has(Flags::ACK);
        if step.has(Flags::RST) {
            return;
        }
        let duplicate = notes.iter().any(|note| matches!(note, Note::DuplicateAck { .. }));
        let voice = &mut self.voices[step.from];
        voice.duplicate_acks = if duplicate { voice.duplicate_acks + 1 } else { 0 };
        voice.window = Some(segment.window());
        voice.last_ack = acknowledged(step.packet);
    }
}

fn acknowledged(segment: &dissect::Segment<'_>) -> Option<SeqNumber> {
    let header = &segment.header;
    header.flags.contains(Flags::ACK).then_some(header.ack)
}

/// The segment in the connection's own numbers.
fn shown(segment: &dissect::Segment<'_>, seen: &Seen) -> Segment {
    let (header, analysis) = (&segment.header, &seen.analysis);
    let peers = header.ack - analysis.ack;
    let number = |seq: SeqNumber| Number::new(seq, peers);
    let blocks = header.options.sack.as_slice().iter();
    Segment {
        seq: Number { relative: analysis.seq, raw: header.seq.0 },
        ack: acknowledged(segment).map(number),
        flags: header.flags,
        raw_window: header.window,
        scale: analysis.scale.map_or(0, Scale::shift),
        options: header.options.clone(),
        sack: blocks.map(|block| (number(block.left), number(block.right))).collect(),
        len: segment.len as usize,
        preview: segment.payload.iter().copied().take(PREVIEW).collect(),
    }
}
