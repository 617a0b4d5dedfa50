//! Several packets carried on as one connection: what to send, what to expect and how long to
//! wait for it, step by step.
//!
//! Whoever has a link asks [`Conversation::next_send`] until it has nothing more, hands what
//! comes in to [`Conversation::arrived`], and asks again at [`Conversation::deadline`], until
//! [`Conversation::is_over`]. Behind the last step, or the first that fails, the connection is
//! closed or reset, so that no peer is left sending again and again.
//!
//! ```
//! use std::time::Duration;
//! use handclasp_craft::conversation::{Conversation, Step};
//! use handclasp_craft::template::Template;
//! use handclasp_wire::time::Instant;
//!
//! let base: Template = "10.0.0.1:5000 > 10.0.0.2:80".parse()?;
//! let steps = ["send [S]", "expect [S.] ack auto within 1s", "send [.]"];
//! let steps = steps.into_iter().map(str::parse::<Step>).collect::<Result<_, _>>()?;
//! let mut conversation = Conversation::new(base, steps);
//! let rng = &mut rand_pcg::Pcg32::new(1, 1);
//! let syn = conversation.next_send(Instant::ZERO, rng);
//! assert!(syn.is_some() && conversation.next_send(Instant::ZERO, rng).is_none());
//! assert_eq!(conversation.deadline(), Some(Instant::from_millis(1000)));
//! # Ok::<(), handclasp_craft::text::SpecError>(())
//! ```

use std::collections::VecDeque;
use std::time::Duration;

use handclasp_tcp::Tuple;
use handclasp_wire::tcp::Flags;
use handclasp_wire::time::Instant;
use rand_core::Rng;

use crate::dissect::Start;
use crate::field::Field;
use crate::template::{Mismatch, Template};

mod answer;
mod carried;
mod exchange;
mod step;

pub use answer::{Relation, relation, wants_answer};
use carried::{Carried, Segment};
pub use exchange::Exchange;
pub use step::Step;

/// How a conversation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// What is done about a connection that is open still.
    pub manner: Manner,
    /// For how long what comes in afterwards is answered, so that a peer which missed the end
    /// learns of it.
    pub linger: Duration,
}

/// What is done about a connection that is open still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It is closed; reset if the peer does not close within so long, or a step failed.
    Close {
        /// How long to wait for the peer.
        within: Duration,
    },
    /// It is reset.
    Reset,
    /// Nothing: what the peer then does is what one wants to see.
    Leave,
}

impl Default for Ending {
    /// Closed within a second, and 200 ms to linger.
    fn default() -> Self {
        let manner = Manner::Close { within: Duration::from_secs(1) };
        Self { manner, linger: Duration::from_millis(200) }
    }
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its turn has not come, or it waits.
    Pending,
    /// The packet was handed out to be sent.
    Sent {
        /// When.
        at: Instant,
        /// The packet.
        packet: Vec<u8>,
    },
    /// What was expected came.
    Met {
        /// When.
        at: Instant,
        /// How long the step had waited for it.
        took: Duration,
        /// The packet.
        packet: Vec<u8>,
    },
    /// Nothing came, as it should be.
    Silent,
    /// What was expected did not come in time.
    Missed {
        /// How the last packet that came instead differs; `None` if none came.
        instead: Option<Mismatch>,
    },
    /// Something came where nothing should.
    Broken {
        /// When.
        at: Instant,
        /// The packet.
        packet: Vec<u8>,
    },
    /// A step before it failed.
    Skipped,
}

/// What a packet that arrived was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// None of this conversation's, or no TCP.
    Foreign,
    /// What this step had expected.
    Expected {
        /// Its number, from 0 on.
        step: usize,
    },
    /// Something else than what the step at hand expects.
    Unexpected(Mismatch),
    /// Something that came before the step which waits: it is taken in behind what is to be
    /// sent first.
    Early,
    /// A packet where none should come, or behind the last step.
    Unasked,
}

/// How the connection came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing was open: nothing was sent, or the peer reset it or answered so.
    NothingOpen,
    /// Both sides closed.
    Closed,
    /// We reset it.
    Reset,
    /// It was left as it was.
    Left,
}

