//! Puts packets and the stack's own steps together to rows.
//!
//! A packet that went out is a row at once. One that came in waits until the stack took it, so
//! that the row can tell the state in which it left the stack; a packet that the stack never
//! takes (because no connection wants it) is told when something later is, or after
//! [`PATIENCE`].

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use handclasp::tcp::event::LossSign;
use handclasp::tcp::state::Cause;
use handclasp::tcp::{State, Tuple};
use handclasp::wire::seq::SeqNumber;
use handclasp::wire::tcp::Flags;
use handclasp::wire::time::Instant;
use handclasp_explain::track::note::Note;
use handclasp_explain::track::row::{Known, Row};
use handclasp_explain::track::{Both, Flow, Side};

use super::pairing::Pairing;
use super::tell::{About, Teller};
use super::{Answer, Remark, SeenPacket, Sight, Step};

/// How long a packet waits for the stack to take it.
const PATIENCE: Duration = Duration::from_millis(20);

/// How many connections are told at most. What a hostile peer opens beyond them is not.
const CONNECTIONS: usize = 1 << 14;

/// How many packets of a connection wait for the stack to take them: more than it reads at once.
const UNTAKEN: usize = 8192;

/// How many of the stack's last segments are remembered with the state they left in.
const SENT: usize = 64;

/// Tells what is seen of a stack.
pub(crate) struct Narrator<T> {
    teller: T,
    pairing: Pairing,
    /// Whether our end is no stack but somebody's hand, so that no log tells what it took.
    by_hand: bool,
    /// Both ends' states before the first packet, as far as they are known.
    before: Both<Option<State>>,
    told: Vec<Told>,
    /// Where in `told` a connection is.
    index: HashMap<Tuple, usize>,
    /// What the stack says of its own ends.
    own: HashMap<Tuple, Own>,
    /// Those in `told` of which something waits.
    waiting: Vec<usize>,
}

/// The stack's end of a connection, by its log.
#[derive(Default)]
struct Own {
    state: Option<State>,
    /// What the next packet is said to be.
    remark: Option<Note>,
    /// Its last segments.
    sent: VecDeque<Departed>,
}

/// A segment that the stack says it sent, or a burst of them.
#[derive(Clone, Copy)]
struct Departed {
    seq: SeqNumber,
    seg_len: u32,
    /// The state it left in.
    state: State,
    /// Why it was sent again, if it was.
    why: Option<LossSign>,
}

/// A connection that is being told.
struct Told {
    tuple: Tuple,
    about: About,
    flow: Flow,
    /// When the peer last told its state.
    answered: Instant,
    /// Came in, and was not yet taken by the stack.
    arrived: VecDeque<SeenPacket>,
    /// Was taken by the stack; the steps that follow may belong to it. Beside each row, the
    /// states before it.
    taken: Vec<(Row, Both<Known>)>,
}

impl<T: Teller> Narrator<T> {
    pub(crate) fn new(teller: T, pairing: Pairing, before: Both<Option<State>>) -> Self {
        let (told, index, own) = (Vec::new(), HashMap::new(), HashMap::new());
        Self { teller, pairing, by_hand: false, before, told, index, own, waiting: Vec::new() }
    }

    /// Where our packets are made by hand: what comes is told as soon as something follows.
    pub(crate) fn by_hand(self) -> Self {
        Self { by_hand: true, ..self }
    }

