//! One end of a connection as its packets show it: RFC 9293's machine, seen from outside.

use std::collections::VecDeque;

use handclasp_tcp::State;
use handclasp_tcp::acceptable::{self, Reset};
use handclasp_tcp::state::Cause;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::{Flags, Header};
use handclasp_wire::time::Instant;

use super::coverage::{Coverage, Sighting};
use super::row::Known;
use super::summary::Counts;

/// How many unacknowledged segments are remembered with their time.
const MAX_TIMES: usize = 128;

/// The window taken for granted as long as none was seen, so that nothing is judged outside it.
const ANY_WINDOW: u32 = 1 << 30;

/// One end.
#[derive(Clone, Debug, Default)]
pub(crate) struct End {
    /// Its state.
    pub(crate) known: Known,
    /// Its initial sequence number, seen or inferred.
    pub(crate) iss: Option<SeqNumber>,
    /// What it sent.
    pub(crate) sent: Coverage,
    /// What of it reached the other end, as far as is known.
    pub(crate) arrived: Coverage,
    /// The window scale it offered.
    pub(crate) scale: Option<u8>,
    /// The window it last advertised, in bytes.
    pub(crate) window: Option<u32>,
    /// The acknowledgment it last sent.
    pub(crate) last_ack: Option<SeqNumber>,
    /// How many times in a row it repeated that.
    pub(crate) duplicate_acks: u32,
    /// The number of its FIN.
    pub(crate) fin: Option<SeqNumber>,
    /// Whether it sent a SYN, with or without an acknowledgment.
    pub(crate) sent_syn: bool,
    /// Whether it sent one with an acknowledgment.
    pub(crate) sent_syn_ack: bool,
    /// Whether the last segment that reached it was a SYN that it had before.
    pub(crate) syn_came_again: bool,
    /// Totals of what it sent.
    pub(crate) counts: Counts,
    /// When the segments that are not yet acknowledged were sent.
    times: VecDeque<(SeqNumber, Instant)>,
}

impl End {
    /// Forgets the connection that is over, but not the state and what was counted.
    pub(crate) fn begin_anew(&mut self) {
        *self = Self { known: self.known, counts: self.counts, ..Self::default() };
    }

    /// Its first sequence number, and that everything before `next` was seen.
    pub(crate) fn begins(&mut self, iss: SeqNumber, next: SeqNumber) {
        self.iss = Some(iss);
        self.sent = Coverage::starting_at(next);
        self.arrived = Coverage::starting_at(next);
    }

    /// When a segment that starts at `seq` was last sent, if that is remembered; from now on
    /// `at`.
    pub(crate) fn sent_before(&mut self, seq: SeqNumber, at: Instant) -> Option<Instant> {
        if let Some((_, when)) = self.times.iter_mut().find(|(start, _)| *start == seq) {
            return Some(std::mem::replace(when, at));
        }
        if self.times.len() == MAX_TIMES {
            self.times.pop_front();
        }
        self.times.push_back((seq, at));
        None
    }

    fn follow(&mut self, cause: Cause) {
        if let Some(next) = self.known.state.and_then(|state| state.after(cause)) {
            self.known = Known { state: Some(next), read: false };
        }
    }

    fn be(&mut self, state: State) {
        self.known = Known { state: Some(state), read: false };
    }

    /// This end sent a segment with these control bits, which tells what it did before.
    pub(crate) fn has_sent(&mut self, flags: Flags) {
        use State as S;
        if flags.contains(Flags::RST) {
            return self.follow(Cause::Abort);
        }
        if flags.contains(Flags::SYN) {
            match (self.known.state, flags.contains(Flags::ACK)) {
                (None | Some(S::Closed | S::Listen), false) => self.be(S::SynSent),
                (None | Some(S::Closed | S::Listen), true) => self.be(S::SynReceived),
                (_, true) => self.follow(Cause::SynArrived),
                (_, false) => {}
            }
            return;
        }
        match self.known.state {
            None => self.be(S::Established),
            Some(S::SynSent) if flags.contains(Flags::ACK) => self.follow(Cause::SynAckArrived),
            _ => {}
        }
        if flags.contains(Flags::FIN) {
            self.follow(Cause::Close);
        }
    }

