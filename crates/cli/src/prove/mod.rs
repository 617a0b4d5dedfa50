//! `handclasp prove`: handshakes and our own state machine, explored state by state.

pub(crate) mod args;
mod diagram;
mod handshake;
mod rows;
mod stack;

use crate::Outcome;
use crate::error::Error;

use args::{Proposition, ProveArgs};

/// Runs the command.
///
/// # Errors
///
/// When the output cannot be written.
pub(crate) fn run(args: ProveArgs) -> Result<Outcome, Error> {
    match args.what {
        Proposition::Handshake(args) => handshake::run(&args),
        Proposition::Stack(args) => stack::run(&args),
        Proposition::Diagram(args) => diagram::run(&args),
    }
}