    /// Tells until nobody sends any more; hands the connections and the teller back.
    ///
    /// # Errors
    ///
    /// When the teller cannot write any more.
    pub(crate) fn run(mut self, sights: &Receiver<Sight>) -> io::Result<(T, Vec<Flow>)> {
        loop {
            let untaken = !self.waiting.is_empty();
            let sight = match self.pairing.patience() {
                _ if untaken => sights.recv_timeout(PATIENCE),
                Some(patience) => sights.recv_timeout(patience),
                None => sights.recv().map_err(RecvTimeoutError::from),
            };
            match sight {
                Ok(Sight::End) => break,
                Ok(sight) => self.pairing.put(sight),
                Err(RecvTimeoutError::Timeout) if untaken => self.settle()?,
                Err(RecvTimeoutError::Timeout) => self.pairing.give_up(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.hear()?;
        }
        self.pairing.give_up();
        self.hear()?;
        self.settle()?;
        Ok((self.teller, self.told.into_iter().map(|told| told.flow).collect()))
    }

    fn hear(&mut self) -> io::Result<()> {
        while let Some(sight) = self.pairing.next() {
            match sight {
                Sight::Step(tuple, step) => self.step(tuple, step)?,
                Sight::Claim(tuple, state) => {
                    if let Some(own) = self.own(tuple) {
                        own.state = state;
                    }
                }
                Sight::Remark(tuple, remark) => self.remark(tuple, remark),
                Sight::Near(packet) | Sight::Far(packet) | Sight::Lost(packet) => {
                    self.packet(*packet)?;
                }
                Sight::End => {}
            }
        }
        Ok(())
    }

    /// Nothing came for a while: what waits is told as it stands.
    fn settle(&mut self) -> io::Result<()> {
        for at in std::mem::take(&mut self.waiting) {
            let told = &mut self.told[at];
            let own = self.own.get(&told.tuple).and_then(|own| own.state);
            told.settle(&mut self.teller, own)?;
        }
        Ok(())
    }

    /// What is known of our end of a connection; `None` if it is one too many.
    fn own(&mut self, tuple: Tuple) -> Option<&mut Own> {
        let room = self.own.len() < CONNECTIONS || self.own.contains_key(&tuple);
        room.then(|| self.own.entry(tuple).or_default())
    }

    fn remark(&mut self, tuple: Tuple, remark: Remark) {
        match remark {
            Remark::Next(note) => {
                if let Some(own) = self.own(tuple) {
                    own.remark = Some(note);
                }
            }
            Remark::Last(note) => {
                let told = self.index.get(&tuple).map(|&at| &mut self.told[at]);
                if let Some(packet) = told.and_then(|told| told.arrived.back_mut()) {
                    packet.remark = Some(note);
                }
            }
        }
    }

    fn packet(&mut self, mut packet: SeenPacket) -> io::Result<()> {
        if self.by_hand {
            self.settle()?;
        }
        let tuple = packet.tuple();
        let at = match self.index.get(&tuple) {
            Some(&at) => at,
            None if self.told.len() == CONNECTIONS => return Ok(()),
            None => self.begin(tuple, &packet)?,
        };
        let told = &mut self.told[at];
        if !packet.ours && packet.fate.arrives() && told.arrived.len() < UNTAKEN {
            told.arrived.push_back(packet);
            if !self.waiting.contains(&at) {
                self.waiting.push(at);
            }
            return Ok(());
        }
        let mut own = self.own.get_mut(&tuple);
        if let Some(own) = own.as_mut().filter(|_| packet.ours) {
            packet.remark = own.remark.take();
        }
        told.settle(&mut self.teller, own.as_ref().and_then(|own| own.state))?;
        let (seq, seg_len) = (packet.header.seq, packet.header.seg_len(packet.len));
        let by_hand = self.by_hand;
        let own = own.filter(|_| packet.ours);
        let (state, departed) = match own {
            Some(own) if by_hand => (own.state, None),
            Some(own) => {
                let departed = own.departure(seq, seg_len);
                (departed.map(|departed| departed.state), departed)
            }
            None => (None, None),
        };
        if let Some((mut row, before)) = told.see(&packet) {
            told.own_state(&mut row, state);
            if let Some(why) = departed.and_then(|departed| departed.why) {
                row.sent_again_for(why);
            }
            told.tell(&mut self.teller, row, &before)?;
        }
        Ok(())
    }

    /// The first packet of a connection.
    fn begin(&mut self, tuple: Tuple, packet: &SeenPacket) -> io::Result<usize> {
        let mut flow = Flow::new(&packet.as_packet());
        let number = self.told.len();
        let before = match packet.header.flags & (Flags::SYN | Flags::ACK) {
            Flags::SYN => self.before,
            // Of a SYN-ACK that we invented, who should have asked for it did not.
            both if both.contains(Flags::SYN) && self.by_hand && packet.ours => {
                Both { client: self.before.server, server: self.before.client }
            }
            _ => Both::default(),
        };
        for side in [Side::Client, Side::Server] {
            if let Some(state) = before[side] {
                flow.read(side, state);
            }
        }
        let ours = flow.side_of(tuple.local()).unwrap_or(Side::Client);
        let about = About { number, sockets: flow.sockets(), ours };
        self.teller.begin(&about, &flow.states())?;
        self.told.push(Told {
            tuple,
            about,
            flow,
            answered: Instant::ZERO,
            arrived: VecDeque::new(),
            taken: Vec::new(),
        });
        self.index.insert(tuple, number);
        Ok(number)
    }

    fn step(&mut self, tuple: Tuple, step: Step) -> io::Result<()> {
        let Some(own) = self.own(tuple) else { return Ok(()) };
        if let Step::State { to, .. } = step {
            own.state = Some(to);
        }
        if let Step::Sent { seq, seg_len, why } = step {
            own.sends(seq, seg_len, why);
        }
        let state = own.state;
        let told = self.index.get(&tuple).map(|&at| &mut self.told[at]);
        match step {
            Step::Sent { .. } => {}
            Step::State { to, cause } => {
                if let Some(told) = told.filter(|_| is_of_a_segment(cause)) {
                    told.moved(to);
                }
            }
            Step::Received { seq, seg_len } => {
                if let Some(told) = told {
                    told.take(&mut self.teller, seq, seg_len, state)?;
                }
            }
        }
        Ok(())
    }
}

impl Own {
    fn sends(&mut self, seq: SeqNumber, seg_len: u32, why: Option<LossSign>) {
        let Some(state) = self.state else { return };
        if self.sent.len() == SENT {
            self.sent.pop_front();
        }
        self.sent.push_back(Departed { seq, seg_len, state, why });
    }

    /// What the stack said of the segment when it sent it, which may be a piece of a burst.
    fn departure(&mut self, seq: SeqNumber, seg_len: u32) -> Option<Departed> {
        let has = |departed: &Departed| match seg_len {
            0 => departed.seq == seq && departed.seg_len == 0,
            _ => seq.within(departed.seq, departed.seg_len),
        };
        let at = self.sent.iter().position(has)?;
        self.sent.drain(..at);
        let departed = *self.sent.front()?;
        if seq + seg_len == departed.seq + departed.seg_len {
            self.sent.pop_front();
        }
        Some(departed)
    }
}

impl Told {
    fn see(&mut self, packet: &SeenPacket) -> Option<(Row, Both<Known>)> {
        let before = self.flow.states();
        let mut row = self.flow.see(&packet.as_packet())?;
        if let Some(note) = packet.remark {
            row.notes = vec![note];
        }
        let peer = self.about.ours.other();
        row.states[peer].read = false;
        let Some(Answer { at, state }) = packet.peer else { return Some((row, before)) };
        let known = peer_state(row.states[peer].state, state);
        row.states[peer] = known;
        // On a long link a packet of the peer's tells what was before one of ours arrived.
        if known.read && at >= self.answered {
            self.answered = at;
            self.flow.read(peer, known.state.unwrap_or(state));
        }
        Some((row, before))
    }

    fn own_state(&mut self, row: &mut Row, state: Option<State>) {
        if let Some(state) = state {
            self.flow.read(self.about.ours, state);
            row.states[self.about.ours] = Known { state: Some(state), read: true };
        }
    }

    /// The stack took the segments from `seq` on.
    fn take(
        &mut self,
        teller: &mut impl Teller,
        seq: SeqNumber,
        seg_len: u32,
        state: Option<State>,
    ) -> io::Result<()> {
        self.tell_taken(teller)?;
        let starts = |packet: &SeenPacket| {
            let len = packet.header.seg_len(packet.len);
            packet.header.seq == seq && (len > 0) == (seg_len > 0)
        };
        let Some(first) = self.arrived.iter().position(starts) else { return Ok(()) };
        for packet in self.arrived.drain(..first).collect::<Vec<_>>() {
            self.tell_untaken(teller, &packet, state)?;
        }
        // What the link coalesced are pieces, one behind the other.
        let (mut next, end) = (seq, seq + seg_len);
        while let Some(packet) = self.arrived.pop_front_if(|packet| packet.header.seq == next) {
            next += packet.header.seg_len(packet.len);
            if let Some((mut row, before)) = self.see(&packet) {
                self.own_state(&mut row, state);
                self.taken.push((row, before));
            }
            if next.ge(end) {
                break;
            }
        }
        Ok(())
    }

    /// The last segment that was taken moved the stack's end.
    fn moved(&mut self, to: State) {
        if let Some((mut row, before)) = self.taken.pop() {
            self.own_state(&mut row, Some(to));
            self.taken.push((row, before));
        }
    }

    fn settle(&mut self, teller: &mut impl Teller, own: Option<State>) -> io::Result<()> {
        self.tell_taken(teller)?;
        for packet in std::mem::take(&mut self.arrived) {
            self.tell_untaken(teller, &packet, own)?;
        }
        Ok(())
    }

    fn tell_taken(&mut self, teller: &mut impl Teller) -> io::Result<()> {
        for (row, before) in std::mem::take(&mut self.taken) {
            self.tell(teller, row, &before)?;
        }
        Ok(())
    }

    /// A packet that no connection of the stack took: its end stays as it is.
    fn tell_untaken(
        &mut self,
        teller: &mut impl Teller,
        packet: &SeenPacket,
        own: Option<State>,
    ) -> io::Result<()> {
        let Some((mut row, before)) = self.see(packet) else { return Ok(()) };
        self.own_state(&mut row, own);
        self.tell(teller, row, &before)
    }

    fn tell(&self, teller: &mut impl Teller, mut row: Row, before: &Both<Known>) -> io::Result<()> {
        let moved = |side: Side| row.states[side].state != before[side].state;
        row.turning = moved(Side::Client) || moved(Side::Server);
        teller.row(&self.about, &row)
    }
}

/// Whether the cause is a segment that came in, not a call or a timer.
fn is_of_a_segment(cause: Cause) -> bool {
    match cause {
        Cause::SynArrived
        | Cause::SynAckArrived
        | Cause::SynAcknowledged
        | Cause::FinArrived
        | Cause::FinAcknowledged
        | Cause::ResetArrived => true,
        Cause::PassiveOpen
        | Cause::ActiveOpen
        | Cause::Close
        | Cause::Abort
        | Cause::Timeout
        | Cause::Unreachable => false,
    }
}

/// The peer's state at a packet, from what follows from the packet and what the peer answered
/// when it was asked right after it.
///
/// An answer that the peer reaches from there without any further segment (it closed meanwhile)
/// came too late for this packet: then what follows counts, as inferred.
fn peer_state(follows: Option<State>, answer: State) -> Known {
    // Where there is no connection any more, the listener answers.
    let over = follows.is_some_and(|s| s.is_synchronized() || s == State::Closed);
    let answer = if answer == State::Listen && over { State::Closed } else { answer };
    let alone = [Cause::Close, Cause::Abort, Cause::Timeout];
    let went_on = |from: State| alone.iter().any(|&cause| from.after(cause) == Some(answer));
    if follows != Some(answer) && follows.is_some_and(went_on) {
        return Known { state: follows, read: false };
    }
    Known { state: Some(answer), read: true }
}

#[cfg(test)]
#[path = "narrator_tests.rs"]
mod tests;
