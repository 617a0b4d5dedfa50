//! Both ends' states, as far as packets show them: RFC 9293's machine, seen from outside.

use handclasp_tcp::State;
use handclasp_tcp::acceptable::{self, Reset};
use handclasp_tcp::state::Cause;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::Flags;

use super::coverage::Coverage;
use crate::capture::dissect::Segment;
use crate::mark::Analyser;
use crate::track::Fate;
use crate::track::row::Known;

/// The window taken for granted as long as none was seen, so that nothing is judged outside it.
const ANY_WINDOW: u32 = 1 << 30;

/// The states of both ends; `None` where nothing was shown yet.
///
/// What no packet shows is not guessed: an end that never spoke has no state, unless somebody
/// who can ask it tells.
#[derive(Clone, Debug, Default)]
pub struct States {
    /// The states, in the order of the key's ends.
    pub of: [Option<State>; 2],
    /// Whether each was asked for, and no packet moved it since.
    read: [bool; 2],
    /// The number of each end's FIN.
    fins: [Option<SeqNumber>; 2],
    /// What each end sent and the other has, as far as is known.
    arrived: [Option<Coverage>; 2],
    /// Whether the last segment that reached each end was a SYN that it had before.
    syn_came_again: [bool; 2],
}

impl States {
    /// What is known of an end's state.
    #[must_use]
    pub const fn known(&self, end: usize) -> Known {
        Known { state: self.of[end], read: self.read[end] }
    }

    /// Somebody asked an end for its state: from here on that counts.
    pub(crate) const fn read(&mut self, end: usize, state: State) {
        self.of[end] = Some(state);
        self.read[end] = true;
    }

    /// An end is in this state, as far as can be told.
    pub(crate) const fn infer(&mut self, end: usize, state: State) {
        self.be(end, state);
    }

    /// Whether the last segment that reached this end was a SYN that it had before.
    pub(crate) const fn syn_came_again(&self, end: usize) -> bool {
        self.syn_came_again[end]
    }

    /// Whether nothing more can come but stragglers.
    #[must_use]
    pub fn are_over(&self) -> bool {
        let over = |state| matches!(state, Some(State::Closed | State::TimeWait));
        self.of.into_iter().all(|state| over(state) || state.is_none())
            && self.of.into_iter().any(over)
    }

    fn follow(&mut self, end: usize, cause: Cause) {
        if let Some(next) = self.of[end].and_then(|state| state.after(cause)) {
            self.be(end, next);
        }
    }

    const fn be(&mut self, end: usize, state: State) {
        self.of[end] = Some(state);
        self.read[end] = false;
    }

    /// The next segment; `analyser` has judged it already. Returns whether a RST in it had to
    /// be believed.
    pub(super) fn see(
        &mut self,
        from: usize,
        segment: &Segment<'_>,
        fate: Fate,
        analyser: &Analyser,
    ) -> bool {
        let (to, header) = (1 - from, &segment.header);
        self.arrived[from].get_or_insert_with(|| Coverage::starting_at(header.seq));
        if header.flags.contains(Flags::ACK) {
            // Whoever acknowledges has it, whether or not it was captured.
            let has = self.arrived[to].get_or_insert_with(|| Coverage::starting_at(header.ack));
            has.skip_to(header.ack);
        }
        // A copy that the link made says nothing about its sender.
        if fate != Fate::Copied {
            self.has_sent(from, segment);
        }
        fate.arrives() && self.takes(from, segment, analyser)
    }

    /// The end sent this segment, which tells what it did before.
    fn has_sent(&mut self, end: usize, segment: &Segment<'_>) {
        use State as S;
        let (flags, header) = (segment.header.flags, &segment.header);
        if flags.contains(Flags::FIN) {
            let seg_len = header.seg_len(segment.len as usize);
            self.fins[end].get_or_insert(header.seq + seg_len - 1);
        }
        if flags.contains(Flags::RST) {
            return match self.of[end] {
                None => self.be(end, S::Closed),
                Some(_) => self.follow(end, Cause::Abort),
            };
        }
        if flags.contains(Flags::SYN) {
            match (self.of[end], flags.contains(Flags::ACK)) {
                (None | Some(S::Closed | S::Listen), false) => self.be(end, S::SynSent),
                (None | Some(S::Closed | S::Listen), true) => self.be(end, S::SynReceived),
                (_, true) => self.follow(end, Cause::SynArrived),
                (_, false) => {}
            }
            return;
        }
        match self.of[end] {
            None => self.be(end, S::Established),
            // It acknowledges a SYN that it took, whether or not that was captured.
            Some(S::SynSent) if flags.contains(Flags::ACK) => {
                self.follow(end, Cause::SynAckArrived);
            }
            _ => {}
        }
        if flags.contains(Flags::FIN) {
            self.follow(end, Cause::Close);
        }
    }

