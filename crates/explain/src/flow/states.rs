//! Both ends' states, as far as packets show them.

use handclasp_tcp::State;
use handclasp_tcp::state::Cause;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::Flags;

use crate::capture::dissect::Segment;
use crate::mark::Analyser;

/// The states of both ends; `None` where nothing was shown yet.
///
/// Every segment is taken to have arrived. What no packet shows is not guessed: an end that
/// never spoke has no state.
#[derive(Clone, Copy, Debug, Default)]
pub struct States {
    /// The states, in the order of the key's ends.
    pub of: [Option<State>; 2],
    /// The number of each end's FIN.
    fins: [Option<SeqNumber>; 2],
}

impl States {
    /// The next segment; `analyser` has judged it already.
    pub(super) fn see(&mut self, from: usize, segment: &Segment<'_>, analyser: &Analyser) {
        let (flags, header) = (segment.header.flags, &segment.header);
        let to = 1 - from;
        if flags.contains(Flags::RST) {
            return self.reset(from, to);
        }
        self.has_sent(from, flags);
        if flags.contains(Flags::FIN) {
            self.fins[from].get_or_insert(header.seq + segment.len);
        }
        if flags.contains(Flags::SYN) && self.of[to] == Some(State::SynSent) {
            let cause =
                if flags.contains(Flags::ACK) { Cause::SynAckArrived } else { Cause::SynArrived };
            self.follow(to, cause);
        }
        if flags.contains(Flags::ACK) {
            self.follow(to, Cause::SynAcknowledged);
            if self.fins[to].is_some_and(|fin| header.ack.gt(fin)) {
                self.follow(to, Cause::FinAcknowledged);
            }
        }
        let arrived = |fin: SeqNumber| analyser.contiguous(from).is_some_and(|end| end.gt(fin));
        if self.fins[from].is_some_and(arrived) {
            self.follow(to, Cause::FinArrived);
        }
    }

    fn has_sent(&mut self, from: usize, flags: Flags) {
        let state = &mut self.of[from];
        match (*state, flags.contains(Flags::SYN), flags.contains(Flags::ACK)) {
            (None, true, false) => *state = Some(State::SynSent),
            (None | Some(State::SynSent), true, true) => *state = Some(State::SynReceived),
            (None, false, _) => *state = Some(State::Established),
            // It acknowledges a SYN that it took, whether or not that was captured.
            (Some(State::SynSent), false, true) => self.follow(from, Cause::SynAckArrived),
            _ => {}
        }
        if flags.contains(Flags::FIN) {
            self.follow(from, Cause::Close);
        }
    }

    fn reset(&mut self, from: usize, to: usize) {
        self.of[from] = Some(State::Closed);
        if self.of[to].is_some() {
            self.of[to] = Some(State::Closed);
        }
    }

    fn follow(&mut self, end: usize, cause: Cause) {
        if let Some(next) = self.of[end].and_then(|state| state.after(cause)) {
            self.of[end] = Some(next);
        }
    }

    /// Whether nothing more can come but stragglers.
    #[must_use]
    pub fn are_over(&self) -> bool {
        let over = |state| matches!(state, Some(State::Closed | State::TimeWait));
        self.of.into_iter().all(|state| over(state) || state.is_none())
            && self.of.into_iter().any(over)
    }
}
