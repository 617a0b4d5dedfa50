//! A script run against a machine: this stack in virtual time, or another.
//!
//! In virtual time, time stands still while something happens, and goes on to the next deadline
//! otherwise: a minute of timers takes no longer than what happens in it. Shell commands are then
//! not given to a shell; those that set what a script needs (`sysctl`) are understood, others are
//! noted.

mod arguments;
mod build;
mod calls;
mod code;
mod expect;
mod flow;
mod ladder;
mod machine;
mod messages;
mod outcome;
mod python;
mod setup;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::task::Poll;
use std::time::Duration;

use handclasp_wire::time::Instant;

use crate::linux::Errno;
use crate::script::{Action, Call, Direction, Event, Script, When};
use crate::sockets::{Progress, Reply, Request, Sent, Sockets};
use calls::Returned;
use code::Snippets;
use flow::Flow;

pub use ladder::{Kind, Row};
pub use machine::Machine;
pub use outcome::{Failure, Outcome};
pub use setup::{Family, Setup};

/// When the script starts: late enough that the host's clocks are not at zero.
pub(crate) const START: Instant = Instant::from_millis(100_000);
/// How long after its time a packet is waited for, to tell how late it was.
const PATIENCE: Duration = Duration::from_secs(2);

/// Runs a script against this stack in virtual time.
#[must_use]
pub fn run(script: &Script, setup: &Setup) -> Outcome {
    let setup = match setup.of(script) {
        Err(failure) => return Outcome { failure: Some(failure), ..Outcome::default() },
        Ok(setup) => setup,
    };
    let mut sockets = Sockets::for_setup(&setup, START);
    run_on(script, &setup, &mut sockets)
}

/// Runs a script against a machine that is as `setup` says, the script's own options being in it
/// ([`Setup::of`]).
pub fn run_on(script: &Script, setup: &Setup, machine: &mut dyn Machine) -> Outcome {
    let mut run = Run::new(setup, machine);
    let failure = run.prepare(script).err();
    run.machine.start();
    let failure = failure.or_else(|| run.events(&script.events).err());
    if let Some(cleanup) = &script.cleanup {
        // It runs whatever came before; what it cannot clean up is no fault of the host's.
        if let Err(trouble) = run.command(&cleanup.text) {
            run.notes.insert(trouble.message);
        }
    }
    run.notes.extend(run.machine.missing());
    let took = run.machine.now() - START;
    Outcome { failure, ladder: run.ladder, notes: run.notes, took }
}

type Checked<T = ()> = Result<T, Failure>;

/// A call that blocks.
struct Blocked<'s> {
    line: usize,
    call: &'s Call,
    request: Request,
    progress: Progress,
    ends: Option<Instant>,
    tolerance: Duration,
    /// What it answered, and when.
    done: Option<(Result<Reply, Errno>, Instant)>,
}

struct Run<'s> {
    setup: &'s Setup,
    machine: &'s mut dyn Machine,
    /// What was sent and not looked at yet.
    sent: VecDeque<Sent>,
    flow: Option<Flow>,
    /// Flows with other ports, or of sockets before.
    others: Vec<Flow>,
    /// Descriptors as the script counts them.
    descriptors: HashMap<i64, i32>,
    /// The descriptor that assertions are about.
    subject: Option<i32>,
    blocked: Option<Blocked<'s>>,
    snippets: Snippets,
    ladder: Vec<Row>,
    notes: BTreeSet<String>,
    /// When the event before happened, and whether that was a packet that came in.
    last: (Instant, bool),
    line: usize,
}

impl<'s> Run<'s> {
    fn new(setup: &'s Setup, machine: &'s mut dyn Machine) -> Self {
        Self {
            setup,
            machine,
            sent: VecDeque::new(),
            flow: None,
            others: Vec::new(),
            descriptors: HashMap::new(),
            subject: None,
            blocked: None,
            snippets: Snippets::default(),
            ladder: Vec::new(),
            notes: BTreeSet::new(),
            last: (START, false),
            line: 0,
        }
    }

    /// Runs what sets the host up.
    fn prepare(&mut self, script: &Script) -> Checked {
        for name in &self.setup.init_scripts {
            self.command(name)?;
        }
        let Some(init) = &script.init else { return Ok(()) };
        self.line = init.line;
        self.command(&init.text)
    }

    fn events(&mut self, events: &'s [Event]) -> Checked {
        for event in events {
            self.line = event.line;
            let forgiven = match event.action {
                Action::Packet(_) => self.setup.packets_may_differ,
                Action::Call(_) => self.setup.calls_may_differ,
                _ => false,
            };
            match self.event(event) {
                Err(failure) if forgiven => {
                    self.notes.insert(failure.to_string());
                }
                happened => happened?,
            }
        }
        self.await_call()?;
        let notes = self.snippets.finish()?;
        self.notes.extend(notes);
        Ok(())
    }