    fn arrives(&mut self, from: usize, segment: &Segment<'_>) {
        if let Some(arrived) = &mut self.arrived[from] {
            arrived.add(segment.header.seq, segment.header.seg_len(segment.len as usize));
        }
    }

    /// The first number of `from` that is not known to have reached the other end.
    fn rcv_nxt(&self, from: usize) -> SeqNumber {
        self.arrived[from].as_ref().map_or_else(SeqNumber::default, Coverage::next)
    }

    /// The segment reached the other end: RFC 9293 §3.10.7's order, as far as it moves the
    /// state. Returns whether a RST in it had to be believed.
    fn takes(&mut self, from: usize, segment: &Segment<'_>, analyser: &Analyser) -> bool {
        let (to, header) = (1 - from, &segment.header);
        let rcv_nxt = self.rcv_nxt(from);
        self.syn_came_again[to] =
            header.flags & (Flags::SYN | Flags::ACK) == Flags::SYN && rcv_nxt.gt(header.seq);
        match self.of[to] {
            None => {
                self.arrives(from, segment);
                return header.flags.contains(Flags::RST);
            }
            Some(State::Closed) => return false,
            Some(State::Listen) => {
                if header.flags & (Flags::RST | Flags::ACK | Flags::SYN) == Flags::SYN {
                    self.arrives(from, segment);
                    self.follow(to, Cause::SynArrived);
                }
                return false;
            }
            Some(State::SynSent) => return self.takes_when_opening(from, segment, analyser),
            Some(_) => {}
        }
        let window = analyser.window(to).unwrap_or(ANY_WINDOW);
        if header.flags.contains(Flags::RST) {
            let valid = acceptable::reset(rcv_nxt, window, header.seq) == Reset::Valid;
            if valid {
                self.follow(to, Cause::ResetArrived);
            }
            return valid;
        }
        let seg_len = header.seg_len(segment.len as usize);
        // Of SYNs that crossed, the one that comes again brings the ACK (RFC 9293 §3.5, figure 7).
        let crossed = self.of[to] == Some(State::SynReceived)
            && header.flags.contains(Flags::SYN | Flags::ACK)
            && analyser.isn(from) == Some(header.seq);
        if crossed || acceptable::touches_window(rcv_nxt, window, header.seq, seg_len) {
            self.takes_ack(to, segment, analyser);
            self.arrives(from, segment);
            self.takes_fin(from);
        }
        false
    }

    fn takes_when_opening(
        &mut self,
        from: usize,
        segment: &Segment<'_>,
        analyser: &Analyser,
    ) -> bool {
        let (to, header) = (1 - from, &segment.header);
        let has_ack = header.flags.contains(Flags::ACK);
        let after = |isn: SeqNumber| header.ack.gt(isn);
        let sent = |next: SeqNumber| header.ack.le(next);
        let fits =
            has_ack && analyser.isn(to).is_some_and(after) && analyser.next(to).is_some_and(sent);
        if header.flags.contains(Flags::RST) {
            if fits {
                self.follow(to, Cause::ResetArrived);
            }
            return fits;
        }
        if header.flags.contains(Flags::SYN) && (fits || !has_ack) {
            self.arrives(from, segment);
            self.follow(to, if fits { Cause::SynAckArrived } else { Cause::SynArrived });
            self.takes_fin(from);
        }
        false
    }

    fn takes_ack(&mut self, to: usize, segment: &Segment<'_>, analyser: &Analyser) {
        let header = &segment.header;
        let of_the_future = analyser.next(to).is_some_and(|next| header.ack.gt(next));
        if !header.flags.contains(Flags::ACK) || of_the_future {
            return;
        }
        if analyser.isn(to).is_some_and(|isn| header.ack.gt(isn)) {
            self.follow(to, Cause::SynAcknowledged);
        }
        if self.fins[to].is_some_and(|fin| header.ack.gt(fin)) {
            self.follow(to, Cause::FinAcknowledged);
        }
    }

    fn takes_fin(&mut self, from: usize) {
        if self.fins[from].is_some_and(|fin| self.rcv_nxt(from).gt(fin)) {
            self.follow(1 - from, Cause::FinArrived);
        }
    }
}