/// Packets that are kept until their step comes. Whoever asks what to send between what arrives
/// never has so many.
const MOST_EARLY: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// At the step of this number, which a wait began at `since` with.
    Steps {
        at: usize,
        since: Option<Instant>,
    },
    /// Our FIN is under way or acknowledged, the peer's is awaited.
    Closing {
        until: Instant,
    },
    /// It ended; late packets are answered.
    Lingering {
        until: Instant,
    },
    Over,
}

/// A list of steps on its way through a connection; see the [module](self).
#[derive(Clone, Debug)]
pub struct Conversation {
    base: Template,
    start: Start,
    steps: Vec<Step>,
    outcomes: Vec<Outcome>,
    /// Whether steps come one by one, and whoever adds them knows how to take one that fails.
    led: bool,
    /// Whether more steps may come, so that neither the last one nor a failure is the end.
    goes_on: bool,
    ending: Ending,
    phase: Phase,
    end: Option<End>,
    instead: Option<Mismatch>,
    /// What came while something was to be sent.
    early: VecDeque<Vec<u8>>,
    carried: Carried,
    /// What the ending sends.
    replies: VecDeque<Template>,
}

impl Conversation {
    /// A conversation whose packets are all as `base` says where their own template says
    /// nothing; it mostly tells both ends.
    #[must_use]
    pub fn new(base: Template, steps: Vec<Step>) -> Self {
        Self {
            start: base.start(),
            carried: Carried::default(),
            outcomes: vec![Outcome::Pending; steps.len()],
            base,
            steps,
            led: false,
            goes_on: false,
            ending: Ending::default(),
            phase: Phase::Steps { at: 0, since: None },
            end: None,
            instead: None,
            early: VecDeque::new(),
            replies: VecDeque::new(),
        }
    }

    /// A conversation whose steps come one by one ([`Conversation::then`]), as who leads it
    /// decides; it ends when it is told to ([`Conversation::conclude`]). A step that fails is no
    /// end of it.
    #[must_use]
    pub fn open(base: Template) -> Self {
        Self { led: true, goes_on: true, ..Self::new(base, Vec::new()) }
    }

    /// Adds a step behind the others. What came since the last one was over counts for it.
    pub fn then(&mut self, step: Step) {
        self.steps.push(step);
        self.outcomes.push(Outcome::Pending);
    }

    /// No more steps come: behind the last one, what is open is ended.
    pub fn conclude(&mut self, ending: Ending) {
        self.goes_on = false;
        self.ending = ending;
    }

    /// The same with another ending.
    #[must_use]
    pub fn with_ending(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }

