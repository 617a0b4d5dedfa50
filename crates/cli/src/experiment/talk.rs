//! One experiment's conversations with the peer, led step by step.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use handclasp::tcp::{State, Tuple};
use handclasp::wire::frame::Medium;
use handclasp::wire::tcp::{Flags, Header};
use handclasp::wire::time::Instant;
use handclasp_craft::conversation::{Conversation, Ending, Manner, Outcome, Step};
use handclasp_craft::dissect::Start;
use handclasp_craft::format::tcpdump;
use handclasp_craft::template::Template;
use handclasp_explain::catalogue::Message;
use handclasp_explain::catalogue::experiment::Happened;
use handclasp_explain::track::dissect;
use handclasp_explain::track::note::Note;
use indicatif::ProgressBar;
use rand_pcg::Pcg32;

use super::stage::Stage;
use crate::error::Error;
use crate::language::say;
use crate::watch::{Remark, Sight};

/// What the client asks for.
pub(super) const REQUEST: &str = r#"data "GET / HTTP/1.0\r\n\r\n""#;

/// How long what has to come at once may take on a busy machine.
pub(super) const SOON: Duration = Duration::from_secs(5);

/// How long to look for what should not come.
pub(super) const MOMENT: Duration = Duration::from_millis(200);

/// How long somebody may take who has to be asked to connect to us.
const CALLING: Duration = Duration::from_secs(120);

/// How often the state of a peer is asked for.
const GLANCE: Duration = Duration::from_millis(2);

/// How often a wait is told.
const TICK: Duration = Duration::from_millis(250);

/// Why an experiment did not come to its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// The peer did otherwise than it should.
    Unlike(Happened),
    /// It could not go on.
    Trouble(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Trouble(error)
    }
}

/// What came of an experiment, or of a part of it.
pub(super) type Ran<T = Happened> = Result<T, Stop>;

/// A segment that was sent or that came as it was expected.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) at: Instant,
    pub(super) header: Header,
    pub(super) len: usize,
}

impl Segment {
    fn new(at: Instant, packet: &[u8]) -> Self {
        let (header, len) = match dissect(Medium::Ip, packet) {
            Some((_, _, header, payload)) => (header, payload.len()),
            None => (Header::default(), 0),
        };
        Self { at, header, len }
    }
}

/// A connection that is being talked on.
struct Line {
    conversation: Conversation,
    /// What is known of its ends from the start on; the peer's is not, where that calls us.
    tuple: Option<Tuple>,
    /// RSTs that came.
    resets: u32,
    /// Whether what is sent gets lost.
    losing: bool,
    /// Whether the page came without the FIN behind it.
    fin_due: bool,
}

/// Conversations with the peer.
pub(super) struct Talk<'s> {
    stage: &'s mut dyn Stage,
    rng: Pcg32,
    bar: ProgressBar,
    port: u16,
    line: Option<Line>,
}

impl<'s> Talk<'s> {
    /// With ports and sequence numbers that come from `seed`.
    pub(super) fn new(stage: &'s mut dyn Stage, seed: u64, bar: ProgressBar) -> Self {
        /// RFC 6335 §6: ports that nobody is assigned, with room for some more behind.
        const DYNAMIC: std::ops::Range<u64> = 49_152..65_000;
        let port = (DYNAMIC.start + seed % (DYNAMIC.end - DYNAMIC.start)) as u16;
        Self { stage, rng: Pcg32::new(seed, 7), bar, port, line: None }
    }

    /// Turns to a new connection with the peer's server.
    pub(super) fn connect(&mut self) -> Ran<()> {
        let server = self.stage.server();
        self.turn_to(Some(server))
    }

    /// Turns to a connection with a port that nobody listens on.
    pub(super) fn connect_to_closed(&mut self) -> Ran<()> {
        let closed = self.stage.closed();
        self.turn_to(Some(closed))
    }