    fn event(&mut self, event: &'s Event) -> Checked {
        let now = self.machine.now();
        let inbound =
            matches!(&event.action, Action::Packet(packet) if packet.direction == Direction::In);
        // Packets that come in follow each other by the script's times, others what happened.
        let base = if inbound && self.last.1 { self.last.0 } else { now };
        let (from, to) = match event.when {
            When::At(at) => (START + at, START + at),
            When::After(wait) => (base + wait, base + wait),
            When::Any => (START, Instant::FAR_FUTURE),
            When::Between(from, to) => (START + from, START + to),
            When::AfterBetween(from, to) => (base + from, base + to),
        };
        let tolerance = self.tolerance(from);
        if let Action::Packet(packet) = &event.action
            && packet.direction == Direction::Out
        {
            let any = event.when == When::Any;
            self.expect(packet, from, to, if any { self.machine.patience() } else { tolerance })?;
        } else {
            self.advance(from);
            let late = self.machine.now() - from;
            if late > tolerance {
                return self.fail(format!("it is {late:?} too late for this event"));
            }
            match &event.action {
                Action::Packet(packet) => self.inject(packet)?,
                Action::Call(call) => self.call(call, event.when, base, tolerance)?,
                Action::Command(text) => self.command(text)?,
                Action::Code(text) => self.code(text)?,
            }
        }
        self.last = (from.max(now).min(self.machine.now()), inbound);
        Ok(())
    }

    /// How far from its time an event may be.
    fn tolerance(&self, at: Instant) -> Duration {
        let share = (at - self.last.0).mul_f64(self.setup.tolerance_percent / 100.0);
        share.max(self.setup.tolerance)
    }

    fn fail<T>(&self, message: impl Into<String>) -> Checked<T> {
        Err(Failure { line: self.line, message: message.into() })
    }

    /// The time of the script's clock.
    fn clock(&self, at: Instant) -> String {
        format!("{:.6}", (at - START).as_secs_f64())
    }

    /// Lets time pass.
    fn advance(&mut self, to: Instant) {
        self.look();
        while self.machine.now() < to {
            self.step(to);
        }
    }

    /// Goes on to the next thing that happens.
    fn step(&mut self, to: Instant) {
        self.machine.step(to.min(self.gives_up().unwrap_or(to)));
        self.look();
    }

    /// Lets the blocked call go on, and takes what was sent.
    fn look(&mut self) {
        if let Some(blocked) = &mut self.blocked
            && blocked.done.is_none()
            && let Poll::Ready(answer) = self.machine.ask(&blocked.request, &mut blocked.progress)
        {
            blocked.done = Some((answer, self.machine.now()));
        }
        while let Some(sent) = self.machine.take_sent() {
            self.sent.push_back(sent);
        }
    }

    /// When the blocked call gives up by itself.
    fn gives_up(&self) -> Option<Instant> {
        let blocked = self.blocked.as_ref().filter(|blocked| blocked.done.is_none())?;
        let until = self.machine.gives_up(&blocked.request, &blocked.progress)?;
        (until > self.machine.now()).then_some(until)
    }

    fn call(&mut self, call: &'s Call, when: When, base: Instant, tolerance: Duration) -> Checked {
        self.await_call()?;
        let Some(request) = self.request(call)? else {
            return self.check_call(call, Returned::of(Ok(0)));
        };
        let start = if matches!(when, When::At(_)) { START } else { base };
        let ends = call.ends.map(|ends| start + ends);
        let progress = Progress::new(self.machine.now());
        let line = self.line;
        self.record(self.machine.now(), Kind::Call, call.text.clone());
        self.blocked = Some(Blocked { line, call, request, progress, ends, tolerance, done: None });
        self.look();
        if ends.is_none() { self.await_call() } else { Ok(()) }
    }

    /// Waits for the call that blocks, and checks what it returned.
    fn await_call(&mut self) -> Checked {
        let Some(blocked) = &self.blocked else { return Ok(()) };
        let patience = blocked.ends.map_or(self.machine.patience(), |_| PATIENCE);
        let limit = blocked.ends.unwrap_or(self.machine.now()).max(self.machine.now()) + patience;
        while self.blocked.as_ref().is_some_and(|blocked| blocked.done.is_none())
            && self.machine.now() < limit
        {
            self.step(limit);
        }
        let Some(blocked) = self.blocked.take() else { return Ok(()) };
        let line = std::mem::replace(&mut self.line, blocked.line);
        let Some((answer, at)) = blocked.done else {
            let waited = patience.as_secs();
            return self.fail(format!("this call still blocked {waited} s after it was due"));
        };
        let returned = self.returned(blocked.call, &blocked.request, answer)?;
        self.check_call(blocked.call, returned)?;
        if let Some(ends) = blocked.ends {
            let off = if at > ends { at - ends } else { ends - at };
            if off > blocked.tolerance {
                let (at, ends) = (self.clock(at), self.clock(ends));
                return self.fail(format!("this call returned at {at} s, not at {ends} s"));
            }
        }
        self.line = line;
        Ok(())
    }

    fn code(&mut self, text: &str) -> Checked {
        let fields = self.subject.and_then(|fd| self.machine.tcp_info(fd)).unwrap_or_default();
        self.snippets.take(self.line, text, fields)
    }

    fn command(&mut self, text: &str) -> Checked {
        match self.machine.command(text, self.setup.folder.as_deref()) {
            Ok(notes) => {
                self.notes.extend(notes);
                Ok(())
            }
            Err(message) => self.fail(message),
        }
    }

    /// Adds a row to the ladder.
    fn record(&mut self, at: Instant, kind: Kind, text: String) {
        let info = self.subject.and_then(|fd| self.machine.tcp_info(fd));
        let state = info.and_then(|fields| fields.get("tcpi_state").copied());
        self.ladder.push(Row { at: at - START, kind, state, text });
    }
}
