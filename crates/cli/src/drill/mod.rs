//! `handclasp drill`: packetdrill scripts against our stack or the kernel.

pub(crate) mod args;
mod junit;
mod plan;
mod report;
mod runner;

use crate::Outcome;
use crate::error::Error;

use args::DrillArgs;
use plan::Plan;
use report::Report;

/// Runs the command.
///
/// # Errors
///
/// When a path cannot be read, the kernel's network cannot be made, or the output cannot be
/// written.
pub(crate) fn run(args: &DrillArgs) -> Result<Outcome, Error> {
    let plan = Plan::new(args)?;
    runner::enter(&plan)?;
    let mut report = Report::new(&plan);
    runner::run(&plan, |done| report.add(done))?;
    let totals = report.finish()?;
    if totals.unread > 0 {
        return Err(Error::Drill(format!("{} could not be read", totals.unread)));
    }
    Ok(if totals.failed > 0 { Outcome::Failed } else { Outcome::Done })
}