    /// Has the peer connect to us, and turns to that connection: its SYN came.
    pub(super) fn be_called(&mut self) -> Ran<Segment> {
        self.turn_to(None)?;
        let own = SocketAddr::new(self.stage.ours(), self.port);
        let within = if self.stage.commands_peer() {
            self.stage.call(own)?;
            SOON
        } else {
            // Without a standard error there is nobody to tell.
            let told = writeln!(std::io::stderr(), "{}", say(&Message::CallUs(own)));
            drop(told);
            CALLING
        };
        self.expect_within("[S?EW]", within)
    }

    /// Whether the peer can be made to connect to us without anybody's help.
    pub(super) fn can_be_called(&self) -> bool {
        self.stage.commands_peer()
    }

    fn turn_to(&mut self, peer: Option<SocketAddr>) -> Ran<()> {
        self.end(reset_if_open())?;
        self.port += 1;
        let own = SocketAddr::new(self.stage.ours(), self.port);
        let base = match peer {
            Some(peer) => template(&format!("{own} > {peer}")),
            None => {
                let peer = self.stage.server().ip();
                template(&format!("src {own} dst {peer}"))
            }
        };
        self.line = Some(Line {
            conversation: Conversation::open(base),
            tuple: peer.map(|peer| Tuple::new(own, peer)),
            resets: 0,
            losing: false,
            fin_due: false,
        });
        Ok(())
    }

    /// Begins a connection that nobody means to go on with, and leaves it so.
    pub(super) fn flood(&mut self) -> Ran<()> {
        self.connect()?;
        self.we_are(State::Closed);
        self.send("[S] <mss 1460>")?;
        self.maybe("[S.] ack auto", MOMENT / 2)?;
        self.line = None;
        Ok(())
    }

    /// A handshake, all three packets of it.
    pub(super) fn open(&mut self) -> Ran<Segment> {
        self.connect()?;
        self.send("[S] <mss 1460>")?;
        self.expect("[S.] ack auto")?;
        let third = self.send("[.]")?;
        self.peer_is(State::Established)?;
        Ok(third)
    }

    /// Asks for the page, and gets it.
    pub(super) fn request(&mut self) -> Ran<Segment> {
        self.send(&format!("[P.] {REQUEST}"))?;
        self.page()
    }

    /// The beginning of the page.
    pub(super) fn page(&mut self) -> Ran<Segment> {
        let page = self.expect("[P.?F] seq auto ack auto")?;
        self.line().fin_due = !page.header.flags.contains(Flags::FIN);
        Ok(page)
    }

    /// Sends what a template says.
    pub(super) fn send(&mut self, what: &str) -> Ran<Segment> {
        match self.step(Step::Send(template(what)))? {
            Outcome::Sent { at, packet } => Ok(Segment::new(at, &packet)),
            _ => Ok(Segment::new(self.stage.now(), &[])),
        }
    }

    /// Sends it so that it gets lost.
    pub(super) fn lose(&mut self, what: &str) -> Ran<Segment> {
        self.line().losing = true;
        let sent = self.send(what);
        self.line().losing = false;
        sent
    }

    /// Waits for what has to come at once.
    pub(super) fn expect(&mut self, what: &str) -> Ran<Segment> {
        self.expect_within(what, SOON)
    }

    /// Waits for what has to come.
    pub(super) fn expect_within(&mut self, what: &str, within: Duration) -> Ran<Segment> {
        let step = Step::Expect { what: template(what), within };
        match self.step(step)? {
            Outcome::Met { at, packet, .. } => {
                let segment = Segment::new(at, &packet);
                self.line().fin_due &= !segment.header.flags.contains(Flags::FIN);
                Ok(segment)
            }
            Outcome::Missed { instead } => Err(Stop::Unlike(Happened::Missed {
                expected: plainly(what),
                instead: instead.map(|mismatch| mismatch.to_string()),
            })),
            _ => Err(Stop::Unlike(Happened::Missed { expected: plainly(what), instead: None })),
        }
    }

