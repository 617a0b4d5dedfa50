//! A connection: both ends, and the packets between them one by one.

use std::net::SocketAddr;
use std::time::Duration;

use handclasp_tcp::State;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::{Flags, Header};
use handclasp_wire::time::Instant;

use super::coverage::Sighting;
use super::end::End;
use super::meaning::Step;
use super::note::Note;
use super::row::{Known, Number, PREVIEW, Row, Segment};
use super::summary::{Ending, Summary};
use super::{Both, Fate, Packet, Side};

/// RFC 7323 §2.3 caps the shift.
const MAX_SCALE: u8 = 14;

/// One connection.
#[derive(Clone, Debug)]
pub struct Flow {
    pub(super) sockets: Both<SocketAddr>,
    pub(super) ends: Both<End>,
    rows: u64,
    start: Option<Instant>,
    last: Instant,
    pub(super) handshake: Handshake,
    first_fin: Option<Side>,
    reset: Option<Reset>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Handshake {
    /// When the first SYN was seen.
    pub(super) syn: Option<Instant>,
    /// When the first SYN-ACK was.
    pub(super) syn_ack: Option<Instant>,
    /// Whether either was seen twice, so that their times tell no round trip (Karn).
    repeated: bool,
    /// Whether the third packet was seen.
    pub(super) third: bool,
}

#[derive(Clone, Copy, Debug)]
enum Reset {
    Refusal,
    By(Side),
}

impl Flow {
    /// The connection to which `packet` belongs. The client is who sent a SYN or was sent a
    /// SYN-ACK; where neither was seen, who has the higher port.
    #[must_use]
    pub fn new(packet: &Packet<'_>) -> Self {
        let client_sends = match packet.header.flags & (Flags::SYN | Flags::ACK) {
            Flags::SYN => true,
            both if both.contains(Flags::SYN) => false,
            _ => packet.src.port() >= packet.dst.port(),
        };
        let (client, server) =
            if client_sends { (packet.src, packet.dst) } else { (packet.dst, packet.src) };
        Self::between(client, server)
    }

    /// A connection of which nothing was seen yet.
    #[must_use]
    pub fn between(client: SocketAddr, server: SocketAddr) -> Self {
        Self {
            sockets: Both { client, server },
            ends: Both::default(),
            rows: 0,
            start: None,
            last: Instant::ZERO,
            handshake: Handshake::default(),
            first_fin: None,
            reset: None,
        }
    }

    /// The sockets of both ends.
    #[must_use]
    pub fn sockets(&self) -> Both<SocketAddr> {
        self.sockets
    }

    /// Both ends' states as they stand.
    #[must_use]
    pub fn states(&self) -> Both<Known> {
        Both { client: self.ends.client.known, server: self.ends.server.known }
    }

    /// Somebody asked an end for its state: from here on that counts.
    pub fn read(&mut self, side: Side, state: State) {
        self.ends[side].known = Known { state: Some(state), read: true };
    }

    /// The end that has this socket.
    #[must_use]
    pub fn side_of(&self, socket: SocketAddr) -> Option<Side> {
        [Side::Client, Side::Server].into_iter().find(|&side| self.sockets[side] == socket)
    }

    /// One more packet of the connection; `None` if it is not of this connection.
    pub fn see(&mut self, packet: &Packet<'_>) -> Option<Row> {
        let from = self.side_of(packet.src)?;
        if self.sockets[from.other()] != packet.dst {
            return None;
        }
        let start = *self.start.get_or_insert(packet.at);
        self.last = packet.at;
        let before = self.states();
        self.begin_anew(from, packet.header);
        self.learn_bases(from, packet.header);
        let segment = self.segment(from, packet);
        let (sender, _) = self.pair(from);
        // A copy that the link made says nothing about its sender.
        let sighting = match packet.fate {
            Fate::Copied => Sighting::Empty,
            _ => sender.count(packet.header, packet.len),
        };
        let sent_before = match sighting {
            Sighting::Empty => None,
            _ => sender.sent_before(packet.header.seq, packet.at),
        };
        let believed = self.move_states(from, packet);
        let step = Step { packet, from, sighting, sent_before, before, believed };
        let notes = self.notes(&step, &segment);
        self.remember(&step, &segment, &notes);
        let states = self.states();
        self.rows += 1;
        Some(Row {
            number: self.rows,
            at: packet.at,
            since_start: packet.at - start,
            from,
            segment,
            turning: states.client.state != before.client.state
                || states.server.state != before.server.state,
            states,
            fate: packet.fate,
            notes,
        })
    }

    /// The totals so far.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let Handshake { syn, syn_ack, repeated, .. } = self.handshake;
        let rtt = syn.zip(syn_ack).map(|(syn, syn_ack)| syn_ack - syn);
        Summary {
            sent: Both { client: self.ends.client.counts, server: self.ends.server.counts },
            handshake_rtt: rtt.filter(|_| !repeated),
            duration: self.start.map_or(Duration::ZERO, |start| self.last - start),
            ending: self.ending(),
        }
    }

    fn ending(&self) -> Ending {
        let closed = |side: Side| self.ends[side].fin.is_some();
        match (self.reset, self.first_fin) {
            (Some(Reset::Refusal), _) => Ending::Refused,
            (Some(Reset::By(side)), _) => Ending::Reset(side),
            (None, Some(first)) if closed(first.other()) => Ending::Closed(first),
            (None, Some(first)) => Ending::HalfClosed(first),
            (None, None) if self.handshake.syn.is_some() && self.ends.server.iss.is_none() => {
                Ending::Unanswered
            }
            (None, None) => Ending::Open,
        }
    }