    /// What became of each step so far.
    #[must_use]
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// Whether no step failed.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        let failed = |outcome: &Outcome| {
            matches!(outcome, Outcome::Missed { .. } | Outcome::Broken { .. } | Outcome::Skipped)
        };
        !self.outcomes.iter().any(failed)
    }

    /// How the connection ended, once it did.
    #[must_use]
    pub const fn end(&self) -> Option<End> {
        self.end
    }

    /// Whose connection it is, seen from our side; `None` until the first packet is sent or met.
    #[must_use]
    pub const fn tuple(&self) -> Option<Tuple> {
        self.carried.tuple()
    }

    /// Whether nothing more will be sent or awaited.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over && self.replies.is_empty()
    }

    /// When to call [`Conversation::next_send`] again if nothing arrives before. `None` if
    /// there is something to send, or it is over.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match self.phase {
            _ if !self.replies.is_empty() => None,
            Phase::Steps { at, since } => {
                since.zip(self.steps.get(at)?.wait()).map(|(since, wait)| since + wait)
            }
            Phase::Closing { until } | Phase::Lingering { until } => Some(until),
            Phase::Over => None,
        }
    }

    /// What is to be sent now, one packet at a time; `None` until something arrives or the
    /// deadline passes.
    pub fn next_send(&mut self, now: Instant, rng: &mut (impl Rng + ?Sized)) -> Option<Vec<u8>> {
        self.take_early(now);
        self.expire(now);
        if let Some(reply) = self.replies.pop_front() {
            return Some(self.send(reply, now, rng));
        }
        let Phase::Steps { at, .. } = self.phase else { return None };
        let Some(Step::Send(template)) = self.steps.get(at) else { return None };
        let packet = self.send(template.clone(), now, rng);
        self.done(at, Outcome::Sent { at: now, packet: packet.clone() }, now);
        self.take_early(now);
        Some(packet)
    }

    /// Takes in what came before the step at hand, if that waits for something.
    fn take_early(&mut self, now: Instant) {
        while !self.is_early()
            && let Some(early) = self.early.pop_front()
        {
            self.arrived(&early, now);
        }
    }

    /// Whether what arrives is for a later step: that at hand sends, or is yet to come.
    fn is_early(&self) -> bool {
        let Phase::Steps { at, .. } = self.phase else { return false };
        match self.steps.get(at) {
            Some(step) => matches!(step, Step::Send(_)),
            None => self.goes_on,
        }
    }

    /// Takes in a packet that arrived, and says what it was.
    pub fn arrived(&mut self, packet: &[u8], now: Instant) -> Arrival {
        self.expire(now);
        let segment = Segment::read(packet, self.start);
        let Some(segment) = segment.filter(|segment| self.carried.is_ours(segment)) else {
            return Arrival::Foreign;
        };
        if self.is_early() {
            let known = self.carried.tuple().is_some() && self.early.len() < MOST_EARLY;
            self.early.extend(known.then(|| packet.to_vec()));
            return if known { Arrival::Early } else { Arrival::Foreign };
        }
        if let Phase::Steps { at, since } = self.phase {
            return self.arrived_in_step((at, since.unwrap_or(now)), packet, &segment, now);
        }
        self.carried.received(&segment);
        match self.phase {
            Phase::Closing { .. } => self.answer_while_closing(&segment, now),
            Phase::Lingering { .. } => self.answer_late(&segment),
            Phase::Steps { .. } | Phase::Over => {}
        }
        Arrival::Unasked
    }

    fn arrived_in_step(
        &mut self,
        (at, since): (usize, Instant),
        packet: &[u8],
        segment: &Segment,
        now: Instant,
    ) -> Arrival {
        let matched = match self.steps.get(at) {
            Some(Step::Expect { what, .. }) => {
                Some(self.carried.expected(what).matches(packet, self.start))
            }
            _ => None,
        };
        // Until somebody is met as expected, whoever else comes is a stranger.
        if self.carried.tuple().is_none() && matched != Some(Ok(())) {
            return Arrival::Foreign;
        }
        self.carried.received(segment);
        let packet = packet.to_vec();
        match matched {
            Some(Ok(())) => {
                self.done(at, Outcome::Met { at: now, took: now - since, packet }, now);
                Arrival::Expected { step: at }
            }
            Some(Err(mismatch)) => {
                self.instead = Some(mismatch.clone());
                Arrival::Unexpected(mismatch)
            }
            None => {
                self.fail(at, Outcome::Broken { at: now, packet }, now);
                Arrival::Unasked
            }
        }
    }

    /// Lets deadlines pass, and begins waits and the ending when their turn has come.
    fn expire(&mut self, now: Instant) {
        loop {
            match self.phase {
                Phase::Steps { at, since } => match self.steps.get(at) {
                    None if self.goes_on => return,
                    None => return self.finish(now),
                    Some(Step::Send(_)) => return,
                    Some(step) => {
                        let since = since.unwrap_or(now);
                        self.phase = Phase::Steps { at, since: Some(since) };
                        let due = step.wait().map(|wait| since + wait);
                        if due.is_none_or(|due| now < due) {
                            return;
                        }
                        match step {
                            Step::Silence(_) => self.done(at, Outcome::Silent, now),
                            _ => {
                                let instead = self.instead.take();
                                self.fail(at, Outcome::Missed { instead }, now);
                            }
                        }
                    }
                },
                Phase::Closing { until } if now >= until => self.reset(now),
                Phase::Lingering { until } if now >= until => self.phase = Phase::Over,
                _ => return,
            }
        }
    }

    fn done(&mut self, at: usize, outcome: Outcome, now: Instant) {
        if let Some(place) = self.outcomes.get_mut(at) {
            *place = outcome;
        }
        self.instead = None;
        let last = at + 1 == self.steps.len();
        // The wait of a step that is yet to come begins with it.
        let since = (!last || !self.goes_on).then_some(now);
        self.phase = Phase::Steps { at: at + 1, since };
        if last && !self.goes_on {
            self.finish(now);
        }
    }

    fn fail(&mut self, at: usize, outcome: Outcome, now: Instant) {
        if self.goes_on {
            return self.done(at, outcome, now);
        }
        for (number, place) in self.outcomes.iter_mut().enumerate().skip(at) {
            *place = if number == at { outcome.clone() } else { Outcome::Skipped };
        }
        self.finish(now);
    }

    /// Ends what is open, as far as that is wanted.
    fn finish(&mut self, now: Instant) {
        match self.ending.manner {
            _ if !self.carried.is_open() => self.over(End::NothingOpen, now, Duration::ZERO),
            Manner::Leave => self.over(End::Left, now, Duration::ZERO),
            Manner::Close { within }
                if (self.led || self.succeeded()) && self.carried.can_close() =>
            {
                self.phase = Phase::Closing { until: now + within };
                self.go_on_closing(now);
            }
            Manner::Close { .. } | Manner::Reset => self.reset(now),
        }
    }

    fn reset(&mut self, now: Instant) {
        let acknowledges = self.carried.rcv_nxt().is_some();
        self.reply(if acknowledges { Flags::RST | Flags::ACK } else { Flags::RST });
        self.over(End::Reset, now, self.ending.linger);
    }

    fn over(&mut self, end: End, now: Instant, linger: Duration) {
        self.end = Some(end);
        self.phase =
            if linger.is_zero() { Phase::Over } else { Phase::Lingering { until: now + linger } };
    }

    fn answer_while_closing(&mut self, segment: &Segment, now: Instant) {
        if !self.carried.is_open() {
            return self.over(End::NothingOpen, now, Duration::ZERO);
        }
        if segment.len() > 0 {
            self.reply(Flags::ACK);
        }
        if self.carried.is_closed() {
            self.over(End::Closed, now, self.ending.linger);
        }
    }

    /// Sends our FIN, or the acknowledgment of the peer's that the steps left out.
    fn go_on_closing(&mut self, now: Instant) {
        if !self.carried.fin_sent() {
            self.reply(Flags::FIN | Flags::ACK);
        } else if self.carried.owes_ack() {
            self.reply(Flags::ACK);
        }
        if self.carried.is_closed() {
            self.over(End::Closed, now, self.ending.linger);
        }
    }

    /// What a closed or reset connection answers (RFC 9293 §3.10.7.1, §3.10.7.4).
    fn answer_late(&mut self, segment: &Segment) {
        if segment.flags.contains(Flags::RST) {
            return;
        }
        if self.end == Some(End::Closed) {
            if segment.len() > 0 {
                self.reply(Flags::ACK);
            }
        } else if segment.flags.contains(Flags::ACK) {
            let reset = Template::default().with(Field::Flags, Flags::RST);
            self.replies.push_back(reset.with(Field::Seq, segment.ack));
        } else {
            let reset = Template::default().with(Field::Flags, Flags::RST | Flags::ACK);
            let reset = reset.with(Field::Ack, segment.seq + segment.len());
            self.replies.push_back(reset.with(Field::Seq, 0u8));
        }
    }

    fn reply(&mut self, flags: Flags) {
        self.replies.push_back(Template::default().with(Field::Flags, flags));
    }

    fn send(&mut self, template: Template, now: Instant, rng: &mut (impl Rng + ?Sized)) -> Vec<u8> {
        let packet = self.carried.continued(template.or(&self.base), now).build(rng);
        if let Some(segment) = Segment::read(&packet, self.start) {
            self.carried.sent(&segment, now);
        }
        packet
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