    /// Waits for what may come.
    pub(super) fn maybe(&mut self, what: &str, within: Duration) -> Ran<Option<Segment>> {
        match self.expect_within(what, within) {
            Ok(segment) => Ok(Some(segment)),
            Err(Stop::Unlike(_)) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// Waits, and nothing comes.
    pub(super) fn silence(&mut self, time: Duration) -> Ran<()> {
        match self.step(Step::Silence(time))? {
            Outcome::Broken { packet, .. } => {
                let came = tcpdump(&packet, Start::Ip);
                Err(Stop::Unlike(Happened::NotSilent { came }))
            }
            _ => Ok(()),
        }
    }

    /// The peer is in this state, or will be in a moment; where it cannot be asked, it is
    /// believed to be.
    pub(super) fn peer_is(&mut self, expected: State) -> Ran<()> {
        self.peer_comes_to(expected, |state| state == expected)
    }

    /// The peer has forgotten the connection.
    pub(super) fn peer_forgot(&mut self) -> Ran<()> {
        self.peer_comes_to(State::Closed, |state| {
            matches!(state, State::Closed | State::Listen | State::TimeWait)
        })
    }

    fn peer_comes_to(&mut self, expected: State, well: impl Fn(State) -> bool) -> Ran<()> {
        let until = self.stage.now() + SOON;
        loop {
            let Some(tuple) = self.tuple() else { return Ok(()) };
            let Some(found) = self.stage.state(&tuple)? else { return Ok(()) };
            if well(found) {
                return Ok(());
            }
            if self.stage.now() >= until {
                return Err(Stop::Unlike(Happened::WrongState { expected, found }));
            }
            let glance = self.stage.now() + GLANCE;
            self.receive(glance)?;
        }
    }

    /// Our end is in this state from here on, whatever its packets look like.
    pub(super) fn we_are(&mut self, state: State) {
        self.claim(Some(state));
    }

    /// Our end is again in the state that its packets show.
    pub(super) fn we_are_what_we_send(&mut self) {
        self.claim(None);
    }

    fn claim(&self, state: Option<State>) {
        if let Some(tuple) = self.tuple() {
            self.stage.show(Sight::Claim(tuple, state));
        }
    }

    /// Says what the next packet is that we send.
    pub(super) fn next_is(&self, note: Note) {
        if let Some(tuple) = self.tuple() {
            self.stage.show(Sight::Remark(tuple, Remark::Next(note)));
        }
    }

    /// Says what the last packet was that came.
    pub(super) fn last_was(&self, note: Note) {
        if let Some(tuple) = self.tuple() {
            self.stage.show(Sight::Remark(tuple, Remark::Last(note)));
        }
    }

    /// How many RSTs the peer sent on this connection.
    pub(super) fn resets(&mut self) -> u32 {
        self.line().resets
    }

    /// Ends the connection: closes it, if it is open. Who served a page closes first.
    pub(super) fn close(&mut self) -> Ran<()> {
        if self.line().fin_due {
            self.maybe("[F.?P] seq auto", MOMENT)?;
        }
        self.end(Ending::default())
    }

    /// Ends a connection that should be gone at the peer's end. Where that is not sure, a RST
    /// makes it so.
    pub(super) fn bury(&mut self) -> Ran<()> {
        let gone = match self.tuple() {
            Some(tuple) => self.stage.state(&tuple)?,
            None => None,
        };
        match gone {
            Some(State::Closed | State::Listen) => {
                self.end(Ending { manner: Manner::Leave, linger: Duration::ZERO })
            }
            _ => self.end(reset_if_open()),
        }
    }

    /// Ends what is open with a RST, as far as there is still a way to send one.
    pub(super) fn give_up(&mut self) {
        // Whatever goes wrong here, something worse did before.
        let _ = self.end(reset_if_open());
    }

    fn end(&mut self, ending: Ending) -> Ran<()> {
        let Some(line) = &mut self.line else { return Ok(()) };
        line.conversation.conclude(ending);
        loop {
            self.put()?;
            let line = self.line();
            if line.conversation.is_over() {
                self.line = None;
                return Ok(());
            }
            let until = line.conversation.deadline();
            let until = until.unwrap_or_else(|| self.stage.now());
            self.receive(until)?;
        }
    }

    /// Lets one step come to its end.
    fn step(&mut self, step: Step) -> Ran<Outcome> {
        let within = match &step {
            Step::Expect { within, .. } | Step::Silence(within) => *within,
            Step::Send(_) => Duration::ZERO,
        };
        let what = match &step {
            Step::Expect { what, .. } => plainly(&what.to_string()),
            _ => String::new(),
        };
        let began = self.stage.now();
        let line = self.line();
        let number = line.conversation.outcomes().len();
        line.conversation.then(step);
        loop {
            self.put()?;
            let line = self.line();
            match line.conversation.outcomes().get(number) {
                Some(Outcome::Pending) | None => {}
                Some(outcome) => {
                    let outcome = outcome.clone();
                    self.bar.set_message("");
                    return Ok(outcome);
                }
            }
            let until = line.conversation.deadline();
            let until = until.unwrap_or_else(|| self.stage.now());
            if !self.stage.is_real() || within <= SOON {
                self.receive(until)?;
                continue;
            }
            let now = self.stage.now();
            let told = Message::Awaited { what: &what, since: now - began, within };
            self.bar.set_message(say(&told));
            self.receive(until.min(now + TICK))?;
        }
    }

    /// Sends what is to be sent now.
    fn put(&mut self) -> Ran<()> {
        let now = self.stage.now();
        loop {
            let Some(line) = &mut self.line else { return Ok(()) };
            let Some(packet) = line.conversation.next_send(now, &mut self.rng) else {
                return Ok(());
            };
            if line.losing { self.stage.lose(&packet)? } else { self.stage.send(&packet)? }
        }
    }

    /// Takes in what comes until then, one packet at most.
    fn receive(&mut self, until: Instant) -> Ran<()> {
        let Some((at, packet)) = self.stage.receive(until)? else { return Ok(()) };
        let tuple = self.tuple();
        let Some(line) = &mut self.line else { return Ok(()) };
        if let (Some(tuple), Some((src, dst, header, _))) = (tuple, dissect(Medium::Ip, &packet)) {
            let ours = Tuple::new(dst, src) == tuple;
            line.resets += u32::from(ours && header.flags.contains(Flags::RST));
        }
        line.conversation.arrived(&packet, at);
        Ok(())
    }

    fn tuple(&self) -> Option<Tuple> {
        let line = self.line.as_ref()?;
        line.tuple.or(line.conversation.tuple())
    }

    /// # Panics
    ///
    /// If the experiment did not turn to a connection first.
    fn line(&mut self) -> &mut Line {
        self.line.as_mut().expect("an experiment begins with a connection")
    }
}

const fn reset_if_open() -> Ending {
    Ending { manner: Manner::Reset, linger: Duration::ZERO }
}

/// What is expected, as a reader knows it: without what follows from the packets before, and
/// without flags that may be there or not.
fn plainly(template: &str) -> String {
    let mut said: Vec<String> = Vec::new();
    let mut words = template.split(' ').peekable();
    while let Some(word) = words.next() {
        if words.next_if(|value| value.starts_with("auto")).is_some() {
            continue;
        }
        said.push(match (word.split_once('?'), word.starts_with('[')) {
            (Some((needed, _)), true) => format!("{needed}]"),
            _ => word.to_owned(),
        });
    }
    said.join(" ")
}

/// # Panics
///
/// If an experiment has a template that is none.
fn template(text: &str) -> Template {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

#[cfg(test)]
#[path = "talk_tests.rs"]
mod tests;