    fn pair(&mut self, from: Side) -> (&mut End, &mut End) {
        match from {
            Side::Client => (&mut self.ends.client, &mut self.ends.server),
            Side::Server => (&mut self.ends.server, &mut self.ends.client),
        }
    }

    /// A SYN with another number, where the last connection between the two is over, begins one
    /// of which nothing is known yet.
    fn begin_anew(&mut self, from: Side, header: &Header) {
        let (sender, receiver) = (&self.ends[from], &self.ends[from.other()]);
        let over =
            matches!(receiver.known.state, Some(State::Closed | State::Listen | State::TimeWait));
        let syn = header.flags & (Flags::SYN | Flags::ACK) == Flags::SYN;
        if !syn || !over || !sender.sent_syn || sender.iss == Some(header.seq) {
            return;
        }
        for side in [Side::Client, Side::Server] {
            self.ends[side].begin_anew();
        }
        // Whoever answers it does so because somebody listens.
        self.ends[from.other()].known = Known { state: Some(State::Listen), read: false };
        (self.handshake, self.first_fin, self.reset) = (Handshake::default(), None, None);
    }

    /// Where each direction's numbers begin: at a SYN, or else at what is seen first, which
    /// then counts as number 1.
    fn learn_bases(&mut self, from: Side, header: &Header) {
        let syn = header.flags.contains(Flags::SYN);
        let (sender, receiver) = self.pair(from);
        if sender.iss.is_none() {
            let iss = if syn { header.seq } else { header.seq - 1 };
            sender.begins(iss, header.seq);
        }
        if receiver.iss.is_none() && header.flags.contains(Flags::ACK) {
            receiver.begins(header.ack - 1, header.ack);
        }
        if syn {
            sender.scale = header.options.window_scale.map(|scale| scale.min(MAX_SCALE));
        }
    }

    fn segment(&self, from: Side, packet: &Packet<'_>) -> Segment {
        let header = packet.header;
        let own = self.ends[from].iss.unwrap_or_default();
        let peers = self.ends[from.other()].iss.unwrap_or_default();
        let number = |seq: SeqNumber| Number::new(seq, peers);
        let blocks = header.options.sack.as_slice().iter();
        Segment {
            seq: Number::new(header.seq, own),
            ack: header.flags.contains(Flags::ACK).then(|| number(header.ack)),
            flags: header.flags,
            raw_window: header.window,
            scale: if header.flags.contains(Flags::SYN) { 0 } else { self.scale_of(from) },
            options: header.options.clone(),
            sack: blocks.map(|block| (number(block.left), number(block.right))).collect(),
            len: packet.len,
            preview: packet.payload.iter().copied().take(PREVIEW).collect(),
        }
    }

    /// Scaling counts only when both offered it (RFC 7323 §2.2).
    fn scale_of(&self, side: Side) -> u8 {
        self.ends[side].scale.filter(|_| self.ends[side.other()].scale.is_some()).unwrap_or(0)
    }

    /// Returns whether a RST had to be believed.
    fn move_states(&mut self, from: Side, packet: &Packet<'_>) -> bool {
        let (sender, receiver) = self.pair(from);
        if packet.fate != Fate::Copied {
            sender.has_sent(packet.header.flags);
        }
        if !packet.fate.arrives() {
            sender.counts.lost += 1;
            return false;
        }
        receiver.takes(sender, packet.header, packet.header.seg_len(packet.len))
    }

    /// What later packets are compared with.
    fn remember(&mut self, step: &Step<'_>, segment: &Segment, notes: &[Note]) {
        let at = Some(step.packet.at);
        let again = notes.iter().any(|note| matches!(note, Note::Again { .. }));
        let closed = self.ends.client.fin.is_some() && self.ends.server.fin.is_some();
        let handshake = &mut self.handshake;
        for note in notes {
            match note {
                Note::First { .. } => handshake.syn = handshake.syn.or(at),
                Note::Second => handshake.syn_ack = handshake.syn_ack.or(at),
                Note::Third { .. } => handshake.third = true,
                Note::Refused { .. } => self.reset = Some(Reset::Refusal),
                Note::Reset | Note::NoConnection if step.believed && !closed => {
                    self.reset = Some(Reset::By(step.from));
                }
                Note::FirstFin => self.first_fin = Some(step.from),
                _ => {}
            }
        }
        handshake.repeated |= again && step.has(Flags::SYN);
        let (sender, _) = self.pair(step.from);
        if step.has(Flags::SYN) && step.packet.fate != Fate::Copied {
            sender.sent_syn = true;
            sender.sent_syn_ack |= step.has(Flags::ACK);
        }
        sender.counts.retransmitted += u64::from(again);
        if step.has(Flags::RST) || step.packet.fate == Fate::Copied {
            return;
        }
        let duplicate = notes.iter().any(|note| matches!(note, Note::DuplicateAck { .. }));
        sender.duplicate_acks = if duplicate { sender.duplicate_acks + 1 } else { 0 };
        sender.window = Some(segment.window());
        sender.last_ack = segment.ack.map(|ack| SeqNumber(ack.raw));
    }
}
