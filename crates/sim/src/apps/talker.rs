//! Writes and reads as badly as programs do: in pieces of any size, with pauses, and not
//! always to the end. What it writes tells where it belongs, and what it reads is checked.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use handclasp_lab::pattern::Pattern;
use handclasp_stack::store::ConnId;
use handclasp_tcp::Tuple;
use handclasp_tcp::connection::{Error, Readiness};
use handclasp_wire::time::Instant;

use crate::app::{App, Next, View};
use crate::dice::Dice;

/// How a [`Talker`] behaves.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Manners {
    /// Bytes to write before the FIN.
    pub to_write: u64,
    /// The most bytes to write or read at a time.
    pub chunk: u64,
    /// How often it pauses before it writes or reads, in percent.
    pub pauses: u64,
    /// The longest pause.
    pub pause: Duration,
    /// What it leaves by.
    pub leave: Leave,
}

/// When and how a [`Talker`] leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// When both directions are at their end.
    AtTheEnd,
    /// It closes both directions when it has read so many bytes, or all.
    ByClose(u64),
    /// It aborts when it has read so many bytes, or all.
    ByAbort(u64),
}

impl Default for Manners {
    /// Writes nothing, reads everything, never pauses.
    fn default() -> Self {
        Self {
            to_write: 0,
            chunk: 16 << 10,
            pauses: 0,
            pause: Duration::from_secs(1),
            leave: Leave::AtTheEnd,
        }
    }
}

/// How a conversation ended for one of its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With a FIN each way.
    Whole,
    /// It left before, as was its manner.
    Left,
    /// The connection failed.
    Failed(Error),
    /// The byte at this place of the stream was not the one that belongs there.
    Mangled(u64),
}

/// What one end of a conversation has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its sockets.
    pub tuple: Tuple,
    /// Bytes that the connection took.
    pub written: u64,
    /// Bytes that it gave.
    pub read: u64,
    /// How it ended.
    pub end: End,
}

/// Where talkers leave their reports.
pub type Ledger = Rc<RefCell<Vec<Report>>>;

/// One end of a conversation.
pub struct Talker {
    id: ConnId,
    manners: Manners,
    dice: Dice,
    ledger: Ledger,
    tuple: Option<Tuple>,
    paused_until: Instant,
    written: u64,
    read: u64,
    heard_all: bool,
    shut: bool,
}

impl Talker {
    /// A talker on a connection, open or being opened.
    #[must_use]
    pub fn new(id: ConnId, manners: Manners, dice: Dice, ledger: Ledger) -> Self {
        Self {
            id,
            manners,
            dice,
            ledger,
            tuple: None,
            paused_until: Instant::ZERO,
            written: 0,
            read: 0,
            heard_all: false,
            shut: false,
        }
    }

    /// Bytes for one call.
    fn some(&mut self) -> u64 {
        self.dice.scaled(1..=self.manners.chunk.max(1))
    }

    /// Writes a piece; says whether anything was done.
    fn write(&mut self, host: &mut View<'_>, tuple: &Tuple) -> Result<bool, End> {
        let left = self.manners.to_write - self.written;
        if left > 0 {
            let mut piece = vec![0; self.some().min(left) as usize];
            stream(tuple).fill(self.written, &mut piece);
            let n = host.write(self.id, &piece).map_err(End::Failed)?;
            self.written += n as u64;
            return Ok(n > 0);
        }
        let ready = host.connection(self.id).map_or(Readiness::empty(), |c| c.readiness());
        if self.shut || !ready.contains(Readiness::CONNECTED) {
            return Ok(false);
        }
        self.shut = true;
        host.shutdown(self.id);
        Ok(true)
    }

    /// Reads a piece; says whether anything was done.
    fn read(&mut self, host: &mut View<'_>, tuple: &Tuple) -> Result<bool, End> {
        if self.heard_all {
            return Ok(false);
        }
        let mut piece = vec![0; self.some() as usize];
        let Some(n) = host.read(self.id, &mut piece).map_err(End::Failed)? else {
            return Ok(false);
        };
        stream(&tuple.reversed()).check(self.read, &piece[..n]).map_err(End::Mangled)?;
        self.read += n as u64;
        self.heard_all = n == 0;
        Ok(true)
    }

    /// Whether it is time to leave.
    fn leaves(&self) -> bool {
        match self.manners.leave {
            Leave::AtTheEnd => self.heard_all && self.shut,
            Leave::ByClose(at) | Leave::ByAbort(at) => self.read >= at || self.heard_all,
        }
    }

    /// Goes on until it has to wait, which is `Ok`.
    fn go_on(&mut self, host: &mut View<'_>, tuple: &Tuple) -> Result<Next, End> {
        loop {
            if host.now() < self.paused_until {
                return Ok(Next::WaitUntil(self.paused_until));
            }
            if self.leaves() {
                let whole = self.manners.leave == Leave::AtTheEnd;
                return Err(if whole { End::Whole } else { End::Left });
            }
            if self.dice.percent(self.manners.pauses) {
                let longest = self.manners.pause.as_micros() as u64;
                self.paused_until = host.now() + self.dice.micros(1..=longest);
                continue;
            }
            let wrote = self.write(host, tuple)?;
            if !self.read(host, tuple)? && !wrote {
                return Ok(if self.leaves() { continue } else { Next::Wait });
            }
        }
    }
}

impl App for Talker {
    fn poll(&mut self, host: &mut View<'_>) -> Next {
        let known = self.tuple.or_else(|| host.connection(self.id).map(|c| *c.tuple()));
        let Some(tuple) = known else { return Next::Done };
        self.tuple = known;
        let end = match self.go_on(host, &tuple) {
            Ok(next) => return next,
            Err(end) => end,
        };
        match self.manners.leave {
            Leave::ByAbort(_) => host.abort(self.id),
            Leave::AtTheEnd | Leave::ByClose(_) => host.close(self.id),
        }
        let Self { written, read, .. } = *self;
        self.ledger.borrow_mut().push(Report { tuple, written, read, end });
        Next::Done
    }
}

/// What the owner of `tuple` writes.
fn stream(tuple: &Tuple) -> Pattern {
    Pattern::new(u64::from(tuple.local_port) << 16 | u64::from(tuple.remote_port))
}