    /// A segment of `peer` reached this end: RFC 9293 §3.10.7's order, as far as it moves
    /// the state. Returns whether a RST in it had to be believed.
    pub(crate) fn takes(&mut self, peer: &mut Self, header: &Header, seg_len: u32) -> bool {
        self.syn_came_again = header.flags & (Flags::SYN | Flags::ACK) == Flags::SYN
            && peer.arrived.next().gt(header.seq);
        let Some(state) = self.known.state else {
            peer.arrived.add(header.seq, seg_len);
            return header.flags.contains(Flags::RST);
        };
        match state {
            State::Closed => return false,
            State::Listen => return self.takes_when_listening(peer, header, seg_len),
            State::SynSent => return self.takes_when_opening(peer, header, seg_len),
            _ => {}
        }
        let (rcv_nxt, window) = (peer.arrived.next(), self.window.unwrap_or(ANY_WINDOW));
        if header.flags.contains(Flags::RST) {
            let valid = acceptable::reset(rcv_nxt, window, header.seq) == Reset::Valid;
            if valid {
                self.follow(Cause::ResetArrived);
            }
            return valid;
        }
        // Of SYNs that crossed, the one that comes again brings the ACK (RFC 9293 §3.5, figure 7).
        let crossed = state == State::SynReceived
            && header.flags.contains(Flags::SYN | Flags::ACK)
            && peer.iss == Some(header.seq);
        if crossed || acceptable::touches_window(rcv_nxt, window, header.seq, seg_len) {
            self.takes_ack(header);
            peer.arrived.add(header.seq, seg_len);
            self.takes_fin(peer);
        }
        false
    }

    fn takes_when_listening(&mut self, peer: &mut Self, header: &Header, seg_len: u32) -> bool {
        if header.flags & (Flags::RST | Flags::ACK | Flags::SYN) == Flags::SYN {
            peer.arrived.add(header.seq, seg_len);
            self.follow(Cause::SynArrived);
        }
        false
    }

    fn takes_when_opening(&mut self, peer: &mut Self, header: &Header, seg_len: u32) -> bool {
        let has_ack = header.flags.contains(Flags::ACK);
        let iss = self.iss.unwrap_or_default();
        let fits = has_ack && header.ack.gt(iss) && header.ack.le(self.sent.end());
        if header.flags.contains(Flags::RST) {
            if fits {
                self.follow(Cause::ResetArrived);
            }
            return fits;
        }
        if header.flags.contains(Flags::SYN) && (fits || !has_ack) {
            peer.arrived.add(header.seq, seg_len);
            self.follow(if fits { Cause::SynAckArrived } else { Cause::SynArrived });
            self.forget_acknowledged(header);
            self.takes_fin(peer);
        }
        false
    }

    fn takes_ack(&mut self, header: &Header) {
        if !header.flags.contains(Flags::ACK) || header.ack.gt(self.sent.end()) {
            return;
        }
        if self.iss.is_some_and(|iss| header.ack.gt(iss)) {
            self.follow(Cause::SynAcknowledged);
        }
        if self.fin.is_some_and(|fin| header.ack.gt(fin)) {
            self.follow(Cause::FinAcknowledged);
        }
        self.forget_acknowledged(header);
    }

    fn forget_acknowledged(&mut self, header: &Header) {
        if header.flags.contains(Flags::ACK) {
            self.times.retain(|&(seq, _)| seq.ge(header.ack));
        }
    }

    fn takes_fin(&mut self, peer: &Self) {
        if peer.fin.is_some_and(|fin| peer.arrived.next().gt(fin)) {
            self.follow(Cause::FinArrived);
        }
    }

    /// Adds the segment to what this end sent, and counts it.
    pub(crate) fn count(&mut self, header: &Header, len: usize) -> Sighting {
        let old_end = self.sent.end();
        let sighting = self.sent.add(header.seq, header.seg_len(len));
        self.counts.packets += 1;
        self.counts.bytes += match sighting {
            Sighting::Again | Sighting::Empty => 0,
            // Of a segment that overlaps what was sent before, only what goes beyond it.
            Sighting::Next if header.seq.lt(old_end) => {
                u64::from(header.seg_len(len) - (old_end - header.seq)).min(len as u64)
            }
            _ => len as u64,
        };
        if header.flags.contains(Flags::FIN) {
            self.fin = Some(header.seq + header.seg_len(len) - 1);
        }
        sighting
    }
}
