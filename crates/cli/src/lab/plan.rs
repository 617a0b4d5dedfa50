//! From what was typed to what is meant.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use handclasp::tcp::config::Algorithm;
use handclasp_impair::config::Config;

use crate::lab::args::{LabArgs, LabLink, Role};
use crate::whims::WhimArgs;

/// The port that servers listen on.
pub(crate) const SERVER_PORT: u16 = 80;

/// What a lab is to do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    /// Which end is ours; the client, if both are.
    pub(crate) role: Role,
    /// What joins the ends; nothing that exists, in virtual time.
    pub(crate) link: Option<LabLink>,
    pub(crate) ipv6: bool,
    pub(crate) port: u16,
    pub(crate) task: Task,
    /// What the link does, if it does anything.
    pub(crate) whims: Option<Whims>,
    pub(crate) seed: u64,
    pub(crate) telling: Telling,
    pub(crate) write: Option<PathBuf>,
    /// Who controls congestion at our end.
    pub(crate) cc: Algorithm,
    /// Where to draw the course of a transfer.
    pub(crate) plot: Option<PathBuf>,
}

/// What is done over the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// A page is fetched.
    Page,
    /// So many bytes are moved each way and compared.
    Bulk(u64),
    /// A program runs.
    Command(Vec<OsString>),
}

/// How packets are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Telling {
    Ladder { absolute: bool, every_packet: bool },
    Json,
}

/// What a link does to packets.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Whims {
    /// To those of our stack.
    pub(crate) outgoing: Config,
    /// To those of the kernel.
    pub(crate) incoming: Config,
}

/// Packets to lose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DropNth {
    whose: Role,
    numbers: Vec<u64>,
}

/// A text that names no packets.
#[derive(Debug, thiserror::Error)]
#[error("it names no packet: type client:2, server:1 or client:2,3")]
pub(crate) struct NoSuchPacket;

impl FromStr for DropNth {
    type Err = NoSuchPacket;

    fn from_str(text: &str) -> Result<Self, NoSuchPacket> {
        let (whose, numbers) = text.split_once(':').ok_or(NoSuchPacket)?;
        let whose = match whose {
            "client" => Role::Client,
            "server" => Role::Server,
            _ => return Err(NoSuchPacket),
        };
        let numbers = numbers.split(',').map(|number| match number.parse() {
            Ok(0) | Err(_) => Err(NoSuchPacket),
            Ok(number) => Ok(number),
        });
        Ok(Self { whose, numbers: numbers.collect::<Result<_, _>>()? })
    }
}

/// Why a lab that was asked for makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlanError {
    #[error("a program runs at the kernel's end and is our stack's client: leave --role out")]
    CommandIsTheClient,
    #[error("a program decides itself what it fetches: leave --bytes out")]
    CommandOrBytes,
    #[error("a program decides itself where it connects: leave --port out")]
    CommandOrPort,
    #[error("no bytes are nothing to compare: type --bytes 1MB, or leave it out")]
    NoBytes,
}

impl Plan {
    /// What `args` mean; `seed` is for when they have none.
    ///
    /// # Errors
    ///
    /// When they contradict each other.
    pub(crate) fn new(args: LabArgs, seed: u64) -> Result<Self, PlanError> {
        let runs_program = !args.command.is_empty();
        if runs_program && args.role == Some(Role::Client) {
            return Err(PlanError::CommandIsTheClient);
        }
        if runs_program && args.port != SERVER_PORT {
            return Err(PlanError::CommandOrPort);
        }
        let task = match args.bytes {
            Some(_) if runs_program => return Err(PlanError::CommandOrBytes),
            Some(0) => return Err(PlanError::NoBytes),
            Some(bytes) => Task::Bulk(bytes),
            None if runs_program => Task::Command(args.command),
            None => Task::Page,
        };
        let role = match runs_program {
            true => Role::Server,
            false => args.role.unwrap_or(Role::Client),
        };
        let telling = match args.json {
            true => Telling::Json,
            false => Telling::Ladder { absolute: args.absolute, every_packet: args.packets },
        };
        Ok(Self {
            role,
            link: (!args.r#virtual).then_some(args.link),
            ipv6: args.ipv6,
            port: args.port,
            task,
            seed: args.whims.seed.unwrap_or(seed),
            whims: Whims::new(args.whims, role),
            telling,
            write: args.write,
            cc: args.cc,
            plot: args.plot,
        })
    }

    /// Whether chance has a say in the run, so that its seed is worth telling.
    pub(crate) fn is_left_to_chance(&self) -> bool {
        let some = |c: &Config| c.loss + c.reorder + c.duplicate + c.corrupt > 0.0;
        self.whims.as_ref().is_some_and(|w| some(&w.outgoing) || !w.outgoing.jitter.is_zero())
    }
}

impl Whims {
    fn new(args: WhimArgs, ours: Role) -> Option<Self> {
        let both = Config::with(|c| {
            c.loss = args.loss.unwrap_or_default();
            c.delay = args.delay.unwrap_or_default();
            c.jitter = args.jitter.unwrap_or_default();
            c.rate = args.rate;
            c.reorder = args.reorder.unwrap_or_default();
            c.duplicate = args.duplicate.unwrap_or_default();
            c.corrupt = args.corrupt.unwrap_or_default();
        });
        let mut whims = Self { outgoing: both.clone(), incoming: both };
        for DropNth { whose, numbers } in args.drop {
            let direction = if whose == ours { &mut whims.outgoing } else { &mut whims.incoming };
            direction.drop_nth.extend(numbers);
        }
        let none = Config::default();
        (whims.outgoing != none || whims.incoming != none).then_some(whims)
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
